//! Second factors: codes of a device, each good once, and recovery codes, which can be made anew.

use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::fixture::{Fixture, problem};
use crate::rights::{PASSWORD, join};

const FACTOR: &str = "/api/v1/me/second-factor";
const EMAIL: &str = "ann@seller.example";

/// What an authenticator app knows.
pub struct Device(Vec<u8>);

impl Device {
    /// One that has shown a code already, and the recovery codes beside it.
    pub async fn confirmed(it: &Fixture, person: &Client) -> (Self, Vec<String>) {
        let begun = person.post(FACTOR, &json!({"password": PASSWORD}).to_string()).await;
        let device = Self::of(&begun.json());
        let confirmed = person.post(&format!("{FACTOR}/confirm"), &say(&device.code(it).await)).await;
        assert_eq!(confirmed.status, 200, "{confirmed:?}");
        (device, recovery_codes(&confirmed))
    }

    fn of(begun: &Value) -> Self {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
        for character in begun["secret"].as_str().unwrap().chars() {
            buffer = buffer << 5 | alphabet.find(character).unwrap() as u32;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push((buffer >> bits) as u8);
            }
        }
        Self(bytes)
    }

    /// What it shows now.
    pub async fn code(&self, it: &Fixture) -> String {
        access::code_at(&self.0, it.book.engine.read(|_, now| now).await.unwrap())
    }

    /// What it shows in the next half a minute.
    async fn next(&self, it: &Fixture) -> String {
        it.book.clock.advance_secs(30);
        self.code(it).await
    }
}

fn say(code: &str) -> String {
    json!({"code": code}).to_string()
}

fn recovery_codes(shown: &Answer) -> Vec<String> {
    let codes: Vec<String> = serde_json::from_value(shown.json()["recovery_codes"].clone()).unwrap();
    assert_eq!(codes.len(), 10);
    codes
}

/// What becomes of a sign-in.
async fn with(it: &Fixture, code: Option<&str>) -> String {
    let body = json!({"email": EMAIL, "password": PASSWORD, "code": code}).to_string();
    let answer = it.server.client().post("/api/v1/sessions", &body).await;
    if answer.status == 201 { "in".to_owned() } else { problem(&answer).1 }
}

async fn ann(it: &Fixture) -> (Client, String) {
    let (ann, session) = join(it, "organizations/default", EMAIL, &json!({"role": "admin"})).await;
    (ann, session["user"]["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_each_code_is_good_once() {
    let it = Fixture::new().await;
    let (ann, id) = ann(&it).await;
    let wrong = json!({"password": "wrong anchor and a lamp"}).to_string();
    assert_eq!(problem(&ann.post(FACTOR, &wrong).await).0, 422);
    let begun = ann.post(FACTOR, &json!({"password": PASSWORD}).to_string()).await.json();
    let uri = begun["uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/Bursar%20default:ann%40seller.example?"), "{uri}");
    // Not asked for before a code was shown.
    assert_eq!(with(&it, None).await, "in");
    let wrong = ann.post(&format!("{FACTOR}/confirm"), &say("000000")).await;
    assert_eq!(problem(&wrong), (401, "second-factor-wrong".to_owned()));
    let (device, recovery) = Device::confirmed(&it, &ann).await;
    assert_eq!(with(&it, None).await, "second-factor-needed");
    // The code that confirmed was used; the next half minute has another.
    assert_eq!(with(&it, Some(&device.code(&it).await)).await, "second-factor-wrong");
    let next = device.next(&it).await;
    assert_eq!(with(&it, Some(&next)).await, "in");
    assert_eq!(with(&it, Some(&next)).await, "second-factor-wrong", "replayed");
    it.book.clock.advance_secs(300);
    for wrong in ["", "12345", "1234567", "abcdef", "000000"] {
        assert_eq!(with(&it, Some(wrong)).await, "second-factor-wrong", "{wrong}");
        it.book.clock.advance_secs(300);
    }
    let paper = &recovery[3];
    assert_eq!(with(&it, Some(&format!("{} {}", &paper[..8], &paper[8..]))).await, "in");
    assert_eq!(with(&it, Some(paper)).await, "second-factor-wrong", "a recovery code is good once");
    it.book.clock.advance_secs(300);
    // A lost device: an admin takes it away.
    assert_eq!(it.owner().send("DELETE", &format!("/api/v1/users/{id}/second-factor"), "").await.status, 204);
    assert_eq!(with(&it, None).await, "in");
}

#[tokio::test]
async fn recovery_codes_are_made_anew_by_a_code_of_the_device() {
    let it = Fixture::new().await;
    let (ann, id) = ann(&it).await;
    let renew = async |code: &str| ann.post(&format!("{FACTOR}/recovery-codes"), &say(code)).await;
    assert_eq!(problem(&renew("000000").await), (409, "no-second-factor".to_owned()));
    // One whose device has not shown a code yet has none either.
    ann.post(FACTOR, &json!({"password": PASSWORD}).to_string()).await;
    assert_eq!(problem(&renew("000000").await), (409, "no-second-factor".to_owned()));
    let (device, old) = Device::confirmed(&it, &ann).await;
    let (confirming, signing_in) = (device.code(&it).await, device.next(&it).await);
    assert_eq!(with(&it, Some(&signing_in)).await, "in");

    // (what is said, why it is refused)
    for (code, why) in [
        ("", "empty"),
        ("000000", "wrong"),
        (confirming.as_str(), "it confirmed the device"),
        (signing_in.as_str(), "it was said at a sign-in"),
    ] {
        let refused = renew(code).await;
        assert_eq!(problem(&refused), (401, "second-factor-wrong".to_owned()), "{why}");
        assert_eq!(refused.json()["field"], json!("code"), "{why}");
    }
    // The fifth in a row, and whoever says them waits, whatever comes next; so do sign-ins from there.
    let recovery = renew(&old[0]).await;
    assert_eq!(
        problem(&recovery),
        (401, "second-factor-wrong".to_owned()),
        "a recovery code makes no others"
    );
    let next = device.code(&it).await;
    assert_eq!(problem(&renew(&next).await), (429, "too-many-sign-ins".to_owned()));
    assert_eq!(with(&it, Some(&next)).await, "too-many-sign-ins");
    let token = ann.post("/api/v1/me/tokens", r#"{"label":"laptop"}"#).await.json();
    let program = it.with_token(token["token"].as_str().unwrap());
    let by_program = program.post(&format!("{FACTOR}/recovery-codes"), &say(&device.next(&it).await)).await;
    assert_eq!(problem(&by_program), (403, "forbidden".to_owned()), "only in a session");
    assert_eq!(with(&it, Some(&old[1])).await, "in", "nothing has changed");

    let code = device.next(&it).await;
    let renewed = renew(&code).await;
    assert_eq!(renewed.status, 201, "{renewed:?}");
    let new = recovery_codes(&renewed);
    assert_eq!(problem(&renew(&code).await), (401, "second-factor-wrong".to_owned()), "replayed");
    assert_eq!(with(&it, Some(&code)).await, "second-factor-wrong", "used for the codes");
    assert_eq!(with(&it, Some(&old[0])).await, "second-factor-wrong", "the old ones count no more");
    assert_eq!(with(&it, Some(&new[0])).await, "in");
    let log = it.owner().get("/api/v1/organizations/default/audit?acts=renew-recovery-codes").await.json();
    assert_eq!(log["data"].as_array().unwrap().len(), 1);
    assert_eq!((&log["data"][0]["actor"]["email"], &log["data"][0]["object"]), (&json!(EMAIL), &json!(id)));

    // Of two at once with one code, one is done.
    let code = device.next(&it).await;
    let (one, other) = tokio::join!(renew(&code), renew(&code));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401]);

    // All of it is there again after a restart.
    let (digest, book) = (it.book.digest().await, it.book.reopened());
    assert_eq!(book.digest().await, digest);
}

//! SIGTERM while charging: what was answered is there afterwards.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use ureq::Agent;

use crate::serve;
use crate::served::{TOKEN, bursar};

const CONNECTIONS: usize = 4;
const AMOUNT_NANOS: u128 = 1_000_001;

#[test]
fn nothing_answered_is_lost_when_the_server_is_told_to_stop() {
    let data = tempfile::tempdir().unwrap();
    let mut served = serve(data.path(), &[]);
    let opened = bursar(&["account", "create", "--name", "a", "--credit-limit", "1000", "--json"])
        .env("BURSAR_URL", &served.url)
        .env("BURSAR_TOKEN", TOKEN)
        .output()
        .unwrap();
    let opened: serde_json::Value = serde_json::from_slice(&opened.stdout).unwrap();
    let account = opened["account"].as_str().unwrap();
    let (answered, answers) = channel();
    let keys: Vec<String> = thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let answered = answered.clone();
            let (url, account) = (&served.url, account);
            scope.spawn(move || charge_until_refused(url, account, connection, &answered));
        }
        drop(answered);
        let mut keys: Vec<String> = answers.iter().take(200).collect();
        served.terminate();
        keys.extend(answers.iter());
        keys
    });
    assert_eq!(served.child.wait().unwrap().code(), Some(0));

    let served = serve(data.path(), &[]);
    let agent = Agent::new_with_defaults();
    for key in &keys {
        assert_eq!(charge(&agent, &served.url, account, key), Some(true), "{key} was answered and is lost");
    }
    let balance = bursar(&["balance", account, "--json"])
        .env("BURSAR_URL", &served.url)
        .env("BURSAR_TOKEN", TOKEN)
        .output()
        .unwrap();
    let balance: serde_json::Value = serde_json::from_slice(&balance.stdout).unwrap();
    let posted = balance["posted"].as_str().unwrap().replace(['-', '.'], "");
    let digits = balance["posted"].as_str().unwrap().split('.').nth(1).unwrap().len() as u32;
    let nanos = posted.parse::<u128>().unwrap() * 10_u128.pow(9 - digits);
    // What was accepted and not answered may be there too, once for each connection at the most.
    let charged = nanos / AMOUNT_NANOS;
    assert_eq!(nanos % AMOUNT_NANOS, 0);
    assert!((keys.len() as u128..=(keys.len() + CONNECTIONS) as u128).contains(&charged), "{charged}");
}

fn charge_until_refused(url: &str, account: &str, connection: usize, answered: &Sender<String>) {
    let agent = Agent::new_with_defaults();
    for number in 0.. {
        let key = format!("{connection}-{number}");
        match charge(&agent, url, account, &key) {
            Some(replayed) => {
                assert!(!replayed);
                _ = answered.send(key);
            }
            None => return,
        }
    }
}

/// Whether it was charged before, or nothing when nobody answers.
fn charge(agent: &Agent, url: &str, account: &str, key: &str) -> Option<bool> {
    let response = agent
        .post(format!("{url}/api/v1/accounts/{account}/charges"))
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .send(r#"{"amount":"0.001000001"}"#)
        .ok()?;
    assert_eq!(response.status(), 201);
    Some(response.headers().contains_key("idempotent-replayed"))
}

//! Signing in at a shell: a profile of one's own, and commands that act by it.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use engine::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::served::{TOKEN, bursar};
use crate::{run, serve};

#[test]
fn who_signed_in_needs_no_token() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &[]);
    let home = tempfile::tempdir().unwrap();
    let password = home.path().join("password");
    std::fs::write(&password, "violet anchor and a lamp\n").unwrap();
    let password = password.to_str().unwrap();
    let create = format!("user create ann@seller.example --role admin --password-file {password}");
    assert_eq!(run(&served, &create).0, 0);
    let ask = |arguments: &str| {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let output = bursar(&arguments).env("XDG_CONFIG_HOME", home.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let sign_in = format!("sign-in ann@seller.example --url {} --password-file {password}", served.url);
    let (code, out, err) = ask(&sign_in);
    assert_eq!(code, 0, "{err}");
    assert!(!format!("{out}{err}").contains("bss_"), "no secret is shown");
    let profile = home.path().join("bursar/profile.json");
    assert_eq!(std::fs::metadata(&profile).unwrap().permissions().mode() & 0o777, 0o600);
    // The address and the session are in the profile.
    let (code, me, err) = ask("whoami --json");
    assert_eq!(code, 0, "{err}");
    assert!(me.contains(r#""role":"admin""#), "{me}");
    let (code, invited, err) = ask("invite bob@seller.example --role finance --json");
    assert_eq!((code, invited.contains(r#""link":"bsi_"#)), (0, true), "{invited}{err}");
    let (code, _, err) = ask("invite eve@seller.example --role owner");
    assert_eq!((code, err.starts_with("bursar: The credential may not do that")), (3, true), "{err}");
    assert_eq!(ask("permissions define support --allow read-accounts --json").0, 0);
    assert_eq!(ask("member list --json").1.lines().count(), 1);
    let (code, audit, err) = ask("audit --acts sign-in,invite --json");
    assert_eq!((code, audit.lines().count()), (0, 2), "{audit}{err}");
    let (code, _, err) = ask("user create x@seller.example --role admin --password-file /nonexistent");
    assert_eq!(code, 1, "{err}");
    // A token that is set goes before the profile.
    let output = bursar(&["whoami", "--json", "--url", &served.url]);
    let output = { output }.env("XDG_CONFIG_HOME", home.path()).env("BURSAR_TOKEN", TOKEN).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains(r#""role":"owner""#));
    assert_eq!(ask("sign-out").0, 0);
    assert!(!profile.exists());
    let again = format!("whoami --url {}", served.url);
    assert_eq!(ask(&again).0, 2);
    // Nobody is asked for a password where there is no terminal.
    let alone = format!("sign-in ann@seller.example --url {}", served.url);
    assert_eq!(ask(&alone).0, 2);
    served.stop();
}

/// A person at a shell: what is secret goes in by a file or by standard input.
struct Person<'a> {
    url: &'a str,
    home: tempfile::TempDir,
}

impl Person<'_> {
    fn ask(&self, arguments: &str, typed: &str) -> (i32, String, String) {
        let mut arguments: Vec<&str> = arguments.split(' ').collect();
        arguments.extend(["--url", self.url]);
        let mut command = bursar(&arguments);
        command.env("XDG_CONFIG_HOME", self.home.path()).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // One that does not read is refused before: the pipe is closed already.
        _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        (output.status.code().unwrap(), out, err)
    }

    #[track_caller]
    fn done(&self, arguments: &str, typed: &str) -> Value {
        let (code, out, err) = self.ask(arguments, typed);
        assert_eq!(code, 0, "{arguments}: {err}");
        if out.is_empty() { Value::Null } else { serde_json::from_str(out.lines().next().unwrap()).unwrap() }
    }
}

#[test]
fn a_person_joins_has_a_second_factor_and_forgets_the_password() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &[]);
    let invited = run(&served, "invite ann@seller.example --role admin --json").1;
    let invited: Value = serde_json::from_str(&invited).unwrap();
    let link = invited["link"].as_str().unwrap();
    let ann = Person { url: &served.url, home: tempfile::tempdir().unwrap() };
    let (old, new) = ("violet anchor and a lamp", "a lamp beside the harbour");

    // From the invitation on: whoever accepts is signed in.
    let accept = "accept --link-file - --new-password-file - --json";
    assert_eq!(ann.ask(accept, &format!("{link}\nshort\n")).0, 3, "the rules of passwords hold");
    let member = ann.done(accept, &format!("{link}\n{old}\n"));
    assert_eq!(member["email"], "ann@seller.example");
    assert_eq!(ann.ask(accept, &format!("{link}\n{old}\n")).0, 2, "a link counts once");

    // A second factor, and the codes for when its device is lost.
    let begin = "second-factor begin --password-file - --json";
    assert_eq!(ann.ask(begin, "wrong\n").0, 3);
    let begun = ann.done(begin, &format!("{old}\n"));
    assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/"), "{begun}");
    assert_eq!(ann.ask("second-factor confirm --code-file -", "000000\n").0, 1, "a code that is wrong");
    // A code is good once; that of the next half a minute is accepted already.
    let mut seen = Vec::new();
    for (asking, ahead_secs) in [("confirm", 0), ("recovery-codes", 30)] {
        let code = code_of(begun["secret"].as_str().unwrap(), ahead_secs);
        let asking = format!("second-factor {asking} --code-file - --json");
        let (_, codes, err) = ann.ask(&asking, &format!("{code}\n"));
        assert_eq!(codes.lines().count(), 10, "{asking}: {err}");
        assert!(codes.lines().all(|line| line.starts_with(r#"{"recovery_code":"#)), "{codes}");
        assert!(!seen.contains(&codes), "{asking}");
        seen.push(codes);
    }
    assert_eq!(ann.ask("sign-in ann@seller.example --password-file -", &format!("{old}\n")).0, 1);
    ann.done("second-factor remove --password-file -", &format!("{old}\n"));
    ann.done("sign-in ann@seller.example --password-file - --json", &format!("{old}\n"));

    // A token of one's own that only looks.
    let token = ann.done("token issue --own --label laptop --allow read --json", "");
    let listed = ann.done("token list --own --json", "");
    assert_eq!((&listed["id"], &listed["label"]), (&token["id"], &json!("laptop")));
    ann.done(&format!("token revoke {}", token["id"].as_str().unwrap()), "");

    // A password that was forgotten, and one that is changed.
    ann.done("password forgot ann@seller.example", "");
    ann.done("password forgot nobody@seller.example", "");
    let user = member["user"].as_str().unwrap();
    let reset = run(&served, &format!("user reset-password {user} --json")).1;
    let reset: Value = serde_json::from_str(&reset).unwrap();
    let link = reset["link"].as_str().unwrap();
    ann.done("password reset --link-file - --new-password-file -", &format!("{link}\n{new}\n"));
    assert_eq!(ann.ask("whoami", "").0, 1, "all sessions ended");
    ann.done("sign-in ann@seller.example --password-file - --json", &format!("{new}\n"));
    let another = "the third of my passwords";
    ann.done("password change --password-file - --new-password-file -", &format!("{new}\n{another}\n"));
    ann.done("sign-in ann@seller.example --password-file - --json", &format!("{another}\n"));

    // Nobody is asked where there is no terminal.
    for asking in [
        "accept",
        "second-factor begin",
        "second-factor confirm",
        "second-factor recovery-codes",
        "password reset",
        "password change",
    ] {
        assert_eq!(ann.ask(asking, "").0, 2, "{asking}");
    }
    served.stop();
}

/// What an authenticator app shows of a secret in so many seconds.
fn code_of(secret: &str, ahead_secs: i64) -> String {
    let mut bits = String::new();
    for character in secret.bytes().filter(|byte| !b" =".contains(byte)) {
        let digit = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|it| *it == character);
        bits.push_str(&format!("{:05b}", digit.unwrap()));
    }
    let bytes = bits.as_bytes().chunks_exact(8).map(|bits| std::str::from_utf8(bits).unwrap());
    let secret: Vec<u8> = bytes.map(|bits| u8::from_str_radix(bits, 2).unwrap()).collect();
    access::code_at(&secret, SystemClock::default().now().plus_secs(ahead_secs))
}

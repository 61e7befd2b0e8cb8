//! What scripts rely on, as a table: the command, its exit code, and what it says.

use crate::served::{TOKEN, bursar};
use crate::{run, serve};

/// `$P` and `$S` are the accounts that the table opens, `$K` the API key of the first, `$H` the last hold.
/// Of what differs from run to run only the kind is compared. A failure is compared with standard error.
const STEPS: &[(&str, i32, &str)] = &[
    (
        "account create --name Acme --currency EUR --credit-limit 100 --json",
        0,
        r#"{"account":"<id>","api_key":"<key>","secret":"<secret>"}"#,
    ),
    (
        "charge $P 20 --key k1 --json",
        0,
        r#"{"id":"<id>","account":"<id>","amount":"20","available":"80","kind":"metered","admission":"strict","time":"<time>"}"#,
    ),
    (
        "charge $P 20 --key k1 --json",
        0,
        r#"{"id":"<id>","account":"<id>","amount":"20","available":"80","kind":"metered","admission":"strict","time":"<time>"}"#,
    ),
    ("charge $P 21 --key k1", 3, "bursar: The idempotency key was used for something else"),
    ("charge $K 80.000000001", 3, "bursar: There is not enough available: need 80.000000001, have 80"),
    ("charge nobody 1", 2, "bursar: There is no such account"),
    ("charge $P 0", 3, "bursar: The amount must be greater than zero"),
    (
        "top-up $P 0.5 --key pay-1 --json",
        0,
        r#"{"id":"<id>","amount":"0.5","balance":{"posted":"-19.5","held":"0","credit_limit":"100","available":"80.5"},"time":"<time>"}"#,
    ),
    (
        "account create --name Sub --parent $P --json",
        0,
        r#"{"account":"<id>","api_key":"<key>","secret":"<secret>"}"#,
    ),
    (
        "allocate $S 40 --json",
        0,
        r#"{"id":"<id>","amount":"40","balance":{"posted":"-19.5","held":"0","credit_limit":"60","available":"40.5"},"time":"<time>"}"#,
    ),
    ("allocate $S 41", 3, "bursar: There is not enough unused credit: need 41, have 40.5"),
    (
        "allocate $S 10 --return --json",
        0,
        r#"{"id":"<id>","amount":"10","balance":{"posted":"0","held":"0","credit_limit":"30","available":"30"},"time":"<time>"}"#,
    ),
    (
        "transfer $P $S 5 --json",
        0,
        r#"{"id":"<id>","amount":"5","balance":{"posted":"-24.5","held":"0","credit_limit":"70","available":"45.5"},"time":"<time>"}"#,
    ),
    (
        "hold place $S 12 --key h1 --json",
        0,
        r#"{"id":"<id>","account":"<id>","amount":"12","captured":"0","available":"23","placed_at":"<time>","expires_at":"<time>"}"#,
    ),
    (
        "hold capture $H 4 --json",
        0,
        r#"{"id":"<id>","hold":"<id>","account":"<id>","amount":"4","released":"8","left":"0","available":"31","admission":"strict","time":"<time>"}"#,
    ),
    ("hold void $H", 2, "bursar: There is no such open hold"),
    ("account suspend $S --json", 0, "…"),
    ("charge $S 1", 3, "bursar: The account is suspended"),
    ("account reactivate $S --json", 0, "…"),
    (
        "credit set $P 90 --json",
        0,
        r#"{"id":"<id>","amount":"20","balance":{"posted":"-24.5","held":"0","credit_limit":"90","available":"65.5"},"time":"<time>"}"#,
    ),
    (
        "balance $K --json",
        0,
        r#"{"account":"<id>","currency":"EUR","posted":"-24.5","carried":"0","funded":"-4.5","used":"20","held":"0","granted":"120","received":"0","given":"30","credit_limit":"90","available":"65.5","transferable":"65.5","allocatable":"65.5","billed":"0","usage":"20","usage_by_grants":"0","payer":"<id>","spendable":"65.5"}"#,
    ),
    ("account show $P --json", 0, "…"),
    ("secrets list $P --json", 0, "…"),
    ("secrets create $P --label gateway --allow charge --only $S --json", 0, "…"),
    ("secrets create $P --allow fly", 3, "bursar: A field is not valid: scope: operations: fly is none"),
    ("secrets create $P --allow top-up", 3, "bursar: A field is not valid: scope: operations: without it"),
    ("secrets create $P --limit charge", 2, "error: invalid value 'charge' for '--limit <LIMIT>': expected"),
    ("secrets create $P --not-below", 2, "error: the following required arguments were not provided:"),
    ("secrets revoke $P nothing", 2, "bursar: There is no such live credential"),
    ("secrets reissue $P --json", 0, "…"),
    (
        "numbers assign $P 447700900123 --country GB --json",
        0,
        r#"{"number":"447700900123","country":"GB","account":"<id>"}"#,
    ),
    ("numbers assign $S 447700900123 --country GB", 3, "bursar: The number is assigned already"),
    (
        "numbers transfer $P $S 447700900123 --json",
        0,
        r#"{"number":"447700900123","country":"GB","account":"<id>"}"#,
    ),
    ("numbers list $S --json", 0, r#"{"number":"447700900123","country":"GB","account":"<id>"}"#),
    ("numbers release $S 447700900123", 0, ""),
    (
        "reload set $P 10 --reference pay-1 --threshold 5 --at-most 3 --json",
        0,
        r#"{"provider":"manual","enabled":true,"amount":"10","currency":"EUR","threshold":"5","limits":{"count":3},"started":{"count":1,"amount":"10"},"reference":"pay-1","requested":{"amount":"10","requested_at":"<time>"}}"#,
    ),
    (
        "reload set $P 10 --reference pay-1 --provider test",
        3,
        "bursar: A field is not valid: provider: test approves everything, and is for sandboxes",
    ),
    (
        "reload list --json",
        0,
        r#"{"account":"<id>","provider":"manual","status":"requested","amount":"10","currency":"EUR","requested_at":"<time>"}"#,
    ),
    ("reload start $P --reference pay-1", 3, "bursar: A reload is under way: it ends before the next begins"),
    ("reload decline $P", 0, "…"),
    ("reload start $P --reference pay-1 --json", 0, r#"{"status":"requested"}"#),
    ("reload decline $P --json", 0, r#"{"status":"declined"}"#),
    ("reload approve $P", 3, "bursar: No reload is under way"),
    ("reload show $P --json", 0, "…"),
    (
        "settings set $P --inbound-url https://hooks.example/in --json",
        0,
        r#"{"inbound_url":"https://hooks.example/in","receipt_url":null,"forward":"unset","throughput":{"outbound":30,"inbound":30,"calls":30}}"#,
    ),
    ("settings show $P --json", 0, "…"),
    ("account list --json", 0, "…"),
    ("account list --parent $P --json", 0, "…"),
    ("entries $S --limit 2 --json", 0, "…"),
    ("org create Globex --currency USD --json", 0, "…"),
    ("account create --name Dent --org Globex --credit-limit 5 --json", 0, "…"),
    ("account create --name Dent --org Nowhere", 2, "bursar: There is no such organization"),
    ("token create --org Globex --role owner --json", 0, "…"),
    ("token create --org Nowhere --role owner", 2, "bursar: There is no such organization"),
    ("token issue", 2, "error: the following required arguments were not provided:"),
    ("token issue --own --role owner", 2, "error: the argument '--own' cannot be used with '--role <ROLE>'"),
    (
        "token list --own",
        3,
        "bursar: The credential may not do that: only a person who signed in may do that",
    ),
    ("balance $P --url http://127.0.0.1:1", 1, "bursar: cannot reach http://127.0.0.1:1: "),
    ("charge $P abc", 2, "error: invalid value 'abc' for '<AMOUNT>': not a decimal number"),
    ("charge $P", 2, "error: the following required arguments were not provided:"),
];

#[test]
fn commands_do_what_scripts_rely_on() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &[]);
    let mut names: Vec<(&str, String)> = Vec::new();
    for (command, code, expected) in STEPS {
        let typed = names.iter().fold((*command).to_owned(), |text, (name, value)| text.replace(name, value));
        let (found, out, reason) = run(&served, &typed);
        assert_eq!(found, *code, "{command}: {reason}");
        if found != 0 {
            assert!(reason.starts_with(expected) && out.is_empty(), "{command}: {reason}");
            continue;
        }
        assert_eq!(reason, "", "{command}");
        if *expected != "…" {
            assert_eq!(settled(&out), *expected, "{command}");
        }
        learn(&mut names, command, &out);
    }
}

#[test]
fn tables_are_for_people() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &[]);
    let (_, opened, _) = run(&served, "account create --name Acme --credit-limit 100 --json");
    let account = field(&opened, "account");
    run(&served, &format!("charge {account} 0.0012"));
    let (code, balance, _) = run(&served, &format!("balance {account}"));
    assert_eq!(code, 0);
    assert!(balance.contains("\n available        99.9988\n"), "{balance}");
    let (_, entries, _) = run(&served, &format!("entries {account}"));
    let first: Vec<&str> = entries.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(first, ["time", "kind", "amount", "posted", "available", "reference"], "{entries}");
}

#[test]
fn secrets_come_from_files_and_the_environment() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &[]);
    let files = tempfile::tempdir().unwrap();
    let (token, password) = (files.path().join("token"), files.path().join("password"));
    std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
    std::fs::write(&password, "correct horse battery staple\n").unwrap();
    let arguments = |token_file: &str| {
        let user = "user create ann@example.com --role finance --json --password-file";
        let mut all: Vec<String> = user.split(' ').map(str::to_owned).collect();
        all.extend(
            [password.to_str().unwrap(), "--url", &served.url, "--token-file", token_file].map(str::to_owned),
        );
        all
    };
    let with = |arguments: &[String]| {
        bursar(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap()
    };
    let made = with(&arguments(token.to_str().unwrap()));
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(field(&String::from_utf8(made.stdout).unwrap(), "email"), "ann@example.com");
    std::fs::write(&token, "another-token-altogether").unwrap();
    assert_eq!(with(&arguments(token.to_str().unwrap())).status.code(), Some(1));
    assert_eq!(with(&arguments("/nonexistent")).status.code(), Some(1));

    let opened = run(&served, "account create --name Acme --json").1;
    let account = field(&opened, "account");
    let secret = files.path().join("secret");
    std::fs::write(&secret, "Chosen1234\n").unwrap();
    let create = format!("secrets create {account} --json --secret-file {}", secret.display());
    let (code, added, reason) = run(&served, &create);
    assert_eq!(code, 0, "{reason}");
    assert!(added.contains(r#""chosen":true"#) && !added.contains("Chosen1234"), "{added}");
    std::fs::write(&secret, "weak\n").unwrap();
    let (code, _, reason) = run(&served, &create);
    assert!(code == 3 && !reason.contains("weak"), "{reason}");
    assert_eq!(bursar(&["balance", "x", "--url", &served.url]).output().unwrap().status.code(), Some(2));
}

fn learn(names: &mut Vec<(&str, String)>, command: &str, out: &str) {
    if command.starts_with("account create") && names.is_empty() {
        names.push(("$P", field(out, "account")));
        names.push(("$K", field(out, "api_key")));
    } else if command.starts_with("account create") {
        names.push(("$S", field(out, "account")));
    } else if command.starts_with("hold place") {
        names.push(("$H", field(out, "id")));
    }
}

fn field(json: &str, name: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    json[name].as_str().unwrap().to_owned()
}

/// What differs from run to run, by its kind.
fn settled(out: &str) -> String {
    let parts = out.trim_end().split('"').map(|part| {
        let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        match part.len() {
            36 if is_hex(part) => "<id>",
            8 if is_hex(part) => "<key>",
            27 if part.ends_with('Z') => "<time>",
            _ => part,
        }
    });
    let text = parts.collect::<Vec<_>>().join("\"");
    match text.split_once("\"secret\":\"") {
        Some((before, secret)) => {
            let (_, after) = secret.split_once('"').unwrap();
            format!("{before}\"secret\":\"<secret>\"{after}")
        }
        None => text,
    }
}

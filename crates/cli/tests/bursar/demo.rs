use std::process::Output;

use crate::output;

const CALLS: &str = "when,tokens,images\n\
    2024-01-01T00:00:00Z,120,0\n2024-01-01T00:00:00.250Z,7,1\n2024-01-01T00:00:00.5Z,0,0\n";

fn demo(csv: &str, more: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("calls.csv");
    std::fs::write(&file, csv).unwrap();
    let mut arguments = vec!["demo", "--trace", file.to_str().unwrap()];
    arguments.extend(more);
    output(&arguments)
}

const PRICES: [&str; 6] = ["--time-column", "when", "--price", "tokens=0.00001", "--price", "images=0.04"];

#[test]
fn other_calls_can_be_replayed_and_their_sums_agree() {
    let calls: String = (0..200).map(|call| format!("{call},{},{}\n", call * 7 % 90, call % 3)).collect();
    let mut more = PRICES.to_vec();
    more.extend(["--connections", "3", "--batch", "7", "--speed", "100", "--paced", "1"]);
    let output = demo(&format!("when,tokens,images\n{calls}"), &more);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.ends_with("All sums agree.\n"), "{said}");
    assert!(said.contains("3 lines without any usage are left out"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80 || line.contains("calls.csv")), "{said}");
}

#[test]
fn programs_get_one_object() {
    let mut more = PRICES.to_vec();
    more.extend(["--paced", "0", "--json"]);
    let output = demo(CALLS, &more);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["holds"], true);
    let passes = found["passes"].as_array().unwrap();
    let charged: Vec<_> = passes.iter().map(|pass| pass["charged"].as_str().unwrap()).collect();
    assert_eq!(charged, ["0.04127", "0.04127"]);
}

#[test]
fn what_cannot_be_read_is_named() {
    for (csv, more, expected) in [
        (
            CALLS,
            &["--price", "tokens=1"][..],
            "line 1: there is no column TIMESTAMP; its columns are: when, tokens, images",
        ),
        (
            CALLS,
            &["--time-column", "when"],
            "line 1: there is no column ContextTokens; its columns are: when, tokens, images",
        ),
        (
            "when,tokens\n1,2\n2,many\n",
            &["--time-column", "when", "--price", "tokens=1"],
            "line 3, column tokens: \"many\" is no quantity: not a decimal number",
        ),
    ] {
        let output = demo(csv, more);
        let reason = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{reason}");
        assert!(reason.ends_with(&format!("calls.csv: {expected}\n")), "{reason}");
        assert!(output.stdout.is_empty());
    }
}

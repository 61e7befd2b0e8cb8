use super::{Format, Record, cell};

fn record(json: &str) -> Record {
    serde_json::from_str(json).unwrap()
}

#[test]
fn records_keep_order_and_the_text_of_numbers() {
    let text = r#"{"z":123.4500,"a":"x\"y","n":null,"l":[1,2]}"#;
    let record = record(text);
    assert_eq!(Format { json: true }.one(&record), text);
    let cells: Vec<String> = record.members.iter().map(|(_, value)| cell(value)).collect();
    assert_eq!(cells, ["123.4500", "x\"y", "", "[1,2]"]);
}

#[test]
fn tables_are_plain_columns() {
    let one = record(r#"{"current":"93.26","held":"0"}"#);
    assert_eq!(Format { json: false }.one(&one), " current  93.26\n held     0");
    let all = [one, record(r#"{"held":"1","current":"-2"}"#)];
    assert_eq!(
        Format { json: false }.all(&all, &["current", "held"]),
        " current  held\n 93.26    0\n -2       1"
    );
    assert_eq!(
        Format { json: true }.all(&all, &["current", "held"]),
        "{\"current\":\"93.26\",\"held\":\"0\"}\n{\"held\":\"1\",\"current\":\"-2\"}"
    );
}

use std::path::{Path, PathBuf};

use super::{Config, ConfigError, LogFormat, OPTIONS};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bursar.toml");
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

fn from_file(text: &str) -> Result<Config, ConfigError> {
    let (_directory, path) = file(text);
    Config::load(Some(&path), [], [])
}

#[test]
fn printed_default_is_the_default() {
    let printed = Config::commented_default();
    assert_eq!(from_file(&printed).unwrap(), Config::default());
    assert_eq!(Config::load(None, [], []).unwrap(), Config::default());
    for option in OPTIONS {
        assert!(printed.contains(&format!("\n{} = {}\n", option.key, option.default)), "{}", option.key);
        assert!(!option.about.is_empty(), "{}", option.key);
    }
}

#[test]
fn flags_beat_environment_beats_file_beats_defaults() {
    let (_directory, path) = file("batch_max = 1\nqueue_max = 1\nconnections_max = 1\n");
    let environment = pairs(&[("BURSAR_BATCH_MAX", "2"), ("BURSAR_QUEUE_MAX", "2"), ("BURSAR_TOKEN", "x")]);
    let config = Config::load(Some(&path), environment, pairs(&[("batch_max", "3")])).unwrap();
    let maxima = (config.batch_max, config.queue_max, config.connections_max, config.body_bytes_max);
    assert_eq!(maxima, (3, 2, 1, 8 * 1024 * 1024));
}

#[test]
fn keys_are_remembered_for_an_hour_at_least_and_thirty_days_at_most() {
    for (hours, is_fine) in [("0", false), ("1", true), ("720", true), ("721", false), ("-1", false)] {
        let config = Config::load(None, [], pairs(&[("key_hours", hours)]));
        assert_eq!(config.is_ok(), is_fine, "{hours}");
    }
}

#[test]
fn texts_are_read_as_the_option_is() {
    let flags = pairs(&[
        ("sandbox", "true"),
        ("tls_names", "bursar.test, 10.0.0.1"),
        ("log_format", "json"),
        ("journal", "postgres://localhost/bursar"),
        ("data", "/var/lib/bursar"),
    ]);
    let config = Config::load(None, [], flags).unwrap();
    assert!(config.sandbox);
    assert_eq!(config.tls_names, ["bursar.test", "10.0.0.1"]);
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.journal.as_deref(), Some("postgres://localhost/bursar"));
    assert_eq!(config.data, Path::new("/var/lib/bursar"));
    assert_eq!(config.tls_certificate, None);
}

#[test]
fn errors_say_where_the_value_came_from() {
    let check = |environment: &[(&str, &str)], flags: &[(&str, &str)], expected: &str| {
        let error = Config::load(None, pairs(environment), pairs(flags)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(&[], &[("batch_max", "many")], "flag --batch-max: expected a whole number");
    check(&[("BURSAR_SANDBOX", "maybe")], &[], "environment variable BURSAR_SANDBOX: expected true or false");
    check(&[], &[("colour", "red")], "flag colour: no such option");
    check(&[], &[("header_timeout_ms", "0")], "header_timeout_ms: must be above 0");
    check(&[], &[("tls_key", "k")], "tls_certificate and tls_key are given together or not at all");
    check(
        &[],
        &[("tls_key", "k"), ("tls_certificate", "c"), ("tls_self_signed", "true")],
        "tls_self_signed makes its own certificate: give one or the other",
    );
}

#[test]
fn a_file_with_mistakes_is_refused() {
    let check = |text: &str, expected: &str| {
        let error = from_file(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("colour = 1", "no such option: colour");
    check("batch_max = \"8192\"", "batch_max: expected integer");
    check("batch_max = ", "line 1");
    check("batch_max = -1", "invalid value");
    check("log_format = \"xml\"", "unknown variant `xml`");
    assert!(matches!(Config::load(Some(Path::new("/nonexistent")), [], []), Err(ConfigError::File { .. })));
}

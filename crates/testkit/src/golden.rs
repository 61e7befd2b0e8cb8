//! Expected text in files beside the tests.

use std::path::Path;

/// Compares with the text of a file; `UPDATE_EXPECT=1` writes the file instead.
pub fn expect_text(path: &Path, actual: &str) {
    if updating() {
        std::fs::write(path, actual).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return;
    }
    let line = expected.lines().zip(actual.lines()).take_while(|(one, other)| one == other).count();
    let show = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    panic!(
        "{}, line {}:\n  expected {}\n  got      {}\nUPDATE_EXPECT=1 rewrites it; read the difference.\n\n{actual}",
        path.display(),
        line + 1,
        show(&expected),
        show(actual),
    );
}

/// Whether expectations are being rewritten.
fn updating() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1")
}

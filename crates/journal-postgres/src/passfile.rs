//! The password file of libpq: `host:port:database:user:password`, a line each, `*` for any.

use std::path::PathBuf;

/// The first fitting line's password. A file that others may read is not used, as libpq has it.
pub(crate) fn look_up(variable: &impl Fn(&str) -> Option<String>, wanted: &[String; 4]) -> Option<Vec<u8>> {
    let path = variable("PGPASSFILE").map(PathBuf::from);
    let path = path.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".pgpass")))?;
    if !is_private(&path) {
        return None;
    }
    find(&std::fs::read_to_string(path).ok()?, wanted).map(String::into_bytes)
}

#[cfg(unix)]
fn is_private(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn is_private(path: &std::path::Path) -> bool {
    path.is_file()
}

pub(crate) fn find(text: &str, wanted: &[String; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [named @ .., password] = fields.as_slice() else { return None };
        let fits = named.len() == wanted.len()
            && named.iter().zip(wanted).all(|(named, wanted)| named == "*" || named == wanted);
        fits.then(|| password.clone())
    })
}

/// A backslash takes a colon, or another backslash, into its field.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let field = fields.last_mut().expect("there is always one");
        match letter {
            '\\' => field.extend(letters.next()),
            ':' => fields.push(String::new()),
            letter => field.push(letter),
        }
    }
    fields
}

#[cfg(test)]
mod tests;

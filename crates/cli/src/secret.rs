//! Secrets that people type or keep in files: never from a flag.

use std::io::{self, IsTerminal};
use std::path::Path;

use crate::failure::Failure;

/// From the file if there is one, a line of standard input for `-`; else asked for, without showing it.
pub(crate) fn read(file: Option<&Path>, what: &str) -> Result<String, Failure> {
    let Some(path) = file else { return ask(what) };
    let unreadable = || Failure::fault(format!("cannot read the {what} in {}", path.display()));
    let text = if path == Path::new("-") {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(unreadable())?;
        line
    } else {
        std::fs::read_to_string(path).map_err(unreadable())?
    };
    // Editors end a file with a new line; secrets do not.
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The same of a password that is to be: whoever types it does so twice.
pub(crate) fn new_password(file: Option<&Path>) -> Result<String, Failure> {
    let password = read(file, "new password")?;
    if file.is_none() && ask("new password, once more")? != password {
        return Err(Failure::Usage("these were two different passwords".to_owned()));
    }
    Ok(password)
}

/// Nobody can answer where there is no terminal.
pub(crate) fn ask(prompt: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{prompt} is asked for on a terminal, or read from a file")));
    }
    rpassword::prompt_password(format!("{prompt}: "))
        .map_err(Failure::fault(format!("cannot read the {prompt}")))
}

//! Secrets that people type or keep in files: never from a flag.

use std::io::IsTerminal;
use std::path::Path;

use crate::failure::Failure;

/// From the file if there is one; else asked for, without showing it.
pub(crate) fn password(file: Option<&Path>, prompt: &str) -> Result<String, Failure> {
    let Some(path) = file else { return ask(prompt) };
    let unreadable = format!("cannot read the password in {}", path.display());
    let password = std::fs::read_to_string(path).map_err(Failure::fault(unreadable))?;
    // Editors end a file with a new line; passwords do not.
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}

/// Nobody can answer where there is no terminal.
pub(crate) fn ask(prompt: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{prompt} is asked for on a terminal, or read from a file")));
    }
    rpassword::prompt_password(format!("{prompt}: "))
        .map_err(Failure::fault(format!("cannot read the {prompt}")))
}

//! Who signed in last: kept in a file that nobody else on the machine reads.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) url: String,
    pub(crate) organization: String,
    pub(crate) email: String,
    pub(crate) token: String,
    pub(crate) expires_at: String,
}

impl Profile {
    /// `$XDG_CONFIG_HOME/bursar/profile.json`, or below `~/.config`. None without a home.
    fn path() -> Option<PathBuf> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
        Some(folder.join("bursar").join("profile.json"))
    }

    pub(crate) fn read() -> Result<Option<Self>, Failure> {
        let Some(path) = Self::path() else { return Ok(None) };
        let unreadable = || format!("cannot read the profile in {}", path.display());
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(Failure::fault(unreadable())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::fault(unreadable())(error)),
        }
    }

    /// Replaces the one before, whole or not at all.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let path =
            Self::path().ok_or_else(|| Failure::Usage("there is no HOME to keep a profile in".to_owned()))?;
        let failed = || format!("cannot keep the profile in {}", path.display());
        let text = serde_json::to_vec_pretty(self).map_err(Failure::fault(failed()))?;
        let part = path.with_extension("part");
        let written = || {
            if let Some(folder) = path.parent() {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            // One that was left behind may be readable by others.
            _ = fs::remove_file(&part);
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&part, &path)
        };
        written().map_err(Failure::fault(failed()))
    }

    pub(crate) fn forget() -> Result<(), Failure> {
        let Some(path) = Self::path() else { return Ok(()) };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::fault(format!("cannot remove the profile in {}", path.display()))(error))
            }
            _ => Ok(()),
        }
    }
}

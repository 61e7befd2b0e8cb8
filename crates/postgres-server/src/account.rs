//! Whom the server runs as.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Accounts a server of root's may run as, the better one first.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// Another account to become, when this process is root's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    become_ids: Option<(u32, u32)>,
}

impl Account {
    /// `own` is a directory that this process has just made.
    pub(crate) fn choose(own: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        let is_root = own.metadata().is_ok_and(|it| it.uid() == 0);
        let become_ids = is_root.then(|| {
            let known = std::fs::read_to_string("/etc/passwd").expect("the accounts can be read");
            ACCOUNTS
                .iter()
                .find_map(|name| ids_of(&known, name))
                .expect("PostgreSQL refuses root, and there is neither postgres nor nobody")
        });
        Self { become_ids }
    }

    /// Gives a path to the account.
    pub(crate) fn own(self, path: &Path) {
        if let Some((user, group)) = self.become_ids {
            std::os::unix::fs::chown(path, Some(user), Some(group)).expect("root may give files away");
        }
    }

    pub(crate) fn run(self, command: &mut Command) {
        if let Some((user, group)) = self.become_ids {
            command.uid(user).gid(group);
        }
    }
}

fn ids_of(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let user = fields.nth(1)?.parse().ok()?;
        Some((user, fields.next()?.parse().ok()?))
    })
}

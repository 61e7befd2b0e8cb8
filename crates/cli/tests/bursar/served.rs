//! The binary, run as scripts run it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The operator's token on every server of these tests.
pub const TOKEN: &str = "the-operators-token-in-tests";

pub fn bursar(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bursar"));
    command.args(arguments).stdin(Stdio::null());
    for name in ["BURSAR_URL", "BURSAR_TOKEN", "BURSAR_CONFIG", "BURSAR_CA_FILE"] {
        command.env_remove(name);
    }
    // No profile of whoever runs the tests.
    command.env("XDG_CONFIG_HOME", "/nonexistent").env("BURSAR_OPERATOR_TOKEN", TOKEN);
    command
}

/// A server; killed when the test ends before it.
pub struct Served {
    pub child: Child,
    pub stdout: BufReader<ChildStdout>,
    pub url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Starts a server on a free port.
pub fn spawn(data: &Path, more: &[&str], stderr: Stdio) -> Served {
    let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    arguments.extend(more);
    let mut child = bursar(&arguments).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    Served { child, stdout, url: String::new() }
}

impl Served {
    /// Waits for the line that scripts wait for. False when the server ends first.
    pub fn listens(&mut self) -> bool {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let Some(url) = line.strip_prefix("listening on ") else {
            assert_eq!(line, "");
            return false;
        };
        self.url = url.trim_end().to_owned();
        true
    }

    pub fn terminate(&self) {
        let killed = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
    }

    /// Stops it as an operator does, and waits for its end.
    pub fn stop(self) {
        self.terminate();
        self.ends_well();
    }

    /// It was told to stop, and ends well.
    pub fn ends_well(mut self) {
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

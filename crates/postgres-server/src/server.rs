//! One cluster: made once, started, stopped, killed.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::SimpleQueryMessage;

use crate::account::Account;
use crate::{directory, programs};

/// What becomes of the server's writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Left to the operating system: for tests of logic.
    None,
    /// Synced, as in production: for tests that kill it, and for measurements.
    Synced,
}

/// A running server. Stopped and removed when the test process ends, or this is dropped.
pub struct Server {
    directory: PathBuf,
    programs: PathBuf,
    account: Account,
    port: u16,
    settings: Vec<String>,
    shell: Mutex<Option<Shell>>,
}

/// A database of its own on a server.
pub struct Database {
    server: Arc<Server>,
    name: String,
}

/// The server's parent.
struct Shell {
    child: Child,
    commands: Option<ChildStdin>,
    log: Receiver<String>,
}

const SUPERUSER: &str = "bursar";

/// Runs the server, obeys, and outlives nobody: the end of its input is the last command.
const SCRIPT: &str = r#"
"$@" &
server=$!
exec 2>/dev/null
while read -r command; do
    case $command in
        stop) kill -INT $server; wait $server; exit 0 ;;
        kill) kill -KILL $server; wait $server; exit 0 ;;
    esac
done
kill -INT $server
(sleep 5; kill -QUIT $server) &
wait $server
rm -rf "$DIRECTORY"
"#;

/// How long sessions may take to notice that their server was killed, and how often that is looked at.
const LET_GO_MAX: Duration = Duration::from_secs(30);
const LET_GO_LOOK: Duration = Duration::from_millis(10);

static SHARED: OnceLock<Arc<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Server {
    /// The server of this test process, without durability.
    pub fn shared() -> Arc<Self> {
        SHARED.get_or_init(|| Self::start(Durability::None, &[])).clone()
    }

    /// A server of one's own, with further settings as they stand in its configuration.
    pub fn start(durability: Durability, settings: &[&str]) -> Arc<Self> {
        let mut all: Vec<String> = [
            "listen_addresses=127.0.0.1",
            "max_connections=200",
            "shared_buffers=128MB",
            "lc_messages=C",
            "log_min_messages=warning",
        ]
        .map(str::to_owned)
        .to_vec();
        if durability == Durability::None {
            all.extend(["fsync=off", "full_page_writes=off", "autovacuum=off"].map(str::to_owned));
        }
        if durability == Durability::Synced {
            // After a crash every file would be synced by itself.
            all.push("recovery_init_sync_method=syncfs".to_owned());
        }
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        let server = Self::place_for(all);
        server.init();
        server.resume();
        Arc::new(server)
    }

    fn place_for(settings: Vec<String>) -> Self {
        let directory = directory::make();
        let account = Account::choose(&directory);
        account.own(&directory);
        let (programs, port) = (programs::find(), free_port());
        Self { directory, programs, account, port, settings, shell: Mutex::new(None) }
    }

    /// A copy of this one as it is now, stopped; once resumed it is on the next timeline, as a standby
    /// is that was promoted.
    pub fn promoted_copy(&self) -> Arc<Self> {
        let mut settings = self.settings.clone();
        settings.push("restore_command=false".to_owned());
        let copy = Self::place_for(settings);
        self.stop();
        let copied = self.command(Path::new("/bin/cp")).args(["-a", "data"]).arg(&copy.directory).status();
        assert!(copied.expect("cp starts").success());
        self.resume();
        fs::write(copy.data().join("recovery.signal"), "").expect("the directory is ours");
        Arc::new(copy)
    }

    /// A base backup taken while it runs, as its operator would take one; stopped.
    pub fn base_backup(&self) -> Arc<Self> {
        let copy = Self::place_for(self.settings.clone());
        let mut taking = copy.command(&self.programs.join("pg_basebackup"));
        taking.args(["--host=127.0.0.1", "--checkpoint=fast", "--no-sync", "--pgdata=data"]);
        taking.arg(format!("--port={}", self.port)).arg(format!("--username={SUPERUSER}"));
        let taken = taking.output().expect("pg_basebackup is beside the server");
        assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
        Arc::new(copy)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", &self.directory).env("LC_ALL", "C").env("PATH", "/usr/bin:/bin");
        command.current_dir(&self.directory);
        self.account.run(&mut command);
        command
    }

    fn init(&self) {
        let data = self.data();
        let output = self
            .command(&self.programs.join("initdb"))
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "-U", SUPERUSER, "-D"])
            .arg(&data)
            .output()
            .expect("initdb starts");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        // Everyone but the superuser needs a password, so that wrong ones can be tested.
        let rules = format!(
            "host all,replication {SUPERUSER} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        );
        fs::write(data.join("pg_hba.conf"), rules).expect("the directory is ours");
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// A file beside the data, owned by the server's account: certificates and keys.
    pub fn place(&self, name: &str, content: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.directory.join(name);
        fs::write(&path, content).expect("the directory is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        self.account.own(&path);
        path
    }

    /// Starts it again after [`Server::stop`] or [`Server::kill`]; same data, same port.
    pub fn resume(&self) {
        let until = Instant::now() + LET_GO_MAX;
        loop {
            let shell = self.start_shell();
            let (mut seen, mut is_ready) = (Vec::new(), false);
            while !is_ready && let Ok(line) = shell.log.recv() {
                is_ready = line.contains("database system is ready to accept connections");
                seen.push(line);
            }
            *self.shell() = Some(shell);
            if is_ready {
                return;
            }
            self.tell("kill");
            // Sessions of a server that was killed hold its memory until they notice.
            let is_held =
                seen.iter().any(|line| line.contains("shared memory block") && line.contains("in use"));
            assert!(is_held && Instant::now() < until, "the server did not start:\n{}", seen.join("\n"));
            std::thread::park_timeout(LET_GO_LOOK);
        }
    }

    /// The server's parent, and what the server says.
    fn start_shell(&self) -> Shell {
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", SCRIPT, "sh"]).arg(self.programs.join("postgres")).arg("-D").arg(self.data());
        command.arg("-p").arg(self.port.to_string()).arg("-k").arg(&self.directory);
        command.args(self.settings.iter().flat_map(|setting| ["-c", setting]));
        command.env("DIRECTORY", &self.directory);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a shell starts");
        let commands = child.stdin.take();
        let lines = BufReader::new(child.stderr.take().expect("it was piped")).lines();
        let (send, log) = channel();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(send.send(line)));
        });
        Shell { child, commands, log }
    }

    fn shell(&self) -> std::sync::MutexGuard<'_, Option<Shell>> {
        self.shell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, command: &str) {
        let Some(mut shell) = self.shell().take() else { return };
        if let Some(mut commands) = shell.commands.take() {
            writeln!(commands, "{command}").expect("the shell listens");
            drop(shell.child.wait());
        }
    }

    /// Ends all sessions and stops it.
    pub fn stop(&self) {
        self.tell("stop");
    }

    /// Kills the server process as a crash would.
    pub fn kill(&self) {
        self.tell("kill");
        // The sessions notice that it is gone by themselves.
        fs::remove_file(self.data().join("postmaster.pid")).expect("a killed server leaves it");
    }

    /// What it has written to its log since the last call.
    pub fn log(&self) -> Vec<String> {
        self.shell().as_ref().map(|shell| shell.log.try_iter().collect()).unwrap_or_default()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// A fresh empty database.
    pub fn database(self: &Arc<Self>) -> Database {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        Database { server: Arc::clone(self), name }
    }

    /// Runs statements as the superuser; the rows of all of them, as text.
    fn run(&self, database: &str, sql: &str) -> Vec<Vec<Option<String>>> {
        let config = format!("host=127.0.0.1 port={} user={SUPERUSER} dbname={database}", self.port);
        let run = async {
            let (client, connection) = tokio_postgres::connect(&config, tokio_postgres::NoTls).await?;
            let connection = tokio::spawn(connection);
            let messages = client.simple_query(sql).await?;
            drop(client);
            drop(connection.await);
            Ok::<_, tokio_postgres::Error>(messages)
        };
        // A thread of its own: whoever asks may be on a runtime already.
        let messages = std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime starts").block_on(run)
            });
            asked.join().expect("asking does not panic")
        });
        let messages = messages.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            }
            _ => None,
        });
        rows.collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is the last command.
        if let Some(mut shell) = self.shell().take() {
            drop(shell.commands.take());
            drop(shell.child.wait());
        }
        drop(fs::remove_dir_all(&self.directory));
    }
}

impl Database {
    /// The database of the same name on a copy of its server.
    pub fn on(&self, server: &Arc<Server>) -> Self {
        Self { server: Arc::clone(server), name: self.name.clone() }
    }

    /// As the superuser, who needs no password.
    pub fn url(&self) -> String {
        self.url_at(self.server.port)
    }

    /// The same behind another port: a proxy's.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{port}/{}?sslmode=disable", self.name)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// Runs statements as the superuser; the rows of all of them, as text.
    pub fn run(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.server.run(&self.name, sql)
    }

    /// The one value of a query.
    pub fn value(&self, sql: &str) -> String {
        let rows = self.run(sql);
        rows.into_iter().flatten().next().flatten().unwrap_or_else(|| panic!("{sql}: no value"))
    }

    /// Ends every session on it, whatever it is doing.
    pub fn end_sessions(&self) {
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }

    /// Ends every session on it and removes it.
    pub fn remove(&self) {
        self.server.run("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

//! Servers that fail over: three under Patroni, which keeps its state in etcd, all on loopback.
//!
//! Each program's parent is a small shell that reads from a pipe, as for a single server: when the test
//! process ends, however it ends, nothing of this is left.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::account::Account;
use crate::server::free_port;
use crate::{directory, programs};

/// Names the directory of `patroni`; without it the programs on the path are taken.
const VARIABLE: &str = "BURSAR_PATRONI_BIN";
const MISSING: &str = "the programs etcd and patroni are needed: `ci/failover/run` installs them";

/// Reads from a pipe until it closes, then kills what it started, and the server that outlived its Patroni.
const SHELL: &str = r#"
"$@" &
child=$!
cat >/dev/null
kill -KILL $child
[ -f "$PIDFILE" ] && kill -KILL $(head -n 1 "$PIDFILE")
wait
"#;

/// Far longer than anything here takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A cluster with strict synchronous replication: what was answered is on a standby, too.
pub struct Patroni {
    directory: PathBuf,
    account: Account,
    members: Vec<Member>,
    etcd: Child,
}

struct Member {
    port: u16,
    api: u16,
    configuration: PathBuf,
    data: PathBuf,
    shell: Mutex<Child>,
}

impl Patroni {
    /// Starts it, and waits until it has a leader and everybody follows.
    pub fn start(members: usize) -> Self {
        let directory = directory::make();
        let account = Account::choose(&directory);
        account.own(&directory);
        let (client, peer) = (free_port(), free_port());
        let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
        let etcd = [
            "etcd",
            "--data-dir=etcd",
            &format!("--listen-client-urls={client}"),
            &format!("--advertise-client-urls={client}"),
            &format!("--listen-peer-urls={peer}"),
            &format!("--initial-advertise-peer-urls={peer}"),
            &format!("--initial-cluster=default={peer}"),
            "--logger=zap",
        ];
        let etcd = start(&directory, account, Path::new(""), "etcd", &etcd);
        let host = client.trim_start_matches("http://");
        let members = (0..members).map(|number| Member::start(number, &directory, account, host)).collect();
        let cluster = Self { directory, account, members, etcd };
        cluster.settle();
        cluster
    }

    /// All hosts of the database, as a client gets them.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.members.iter().map(|member| format!("127.0.0.1:{}", member.port)).collect();
        format!("postgres://postgres@{}/postgres", hosts.join(","))
    }

    /// One member alone: only the true leader says what is true.
    pub fn url_of(&self, member: usize) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.members[member].port)
    }

    /// Who leads, as the cluster has it.
    pub fn leader(&self) -> usize {
        eventually(|| self.known()?.iter().position(|(role, _)| role == "leader"), "nobody leads")
    }

    /// Waits until one leads and all the others follow, one of them synchronously.
    pub fn settle(&self) {
        let is_settled = || {
            let known = self.known()?;
            let of = |wanted: &str| known.iter().filter(|(role, _)| role == wanted).count();
            let follow = known.iter().filter(|(_, state)| state == "streaming").count();
            (of("leader") == 1 && of("sync_standby") >= 1 && follow + 1 == self.members.len()).then_some(())
        };
        eventually(is_settled, "the cluster does not settle");
    }

    /// Role and state of each member, by whoever answers.
    fn known(&self) -> Option<Vec<(String, String)>> {
        let answer = self.members.iter().find_map(|member| {
            let mut answer = member.agent().get(member.address("cluster")).call().ok()?;
            serde_json::from_str::<Value>(&answer.body_mut().read_to_string().ok()?).ok()
        })?;
        let found = answer["members"].as_array()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let member = |number: usize| found.iter().find(|it| it["name"] == name(number).as_str());
        let role_and_state = |number| member(number).map(|it| (text(&it["role"]), text(&it["state"])));
        Some((0..self.members.len()).map(|number| role_and_state(number).unwrap_or_default()).collect())
    }

    /// A planned switch to another member.
    pub fn switch_over(&self) {
        let member = &self.members[self.leader()];
        let from = json!({"leader": name(self.leader())}).to_string();
        let answer = member.agent().post(member.address("switchover")).send(from);
        let status = answer.expect("the leader's Patroni answers").status();
        assert_eq!(status, 200, "the switch was refused");
    }

    /// Kills the server's processes; its Patroni stays.
    pub fn kill_server(&self, member: usize) {
        signal("KILL", &self.members[member].server());
    }

    /// The machine is gone.
    pub fn kill(&self, member: usize) {
        signal("KILL", &self.members[member].all());
    }

    /// The machine comes back after [`Patroni::kill`].
    pub fn restart(&self, member: usize) {
        let member_of = &self.members[member];
        let mut shell = member_of.shell.lock().expect("no holder of this lock panics");
        // The old shell ends what it finds running.
        end(&mut shell);
        *shell = run(&name(member), &member_of.configuration, &member_of.data, &self.directory, self.account);
    }

    /// The machine stands still, and knows nothing of it.
    pub fn freeze(&self, member: usize) {
        signal("STOP", &self.members[member].all());
    }

    pub fn thaw(&self, member: usize) {
        signal("CONT", &self.members[member].all());
    }
}

impl Drop for Patroni {
    fn drop(&mut self) {
        for member in &self.members {
            signal("KILL", &member.all());
            end(&mut member.shell.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        }
        end(&mut self.etcd);
        if std::thread::panicking() {
            eprintln!("the cluster's logs stay in {}", self.directory.display());
        } else {
            drop(fs::remove_dir_all(&self.directory));
        }
    }
}

fn name(member: usize) -> String {
    format!("member{member}")
}

impl Member {
    fn start(number: usize, directory: &Path, account: Account, etcd: &str) -> Self {
        let (port, api, name) = (free_port(), free_port(), name(number));
        let home = directory.join(&name);
        fs::create_dir(&home).expect("the directory is ours");
        account.own(&home);
        let data = home.join("data");
        let configuration = home.join("patroni.json");
        // JSON is YAML, too.
        let content = json!({
            "scope": "bursar",
            "name": name,
            "restapi": {"listen": format!("127.0.0.1:{api}"), "connect_address": format!("127.0.0.1:{api}")},
            "etcd3": {"host": etcd},
            "bootstrap": {
                "dcs": {
                    "ttl": 20,
                    "loop_wait": 2,
                    "retry_timeout": 5,
                    "primary_start_timeout": 0,
                    "synchronous_mode": true,
                    "synchronous_mode_strict": true,
                    "postgresql": {"parameters": {"max_connections": 100, "shared_buffers": "64MB"}},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}],
            },
            "postgresql": {
                "listen": format!("127.0.0.1:{port}"),
                "connect_address": format!("127.0.0.1:{port}"),
                "data_dir": data,
                "bin_dir": programs::find(),
                "pgpass": home.join("pgpass"),
                "authentication": {
                    "superuser": {"username": "postgres"},
                    "replication": {"username": "replicator"},
                    "rewind": {"username": "rewinder"},
                },
                "parameters": {"unix_socket_directories": home},
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust",
                    "local all all trust"],
                "remove_data_directory_on_diverged_timelines": true,
            },
        });
        fs::write(&configuration, content.to_string()).expect("the directory is ours");
        let shell = run(&name, &configuration, &data, directory, account);
        Self { port, api, configuration, data, shell: Mutex::new(shell) }
    }

    fn agent(&self) -> ureq::Agent {
        ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            .build()
            .into()
    }

    fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.api)
    }

    fn server(&self) -> BTreeSet<u32> {
        let text = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        let first = text.lines().next().and_then(|line| line.trim().parse().ok());
        first.map(family).unwrap_or_default()
    }

    fn all(&self) -> BTreeSet<u32> {
        let shell = self.shell.lock().unwrap_or_else(std::sync::PoisonError::into_inner).id();
        let mut all = family(shell);
        all.remove(&shell);
        // What reads from the pipe is the shell's own.
        all.retain(|process| command_of(*process) != "cat");
        all.extend(self.server());
        all
    }
}

fn run(name: &str, configuration: &Path, data: &Path, directory: &Path, account: Account) -> Child {
    let patroni = std::env::var_os(VARIABLE).map(|bin| PathBuf::from(bin).join("patroni"));
    let patroni = patroni.unwrap_or_else(|| PathBuf::from("patroni"));
    let arguments =
        [patroni.to_str().expect("paths of tests are text"), configuration.to_str().expect("so is this")];
    start(directory, account, &data.join("postmaster.pid"), name, &arguments)
}

/// Runs a program below a shell; what it says goes into a file of its name.
fn start(directory: &Path, account: Account, pidfile: &Path, name: &str, command: &[&str]) -> Child {
    let is_there =
        Command::new(command[0]).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(is_there.is_ok(), "{}: {MISSING}", command[0]);
    let log = fs::OpenOptions::new().create(true).append(true).open(directory.join(format!("{name}.log")));
    let log = log.expect("the directory is ours");
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(SHELL).arg("sh").args(command).current_dir(directory);
    shell.env_clear().env("HOME", directory).env("LC_ALL", "C").env("PIDFILE", pidfile);
    shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    shell.stdin(Stdio::piped()).stdout(log.try_clone().expect("a handle")).stderr(log);
    account.run(&mut shell);
    shell.spawn().expect("a shell starts")
}

fn end(shell: &mut Child) {
    drop(shell.stdin.take());
    _ = shell.wait();
}

fn command_of(process: u32) -> String {
    fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default().trim().to_owned()
}

/// A process and all that descend from it.
fn family(process: u32) -> BTreeSet<u32> {
    let parent = |child: u32| {
        let text = fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
        text.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pairs: Vec<(u32, u32)> = processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|child| Some((child, parent(child)?)))
        .collect();
    let mut found = BTreeSet::from([process]);
    loop {
        let more: Vec<u32> = pairs
            .iter()
            .filter(|(child, parent)| found.contains(parent) && !found.contains(child))
            .map(|(child, _)| *child)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn signal(signal: &str, processes: &BTreeSet<u32>) {
    if !processes.is_empty() {
        let ids = processes.iter().map(ToString::to_string);
        // Some may have ended meanwhile.
        _ = Command::new("kill").arg(format!("-{signal}")).args(ids).stderr(Stdio::null()).status();
    }
}

fn eventually<T>(mut look: impl FnMut() -> Option<T>, otherwise: &str) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{otherwise}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

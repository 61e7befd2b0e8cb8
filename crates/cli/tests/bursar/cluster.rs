//! Several servers on one database.

use std::path::PathBuf;
use std::process::Command;
use std::sync::RwLock;
use std::time::{Duration, Instant};

use postgres_server::Server;
use tempfile::TempDir;
use ureq::Agent;

use crate::serve;
use crate::served::{Served, TOKEN, bursar};

/// Far longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

struct Node {
    data: TempDir,
    served: Option<Served>,
}

pub(crate) struct Cluster {
    journal: String,
    /// Whether letters go into a folder of each node.
    has_mail: bool,
    nodes: RwLock<Vec<Node>>,
}

impl Cluster {
    pub(crate) fn start(count: usize) -> Self {
        Self::over(count, Server::shared().database().url())
    }

    pub(crate) fn over(count: usize, journal: String) -> Self {
        Self { journal, has_mail: false, nodes: RwLock::default() }.of(count)
    }

    pub(crate) fn with_mail(count: usize) -> Self {
        let journal = Server::shared().database().url();
        Self { journal, has_mail: true, nodes: RwLock::default() }.of(count)
    }

    fn of(self, count: usize) -> Self {
        for _ in 0..count {
            self.join();
        }
        self
    }

    /// One node more: its number.
    pub(crate) fn join(&self) -> usize {
        self.nodes.write().unwrap().push(Node { data: tempfile::tempdir().unwrap(), served: None });
        let number = count_of(self) - 1;
        self.restart(number);
        number
    }

    pub(crate) fn journal(&self) -> &str {
        &self.journal
    }

    pub(crate) fn restart(&self, node: usize) {
        let data = self.nodes.read().unwrap()[node].data.path().to_owned();
        let mut more = vec!["--journal", &self.journal, "--node-listen", "127.0.0.1:0"];
        let letters = self.letters(node);
        if self.has_mail {
            more.extend(["--mail-directory", letters.to_str().unwrap()]);
        }
        let served = serve(&data, &more);
        self.nodes.write().unwrap()[node].served = Some(served);
    }

    /// Where a node's letters go.
    pub(crate) fn letters(&self, node: usize) -> PathBuf {
        self.nodes.read().unwrap()[node].data.path().join("letters")
    }

    /// Takes the process out; whoever drops it kills it.
    pub(crate) fn remove(&self, node: usize) -> Served {
        self.nodes.write().unwrap()[node].served.take().unwrap()
    }

    pub(crate) fn url(&self, number: usize) -> Option<String> {
        let nodes = self.nodes.read().unwrap();
        nodes[number % nodes.len()].served.as_ref().map(|served| served.url.clone())
    }

    pub(crate) fn signal(&self, node: usize, signal: &str) {
        let nodes = self.nodes.read().unwrap();
        let id = nodes[node].served.as_ref().unwrap().child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// How many charges of 1 the books have of an account.
    pub(crate) fn charged(&self, account: &str) -> usize {
        let balance = bursar(&["balance", account, "--json"])
            .env("BURSAR_URL", self.url(0).unwrap())
            .env("BURSAR_TOKEN", TOKEN)
            .output()
            .unwrap();
        let balance: serde_json::Value = serde_json::from_slice(&balance.stdout).unwrap();
        let posted = balance["posted"].as_str().unwrap().trim_start_matches('-');
        posted.split('.').next().unwrap().parse().unwrap()
    }

    /// Which node says that it leads the first book, of those that are not `but`.
    pub(crate) fn leader(&self, but: Option<usize>) -> usize {
        let agent = agent(Duration::from_secs(1));
        let of_first = |text: String| {
            let books = text.lines().find_map(|line| line.strip_prefix("leading "));
            books.is_some_and(|books| books.starts_with('0'))
        };
        let leads = |node: &usize| {
            let url = self.url(*node).filter(|_| Some(*node) != but);
            let answer = url.and_then(|url| agent.get(format!("{url}/readyz")).call().ok());
            answer.is_some_and(|mut it| of_first(it.body_mut().read_to_string().unwrap()))
        };
        eventually(|| (0..count_of(self)).find(leads))
    }
}

fn count_of(cluster: &Cluster) -> usize {
    cluster.nodes.read().unwrap().len()
}

pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "it never came");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

pub(crate) fn agent(patience: Duration) -> Agent {
    Agent::config_builder().timeout_global(Some(patience)).http_status_as_error(false).build().into()
}

pub(crate) fn open_account(cluster: &Cluster, credit_limit: usize) -> String {
    open(cluster, &["--credit-limit", &credit_limit.to_string()])
}

pub(crate) fn open(cluster: &Cluster, more: &[&str]) -> String {
    let opened = bursar(&[&["account", "create", "--name", "a", "--json"], more].concat())
        .env("BURSAR_URL", cluster.url(1).unwrap())
        .env("BURSAR_TOKEN", TOKEN)
        .output()
        .unwrap();
    let opened: serde_json::Value = serde_json::from_slice(&opened.stdout).unwrap();
    opened["account"].as_str().unwrap().to_owned()
}

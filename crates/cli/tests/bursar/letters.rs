//! Mail among nodes: whoever leads the book sends what waits in it.

use std::path::PathBuf;

use ureq::Agent;

use crate::cluster::{Cluster, PATIENCE, agent, eventually};
use crate::served::{TOKEN, bursar};

const NODES: usize = 2;

fn invite(cluster: &Cluster, node: usize, whom: &str) {
    let mut command = bursar(&["invite", whom, "--role", "finance", "--json"]);
    let url = cluster.url(node).unwrap();
    let output = command.env("BURSAR_URL", url).env("BURSAR_TOKEN", TOKEN).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// To whom letters were sent, by any node.
fn sent(cluster: &Cluster) -> Vec<String> {
    let letters = |node| {
        let files = std::fs::read_dir(cluster.letters(node)).into_iter().flatten();
        let paths = files.map(|file| file.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|it| it == "eml")).collect::<Vec<PathBuf>>()
    };
    let whom = |path: PathBuf| {
        let letter = std::fs::read_to_string(path).unwrap();
        letter.lines().find_map(|line| line.strip_prefix("To: ")).unwrap().trim().to_owned()
    };
    let mut sent: Vec<String> = (0..NODES).flat_map(letters).map(whom).collect();
    sent.sort_unstable();
    sent
}

/// What the nodes that are there count together.
fn counted(cluster: &Cluster, agent: &Agent, what: &str) -> u64 {
    let count = |url| {
        let mut metrics = agent.get(format!("{url}/metrics")).call().unwrap();
        let metrics = metrics.body_mut().read_to_string().unwrap();
        metrics.lines().find_map(|line| line.strip_prefix(what)?.trim().parse::<u64>().ok()).unwrap()
    };
    (0..NODES).filter_map(|node| cluster.url(node)).map(count).sum()
}

#[test]
fn a_letter_is_sent_by_whoever_leads_also_when_its_leader_dies_before() {
    let (cluster, agent) = (Cluster::with_mail(NODES), agent(PATIENCE));
    let settled = |letters: u64| {
        eventually(|| {
            let waiting = counted(&cluster, &agent, "bursar_letters_waiting ");
            (waiting == 0 && counted(&cluster, &agent, "bursar_letters_sent_total ") == letters).then_some(())
        });
    };
    invite(&cluster, 1 - cluster.leader(None), "ann@seller.example");
    settled(1);
    assert_eq!(sent(&cluster), ["ann@seller.example"]);

    // No node can send anything, and so it waits in the book.
    for node in 0..NODES {
        std::fs::rename(cluster.letters(node), cluster.letters(node).with_extension("away")).unwrap();
    }
    invite(&cluster, 1 - cluster.leader(None), "bob@seller.example");
    eventually(|| (counted(&cluster, &agent, "bursar_letters_retried_total ") > 0).then_some(()));
    let leader = cluster.leader(None);
    let other = 1 - leader;
    std::fs::rename(cluster.letters(other).with_extension("away"), cluster.letters(other)).unwrap();
    drop(cluster.remove(leader));
    eventually(|| sent(&cluster).contains(&"bob@seller.example".to_owned()).then_some(()));
    eventually(|| (counted(&cluster, &agent, "bursar_letters_waiting ") == 0).then_some(()));

    // Who comes back finds nothing that was left to do.
    std::fs::rename(cluster.letters(leader).with_extension("away"), cluster.letters(leader)).unwrap();
    cluster.restart(leader);
    cluster.remove(other).stop();
    assert_eq!(cluster.leader(None), leader);
    invite(&cluster, leader, "eve@seller.example");
    eventually(|| (counted(&cluster, &agent, "bursar_letters_sent_total ") == 1).then_some(()));
    assert_eq!(sent(&cluster), ["ann@seller.example", "bob@seller.example", "eve@seller.example"]);
}

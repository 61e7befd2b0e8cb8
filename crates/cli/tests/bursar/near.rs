//! Nodes that follow, as processes: reads that say how old they are, and a lead that is taken over warm.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Response;

use crate::cluster::{Cluster, agent, eventually, open_account};
use crate::served::TOKEN;
use crate::told::{By, Stopping, Told};

const NODES: usize = 2;
/// Beyond it no answer is old.
const AGE_MAX: Duration = Duration::from_millis(100);

/// A GET that may be so old.
fn get(agent: &Agent, url: &str, path: &str, token: &str, age_max_ms: u64) -> (u16, Option<Duration>, Value) {
    let asked = agent
        .get(format!("{url}{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("bursar-max-age-ms", age_max_ms.to_string())
        .call();
    let mut answer: Response<_> = asked.unwrap();
    let age = answer.headers().get("bursar-age-ms").map(|age| age.to_str().unwrap().parse().unwrap());
    let body = answer.body_mut().read_to_string().unwrap();
    let body = serde_json::from_str(&body).unwrap_or(Value::Null);
    (answer.status().as_u16(), age.map(Duration::from_millis), body)
}

fn balance_of(account: &str) -> String {
    format!("/api/v1/accounts/{account}/balance")
}

/// Whole units that were charged.
fn charged(balance: &Value) -> usize {
    let posted = balance["posted"].as_str().unwrap_or_else(|| panic!("{balance}"));
    posted.trim_start_matches('-').split('.').next().unwrap().parse().unwrap()
}

/// Of the first book, at all nodes that are there.
fn counted(cluster: &Cluster, agent: &Agent, what: &str) -> u64 {
    let name = format!("bursar_{what}_total{{book=\"0\"}} ");
    let count = |url| {
        let mut metrics = agent.get(format!("{url}/metrics")).call().unwrap();
        let metrics = metrics.body_mut().read_to_string().unwrap();
        metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u64>().ok()).unwrap()
    };
    (0..NODES).filter_map(|node| cluster.url(node)).map(count).sum()
}

#[test]
fn a_read_near_by_holds_all_that_was_answered_before_the_age_it_states() {
    let cluster = Cluster::start(NODES);
    let account = open_account(&cluster, 1_000_000);
    let agent = agent(Duration::from_secs(10));
    let path = balance_of(&account);
    let told = Told::paced(Duration::from_millis(1));
    std::thread::scope(|scope| {
        scope.spawn(|| told.call(&cluster, By::Charge, &account, 0));
        let _stopping = Stopping(&told.stop);
        let (mut asked, mut near, mut last) = (0, 0, [0; NODES]);
        eventually(|| {
            // Who leads may change meanwhile, and answers without an age.
            asked += 1;
            let node = asked % NODES;
            let begun = Instant::now();
            let (status, age, balance) = get(&agent, &cluster.url(node)?, &path, TOKEN, 60_000);
            assert_eq!(status, 200, "{balance}");
            let age = age?;
            assert!(age <= AGE_MAX, "{age:?}");
            let before = begun.checked_sub(age).unwrap();
            let known = told.done_before(before);
            let seen = charged(&balance);
            assert!(seen >= known, "{seen} charges at an age of {age:?}, and {known} were answered before");
            assert!(seen >= last[node], "a follower does not go back");
            (near, last[node]) = (near + 1, seen);
            (near >= 100).then_some(())
        });
        assert!(last.iter().any(|seen| *seen > 0), "charges were seen to come");
    });
    let answered = told.done_before(Instant::now());
    for node in 0..NODES {
        let (_, age, balance) = get(&agent, &cluster.url(node).unwrap(), &path, TOKEN, 0);
        assert_eq!((age, charged(&balance)), (None, answered), "what may not be old is asked of the leader");
    }
}

#[test]
fn a_credential_that_was_revoked_is_refused_near_by_within_a_tenth_of_a_second() {
    let cluster = Cluster::start(NODES);
    let account = open_account(&cluster, 10);
    let agent = agent(Duration::from_secs(10));
    let path = balance_of(&account);
    let anywhere = cluster.url(0).unwrap();
    for _ in 0..5 {
        let mut issued = agent
            .post(format!("{anywhere}/api/v1/organizations/default/tokens"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .send(json!({"role": "owner"}).to_string())
            .unwrap();
        let issued: Value = serde_json::from_str(&issued.body_mut().read_to_string().unwrap()).unwrap();
        let (token, id) = (issued["token"].as_str().unwrap(), issued["id"].as_str().unwrap());
        let mut asked = 0;
        let mut ask = || {
            asked += 1;
            let url = cluster.url(asked % NODES).unwrap();
            get(&agent, &url, &path, token, 1_000)
        };
        eventually(|| {
            // One that is not known near by yet is known to the leader.
            let (status, age, body) = ask();
            assert_eq!(status, 200, "{body}");
            age
        });
        let revoked = agent
            .delete(format!("{anywhere}/api/v1/tokens/{id}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .call()
            .unwrap();
        assert_eq!(revoked.status(), 204);
        let since = Instant::now();
        let mut refused = 0;
        eventually(|| {
            let begun = Instant::now();
            let (status, age, body) = ask();
            assert!(status == 401 || begun <= since + AGE_MAX, "{status} at an age of {age:?}: {body}");
            refused += usize::from(status == 401);
            (refused >= 2 * NODES).then_some(())
        });
    }
}

#[test]
fn whoever_followed_takes_over_warm_when_the_leader_dies() {
    let cluster = Cluster::start(NODES);
    let account = open_account(&cluster, 1_000_000);
    let agent = agent(Duration::from_secs(10));
    let told = Told::paced(Duration::from_millis(1));
    std::thread::scope(|scope| {
        for caller in 0..3 {
            let (told, cluster, account) = (&told, &cluster, account.as_str());
            scope.spawn(move || told.call(cluster, By::Charge, account, caller));
        }
        let _stopping = Stopping(&told.stop);
        told.more(50);
        let path = balance_of(&account);
        let (leader, here) = eventually(|| {
            let leader = cluster.leader(None);
            let here = cluster.url(1 - leader)?;
            get(&agent, &here, &path, TOKEN, 100).1.map(|_| (leader, here))
        });
        drop(cluster.remove(leader));
        let takeovers = || ["takeovers", "warm_takeovers"].map(|what| counted(&cluster, &agent, what));
        let before = takeovers();
        // Nobody leads for a while: what may be old is answered meanwhile.
        let begun = Instant::now();
        let (status, age, _) = get(&agent, &here, &path, TOKEN, 100);
        assert_eq!(status, 200);
        println!("a read near by after {:?}, {age:?} old", begun.elapsed());
        println!("a charge after {:?}", told.probe(&cluster, &account, leader));
        assert_eq!(takeovers(), before.map(|count| count + 1), "it was followed before");
        told.more(50);
        cluster.restart(leader);
    });
    told.holds(&cluster, &account, cluster.journal());
}

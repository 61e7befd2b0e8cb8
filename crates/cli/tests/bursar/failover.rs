//! The database itself fails over, under load: Patroni, strict synchronous replication.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use postgres_server::Patroni;

use crate::cluster::{Cluster, open_account};
use crate::told::{By, Stopping, Told};

const CALLERS: usize = 4;
/// Longer than it takes until a frozen leader's lease is over, and another leads.
const FROZEN: Duration = Duration::from_secs(30);

#[test]
#[ignore = "needs etcd and Patroni, and two minutes: ci/failover/run"]
fn answered_charges_outlive_every_failover_of_the_database() {
    let database = Patroni::start(3);
    let nodes = Cluster::over(2, database.url());
    let account = open_account(&nodes, 1_000_000);
    // Minutes of charges, each of which is asked for again in the end.
    let told = Told::paced(Duration::from_millis(20));
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (told, nodes, account) = (&told, &nodes, account.as_str());
            scope.spawn(move || told.call(nodes, By::Charge, account, caller));
        }
        let _stopping = Stopping(&told.stop);
        let gap = |what: &str, begun: Instant| {
            told.more(CALLERS + 1);
            println!("{what}: charges are answered again after {:.1?}", begun.elapsed());
        };
        told.more(50);

        let begun = Instant::now();
        database.switch_over();
        gap("planned switch", begun);
        database.settle();
        told.more(50);

        let (begun, leader) = (Instant::now(), database.leader());
        database.kill_server(leader);
        gap("server killed", begun);
        database.settle();
        told.more(50);

        let (begun, leader) = (Instant::now(), database.leader());
        database.kill(leader);
        gap("machine gone", begun);
        database.restart(leader);
        database.settle();
        told.more(50);

        let (begun, leader) = (Instant::now(), database.leader());
        database.freeze(leader);
        gap("machine frozen", begun);
        std::thread::park_timeout(FROZEN.saturating_sub(begun.elapsed()));
        database.thaw(leader);
        told.more(50);
        database.settle();
        assert_ne!(database.leader(), leader, "who woke up does not lead");
    });
    println!("{} charges were answered", told.done.load(Ordering::SeqCst));
    // Who leads is asked of the cluster: a list of hosts might be verified against one that woke up.
    told.holds(&nodes, &account, &database.url_of(database.leader()));
}

use journal::{Journal, conformance};
use journal_postgres::Database;

use super::Shape;
use super::cluster::Cluster;
use super::genesis::open;
use super::node::{hosts, options};
use super::witness::Witness;
use super::world::{Shared, World};
use crate::sql::Tables;

fn database() -> Shared {
    let shape =
        Shape { nodes: 1, clients: 0, micros: 0, is_asynchronous: false, is_replaced: false, follows: false };
    let world = Shared::new(World::new(0, shape, Cluster::new(&Tables::default()), Witness::default()));
    Database::over(hosts(&world, 0), options()).unwrap().init([1; 16], 1).unwrap();
    world
}

#[test]
fn the_journal_keeps_every_promise_over_the_simulated_database() {
    conformance::run(|| {
        let world = database();
        Box::new(move || Box::new(open(&world).unwrap()) as Box<dyn Journal>)
    });
    let world = database();
    conformance::vault(move || open(&world).unwrap().vault());
}

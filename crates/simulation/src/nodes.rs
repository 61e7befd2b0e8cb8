//! Several nodes over one database and network that fail, everything from one seed.
//!
//! Nodes run the server's own code: rows and watch of who leads, connector, journal with its statements,
//! book, engine. A statement goes over a network to a host, and whoever waits for it gives way (`task`);
//! meanwhile everything else happens, in virtual time.
//!
//! | what happens | what is checked |
//! |---|---|
//! | statements and replies delayed, lost, cut off; an insert that arrives when its writer gave up | what is acknowledged is in the journal, once |
//! | a fail-over, a primary that does not know that it was replaced, waits that are cancelled | nothing acknowledged is lost |
//! | nodes paused, crashed, restarted, with clocks apart; rows of who leads that lie | two may believe that they lead; one appends, and only it answers |
//! | clients that retry under one key, at any node | one effect, and one answer |
//! | reads and refusals | true at a moment between question and answer (`witness`) |
//! | reads that may be old, of nodes that follow | true at a moment not before the one that is stated |
//! | an asynchronous standby that loses the end | whoever knew it stops aloud; nothing is answered from what was lost |
//! | another copy of the journal behind the same names, adopted as one of its own | nobody answers from it |
//! | in the end | somebody answers; the journal opens again with the state that was witnessed |
//!
//! Left out: forwarding from node to node, which repeats what clients do here; migrations.

mod client;
mod cluster;
mod delivery;
mod following;
mod genesis;
mod life;
mod message;
mod node;
mod serving;
mod session;
mod task;
mod trouble;
mod witness;
mod world;

#[cfg(test)]
mod tests;

use life::Life;
use world::{Micros, SECOND};

use crate::Random;

/// What a life is made of.
#[derive(Clone, Copy, Debug)]
struct Shape {
    nodes: usize,
    clients: usize,
    /// How long there is trouble.
    micros: Micros,
    is_asynchronous: bool,
    /// In the end another copy of the journal stands behind the hosts' names.
    is_replaced: bool,
    /// Nodes keep a state of the book while another leads.
    follows: bool,
}

impl Shape {
    fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        Self {
            nodes: 2 + random.below(3) as usize,
            clients: 2 + random.below(3) as usize,
            micros: 4 * SECOND + random.below(4 * SECOND),
            is_asynchronous: random.one_in(5),
            is_replaced: random.one_in(8),
            follows: !random.one_in(3),
        }
    }

    fn is_troubled(&self, now: Micros) -> bool {
        now < self.micros
    }
}

macro_rules! story {
    ($($name:ident),+ $(,)?) => {
        /// What a life came to.
        #[derive(Clone, Copy, Debug, Default)]
        pub struct Story {
            $(pub $name: u64,)+
            /// How the hash of the last group begins.
            pub chain: u64,
        }

        impl Story {
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }

            /// How often each thing happened.
            pub fn counts(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),+]
            }
        }
    };
}

story! {
    events, attempts, done, repeated, rejected, reads, given_up, takeovers, from_snapshot, fenced, history_lost,
    unknown, faults, pauses, crashes, partitions, fail_overs, ended_waits, lies, usurpers, losses, walls, replaced,
    warm, near, dropped,
}

/// Lives one life; the first thing that is not as it must be ends it.
pub fn run(seed: u64) -> Result<Story, String> {
    let lived = std::panic::catch_unwind(|| Life::begin(seed, Shape::of(seed))?.live());
    match lived {
        Ok(lived) => lived.map_err(|error| format!("seed {seed}, {error}")),
        Err(_) => Err(format!("seed {seed}, a bug ended a task: see above")),
    }
}

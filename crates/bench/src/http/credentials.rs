//! What a signed charge costs by the credential that signs it: the first one, and those after it. One caller,
//! every charge durable.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::server::Server;
use super::wire::Connection;
use crate::workload::median;

#[derive(clap::Args)]
pub struct Arguments {
    /// Charges of each credential and round.
    #[arg(long, default_value_t = 3_000)]
    requests: usize,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

const CHOSEN: &str = "Chosen1234";

pub fn run(arguments: &Arguments) {
    let server = Server::start();
    let mut seller = server.connect();
    let ways = [Way::Token, Way::Made, Way::Scoped, Way::Chosen];
    let (mut first, mut after) = ([const { Vec::new() }; 4], [const { Vec::new() }; 4]);
    for _ in 0..arguments.rounds {
        // A fresh account each round, whose chosen secret nobody has proved yet.
        for (place, way) in ways.into_iter().enumerate() {
            let (account, authorization) = way.open(&mut seller);
            let mut caller = Connection::open_as(server.address, &authorization);
            first[place].push(charge(&mut caller, &account).as_secs_f64());
            let latencies = (0..arguments.requests).map(|_| charge(&mut caller, &account).as_secs_f64());
            after[place].push(median(latencies.collect()));
        }
    }
    let token = median(after[0].clone());
    for ((way, first), after) in ways.into_iter().zip(first).zip(after) {
        let (first, after) = (median(first), median(after));
        println!(
            "credentials: {}: first charge {:.0} µs, then p50 {:.0} µs, {:.2} × that of a token",
            way.name(),
            first * 1e6,
            after * 1e6,
            after / token
        );
    }
}

#[derive(Clone, Copy)]
enum Way {
    /// The seller's.
    Token,
    /// An account's, made here.
    Made,
    /// The same, held to an amount a day.
    Scoped,
    /// Somebody's own choice: hashed slowly.
    Chosen,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Token => "a token",
            Self::Made => "a secret made here",
            Self::Scoped => "one with an amount a day",
            Self::Chosen => "a secret of one's own choice",
        }
    }

    /// An account, and what signs for it.
    fn open(self, seller: &mut Connection) -> (String, String) {
        let opened = seller.post("/api/v1/accounts", br#"{"credit_limit":"1000000000"}"#);
        assert_eq!(opened.status, 201, "{}", opened.text());
        let (account, made) = (opened.field("api_key").to_owned(), opened.field("secret").to_owned());
        let mut add = |body: &str| {
            let added = seller.post(&format!("/api/v1/accounts/{account}/secrets"), body.as_bytes());
            assert_eq!(added.status, 201, "{}", added.text());
            if body.contains(CHOSEN) { CHOSEN.to_owned() } else { added.field("secret").to_owned() }
        };
        let secret = match self {
            Self::Token => return (account, super::server::BEARER.to_owned()),
            Self::Made => made,
            Self::Scoped => {
                add(r#"{"scope":{"limits":[{"counts":["charge"],"amount":"1000000000","period":"day"}]}}"#)
            }
            Self::Chosen => add(&format!(r#"{{"secret":"{CHOSEN}"}}"#)),
        };
        let basic = STANDARD.encode(format!("{account}:{secret}"));
        (account, format!("Basic {basic}"))
    }
}

fn charge(caller: &mut Connection, account: &str) -> Duration {
    let path = format!("/api/v1/accounts/{account}/charges");
    let started = Instant::now();
    let answer = caller.post(&path, br#"{"amount":"0.0012","product":"tokens","quantity":"17"}"#);
    assert_eq!(answer.status, 201, "{}", answer.text());
    started.elapsed()
}

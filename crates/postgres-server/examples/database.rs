//! A database for a script: prints its URL, and is there until standard input ends.

use std::io::{copy, sink, stdin};

use postgres_server::{Durability, Server};

fn main() -> std::io::Result<()> {
    let database = Server::start(Durability::None, &[]).database();
    println!("{}", database.url());
    copy(&mut stdin(), &mut sink()).map(drop)
}

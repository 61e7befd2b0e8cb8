//! A server that is killed again and again while it charges: nothing answered is lost, nothing is there
//! twice, and a repeated key is answered as it was the first time.
//!
//! What is random (`BURSAR_SEED` repeats it, as far as a race can be): who does what, and after how many
//! answers the server is killed. Sometimes it is killed before it has said that it listens.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod client;
mod random;
#[path = "../bursar/served.rs"]
mod served;
mod story;

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use client::Client;
use random::Random;
use served::{Served, bursar, spawn};
use story::Story;

const KILLS: usize = 100;
const CONNECTIONS: usize = 6;
/// One life in so many ends before it is listening.
const STILLBORN: u64 = 10;

#[test]
fn kill_9_loses_nothing_and_doubles_nothing() {
    let seed = std::env::var("BURSAR_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(KILLS));
    println!("BURSAR_SEED={seed}");
    let mut random = Random(seed);
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");

    let first = start(directory.path(), &data);
    let story = Story::new(&Client::new(&first.url), seed);
    drop(first);

    for _ in 0..KILLS {
        if random.below(STILLBORN) == 0 {
            // Dropping kills, at whatever point of its start it is.
            drop(spawn(&data, &[], log(directory.path())));
            continue;
        }
        let served = start(directory.path(), &data);
        live(served, &story, random.next(), 1 + random.below(400));
    }

    let last = start(directory.path(), &data);
    let client = Client::new(&last.url);
    story.finish(&client);
    story.check(&client);
    last.stop();
    let verified = bursar(&["verify", "--data", data.to_str().unwrap()]).output().unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));
    println!("{}{KILLS} kills", story.tally());
    print!("{}", String::from_utf8_lossy(&verified.stdout));
}

/// Load from several connections, and SIGKILL after so many answers.
fn live(mut served: Served, story: &Story, seed: u64, answers_until_killed: u64) {
    let (answered, answers) = channel();
    let killed = AtomicBool::new(false);
    thread::scope(|scope| {
        for connection in 0..CONNECTIONS as u64 {
            let answered = answered.clone();
            let (url, killed) = (&served.url, &killed);
            scope.spawn(move || {
                let client = Client::new(url);
                let mut random = Random(seed ^ (connection << 32));
                while story.step(&client, &mut random).is_some() {
                    _ = answered.send(());
                }
                assert!(killed.load(Ordering::SeqCst), "a living server lost a request");
            });
        }
        drop(answered);
        // Fewer, if the server were to end by itself: then the assertion below says so.
        answers.iter().take(answers_until_killed as usize).for_each(drop);
        assert!(served.child.try_wait().unwrap().is_none(), "the server ended by itself");
        killed.store(true, Ordering::SeqCst);
        served.child.kill().unwrap();
        served.child.wait().unwrap();
    });
}

fn start(directory: &Path, data: &Path) -> Served {
    let mut served = spawn(data, &[], log(directory));
    if !served.listens() {
        let log = std::fs::read_to_string(directory.join("log")).unwrap();
        panic!("the server did not start again:\n{log}");
    }
    served
}

fn log(directory: &Path) -> Stdio {
    File::options().create(true).append(true).open(directory.join("log")).unwrap().into()
}

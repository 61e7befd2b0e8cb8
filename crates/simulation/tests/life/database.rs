//! The same lives over a real PostgreSQL, whose sessions are ended and whose server is killed under them.

use std::sync::Arc;
use std::thread::{JoinHandle, spawn};

use journal::Vault;
use journal_postgres::{Background, EraLimit, Options, PostgresJournal, Url};
use postgres_server::{Database, Server};
use simulation::Random;
use simulation::life::{self, Ground, Story};

struct Postgres {
    database: Arc<Database>,
    trouble: Option<JoinHandle<()>>,
}

fn connect(database: &Database) -> Result<journal_postgres::Database, String> {
    let url = Url::parse(&database.url(), |_| None).map_err(|error| error.to_string())?;
    let options = Options {
        cache_bytes: 64 * 1024,
        era: EraLimit { groups: 40, bytes: 1 << 40 },
        background: Background::Inline,
        ..Options::default()
    };
    journal_postgres::Database::connect(&url, options).map_err(|error| error.to_string())
}

impl Postgres {
    fn new(server: &Arc<Server>) -> Result<Self, String> {
        let database = Arc::new(server.database());
        connect(&database)?.init([7; 16], 1).map_err(|error| error.to_string())?;
        Ok(Self { database, trouble: None })
    }
}

fn restart(database: &Database) {
    database.server().kill();
    database.server().resume();
}

impl Ground for Postgres {
    type Journal = PostgresJournal;

    fn open(&mut self) -> Result<(Self::Journal, Arc<dyn Vault>), String> {
        let journal = connect(&self.database)?.open(0).map_err(|error| error.to_string())?;
        let vault = journal.vault();
        Ok((journal, vault))
    }

    fn crash(&mut self, random: &mut Random) {
        self.repair();
        match random.one_in(4) {
            true => restart(&self.database),
            false => self.database.end_sessions(),
        }
    }

    /// Before, or at some moment while the group is appended.
    fn trouble(&mut self, random: &mut Random) {
        let database = self.database.clone();
        match random.below(12) {
            0..=4 => database.end_sessions(),
            5..=10 => {
                let later = format!("SELECT pg_sleep({}e-6)", random.below(2_000));
                self.trouble = Some(spawn(move || {
                    database.run(&later);
                    database.end_sessions();
                }));
            }
            _ => self.trouble = Some(spawn(move || restart(&database))),
        }
    }

    fn repair(&mut self) {
        if let Some(trouble) = self.trouble.take() {
            trouble.join().expect("the database is there");
        }
    }

    fn background(&mut self, _: &mut Self::Journal) -> bool {
        false
    }
}

#[test]
fn over_a_database_as_over_files() {
    let lives = std::env::var("DATABASE_LIVES").map_or(6, |it| it.parse().expect("a number"));
    let total = std::sync::Mutex::new(Story::default());
    // A server each: one life's trouble is none of another's.
    let lived = simulation::run_all(0..lives, |seed| {
        let server = Server::start(postgres_server::Durability::None, &[]);
        let story = life::run_on(Postgres::new(&server)?, seed, 120)?;
        total.lock().unwrap().add(&story);
        Ok(())
    });
    lived.unwrap_or_else(|failure| panic!("{failure}"));
    let total = total.into_inner().unwrap();
    println!("{lives} lives over a database: {total:?}");
    let Story { power_losses, restarts_from_snapshot, repeats, clock_refusals, .. } = total;
    for count in [power_losses, restarts_from_snapshot, repeats, clock_refusals] {
        assert!(count > lives / 2, "everything that can happen happens: {total:?}");
    }
}

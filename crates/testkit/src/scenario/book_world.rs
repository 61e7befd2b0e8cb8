//! A book with its journal, its clock and its own thread.

use engine::{Clock, Outcome};
use ledger::{AccountIndex, AllocationWay};

use super::World;
use super::cast::{Cast, outcome};
use super::cell::{Column, show, show_total};
use super::step::{Line, Step};
use crate::{TestAccount, TestBook};

pub struct BookWorld {
    pub book: TestBook,
    cast: Cast,
}

impl World for BookWorld {
    async fn open() -> Self {
        Self::of(TestBook::new().await)
    }

    async fn act(&mut self, line: &Line) -> String {
        if let Step::Wait { secs } = line.step {
            self.book.clock.advance_secs(secs);
            return "ok".to_owned();
        }
        let (actor, act) = (self.cast.actor(line), self.cast.act(&line.step, self.book.clock.now()));
        match self.book.submit(actor, act).await {
            Outcome::Done(receipt) => {
                self.cast.note(&line.step, &receipt.event);
                "ok".to_owned()
            }
            Outcome::Rejected(rejection) => outcome(&rejection),
            other => panic!("{line:?}: {other:?}"),
        }
    }

    async fn cell(&mut self, column: &Column) -> Option<String> {
        let Some(account) = self.cast.of_column(column) else { return Some(String::new()) };
        let column = column.clone();
        let shown = self.book.engine.read(move |ledger, now| {
            if column.is_total() { show_total(ledger, account) } else { show(ledger, account, &column, now) }
        });
        Some(shown.await.expect("the book runs"))
    }
}

impl BookWorld {
    /// A world of a book that was just made.
    pub fn of(book: TestBook) -> Self {
        let cast = Cast::new(book.organization, book.operator(), Some(book.seals().clone()));
        Self { book, cast }
    }

    /// The same world after its book was closed and opened again.
    pub(super) fn reopened(self) -> Self {
        Self { book: self.book.reopened(), ..self }
    }

    /// Who does a step; None is the seller.
    pub fn doer<'a>(&'a self, line: &'a Line) -> Option<&'a str> {
        self.cast.doer(line)
    }

    /// Whose limit an allocation changes, and which way.
    pub fn allocation<'a>(&self, from: &'a str, to: &'a str) -> (&'a str, AllocationWay) {
        self.cast.allocation(from, to)
    }

    /// The account of a name.
    pub fn account(&self, name: &str) -> Option<AccountIndex> {
        self.cast.player(name).map(|player| player.account)
    }

    /// Takes in an account that was opened by other means than a step.
    pub fn join(&mut self, name: &str, parent: Option<&String>, account: &TestAccount) {
        self.cast.join(name, parent, account.index, account.actor);
    }
}

//! A book on files that is closed and opened again after every step.

use super::World;
use super::book_world::BookWorld;
use super::cell::Column;
use super::step::Line;
use crate::TestBook;

/// What a step left is what a start finds, to the byte.
pub struct ReopenedWorld {
    /// None only while it is closed.
    inner: Option<BookWorld>,
}

impl World for ReopenedWorld {
    async fn open() -> Self {
        Self { inner: Some(BookWorld::of(TestBook::on_files().await)) }
    }

    async fn act(&mut self, line: &Line) -> String {
        let mut world = self.inner.take().expect("it is open");
        let outcome = world.act(line).await;
        let before = world.book.digest().await;
        let world = self.inner.insert(world.reopened());
        assert_eq!(world.book.digest().await, before, "the state after a restart, after {line:?}");
        outcome
    }

    async fn cell(&mut self, column: &Column) -> Option<String> {
        self.inner.as_mut().expect("it is open").cell(column).await
    }
}

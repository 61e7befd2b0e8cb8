//! Code that waits, on one thread: a task has a stack of its own and gives way where it waits.
//!
//! What runs in a task is the server's own code, which knows nothing of this: it calls a session or a
//! pause, and returns from there when virtual time has come so far. Dropping a task ends it where it
//! stands, as a crash does.

use std::cell::{Cell, RefCell};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, Yielder};

pub type TaskId = u64;

pub struct Task {
    pub node: usize,
    coroutine: Option<Coroutine<(), (), (), DefaultStack>>,
}

const STACK_BYTES: usize = 512 * 1024;

thread_local! {
    static CURRENT: Cell<Option<(TaskId, *const Yielder<(), ()>)>> = const { Cell::new(None) };
    /// Mapping one is a system call, and lives are many.
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

impl Task {
    pub fn new(id: TaskId, node: usize, work: Box<dyn FnOnce() + Send>) -> Self {
        let stack = STACKS.with_borrow_mut(Vec::pop);
        let stack =
            stack.unwrap_or_else(|| DefaultStack::new(STACK_BYTES).expect("there is memory for a stack"));
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
            CURRENT.set(Some((id, std::ptr::from_ref(yielder))));
            work();
        });
        Self { node, coroutine: Some(coroutine) }
    }

    /// Runs it until it waits again; false, when it is done.
    pub fn resume(&mut self) -> bool {
        let Some(coroutine) = &mut self.coroutine else { return false };
        coroutine.resume(());
        CURRENT.set(None);
        !coroutine.done()
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(mut coroutine) = self.coroutine.take() {
            coroutine.force_unwind();
            CURRENT.set(None);
            STACKS.with_borrow_mut(|stacks| stacks.push(coroutine.into_stack()));
        }
    }
}

/// The task that runs; none, where nothing waits and everything is answered at once.
pub fn current() -> Option<TaskId> {
    CURRENT.get().map(|(id, _)| id)
}

/// Gives way until somebody wakes this task. It may be woken for nothing.
pub fn give_way() {
    let (id, yielder) = CURRENT.get().expect("only tasks wait");
    // SAFETY: the yielder lives on the stack of the running task, below this frame, and only that task's
    // own code gets here: `resume` forgets it when the task has given way.
    #[expect(unsafe_code, reason = "the yielder cannot be handed through the code under test")]
    let yielder_ref = unsafe { &*yielder };
    yielder_ref.suspend(());
    CURRENT.set(Some((id, yielder)));
}

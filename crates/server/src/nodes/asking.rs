//! One request, asked of whoever leads its book until it is answered.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::middleware;
use axum::response::Response;
use dialect::{Arrival, Once, Undecided};
use engine::{BookNumber, Unavailable};
use tokio::sync::watch::Receiver;
use tokio::time::{timeout, timeout_at};

use super::attempts::{Attempts, Next, Tried};
use super::envelope::{prepare, received, sealed};
use super::forward::{Front, Place, RECOGNIZE, answer_here};
use super::kept::{Kept, whole};
use super::once::{is_repeatable, is_repeatable_here};
use super::peers::{Lost, Peers};
use super::{Led, Role};
use crate::wiring::unavailable;

/// Before the same leader is tried again.
const AGAIN: Duration = Duration::from_millis(50);

impl Front {
    /// Asks whoever leads the book, here or elsewhere.
    pub(super) async fn ask(
        &self,
        book: BookNumber,
        mut parts: Parts,
        body: Bytes,
        until: Instant,
    ) -> Response {
        let is_repeatable = is_repeatable(&mut parts) || parts.uri.path() == RECOGNIZE;
        let mut asking = self.asking(book, parts, body, is_repeatable, until);
        let tried = asking.leader().await;
        asking.until_answered(tried).await
    }

    /// By the dialects over a book that is led here; should it stop under the request, by whoever leads it next.
    pub(super) async fn answer_led(
        &self,
        book: BookNumber,
        request: Request,
        dialects: middleware::Next,
    ) -> Response {
        let until = self.until();
        let (mut parts, body) = request.into_parts();
        if !is_repeatable_here(&mut parts) {
            return dialects.run(Request::from_parts(parts, body)).await;
        }
        let once = parts.extensions.get::<Once>().cloned();
        let (kept, body) = Kept::keeping(body);
        // Without what finding the way here has left in it.
        let mut again = Request::new(()).into_parts().0;
        (again.method, again.uri) = (parts.method.clone(), parts.uri.clone());
        again.headers = parts.headers.clone();
        let arrival = Arrival { once: once.clone(), ..Arrival::current() };
        let answer = arrival.around(dialects.run(Request::from_parts(parts, body))).await;
        if !is_undecided(&answer) {
            return answer;
        }
        let Some(body) = kept.whole() else { return answer };
        prepare(&mut again, &Arrival::current());
        if let Some(once) = once {
            again.extensions.insert(once);
        }
        self.asking(book, again, body, true, until).until_answered(Tried::Undecided(answer)).await
    }

    fn asking(
        &self,
        book: BookNumber,
        parts: Parts,
        body: Bytes,
        is_repeatable: bool,
        until: Instant,
    ) -> Asking<'_> {
        let Place { role, standing, .. } = self.place(book);
        standing.forwarded.fetch_add(1, Ordering::Relaxed);
        let attempts = Attempts::new(is_repeatable, Instant::now(), until);
        Asking { peers: &self.peers, role: role.clone(), book, parts, body, attempts, until }
    }
}

struct Asking<'a> {
    peers: &'a Peers,
    role: Receiver<Role>,
    book: BookNumber,
    parts: Parts,
    body: Bytes,
    attempts: Attempts,
    until: Instant,
}

impl Asking<'_> {
    async fn until_answered(mut self, mut tried: Tried<Response>) -> Response {
        loop {
            tried = match self.attempts.next(tried, Instant::now()) {
                Next::Answer(answer) => return answer,
                Next::Ask(node) => self.node(&node).await,
                Next::Again => {
                    _ = timeout(AGAIN, self.role.changed()).await;
                    self.leader().await
                }
                Next::Unknown => return unavailable(self.parts.uri.path(), Unavailable::Unknown),
                Next::Leaderless => {
                    let nobody = Unavailable::Stopped("no node leads right now".into());
                    return unavailable(self.parts.uri.path(), nobody);
                }
            };
        }
    }

    async fn leader(&mut self) -> Tried<Response> {
        let role = self.role.borrow_and_update().clone();
        match role {
            Role::Leading(led) => self.here(&led).await,
            Role::Following(leader) => self.node(&leader).await,
            Role::Leaderless => Tried::NotDone,
        }
    }

    async fn here(&self, led: &Led) -> Tried<Response> {
        let request = Request::from_parts(self.parts.clone(), Body::from(self.body.clone()));
        let arrival = Arrival { once: self.parts.extensions.get().cloned(), ..Arrival::current() };
        let answer = arrival.around(answer_here(led.bare.clone(), led, request));
        match timeout_at(self.until.into(), answer).await {
            Ok(answer) if is_undecided(&answer) => Tried::Undecided(answer),
            Ok(answer) => Tried::Answered(answer),
            Err(_) => Tried::InDoubt,
        }
    }

    /// Given up when another node is known to lead: the one that was asked may be frozen for long.
    async fn node(&mut self, node: &str) -> Tried<Response> {
        let Some(request) = sealed(self.book, &self.parts, &self.body, self.until) else {
            return Tried::NotDone;
        };
        let replaced = self.role.wait_for(|role| match role {
            Role::Following(now) => now != node,
            Role::Leading(_) => true,
            Role::Leaderless => false,
        });
        let answer = async {
            let answer = self.peers.send(node, request).await?;
            if self.attempts.is_repeatable { whole(answer).await } else { Ok(answer) }
        };
        let answer = tokio::select! {
            answer = answer => answer,
            _ = replaced => Err(Lost::Unknown),
            () = tokio::time::sleep_until(self.until.into()) => Err(Lost::Unknown),
        };
        match answer {
            Ok(answer) => received(answer),
            Err(Lost::NotSent) => Tried::NotDone,
            Err(Lost::Unknown) => Tried::InDoubt,
        }
    }
}

fn is_undecided(answer: &Response) -> bool {
    answer.extensions().get::<Undecided>().is_some()
}

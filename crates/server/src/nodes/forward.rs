//! From the node a request came to, to the one that decides.
//!
//! A request is asked again only where that cannot do it twice: it changes nothing, it has a name (`once.rs`),
//! or the leader certainly never saw it (`attempts.rs`).
//!
//! The operator acts in books that do not know it: the first book recognizes it, and the others take the word
//! of the node that asked there. Nothing that a client sends says so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use access::Placement;
use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use dialect::{Arrival, Operator, Problem};
use dialect_native::{BodySaysIt, operated};
use engine::{BookNumber, Unavailable};
use tokio::sync::watch::Receiver;
use tokio::time::timeout;
use tower::Service;

use super::envelope::{addressed, misdirected, opened, prepare, returned};
use super::feeding::Interest;
use super::follow::Near;
use super::peers::Peers;
use super::{Led, Role, Standing};
use crate::listen::Surrounding;
use crate::wiring::{unavailable, whose};

/// On the node port: whether the headers are the operator's.
pub(super) const RECOGNIZE: &str = "/recognize-operator";
/// So much sooner than the caller's own limit, so that an answer can still be given.
const MARGIN: Duration = Duration::from_millis(250);

/// Where all requests come in.
pub(super) struct Front {
    pub(super) placement: Placement,
    /// By the number of the book.
    pub(super) places: Vec<Place>,
    pub(super) peers: Peers,
    pub(super) timeout: Duration,
    pub(super) interest: Arc<Interest>,
}

/// A book, as requests find it here.
pub(super) struct Place {
    pub(super) role: Receiver<Role>,
    pub(super) standing: Arc<Standing>,
    pub(super) near: Arc<Near>,
}

/// What answers on the public port.
pub(super) fn public_router(front: Arc<Front>, around: &Surrounding) -> Router {
    let asking = Arc::clone(&front);
    let elsewhere = around.around_all(Router::new().fallback(move |request: Request| {
        let front = Arc::clone(&asking);
        async move { front.answer(request).await }
    }));
    Router::new().fallback(move |request: Request| {
        let (parts, body) = request.into_parts();
        let router = front.led(&parts).unwrap_or_else(|| elsewhere.clone());
        call(router, Request::from_parts(parts, body))
    })
}

/// What answers on the node port.
pub(super) fn node_router(front: Arc<Front>) -> Router {
    Router::new().fallback(move |request: Request| {
        let front = Arc::clone(&front);
        async move { front.answer_node(request).await }
    })
}

/// What answers over a book that is led here, also when it is not led here any more.
pub(super) fn led_router(front: &Arc<Front>, book: BookNumber, dialects: Router) -> Router {
    let front = Arc::clone(front);
    dialects.layer(from_fn(move |request, dialects| {
        let front = Arc::clone(&front);
        async move { front.answer_led(book, request, dialects).await }
    }))
}

pub(super) async fn call(mut router: Router, request: Request) -> Response {
    router.call(request).await.unwrap_or_else(|never| match never {})
}

impl Front {
    pub(super) fn role(&self, book: BookNumber) -> Receiver<Role> {
        self.place(book).role.clone()
    }

    pub(super) fn place(&self, book: BookNumber) -> &Place {
        // What names a book that is not there is the first one's.
        self.places.get(usize::from(book.get())).unwrap_or(&self.places[0])
    }

    /// The dialects over the book of a request, if its head says which one that is and it is led here.
    fn led(&self, parts: &Parts) -> Option<Router> {
        let book = whose(parts, None)?.book(&self.placement);
        if parts.uri.path() == RECOGNIZE || self.operated(parts, None) != Ok(None) {
            return None;
        }
        match &*self.place(book).role.borrow() {
            Role::Leading(led) => Some(led.public.clone()),
            Role::Following(_) | Role::Leaderless => None,
        }
    }

    /// The book of the organization that a request names, if it is not the operator's own and so nobody but the
    /// operator could mean it there.
    fn operated(&self, parts: &Parts, body: Option<&Bytes>) -> Result<Option<BookNumber>, BodySaysIt> {
        let home = operated(&parts.method, parts.uri.path(), body)?
            .map(|name| self.placement.of_organization(&name));
        Ok(home.filter(|home| *home != BookNumber::FIRST))
    }

    /// On the public port, where the book is another node's or the body has to be read to find it.
    async fn answer(&self, request: Request) -> Response {
        let until = self.until();
        let arrival = Arrival::current();
        let (mut parts, body) = request.into_parts();
        if parts.uri.path() == RECOGNIZE {
            return Problem::of(StatusCode::NOT_FOUND).into_response();
        }
        let body = match timeout(arrival.body_time_max, to_bytes(body, arrival.body_bytes_max)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return Problem::of(StatusCode::PAYLOAD_TOO_LARGE).into_response(),
            Err(_) => return Problem::of(StatusCode::REQUEST_TIMEOUT).into_response(),
        };
        prepare(&mut parts, &arrival);
        let mut book = whose(&parts, Some(&body)).map_or(BookNumber::FIRST, |it| it.book(&self.placement));
        if book == BookNumber::FIRST
            && let Ok(Some(home)) = self.operated(&parts, Some(&body))
        {
            match self.recognize(&parts, until).await {
                Ok(true) => {
                    parts.extensions.insert(Operator);
                    book = home;
                }
                // The first book says what it says of organizations that are not there.
                Ok(false) => {}
                Err(unavailable) => return *unavailable,
            }
        }
        if let Some(answer) = self.answer_near(book, &parts, &body).await {
            return answer;
        }
        self.ask(book, parts, body, until).await
    }

    /// Whether these are the operator's credentials; the first book knows.
    async fn recognize(&self, parts: &Parts, until: Instant) -> Result<bool, Box<Response>> {
        let mut asked = parts.clone();
        asked.uri = Uri::from_static(RECOGNIZE);
        asked.headers.remove(header::CONTENT_LENGTH);
        let answer = self.ask(BookNumber::FIRST, asked, Bytes::new(), until).await;
        if answer.status().is_server_error() {
            return Err(Box::new(answer));
        }
        Ok(answer.status() == StatusCode::NO_CONTENT)
    }

    /// On the node port: this node leads the book, or says who does.
    async fn answer_node(&self, request: Request) -> Response {
        let (book, left) = addressed(request.headers());
        let role = self.place(book.unwrap_or_default()).role.borrow().clone();
        let led = match role {
            Role::Leading(led) => led,
            Role::Following(leader) => return misdirected(Some(&leader)),
            Role::Leaderless => return misdirected(None),
        };
        let path = request.uri().path().to_owned();
        let answer = answer_here(led.node.clone(), &led, opened(request));
        returned(match left {
            None => answer.await,
            Some(left) => {
                timeout(left, answer).await.unwrap_or_else(|_| unavailable(&path, Unavailable::Unknown))
            }
        })
    }

    /// When a caller who asks now is answered, whatever has come of it.
    pub(super) fn until(&self) -> Instant {
        Instant::now() + self.timeout.saturating_sub(MARGIN)
    }
}

/// By the dialects over a book that is led here, or by the book itself where it is asked who the operator is.
pub(super) async fn answer_here(router: Router, led: &Led, request: Request) -> Response {
    if request.uri().path() != RECOGNIZE {
        return call(router, request).await;
    }
    let (mut parts, _) = request.into_parts();
    match dialect_native::recognize_operator(&led.app, &mut parts).await {
        true => StatusCode::NO_CONTENT.into_response(),
        false => StatusCode::FORBIDDEN.into_response(),
    }
}

//! Request bodies that nobody read to their end.
//!
//! HTTP/1.1 can only go on behind a body: a handler that answers without reading it (who asks is unknown,
//! say) would cost the client its connection. So what is small is read and dropped beside the answer, which
//! waits for nothing.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Bytes, HttpBody};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::header::EXPECT;
use tokio::runtime::Handle;
use tokio::time::timeout_at;

/// A larger rest is not worth its way: closing the connection is cheaper for both sides.
const UNREAD_BYTES_MAX: u64 = 64 * 1024;

/// A body that is read to its end when it is dropped before.
pub(crate) struct ReadToEnd {
    /// None once it has ended, or failed.
    rest: Option<Incoming>,
    /// When reading on is no longer worth it.
    deadline: Instant,
}

impl ReadToEnd {
    pub(crate) fn wrap(request: Request<Incoming>, deadline: Instant) -> Request<axum::body::Body> {
        // Who asks first is told no by the answer, and reading would say yes.
        if request.headers().contains_key(EXPECT) {
            return request.map(axum::body::Body::new);
        }
        request.map(|body| axum::body::Body::new(Self { rest: Some(body), deadline }))
    }
}

impl HttpBody for ReadToEnd {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.rest else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.rest = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for ReadToEnd {
    fn drop(&mut self) {
        let Some(rest) = self.rest.take().filter(|rest| !rest.is_end_stream()) else { return };
        let is_small = rest.size_hint().lower() <= UNREAD_BYTES_MAX;
        if let Ok(runtime) = Handle::try_current()
            && is_small
            && Instant::now() < self.deadline
        {
            runtime.spawn(timeout_at(self.deadline.into(), read_and_drop(rest)));
        }
    }
}

async fn read_and_drop(mut body: Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > UNREAD_BYTES_MAX {
            return;
        }
    }
}

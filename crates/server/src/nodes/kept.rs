//! Bodies that are kept for as long as it may be necessary to ask again: of requests, and of answers.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

use super::peers::Lost;

/// A longer answer is passed on as it comes, and cannot be asked for again any more. A batch's is shorter.
const WHOLE_MAX: usize = 4 << 20;

/// What was read of a request's body: by whoever answers it, and within their limits.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Read>>);

#[derive(Default)]
struct Read {
    frames: Vec<Bytes>,
    is_whole: bool,
}

impl Kept {
    /// The same body; what is read of it is kept.
    pub(super) fn keeping(body: Body) -> (Self, Body) {
        let read = Read { frames: Vec::new(), is_whole: body.is_end_stream() };
        let kept = Self(Arc::new(Mutex::new(read)));
        (kept.clone(), Body::new(Keeping { body, kept }))
    }

    /// None, if it was not read to its end.
    pub(super) fn whole(&self) -> Option<Bytes> {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !read.is_whole {
            return None;
        }
        match &mut *read.frames {
            [] => Some(Bytes::new()),
            [all] => Some(std::mem::take(all)),
            frames => Some(frames.concat().into()),
        }
    }

    fn note(&self, polled: &Poll<Option<Result<Frame<Bytes>, axum::Error>>>) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match polled {
            Poll::Ready(Some(Ok(frame))) => read.frames.extend(frame.data_ref().cloned()),
            Poll::Ready(None) => read.is_whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
    }
}

struct Keeping {
    body: Body,
    kept: Kept,
}

impl HttpBody for Keeping {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.kept.note(&polled);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The answer with all of its body, unless that is very long: one that is cut is no answer.
pub(super) async fn whole(answer: Response) -> Result<Response, Lost> {
    let (head, mut body) = answer.into_parts();
    let (mut begun, mut length) = (VecDeque::new(), 0);
    while length <= WHOLE_MAX {
        let Some(frame) = body.frame().await else { break };
        if let Ok(data) = frame.map_err(|_| Lost::Unknown)?.into_data() {
            length += data.len();
            begun.push_back(data);
        }
    }
    Ok(Response::from_parts(head, Body::new(Begun { begun, rest: body })))
}

/// What has arrived, and the rest.
struct Begun {
    begun: VecDeque<Bytes>,
    rest: Body,
}

impl HttpBody for Begun {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.begun.pop_front() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.begun.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let begun: usize = self.begun.iter().map(Bytes::len).sum();
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + begun as u64);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + begun as u64);
        }
        hint
    }
}

#[cfg(test)]
mod tests;

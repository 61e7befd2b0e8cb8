use axum::body::to_bytes;

use super::*;

/// Arrives in pieces, and breaks off at the end if `is_cut`.
fn body(pieces: &[&str], is_cut: bool) -> Body {
    struct Pieces(VecDeque<Result<Bytes, axum::Error>>);
    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = axum::Error;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
            Poll::Ready(self.0.pop_front().map(|piece| piece.map(Frame::data)))
        }
    }
    let cut = is_cut.then(|| Err(axum::Error::new("the other side is gone")));
    Body::new(Pieces(
        pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece.as_bytes()))).chain(cut).collect(),
    ))
}

#[tokio::test]
async fn what_was_read_to_its_end_is_kept() {
    for (pieces, is_cut, kept) in [
        (&[][..], false, Some("")),
        (&["all"], false, Some("all")),
        (&["in ", "two"], false, Some("in two")),
        (&["not "], true, None),
    ] {
        let (keeping, body) = Kept::keeping(body(pieces, is_cut));
        let read = to_bytes(body, usize::MAX).await;
        assert_eq!(read.ok(), kept.map(Bytes::from), "{pieces:?}");
        assert_eq!(keeping.whole(), kept.map(Bytes::from), "{pieces:?}");
    }
    let (unread, _) = Kept::keeping(body(&["nobody asked"], false));
    assert_eq!(unread.whole(), None);
    let (nothing, _) = Kept::keeping(Body::empty());
    assert_eq!(nothing.whole(), Some(Bytes::new()));
}

#[tokio::test]
async fn an_answer_is_whole_or_none() {
    let long = "x".repeat(WHOLE_MAX + 1);
    let all = async |answer: Response| to_bytes(answer.into_body(), usize::MAX).await;
    for pieces in [&[][..], &["one"], &["and ", "another"], &[long.as_str(), "and more"]] {
        let answer = whole(Response::new(body(pieces, false))).await.unwrap();
        assert_eq!(all(answer).await.unwrap(), pieces.concat());
    }
    let cut = whole(Response::new(body(&["one"], true))).await;
    assert!(matches!(cut, Err(Lost::Unknown)));
    // Its beginning is on its way already when it is cut: whoever reads it learns of that.
    let cut_late = whole(Response::new(body(&[long.as_str()], true))).await.unwrap();
    assert!(all(cut_late).await.is_err());
}

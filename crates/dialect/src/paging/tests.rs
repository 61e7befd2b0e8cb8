use super::{Cursor, Page, PageBounds, PagingError};

const BOUNDS: PageBounds = PageBounds { default: 50, max: 200 };

#[test]
fn limits_hold_to_their_bounds() {
    let cases = [
        (None, Ok(50)),
        (Some("1"), Ok(1)),
        (Some("200"), Ok(200)),
        (Some("201"), Err(PagingError::Limit { max: 200 })),
        (Some("0"), Err(PagingError::Limit { max: 200 })),
        (Some(""), Err(PagingError::Limit { max: 200 })),
        (Some("-1"), Err(PagingError::Limit { max: 200 })),
        (Some("+1"), Err(PagingError::Limit { max: 200 })),
        (Some("1.0"), Err(PagingError::Limit { max: 200 })),
        (Some("99999999999999999999999"), Err(PagingError::Limit { max: 200 })),
    ];
    for (limit, expected) in cases {
        assert_eq!(Page::read(limit, None, BOUNDS).map(|page| page.limit), expected, "{limit:?}");
    }
}

#[test]
fn cursors_come_back_as_they_left() {
    for bytes in [&b"\x00\xff position"[..], &[7; Cursor::BYTES_MAX]] {
        let text = Cursor::new(bytes).to_string();
        let page = Page::read(None, Some(&text), BOUNDS).unwrap();
        assert_eq!(page.after.unwrap().as_bytes(), bytes);
    }
}

#[test]
fn foreign_cursors_are_refused() {
    for text in ["", "a", "a b", "YQ==", "YR", &"A".repeat(1000)] {
        assert_eq!(Page::read(None, Some(text), BOUNDS), Err(PagingError::Cursor), "{text}");
    }
}

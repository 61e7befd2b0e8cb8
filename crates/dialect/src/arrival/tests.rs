use axum::http::{HeaderMap, HeaderValue};

use super::{Arrival, REQUEST_ID, RequestId};

#[test]
fn sane_ids_are_kept_and_others_replaced() {
    let kept = ["b6e5b6a0-5b0e-4b60-9e47-000000000012", "a", "trace:1/2+3=_.@", &"x".repeat(64)];
    for id in kept {
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(id).unwrap())]);
        assert_eq!(RequestId::of(&headers).as_str(), id);
    }
    let replaced = ["", "a b", "<script>", "\"", "{}", "\u{e9}", &"x".repeat(65)];
    for id in replaced {
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).unwrap())]);
        assert_eq!(RequestId::of(&headers).as_str().len(), 36, "{id}");
    }
}

#[test]
fn fresh_ids_are_uuids_and_differ() {
    let (one, other) = (RequestId::random(), RequestId::random());
    assert_ne!(one, other);
    assert!(uuid::Uuid::parse_str(one.as_str()).is_ok());
}

#[tokio::test]
async fn an_arrival_reaches_whoever_asks_inside_it() {
    let request_id = RequestId::random();
    let arrival = Arrival { request_id: request_id.clone(), ..Arrival::current() };
    assert_eq!(arrival.around(async { RequestId::current() }).await, Some(request_id));
    assert_eq!(RequestId::current(), None);
}

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use http_body_util::channel::Channel;
use serde::Deserialize;

use super::{Body, BodyError, Json, present};
use crate::{Arrival, JsonErrorKind, RequestId, TextAmount};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Charge<'a> {
    account: &'a str,
    amount: TextAmount,
}

#[derive(Debug, Deserialize)]
struct Name {
    name: String,
}

fn within(body_bytes_max: usize) -> Arrival {
    Arrival {
        request_id: RequestId::random(),
        address: None,
        body_bytes_max,
        body_time_max: Duration::from_millis(20),
        once: None,
    }
}

/// A body that arrives in these pieces and, if `open`, never ends.
fn pieces(parts: &[&'static str], open: bool) -> axum::body::Body {
    let (mut sender, body) = Channel::<Bytes>::new(parts.len().max(1));
    for part in parts {
        sender.try_send(http_body::Frame::data(Bytes::from_static(part.as_bytes()))).ok().unwrap();
    }
    if open {
        std::mem::forget(sender);
    }
    axum::body::Body::new(body)
}

async fn read(body: axum::body::Body, bytes_max: usize) -> Result<Body, BodyError> {
    within(bytes_max).around(Body::from_request(Request::new(body), &())).await
}

#[tokio::test]
async fn pieces_become_one_body() {
    let body = read(pieces(&["{\"account\":\"a\",", "\"amount\"", ":\"1.5\"}"], false), 100).await.unwrap();
    let charge: Charge<'_> = body.json().unwrap();
    assert_eq!((charge.account, charge.amount.0.to_string().as_str()), ("a", "1.5"));
    assert!(read(axum::body::Body::empty(), 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn size_is_bounded_announced_or_not() {
    let too_large = BodyError::TooLarge { bytes_max: 10 };
    assert_eq!(read(pieces(&["12345", "12345"], false), 10).await.unwrap().bytes, "1234512345");
    assert_eq!(read(pieces(&["12345", "123456"], false), 10).await.unwrap_err(), too_large);
    let mut request = Request::new(pieces(&[], true));
    request.headers_mut().insert(header::CONTENT_LENGTH, 11.into());
    let refused = within(10).around(Body::from_request(request, &())).await;
    assert_eq!(refused.unwrap_err(), too_large);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    assert_eq!(read(pieces(&["{"], true), 10).await.unwrap_err(), BodyError::TooSlow);
}

#[tokio::test]
async fn media_type_is_without_parameters() {
    let mut request = Request::new(axum::body::Body::empty());
    request.headers_mut().insert(header::CONTENT_TYPE, "Application/JSON; charset=utf-8".parse().unwrap());
    assert_eq!(Body::from_request(request, &()).await.unwrap().media_type, "application/json");
}

#[tokio::test]
async fn json_keeps_the_bytes_and_words_the_error() {
    let request = Request::new(axum::body::Body::from("{\"name\":\"x\"}"));
    let json: Json<Name, BodyError> = Json::from_request(request, &()).await.unwrap();
    assert_eq!((json.value.name.as_str(), json.bytes.len()), ("x", 12));

    let request = Request::new(axum::body::Body::from("{\"name\":1}"));
    let error = Json::<Name, BodyError>::from_request(request, &()).await.unwrap_err();
    let BodyError::Json(json) = &error else { panic!("{error}") };
    assert_eq!((json.kind, json.path.to_string().as_str()), (JsonErrorKind::Invalid, "name"));
    assert_eq!(error.to_string(), "name: invalid type: integer `1`, expected a string (line 1, column 9)");
}

#[tokio::test]
async fn without_a_dialect_errors_are_problems() {
    let response = BodyError::TooLarge { bytes_max: 1 }.into_response();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert_eq!(
        body,
        r#"{"type":"about:blank","title":"Payload Too Large","status":413,"detail":"body is larger than 1 bytes"}"#
    );
}

#[test]
fn null_and_absent_are_told_apart() {
    #[derive(Deserialize)]
    struct Change {
        #[serde(default, deserialize_with = "present")]
        name: Option<Option<String>>,
    }
    let read = |json: &str| serde_json::from_str::<Change>(json).unwrap().name;
    assert_eq!(read("{}"), None);
    assert_eq!(read("{\"name\":null}"), Some(None));
    assert_eq!(read("{\"name\":\"x\"}"), Some(Some("x".to_owned())));
}

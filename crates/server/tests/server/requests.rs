use server::Readiness;

use crate::client::{ask, connect, exchange};
use crate::{config, start};

#[tokio::test]
async fn request_id_is_echoed_or_made() {
    let server = start(config()).await;
    let answer = ask(server.address, "GET /names/x\nx-request-id: trace-7", "").await;
    assert_eq!((answer.status, answer.header("x-request-id")), (200, Some("trace-7")));
    let answer = ask(server.address, "GET /names/x\nx-request-id: <script>", "").await;
    assert_eq!(answer.header("x-request-id").unwrap().len(), 36);
    let answer = ask(server.address, "GET /nowhere\nx-request-id: trace-8", "").await;
    assert_eq!(answer.header("x-request-id"), Some("trace-8"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let server = start(config()).await;
    let answer = ask(server.address, "GET /nowhere\nx-request-id: r", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (404, Some("application/problem+json")));
    let expected = r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"nothing is served at this path","request_id":"r"}"#;
    assert_eq!(answer.body, expected);
    let answer = ask(server.address, "DELETE /names/x", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("get,head")));
}

#[tokio::test]
async fn a_bug_fails_one_request() {
    let server = start(config()).await;
    let mut stream = connect(server.address).await;
    let answer = exchange(&mut stream, "GET /bug\nx-request-id: r", "").await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains(r#""detail":"a bug in the server","request_id":"r""#), "{}", answer.body);
    assert_eq!(exchange(&mut stream, "GET /names/x", "").await.status, 200);
}

#[tokio::test]
async fn readiness_is_told_and_liveness_stays() {
    let server = start(config()).await;
    let cases = [
        (Readiness::Starting, 503, "starting"),
        (Readiness::Ready, 200, "ready"),
        (Readiness::Faulted("the disk is gone".to_owned()), 503, "faulted: the disk is gone"),
    ];
    for (readiness, status, text) in cases {
        server.health.set(readiness);
        let answer = ask(server.address, "GET /readyz", "").await;
        assert_eq!(answer.status, status);
        assert!(answer.body.contains(text), "{}", answer.body);
        assert_eq!(ask(server.address, "GET /healthz", "").await.status, 200);
    }
}

#[tokio::test]
async fn metrics_count_patterns_not_paths() {
    let server = start(config()).await;
    for path in ["/names/a", "/names/b", "/c"] {
        ask(server.address, &format!("GET {path}"), "").await;
    }
    let answer = ask(server.address, "GET /metrics", "").await;
    assert!(server.metrics.encode().contains("route=\"/metrics\""));
    for line in [
        r#"bursar_http_requests_total{route="/names/{name}",method="GET",status="2xx"} 2"#,
        r#"bursar_http_requests_total{route="unmatched",method="GET",status="4xx"} 1"#,
    ] {
        assert!(answer.body.lines().any(|it| it == line), "{line} is missing in\n{}", answer.body);
    }
    let mut without = config();
    without.metrics = false;
    assert_eq!(ask(start(without).await.address, "GET /metrics", "").await.status, 404);
}

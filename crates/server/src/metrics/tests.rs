use std::time::Duration;

use axum::http::{Method, StatusCode};

use super::{Metrics, method_index};

#[test]
fn requests_are_counted_by_route_method_and_class() {
    let metrics = Metrics::new();
    let route = metrics.route("/accounts/{api_key}");
    let observe = |method: &Method, status| {
        metrics.observe(&route, method_index(method), status, Duration::from_millis(3));
    };
    observe(&Method::GET, StatusCode::OK);
    observe(&Method::GET, StatusCode::NOT_FOUND);
    observe(&Method::GET, StatusCode::NO_CONTENT);
    observe(&Method::TRACE, StatusCode::OK);
    let text = metrics.encode();
    let expected = [
        r#"bursar_http_requests_total{route="/accounts/{api_key}",method="GET",status="2xx"} 2"#,
        r#"bursar_http_requests_total{route="/accounts/{api_key}",method="GET",status="4xx"} 1"#,
        r#"bursar_http_requests_total{route="/accounts/{api_key}",method="other",status="2xx"} 1"#,
        r#"bursar_http_request_duration_seconds_count{route="/accounts/{api_key}"} 4"#,
        r#"bursar_http_request_duration_seconds_bucket{le="0.005",route="/accounts/{api_key}"} 4"#,
        r#"bursar_http_request_duration_seconds_bucket{le="0.0025",route="/accounts/{api_key}"} 0"#,
    ];
    for line in expected {
        assert!(text.lines().any(|it| it == line), "{line} is missing in\n{text}");
    }
}

#[test]
fn other_parts_add_theirs() {
    let metrics = Metrics::new();
    let groups = prometheus_client::metrics::counter::Counter::<u64>::default();
    metrics.register(|registry| registry.register("groups", "Groups appended", groups.clone()));
    groups.inc_by(7);
    assert!(metrics.encode().contains("bursar_groups_total 7"));
}

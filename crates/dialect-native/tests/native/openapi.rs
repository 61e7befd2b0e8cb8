//! The document is what the code says, and the page is what the document says.

use std::path::Path;

use testkit::expect_text;

use crate::fixture::Fixture;

#[test]
fn the_document_is_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api/openapi.json");
    expect_text(&path, dialect_native::openapi_text());
}

#[tokio::test]
async fn the_document_and_the_page_are_served() {
    let it = Fixture::new().await;
    let client = it.server.client();
    let document = client.get("/api/v1/openapi.json").await;
    assert_eq!((document.status, document.body.as_str()), (200, dialect_native::openapi_text()));
    let page = client.get("/api/v1/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    for (path, operations) in document.json()["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let shown = path.replace('/', "&#x2f;");
            assert!(page.body.contains(&format!("<code>{shown}</code>")), "{path} is on the page");
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.body.contains(&format!("<article id=\"{id}\">")), "{method} {path} is on the page");
            assert!(operation["x-permissions"].as_array().is_some_and(|it| !it.is_empty()), "who may {id}");
        }
    }
    assert!(!page.body.contains("<script"), "the page has no script");
    assert!(!page.body.contains("undefined"), "nothing on the page is missing");
    let kind = client.get("/problems/insufficient-funds").await;
    assert_eq!(
        (kind.status, kind.header("location")),
        (302, Some("/api/v1/docs#problem-insufficient-funds"))
    );
}

//! The pages: there, closed to what comes from elsewhere, and with nothing in them that was not asked for.

use serde_json::json;

use crate::fixture::Fixture;
use crate::rights::PASSWORD;

#[tokio::test]
async fn every_page_is_closed_to_what_comes_from_elsewhere() {
    let it = Fixture::new().await;
    let client = it.server.client();
    for (path, title) in [
        ("/accept", "Invitation"),
        ("/reset", "A new password"),
        ("/forgotten", "Forgot your password?"),
        ("/sign-in", "Sign in"),
        ("/sign-in?utm_source=mail", "Sign in"),
        ("/sign-in?organization=%3Cscript%3E", "Sign in"),
        ("/sign-in/code", "Second factor"),
    ] {
        let page = client.get(path).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        assert!(page.body.contains(&format!("<title>{title} · Bursar</title>")), "{path}: {}", page.body);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'none'"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        // One script, by its name; none between the lines.
        assert_eq!(page.body.matches("<script").count(), 1, "{path}");
        assert!(!page.body.contains(" style=") && !page.body.contains("http"), "{}", page.body);
    }
    for (path, kind) in [("/pages/style.css", "text/css"), ("/pages/script.js", "text/javascript")] {
        let asset = client.get(path).await;
        assert!(asset.header("content-type").unwrap().starts_with(kind), "{asset:?}");
        assert!(!asset.body.contains("http"), "nothing comes from elsewhere");
    }
}

#[tokio::test]
async fn whoever_is_signed_in_is_shown_who_they_are() {
    let it = Fixture::new().await;
    let nobody = it.server.client().get("/signed-in").await;
    assert_eq!((nobody.status, nobody.header("location")), (303, Some("/sign-in")));
    let body = json!({"email": "ann@seller.example", "role": "finance", "password": PASSWORD}).to_string();
    assert_eq!(it.owner().post("/api/v1/organizations/default/users", &body).await.status, 201);
    let body = json!({"email": "ann@seller.example", "password": PASSWORD}).to_string();
    let token = it.server.client().post("/api/v1/sessions", &body).await.json()["token"].clone();
    let browser = it.server.client().with("cookie", &format!("bursar={}", token.as_str().unwrap()));
    let page = browser.get("/signed-in").await;
    assert_eq!(page.status, 200, "{page:?}");
    for text in ["ann@seller.example", "default", "finance", "Sign out everywhere"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(!page.body.contains(token.as_str().unwrap()));
    // A program's token is nobody who signs out.
    assert_eq!(it.owner().get("/signed-in").await.status, 303);
}

//! The pages that letters lead to, and those for signing in: `/accept`, `/reset`, `/sign-in`, `/signed-in`.
//!
//! The one idea: a page holds no secret and does nothing by itself. What a link proves stands behind its `#`
//! and stays in the browser until a form is sent; forms are posted to the operations that anybody may call,
//! by one small script. Nothing comes from elsewhere, and no other page may hold one of these in a frame.

mod company;
mod signed_in;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dialect::App;
use minijinja::Environment;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

static PAGES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    for (name, text) in TEMPLATES {
        pages.add_template(name, text)?;
    }
    Ok(pages)
});

const TEMPLATES: &[(&str, &str)] = &[
    ("frame.html", include_str!("pages/frame.html")),
    ("accept.html", include_str!("pages/accept.html")),
    ("reset.html", include_str!("pages/reset.html")),
    ("sign-in.html", include_str!("pages/sign-in.html")),
    ("code.html", include_str!("pages/code.html")),
    ("forgotten.html", include_str!("pages/forgotten.html")),
    ("signed-in.html", include_str!("pages/signed-in.html")),
    ("failed.html", include_str!("pages/failed.html")),
];

const STYLE: &str = concat!(include_str!("look.css"), include_str!("pages/style.css"));
const SCRIPT: &str = include_str!("pages/script.js");

/// Forms are sent by the script alone, so that nothing typed ends up in an address.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The organization that a page is asked for.
pub(crate) fn organization_of_page(uri: &Uri) -> Option<String> {
    let is_page = matches!(uri.path(), "/sign-in" | "/sign-in/code" | "/forgotten");
    let wanted = Query::<Wanted>::try_from_uri(uri).ok().filter(|_| is_page)?;
    wanted.0.organization
}

/// Behind it stands the organization's name.
pub(crate) const CALLBACK: &str = "/sign-in/callback/";

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/accept", get(accept))
        .route("/reset", get(reset))
        .route("/forgotten", get(forgotten))
        .route("/sign-in", get(sign_in))
        .route("/sign-in/code", get(code))
        .route("/sign-in/callback/{organization}", get(company::callback))
        .route("/signed-in", get(signed_in::show))
        .route("/pages/style.css", get(|| async { asset("text/css; charset=utf-8", STYLE) }))
        .route("/pages/script.js", get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }))
}

async fn accept() -> Response {
    page("accept.html", StatusCode::OK, Nothing {})
}

async fn reset() -> Response {
    page("reset.html", StatusCode::OK, Nothing {})
}

async fn code(Query(wanted): Query<Wanted>) -> Response {
    let view = SignIn { organization: wanted.organization, company: false, renewed: false, joined: false };
    page("code.html", StatusCode::OK, view)
}

#[derive(Serialize)]
struct Nothing {}

/// Anything else in the query is left alone: mail programs add to links.
#[derive(Deserialize)]
struct Wanted {
    organization: Option<String>,
    new: Option<String>,
    joined: Option<String>,
}

#[derive(Serialize)]
struct SignIn {
    organization: Option<String>,
    /// Whether the organization has its own place to sign in.
    company: bool,
    renewed: bool,
    joined: bool,
}

async fn sign_in(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    let name = wanted.organization.as_deref().unwrap_or(access::DEFAULT_ORGANIZATION);
    let company = crate::people::provider::find(&app, name).await.is_ok();
    let view = SignIn {
        company,
        renewed: wanted.new.is_some(),
        joined: wanted.joined.is_some(),
        organization: wanted.organization,
    };
    page("sign-in.html", StatusCode::OK, view)
}

async fn forgotten(Query(wanted): Query<Wanted>) -> Response {
    let view = SignIn { organization: wanted.organization, company: false, renewed: false, joined: false };
    page("forgotten.html", StatusCode::OK, view)
}

fn page(name: &str, status: StatusCode, view: impl Serialize) -> Response {
    let pages = PAGES.as_ref().map_err(ToString::to_string);
    let rendered = pages.and_then(|pages| {
        let template = pages.get_template(name).map_err(|error| error.to_string())?;
        template.render(Serde(view)).map_err(|error| error.to_string())
    });
    match rendered {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
                (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            ];
            (status, headers, text).into_response()
        }
        Err(error) => Problem::bug(&error).into_response(),
    }
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, text).into_response()
}

//! `GET /docs`: the document as a page to read. Rendered once, from the document alone; no script, and
//! nothing from elsewhere.

mod example;
mod fields;
mod prose;

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;
use serde_json::Value;

use crate::input::Named;
use crate::openapi;
use crate::problem::{Kind, Problem};
use crate::router::PREFIX;
use example::{FIRST_STEPS, curl};
use fields::{Field, Shape};
use prose::{inline, paragraphs};

static PAGE: LazyLock<Result<String, minijinja::Error>> = LazyLock::new(render);

pub(crate) async fn serve() -> Response {
    const POLICY: HeaderValue = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    );
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    match &*PAGE {
        Ok(page) => {
            let headers: [(HeaderName, HeaderValue); 2] =
                [(header::CONTENT_TYPE, html), (header::CONTENT_SECURITY_POLICY, POLICY)];
            (headers, page.as_str()).into_response()
        }
        Err(error) => Problem::bug(&error.to_string()).into_response(),
    }
}

/// `GET /problems/{kind}`: what the type of a problem leads to.
pub(crate) async fn problem(Named(slug): Named) -> Response {
    match Kind::named(&slug) {
        Some(kind) => {
            let place = format!("{PREFIX}/docs#problem-{}", kind.slug());
            match HeaderValue::from_str(&place) {
                Ok(place) => (StatusCode::FOUND, [(header::LOCATION, place)]).into_response(),
                Err(_) => Problem::bug("a kind does not fit a header").into_response(),
            }
        }
        None => Problem::new(Kind::NotFound).into_response(),
    }
}

fn render() -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.add_template("page.html", include_str!("docs/page.html"))?;
    let document = openapi::get();
    let page = Page {
        title: document["info"]["title"].as_str().unwrap_or_default(),
        about: paragraphs(&document["info"]["description"]),
        first_steps: FIRST_STEPS,
        style: concat!(include_str!("look.css"), include_str!("docs/style.css")),
        sections: sections(document),
        problems: Kind::ALL.iter().map(|kind| ProblemRow::of(*kind)).collect(),
        prefix: PREFIX,
    };
    environment.get_template("page.html")?.render(Serde(page))
}

#[derive(Serialize)]
struct Page {
    title: &'static str,
    about: Vec<String>,
    first_steps: &'static str,
    style: &'static str,
    sections: Vec<Section>,
    problems: Vec<ProblemRow>,
    prefix: &'static str,
}

#[derive(Serialize)]
struct Section {
    name: String,
    about: String,
    operations: Vec<OperationView>,
}

#[derive(Serialize)]
struct OperationView {
    id: String,
    method: String,
    path: String,
    summary: String,
    about: Vec<String>,
    permissions: Vec<PermissionView>,
    parameters: Vec<Field>,
    request: Option<Shape>,
    response: Option<ResponseView>,
    problems: Vec<ProblemRow>,
    curl: String,
    order: u64,
}

#[derive(Serialize)]
struct PermissionView {
    text: String,
    roles: Vec<String>,
}

#[derive(Serialize)]
struct ResponseView {
    status: String,
    about: String,
    headers: Vec<String>,
    shape: Option<Shape>,
}

#[derive(Serialize)]
struct ProblemRow {
    slug: &'static str,
    status: u16,
    title: &'static str,
}

impl ProblemRow {
    fn of(kind: Kind) -> Self {
        Self { slug: kind.slug(), status: kind.status().as_u16(), title: kind.title() }
    }
}

fn sections(document: &Value) -> Vec<Section> {
    let section = |(name, about): &(&str, &str)| {
        let mut operations: Vec<_> = all(document).filter(|it| it.2["tags"][0] == *name).map(view).collect();
        operations.sort_by_key(|operation| operation.order);
        Section { name: (*name).to_owned(), about: (*about).to_owned(), operations }
    };
    openapi::TAGS.iter().map(section).collect()
}

/// Every operation, with its path and method.
fn all(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn view((path, method, operation): (&str, &str, &Value)) -> OperationView {
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    let texts = |value: &Value| -> Vec<String> {
        list(value).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let kinds = texts(&operation["x-problems"]);
    let body = &operation["requestBody"];
    OperationView {
        id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: operation["summary"].as_str().unwrap_or_default().to_owned(),
        about: paragraphs(&operation["description"]),
        permissions: list(&operation["x-permissions"])
            .iter()
            .map(|it| PermissionView {
                text: it["text"].as_str().unwrap_or_default().to_owned(),
                roles: texts(&it["roles"]),
            })
            .collect(),
        parameters: list(&operation["parameters"]).iter().map(Field::of_parameter).collect(),
        request: Shape::of_content(&body["content"]),
        response: response(&operation["responses"]),
        problems: kinds.iter().filter_map(|slug| Kind::named(slug)).map(ProblemRow::of).collect(),
        curl: curl(path, method, operation),
        order: operation["x-order"].as_u64().unwrap_or_default(),
    }
}

/// The success.
fn response(responses: &Value) -> Option<ResponseView> {
    let (status, response) = responses.as_object()?.iter().find(|(status, _)| status.starts_with('2'))?;
    let headers = response["headers"].as_object().into_iter().flatten();
    Some(ResponseView {
        status: status.clone(),
        about: inline(response["description"].as_str().unwrap_or_default()),
        headers: headers
            .map(|(name, header)| {
                format!("<code>{name}</code> {}", inline(header["description"].as_str().unwrap_or_default()))
            })
            .collect(),
        shape: Shape::of_content(&response["content"]),
    })
}

#[cfg(test)]
mod tests;

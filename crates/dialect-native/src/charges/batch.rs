//! `POST /charges`: many charges, judged in order, each on its own.

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dialect::{App, read_json};
use engine::{Outcome, Request};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::asked::{Asked, BatchCharge};
use super::build::Builder;
use super::print;
use crate::input::{Input, is_json, unsupported};
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::values::Amount;

/// Charge many accounts
///
/// A JSON array, or one charge per line as `application/x-ndjson`; the answer has the same form and the
/// same order. Each charge stands alone: a bad one gets its own problem with its line, and stops nothing.
#[utoipa::path(
    post, path = "/charges", tag = "charges", operation_id = "charge_batch",
    request_body(content(
        (Vec<BatchCharge<'_>> = "application/json"),
        (BatchCharge<'_> = "application/x-ndjson"),
    )),
    responses((status = 200, description = "One outcome for each charge, in order", content(
        (Vec<LineOutcome> = "application/json"),
        (LineOutcome = "application/x-ndjson"),
    ))),
    extensions(("x-operation" = json!(["Charge", "ForceCharge"])), ("x-problems" = json!([
        "batch-too-large",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    input: Input,
) -> Result<Response, Problem> {
    caller.may(Operation::Charge)?;
    let body = input.body()?;
    let form = Form::of(&body.media_type)?;
    let batch = form.read(&body.bytes, app.limits.batch_max)?;
    let mut requests = Vec::with_capacity(batch.asked.len());
    Builder::new(&app, caller.0).build(&batch.asked, &mut requests).await?;
    let (requests, refused) = split(requests);
    let outcomes = if requests.is_empty() { Vec::new() } else { app.engine.submit_all(requests).await? };
    let body = form.print(&outcomes, &refused, &batch.lines, &app);
    let media_type = HeaderValue::from_static(form.media_type());
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, media_type)], body).into_response())
}

/// How a batch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Array,
    Lines,
}

/// What a batch asks for.
pub(crate) struct Batch<'a> {
    pub(crate) asked: Vec<Result<Asked<'a>, Problem>>,
    /// Where each charge stands, counted from 1.
    pub(crate) lines: Vec<u32>,
}

const LINES: &str = "application/x-ndjson";

impl Form {
    fn of(media_type: &str) -> Result<Self, Problem> {
        match media_type {
            LINES | "application/jsonl" | "application/x-jsonlines" => Ok(Self::Lines),
            "" => Ok(Self::Array),
            json if is_json(json) => Ok(Self::Array),
            other => Err(unsupported(other, "application/json and application/x-ndjson")),
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Array => "application/json",
            Self::Lines => LINES,
        }
    }

    pub(crate) fn read(self, bytes: &[u8], batch_max: usize) -> Result<Batch<'_>, Problem> {
        match self {
            Self::Array => array(bytes, batch_max),
            Self::Lines => lines(bytes, batch_max),
        }
    }

    pub(crate) fn print(
        self,
        outcomes: &[Outcome],
        refused: &[Option<Problem>],
        lines: &[u32],
        app: &App,
    ) -> Vec<u8> {
        let seals = app.engine.seals();
        let mut out = Vec::with_capacity(lines.len() * print::LINE_BYTES + 2);
        let mut outcomes = outcomes.iter();
        if self == Self::Array {
            out.push(b'[');
        }
        for (refused, line) in refused.iter().zip(lines) {
            match (refused, outcomes.as_slice().first()) {
                (Some(problem), _) => problem.clone().at_line(*line as usize).push(&mut out),
                (None, Some(outcome)) => {
                    print::outcome(outcome, *line as usize, seals, &mut out);
                    outcomes.next();
                }
                (None, None) => Problem::bug("an outcome is missing").push(&mut out),
            }
            out.push(if self == Self::Array { b',' } else { b'\n' });
        }
        if self == Self::Array {
            if out.last() == Some(&b',') {
                out.pop();
            }
            out.push(b']');
        }
        out
    }
}

/// What goes to the book, and what does not: None where a request went.
pub(crate) fn split(built: Vec<Result<Request, Problem>>) -> (Vec<Request>, Vec<Option<Problem>>) {
    let mut requests = Vec::with_capacity(built.len());
    let mut refused = Vec::with_capacity(built.len());
    for built in built {
        match built {
            Ok(request) => {
                requests.push(request);
                refused.push(None);
            }
            Err(problem) => refused.push(Some(problem)),
        }
    }
    (requests, refused)
}

fn array<'a>(bytes: &'a [u8], batch_max: usize) -> Result<Batch<'a>, Problem> {
    let elements: Vec<&'a RawValue> = read_json(bytes)?;
    if elements.len() > batch_max {
        return Err(too_large(batch_max));
    }
    let lines = (1..=elements.len() as u32).collect();
    let read = |element: &'a RawValue| {
        read_json::<BatchCharge<'a>>(element.get().as_bytes()).map(Asked::from).map_err(Problem::from)
    };
    Ok(Batch { asked: elements.into_iter().map(read).collect(), lines })
}

fn lines(bytes: &[u8], batch_max: usize) -> Result<Batch<'_>, Problem> {
    let mut batch = Batch { asked: Vec::new(), lines: Vec::new() };
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if batch.asked.len() == batch_max {
            return Err(too_large(batch_max));
        }
        let read = read_json::<BatchCharge<'_>>(line);
        batch.asked.push(read.map(Asked::from).map_err(Problem::from));
        batch.lines.push(index as u32 + 1);
    }
    Ok(batch)
}

fn too_large(batch_max: usize) -> Problem {
    Problem::new(Kind::BatchTooLarge).with_detail(format!("at most {batch_max} charges fit in one batch"))
}

/// What became of one line: a charge (status 201), or a problem with its status and line.
#[derive(Serialize, ToSchema)]
pub(crate) struct LineOutcome {
    /// 201, or the status that the charge alone would have been answered with.
    status: u16,
    id: Option<String>,
    amount: Option<Amount>,
    /// What the payer has available after it.
    available: Option<Amount>,
    /// It was charged before, under the same key.
    replayed: Option<bool>,
    /// Of a problem, as are all that follow.
    r#type: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    field: Option<String>,
    /// Counted from 1.
    line: Option<u32>,
}

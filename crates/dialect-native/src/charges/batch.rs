//! `POST /charges`: many charges, judged in order, each on its own.

use std::borrow::Cow;
use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dialect::{App, Arrival, Once, read_json};
use engine::Request;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::asked::{Asked, BatchCharge, Span};
use super::build::{Builder, Built};
use super::print;
use super::scan::Scanner;
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
        "scope-exceeded", "batch-too-large",
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
    let mut batch = form.read(&body.bytes, app.limits.batch_max)?;
    let once = Arrival::current().once;
    if let Some(once) = &once {
        batch.name(once);
    }
    let Built { requests, refused } = Builder::new(&app, caller.0).build(&batch.asked).await?;
    let mut charges = submit(&app, requests, batch.is_done_once()).await?;
    if let Some(once) = &once {
        batch.hide_repeats(once, &refused, &mut charges);
    }
    let body = form.print(&charges, &refused, &batch.lines, &app);
    let media_type = HeaderValue::from_static(form.media_type());
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, media_type)], body).into_response())
}

async fn submit(app: &App, requests: Vec<Request>, is_done_once: bool) -> Result<Vec<print::Line>, Problem> {
    if requests.is_empty() {
        return Ok(Vec::new());
    }
    let charges = app.engine.submit_all_for(requests, print::distil).await;
    charges.map_err(|error| match is_done_once {
        true => error.into(),
        false => Problem::from(error).not_to_be_repeated(),
    })
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
        charges: &[print::Line],
        refused: &[Option<Problem>],
        lines: &[u32],
        app: &App,
    ) -> Vec<u8> {
        let seals = app.engine.seals();
        let mut out = Vec::with_capacity(lines.len() * print::LINE_BYTES + 2);
        let (mut ids, mut charges) = (print::seal_ids(seals, charges).into_iter(), charges.iter());
        if self == Self::Array {
            out.push(b'[');
        }
        for (refused, line) in refused.iter().zip(lines) {
            let line = *line as usize;
            match refused {
                Some(problem) => problem.clone().at_line(line).push(&mut out),
                None => match charges.next() {
                    Some(Ok(made)) => print::made(made, ids.next().unwrap_or_default(), &mut out),
                    Some(Err(outcome)) => print::not_made(outcome, line, seals, &mut out),
                    None => Problem::bug("an outcome is missing").push(&mut out),
                },
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

fn array(bytes: &[u8], batch_max: usize) -> Result<Batch<'_>, Problem> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Err(malformed(bytes)) };
    let mut batch = Batch::with_room(bytes.len(), batch_max);
    let mut scanner = Scanner::new(text, true);
    scanner.skip_space();
    if !scanner.skip(b'[') {
        return Err(malformed(bytes));
    }
    scanner.skip_space();
    if !scanner.skip(b']') {
        loop {
            batch.room(batch_max)?;
            scanner.skip_space();
            let start = scanner.at();
            let asked = match scanner.charge() {
                Some(asked) => Ok(asked),
                None => {
                    let element = element(&text[start..]).ok_or_else(|| malformed(bytes))?;
                    scanner.go_to(start + element.len());
                    slowly(element.as_bytes()).map_err(|problem| problem.within(batch.asked.len()))
                }
            };
            batch.push(asked, batch.asked.len() as u32 + 1);
            scanner.skip_space();
            if scanner.skip(b']') {
                break;
            }
            if !scanner.skip(b',') {
                return Err(malformed(bytes));
            }
        }
    }
    scanner.skip_space();
    if scanner.peek().is_some() { Err(malformed(bytes)) } else { Ok(batch) }
}

/// The text of the value that begins here, whatever it is.
fn element(text: &str) -> Option<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next()?.ok()?;
    Some(&text[..values.byte_offset()])
}

/// What is wrong with the body as a whole.
fn malformed(bytes: &[u8]) -> Problem {
    match read_json::<Vec<&RawValue>>(bytes) {
        Err(error) => error.into(),
        Ok(_) => Problem::bug("a batch was read in two ways"),
    }
}

fn slowly(bytes: &[u8]) -> Result<Asked<'_>, Problem> {
    Ok(read_json::<BatchCharge<'_>>(bytes)?.into())
}

fn lines(bytes: &[u8], batch_max: usize) -> Result<Batch<'_>, Problem> {
    let mut batch = Batch::with_room(bytes.len(), batch_max);
    // A line that is not UTF-8 is wrong alone: what stands before the first such is read at once.
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    };
    let mut scanner = Scanner::new(valid, false);
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        if at < valid.len() && valid.is_char_boundary(at) {
            scanner.go_to(at);
            scanner.skip_space();
            let scanned = scanner.charge();
            scanner.skip_space();
            if let Some(asked) = scanned
                && (scanner.at() == bytes.len() || scanner.peek() == Some(b'\n'))
            {
                batch.room(batch_max)?;
                batch.push(Ok(asked), line);
                (at, line) = (scanner.at() + 1, line + 1);
                continue;
            }
        }
        let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end);
        let text = &bytes[at..end];
        if !text.trim_ascii().is_empty() {
            batch.room(batch_max)?;
            batch.push(slowly(text), line);
        }
        (at, line) = (end + 1, line + 1);
    }
    Ok(batch)
}

impl<'a> Batch<'a> {
    fn with_room(bytes: usize, batch_max: usize) -> Self {
        // Shorter charges are rare; more than fit are refused.
        const BYTES_MIN: usize = 64;
        let count = (bytes / BYTES_MIN + 1).min(batch_max);
        Self { asked: Vec::with_capacity(count), lines: Vec::with_capacity(count) }
    }

    fn room(&self, batch_max: usize) -> Result<(), Problem> {
        if self.asked.len() < batch_max { Ok(()) } else { Err(too_large(batch_max)) }
    }

    /// Charges without a key get one that only a node could give: it may have to send them again.
    fn name(&mut self, once: &Once) {
        for (asked, line) in self.asked.iter_mut().zip(&self.lines) {
            if let Ok(asked) = asked {
                asked.key.get_or_insert_with(|| Span(Cow::Owned(format!("{}/{line}", once.0))));
            }
        }
    }

    /// However often it is sent: all of it has keys.
    fn is_done_once(&self) -> bool {
        self.asked.iter().flatten().all(|asked| asked.key.is_some())
    }

    /// Who gave a charge no key is not told that it was sent again. `charges` are those that were not refused.
    fn hide_repeats(&self, once: &Once, refused: &[Option<Problem>], charges: &mut [print::Line]) {
        let charged = self.asked.iter().zip(refused).filter(|(_, refused)| refused.is_none());
        for ((asked, _), charge) in charged.zip(charges) {
            let key = asked.as_ref().ok().and_then(|asked| asked.key.as_deref());
            if key.is_some_and(|key| key.starts_with(&once.0)) {
                print::as_new(charge);
            }
        }
    }

    fn push(&mut self, asked: Result<Asked<'a>, Problem>, line: u32) {
        self.asked.push(asked);
        self.lines.push(line);
    }
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

//! `POST /sandbox/clock`: time passes. Only on a server that was started with `--sandbox`.

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::input::Input;
use crate::look::look;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::values::Time;

/// The most that time passes at once: ten years.
const ADVANCE_MAX_SECS: u32 = 3_660 * 24 * 3600;

/// Advance the clock of a sandbox
///
/// By seconds, or to an instant; never back. Holds expire and periods roll as if the time had passed, for all
/// organizations of the server, before this is answered. Other servers answer 404.
#[utoipa::path(
    post, path = "/sandbox/clock", tag = "sandbox", operation_id = "advance_clock",
    request_body = AdvanceClock,
    responses((status = 200, description = "It is that late", body = ClockAdvanced)),
    extensions(("x-operation" = json!(["Operate"])), ("x-problems" = json!(["not-found"]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    input: Input,
) -> Result<Answer<ClockAdvanced>, Problem> {
    caller.may(Operation::Operate)?;
    let asked: AdvanceClock = input.read()?;
    let clock = app.sandbox.clone().ok_or_else(|| Problem::new(Kind::NotFound))?;
    let now = look(&app, &caller.0, |_, now, _| Ok(now)).await?;
    let target = asked.target(now)?;
    // Keeping it is a write to the disk: never on a thread that serves requests.
    let moved = tokio::task::spawn_blocking(move || clock.advance_to(target)).await;
    moved.map_err(|_| Problem::bug("moving the clock panicked"))?.map_err(|error| {
        tracing::error!(%error, "the clock of the sandbox cannot be kept");
        Problem::new(Kind::Unavailable).with_detail("the clock cannot be kept right now")
    })?;
    Ok(Answer::ok(ClockAdvanced { now: settle(&app).await?.into() }))
}

/// Lets the book end what has fallen due, so much with each look. Says how late it is then.
async fn settle(app: &App) -> Result<Timestamp, Problem> {
    const LOOKS_MAX: usize = 10_000;
    let mut now = Timestamp::EPOCH;
    for _ in 0..LOOKS_MAX {
        let (at, left) = app.engine.read(|ledger, now| (now, ledger.due(now).next().is_some())).await?;
        if at == now && !left {
            break;
        }
        now = at;
    }
    Ok(now)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": 2678400}))]
pub(crate) struct AdvanceClock {
    /// Seconds.
    by: Option<u32>,
    /// The instant it is to be.
    to: Option<Time>,
}

impl AdvanceClock {
    fn target(&self, now: Timestamp) -> Result<Timestamp, Problem> {
        let (name, target) = match (self.by, self.to.map(Time::timestamp)) {
            (Some(_), Some(_)) => return Err(Problem::field("to", "stands beside by: give one of them")),
            (None, None) => {
                return Err(Problem::new(Kind::MissingField).with_field("by").with_detail("by, or to"));
            }
            (Some(secs), None) => ("by", now.plus_secs(secs.into())),
            (None, Some(to)) => ("to", to),
        };
        if target < now {
            return Err(Problem::field(name, "is past: the clock never goes back"));
        }
        if target > now.plus_secs(ADVANCE_MAX_SECS.into()) {
            return Err(Problem::field(name, "is more than ten years ahead"));
        }
        Ok(target)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ClockAdvanced {
    now: Time,
}

//! The stages of a batch one by one, for measuring them.

use access::Caller;
use dialect::App;
use engine::{Outcome, Request};

use super::batch::{Batch, Form};
use super::build::Builder;

pub struct Asked<'a>(Batch<'a>);

/// Of lines if `lines`, else of an array. None if it is no batch.
pub fn read(bytes: &[u8], lines: bool) -> Option<Asked<'_>> {
    let form = if lines { Form::Lines } else { Form::Array };
    form.read(bytes, usize::MAX).ok().map(Asked)
}

/// The requests of a batch. None if a line has none.
pub async fn build(app: &App, caller: Caller, asked: &Asked<'_>) -> Option<Vec<Request>> {
    let built = Builder::new(app, caller).build(&asked.0.asked).await.ok()?;
    built.refused.iter().all(Option::is_none).then_some(built.requests)
}

pub fn print(app: &App, asked: &Asked<'_>, outcomes: &[Outcome], lines: bool) -> Vec<u8> {
    let form = if lines { Form::Lines } else { Form::Array };
    let refused = vec![None; outcomes.len()];
    form.print(outcomes, &refused, &asked.0.lines, app)
}

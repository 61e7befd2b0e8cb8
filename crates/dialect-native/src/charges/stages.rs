//! The stages of a batch one by one, for measuring them.

use access::Caller;
use dialect::App;
use engine::{Request, Unavailable};

use super::batch::{Batch, Form};
use super::build::Builder;
use super::print;
pub use super::print::Line;

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

pub async fn submit(app: &App, requests: Vec<Request>) -> Result<Vec<Line>, Unavailable> {
    app.engine.submit_all_for(requests, print::distil).await
}

pub fn print(app: &App, asked: &Asked<'_>, charges: &[Line], lines: bool) -> Vec<u8> {
    let form = if lines { Form::Lines } else { Form::Array };
    let refused = vec![None; charges.len()];
    form.print(charges, &refused, &asked.0.lines, app)
}

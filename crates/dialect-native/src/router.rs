//! Which path is which operation.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use dialect::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Kind, Problem};
use crate::{accounts, charges, money};

/// Where all of it is.
pub(crate) const PREFIX: &str = "/api/v1";

/// All operations, for one book, at their full paths.
pub fn router(app: Arc<App>) -> Router {
    let (router, _) = operations().split_for_parts();
    let router = router.fallback(unknown_path).method_not_allowed_fallback(wrong_method);
    Router::new().nest(PREFIX, router).with_state(app)
}

pub(crate) fn operations() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(accounts::open::handle))
        .routes(routes!(accounts::get::handle))
        .routes(routes!(accounts::balances::list))
        .routes(routes!(accounts::balances::get))
        .routes(routes!(charges::single::handle))
        .routes(routes!(charges::batch::handle))
        .routes(routes!(money::top_up::handle))
}

async fn unknown_path() -> Problem {
    Problem::new(Kind::NotFound)
}

async fn wrong_method(method: Method) -> Problem {
    Problem::new(Kind::MethodNotAllowed).with_detail(format!("{method} is not for this path"))
}

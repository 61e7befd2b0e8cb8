//! Which path is which operation.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::routing::get;
use dialect::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Kind, Problem};
use crate::{accounts, audit, charges, docs, entries, holds, money, openapi, pages, people, sandbox, usage};

/// Where all of it is.
pub(crate) const PREFIX: &str = "/api/v1";

/// All operations, for one book, at their full paths.
pub fn router(app: Arc<App>) -> Router {
    let operations = if app.sandbox.is_some() { all_operations() } else { operations() };
    let (router, _) = operations.split_for_parts();
    let router = router
        .route("/openapi.json", get(openapi::serve))
        .route("/docs", get(docs::serve))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method);
    Router::new()
        .nest(PREFIX, router)
        .route("/problems/{kind}", get(docs::problem))
        .merge(pages::router())
        .with_state(app)
}

/// With those of a sandbox.
pub(crate) fn all_operations() -> OpenApiRouter<Arc<App>> {
    operations().routes(routes!(sandbox::handle))
}

fn operations() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(accounts::open::handle, accounts::list::roots))
        .routes(routes!(accounts::open::for_seller))
        .routes(routes!(accounts::get::handle, accounts::modify::handle))
        .routes(routes!(accounts::list::children))
        .routes(routes!(accounts::freeze::freeze))
        .routes(routes!(accounts::freeze::unfreeze))
        .routes(routes!(accounts::close::close))
        .routes(routes!(accounts::close::reopen))
        .routes(routes!(accounts::set_handle::handle))
        .routes(routes!(accounts::settings::get, accounts::settings::change))
        .routes(routes!(accounts::numbers::assign, accounts::numbers::list))
        .routes(routes!(accounts::numbers::release))
        .routes(routes!(accounts::numbers::transfer))
        .routes(routes!(accounts::balances::list))
        .routes(routes!(accounts::balances::get))
        .routes(routes!(entries::list::handle))
        .routes(routes!(entries::get::handle))
        .routes(routes!(usage::report::handle))
        .routes(routes!(charges::single::handle))
        .routes(routes!(charges::batch::handle))
        .routes(routes!(holds::place::handle, holds::list::handle))
        .routes(routes!(holds::get::handle))
        .routes(routes!(holds::extend::handle))
        .routes(routes!(holds::capture::handle))
        .routes(routes!(holds::void::handle))
        .routes(routes!(money::top_up::handle))
        .routes(routes!(money::reload::get, money::reload::set))
        .routes(routes!(money::reloads::list))
        .routes(routes!(money::reloads::start))
        .routes(routes!(money::reloads::settle))
        .routes(routes!(money::transfer::handle))
        .routes(routes!(money::refund::handle))
        .routes(routes!(money::give_usage_credit::handle))
        .routes(routes!(money::adjust::handle))
        .routes(routes!(money::withdraw::handle))
        .routes(routes!(money::set_credit_limit::handle))
        .routes(routes!(money::allocate::handle))
        .routes(routes!(people::organizations::found))
        .routes(routes!(people::organizations::declare))
        .routes(routes!(people::users::create))
        .routes(routes!(people::users::remove))
        .routes(routes!(people::passwords::reset))
        .routes(routes!(people::passwords::sign_out))
        .routes(routes!(people::factor::remove_of))
        .routes(routes!(people::members::of_organization))
        .routes(routes!(people::members::of_family))
        .routes(routes!(people::members::change, people::members::end))
        .routes(routes!(people::members::hand_over))
        .routes(routes!(people::invitations::to_organization, people::invitations::of_organization))
        .routes(routes!(people::invitations::to_family, people::invitations::of_family))
        .routes(routes!(people::invitations::revoke))
        .routes(routes!(people::permission_sets::define, people::permission_sets::remove))
        .routes(routes!(people::permission_sets::list))
        .routes(routes!(people::provider::set, people::provider::show, people::provider::remove))
        .routes(routes!(
            people::sessions::sign_in,
            people::sessions::list,
            people::sessions::sign_out_everywhere
        ))
        .routes(routes!(audit::read))
        .routes(routes!(people::sessions::sign_out))
        .routes(routes!(people::sessions::switch))
        .routes(routes!(people::company::begin))
        .routes(routes!(people::company::code))
        .routes(routes!(people::acceptance::read))
        .routes(routes!(people::me::show))
        .routes(routes!(people::me::set_password))
        .routes(routes!(people::own_tokens::issue, people::own_tokens::list))
        .routes(routes!(people::factor::begin))
        .routes(routes!(people::factor::confirm))
        .routes(routes!(people::factor::renew))
        .routes(routes!(people::factor::remove))
        .routes(routes!(people::acceptance::accept))
        .routes(routes!(people::passwords::ask))
        .routes(routes!(people::passwords::complete))
        .routes(routes!(people::tokens::issue, people::tokens::list))
        .routes(routes!(people::tokens::revoke))
        .routes(routes!(people::secrets::add, people::secrets::list))
        .routes(routes!(people::secrets::revoke))
        .routes(routes!(people::secrets::reissue))
}

async fn unknown_path() -> Problem {
    Problem::new(Kind::NotFound)
}

async fn wrong_method(method: Method) -> Problem {
    Problem::new(Kind::MethodNotAllowed).with_detail(format!("{method} is not for this path"))
}

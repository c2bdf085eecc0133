//! `/merchant/stores`: where the shop sells, and what stands there.

use askama::Template;
use axum::{
    Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;

use super::{Anybody, Owners, ShopSent, ShopVisitor};
use crate::{
    http::{ApiState, Problem, codes, reach::nothing, session::see_other},
    pages::{
        FormErrors, Layout, Nav, Visitor,
        people::{errors_of, shown_again},
        respond,
        ui::{EmptyState, When},
        visitor::AtShop,
    },
    shops::{PlaceName, StoreId, TerminalId},
};

const PATH: &str = "/merchant/stores";

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(PATH, get(page).post(open))
        .route("/merchant/stores/{id}/close", post(close))
        .route("/merchant/stores/{id}/terminals", post(add_terminal))
        .route("/merchant/terminals/{id}/close", post(close_terminal))
}

struct StoreRow {
    id: String,
    name: String,
    since: When,
    terminals: Vec<TerminalRow>,
}

struct TerminalRow {
    id: String,
    name: String,
}

#[derive(Template)]
#[template(path = "merchant/stores.html")]
struct StoresView {
    layout: Layout,
    errors: FormErrors,
    may_change: bool,
    stores: Vec<StoreRow>,
    empty: EmptyState,
}

async fn view(visitor: &Visitor, at: &AtShop, errors: FormErrors) -> Result<StoresView, Problem> {
    let stores = visitor.state.shops.stores(at.shop.id).await?;
    let stores = stores.into_iter().map(|store| StoreRow {
        id: store.id.to_string(),
        name: store.name.as_str().to_owned(),
        since: visitor.when(store.created_at),
        terminals: store
            .terminals
            .into_iter()
            .map(|one| TerminalRow { id: one.id.to_string(), name: one.name.as_str().to_owned() })
            .collect(),
    });
    Ok(StoresView {
        layout: visitor.layout("Stores", Nav::Shop("stores")),
        errors,
        may_change: at.role.decides(),
        stores: stores.collect(),
        empty: EmptyState::new(
            "qr",
            "No stores yet",
            "A shop with one counter needs none. With several, each payment says where it was made.",
        ),
    })
}

async fn page(visitor: ShopVisitor<Anybody>) -> Result<Response, Problem> {
    Ok(respond::page(&view(&visitor, &visitor.at, FormErrors::none()).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameForm {
    name: String,
}

async fn after(
    visitor: &ShopVisitor<Owners>,
    done: Result<(), Problem>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(see_other(PATH)),
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["name"])?;
            Ok(shown_again(status, &view(visitor, &visitor.at, errors).await?))
        }
    }
}

fn place(form: &NameForm) -> Result<PlaceName, Problem> {
    form.name.parse().map_err(|error: crate::shops::ShopValueError| {
        let detail = crate::http::problem::sentence(&error.to_string());
        Problem::field(codes::INVALID, "/name", detail)
    })
}

async fn open(ShopSent { visitor, form }: ShopSent<Owners, NameForm>) -> Result<Response, Problem> {
    let done = match place(&form) {
        Ok(name) => {
            let (state, at) = (&visitor.state, visitor.state.sessions.now());
            let id = StoreId::from_uuid(state.ids.fresh());
            let opened = state.shops.open_store(visitor.at.shop.id, id, &name, at).await;
            opened.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    after(&visitor, done).await
}

async fn add_terminal(
    Path(id): Path<String>,
    ShopSent { visitor, form }: ShopSent<Owners, NameForm>,
) -> Result<Response, Problem> {
    let store: StoreId = id.parse().map_err(|_| nothing())?;
    let done = match place(&form) {
        Ok(name) => {
            let (state, at) = (&visitor.state, visitor.state.sessions.now());
            let ids = (store, TerminalId::from_uuid(state.ids.fresh()));
            let added = state.shops.add_terminal(visitor.at.shop.id, ids, &name, at).await;
            added.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    after(&visitor, done).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

async fn close(
    Path(id): Path<String>,
    ShopSent { visitor, form: NoFields {} }: ShopSent<Owners, NoFields>,
) -> Result<Response, Problem> {
    let store: StoreId = id.parse().map_err(|_| nothing())?;
    let at = visitor.state.sessions.now();
    visitor.state.shops.close_store(visitor.at.shop.id, store, at).await?;
    Ok(see_other(PATH))
}

async fn close_terminal(
    Path(id): Path<String>,
    ShopSent { visitor, form: NoFields {} }: ShopSent<Owners, NoFields>,
) -> Result<Response, Problem> {
    let terminal: TerminalId = id.parse().map_err(|_| nothing())?;
    let at = visitor.state.sessions.now();
    visitor.state.shops.close_terminal(visitor.at.shop.id, terminal, at).await?;
    Ok(see_other(PATH))
}

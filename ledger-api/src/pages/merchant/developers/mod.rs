//! `/merchant/developers`: the keys of the shop's own programs (`keys`), and where they are told of
//! what happens (`endpoints`): endpoints, the log of deliveries, a test, and sending again; and
//! what those programs asked for (`requests`).
//!
//! A key and a secret are shown on the page that answers the form that made them, and on no other.
//! What lets somebody act or read for the shop is made after a fresh proof only.

mod endpoints;
mod keys;
mod requests;

use askama::Template;
use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;

use super::{Owners, ShopVisitor};
use crate::{
    hooks_out::{Endpoint, EndpointStatus, Why},
    http::{ApiState, Problem, codes, session::see_other},
    identity,
    pages::{
        FormErrors, Layout, Nav,
        people::{errors_of, shown_again},
        respond,
        ui::When,
    },
    routes::webhook_endpoints::Whose,
};

const PATH: &str = "/merchant/developers";
const SHOWN_MAX: u32 = 25;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(PATH, get(page))
        .route("/merchant/developers/requests", get(requests::page))
        .route("/merchant/developers/keys", post(keys::add))
        .route("/merchant/developers/keys/{id}/revoke", post(keys::revoke))
        .route("/merchant/developers/endpoints", post(endpoints::add))
        .route("/merchant/developers/endpoints/{id}", get(endpoints::page))
        .route("/merchant/developers/endpoints/{id}/{action}", post(endpoints::act_on))
        .route("/merchant/developers/deliveries/{id}/redeliver", post(endpoints::redeliver))
}

struct KeyRow {
    id: String,
    label: String,
    scopes: String,
    since: When,
}

struct EndpointRow {
    id: String,
    url: String,
    status: &'static str,
    /// What the banner says, if it is disabled.
    why: &'static str,
}

impl EndpointRow {
    fn of(endpoint: &Endpoint) -> Self {
        let why = match endpoint.status {
            EndpointStatus::Disabled(Why::Failing) => {
                "A message did not arrive in any of its tries. Enable it again when your server is \
                 back: everything that did not arrive is sent then."
            }
            EndpointStatus::Disabled(Why::Gone) => {
                "Your server answered 410: it wants no more messages. Enable it again if it does."
            }
            EndpointStatus::Disabled(Why::Owner) => {
                "You disabled it. What happens meanwhile is sent when you enable it."
            }
            EndpointStatus::Enabled | EndpointStatus::Deleted => "",
        };
        let (id, url) = (endpoint.id.to_string(), endpoint.url.clone());
        Self { id, url, status: endpoint.status.as_str(), why }
    }
}

#[derive(Template)]
#[template(path = "merchant/developers.html")]
struct DevelopersView {
    layout: Layout,
    errors: FormErrors,
    /// What is shown once: what it is, and the text.
    fresh: Option<(&'static str, String)>,
    keys: Vec<KeyRow>,
    endpoints: Vec<EndpointRow>,
    may: [keys::May; keys::MAY],
    groups: [endpoints::Group; endpoints::GROUPS],
    nonce: String,
}

async fn view(
    visitor: &ShopVisitor<Owners>,
    errors: FormErrors,
    fresh: Option<(&'static str, String)>,
) -> Result<DevelopersView, Problem> {
    let (state, shop) = (&visitor.state, visitor.at.shop.id);
    let keys = identity::keys_of(&state.reads, &principal(visitor)?).await;
    let keys = keys.map_err(|error| Problem::internal(&error))?;
    let keys = keys.into_iter().filter(|key| key.revoked_at.is_none()).map(|key| KeyRow {
        id: key.id,
        label: key.label,
        scopes: key.scopes.join(", "),
        since: visitor.when(key.created_at),
    });
    let owner = Whose::shop(shop).owner;
    let found = state.webhook_endpoints.list(&owner, None, SHOWN_MAX).await?;
    Ok(DevelopersView {
        layout: visitor.layout("Developers", Nav::Shop("developers")),
        errors,
        fresh,
        keys: keys.collect(),
        endpoints: found.iter().map(EndpointRow::of).collect(),
        may: keys::may(),
        groups: endpoints::groups(),
        nonce: visitor.nonce(),
    })
}

fn principal(visitor: &ShopVisitor<Owners>) -> Result<ledger_core::ids::Principal, Problem> {
    visitor.at.shop.id.principal().map_err(|error| Problem::internal(&error))
}

async fn page(visitor: ShopVisitor<Owners>) -> Result<Response, Problem> {
    Ok(respond::page(&view(&visitor, FormErrors::none(), None).await?))
}

/// What came of a form: what is shown once, the password first, or what is wrong.
async fn after(
    visitor: &ShopVisitor<Owners>,
    done: Result<Option<(&'static str, String)>, Problem>,
) -> Result<Response, Problem> {
    match done {
        Ok(fresh) => Ok(respond::page(&view(visitor, FormErrors::none(), fresh).await?)),
        Err(problem) if problem.code() == codes::STEP_UP_NEEDED.name => {
            Ok(see_other("/merchant/confirm?return_to=%2Fmerchant%2Fdevelopers"))
        }
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["label", "may", "url", "description"])?;
            Ok(shown_again(status, &view(visitor, errors, None).await?))
        }
    }
}

fn check_recent(visitor: &ShopVisitor<Owners>) -> Result<(), Problem> {
    if visitor.is_recent() {
        return Ok(());
    }
    Err(Problem::new(codes::STEP_UP_NEEDED, "This takes your password again."))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

/// Whether something of the shop's is told no more because nobody takes it, for the owner to see
/// where they look first.
pub(super) async fn stopped(state: &ApiState, whose: &Whose) -> Result<bool, Problem> {
    let found = state.webhook_endpoints.list(&whose.owner, None, SHOWN_MAX).await?;
    Ok(found.iter().any(|endpoint| match endpoint.status {
        EndpointStatus::Disabled(why) => matches!(why, Why::Failing | Why::Gone),
        EndpointStatus::Enabled | EndpointStatus::Deleted => false,
    }))
}

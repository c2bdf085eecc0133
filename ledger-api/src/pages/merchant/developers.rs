//! `/merchant/developers`: the keys of the shop's own programs, and where they are told of what
//! happens: endpoints, the log of deliveries, a test, and sending again.
//!
//! A key and a secret are shown on the page that answers the form that made them, and on no other.
//! What lets somebody act or read for the shop is made after a fresh proof only.

use askama::Template;
use axum::{
    Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;

use super::{Owners, ShopSent, ShopVisitor};
use crate::{
    hooks_out::{
        Attempted, Change, Delivery, DeliveryId, Endpoint, EndpointId, EndpointStatus, Why,
    },
    http::{ApiState, Problem, codes, reach::nothing, session::see_other},
    identity::{self, KeyEnvironment, NewKey},
    pages::{
        FormErrors, Layout, Nav, act,
        people::{errors_of, shown_again},
        respond,
        ui::When,
    },
    routes::webhook_endpoints::{self as endpoints, EndpointIn, Whose},
    shops::Role,
};

const PATH: &str = "/merchant/developers";
const SHOWN_MAX: u32 = 25;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(PATH, get(page))
        .route("/merchant/developers/keys", post(add_key))
        .route("/merchant/developers/keys/{id}/revoke", post(revoke_key))
        .route("/merchant/developers/endpoints", post(add_endpoint))
        .route("/merchant/developers/endpoints/{id}", get(endpoint_page))
        .route("/merchant/developers/endpoints/{id}/{action}", post(act_on_endpoint))
        .route("/merchant/developers/deliveries/{id}/redeliver", post(redeliver))
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
    scopes: &'static [crate::identity::Scope],
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
        scopes: Role::Owner.scopes(),
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
            let errors = errors_of(problem, &["label", "url", "description"])?;
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
struct KeyForm {
    label: String,
    /// `read` or `all`.
    may: String,
}

async fn add_key(
    ShopSent { visitor, form }: ShopSent<Owners, KeyForm>,
) -> Result<Response, Problem> {
    let done = make_key(&visitor, &form).await;
    after(&visitor, done.map(|token| Some(("Your new key", token)))).await
}

async fn make_key(visitor: &ShopVisitor<Owners>, form: &KeyForm) -> Result<String, Problem> {
    check_recent(visitor)?;
    let role = if form.may == "all" { Role::Owner } else { Role::Accountant };
    let demo = visitor.state.demo;
    let new = NewKey {
        principal: principal(visitor)?,
        label: form.label.trim().to_owned(),
        scopes: role.scope_set(),
        environment: if demo { KeyEnvironment::Test } else { KeyEnvironment::Live },
    };
    match identity::create_key(&visitor.state.reads, &new).await {
        Ok((_, token)) => Ok(token.reveal().to_owned()),
        Err(identity::IdentityError::Label) => {
            let detail = "Say in a few words what it is for.";
            Err(Problem::field(codes::INVALID, "/label", detail))
        }
        Err(error) => Err(Problem::internal(&error)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

async fn revoke_key(
    Path(id): Path<String>,
    ShopSent { visitor, form: NoFields {} }: ShopSent<Owners, NoFields>,
) -> Result<Response, Problem> {
    let own = identity::keys_of(&visitor.state.reads, &principal(&visitor)?).await;
    let own = own.map_err(|error| Problem::internal(&error))?;
    if !own.iter().any(|key| key.id == id) {
        return Err(nothing());
    }
    match identity::revoke_key(&visitor.state.reads, &id).await {
        Ok(()) | Err(identity::IdentityError::NoSuchKey(_)) => Ok(see_other(PATH)),
        Err(error) => Err(Problem::internal(&error)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointForm {
    url: String,
    description: String,
    nonce: String,
}

async fn add_endpoint(
    ShopSent { visitor, form }: ShopSent<Owners, EndpointForm>,
) -> Result<Response, Problem> {
    let done = make_endpoint(&visitor, form).await;
    after(&visitor, done.map(|secret| secret.map(|secret| ("The endpoint's secret", secret)))).await
}

async fn make_endpoint(
    visitor: &ShopVisitor<Owners>,
    form: EndpointForm,
) -> Result<Option<String>, Problem> {
    check_recent(visitor)?;
    let key = act::key("webhook_endpoint", &form.nonce, &[&form.url])?;
    let body = EndpointIn {
        url: form.url.trim().to_owned(),
        description: form.description.trim().to_owned(),
        event_types: Vec::new(),
    };
    let whose = Whose::shop(visitor.at.shop.id);
    let created = endpoints::make(&visitor.state, whose, key, &body).await?;
    Ok(created.secret.map(|opened| opened.secret.reveal().to_owned()))
}

struct AttemptRow {
    at: When,
    said: String,
    duration_ms: i32,
    request: String,
    response: String,
}

struct DeliveryRow {
    id: String,
    event_type: String,
    object_id: String,
    status: &'static str,
    at: When,
    body: String,
    attempts: Vec<AttemptRow>,
}

#[derive(Template)]
#[template(path = "merchant/endpoint.html")]
struct EndpointView {
    layout: Layout,
    endpoint: EndpointRow,
    public_key: String,
    /// The secret that was just made.
    fresh: Option<String>,
    deliveries: Vec<DeliveryRow>,
}

fn headers(headers: &[(String, String)]) -> String {
    let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
    lines.collect::<Vec<_>>().concat()
}

fn delivery_row(
    visitor: &ShopVisitor<Owners>,
    delivery: Delivery,
    attempts: Vec<Attempted>,
) -> DeliveryRow {
    let attempts = attempts.into_iter().map(|one| AttemptRow {
        at: visitor.when(one.at),
        said: match (one.status, one.error) {
            (Some(status), _) => format!("answered {status}"),
            (None, error) => error.unwrap_or_default().replace('_', " "),
        },
        duration_ms: one.duration_ms,
        request: headers(&one.request_headers),
        response: format!("{}\n{}", headers(&one.response_headers), one.response_body),
    });
    DeliveryRow {
        id: delivery.id.to_string(),
        event_type: delivery.event_type,
        object_id: delivery.object_id.unwrap_or_default(),
        status: delivery.state.as_str(),
        at: visitor.when(delivery.created_at),
        body: String::from_utf8_lossy(&delivery.body).into_owned(),
        attempts: attempts.collect(),
    }
}

async fn shown_endpoint(
    visitor: &ShopVisitor<Owners>,
    id: EndpointId,
    fresh: Option<String>,
) -> Result<Response, Problem> {
    let state = &visitor.state;
    let endpoint = endpoints::own(state, &Whose::shop(visitor.at.shop.id), id).await?;
    let found = state.webhook_deliveries.list(id, None, SHOWN_MAX).await?;
    let ids: Vec<DeliveryId> = found.iter().map(|delivery| delivery.id).collect();
    let mut attempts = state.webhook_deliveries.attempts(&ids).await?;
    let mut rows = Vec::with_capacity(found.len());
    for delivery in found {
        let mine = attempts.extract_if(.., |(of, _)| *of == delivery.id);
        let mine = mine.map(|(_, attempt)| attempt).collect();
        rows.push(delivery_row(visitor, delivery, mine));
    }
    Ok(respond::page(&EndpointView {
        layout: visitor.layout("Webhook endpoint", Nav::Shop("developers")),
        endpoint: EndpointRow::of(&endpoint),
        public_key: endpoint.public_key.unwrap_or_default(),
        fresh,
        deliveries: rows,
    }))
}

async fn endpoint_page(
    Path(id): Path<String>,
    visitor: ShopVisitor<Owners>,
) -> Result<Response, Problem> {
    shown_endpoint(&visitor, id.parse().map_err(|_| nothing())?, None).await
}

async fn act_on_endpoint(
    Path((id, action)): Path<(String, String)>,
    ShopSent { visitor, form: NoFields {} }: ShopSent<Owners, NoFields>,
) -> Result<Response, Problem> {
    let id: EndpointId = id.parse().map_err(|_| nothing())?;
    let (state, now) = (&visitor.state, visitor.state.clock.now());
    let endpoint = endpoints::own(state, &Whose::shop(visitor.at.shop.id), id).await?;
    let here = format!("{PATH}/endpoints/{id}");
    match action.as_str() {
        "enable" | "disable" => {
            let change = Change { enabled: Some(action == "enable"), ..Change::default() };
            state.webhook_endpoints.change(id, (&change, None), now).await?;
        }
        "delete" => {
            state.webhook_endpoints.delete(id).await?;
            return Ok(see_other(PATH));
        }
        "rotate" => {
            if !visitor.is_recent() {
                return Ok(see_other("/merchant/confirm?return_to=%2Fmerchant%2Fdevelopers"));
            }
            let opened = endpoints::rotated(state, id).await?;
            return shown_endpoint(&visitor, id, Some(opened.secret.reveal().to_owned())).await;
        }
        "test" => {
            endpoints::send_test(state, &endpoint).await?;
        }
        _ => return Err(nothing()),
    }
    Ok(see_other(&here))
}

async fn redeliver(
    Path(id): Path<String>,
    ShopSent { visitor, form: NoFields {} }: ShopSent<Owners, NoFields>,
) -> Result<Response, Problem> {
    let id: DeliveryId = id.parse().map_err(|_| nothing())?;
    let endpoint = endpoints::again(&visitor.state, &Whose::shop(visitor.at.shop.id), id).await?;
    Ok(see_other(&format!("{PATH}/endpoints/{endpoint}")))
}

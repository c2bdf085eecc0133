//! Where the shop's own server is told of what happens, and what it was told: each message with
//! what was sent and answered, a test, and sending again.

use askama::Template;
use axum::{
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;

use super::{EndpointRow, NoFields, PATH, SHOWN_MAX, after, check_recent};
use crate::{
    hooks_out::{Attempted, Change, Delivery, DeliveryId, EndpointId, EventTypes},
    http::{Problem, reach::nothing, session::see_other},
    pages::{
        Layout, Nav, act,
        merchant::{Owners, ShopSent, ShopVisitor},
        respond,
        ui::When,
    },
    routes::webhook_endpoints::{self as endpoints, EndpointIn, Whose},
};

/// How many groups of messages can be chosen.
pub(super) const GROUPS: usize = 4;

/// Messages of one kind of thing: a box on the form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// The field.
    pub(super) name: &'static str,
    /// What the types of its messages begin with.
    begins: &'static str,
    pub(super) words: &'static str,
}

/// What a shop can be told of.
pub(super) const fn groups() -> [Group; GROUPS] {
    [
        Group { name: "payments", begins: "payment.", words: "Payments and disputes" },
        Group { name: "refunds", begins: "refund.", words: "Refunds" },
        Group { name: "settlements", begins: "settlement.", words: "Settlements" },
        Group { name: "payouts", begins: "withdrawal.", words: "Payouts" },
    ]
}

/// The form. A box that is not chosen is not sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointForm {
    url: String,
    description: String,
    nonce: String,
    payments: Option<String>,
    refunds: Option<String>,
    settlements: Option<String>,
    payouts: Option<String>,
}

impl EndpointForm {
    /// The types that were chosen; none for all, also those that are still to come.
    fn event_types(&self) -> Vec<String> {
        let chosen = [&self.payments, &self.refunds, &self.settlements, &self.payouts];
        let chosen = chosen.into_iter().zip(groups()).filter(|(box_, _)| box_.is_some());
        let begins: Vec<&str> = chosen.map(|(_, group)| group.begins).collect();
        let is_wanted = |name: &&&str| begins.iter().any(|begin| name.starts_with(begin));
        EventTypes::all().iter().filter(is_wanted).map(|name| (*name).to_owned()).collect()
    }
}

/// Makes an endpoint, and shows its secret.
pub(super) async fn add(
    ShopSent { visitor, form }: ShopSent<Owners, EndpointForm>,
) -> Result<Response, Problem> {
    let done = make(&visitor, form).await;
    after(&visitor, done.map(|secret| secret.map(|secret| ("The endpoint's secret", secret)))).await
}

async fn make(
    visitor: &ShopVisitor<Owners>,
    form: EndpointForm,
) -> Result<Option<String>, Problem> {
    check_recent(visitor)?;
    let event_types = form.event_types();
    let key = act::key("webhook_endpoint", &form.nonce, &[&form.url, &event_types.join(" ")])?;
    let body = EndpointIn {
        url: form.url.trim().to_owned(),
        description: form.description.trim().to_owned(),
        event_types,
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
    /// Which messages it gets; nothing for all.
    types: String,
    /// The secret that was just made.
    fresh: Option<String>,
    deliveries: Vec<DeliveryRow>,
    older: Option<String>,
    is_first: bool,
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

async fn shown(
    visitor: &ShopVisitor<Owners>,
    (id, before): (EndpointId, Option<DeliveryId>),
    fresh: Option<String>,
) -> Result<Response, Problem> {
    let state = &visitor.state;
    let endpoint = endpoints::own(state, &Whose::shop(visitor.at.shop.id), id).await?;
    let found = state.webhook_deliveries.list(id, before, SHOWN_MAX).await?;
    let ids: Vec<DeliveryId> = found.iter().map(|delivery| delivery.id).collect();
    let is_full = u32::try_from(ids.len()).is_ok_and(|count| count == SHOWN_MAX);
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
        public_key: endpoint.public_key.clone().unwrap_or_default(),
        types: endpoint.event_types.names().join(", "),
        fresh,
        deliveries: rows,
        older: ids.last().filter(|_| is_full).map(ToString::to_string),
        is_first: before.is_none(),
    }))
}

/// Which deliveries are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    older: String,
}

/// One endpoint, with what was sent to it.
pub(super) async fn page(
    Path(id): Path<String>,
    Query(place): Query<Place>,
    visitor: ShopVisitor<Owners>,
) -> Result<Response, Problem> {
    let id = id.parse().map_err(|_| nothing())?;
    // What names no delivery shows the newest.
    shown(&visitor, (id, place.older.parse().ok()), None).await
}

/// Presses one of its buttons.
pub(super) async fn act_on(
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
            return shown(&visitor, (id, None), Some(opened.secret.reveal().to_owned())).await;
        }
        "test" => {
            endpoints::send_test(state, &endpoint).await?;
        }
        _ => return Err(nothing()),
    }
    Ok(see_other(&here))
}

/// Sends something again.
pub(super) async fn redeliver(
    Path(id): Path<String>,
    ShopSent { visitor, form: NoFields {} }: ShopSent<Owners, NoFields>,
) -> Result<Response, Problem> {
    let id: DeliveryId = id.parse().map_err(|_| nothing())?;
    let endpoint = endpoints::again(&visitor.state, &Whose::shop(visitor.at.shop.id), id).await?;
    Ok(see_other(&format!("{PATH}/endpoints/{endpoint}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_box_chooses_its_own_messages_and_none_of_them_all() {
        let of = |boxes: &str| -> Vec<String> {
            let sent = format!("url=x&description=&nonce=n{boxes}");
            serde_urlencoded::from_str::<EndpointForm>(&sent).unwrap().event_types()
        };
        assert!(of("").is_empty());
        assert_eq!(of("&settlements=on"), ["settlement.paid"]);
        for group in groups() {
            let chosen = of(&format!("&{}=on", group.name));
            assert!(!chosen.is_empty() && chosen.iter().all(|name| name.starts_with(group.begins)));
        }
        let both = of("&refunds=on&payouts=on");
        assert!(both.iter().any(|name| name == "refund.failed"));
        assert!(both.iter().any(|name| name == "withdrawal.returned"));
        assert!(!both.iter().any(|name| name == "payment.completed"));
    }
}

//! Being paid: one's own QR code; and taking what waits for one's number.

use askama::Template;
use axum::{extract::Path, response::Response};
use ledger_core::ids::TransferId;
use serde::{Deserialize, Serialize};

use super::made;
use crate::{
    http::{Problem, reach::nothing},
    links::OurLink,
    pages::{
        Layout, Nav, Visitor, act, respond,
        ui::{Countdown, MoneyView, QrCard},
        visitor::Sent,
    },
    transfers::{self, Claim},
    wallet,
};

/// The most that is shown at once; the rest when these are taken.
const WAITING_MAX: u32 = 20;

#[derive(Template)]
#[template(path = "app/receive.html")]
struct ReceiveView {
    layout: Layout,
    qr: Option<QrCard>,
    link: String,
}

/// One's own code, to be shown or printed.
pub(super) async fn page(visitor: Visitor) -> Result<Response, Problem> {
    let person = &visitor.who.person;
    let link = OurLink::to_handle(person.handle.clone()).to_string();
    let view = ReceiveView {
        layout: visitor.layout("Receive", Nav::Move),
        qr: QrCard::new(&link, person.name.expose(), format!("@{}", person.handle)),
        link,
    };
    Ok(respond::page(&view))
}

/// Money that waits for whoever has proved their number.
pub(in crate::pages) struct WaitsForMe {
    pub(in crate::pages) id: String,
    pub(in crate::pages) amount: MoneyView,
    pub(in crate::pages) left: Countdown,
    pub(in crate::pages) nonce: String,
}

/// What waits for somebody's number.
pub(in crate::pages) async fn waiting(visitor: &Visitor) -> Result<Vec<WaitsForMe>, Problem> {
    let book = visitor.state.ledger.status().borrow().book.clone();
    let code = visitor.wallet.currency().map_err(|error| Problem::internal(&error))?;
    let currency = book.currency(code).ok_or_else(nothing)?;
    let person = visitor.who.person.id;
    let (_, found) = transfers::waiting_for(&visitor.state, person, WAITING_MAX).await?;
    let shown = found.into_iter().map(|one| {
        let amount = wallet::money(one.amount, currency);
        Ok(WaitsForMe {
            id: one.id.to_string(),
            amount: MoneyView::incoming(amount.map_err(|error| Problem::internal(&error))?),
            left: Countdown::new(one.expires_at.unwrap_or(one.begun_at), visitor.now()),
            nonce: visitor.nonce(),
        })
    });
    shown.collect()
}

/// The form of the button.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimForm {
    nonce: String,
}

/// Takes what waits.
pub(super) async fn claim(
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<ClaimForm>,
) -> Result<Response, Problem> {
    let transfer: TransferId = id.parse().map_err(|_| nothing())?;
    let key = act::key("claim", &form.nonce, &[&id])?;
    let claim = Claim { account: None, phone: None };
    transfers::claim(&visitor.writer()?, transfer, key, claim, &form).await?;
    Ok(made(&visitor, &transfer))
}

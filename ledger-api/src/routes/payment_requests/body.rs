//! Payment requests on the wire.

use chrono::{DateTime, Utc};
use ledger_core::{
    command::Receipt,
    ids::{PaymentId, PaymentRequestId},
    log::Position,
    money::{Currency, Money},
    payment_request::PaymentRequestStatus,
};
use projections::PaymentRequestRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    deposits::{Incoming, IncomingState},
    http::{
        ApiState, Problem,
        wire::Amount,
        writer::{Done, wrong_receipt},
    },
    payments::{RequestIn, link_of, shop_of},
    shops::{Merchant, MerchantId},
};

/// A payment request.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = PaymentRequest)]
pub(super) struct RequestOut {
    /// Its id.
    #[schema(value_type = String, example = "pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) id: PaymentRequestId,
    /// Always `payment_request`.
    #[schema(example = "payment_request")]
    pub(super) object: String,
    /// Where it is in its life.
    #[schema(value_type = PaymentRequestStatusWord)]
    pub(super) status: PaymentRequestStatus,
    /// Whether nothing more can become of it.
    #[serde(rename = "final")]
    pub(super) is_final: bool,
    /// The shop.
    #[schema(value_type = Option<String>, example = "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) merchant: Option<MerchantId>,
    /// What the shop is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) merchant_name: Option<String>,
    /// How much; if it is missing, whoever pays says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Amount>,
    /// What the shop knows it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) order_id: Option<String>,
    /// In which store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<String>,
    /// At which terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) terminal: Option<String>,
    /// Whether one payment ends it.
    pub(super) single_use: bool,
    /// What paid it, if it is for one payment and was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) payment: Option<PaymentId>,
    /// Until when it can be paid, if there is an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// Words for whoever pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    /// What its QR code says, with the name and address that the shop has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "upi://pay?pa=chai@bahi&pn=Chai%20Point&tr=pr_0193&am=120.00&cu=INR")]
    pub(super) link: Option<String>,
    /// What comes for it from other banks, or came and went back, the newest first; only where its
    /// shop asks for the one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) incoming: Option<Vec<IncomingOut>>,
    /// When it was made.
    pub(super) created_at: DateTime<Utc>,
    /// When this was recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// The position that the answer reflects.
    pub(super) position: u64,
}

impl RequestOut {
    /// What a row says; with the code, if the shop is there.
    pub(super) fn of(
        state: &ApiState,
        row: PaymentRequestRow,
        (shop, words): (Option<&Merchant>, Option<String>),
        position: Position,
    ) -> Self {
        let link = shop.map(|shop| {
            let amount = money(state, &row);
            link_of(shop, row.id, amount, words.as_deref()).to_string()
        });
        Self {
            id: row.id,
            object: "payment_request".to_owned(),
            status: row.status,
            is_final: row.status.is_final(),
            merchant: shop_of(&row.merchant),
            merchant_name: shop.map(|shop| shop.display_name.expose().to_owned()),
            amount: row.amount.map(|amount| Amount::new(amount, row.currency)),
            order_id: row.order_id,
            store: row.store,
            terminal: row.terminal,
            single_use: row.single_use,
            payment: row.payment,
            expires_at: row.expires_at,
            description: words,
            link,
            incoming: None,
            created_at: row.created_at,
            recorded_at: row.changed_at,
            position,
        }
    }

    /// The request that was just made, from the stored outcome and what was asked for.
    pub(super) fn made(
        state: &ApiState,
        (done, shop): (&Done, &Merchant),
        body: &RequestIn,
    ) -> Result<Self, Problem> {
        let accepted = &done.accepted;
        let Receipt::PaymentRequest {
            request_id,
            status,
            merchant,
            currency,
            amount,
            payment_id,
            expires_at,
        } = &accepted.receipt
        else {
            return Err(wrong_receipt(&accepted.receipt));
        };
        let terminal = body.terminal.map(|terminal| terminal.to_string());
        let row = PaymentRequestRow {
            id: *request_id,
            merchant: merchant.clone(),
            currency: *currency,
            amount: *amount,
            order_id: body.order_id.as_ref().map(ToString::to_string),
            store: body.store.map(|store| store.to_string()),
            terminal,
            single_use: body.single_use,
            status: *status,
            payment: *payment_id,
            expires_at: *expires_at,
            created_at: accepted.recorded_at,
            created_position: accepted.first_position,
            changed_at: accepted.recorded_at,
            last_position: accepted.position,
        };
        let words = body.description.clone();
        Ok(Self::of(state, row, (Some(shop), words), accepted.position))
    }
}

/// What comes for a request from another bank.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = IncomingPayment)]
pub(super) struct IncomingOut {
    /// The payment that it is, or would be.
    #[schema(value_type = String)]
    pub(super) payment: PaymentId,
    /// `processing` (the bank has told of it), `completed` (the shop has it) or `failed` (it goes
    /// back to its payer).
    #[schema(example = "processing")]
    pub(super) status: String,
    /// How much, as the bank says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Amount>,
    /// Why the shop cannot have it: a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// When the bank first told of it.
    pub(super) created_at: DateTime<Utc>,
}

impl IncomingOut {
    /// What the notes say.
    pub(super) fn of(state: &ApiState, coming: Incoming) -> Self {
        let book = state.ledger.status().borrow().book.clone();
        let currency = coming.credit.account.currency().ok().and_then(|code| book.currency(code));
        let amount = coming.amount.zip(currency).map(|(mut value, currency)| {
            value.rescale(u32::from(currency.scale));
            Amount::new(value, currency.code)
        });
        let status = match coming.state {
            IncomingState::Processing => "processing",
            IncomingState::Paid => "completed",
            IncomingState::Failed => "failed",
        };
        Self {
            payment: coming.payment,
            status: status.to_owned(),
            amount,
            reason: coming.reason,
            created_at: coming.told_at,
        }
    }
}

/// The amount of a request as money of the book.
fn money(state: &ApiState, row: &PaymentRequestRow) -> Option<Money> {
    let currency: Currency = state.ledger.status().borrow().book.currency(row.currency)?;
    Money::parse(&row.amount?.to_string(), currency).ok()
}

/// Where a payment request is in its life.
#[derive(ToSchema)]
#[schema(as = PaymentRequestStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum PaymentRequestStatusWord {
    /// It can be paid.
    Open,
    /// It was for one payment, and that was made.
    Paid,
    /// Nobody paid it in time.
    Expired,
    /// The shop took it back.
    Closed,
}

//! What can happen to a payment request.

use cqrs_es::DomainEvent;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    ids::{MerchantCode, PaymentId, Reference},
    log::event_names,
    money::CurrencyCode,
};

/// One fact of a payment request's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PaymentRequestEvent {
    /// It can be paid from here on.
    Created(Created),
    /// It is for one payment, and that was made. An end.
    Paid(Paid),
    /// Its time had come. An end.
    Expired {},
    /// The shop took it back. An end.
    Closed {},
}

/// The request's fixed properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Created {
    /// The shop.
    pub merchant: MerchantCode,
    /// The currency that it is paid in.
    pub currency: CurrencyCode,
    /// How much; nothing = as much as the payer says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The shop's own number of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Reference>,
    /// In which of the shop's stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<Reference>,
    /// At which of the store's terminals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Reference>,
    /// Whether one payment ends it.
    pub single_use: bool,
    /// When it ends by itself; a payment at or after this moment is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// The one payment of it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paid {
    /// The payment.
    pub payment_id: PaymentId,
}

event_names!(PaymentRequestEvent {
    Created(_) => "created",
    Paid(_) => "paid",
    Expired {} => "expired",
    Closed {} => "closed",
});

impl DomainEvent for PaymentRequestEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}

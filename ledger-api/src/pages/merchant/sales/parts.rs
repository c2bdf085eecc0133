//! What a settlement or a payout is made of, as lines of a file in the columns that shops know:
//! type, order id, our id, instrument, created, amount, fee, tax, settled at, UTR.
//!
//! `amount − fee − tax` of all lines of a settlement is what became available by it, to the paisa.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use projections::PaymentRow;
use rust_decimal::Decimal;

use crate::{deposits::is_outside, pages::spreadsheet};

/// The columns.
pub(super) const HEAD: &str =
    "type,order id,our id,instrument,created,amount,fee,tax,settled at,utr";

/// One line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) kind: &'static str,
    pub(super) order: String,
    pub(super) id: String,
    pub(super) instrument: &'static str,
    pub(super) created: Option<DateTime<Utc>>,
    pub(super) amount: Decimal,
    pub(super) fee: Decimal,
    pub(super) tax: Decimal,
    pub(super) settled: Option<DateTime<Utc>>,
    pub(super) utr: String,
}

impl Line {
    /// The line as text.
    pub(super) fn text(&self) -> String {
        let at = |at: Option<DateTime<Utc>>| {
            at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default()
        };
        let cells = [
            self.kind.to_owned(),
            self.order.clone(),
            self.id.clone(),
            self.instrument.to_owned(),
            at(self.created),
            paise(self.amount),
            paise(self.fee),
            paise(self.tax),
            at(self.settled),
            self.utr.clone(),
        ];
        spreadsheet::line(cells.into_iter().map(Cow::Owned))
    }
}

/// What somebody paid with.
pub(super) fn instrument(payment: &PaymentRow) -> &'static str {
    if is_outside(&payment.payer) { "UPI" } else { "WALLET" }
}

/// An amount with two decimals at least: the database keeps a zero without.
pub(in crate::pages::merchant) fn paise(mut amount: Decimal) -> String {
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}

/// The lines of a settlement: each payment, what had gone back of it before, what repaid a debt.
pub(super) fn of_settlement(payments: &[PaymentRow], repaid: Decimal, utr: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for payment in payments {
        let line = Line {
            kind: "PAYMENT",
            order: payment.order_id.clone().unwrap_or_default(),
            id: payment.id.to_string(),
            instrument: instrument(payment),
            created: Some(payment.paid_at),
            amount: payment.gross,
            fee: payment.fee,
            tax: payment.tax,
            settled: payment.settled_at,
            utr: utr.to_owned(),
        };
        lines.push(line.text());
        let gone = payment.net.saturating_sub(payment.settled.unwrap_or(payment.net));
        if !gone.is_zero() {
            let (fee, tax) = (Decimal::ZERO, Decimal::ZERO);
            lines.push(Line { kind: "REFUND", amount: -gone, fee, tax, ..line }.text());
        }
    }
    if !repaid.is_zero() {
        let (instrument, utr) = ("LEDGER", utr.to_owned());
        let line = Line { kind: "REPAYMENT", instrument, amount: -repaid, utr, ..Line::default() };
        lines.push(line.text());
    }
    lines
}

//! A dispute as both sides see it: how much, whose it is for now, what was said, and saying more.

use ledger_core::{
    ids::PaymentId,
    payment::{DisputeWinner, Payment},
};

use super::{
    Visitor,
    ui::{MoneyView, Status, When, money_text},
};
use crate::{
    http::Problem,
    payments::{Said, Side},
};

/// Why a payer disputes: codes that stay in the log, and their words.
pub(super) const REASONS: [(&str, &str); 4] = [
    ("not_delivered", "It never came"),
    ("not_as_described", "It is not what was sold"),
    ("not_mine", "I did not pay this"),
    ("duplicate", "I paid twice"),
];

/// The dispute of a payment; shown by `dispute.html`.
pub(super) struct DisputeView {
    pub(super) status: Status,
    pub(super) amount: MoneyView,
    pub(super) words: String,
    pub(super) said: Vec<SaidView>,
    /// The nonce of the form that says more; nothing for who may not.
    pub(super) nonce: Option<String>,
    /// Where that form goes.
    pub(super) action: String,
}

/// Something that was said.
pub(super) struct SaidView {
    pub(super) who: &'static str,
    pub(super) words: String,
    pub(super) when: When,
}

impl DisputeView {
    /// The dispute, if there is one, for whoever looks at it at `path`.
    pub(super) async fn of(
        visitor: &Visitor,
        (id, payment): (PaymentId, &Payment),
        path: &str,
    ) -> Result<Option<Self>, Problem> {
        let (Some(dispute), Some(paid)) = (payment.dispute(), payment.properties()) else {
            return Ok(None);
        };
        let currency = paid.payer.currency().map_err(|error| Problem::internal(&error))?;
        let amount = visitor.money(dispute.amount, currency)?;
        let of_shop = visitor.shop.is_some();
        let may = visitor.shop.as_ref().is_none_or(|at| at.role.decides());
        let said = visitor.state.dispute_words.about(id).await?;
        let nonce = (dispute.is_open() && may).then(|| visitor.nonce());
        Ok(Some(Self {
            status: if dispute.is_open() { Status::InReview } else { Status::Done },
            words: words(dispute.won_by, of_shop, &money_text(&amount)),
            amount: MoneyView::plain(amount),
            said: said.into_iter().map(|said| shown(visitor, said, of_shop)).collect(),
            nonce,
            action: format!("{path}/evidence"),
        }))
    }
}

fn words(won_by: Option<DisputeWinner>, of_shop: bool, amount: &str) -> String {
    match (won_by, of_shop) {
        (None, true) => format!(
            "{amount} of this payment is held until a person of ours has decided whose it is. Say \
             what you know: when it was handed over, and what proves it."
        ),
        (None, false) => format!(
            "{amount} is lent to you until a person of ours has decided whose it is. If the shop \
             is right, it is taken back."
        ),
        (Some(DisputeWinner::Payer), true) => format!("Decided for the payer: {amount} is theirs."),
        (Some(DisputeWinner::Payer), false) => format!("Decided for you: {amount} is yours."),
        (Some(DisputeWinner::Merchant), true) => {
            format!("Decided for you: {amount} is yours again.")
        }
        (Some(DisputeWinner::Merchant), false) => {
            format!("Decided for the shop: {amount} that was lent to you was taken back.")
        }
    }
}

fn shown(visitor: &Visitor, said: Said, of_shop: bool) -> SaidView {
    let who = match (said.side, of_shop) {
        (Side::Payer, false) | (Side::Shop, true) => "You",
        (Side::Payer, true) => "The payer",
        (Side::Shop, false) => "The shop",
        (Side::Desk, _) => "A person of ours",
    };
    let words = said.words.unwrap_or_else(|| "Erased, with all that was theirs.".to_owned());
    SaidView { who, words, when: visitor.when(said.at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_reads_where_the_money_is() {
        let said = |won, shop| words(won, shop, "₹5.00");
        assert!(said(None, true).starts_with("₹5.00 of this payment is held"));
        assert!(said(None, false).starts_with("₹5.00 is lent to you"));
        let payer = Some(DisputeWinner::Payer);
        assert_eq!(said(payer, true), "Decided for the payer: ₹5.00 is theirs.");
        assert_eq!(said(payer, false), "Decided for you: ₹5.00 is yours.");
        let shop = Some(DisputeWinner::Merchant);
        assert!(said(shop, true).ends_with("is yours again."));
        assert!(said(shop, false).ends_with("was taken back."));
    }
}

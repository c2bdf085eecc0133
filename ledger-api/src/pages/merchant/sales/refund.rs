//! Giving a payment back, in part or whole, and giving up what waits. Both are requests to the
//! ledger with a key of the form's own, so a second click does it once.

use axum::{extract::Path, response::Response};
use ledger_core::{
    ids::{PaymentId, RefundId},
    money::{Money, MoneyError},
};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{one, own_payment};
use crate::{
    http::{Problem, reach::nothing, session::see_other},
    pages::{
        FormErrors, act,
        merchant::{Owners, ShopSent, ShopVisitor},
        ui::money_text,
    },
    payments::{self, RefundIn},
};

/// Above so many rupees the amount has to be typed twice.
pub(super) const TYPED_ABOVE: u32 = 10_000;
/// Why a shop gives back: codes that stay in the log, and their words.
pub(super) const REASONS: [(&str, &str); 4] = [
    ("returned", "Goods came back"),
    ("not_delivered", "Not delivered"),
    ("duplicate", "Paid twice"),
    ("goodwill", "Goodwill"),
];

/// The form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundForm {
    pub(super) amount: String,
    #[serde(default)]
    pub(super) again: String,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) nonce: String,
}

/// What gives up a refund that waits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelForm {
    nonce: String,
}

/// Who loads the address of the form again finds the payment.
pub(super) async fn back(Path(id): Path<String>) -> Response {
    see_other(&address(&id))
}

fn address(id: &str) -> String {
    match id.parse::<PaymentId>() {
        Ok(id) => format!("/merchant/payments/{id}"),
        Err(_) => "/merchant/payments".to_owned(),
    }
}

/// Gives back what the form says, once for its nonce.
pub(super) async fn give_back(
    Path(id): Path<String>,
    ShopSent { visitor, form }: ShopSent<Owners, RefundForm>,
) -> Result<Response, Problem> {
    let (row, history) = own_payment(&visitor, &id).await?;
    let left = visitor.money(history.payment.left(), row.currency)?;
    let amount = match amount(&form, left) {
        Ok(amount) => amount,
        Err(errors) => return one::show(&visitor, &id, form, errors).await,
    };
    match send(&visitor, row.id, &form, amount).await {
        Ok(()) => Ok(see_other(&address(&id))),
        Err(problem) => {
            let errors = refused(problem, left)?;
            // What was refused is no request any more: the next try is another.
            let form = RefundForm { nonce: String::new(), ..form };
            one::show(&visitor, &id, form, errors).await
        }
    }
}

async fn send(
    visitor: &ShopVisitor<Owners>,
    id: PaymentId,
    form: &RefundForm,
    amount: Money,
) -> Result<(), Problem> {
    let wire = serde_json::json!({
        "amount": {
            "value": amount.amount().to_string(),
            "currency": amount.currency().code.to_string(),
        },
        "reason": REASONS.iter().map(|(code, _)| *code).find(|code| *code == form.reason),
    });
    let body: RefundIn = serde_json::from_value(wire).map_err(|error| Problem::internal(&error))?;
    let text = id.to_string();
    let value = amount.amount().to_string();
    let key = act::key("refund", &form.nonce, &[&text, &value, &form.reason])?;
    payments::refund(&visitor.writer()?, id, key, &body).await.map(drop)
}

/// The amount, if it is one that is left; a large one only if it was typed twice. What a second
/// click of the same form asks for may be gone by the first: that is the ledger's to answer.
fn amount(form: &RefundForm, left: Money) -> Result<Money, FormErrors> {
    let parse = |text: &str| Money::parse(&act::amount_typed(text), left.currency());
    let amount = match parse(&form.amount) {
        Ok(amount) if amount.is_positive() => amount,
        Ok(_) => return Err(FormErrors::one("amount", "Enter an amount above zero.")),
        Err(MoneyError::Scale) => {
            return Err(FormErrors::one("amount", "Rupees have two decimals, such as 99.50."));
        }
        Err(_) => {
            return Err(FormErrors::one("amount", "Enter an amount such as 250 or 99.50."));
        }
    };
    let is_large = amount.amount() > Decimal::from(TYPED_ABOVE);
    if is_large && parse(&form.again).ok() != Some(amount) {
        let text = format!("Type {} once more: this is a large refund.", money_text(&amount));
        return Err(FormErrors::one("again", text));
    }
    Ok(amount)
}

/// What a refusal means for the form.
fn refused(problem: Problem, left: Money) -> Result<FormErrors, Problem> {
    if problem.status() != 422 && problem.status() != 409 {
        return Err(problem);
    }
    let body = problem.body();
    let errors = match &*body.code {
        "refund_exceeds_payment" | "already_refunded" => {
            let text = format!("At most {} of this payment can still go back.", money_text(&left));
            FormErrors::one("amount", text)
        }
        _ => FormErrors::one("", format!("{} · {}", body.title, body.detail)),
    };
    Ok(errors)
}

/// Gives up a refund that still waits.
pub(super) async fn cancel(
    Path((id, refund)): Path<(String, String)>,
    ShopSent { visitor, form }: ShopSent<Owners, CancelForm>,
) -> Result<Response, Problem> {
    let (row, _) = own_payment(&visitor, &id).await?;
    let refund_id: RefundId = refund.parse().map_err(|_| nothing())?;
    let rows = visitor.state.read_models.refunds_of(row.id).await?.value;
    if !rows.iter().any(|one| one.id == refund_id) {
        return Err(nothing());
    }
    let key = act::key("cancel-refund", &form.nonce, &[&refund_id.to_string()])?;
    let nothing_more = serde_json::json!({});
    let done = payments::cancel_refund(&visitor.writer()?, refund_id, key, &nothing_more).await;
    match done {
        Ok(_) => Ok(see_other(&address(&id))),
        Err(problem) if matches!(problem.status(), 409 | 422) => {
            let text = "Too late to give it up: it is not waiting any more.";
            let errors = FormErrors::one("", text);
            one::show(&visitor, &id, RefundForm::default(), errors).await
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_core::money::Currency;

    fn rupees(text: &str) -> Money {
        Money::parse(text, Currency { code: "INR".parse().unwrap(), scale: 2 }).unwrap()
    }

    fn typed(amount: &str, again: &str) -> RefundForm {
        let (amount, again) = (amount.to_owned(), again.to_owned());
        RefundForm { amount, again, ..RefundForm::default() }
    }

    #[test]
    fn a_large_refund_is_typed_twice_and_a_small_one_once() {
        let left = rupees("50000");
        let read = |amount, again| super::amount(&typed(amount, again), left);
        assert_eq!(read("₹10,000.00", "").unwrap(), rupees("10000"));
        assert!(!read("10000.01", "").unwrap_err().of("again").is_empty());
        assert!(!read("10000.01", "10000.10").unwrap_err().of("again").is_empty());
        assert_eq!(read("10000.01", "10,000.01").unwrap(), rupees("10000.01"));
        for bad in ["", "0", "-5", "1e3", "1.005", "<b>"] {
            assert!(!read(bad, bad).unwrap_err().of("amount").is_empty(), "{bad}");
        }
    }
}

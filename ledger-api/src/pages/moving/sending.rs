//! The bank that would send a withdrawal, as the form shows it before anything is confirmed: how it
//! is, what it costs, and by when the money would be there.

use futures::future::{join, join_all};
use ledger_core::{
    fee::Service,
    ids::BankCode,
    money::{Currency, Money},
};

use super::{Notice, add};
use crate::{
    fees,
    http::{Problem, codes, wire::Amount},
    pages::{
        Visitor, act,
        ui::{Cell, MoneyView, Pair, Pairs},
    },
    wallet::{self, Balances, Quoted, Sending, Sends, Typed},
};

const FEE: &str = "Fee, tax included";

/// What the form says of the bank.
pub(in crate::pages) struct SendingView {
    /// How it is, in the words of a chip.
    pub(in crate::pages) chip: String,
    /// The chip's colours.
    pub(in crate::pages) tone: &'static str,
    /// What there is to say of it, unless it just sends.
    pub(in crate::pages) notice: Option<Notice>,
    /// What it costs, and by when the money would be there.
    pub(in crate::pages) facts: Pairs,
}

/// What the form says before an amount is known: of what was typed if that is one, else of all that
/// could be withdrawn, else of one unit. All banks are asked at once: one that hangs is waited for
/// once.
pub(in crate::pages) async fn view(
    visitor: &Visitor,
    balances: &Balances,
    typed: &str,
) -> Result<SendingView, Problem> {
    let state = &visitor.state;
    let asked = state.banks.iter().map(|bank| async move {
        let sending = wallet::sending(state, bank.code()).await;
        (bank.code().clone(), sending)
    });
    let (all, quoted) = join(join_all(asked), quoted(visitor, balances, typed)).await;
    let Some(quoted) = quoted? else { return Ok(unknown(visitor, balances.available)) };
    let sending = match all.into_iter().find(|(bank, _)| *bank == quoted.bank) {
        Some((_, sending)) => sending?,
        None => return Ok(unknown(visitor, balances.available)),
    };
    let (chip, tone) = chip(&quoted.bank, sending);
    let notice = notice(&quoted.bank, sending);
    let facts = facts(visitor, &quoted, balances.currency)?;
    Ok(SendingView { chip, tone, notice, facts })
}

async fn quoted(
    visitor: &Visitor,
    balances: &Balances,
    typed: &str,
) -> Result<Option<Quoted>, Problem> {
    let typed = act::amount(typed, balances).ok();
    let one = Money::parse("1", balances.currency).ok();
    let typed = typed.or_else(|| super::withdraw::whole(visitor, balances));
    for amount in [typed, one].into_iter().flatten() {
        if let Some(quoted) = quote(visitor, amount).await? {
            return Ok(Some(quoted));
        }
    }
    Ok(None)
}

/// A quote; nothing where no bank would take the amount now, which is no failure of the form's.
async fn quote(visitor: &Visitor, amount: Money) -> Result<Option<Quoted>, Problem> {
    let (value, currency) = (amount.amount().to_string(), amount.currency().code.to_string());
    let asked = Typed { value: &value, currency: &currency };
    let unfit =
        [codes::BANK_DRAINING, codes::BANK_UNKNOWN, codes::RAIL_UNKNOWN, codes::AMOUNT_OVERFLOW];
    match wallet::quote(visitor.writer()?, asked).await {
        Ok(quoted) => Ok(Some(quoted)),
        Err(problem) if unfit.iter().any(|code| code.name == problem.code()) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// What is said where no bank would take it: what it costs, and nothing of times.
fn unknown(visitor: &Visitor, amount: Money) -> SendingView {
    let price = fees::price_now(&visitor.state, Service::Withdrawal, amount).ok();
    let fee = price.map(|price| Pair::new(FEE, MoneyView::plain(price.quote.fee)));
    SendingView {
        chip: "No bank sends this now".to_owned(),
        tone: "unknown",
        notice: None,
        facts: Pairs::new(fee.into_iter().collect()),
    }
}

fn facts(visitor: &Visitor, quoted: &Quoted, currency: Currency) -> Result<Pairs, Problem> {
    let fee = amount_of(&quoted.fee, currency)?;
    Ok(Pairs::new(vec![Pair::new(FEE, MoneyView::plain(fee)), arrives(visitor, quoted)]))
}

/// By when the money would be there.
pub(super) fn arrives(visitor: &Visitor, quoted: &Quoted) -> Pair {
    match quoted.arrives_by {
        Some(at) => Pair::new("Arrives by", visitor.when(at)),
        None => Pair::new("Arrives", Cell::from("The bank doesn’t say at the moment")),
    }
}

/// An amount of an answer as money.
pub(super) fn amount_of(amount: &Amount, currency: Currency) -> Result<Money, Problem> {
    wallet::money(amount.value(), currency).map_err(|error| Problem::internal(&error))
}

/// "HDFC slow right now, ~20 min".
fn chip(bank: &BankCode, sending: Sending) -> (String, &'static str) {
    let name = add::name(bank.as_str());
    match sending.sends {
        Sends::Well => (format!("{name} working"), "done"),
        Sends::Slowly => match sending.about_seconds.and_then(about) {
            Some(about) => (format!("{name} slow right now, {about}"), "waiting"),
            None => (format!("{name} slow right now"), "waiting"),
        },
        Sends::NotNow => (format!("{name} not taking transfers"), "unknown"),
    }
}

/// So many seconds, as roughly as they are known; nothing of less than a minute.
fn about(seconds: u64) -> Option<String> {
    Some(match seconds {
        ..=59 => return None,
        60..=569 => format!("~{} min", seconds.saturating_add(30) / 60),
        570..=5_399 => format!("~{} min", seconds.saturating_add(150) / 300 * 5),
        _ => format!("~{} h", seconds.saturating_add(1_800) / 3_600),
    })
}

/// What there is to say of the bank that would send it, unless it just does.
pub(super) fn notice(bank: &BankCode, sending: Sending) -> Option<Notice> {
    let name = add::name(bank.as_str());
    match sending.sends {
        Sends::Well => None,
        Sends::Slowly => {
            let about = sending.about_seconds.and_then(about);
            let about = about.map(|about| format!(" ({about})")).unwrap_or_default();
            Some(Notice {
                tone: "waiting",
                title: format!("{name} is slow right now{about}"),
                text: "Your withdrawal waits its turn, and its page shows where it is. You can \
                       cancel it until the bank has it.",
            })
        }
        Sends::NotNow => Some(Notice {
            tone: "waiting",
            title: format!("{name} isn’t taking transfers right now"),
            text: "You can still withdraw: we queue it, and nothing leaves your wallet twice. \
                   Cancel any time until the bank has it.",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_roughly_as_they_are_known() {
        let told = [59, 60, 95, 569, 570, 1_200, 1_349, 5_399, 5_400, 9_000].map(about);
        let told: Vec<_> = told.iter().map(|about| about.as_deref().unwrap_or("")).collect();
        assert_eq!(
            told,
            [
                "", "~1 min", "~2 min", "~9 min", "~10 min", "~20 min", "~20 min", "~90 min",
                "~2 h", "~3 h"
            ]
        );
    }

    #[test]
    fn a_bank_is_named_with_how_it_is() {
        let bank = "hdfc".parse().unwrap();
        let said = |sends, about_seconds| {
            let sending = Sending { sends, about_seconds };
            let notice = notice(&bank, sending).map(|notice| notice.title);
            (chip(&bank, sending).0, notice.unwrap_or_default())
        };
        assert_eq!(said(Sends::Well, Some(1)), ("HDFC working".to_owned(), String::new()));
        let (chip, title) = said(Sends::Slowly, Some(1_200));
        assert_eq!(chip, "HDFC slow right now, ~20 min");
        assert_eq!(title, "HDFC is slow right now (~20 min)");
        assert_eq!(said(Sends::Slowly, None).0, "HDFC slow right now");
        assert_eq!(said(Sends::NotNow, Some(9)).1, "HDFC isn’t taking transfers right now");
    }
}

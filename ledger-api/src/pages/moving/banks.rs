//! `/app/banks`: whom withdrawals go to. An account counts once its bank has said whose it is.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use ledger_core::ids::BankAccountId;
use serde::Deserialize;

use super::withdraw::{all, filled_way};
use crate::{
    banks::{
        AccountNumber, Ifsc, PayeeName,
        accounts::{BankAccount, BankAccountStatus, Shown, Why, masked},
    },
    http::{Problem, session::see_other},
    pages::{
        FormErrors, Layout, Nav, Visitor, act, respond,
        ui::{EmptyState, Status, When},
        visitor::Sent,
    },
    wallet,
};

#[derive(Template)]
#[template(path = "app/banks.html")]
struct BanksView {
    layout: Layout,
    errors: FormErrors,
    may_change: bool,
    accounts: Vec<AccountView>,
    empty: EmptyState,
    filled: Filled,
    nonce: String,
}

struct AccountView {
    id: String,
    name: String,
    owner: String,
    status: Status,
    words: String,
    since: When,
    can_check: bool,
    /// Where money is sent to it from; empty while none can be.
    withdraw: String,
}

#[derive(Default)]
struct Filled {
    ifsc: String,
    name: String,
}

/// The list, and the form for another one.
pub(super) async fn page(visitor: Visitor) -> Result<Response, Problem> {
    page_for(&visitor).await
}

/// The same, for whoever may see it. A shop's account is in its legal name.
pub(in crate::pages) async fn page_for(visitor: &Visitor) -> Result<Response, Problem> {
    let name = match &visitor.shop {
        Some(at) => at.shop.legal_name.expose(),
        None => visitor.who.person.name.expose(),
    };
    let filled = Filled { name: name.to_owned(), ..Filled::default() };
    show(visitor, filled, FormErrors::none()).await
}

async fn show(visitor: &Visitor, filled: Filled, errors: FormErrors) -> Result<Response, Problem> {
    let accounts = all(visitor).await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = BanksView {
        layout: visitor.layout("Bank accounts", nav(visitor)),
        may_change: visitor.shop.as_ref().is_none_or(|at| at.role.decides()),
        errors,
        accounts: accounts.into_iter().filter_map(|one| account(visitor, one)).collect(),
        empty: EmptyState::new(
            "bank",
            "No bank account yet",
            "Add the one that your withdrawals should go to. We ask its bank whose it is first.",
        ),
        filled,
        nonce: visitor.nonce(),
    };
    Ok(respond::page_with(status, &view))
}

fn account(visitor: &Visitor, account: BankAccount) -> Option<AccountView> {
    let shown = account.shown?;
    let (status, words, can_check) = match account.status {
        BankAccountStatus::Unverified => {
            (Status::Waiting, "The bank has not said whose it is yet.".to_owned(), true)
        }
        BankAccountStatus::Verified => (Status::Done, said(&shown), false),
        BankAccountStatus::Refused(why) => (Status::Rejected, refusal(why).to_owned(), true),
        BankAccountStatus::Deleted => return None,
    };
    let id = account.id.to_string();
    let pays = account.status == BankAccountStatus::Verified;
    Some(AccountView {
        withdraw: if pays { filled_way(visitor, "", &id) } else { String::new() },
        id,
        name: masked(&shown.ifsc, &shown.last_four),
        owner: shown.name,
        status,
        words,
        since: visitor.when(account.created_at),
        can_check,
    })
}

/// Whose the account is: by the bank's word where it gave one, else by its agreement.
pub(super) fn said(shown: &Shown) -> String {
    match &shown.registered_name {
        Some(name) => format!("Bank says: {name}"),
        None => format!("The bank agrees: {}", shown.name),
    }
}

const fn refusal(why: Why) -> &'static str {
    match why {
        Why::NameDiffers => {
            "The bank knows another name for this account. Remove it and add it with the name \
             as it stands in your passbook."
        }
        Why::AccountClosed => "The bank says that this account is closed.",
        Why::AccountUnknown => "The bank knows no such account. Check the number and the IFSC.",
    }
}

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct AddForm {
    ifsc: String,
    account_number: String,
    account_number_again: String,
    name: String,
    nonce: String,
}

/// Keeps a bank account and asks its bank at once. If the bank does not answer it stays unchecked,
/// and the list has a button to ask again.
pub(super) async fn add(sent: Sent<AddForm>) -> Result<Response, Problem> {
    add_for(&sent.visitor, sent.form).await
}

/// The same, for whoever may.
pub(in crate::pages) async fn add_for(
    visitor: &Visitor,
    form: AddForm,
) -> Result<Response, Problem> {
    let ifsc = form.ifsc.trim().to_ascii_uppercase();
    let filled = || Filled { ifsc: ifsc.clone(), name: form.name.clone() };
    let digits = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let (number, again) = (digits(&form.account_number), digits(&form.account_number_again));
    let errors = wrong(&ifsc, (&number, &again), form.name.trim());
    if !errors.is_empty() {
        return show(visitor, filled(), errors).await;
    }
    let key = act::key("bank_account", &form.nonce, &[&ifsc, &number, &form.name])?;
    let made =
        wallet::add_bank_account(visitor.writer()?, key, (&number, &ifsc, form.name.trim())).await;
    match made {
        Ok(id) => {
            ask(visitor, id).await?;
            Ok(see_other(&visitor.at("/banks")))
        }
        Err(problem) => {
            let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
            let errors = act::refused(problem, &balances)?;
            show(visitor, filled(), errors).await
        }
    }
}

/// All that is wrong with what was typed, at once: an IFSC, a number, the same again, a name.
fn wrong(ifsc: &str, (number, again): (&str, &str), name: &str) -> FormErrors {
    let mut errors = FormErrors::none();
    if ifsc.parse::<Ifsc>().is_err() {
        let text = "An IFSC is four letters, a zero, and six more letters or digits.";
        errors.add("ifsc", text);
    }
    if number.parse::<AccountNumber>().is_err() {
        errors.add("account_number", "An account number is 6 to 18 digits.");
    }
    if number != again {
        errors.add("account_number_again", "The two numbers are not the same.");
    }
    if name.parse::<PayeeName>().is_err() {
        errors.add("name", "Enter the name on the account, up to 140 characters.");
    }
    errors
}

/// Asks the bank; that it does not answer is no failure of the page's.
async fn ask(visitor: &Visitor, id: BankAccountId) -> Result<(), Problem> {
    match wallet::verify_bank_account(visitor.writer()?, id).await {
        Err(problem) if problem.code() != "bank_unavailable" => Err(problem),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A form with nothing in it but its token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct NoFields {}

/// Asks the bank again.
pub(super) async fn check(
    Path(id): Path<String>,
    Sent { visitor, form: NoFields {} }: Sent<NoFields>,
) -> Result<Response, Problem> {
    check_for(&visitor, &id).await
}

/// The same, for whoever may.
pub(in crate::pages) async fn check_for(visitor: &Visitor, id: &str) -> Result<Response, Problem> {
    ask(visitor, known(id)?).await?;
    Ok(see_other(&visitor.at("/banks")))
}

/// Forgets a bank account.
pub(super) async fn remove(
    Path(id): Path<String>,
    Sent { visitor, form: NoFields {} }: Sent<NoFields>,
) -> Result<Response, Problem> {
    remove_for(&visitor, &id).await
}

/// The same, for whoever may.
pub(in crate::pages) async fn remove_for(visitor: &Visitor, id: &str) -> Result<Response, Problem> {
    wallet::erase_bank_account(visitor.writer()?, known(id)?).await?;
    Ok(see_other(&visitor.at("/banks")))
}

fn nav(visitor: &Visitor) -> Nav {
    if visitor.shop.is_some() { Nav::Shop("banks") } else { Nav::Account }
}

fn known(id: &str) -> Result<BankAccountId, Problem> {
    id.parse().map_err(|_| crate::http::reach::nothing())
}

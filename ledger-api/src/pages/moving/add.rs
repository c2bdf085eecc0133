//! Adding money: from which bank, how much.

use axum::{extract::Query, response::Response};
use futures::future::join_all;
use ledger_core::{ids::BankCode, money::Money};
use serde::{Deserialize, Serialize};

use super::{ConfirmView, Filled, Tab, after, form, limit, made, to_add};
use crate::{
    banks::Health,
    http::{ApiState, Problem, session::see_other},
    pages::{
        FormErrors, Nav, Visitor,
        act::{self, Presses},
        draft::{self, Draft},
        respond,
        ui::{ConfirmSheet, Face, MoneyView, Pair, Pairs, money_text},
        visitor::Sent,
    },
    wallet::{self, Balances, Typed},
};

/// A bank that money can come from.
pub(super) struct BankChoice {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) health: &'static str,
    pub(super) tone: &'static str,
}

/// The banks, with how they are.
pub(super) async fn banks(state: &ApiState) -> Vec<BankChoice> {
    let asked = state.banks.iter().map(async |bank| (bank.code().clone(), bank.health().await));
    let told = join_all(asked).await;
    let choice = |(code, health): (BankCode, Health)| {
        let (health, tone) = match health {
            Health::Up => ("Working", "done"),
            Health::Degraded => ("Slow right now", "waiting"),
            Health::Down => ("Not answering", "unknown"),
        };
        BankChoice { name: name(code.as_str()), code: code.to_string(), health, tone }
    };
    told.into_iter().map(choice).collect()
}

/// A bank's code as it is written for people.
pub(in crate::pages) fn name(code: &str) -> String {
    code.to_uppercase()
}

/// Where the sheet is.
const SHEET: &str = "/app/move/add/check";

/// The form; on the sheet with a nonce.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddForm {
    amount: String,
    #[serde(default)]
    bank: String,
    #[serde(default)]
    nonce: String,
}

/// Leads to the sheet.
pub(super) async fn check(sent: Sent<AddForm>) -> Result<Response, Problem> {
    let Sent { visitor, form: AddForm { amount, bank, .. } } = sent;
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let money = match fits(&visitor, &balances, &amount, &bank).await? {
        Ok((money, _)) => money,
        Err(errors) => return again(&visitor, amount, bank, errors).await,
    };
    let amount = money.amount().to_string();
    draft::to_sheet(&visitor, SHEET, &AddForm { amount, bank, nonce: visitor.nonce() })
}

/// Shows what is about to happen. Who comes without a draft finds the form.
pub(super) async fn sheet(
    visitor: Visitor,
    Query(draft): Query<Draft>,
) -> Result<Response, Problem> {
    let Some(typed) = draft.open::<AddForm>(&visitor, SHEET) else { return Ok(to_add().await) };
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    match understood(&visitor, &balances, &typed.amount, &typed.bank) {
        Ok((money, _)) => Ok(respond::page(&confirm(&visitor, &balances, money, typed))),
        Err(errors) => again(&visitor, typed.amount, typed.bank, errors).await,
    }
}

fn understood(
    visitor: &Visitor,
    balances: &Balances,
    amount: &str,
    bank: &str,
) -> Result<(Money, Option<BankCode>), FormErrors> {
    let money = act::amount(amount, balances)?;
    if bank.is_empty() {
        return Ok((money, None));
    }
    let known = bank.parse().ok().filter(|bank| visitor.state.banks.get(bank).is_some());
    match known {
        Some(bank) => Ok((money, Some(bank))),
        None => Err(FormErrors::one("bank", "Choose one of the banks below.")),
    }
}

/// The same, if the wallet's tier has room for it: what came above it would wait for us.
async fn fits(
    visitor: &Visitor,
    balances: &Balances,
    amount: &str,
    bank: &str,
) -> Result<Result<(Money, Option<BankCode>), FormErrors>, Problem> {
    let understood = understood(visitor, balances, amount, bank);
    let Ok((money, _)) = &understood else { return Ok(understood) };
    Ok(match limit::above(&visitor.state, balances, *money).await? {
        Some(words) => Err(FormErrors::one("amount", &words)),
        None => understood,
    })
}

async fn again(
    visitor: &Visitor,
    amount: String,
    bank: String,
    errors: FormErrors,
) -> Result<Response, Problem> {
    let filled = Filled { amount, bank, ..Filled::default() };
    form(visitor, Tab::Add, filled, errors).await
}

fn confirm(visitor: &Visitor, balances: &Balances, money: Money, typed: AddForm) -> ConfirmView {
    let AddForm { bank, nonce, .. } = typed;
    let from = if bank.is_empty() { "your bank".to_owned() } else { name(&bank) };
    let mut pairs = vec![
        Pair::new("Fee", "Free"),
        Pair::new("Arrives", "Seconds after you approve it at your bank"),
    ];
    if let Some(after) = after(balances, money, true) {
        pairs.push(Pair::new("You will have", after).total());
    }
    ConfirmView {
        layout: visitor.layout("Add money", Nav::Move),
        title: "Add money",
        sheet: ConfirmSheet {
            face: Face::incoming("in"),
            headline: format!("From {from}"),
            verified: String::new(),
            amount: MoneyView::plain(money).hero(),
            pairs: Pairs::new(pairs),
        },
        action: "/app/move/add".to_owned(),
        fields: vec![("amount", money.amount().to_string()), ("bank", bank)],
        nonce,
        button: format!("Add {}", money_text(&money)),
        back: "/app/move?tab=add".to_owned(),
        notice: None,
    }
}

/// Begins the deposit and leads to its page, from where the bank's is one click away: a policy of
/// the page keeps forms from leading to other hosts.
pub(super) async fn add(sent: Sent<AddForm>) -> Result<Response, Problem> {
    let Sent { visitor, form: AddForm { amount, bank, nonce } } = sent;
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let (money, code) = match fits(&visitor, &balances, &amount, &bank).await? {
        Ok(fits) => fits,
        Err(errors) => return again(&visitor, amount, bank, errors).await,
    };
    let (value, currency) = (money.amount().to_string(), balances.currency.code.to_string());
    let typed = Typed { value: &value, currency: &currency };
    let settings = &visitor.state.people_settings;
    let base = settings.public_url.as_ref().or(settings.link_base.as_ref());
    let return_url = base.map(|base| base.join("/app/move/added?deposit={deposit}"));
    let (code, back) = (code.as_ref(), return_url.as_deref());
    let fields = [&*value, &*bank];
    let mut presses = Presses::of("add", &nonce, &fields);
    let problem = loop {
        let writer = visitor.writer()?;
        match wallet::add_money(writer, presses.key()?, typed, code, back).await {
            Ok(begun) => return Ok(made(&visitor, &begun.id)),
            Err(problem) if presses.go_on(&problem) => {}
            Err(problem) => break problem,
        }
    };
    let errors = act::refused(problem, &balances)?;
    again(&visitor, amount, bank, errors).await
}

/// What the bank's page leads back with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Back {
    deposit: String,
}

/// Where the bank's page leads back to: its deposit, or the list if that is none of theirs.
pub(super) async fn added(visitor: Visitor, Query(back): Query<Back>) -> Result<Response, Problem> {
    let models = &visitor.state.read_models;
    let found = models.activity_one(&visitor.wallet, &back.deposit).await?;
    Ok(match found.value {
        Some(row) => made(&visitor, &row.object),
        None => see_other("/app/activity?kind=deposit"),
    })
}

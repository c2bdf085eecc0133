//! Withdrawing: to which bank account, how much.

use axum::{
    extract::Query,
    response::{IntoResponse as _, Response},
};
use ledger_core::{ids::BankAccountId, money::Money};
use serde::{Deserialize, Serialize};

use super::{
    ConfirmView, Filled, Tab, add, after, form, made,
    sending::{self, amount_of},
    to_withdraw,
};
use crate::{
    banks::accounts::{BankAccount, BankAccountStatus, masked},
    fees,
    http::{Problem, codes, session::see_other},
    pages::{
        FormErrors, Nav, Visitor,
        act::{self, Presses},
        draft::{self, Draft},
        respond,
        ui::{ConfirmSheet, Face, MoneyView, Pair, Pairs, money_text},
        visitor::Sent,
    },
    wallet::{self, Balances, Quoted, Typed, Withdraw},
};

/// The most bank accounts that are offered.
const ACCOUNTS_MAX: u32 = 20;

/// A bank account that money can go to.
pub(in crate::pages) struct AccountChoice {
    pub(in crate::pages) id: String,
    pub(in crate::pages) name: String,
    pub(in crate::pages) owner: String,
    /// Who says so.
    said: String,
}

/// The bank accounts whose name was checked.
pub(in crate::pages) async fn accounts(visitor: &Visitor) -> Result<Vec<AccountChoice>, Problem> {
    let found = all(visitor).await?;
    let verified = found.into_iter().filter(|one| one.status == BankAccountStatus::Verified);
    Ok(verified
        .filter_map(|account| {
            let shown = account.shown?;
            let said = super::banks::said(&shown);
            let name = masked(&shown.ifsc, &shown.last_four);
            let owner = shown.registered_name.unwrap_or(shown.name);
            Some(AccountChoice { id: account.id.to_string(), name, owner, said })
        })
        .collect())
}

/// All bank accounts of theirs, the newest first.
pub(super) async fn all(visitor: &Visitor) -> Result<Vec<BankAccount>, Problem> {
    let owner = visitor.owner()?;
    Ok(visitor.state.bank_accounts.list(&owner, None, ACCOUNTS_MAX).await?)
}

/// All that can be withdrawn: what is available without the fee. Nothing, if the fee is more.
pub(in crate::pages) fn whole(visitor: &Visitor, balances: &Balances) -> Option<Money> {
    let book = visitor.state.ledger.status().borrow().book.clone();
    fees::whole(&book, balances.available, visitor.state.clock.now())
}

/// The form; on the sheet with a nonce.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct WithdrawForm {
    amount: String,
    #[serde(default)]
    bank_account: String,
    /// The version of the fee that the sheet showed.
    #[serde(default)]
    fee_version: String,
    #[serde(default)]
    nonce: String,
}

impl WithdrawForm {
    fn filled(self) -> Filled {
        let Self { amount, bank_account, .. } = self;
        Filled { amount, bank_account, ..Filled::default() }
    }
}

/// Leads to the sheet.
pub(super) async fn check(sent: Sent<WithdrawForm>) -> Result<Response, Problem> {
    check_for(&sent.visitor, sent.form).await
}

/// The same, for whoever may.
pub(in crate::pages) async fn check_for(
    visitor: &Visitor,
    typed: WithdrawForm,
) -> Result<Response, Problem> {
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let (money, _, quoted) = match priced(visitor, &balances, &typed).await? {
        Ok(priced) => priced,
        Err(errors) => return again(visitor, typed, errors).await,
    };
    let total = amount_of(&quoted.total, balances.currency)?;
    if total.amount() > balances.available.amount() {
        let code = codes::find("insufficient_funds").unwrap_or(codes::INVALID);
        let errors = act::refused(Problem::new(code, "Too little."), &balances)?;
        return again(visitor, typed, errors).await;
    }
    let amount = money.amount().to_string();
    let typed = WithdrawForm { amount, nonce: visitor.nonce(), ..typed };
    draft::to_sheet(visitor, &sheet_path(visitor), &typed)
}

/// Shows what is about to happen. Who comes without a draft finds the form.
pub(super) async fn sheet(
    visitor: Visitor,
    Query(draft): Query<Draft>,
) -> Result<Response, Problem> {
    match sheet_for(&visitor, &draft).await? {
        Some(sheet) => Ok(sheet),
        None => Ok(to_withdraw().await),
    }
}

/// The same, for whoever may; nothing without a draft.
pub(in crate::pages) async fn sheet_for(
    visitor: &Visitor,
    draft: &Draft,
) -> Result<Option<Response>, Problem> {
    let Some(typed) = draft.open::<WithdrawForm>(visitor, &sheet_path(visitor)) else {
        return Ok(None);
    };
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let (money, account, quoted) = match priced(visitor, &balances, &typed).await? {
        Ok(priced) => priced,
        Err(errors) => return again(visitor, typed, errors).await.map(Some),
    };
    let sends = wallet::sending(&visitor.state, &quoted.bank).await?;
    let notice = sending::notice(&quoted.bank, sends);
    let sheet = confirm(visitor, &balances, (money, &account), &quoted)?;
    Ok(Some(respond::page(&ConfirmView { notice, nonce: typed.nonce, ..sheet })))
}

fn sheet_path(visitor: &Visitor) -> String {
    way(visitor, "/withdraw/check", "/move/withdraw/check")
}

/// What was typed, with what it costs and which bank would send it; or what is wrong with it.
async fn priced(
    visitor: &Visitor,
    balances: &Balances,
    typed: &WithdrawForm,
) -> Result<Result<(Money, AccountChoice, Quoted), FormErrors>, Problem> {
    let (money, account) = match understood(visitor, balances, typed).await? {
        Ok(understood) => understood,
        Err(errors) => return Ok(Err(errors)),
    };
    let (value, currency) = (money.amount().to_string(), balances.currency.code.to_string());
    let asked = Typed { value: &value, currency: &currency };
    match wallet::quote(visitor.writer()?, asked).await {
        Ok(quoted) => Ok(Ok((money, account, quoted))),
        Err(problem) => act::refused(problem, balances).map(Err),
    }
}

async fn understood(
    visitor: &Visitor,
    balances: &Balances,
    typed: &WithdrawForm,
) -> Result<Result<(Money, AccountChoice), FormErrors>, Problem> {
    let mut accounts = accounts(visitor).await?;
    let at = accounts.iter().position(|account| account.id == typed.bank_account);
    let Some(at) = at else {
        return Ok(Err(FormErrors::one("bank_account", "Choose a bank account.")));
    };
    Ok(act::amount(&typed.amount, balances).map(|money| (money, accounts.swap_remove(at))))
}

fn confirm(
    visitor: &Visitor,
    balances: &Balances,
    (money, account): (Money, &AccountChoice),
    quoted: &Quoted,
) -> Result<ConfirmView, Problem> {
    let fee = amount_of(&quoted.fee, balances.currency)?;
    let total = amount_of(&quoted.total, balances.currency)?;
    let mut pairs = vec![
        Pair::new("Fee, tax included", MoneyView::plain(fee)),
        Pair::new("Leaves your balance", MoneyView::plain(total)),
        Pair::new("Sent by", add::name(quoted.bank.as_str())),
        sending::arrives(visitor, quoted),
    ];
    if let Some(left) = after(balances, total, false) {
        pairs.push(Pair::new("You will have", left).total());
    }
    Ok(ConfirmView {
        layout: visitor.layout("Withdraw", nav(visitor)),
        title: "Check and withdraw",
        sheet: ConfirmSheet {
            face: Face::icon("bank"),
            headline: format!("To {}", account.name),
            verified: account.said.clone(),
            amount: MoneyView::plain(money).hero(),
            pairs: Pairs::new(pairs),
        },
        action: way(visitor, "/withdraw", "/move/withdraw"),
        fields: vec![
            ("amount", money.amount().to_string()),
            ("bank_account", account.id.clone()),
            ("fee_version", quoted.fee_version.to_string()),
        ],
        nonce: String::new(),
        button: format!("Withdraw {}", money_text(&money)),
        back: filled_way(visitor, &money.amount().to_string(), &account.id),
        notice: None,
    })
}

/// Requests it, once for the sheet.
pub(super) async fn withdraw(sent: Sent<WithdrawForm>) -> Result<Response, Problem> {
    withdraw_for(&sent.visitor, sent.form).await
}

/// The same, for whoever may.
pub(in crate::pages) async fn withdraw_for(
    visitor: &Visitor,
    typed: WithdrawForm,
) -> Result<Response, Problem> {
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let understood = act::amount(&typed.amount, &balances).and_then(|money| {
        let id: Result<BankAccountId, _> = typed.bank_account.parse();
        let id = id.map_err(|_| FormErrors::one("bank_account", "Choose a bank account."))?;
        Ok((money, id))
    });
    let (money, bank_account) = match understood {
        Ok(understood) => understood,
        Err(errors) => return again(visitor, typed, errors).await,
    };
    let (value, currency) = (money.amount().to_string(), balances.currency.code.to_string());
    let told = typed.fee_version.parse().ok();
    let amount = Typed { value: &value, currency: &currency };
    let asked = Withdraw { amount, bank_account, fee_version: told, note: None };
    // Not the fee: one that has changed since is the same sheet, refused if it was sent before.
    let fields = [&*value, &*typed.bank_account];
    let mut presses = Presses::of("withdraw", &typed.nonce, &fields);
    let problem = loop {
        match wallet::withdraw(visitor.writer()?, presses.key()?, asked).await {
            Ok(id) => return Ok(made(visitor, &id)),
            Err(problem) if presses.go_on(&problem) => {}
            Err(problem) => break problem,
        }
    };
    if problem.code() == codes::STEP_UP_NEEDED.name {
        return Ok(ask_again(visitor, &value, &typed.bank_account).into_response());
    }
    let errors = act::refused(problem, &balances)?;
    again(visitor, typed, errors).await
}

/// The form with what is wrong with it.
async fn again(
    visitor: &Visitor,
    typed: WithdrawForm,
    errors: FormErrors,
) -> Result<Response, Problem> {
    if visitor.shop.is_some() {
        let WithdrawForm { amount, bank_account, .. } = typed;
        return crate::pages::merchant::withdraw_form(visitor, (amount, bank_account), errors)
            .await;
    }
    form(visitor, Tab::Withdraw, typed.filled(), errors).await
}

fn nav(visitor: &Visitor) -> Nav {
    if visitor.shop.is_some() { Nav::Shop("withdraw") } else { Nav::Move }
}

/// Where it is done: a shop's pages have an address of their own.
fn way(visitor: &Visitor, shops: &str, own: &str) -> String {
    visitor.at(if visitor.shop.is_some() { shops } else { own })
}

/// The form's address, with what was typed.
pub(super) fn filled_way(visitor: &Visitor, amount: &str, bank_account: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !amount.is_empty() {
        query.append_pair("amount", amount);
    }
    query.append_pair("bank_account", bank_account);
    format!("{}&{}", way(visitor, "/withdraw?", "/move?tab=withdraw"), query.finish())
}

/// To the page that asks for the password again, and back from there to what was typed.
fn ask_again(visitor: &Visitor, amount: &str, bank_account: &str) -> Response {
    let back = filled_way(visitor, amount, bank_account);
    let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
    see_other(&format!("{}?return_to={back}", visitor.at("/confirm")))
}

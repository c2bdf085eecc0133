//! A bank's days, on the page of reconciliation: fetching a statement now, closing a day that
//! somebody has looked at, and proposing to open days again.

use axum::response::Response;
use chrono::NaiveDate;
use ledger_core::ids::BankCode;
use serde::Deserialize;

use super::{
    ActForm, Board, Field, OpsSent, OpsVisitor, Part, after, overview::proposals, reconciliation,
};
use crate::{
    desk::{
        bank_days::{self, Reopening},
        carrying_out, check_reason,
        proposals::{Kind, NewProposal},
    },
    http::{Problem, codes},
    pages::{
        FormErrors, act,
        ops::approvals,
        ui::{Cell, Column},
    },
    statements::day_changes,
};

const PATH: &str = "/ops/reconciliation";
const ACCOUNTS: [(&str, &str); 2] =
    [("escrow", "escrow, customers’ money"), ("own", "own, the company’s")];

/// The parts about days.
pub(super) async fn parts(visitor: &OpsVisitor, mut board: Board) -> Result<Board, Problem> {
    let banks: Vec<BankCode> = visitor.state.banks.iter().map(|bank| bank.code().clone()).collect();
    if banks.is_empty() {
        return Ok(board);
    }
    let choices = || -> Vec<(String, String)> {
        banks.iter().map(|bank| (bank.to_string(), bank.to_string())).collect()
    };
    let accounts = ACCOUNTS.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    let fetch = ActForm::new(format!("{PATH}/fetch"), "Fetch it")
        .field(Field::choice("bank", "Bank", choices()))
        .field(Field::choice("account", "Account", accounts))
        .field(day("day", "Day"));
    let text = "Workers fetch statements every few minutes. This asks the bank at once.";
    board = board.part(Part::new("Fetch a statement now").text(text).form(fetch));
    let close = ActForm::new(format!("{PATH}/close"), "Close it")
        .title("Close a bank’s days up to this one")
        .field(Field::choice("bank", "Bank", choices()))
        .field(day("until", "Day"))
        .field(Field::reason());
    let reopen = ActForm::new(format!("{PATH}/reopen"), "Propose to open them")
        .title("Open a bank’s days from this one on again; takes two")
        .quiet()
        .field(Field::choice("bank", "Bank", choices()))
        .field(day("from", "Day"))
        .field(Field::reason());
    let text = "A day that was looked at is closed: no statement changes it any more. What is \
                closed must be stated and booked; breaks that stand are counted, not explained.";
    let rows = history(visitor).await?;
    let columns = [
        Column::words("Bank"),
        Column::words("Closed up to"),
        Column::numbers("Breaks open"),
        Column::words("By"),
        Column::words("Agreed"),
        Column::words("Why"),
        Column::words("When"),
    ];
    let part = Part::new("Closed days").text(text);
    board =
        board.part(part.table(&columns, rows, "No day was closed yet.").form(close).form(reopen));
    for bank in &banks {
        for proposal in proposals(visitor).waiting(bank.as_str(), visitor.now()).await? {
            board = board.part(approvals::part(visitor, &proposal));
        }
    }
    Ok(board)
}

fn day(name: &'static str, label: &'static str) -> Field {
    Field::line(name, label, 10).hint("Of the bank, such as 2026-11-22.")
}

async fn history(visitor: &OpsVisitor) -> Result<Vec<Vec<Cell>>, Problem> {
    let changes = day_changes(&visitor.state.reads, None).await?;
    let rows = changes.into_iter().map(|change| {
        let until = change.closed_until.map_or("all is open".to_owned(), |day| day.to_string());
        vec![
            change.bank.into(),
            until.into(),
            change.breaks_open.to_string().into(),
            change.done_by.into(),
            change.approved_by.unwrap_or_default().into(),
            change.reason.into(),
            visitor.when(change.done_at).into(),
        ]
    });
    Ok(rows.collect())
}

async fn answer(
    visitor: &OpsVisitor,
    to: &str,
    done: Result<(), Problem>,
) -> Result<Response, Problem> {
    let again = async |errors: FormErrors| reconciliation::board(visitor, &errors).await;
    after(done, to, again).await
}

fn bank(code: &str) -> Result<BankCode, Problem> {
    code.parse().map_err(|_| Problem::not_found("There is no such bank."))
}

fn date(field: &str, text: &str) -> Result<NaiveDate, Problem> {
    text.trim().parse().map_err(|_| {
        Problem::field(codes::INVALID, format!("/{field}"), "A day such as 2026-11-22.")
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fetch {
    #[serde(rename = "nonce")]
    _nonce: String,
    bank: String,
    account: String,
    day: String,
}

/// Fetches a day's statement; asked twice, the second finds nothing new.
pub(super) async fn fetch(OpsSent { visitor, form }: OpsSent<Fetch>) -> Result<Response, Problem> {
    let done = ask(&visitor, &form).await;
    answer(&visitor, PATH, done).await
}

async fn ask(visitor: &OpsVisitor, form: &Fetch) -> Result<(), Problem> {
    let (bank, day) = (bank(&form.bank)?, date("day", &form.day)?);
    bank_days::fetch(&visitor.writer()?, &bank, (&form.account, day)).await.map(drop)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Close {
    #[serde(rename = "nonce")]
    _nonce: String,
    bank: String,
    until: String,
    reason: String,
}

/// Closes a bank's days; closed twice, it is closed once.
pub(super) async fn close(OpsSent { visitor, form }: OpsSent<Close>) -> Result<Response, Problem> {
    let done = lock(&visitor, &form).await;
    answer(&visitor, PATH, done).await
}

async fn lock(visitor: &OpsVisitor, form: &Close) -> Result<(), Problem> {
    let (bank, until) = (bank(&form.bank)?, date("until", &form.until)?);
    bank_days::close(&visitor.writer()?, &bank, until, &form.reason).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reopen {
    nonce: String,
    bank: String,
    from: String,
    reason: String,
}

/// Proposes to open a bank's days again.
pub(super) async fn reopen(
    OpsSent { visitor, form }: OpsSent<Reopen>,
) -> Result<Response, Problem> {
    let done = propose(&visitor, &form).await;
    answer(&visitor, "/ops/approvals", done).await
}

async fn propose(visitor: &OpsVisitor, form: &Reopen) -> Result<(), Problem> {
    check_reason(&form.reason)?;
    let (bank, from) = (bank(&form.bank)?, date("from", &form.from)?);
    let closed = day_changes(&visitor.state.reads, Some(&bank)).await?;
    let closed = closed.first().and_then(|change| change.closed_until);
    if closed.is_none_or(|closed| closed < from) {
        return Err(Problem::field(codes::INVALID, "/from", "That day is open."));
    }
    let fields = [bank.as_str(), &form.from, &form.reason];
    let key = act::key("ops_reopen_day", &form.nonce, &fields)?;
    let body = serde_json::to_value(Reopening { from });
    let new = NewProposal {
        kind: Kind::ReopenBankDay,
        subject: bank.as_str(),
        body: body.map_err(|error| Problem::internal(&error))?,
        reason: &form.reason,
        evidence_sha256: None,
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&visitor.writer()?, &new).await.map(drop)
}

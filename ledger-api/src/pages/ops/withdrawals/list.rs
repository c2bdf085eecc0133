//! The list, by state and bank.

use axum::{extract::Query, response::Response};
use ledger_core::{
    ids::{AccountId, BankCode, WithdrawalId},
    log::Position,
    withdrawal::WithdrawalStatus,
};
use projections::{Backlog, WithdrawalFilter, WithdrawalRow};
use serde::Deserialize;

use super::{PATH, chip};
use crate::{
    http::{Problem, session::see_other},
    pages::{
        FormErrors,
        ops::{ActForm, Board, Field, OpsVisitor, Part, Pick, Tab},
        respond,
        ui::{Cell, Column},
    },
    workers::withdrawals::notes::Notes,
};

const A_PAGE: u32 = 50;
const BLOCKED_MAX: u32 = 10_000;

/// A tab: its name in addresses, its word, and the status of what is on it.
const TABS: [(&str, &str, Option<WithdrawalStatus>); 10] = [
    ("all", "All", None),
    ("review", "Review", Some(WithdrawalStatus::PendingReview)),
    ("queued", "Queued", Some(WithdrawalStatus::Queued)),
    ("processing", "Processing", Some(WithdrawalStatus::Processing)),
    ("unknown", "Unknown", Some(WithdrawalStatus::OutcomeUnknown)),
    ("attention", "Needs attention", Some(WithdrawalStatus::NeedsAttention)),
    ("failed", "Failed", Some(WithdrawalStatus::Failed)),
    ("returned", "Returned", Some(WithdrawalStatus::Returned)),
    ("completed", "Completed", Some(WithdrawalStatus::Completed)),
    ("blocked", "Passed over", None),
];

/// What is to be listed. What makes no sense is as if it were not said.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    tab: String,
    bank: String,
    /// A withdrawal's id, or a wallet.
    q: String,
    before: Option<Position>,
}

impl Asked {
    /// Those that wait for somebody to look.
    pub(super) fn review() -> Self {
        Self { tab: "review".to_owned(), ..Self::default() }
    }
}

pub(super) async fn page(
    visitor: OpsVisitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    if let Ok(id) = asked.q.trim().parse::<WithdrawalId>() {
        return Ok(see_other(&format!("{PATH}/{id}")));
    }
    let board = board(&visitor, &asked, &FormErrors::none()).await?;
    Ok(respond::page(&board))
}

pub(super) async fn board(
    visitor: &OpsVisitor,
    asked: &Asked,
    errors: &FormErrors,
) -> Result<Board, Problem> {
    let tab = TABS.into_iter().find(|(name, ..)| *name == asked.tab).unwrap_or(TABS[0]);
    let among = match tab.0 {
        "blocked" => {
            let notes = Notes::new(visitor.state.reads.clone());
            Some((notes.all_blocked(BLOCKED_MAX).await?, true))
        }
        _ => None,
    };
    let filter = WithdrawalFilter {
        account: asked.q.trim().parse::<AccountId>().ok(),
        status: tab.2,
        bank: asked.bank.parse().ok(),
        among,
        before: asked.before,
    };
    let models = &visitor.state.read_models;
    let page = models.withdrawals(&filter, A_PAGE).await?;
    let backlogs = models.backlogs().await?;
    let older = page.next.map(|next| format!("{}&before={next}", address(asked, tab.0)));
    let in_review = tab.0 == "review" && visitor.may_approve();
    let part = Part::new(tab.1);
    let part = if in_review && !page.items.is_empty() {
        part.pick(pick(visitor, &page.items)?)
    } else {
        let rows = page.items.iter().map(|row| cells(visitor, row));
        let nothing = "No withdrawal is in this state.";
        part.table(&columns(), rows.collect::<Result<_, _>>()?, nothing)
    };
    let part = match older {
        Some(older) => part.link("Older", older),
        None => part,
    };
    let tabs = TABS.into_iter().map(|(name, word, status)| Tab {
        word: with_count(word, status, &backlogs),
        href: address(asked, name),
        current: name == tab.0,
    });
    let board = Board::new(visitor, "Withdrawals", "withdrawals").errors(errors);
    Ok(board.tabs(tabs.collect()).part(search(visitor, asked, tab.0)).part(part))
}

/// The address of a tab with the filters that stand.
fn address(asked: &Asked, tab: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("tab", tab);
    for (name, value) in [("bank", &asked.bank), ("q", &asked.q)] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    format!("{PATH}?{}", query.finish())
}

fn search(visitor: &OpsVisitor, asked: &Asked, tab: &str) -> Part {
    let mut banks = vec![(String::new(), "All banks".to_owned())];
    let codes: Vec<&BankCode> = visitor.state.banks.iter().map(|bank| bank.code()).collect();
    banks.extend(codes.into_iter().map(|code| (code.to_string(), code.to_string())));
    let form = ActForm::new(PATH, "Show")
        .looks_up()
        .quiet()
        .hidden("tab", tab)
        .field(Field::choice("bank", "Bank", banks).value(asked.bank.clone()))
        .field(Field::search("q", "Id or wallet").value(asked.q.clone()).optional());
    Part::new("").form(form)
}

fn with_count(word: &str, status: Option<WithdrawalStatus>, backlogs: &[Backlog]) -> String {
    let of = backlogs.iter().filter(|backlog| Some(backlog.status) == status);
    match of.map(|backlog| backlog.count).fold(0, u64::saturating_add) {
        0 => word.to_owned(),
        count => format!("{word} {count}"),
    }
}

const fn columns() -> [Column; 8] {
    [
        Column::words("Id"),
        Column::numbers("Amount"),
        Column::words("Status"),
        Column::words("Account"),
        Column::words("Bank"),
        Column::words("Rail"),
        Column::numbers("Attempts"),
        Column::words("Requested"),
    ]
}

fn cells(visitor: &OpsVisitor, row: &WithdrawalRow) -> Result<Vec<Cell>, Problem> {
    let currency = row.account.currency().map_err(|error| Problem::internal(&error))?;
    let id = row.id.to_string();
    Ok(vec![
        Cell::Link(id.clone(), format!("{PATH}/{id}")),
        visitor.money(row.amount, currency)?.into(),
        chip(row.status).into(),
        row.account.to_string().into(),
        row.bank.to_string().into(),
        row.rail.to_string().into(),
        row.attempts.to_string().into(),
        visitor.when(row.requested_at).into(),
    ])
}

fn pick(visitor: &OpsVisitor, rows: &[WithdrawalRow]) -> Result<Pick, Problem> {
    let rows = rows.iter().map(|row| {
        let id = row.id.to_string();
        Ok((id.clone(), id, cells(visitor, row)?))
    });
    Ok(Pick {
        action: "/ops/withdrawals/check".to_owned(),
        caption: "Withdrawals to review".to_owned(),
        columns: vec!["Id", "Amount", "Status", "Account", "Bank", "Rail", "Attempts", "Requested"],
        rows: rows.collect::<Result<_, Problem>>()?,
        buttons: vec![("approve", "Approve the chosen"), ("reject", "Reject the chosen")],
    })
}

//! The list of payments, and the same rows as a file.

use std::borrow::Cow;

use askama::Template;
use axum::{extract::Query as Asked, response::Response};
use chrono::SecondsFormat;
use futures::{Stream, stream};
use ledger_core::{
    ids::{AccountId, SettlementId},
    payment::PaymentStatus,
};
use projections::{PaymentCounts, PaymentFilter, PaymentRow, PaymentTotals, ReadModels};

use super::{
    names::{Choice, Payers, Places},
    parts,
    query::{Query, SPANS, STATUSES},
    settlements::References,
    shop, short,
};
use crate::{
    entry::throttle,
    http::{Problem, reader::caught_up},
    pages::{
        FormErrors, Layout, Nav, Visitor,
        activity::counted,
        merchant::{Anybody, MoneyEyes, ShopVisitor},
        respond, spreadsheet,
        ui::{Cell, Column, DataTable, EmptyState, LiveDot, MoneyView, Pair, Pairs, Status},
    },
    people::{Rate, Recipient},
};

const PATH: &str = "/merchant/payments";
const FILE: &str = "/merchant/payments.csv";
/// How many rows a page has, and how many are read at a time for a file.
const PAGE: u32 = 25;
const FILE_PAGE: u32 = 500;
/// The most payments that are added up for a page. A file has them all.
const SUMMED_MAX: u32 = 20_000;
const CURRENCY: &str = "INR";

#[derive(Template)]
#[template(path = "merchant/sales/list.html")]
struct ListView {
    layout: Layout,
    live: LiveDot,
    errors: FormErrors,
    query: Query,
    tabs: Vec<Tab>,
    spans: [(&'static str, &'static str); 5],
    stores: Vec<Choice>,
    terminals: Vec<Choice>,
    sums: Option<Pairs>,
    table: DataTable,
    is_empty: bool,
    empty: EmptyState,
    older: String,
    newest: String,
    file: String,
}

struct Tab {
    word: &'static str,
    href: String,
    count: String,
    current: bool,
}

/// The payments, newest first, and sums of all that match.
pub(super) async fn list(
    visitor: ShopVisitor<Anybody>,
    Asked(query): Asked<Query>,
) -> Result<Response, Problem> {
    let sees_money = visitor.at.role.sees_money();
    let (filter, errors) = filter(&visitor, &query).await?;
    let models = &visitor.state.read_models;
    let found = match &filter {
        Some(filter) => models.payments(filter, PAGE).await?,
        None => projections::Page { items: Vec::new(), next: None, position: 0 },
    };
    let sums = match &filter {
        Some(filter) if sees_money => models.payment_totals(filter, SUMMED_MAX).await?.value,
        Some(_) | None => None,
    };
    let counts = match &filter {
        Some(filter) => models.payment_counts(filter).await?.value,
        None => PaymentCounts { is_whole: true, ..PaymentCounts::default() },
    };
    let places = Places::of(&visitor, visitor.at.shop.id).await?;
    let older = found.next.map(|at| query.with(PATH, "older", &at.to_string()));
    let view = ListView {
        layout: visitor.layout("Payments", Nav::Shop("payments")),
        live: LiveDot::new(visitor.path()),
        errors,
        tabs: STATUSES.map(|(status, word)| tab(&query, &counts, (status, word))).into(),
        spans: SPANS,
        stores: places.stores(&query.store),
        terminals: places.terminals(&query.terminal),
        sums: sums.filter(|sums| sums.payments > 0).map(|s| shown(&visitor, &s)).transpose()?,
        is_empty: found.items.is_empty(),
        table: table(&visitor, &found.items).await?,
        empty: empty(&query),
        older: older.unwrap_or_default(),
        newest: if query.older.is_empty() { String::new() } else { query.with(PATH, "", "") },
        file: if sees_money { query.with(FILE, "", "") } else { String::new() },
        query,
    };
    Ok(respond::page(&view))
}

fn tab(query: &Query, counts: &PaymentCounts, (status, word): (&'static str, &'static str)) -> Tab {
    let count = match PaymentStatus::ALL.into_iter().find(|known| known.as_str() == status) {
        Some(status) => counts.of(status),
        None if status.is_empty() => counts.all,
        None => counts.disputed,
    };
    Tab {
        word,
        href: query.with(PATH, "status", status),
        count: counted((count, counts.is_whole)),
        current: query.status == status,
    }
}

/// The whole filter; none if nothing can match, as where nobody is the customer that it names.
async fn filter<N>(
    visitor: &ShopVisitor<N>,
    query: &Query,
) -> Result<(Option<PaymentFilter>, FormErrors), Problem> {
    let merchant = shop(visitor)?;
    let (mut filter, mut errors) = query.filter(merchant, visitor.now(), visitor.zone);
    let customer = query.customer.trim();
    if customer.is_empty() {
        return Ok((Some(filter), errors));
    }
    let by_number = customer.starts_with(|letter: char| letter == '+' || letter.is_ascii_digit());
    let recipient = if by_number {
        customer.parse().map(Recipient::Phone).ok()
    } else {
        customer.parse().map(Recipient::Handle).ok()
    };
    let Some(recipient) = recipient else {
        errors.add("customer", "A customer is named by a phone number or a handle: @asha.");
        return Ok((None, errors));
    };
    // Names are looked up one at a time and not by the thousand.
    throttle(&visitor.state, Rate::LOOKUP, visitor.who.person.id.uuid().as_bytes()).await?;
    let Some(face) = visitor.state.people.find(&recipient).await? else {
        return Ok((None, errors));
    };
    filter.payer = Some(face.id.wallet().map_err(|error| Problem::internal(&error))?);
    Ok((Some(filter), errors))
}

fn shown(visitor: &Visitor, sums: &PaymentTotals) -> Result<Pairs, Problem> {
    let currency = CURRENCY.parse().map_err(|error| Problem::internal(&error))?;
    let money = |amount| visitor.money(amount, currency).map(MoneyView::plain);
    Ok(Pairs::new(vec![
        Pair::new("Payments", sums.payments.to_string()),
        Pair::new("Gross", money(sums.gross)?),
        Pair::new("Fees", money(sums.fee)?),
        Pair::new("Tax", money(sums.tax)?),
        Pair::new("Net", money(sums.net)?),
        Pair::new("Refunded of these", money(sums.refunded)?),
    ]))
}

/// A payment's status as a chip. A dispute that is open goes before.
pub(super) fn status(row: &PaymentRow) -> Status {
    if row.dispute.as_deref() == Some("open") {
        return Status::InReview;
    }
    match row.status {
        PaymentStatus::Completed | PaymentStatus::PartiallyRefunded => Status::Done,
        PaymentStatus::Refunded => Status::Returned,
    }
}

/// Payments as a table, for every page that shows some. Whoever sees no balance sees what payers
/// paid and got back, and nothing of what the shop has of it.
pub(super) async fn table(visitor: &Visitor, rows: &[PaymentRow]) -> Result<DataTable, Problem> {
    let payers = Payers::of(visitor, rows).await?;
    let sees_money = visitor.shop.as_ref().is_some_and(|at| at.role.sees_money());
    let mut columns = vec![
        Column::words("When"),
        Column::words("From"),
        Column::words("Payment"),
        Column::words("Order"),
        Column::words("Status"),
        Column::numbers("Gross"),
        Column::numbers("Refunded"),
    ];
    if sees_money {
        columns.extend(["Fee", "Tax", "Net"].map(Column::numbers));
        columns.push(Column::words("Settlement"));
    }
    let cells = rows.iter().map(|row| -> Result<Vec<Cell>, Problem> {
        let money = |amount| visitor.money(amount, row.currency).map(MoneyView::plain);
        let id = row.id.to_string();
        let mut cells = vec![
            visitor.when(row.paid_at).into(),
            payers.name(&row.payer).into(),
            Cell::Link(short(&id), format!("{PATH}/{id}")),
            row.order_id.clone().unwrap_or_else(|| "–".to_owned()).into(),
            status(row).into(),
            money(row.gross)?.into(),
            money(row.refunded)?.into(),
        ];
        if sees_money {
            for amount in [row.fee, row.tax, row.net] {
                cells.push(money(amount)?.into());
            }
            cells.push(settlement(row));
        }
        Ok(cells)
    });
    let cells: Result<Vec<_>, Problem> = cells.collect();
    Ok(DataTable::new("Payments", &columns, cells?))
}

fn settlement(row: &PaymentRow) -> Cell {
    match row.settlement {
        Some(id) => {
            let id = id.to_string();
            Cell::Link(short(&id), format!("/merchant/settlements/{id}"))
        }
        None => format!("on {}", row.settles_on.format("%-d %b")).into(),
    }
}

/// Nothing at all is another thing than nothing that matches.
fn empty(query: &Query) -> EmptyState {
    if query.restricts() {
        let text = "Try fewer filters, or look further back.";
        let further = query.with(PATH, "days", "180");
        return EmptyState::new("search", "Nothing matches", text)
            .action("Look back 180 days", further);
    }
    let text = "What is paid with your code in these days stands here at once.";
    EmptyState::new("qr", "No payments in the last 7 days", text)
        .action("Show your QR", "/merchant")
}

const HEAD: &str = "type,order id,our id,instrument,created,status,amount,fee,tax,net,refunded,\
    settles on,settlement,settled at,store,terminal,currency,utr";

/// Exactly the filtered rows, the newest first, however many.
pub(super) async fn csv(
    visitor: ShopVisitor<MoneyEyes>,
    Asked(query): Asked<Query>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let (filter, errors) = filter(&visitor, &Query { older: String::new(), ..query }).await?;
    // A file that has not quite what was asked for looks like one that has.
    if let Some(error) = errors.iter().next() {
        return Err(Problem::parameter(error.field, error.text.clone()));
    }
    let parts = pages(visitor.state.read_models.clone(), visitor.wallet.clone(), filter);
    Ok(spreadsheet::file("payments.csv", HEAD, parts))
}

/// The rows that match as text, a page at a time.
fn pages(
    models: ReadModels,
    account: AccountId,
    filter: Option<PaymentFilter>,
) -> impl Stream<Item = Result<String, Problem>> + Send + 'static {
    stream::try_unfold((models, account, filter), async |(models, account, filter)| {
        let Some(filter) = filter else { return Ok(None) };
        let page = models.payments(&filter, FILE_PAGE).await?;
        let mut settled: Vec<SettlementId> =
            page.items.iter().filter_map(|row| row.settlement).collect();
        settled.sort_unstable();
        settled.dedup();
        let references = models.payout_references(&account, &settled).await?;
        let part: String = page.items.iter().map(|row| line(row, &references)).collect();
        let rest = page.next.map(|at| PaymentFilter { before: Some(at), ..filter });
        Ok(Some((part, (models, account, rest))))
    })
}

fn line(row: &PaymentRow, references: &References) -> String {
    let utr = row.settlement.and_then(|id| references.get(&id).cloned());
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let at = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let cells = [
        "PAYMENT".to_owned(),
        text(&row.order_id),
        row.id.to_string(),
        parts::instrument(row).to_owned(),
        at(row.paid_at),
        row.status.as_str().to_owned(),
        parts::paise(row.gross),
        parts::paise(row.fee),
        parts::paise(row.tax),
        parts::paise(row.net),
        parts::paise(row.refunded),
        row.settles_on.to_string(),
        row.settlement.map(|id| id.to_string()).unwrap_or_default(),
        row.settled_at.map(at).unwrap_or_default(),
        text(&row.store),
        text(&row.terminal),
        row.currency.to_string(),
        utr.unwrap_or_default(),
    ];
    spreadsheet::line(cells.into_iter().map(Cow::Owned))
}

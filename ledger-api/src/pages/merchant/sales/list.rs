//! The list of payments, and the same rows as a file.

use std::borrow::Cow;

use askama::Template;
use axum::{extract::Query as Asked, response::Response};
use chrono::{DateTime, SecondsFormat};
use futures::{Stream, stream};
use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, SettlementId},
    payment::PaymentStatus,
};
use projections::{PaymentCounts, PaymentFilter, PaymentRow, PaymentTotals, ReadModels};

use super::{
    found::{Found, Place, Sought},
    names::{Choice, Places},
    parts,
    query::{FAILED, PROCESSING, Query, SPANS, STATUSES},
    settlements::References,
    shop,
    table::table_of_all,
};
use crate::{
    deposits::{Incoming, IncomingCounts, IncomingFilter, IncomingState, Outside},
    entry::throttle,
    http::{Problem, reader::caught_up},
    pages::{
        FormErrors, Layout, Nav, Visitor,
        activity::counted,
        merchant::{Anybody, MoneyEyes, ShopVisitor},
        respond, spreadsheet,
        ui::{DataTable, EmptyState, LiveDot, MoneyView, Pair, Pairs},
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
/// After everything that is paid.
const ANY_TIME: Timestamp = DateTime::from_timestamp_nanos(i64::MAX);

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
    let outside = Outside::new(visitor.state.reads.clone());
    let sought = sought(&visitor, &query, filter.clone());
    let place = Place::of(&query.older);
    let (found, next) = sought.page((models, &outside), place, PAGE).await?;
    // Of what the shop has: what comes or goes back is no money received.
    let sums = match sought.paid.as_ref().and(filter.as_ref()) {
        Some(filter) if sees_money => sums(&visitor, filter).await?,
        Some(_) | None => None,
    };
    let counts = sought.counts((models, &outside), filter.as_ref()).await?;
    let places = Places::of(&visitor, visitor.at.shop.id).await?;
    let older = next.map(|place| query.with(PATH, "older", &place.to_string()));
    let view = ListView {
        layout: visitor.layout("Payments", Nav::Shop("payments")),
        live: LiveDot::new(visitor.path()),
        errors,
        tabs: STATUSES.map(|(status, word)| tab(&query, &counts, (status, word))).into(),
        spans: SPANS,
        stores: places.stores(&query.store),
        terminals: places.terminals(&query.terminal),
        sums,
        is_empty: found.is_empty(),
        table: table_of_all(&visitor, &found).await?,
        empty: empty(&query),
        older: older.unwrap_or_default(),
        newest: if query.older.is_empty() { String::new() } else { query.with(PATH, "", "") },
        file: if sees_money { query.with(FILE, "", "") } else { String::new() },
        query,
    };
    Ok(respond::page(&view))
}

type Counts = (PaymentCounts, IncomingCounts);

fn tab(query: &Query, counts: &Counts, (status, word): (&'static str, &'static str)) -> Tab {
    let (paid, coming) = counts;
    let both = paid.is_whole && coming.is_whole;
    let counted_as = match PaymentStatus::ALL.into_iter().find(|known| known.as_str() == status) {
        Some(status) => (paid.of(status), paid.is_whole),
        None if status.is_empty() => {
            (paid.all.saturating_add(coming.processing).saturating_add(coming.failed), both)
        }
        None if status == PROCESSING => (coming.processing, coming.is_whole),
        None if status == FAILED => (coming.failed, coming.is_whole),
        None => (paid.disputed, paid.is_whole),
    };
    Tab {
        word,
        href: query.with(PATH, "status", status),
        count: counted(counted_as),
        current: query.status == status,
    }
}

/// What of both is looked for. Who is named by the customer paid from a wallet here, and so did
/// whoever disputes.
fn sought<N>(visitor: &ShopVisitor<N>, query: &Query, filter: Option<PaymentFilter>) -> Sought {
    let Some(filter) = filter else { return Sought::default() };
    let state = query.outside();
    let merchant = visitor.at.shop.id;
    let coming = filter.payer.is_none().then(|| IncomingFilter {
        state,
        from: filter.from,
        until: filter.until,
        order_id: filter.order_id.clone(),
        store: filter.store.clone(),
        terminal: filter.terminal.clone(),
        id: filter.id,
        amount: filter.gross,
        ..IncomingFilter::of(merchant)
    });
    let of_ledger = filter.status.is_some() || filter.disputed;
    Sought {
        coming: coming.clone().filter(|_| !of_ledger),
        counted: coming,
        paid: Some(filter).filter(|_| state.is_none()),
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

/// Sums of all that match, if there are any. Of whole days they are read by the day, however many
/// payments those have; else the payments are added up, or are too many.
async fn sums(visitor: &Visitor, filter: &PaymentFilter) -> Result<Option<Pairs>, Problem> {
    let models = &visitor.state.read_models;
    let PaymentFilter { merchant, from, until, .. } = filter;
    let days = PaymentFilter {
        merchant: merchant.clone(),
        from: *from,
        until: *until,
        ..PaymentFilter::default()
    };
    let Some(merchant) = merchant.as_ref().filter(|_| *filter == days) else {
        let sums = models.payment_totals(filter, SUMMED_MAX).await?.value;
        let sums = sums.filter(|sums| sums.payments > 0);
        return sums.map(|sums| shown(visitor, &sums, "Refunded of these")).transpose();
    };
    let currency = CURRENCY.parse().map_err(|error| Problem::internal(&error))?;
    let span = (from.unwrap_or(Timestamp::UNIX_EPOCH), until.unwrap_or(ANY_TIME));
    let sums = models.payment_sums(merchant, currency, span).await?;
    if sums.payments == 0 {
        return Ok(None);
    }
    let net = sums.gross.checked_sub(sums.fee).and_then(|left| left.checked_sub(sums.tax));
    let totals = PaymentTotals {
        payments: sums.payments,
        gross: sums.gross,
        fee: sums.fee,
        tax: sums.tax,
        net: net.ok_or_else(|| Problem::internal(&"sums of a shop"))?,
        refunded: sums.refunds,
    };
    shown(visitor, &totals, "Refunded in these days").map(Some)
}

fn shown(
    visitor: &Visitor,
    sums: &PaymentTotals,
    refunded: &'static str,
) -> Result<Pairs, Problem> {
    let currency = CURRENCY.parse().map_err(|error| Problem::internal(&error))?;
    let money = |amount| visitor.money(amount, currency).map(MoneyView::plain);
    Ok(Pairs::new(vec![
        Pair::new("Payments", sums.payments.to_string()),
        Pair::new("Gross", money(sums.gross)?),
        Pair::new("Fees", money(sums.fee)?),
        Pair::new("Tax", money(sums.tax)?),
        Pair::new("Net", money(sums.net)?),
        Pair::new(refunded, money(sums.refunded)?),
    ]))
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
    let query = Query { older: String::new(), ..query };
    let (filter, errors) = filter(&visitor, &query).await?;
    // A file that has not quite what was asked for looks like one that has.
    if let Some(error) = errors.iter().next() {
        return Err(Problem::parameter(error.field, error.text.clone()));
    }
    let sought = sought(&visitor, &query, filter);
    let outside = Outside::new(visitor.state.reads.clone());
    let from = Source { models: visitor.state.read_models.clone(), outside };
    let parts = pages(from, visitor.wallet.clone(), sought);
    Ok(spreadsheet::file("payments.csv", HEAD, parts))
}

/// Where rows are read.
struct Source {
    models: ReadModels,
    outside: Outside,
}

/// The rows that match as text, a page at a time.
fn pages(
    from: Source,
    account: AccountId,
    sought: Sought,
) -> impl Stream<Item = Result<String, Problem>> + Send + 'static {
    let first = Some(Place::default());
    stream::try_unfold((from, account, sought, first), async |(from, account, sought, place)| {
        let Some(place) = place else { return Ok(None) };
        let Source { models, outside } = &from;
        let (found, next) = sought.page((models, outside), place, FILE_PAGE).await?;
        let settled = found.iter().filter_map(|one| match one {
            Found::Paid(row) => row.settlement,
            Found::Coming(_) => None,
        });
        let mut settled: Vec<SettlementId> = settled.collect();
        settled.sort_unstable();
        settled.dedup();
        let references = models.payout_references(&account, &settled).await?;
        let part = found.iter().map(|one| match one {
            Found::Paid(row) => line(row, &references),
            Found::Coming(one) => line_of_coming(one),
        });
        let part = part.collect::<String>();
        Ok(Some((part, (from, account, sought, next))))
    })
}

/// Of one that the shop does not have: it has no fee, nothing is the shop's of it.
fn line_of_coming(one: &Incoming) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let state = match one.state {
        IncomingState::Processing => PROCESSING,
        IncomingState::Paid => "completed",
        IncomingState::Failed => FAILED,
    };
    let currency = one.credit.account.currency().map(|code| code.to_string()).unwrap_or_default();
    let nothing = String::new;
    let cells = [
        "PAYMENT".to_owned(),
        text(&one.order_id),
        one.payment.to_string(),
        "UPI".to_owned(),
        one.told_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        state.to_owned(),
        one.amount.map(parts::paise).unwrap_or_default(),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
        text(&one.store),
        text(&one.terminal),
        currency,
        nothing(),
    ];
    spreadsheet::line(cells.into_iter().map(Cow::Owned))
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

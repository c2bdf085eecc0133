//! `/merchant`: for who is signed in, how the shop stands; for others, what it would be.

use askama::Template;
use axum::{
    extract::{FromRequestParts as _, Query, Request, State},
    http::{HeaderMap, Uri},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Timelike as _, Utc};
use ledger_core::{
    ids::AccountId,
    money::{Currency, Money},
};
use projections::{ActivityFilter, ActivityRow, ActivityStatus, SettlementFilter};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Anybody, MoneyEyes, ShopVisitor, developers, settling};
use crate::{
    http::{
        ApiState, Problem,
        reader::{Reader, find},
        rooms::{InShops, MaybeWithin},
    },
    pages::{
        Layout, Nav, PageContext, Visitor, respond,
        ui::{
            BarChart, DataTable, DayFlow, EmptyState, HourSales, LiveDot, MoneyView, QrCard, When,
        },
        visitor::AtShop,
    },
    payments,
    routes::{Followed, webhook_endpoints::Whose},
    shops::Membership,
    wallet::{self, Balances},
};

/// How many of the last payouts are shown.
const LAST: u32 = 5;
/// The day that it is, hour by hour.
const TODAY: u32 = 1;
/// The spans that the bars show, in days.
const SPANS: [u32; 4] = [TODAY, wallet::SPANS[0], wallet::SPANS[1], wallet::SPANS[2]];

/// Which days the bars show.
#[derive(Debug, Deserialize)]
struct HomeQuery {
    days: Option<u32>,
}

#[derive(Template)]
#[template(path = "merchant/landing.html")]
struct LandingView {
    layout: Layout,
}

#[derive(Template)]
#[template(path = "merchant/home.html")]
struct HomeView {
    layout: Layout,
    live: LiveDot,
    figures: Vec<Figure>,
    /// What settles on which day.
    settling: Option<DataTable>,
    today: Vec<Figure>,
    decides: bool,
    chart: BarChart,
    spans: Vec<(u32, bool)>,
    failed: Option<FailedPayout>,
    /// Whether a webhook endpoint was disabled because nobody took its messages; for owners.
    hooks_stopped: bool,
    last_settlement: Option<LastSettlement>,
    last_utr: Option<String>,
    payouts: DataTable,
    has_payouts: bool,
    empty: EmptyState,
    qr: Option<QrCard>,
}

/// What a cashier sees: the shop's code, and no money.
#[derive(Template)]
#[template(path = "merchant/till.html")]
struct TillView {
    layout: Layout,
    name: String,
    qr: Option<QrCard>,
}

/// One of the four parts of what the shop has.
struct Figure {
    word: &'static str,
    hint: &'static str,
    amount: MoneyView,
}

/// What became available last.
struct LastSettlement {
    id: String,
    amount: MoneyView,
    when: When,
    payments: String,
}

/// A payout that did not get there.
struct FailedPayout {
    id: String,
    amount: MoneyView,
}

pub(super) async fn page(
    State(state): State<ApiState>,
    context: PageContext,
    MaybeWithin(who, _): MaybeWithin<InShops>,
    request: Request,
) -> Result<Response, Response> {
    if who.is_none() {
        let layout = context.layout("Take payments", Nav::None, None);
        return Ok(respond::page(&LandingView { layout }));
    }
    let (mut parts, _) = request.into_parts();
    let visitor: ShopVisitor<Anybody> = ShopVisitor::from_request_parts(&mut parts, &state).await?;
    let query = Query::<HomeQuery>::try_from_uri(&parts.uri);
    let days = query.ok().and_then(|query| query.0.days);
    let shown =
        if visitor.at.role.sees_money() { home(&visitor, days).await } else { Ok(till(&visitor)) };
    shown.map_err(Problem::into_response)
}

fn till(visitor: &ShopVisitor<Anybody>) -> Response {
    respond::page(&TillView {
        layout: visitor.layout("Home", Nav::Shop("home")),
        name: visitor.at.shop.display_name.expose().to_owned(),
        qr: code(visitor),
    })
}

/// The shop's own code, which hangs on its wall: no amount, good for ever.
fn code(visitor: &ShopVisitor<Anybody>) -> Option<QrCard> {
    let shop = &visitor.at.shop;
    QrCard::new(
        &shop.standing_link().to_string(),
        shop.display_name.expose(),
        shop.payment_address(),
    )
}

async fn home(visitor: &ShopVisitor<Anybody>, days: Option<u32>) -> Result<Response, Problem> {
    let span = days.filter(|days| SPANS.contains(days)).unwrap_or(SPANS[1]);
    // Nothing that was paid a moment ago is waited for: at a busy shop there always is something.
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let unsettled = visitor.at.shop.id.unsettled().map_err(|error| Problem::internal(&error))?;
    let unpaid = unpaid(&visitor.state, &unsettled, balances.currency).await?;
    let filter = ActivityFilter::default();
    let models = &visitor.state.read_models;
    let page = models.activity(&visitor.wallet, &filter, None, LAST).await?;
    let view = HomeView {
        layout: visitor.layout("Home", Nav::Shop("home")),
        live: LiveDot::new(visitor.path()),
        figures: figures(&balances, unpaid),
        settling: settling::days(visitor, balances.currency).await?,
        today: today(visitor, balances.currency).await?,
        decides: visitor.at.role.decides(),
        chart: match span {
            TODAY => hours(visitor, balances.currency).await?,
            days => chart(visitor, &unsettled, days).await?,
        },
        spans: SPANS.iter().map(|days| (*days, *days == span)).collect(),
        last_settlement: last_settlement(visitor).await?,
        failed: failed(visitor, &page.rows)?,
        hooks_stopped: visitor.at.role.decides() && hooks_stopped(visitor).await?,
        last_utr: page.rows.iter().find_map(|row| row.utr.clone()),
        has_payouts: !page.rows.is_empty(),
        payouts: super::money::brief_table(visitor, &page.rows)?,
        empty: EmptyState::new(
            "qr",
            "Nothing taken yet",
            "Show this code at your counter. What is paid with it appears here at once.",
        ),
        qr: code(visitor),
    };
    Ok(respond::page(&view))
}

/// What was paid and is not settled yet.
async fn unpaid(
    state: &ApiState,
    unsettled: &AccountId,
    currency: Currency,
) -> Result<Money, Problem> {
    let (_, balance) = find(state, || state.read_models.balance(unsettled)).await?;
    wallet::money(balance.posted, currency).map_err(|error| Problem::internal(&error))
}

fn figures(balances: &Balances, settling: Money) -> Vec<Figure> {
    let figure = |word, hint, live, amount| Figure {
        word,
        hint,
        amount: MoneyView::plain(amount).big().live(live),
    };
    vec![
        figure("Available", "can go to your bank now", "available", balances.available),
        figure("Settling", "paid, and settles on its day", "settling", settling),
        figure("On its way to the bank", "with fees", "outgoing", balances.on_its_way_out),
        figure("Held", "yours, and not spendable", "held", balances.held),
    ]
}

/// What was sold today: a day of the book's.
async fn today(visitor: &ShopVisitor<Anybody>, currency: Currency) -> Result<Vec<Figure>, Problem> {
    let state = &visitor.state;
    let (began, now) = since_midnight(visitor);
    let code = payments::code_of(visitor.at.shop.id)?;
    let until = now + chrono::TimeDelta::seconds(1);
    let sums = state.read_models.payment_sums(&code, currency.code, (began, until)).await?;
    let money = |amount| wallet::money(amount, currency);
    let figure = |word, hint, live, amount: Decimal| {
        let amount = money(amount).map_err(|error| Problem::internal(&error))?;
        Ok::<_, Problem>(Figure { word, hint, amount: MoneyView::plain(amount).live(live) })
    };
    Ok(vec![
        figure("Sales today", "what was paid", "sales", sums.gross)?,
        figure("Refunds today", "of whichever day’s payments", "refunds", sums.refunds)?,
        figure("Fees today", "tax included", "fees", sums.fee.saturating_add(sums.tax))?,
    ])
}

/// When the day began that it is for the visitor, and now.
fn since_midnight(visitor: &Visitor) -> (DateTime<Utc>, DateTime<Utc>) {
    let now = visitor.now();
    let midnight = now.with_timezone(&visitor.zone).date_naive().and_hms_opt(0, 0, 0);
    let began = midnight.and_then(|at| at.and_local_timezone(visitor.zone).earliest());
    (began.map_or(now, |at| at.to_utc()), now)
}

/// What was sold today, hour by hour.
async fn hours(visitor: &ShopVisitor<Anybody>, currency: Currency) -> Result<BarChart, Problem> {
    let (began, now) = since_midnight(visitor);
    let code = payments::code_of(visitor.at.shop.id)?;
    let span = (began, now + chrono::TimeDelta::seconds(1));
    let models = &visitor.state.read_models;
    let bars = models.payment_bars(&code, currency.code, span, visitor.zone).await?;
    let hour_of = |at: DateTime<Utc>| at.with_timezone(&visitor.zone).hour();
    let present = hour_of(now);
    let hours: Result<Vec<HourSales>, Problem> = (0..24)
        .map(|hour| {
            let sold = bars.iter().find(|bar| hour_of(bar.from) == hour).map(|bar| bar.gross);
            let sold = wallet::money(sold.unwrap_or_default(), currency);
            let sold = sold.map_err(|error| Problem::internal(&error))?;
            Ok(HourSales { hour, sold: (hour <= present).then_some(sold) })
        })
        .collect();
    Ok(BarChart::of_hours("Sold today, by the hour", &hours?))
}

/// What became available last.
async fn last_settlement(
    visitor: &ShopVisitor<Anybody>,
) -> Result<Option<LastSettlement>, Problem> {
    let code = payments::code_of(visitor.at.shop.id)?;
    let filter = SettlementFilter { merchant: Some(code), ..SettlementFilter::default() };
    let found = visitor.state.read_models.settlements(&filter, 1).await?;
    let Some(last) = found.items.into_iter().next() else { return Ok(None) };
    let one = last.payments == 1;
    Ok(Some(LastSettlement {
        id: last.id.to_string(),
        amount: MoneyView::plain(visitor.money(last.net, last.currency)?),
        when: visitor.when(last.settled_at),
        payments: format!("{} payment{}", last.payments, if one { "" } else { "s" }),
    }))
}

/// What was taken and what went to the bank, day by day.
async fn chart(visitor: &Visitor, unsettled: &AccountId, span: u32) -> Result<BarChart, Problem> {
    let taken = wallet::history(&visitor.state, unsettled, span).await?;
    let spent = wallet::history(&visitor.state, &visitor.wallet, span).await?;
    let days: Vec<DayFlow> = taken
        .days
        .iter()
        .map(|day| {
            let same = spent.days.iter().find(|other| other.day == day.day);
            let out = same.and_then(|other| other.money_out);
            DayFlow { date: day.day, flow: day.money_in.zip(out) }
        })
        .collect();
    Ok(BarChart::new(format!("Taken and paid out, last {span} days"), &days))
}

/// The newest payout, if it is one that came to nothing.
fn failed(visitor: &Visitor, rows: &[ActivityRow]) -> Result<Option<FailedPayout>, Problem> {
    let Some(row) = rows.first() else { return Ok(None) };
    let came_to_nothing = matches!(
        row.status,
        ActivityStatus::Failed | ActivityStatus::Returned | ActivityStatus::Rejected
    );
    if !came_to_nothing {
        return Ok(None);
    }
    let amount: Decimal = row.amount;
    let amount = MoneyView::plain(visitor.money(amount, row.currency)?);
    Ok(Some(FailedPayout { id: row.object.clone(), amount }))
}

async fn hooks_stopped(visitor: &ShopVisitor<Anybody>) -> Result<bool, Problem> {
    developers::stopped(&visitor.state, &Whose::shop(visitor.at.shop.id)).await
}

/// What happens on the shop's money, as it happens.
pub(super) async fn events(
    visitor: ShopVisitor<MoneyEyes>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let followed = Followed { account: visitor.wallet.clone(), is_quiet: false };
    stream(&visitor, &visitor.at, (headers, uri), followed).await
}

/// That something was paid, as it happens, and nothing of how much: for everybody who works there.
pub(super) async fn till_events(
    visitor: ShopVisitor<Anybody>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let unsettled = visitor.at.shop.id.unsettled().map_err(|error| Problem::internal(&error))?;
    let followed = Followed { account: unsettled, is_quiet: true };
    stream(&visitor, &visitor.at, (headers, uri), followed).await
}

async fn stream(
    visitor: &Visitor,
    at: &AtShop,
    (headers, uri): (HeaderMap, Uri),
    followed: Followed,
) -> Result<Response, Problem> {
    let membership = Membership { merchant: at.shop.id, role: at.role };
    let session = &visitor.who.session;
    let reader = Reader::of_member(&visitor.state, session, membership, &uri)?;
    crate::routes::follow(reader, &headers, None, followed).await
}

//! `/merchant/accept`: the shop's own code, codes with an amount and an end, links, and a poster.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use chrono::TimeDelta;
use ledger_core::{
    command::Receipt,
    ids::{PaymentRequestId, Reference},
    money::Money,
    payment_request::PaymentRequestStatus,
};
use projections::{PaymentRequestFilter, PaymentRequestRow, ReadError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{ShopSent, ShopVisitor, Tills};
use crate::{
    deposits::{IncomingState, Outside},
    http::{
        Problem, codes,
        json::Payload,
        reach::nothing,
        reader::{caught_up, find},
        session::see_other,
        writer::wrong_receipt,
    },
    links::PAY_PAGE,
    pages::{
        FormErrors, Layout, Nav, act,
        people::errors_of,
        respond,
        ui::{Cell, Column, Countdown, DataTable, LiveDot, MoneyView, QrCard, Status},
    },
    payments::{self, RequestIn},
};

/// How many of the last requests are shown.
const LAST: u32 = 10;
/// For how many minutes a code can be good, and the words for it.
const ENDS: [(u16, &str); 4] =
    [(5, "5 minutes"), (15, "15 minutes"), (60, "an hour"), (1440, "a day")];

#[derive(Template)]
#[template(path = "merchant/accept.html")]
struct AcceptView {
    layout: Layout,
    live: LiveDot,
    errors: FormErrors,
    qr: Option<QrCard>,
    form: AskForm,
    ends: [(u16, &'static str); 4],
    nonce: String,
    requests: DataTable,
    has_requests: bool,
}

/// A code with an amount, to be shown to one payer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskForm {
    amount: String,
    #[serde(default)]
    order_id: String,
    minutes: u16,
    nonce: String,
}

/// The page.
pub(super) async fn page(visitor: ShopVisitor<Tills>) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    show(&visitor, AskForm { minutes: 15, ..AskForm::default() }, FormErrors::none()).await
}

async fn show(
    visitor: &ShopVisitor<Tills>,
    form: AskForm,
    errors: FormErrors,
) -> Result<Response, Problem> {
    let shop = &visitor.at.shop;
    let merchant = Some(payments::code_of(shop.id)?);
    let filter = PaymentRequestFilter { merchant, ..PaymentRequestFilter::default() };
    let page = visitor.state.read_models.payment_requests(&filter, LAST).await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = AcceptView {
        layout: visitor.layout("Accept", Nav::Shop("accept")),
        live: LiveDot::new(visitor.path()),
        errors,
        qr: QrCard::new(
            &shop.standing_link().to_string(),
            shop.display_name.expose(),
            shop.payment_address(),
        ),
        form,
        ends: ENDS,
        nonce: visitor.nonce(),
        has_requests: !page.items.is_empty(),
        requests: table(visitor, &page.items)?,
    };
    Ok(respond::page_with(status, &view))
}

fn table(visitor: &ShopVisitor<Tills>, rows: &[PaymentRequestRow]) -> Result<DataTable, Problem> {
    let columns = [
        Column::words("When"),
        Column::words("Order"),
        Column::words("Status"),
        Column::numbers("Amount"),
    ];
    let cells = rows.iter().map(|row| {
        let order = row.order_id.clone().unwrap_or_else(|| "Code".to_owned());
        let amount = match row.amount {
            Some(amount) => MoneyView::plain(visitor.money(amount, row.currency)?).into(),
            None => Cell::from("any"),
        };
        Ok(vec![
            visitor.when(row.created_at).into(),
            Cell::Link(order, format!("/merchant/accept/{}", row.id)),
            status(row.status).into(),
            amount,
        ])
    });
    Ok(DataTable::new("Codes with an amount", &columns, cells.collect::<Result<_, Problem>>()?))
}

const fn status(status: PaymentRequestStatus) -> Status {
    match status {
        PaymentRequestStatus::Open => Status::Waiting,
        PaymentRequestStatus::Paid => Status::Done,
        PaymentRequestStatus::Expired => Status::Expired,
        PaymentRequestStatus::Closed => Status::Cancelled,
    }
}

/// Makes a code with an amount, once for the form.
pub(super) async fn ask(
    ShopSent { visitor, form }: ShopSent<Tills, AskForm>,
) -> Result<Response, Problem> {
    match make(&visitor, &form).await {
        Ok(id) => Ok(see_other(&format!("/merchant/accept/{id}"))),
        // A second click a moment later asks for a later end: the list has the first one's code.
        Err(problem) if problem.code() == codes::IDEMPOTENCY_KEY_REUSED.name => {
            Ok(see_other("/merchant/accept"))
        }
        Err(problem) => {
            let errors = errors_of(problem, &["amount", "order_id"])?;
            show(&visitor, form, errors).await
        }
    }
}

async fn make(visitor: &ShopVisitor<Tills>, form: &AskForm) -> Result<PaymentRequestId, Problem> {
    if !ENDS.iter().any(|(minutes, _)| *minutes == form.minutes) {
        return Err(Problem::field(codes::INVALID, "/minutes", "Choose how long it is good."));
    }
    let order = form.order_id.trim();
    let order: Option<Reference> =
        if order.is_empty() { None } else { Some(order.parse().map_err(|_| wrong_order())?) };
    let value = act::amount_typed(&form.amount);
    let minutes = form.minutes.to_string();
    let key = act::key("accept", &form.nonce, &[&value, &form.order_id, &minutes])?;
    let ends = TimeDelta::minutes(i64::from(form.minutes));
    let expires_at = visitor.now().checked_add_signed(ends);
    let body = json!({"amount": {"value": value, "currency": "INR"}, "order_id": order,
        "expires_at": expires_at, "single_use": true});
    let payload: Payload = Payload::of(&body)?;
    let body: RequestIn = payload.parse()?;
    let (done, _) = payments::create_request(&visitor.writer()?, key, &body).await?;
    let Receipt::PaymentRequest { request_id, .. } = done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    Ok(request_id)
}

fn wrong_order() -> Problem {
    let detail = "An order id has 1 to 64 letters, digits or signs, and no spaces.";
    Problem::field(codes::INVALID, "/order_id", detail)
}

#[derive(Template)]
#[template(path = "merchant/request.html")]
struct RequestView {
    layout: Layout,
    live: LiveDot,
    id: String,
    status: Status,
    is_open: bool,
    is_paid: bool,
    amount: Option<MoneyView>,
    order: String,
    qr: Option<QrCard>,
    left: Option<Countdown>,
    link: String,
    payment: Option<String>,
    coming: Vec<ComingLine>,
    nonce: String,
}

/// What comes for it from another bank, or goes back there.
struct ComingLine {
    status: Status,
    amount: Option<MoneyView>,
    words: &'static str,
}

/// A code with an amount; it turns to paid by itself.
pub(super) async fn one(
    visitor: ShopVisitor<Tills>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caught_up(&visitor.state).await.ok();
    let row = own(&visitor, &id).await?;
    let money = row.amount.map(|amount| visitor.money(amount, row.currency)).transpose()?;
    let shop = &visitor.at.shop;
    let is_open = row.status == PaymentRequestStatus::Open
        && row.expires_at.is_none_or(|at| visitor.now() < at);
    let link = payments::link_of(shop, row.id, money, None).to_string();
    let shown: String = money.as_ref().map(crate::pages::ui::money_text).unwrap_or_default();
    let path = format!("{PAY_PAGE}?request={}", row.id);
    let view = RequestView {
        layout: visitor.layout("Waiting to be paid", Nav::Shop("accept")),
        live: LiveDot::new(visitor.path()),
        id: row.id.to_string(),
        status: status(row.status),
        is_open,
        is_paid: row.status == PaymentRequestStatus::Paid,
        amount: money.map(|money: Money| MoneyView::plain(money).hero()),
        order: row.order_id.clone().unwrap_or_default(),
        qr: QrCard::new(&link, shop.display_name.expose(), shown).filter(|_| is_open),
        left: row.expires_at.map(|at| Countdown::new(at, visitor.now())).filter(|_| is_open),
        link: visitor.state.people_settings.link(&path),
        payment: row.payment.map(|id| id.to_string()),
        coming: coming(&visitor, row.id).await?,
        nonce: visitor.nonce(),
    };
    Ok(respond::page(&view))
}

/// What other banks have told of and the shop does not have.
async fn coming(
    visitor: &ShopVisitor<Tills>,
    request: PaymentRequestId,
) -> Result<Vec<ComingLine>, Problem> {
    let found = Outside::new(visitor.state.reads.clone()).incoming_of_request(request).await;
    let mut lines = Vec::new();
    for one in found.map_err(ReadError::from)? {
        let (status, words) = match one.state {
            IncomingState::Processing => {
                (Status::Processing, "comes from another bank. We are asking it.")
            }
            IncomingState::Failed => {
                (Status::Failed, "came from another bank and goes back to whoever paid.")
            }
            IncomingState::Paid => continue,
        };
        let currency = one.credit.account.currency().map_err(|error| Problem::internal(&error))?;
        let amount = one.amount.map(|amount| visitor.money(amount, currency)).transpose()?;
        lines.push(ComingLine { status, amount: amount.map(MoneyView::plain), words });
    }
    Ok(lines)
}

/// A request, if it is this shop's.
async fn own(visitor: &ShopVisitor<Tills>, id: &str) -> Result<PaymentRequestRow, Problem> {
    let id: PaymentRequestId = id.parse().map_err(|_| nothing())?;
    let models = &visitor.state.read_models;
    let (_, row) = find(&visitor.state, || models.payment_request(id)).await?;
    let is_own = payments::shop_of(&row.merchant) == Some(visitor.at.shop.id);
    is_own.then_some(row).ok_or_else(nothing)
}

/// The form of the button.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseForm {
    nonce: String,
}

/// Takes a code back. Too late is no failure: the page then says what happened instead.
pub(super) async fn close(
    Path(id): Path<String>,
    ShopSent { visitor, form }: ShopSent<Tills, CloseForm>,
) -> Result<Response, Problem> {
    let request: PaymentRequestId = id.parse().map_err(|_| nothing())?;
    let key = act::key("close_request", &form.nonce, &[&id])?;
    match payments::close_request(&visitor.writer()?, request, key, &form).await {
        Err(problem) if ![409, 422].contains(&problem.status()) => Err(problem),
        Ok(_) | Err(_) => Ok(see_other(&format!("/merchant/accept/{request}"))),
    }
}

#[derive(Template)]
#[template(path = "merchant/poster.html")]
struct PosterView {
    layout: Layout,
    name: String,
    address: String,
    qr: Option<QrCard>,
}

/// The shop's own code, to be printed and hung up.
pub(super) async fn poster(visitor: ShopVisitor<Tills>) -> Response {
    let shop = &visitor.at.shop;
    let name = shop.display_name.expose().to_owned();
    respond::page(&PosterView {
        layout: visitor.layout("Poster", Nav::Shop("accept")),
        qr: QrCard::new(&shop.standing_link().to_string(), &*name, shop.payment_address()),
        address: shop.payment_address(),
        name,
    })
}

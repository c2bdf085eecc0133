//! `/app/pay`: paying a shop, from its QR code or from a payment link. The sheet says who it is, by
//! the name that the service knows; then it is paid once.

use askama::Template;
use axum::{Router, extract::Query, http::StatusCode, response::Response, routing::get};
use ledger_core::{command::Receipt, ids::PaymentRequestId, money::Money};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    FormErrors, Layout, Nav, Visitor,
    act::{self, Presses},
    draft::{self, Draft},
    moving::{ConfirmView, after},
    respond,
    ui::{ConfirmSheet, Face, MoneyView, Pair, Pairs, money_text},
    visitor::Sent,
};
use crate::{
    http::{
        ApiState, Problem, codes, json::Payload, problem::sentence, reader::find,
        session::see_other, writer::wrong_receipt,
    },
    links::{Link, LinkError, PAY_PAGE, PayPage, UpiLink},
    payments::{self, PayIn},
    shops::{Merchant, MerchantId},
    wallet::{self, Balances},
};

/// Where the sheet is.
const SHEET: &str = "/app/pay/check";

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route(PAY_PAGE, get(page).post(pay)).route(SHEET, get(sheet).post(check))
}

#[derive(Template)]
#[template(path = "app/pay.html")]
struct PayView {
    layout: Layout,
    errors: FormErrors,
    available: MoneyView,
    link: String,
    request: String,
    amount: String,
    shop: String,
}

/// What is paid: a code, or a request by its id; and how much where neither says it.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct PayForm {
    link: String,
    request: String,
    amount: String,
    nonce: String,
}

/// What the address of a payment link says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PayQuery {
    link: String,
    request: String,
}

/// Whom and how much, as far as it is said.
struct Meant {
    shop: Merchant,
    amount: Option<Money>,
    order: Option<String>,
}

async fn page(visitor: Visitor, Query(query): Query<PayQuery>) -> Result<Response, Problem> {
    let form = PayForm { link: query.link, request: query.request, ..PayForm::default() };
    if form.link.is_empty() && form.request.is_empty() {
        return show(&visitor, form, FormErrors::none()).await;
    }
    checked(&visitor, form).await
}

/// Shows what is about to happen. Who comes without a draft finds the form.
async fn sheet(visitor: Visitor, Query(draft): Query<Draft>) -> Result<Response, Problem> {
    let Some(form) = draft.open::<PayForm>(&visitor, SHEET) else {
        return Ok(see_other(PAY_PAGE));
    };
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    match understood(&visitor, &balances, form).await? {
        Ok((form, found, money)) => {
            Ok(respond::page(&confirm(&visitor, &balances, (&found, money), form)))
        }
        Err((form, errors)) => show(&visitor, form, errors).await,
    }
}

async fn show(visitor: &Visitor, form: PayForm, errors: FormErrors) -> Result<Response, Problem> {
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let shop = match meant(visitor, &form).await {
        Ok(meant) => meant.shop.display_name.expose().to_owned(),
        Err(_) => String::new(),
    };
    let view = PayView {
        layout: visitor.layout("Pay a shop", Nav::Move),
        errors,
        available: MoneyView::plain(balances.available),
        link: form.link,
        request: form.request,
        amount: form.amount,
        shop,
    };
    Ok(respond::page_with(status, &view))
}

/// What a code or a request means. What is not ours cannot be paid here.
async fn meant(visitor: &Visitor, form: &PayForm) -> Result<Meant, Problem> {
    let state = &visitor.state;
    let request: Option<PaymentRequestId> = match form.request.trim() {
        "" => None,
        text => Some(text.parse().map_err(|_| no_shop())?),
    };
    if let Some(id) = request {
        return of_request(visitor, id).await;
    }
    let link: Link = form.link.trim().parse().map_err(|error: LinkError| {
        Problem::field(codes::INVALID, "/link", sentence(&error.to_string()))
    })?;
    let Link::Upi(UpiLink { payee, amount, reference, .. }) = link else {
        let detail = "This code is of a person. Use Send instead.";
        return Err(Problem::field(codes::INVALID, "/link", detail));
    };
    if let Some(id) = reference.and_then(|text| text.parse::<PaymentRequestId>().ok()) {
        return of_request(visitor, id).await;
    }
    let (handle, bank) = payee.split_once('@').ok_or_else(no_shop)?;
    if bank != Merchant::BANK {
        return Err(no_shop());
    }
    let handle = handle.parse().map_err(|_| no_shop())?;
    let shop = state.shops.by_handle(&handle).await?.ok_or_else(no_shop)?;
    Ok(Meant { shop, amount, order: None })
}

async fn of_request(visitor: &Visitor, id: PaymentRequestId) -> Result<Meant, Problem> {
    let state = &visitor.state;
    let (_, row) = find(state, || state.read_models.payment_request(id)).await?;
    let merchant: MerchantId = payments::shop_of(&row.merchant).ok_or_else(no_shop)?;
    let shop = state.shops.by_id(merchant).await?.ok_or_else(no_shop)?;
    let amount = row.amount.map(|amount| visitor.money(amount, row.currency)).transpose()?;
    Ok(Meant { shop, amount, order: row.order_id })
}

fn no_shop() -> Problem {
    let detail = "This code is of no shop of this service.";
    Problem::field(codes::INVALID, "/link", detail)
}

/// Leads to the sheet.
async fn check(sent: Sent<PayForm>) -> Result<Response, Problem> {
    checked(&sent.visitor, sent.form).await
}

/// To the sheet, or to the form with what is wrong or missing.
async fn checked(visitor: &Visitor, form: PayForm) -> Result<Response, Problem> {
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    match understood(visitor, &balances, form).await? {
        Ok((form, _, money)) => {
            let (amount, nonce) = (money.amount().to_string(), visitor.nonce());
            draft::to_sheet(visitor, SHEET, &PayForm { amount, nonce, ..form })
        }
        Err((form, errors)) => show(visitor, form, errors).await,
    }
}

/// The address of this page, as shops send it.
pub(super) fn page_of(visitor: &Visitor) -> String {
    visitor.state.people_settings.link(PAY_PAGE)
}

/// Whom a form is to pay and how much; or the form with what is wrong with it, which is nothing
/// where only the amount is missing.
async fn understood(
    visitor: &Visitor,
    balances: &Balances,
    mut form: PayForm,
) -> Result<Result<(PayForm, Meant, Money), (PayForm, FormErrors)>, Problem> {
    match PayPage::read(&form.link, &page_of(visitor)) {
        Ok(None) => {}
        Ok(Some(PayPage::Request(id))) => {
            form = PayForm { request: id.to_string(), link: String::new(), ..form };
        }
        Ok(Some(PayPage::Code(link))) => form.link = link,
        Err(error) => {
            let errors = FormErrors::one("link", sentence(&error.to_string()));
            return Ok(Err((form, errors)));
        }
    }
    let found = match meant(visitor, &form).await {
        Ok(found) => found,
        Err(problem) if [404, 422].contains(&problem.status()) => {
            let text = problem.body().detail.into_owned();
            return Ok(Err((form, FormErrors::one("link", text))));
        }
        Err(problem) => return Err(problem),
    };
    let money = match (found.amount, form.amount.trim()) {
        (Some(money), _) => money,
        // A code without an amount: whoever pays says it, which is no mistake yet.
        (None, "") => return Ok(Err((form, FormErrors::none()))),
        (None, typed) => match act::amount(typed, balances) {
            Ok(money) => money,
            Err(errors) => return Ok(Err((form, errors))),
        },
    };
    Ok(Ok((form, found, money)))
}

fn confirm(
    visitor: &Visitor,
    balances: &Balances,
    (found, money): (&Meant, Money),
    form: PayForm,
) -> ConfirmView {
    let name = found.shop.display_name.expose();
    let mut pairs = vec![Pair::new("Address", found.shop.payment_address())];
    if let Some(order) = &found.order {
        pairs.push(Pair::new("Order", order.clone()));
    }
    pairs.push(Pair::new("Fee", "Free"));
    if let Some(left) = after(balances, money, false) {
        pairs.push(Pair::new("You will have", left).total());
    }
    ConfirmView {
        layout: visitor.layout("Pay a shop", Nav::Move),
        title: "Check and pay",
        sheet: ConfirmSheet {
            face: Face::icon("qr"),
            headline: format!("To {name}"),
            verified: "A shop of this service".to_owned(),
            amount: MoneyView::plain(money).hero(),
            pairs: Pairs::new(pairs),
        },
        action: PAY_PAGE.to_owned(),
        fields: vec![
            ("link", form.link),
            ("request", form.request),
            ("amount", money.amount().to_string()),
        ],
        nonce: form.nonce,
        button: format!("Pay {}", money_text(&money)),
        back: PAY_PAGE.to_owned(),
        notice: None,
    }
}

/// Pays, once for the sheet.
async fn pay(sent: Sent<PayForm>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    let value = act::amount_typed(&form.amount);
    let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let amount = json!({"value": value, "currency": visitor.wallet.currency()
        .map_err(|error| Problem::internal(&error))?.to_string()});
    let mut body = json!({"amount": amount});
    if let Some(fields) = body.as_object_mut() {
        match (text(&form.request), text(&form.link)) {
            (Some(request), _) => fields.insert("request".to_owned(), json!(request)),
            (None, link) => fields.insert("link".to_owned(), json!(link)),
        };
    }
    let payload: Payload = Payload::of(&body)?;
    let body: PayIn = payload.parse()?;
    let fields = [&*form.link, &*form.request, &*value];
    let mut presses = Presses::of("pay_shop", &form.nonce, &fields);
    let problem = loop {
        match payments::pay(&visitor.writer()?, presses.key()?, &body).await {
            Ok(done) => {
                let Receipt::Payment { payment_id, .. } = done.accepted.receipt else {
                    return Err(wrong_receipt(&done.accepted.receipt));
                };
                return Ok(see_other(&format!("/app/activity/{payment_id}")));
            }
            Err(problem) if presses.go_on(&problem) => {}
            Err(problem) => break problem,
        }
    };
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let errors = act::refused(problem, &balances)?;
    show(&visitor, form, errors).await
}

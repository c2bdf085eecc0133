//! `/ops/sandbox`: the switches of the demonstration's banks. There is no such page anywhere else.

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use ledger_core::{ids::BankCode, money::Money};
use serde::Deserialize;
use serde_json::json;

use super::{ActForm, Board, Field, OpsSent, OpsVisitor, Part, after};
use crate::{
    desk::acts::Act,
    http::{ApiState, Problem, codes},
    pages::{FormErrors, act, respond},
    service::SandboxClock,
};

const PATH: &str = "/ops/sandbox";
/// The furthest that the clock is moved at once: a month.
const HOURS_MAX: i64 = 31 * 24;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(PATH, get(page))
        .route("/ops/sandbox/clock", post(advance))
        .route("/ops/sandbox/mode", post(mode))
        .route("/ops/sandbox/credit", post(credit))
}

fn switches(visitor: &OpsVisitor) -> Result<&SandboxClock, Problem> {
    let sandbox = visitor.state.operators.sandbox.as_ref().filter(|_| visitor.state.demo);
    sandbox.ok_or_else(|| Problem::not_found("There is no sandbox here."))
}

async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    switches(&visitor)?;
    Ok(respond::page(&board(&visitor, &FormErrors::none())))
}

/// How a bank pays what came in, as its switch names it and in words.
const LUMPS: [(&str, &str); 3] = [
    ("none", "comes one by one"),
    ("named", "comes as one line that says of what"),
    ("unnamed", "comes as one line that does not say"),
];

fn named((code, words): (&str, &str)) -> (String, String) {
    (code.to_owned(), words.to_owned())
}

fn board(visitor: &OpsVisitor, errors: &FormErrors) -> Board {
    let banks = visitor.state.banks.iter().map(|bank| bank.code().to_string());
    let banks: Vec<(String, String)> = banks.map(|code| (code.clone(), code)).collect();
    let bank = || Field::choice("bank", "Bank", banks.clone());
    let percent = |name, label| Field::line(name, label, 3).value("0");
    let clock = ActForm::new("/ops/sandbox/clock", "Let time pass")
        .field(Field::line("hours", "Hours", 4).value("24"));
    let mode = ActForm::new("/ops/sandbox/mode", "Set")
        .field(bank())
        .field(percent("timeout_percent", "Not answered, %"))
        .field(percent("error_percent", "Errors, %"))
        .field(percent("webhook_lost_percent", "Webhooks lost, %"))
        .field(percent("webhook_duplicate_percent", "Webhooks twice, %"))
        .field(Field::choice("lumps", "What came in a day", LUMPS.map(named).to_vec()));
    let credit = ActForm::new("/ops/sandbox/credit", "Send it")
        .field(bank())
        .field(Field::line("amount", "Rupees", 16))
        .field(Field::line("token", "What the payer writes", 60).optional());
    let lead = "Test money only. These switches are the sandbox banks’ own.";
    Board::new(visitor, "Sandbox", "sandbox")
        .lead(lead)
        .errors(errors)
        .part(Part::new("Clock").text(visitor.when(visitor.now()).text()).form(clock))
        .part(Part::new("How a bank behaves").text("All zero is well.").form(mode))
        .part(Part::new("A credit at a bank").form(credit))
}

async fn answer(visitor: &OpsVisitor, done: Result<(), Problem>) -> Result<Response, Problem> {
    after(done, PATH, async |errors| Ok(board(visitor, &errors))).await
}

async fn throw(visitor: &OpsVisitor, path: &str, body: &serde_json::Value) -> Result<(), Problem> {
    // The page says it, beside the switch: it is no failure of ours.
    let thrown = switches(visitor)?.throw(path, body).await;
    thrown.map_err(|said| Problem::new(codes::INVALID, said))?;
    Act::new("sandbox_switched", path, &body.to_string()).keep(&visitor.writer()?).await
}

fn wrong(field: &str, detail: &'static str) -> Problem {
    Problem::field(codes::INVALID, format!("/{field}"), detail)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    #[serde(rename = "nonce")]
    _nonce: String,
    hours: String,
}

async fn advance(OpsSent { visitor, form }: OpsSent<Clock>) -> Result<Response, Problem> {
    let done = pass(&visitor, &form).await;
    answer(&visitor, done).await
}

async fn pass(visitor: &OpsVisitor, form: &Clock) -> Result<(), Problem> {
    let hours = form.hours.trim().parse::<i64>().ok();
    let hours = hours.filter(|hours| (1..=HOURS_MAX).contains(hours));
    let hours = hours.ok_or_else(|| wrong("hours", "Whole hours, from 1 to 744."))?;
    throw(visitor, "clock/advance", &json!({"milliseconds": hours * 3_600_000})).await?;
    switches(visitor)?.look().await;
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mode {
    #[serde(rename = "nonce")]
    _nonce: String,
    bank: String,
    timeout_percent: u8,
    error_percent: u8,
    webhook_lost_percent: u8,
    webhook_duplicate_percent: u8,
    #[serde(default)]
    lumps: String,
}

fn bank(visitor: &OpsVisitor, code: &str) -> Result<BankCode, Problem> {
    let code = code.parse::<BankCode>().ok();
    let known = code.filter(|code| visitor.state.banks.get(code).is_some());
    known.ok_or_else(|| wrong("bank", "There is no such bank."))
}

async fn mode(OpsSent { visitor, form }: OpsSent<Mode>) -> Result<Response, Problem> {
    let done = set(&visitor, &form).await;
    answer(&visitor, done).await
}

async fn set(visitor: &OpsVisitor, form: &Mode) -> Result<(), Problem> {
    let path = format!("banks/{}/mode", bank(visitor, &form.bank)?);
    let lumps = if form.lumps.is_empty() { "none" } else { &form.lumps };
    let body = json!({
        "lumps": lumps,
        "timeout_percent": form.timeout_percent, "error_percent": form.error_percent,
        "webhook_lost_percent": form.webhook_lost_percent,
        "webhook_duplicate_percent": form.webhook_duplicate_percent,
    });
    throw(visitor, &path, &body).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credit {
    #[serde(rename = "nonce")]
    _nonce: String,
    bank: String,
    amount: String,
    #[serde(default)]
    token: String,
}

async fn credit(OpsSent { visitor, form }: OpsSent<Credit>) -> Result<Response, Problem> {
    let done = send(&visitor, &form).await;
    answer(&visitor, done).await
}

async fn send(visitor: &OpsVisitor, form: &Credit) -> Result<(), Problem> {
    let path = format!("banks/{}/credits", bank(visitor, &form.bank)?);
    let code = "INR".parse().map_err(|error| Problem::internal(&error))?;
    let currency = visitor.state.ledger.status().borrow().book.currency(code);
    let amount = currency
        .and_then(|currency| Money::parse(&act::amount_typed(&form.amount), currency).ok())
        .filter(Money::is_positive)
        .ok_or_else(|| wrong("amount", "An amount such as 250 or 99.50."))?;
    let mut body = json!({
        "amount": {"value": amount.amount().to_string(), "currency": "INR"},
    });
    if !form.token.trim().is_empty() {
        body["token"] = json!(form.token.trim());
    }
    throw(visitor, &path, &body).await
}

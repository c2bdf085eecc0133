//! What withdrawals and transfers cost, on the page of limits: what is in force and what is to
//! come, every version as what it changed, and proposing the next one.

use axum::response::Response;
use chrono::{DateTime, Utc};
use ledger_core::{
    book::Book,
    chart::Authority,
    command::Operation,
    fee::{Service, ServiceFee},
    money::{Currency, Money, MoneyError},
};

use super::{
    ActForm, Board, Field, OpsSent, OpsVisitor, Part, after,
    fees::{percent, rate},
    limits,
};
use crate::{
    desk::{
        carrying_out,
        fees::FeeChange,
        proposals::{Kind, NewProposal},
        versions::{self, Version},
    },
    http::{Problem, codes},
    pages::{
        act,
        ui::{Cell, Column, money_text},
    },
};

const PATH: &str = "/ops/limits/services";

/// The parts about what withdrawals and transfers cost.
pub(super) async fn parts(visitor: &OpsVisitor, board: Board) -> Result<Board, Problem> {
    let book = visitor.state.ledger.status().borrow().book.clone();
    let versions = versions::fees(&visitor.state.reads).await?;
    let board = board.part(in_force(visitor, &book)?);
    Ok(board.part(propose_form(&book)).part(history(visitor, &book, &versions)?))
}

pub(super) const fn words(service: Service) -> &'static str {
    match service {
        Service::Withdrawal => "A withdrawal",
        Service::Transfer => "A transfer",
    }
}

fn said(fee: &ServiceFee, currency: Currency) -> Result<String, Problem> {
    let money = Money::from_decimal(fee.fee, currency).map_err(internal)?;
    let tax = percent(fee.tax_bps);
    Ok(if money.is_zero() {
        "free".to_owned()
    } else {
        format!("{}, {tax} % tax in it", money_text(&money))
    })
}

/// What something costs, and what it would; nothing if the proposal cannot be.
pub(super) fn compared(
    book: &Book,
    change: &FeeChange,
    now: DateTime<Utc>,
) -> Option<(String, String)> {
    let currency = book.currency(change.currency)?;
    let was = book.fee(change.service, currency, now).ok()?;
    let defined = change.define(book).ok()?;
    let to_be = ServiceFee { fee: defined.fee.amount(), tax_bps: defined.tax_bps, ..was };
    Some((said(&was, currency).ok()?, said(&to_be, currency).ok()?))
}

fn internal(error: MoneyError) -> Problem {
    Problem::internal(&error)
}

/// The currencies that have a fee, or had one, or will; rupees in any case.
fn shown(book: &Book) -> Vec<(Service, Currency)> {
    let has = |service: Service, currency: Currency| {
        let defined = book.fees().iter();
        let mut defined = defined.filter(|fee| fee.service == service);
        currency.code.as_str() == "INR" || defined.any(|fee| fee.currency == currency.code)
    };
    let all = Service::ALL
        .into_iter()
        .flat_map(|service| book.currencies().map(move |currency| (service, currency)));
    all.filter(|(service, currency)| has(*service, *currency)).collect()
}

fn in_force(visitor: &OpsVisitor, book: &Book) -> Result<Part, Problem> {
    let now = visitor.now();
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (service, currency) in shown(book) {
        let fee = book.fee(service, currency, now).map_err(internal)?;
        let last = book.fees().iter().rev();
        let mut last = last.filter(|f| f.service == service && f.currency == currency.code);
        let planned = last.next().filter(|last| last.effective_from > now);
        rows.push(vec![
            words(service).into(),
            currency.code.to_string().into(),
            fee.version.to_string().into(),
            said(&fee, currency)?.into(),
            match planned {
                Some(next) => format!(
                    "version {}: {}, from {}",
                    next.version,
                    said(next, currency)?,
                    visitor.when(next.effective_from).text()
                )
                .into(),
                None => "nothing".into(),
            },
        ]);
    }
    let columns = [
        Column::words("What"),
        Column::words("Currency"),
        Column::numbers("Version"),
        Column::words("Costs now"),
        Column::words("Planned"),
    ];
    let text = "Who was shown a fee pays that fee, or is asked again.";
    Ok(Part::new("What withdrawals and transfers cost").text(text).table(&columns, rows, ""))
}

fn propose_form(book: &Book) -> Part {
    let services = Service::ALL.map(|one| (one.as_str().to_owned(), words(one).to_owned()));
    let currencies = book.currencies().map(|one| (one.code.to_string(), one.code.to_string()));
    let from = "In UTC, such as 2026-12-01T00:00:00Z. Empty: from the approval on.";
    let form = ActForm::new(PATH, "Propose this fee")
        .field(Field::choice("service", "What", services.to_vec()))
        .field(Field::choice("currency", "Currency", currencies.collect()).value("INR"))
        .field(Field::line("fee", "Fee, tax included", 20).hint("An amount, or 0."))
        .field(Field::line("tax", "Tax in the fee, %", 8).value("18"))
        .field(Field::line("effective_from", "From", 32).hint(from).optional())
        .field(Field::reason());
    Part::new("Another fee").form(form)
}

fn history(
    visitor: &OpsVisitor,
    book: &Book,
    versions: &[Version<ServiceFee>],
) -> Result<Part, Problem> {
    let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(versions.len());
    for version in versions {
        let says = &version.says;
        let currency = book.currency(says.currency);
        let currency = currency.ok_or_else(|| Problem::internal(&"no currency"))?;
        let before = versions.iter().map(|one| one.says).find(|one| {
            let same = one.service == says.service && one.currency == says.currency;
            same && one.version.checked_add(1) == Some(says.version)
        });
        let before = match before {
            Some(before) => before,
            None => ServiceFee::first(says.service, currency).map_err(internal)?,
        };
        rows.push(vec![
            words(says.service).into(),
            says.currency.to_string().into(),
            says.version.to_string().into(),
            format!("{} → {}", said(&before, currency)?, said(says, currency)?).into(),
            visitor.when(says.effective_from).into(),
            visitor.who_was(version.by.as_deref()),
            visitor.who_was(version.approver.as_deref()),
            version.reason.clone().unwrap_or_default().into(),
            visitor.when(version.at).into(),
            format!("#{}", version.position).into(),
        ]);
    }
    let columns = [
        Column::words("What"),
        Column::words("Currency"),
        Column::numbers("Version"),
        Column::words("What changed"),
        Column::words("In force from"),
        Column::words("By"),
        Column::words("Agreed"),
        Column::words("Why"),
        Column::words("When"),
        Column::words("Event"),
    ];
    let nothing = "The first fees are in force, and no other was defined yet.";
    Ok(Part::new("History of what withdrawals and transfers cost").table(&columns, rows, nothing))
}

/// Proposes the next version.
pub(super) async fn propose(
    OpsSent { visitor, form }: OpsSent<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let done = make(&visitor, &form).await;
    after(done, "/ops/approvals", async |errors| limits::board(&visitor, &errors).await).await
}

async fn make(visitor: &OpsVisitor, form: &[(String, String)]) -> Result<(), Problem> {
    let of = |name: &str| {
        let field = form.iter().find(|(field, _)| field == name);
        field.map_or("", |(_, value)| value.trim())
    };
    let wrong = |field: &str, detail: &'static str| {
        Problem::field(codes::INVALID, format!("/{field}"), detail)
    };
    let book = visitor.state.ledger.status().borrow().book.clone();
    let service = Service::parse(of("service")).ok_or_else(|| wrong("service", "Choose one."))?;
    let currency = of("currency").parse().ok().and_then(|code| book.currency(code));
    let currency = currency.ok_or_else(|| wrong("currency", "Choose one."))?;
    let change = FeeChange {
        service,
        currency: currency.code,
        fee: act::amount_typed(of("fee")),
        tax_bps: rate("tax", of("tax"))?,
        effective_from: moment(of("effective_from"))
            .map_err(|()| wrong("effective_from", "A moment such as 2026-12-01T00:00:00Z."))?,
        expected_version: Some(book.last_fee_version(service, currency)),
    };
    let writer = visitor.writer()?;
    // What can't be is refused now, and not when the other person agrees.
    let operation = Operation::DefineFee(Box::new(change.define(&book)?));
    writer.dry_run(Authority::NONE.into(), operation).await?;
    let body = serde_json::to_value(&change).map_err(|error| Problem::internal(&error))?;
    let key = act::key("ops_service_fee", of("nonce"), &[&body.to_string(), of("reason")])?;
    let subject = format!("{} {}", service.as_str(), currency.code);
    let new = NewProposal {
        kind: Kind::DefineFee,
        subject: &subject,
        body,
        reason: of("reason"),
        evidence_sha256: None,
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&writer, &new).await.map(drop)
}

/// A moment in UTC; nothing if nothing was said.
fn moment(text: &str) -> Result<Option<DateTime<Utc>>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    DateTime::parse_from_rfc3339(text).map(|at| Some(at.to_utc())).map_err(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_in_full_or_left_out() {
        assert_eq!(moment(""), Ok(None));
        let midnight = moment("2026-12-01T05:30:00+05:30").unwrap().unwrap();
        assert_eq!(midnight.to_rfc3339(), "2026-12-01T00:00:00+00:00");
        for bad in ["2026-12-01", "tomorrow", "2026-12-01 00:00"] {
            assert_eq!(moment(bad), Err(()), "{bad}");
        }
    }
}

//! Months at the desk: closed and opened again by two, with what the books say of them.

use chrono::{Datelike as _, Months, NaiveDate, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{BOTH, EVIDENCE, Operator, waiting};
use crate::{audit_engine::verified, support::town::Town};

const PATH: &str = "/ops/periods";

/// The first and the last day of the month before this one, in India.
fn last_month() -> (NaiveDate, NaiveDate) {
    let today = (Utc::now() + TimeDelta::minutes(330)).date_naive();
    let first = today.with_day(1).unwrap();
    (first - Months::new(1), first.pred_opt().unwrap())
}

/// The last 31 March that is over, with that month's first day.
fn last_year() -> (NaiveDate, NaiveDate) {
    let (_, last) = last_month();
    let of = |year| NaiveDate::from_ymd_opt(year, 3, 31).unwrap();
    let ended = if of(last.year()) <= last { of(last.year()) } else { of(last.year() - 1) };
    (ended.with_day(1).unwrap(), ended)
}

async fn post_on(town: &Town, day: NaiveDate) -> (u16, Value) {
    let body = json!({"kind": "transfer", "debit": "wallet:a:INR", "credit": "till:7:INR",
        "amount": {"value": "1.00", "currency": "INR"}, "effective_on": day});
    let answer = town.admin.post("/v1/transactions", &body).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_closed_and_opened_again_by_two_at_the_desk() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    town.admin.open("till:7:INR").await.made();
    let (first, last) = last_month();
    assert_eq!(post_on(&town, last).await.0, 201);
    let page = omar.open(PATH).await;
    for said in ["Up to the end of", "Control totals", "Every control total holds", "Balanced"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    let close = format!("{PATH}/close");
    let (until, this) = (last.to_string(), (first + Months::new(2)).pred_opt().unwrap());
    let this = this.to_string();
    let of = |until, reason| [("until", until), ("reason", reason), ("evidence_sha256", EVIDENCE)];
    for (wrong, said) in [
        (of(&this, "month_end"), "not over"),
        (of("soon", "month_end"), "A day such as"),
        (of(&until, "two words"), "A code without spaces"),
    ] {
        let page = omar.act(&page, &close, &wrong).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}: {}", page.text);
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    for _ in 0..2 {
        // A double click proposes once.
        let done = omar.act(&page, &close, &of(&until, "month_end")).await;
        assert_eq!(done.location(), "/ops/approvals");
    }
    assert_eq!(post_on(&town, last).await.0, 201, "not by one word");
    let (page, number) = waiting(&mut omar).await;
    let approve = format!("/ops/approvals/{number}/approve");
    let own = omar.send(&page, &approve, &[]).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN, "{}", own.text);
    let (page, _) = waiting(&mut tara).await;
    tara.act(&page, &approve, &[]).await.location();
    let (status, refused) = post_on(&town, last).await;
    assert_eq!((status, &refused["code"]), (422, &json!("period_closed")));

    let page = tara.open(PATH).await;
    for said in [&format!("Closed up to {last}"), "month_end", &omar.id, &tara.id] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    assert!(!page.text.contains("Every control total holds"), "nothing is to be closed");
    let reopen = format!("{PATH}/reopen");
    let from = first.to_string();
    let said = [("from", &*from), ("reason", "inv-2207"), ("evidence_sha256", EVIDENCE)];
    assert_eq!(tara.act(&page, &reopen, &said).await.location(), "/ops/approvals");
    let (page, number) = waiting(&mut omar).await;
    omar.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await.location();
    assert_eq!(post_on(&town, last).await.0, 201);
    let page = omar.open(PATH).await;
    assert!(page.text.contains(&format!("Opened from {first} on")), "{}", page.text);
    verified(&town.stop().await).await;
}

/// What one proposes by a form of the page, and the other approves.
async fn by_two(
    (one, other): (&mut Operator, &mut Operator),
    action: &str,
    (field, day): (&str, &str),
    reason: &str,
) {
    let page = one.open(PATH).await;
    let said = [(field, day), ("reason", reason), ("evidence_sha256", EVIDENCE)];
    let done = one.act(&page, &format!("{PATH}/{action}"), &said).await;
    assert_eq!(done.location(), "/ops/approvals", "{}", done.text);
    let (page, number) = waiting(other).await;
    let approve = format!("/ops/approvals/{number}/approve");
    assert_eq!(other.act(&page, &approve, &[]).await.location(), "/ops/approvals");
}

async fn balance(town: &Town, account: &str) -> String {
    let head = town.state().ledger.status().borrow().head.position;
    town.admin.balance(account, head).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_is_closed_by_two_at_the_desk_and_what_came_in_later_once_more() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    town.admin.open("income:fees:INR").await.made();
    let (until, (first, ended)) = (last_month().1.to_string(), last_year());
    let (from, end) = (first.to_string(), ended.to_string());
    let fee = async |value: &str| {
        let body = json!({"kind": "fee", "debit": "wallet:a:INR", "credit": "income:fees:INR",
            "amount": {"value": value, "currency": "INR"}, "effective_on": ended});
        town.admin.post("/v1/transactions", &body).await.made();
    };
    fee("5.00").await;
    let year = format!("{PATH}/close-year");
    let page = omar.open(PATH).await;
    assert!(!page.text.contains("Close a year"), "no month is closed: {}", page.text);
    // Nor does a form of another page close one.
    let said = [("until", &*end), ("reason", "year_end"), ("evidence_sha256", EVIDENCE)];
    let refused = omar.send(&page, &year, &said).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);

    by_two((&mut omar, &mut tara), "close", ("until", &until), "month_end").await;
    let page = omar.open(PATH).await;
    for shown in ["Close a year", "income:fees:INR", "5.00"] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    assert_eq!(omar.act(&page, &year, &said).await.location(), "/ops/approvals");
    assert_eq!(balance(&town, "income:fees:INR").await, "5.00", "not by one word");
    let (page, number) = waiting(&mut omar).await;
    let approve = format!("/ops/approvals/{number}/approve");
    let own = omar.send(&page, &approve, &[]).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN, "{}", own.text);
    let (page, _) = waiting(&mut tara).await;
    tara.act(&page, &approve, &[]).await.location();
    assert_eq!(balance(&town, "income:fees:INR").await, "0.00");
    assert_eq!(balance(&town, "equity:retained:INR").await, "5.00");

    let page = tara.open(PATH).await;
    for shown in [&format!("Year to {end} closed"), "year_end", &omar.id, &tara.id] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    let again = tara.act(&page, &year, &said).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text);
    // A month of it is opened, and what came in then is moved as well, and nothing twice.
    by_two((&mut tara, &mut omar), "reopen", ("from", &from), "inv-2207").await;
    fee("2.50").await;
    by_two((&mut tara, &mut omar), "close", ("until", &until), "month_end").await;
    by_two((&mut tara, &mut omar), "close-year", ("until", &end), "year_end_2").await;
    assert_eq!(balance(&town, "equity:retained:INR").await, "7.50");
    verified(&town.stop().await).await;
}

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

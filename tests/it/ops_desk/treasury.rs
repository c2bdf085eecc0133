//! Moves of our own money at the desk, and that an approved sweep is not sent to customers too.

use ledger_api::staff::StaffRole;
use ledger_core::clock::{Ids as _, System};
use reqwest::StatusCode;
use rust_decimal::Decimal;
use serde_json::json;
use std::time::Instant;

use super::{BOTH, EVIDENCE, Operator, waiting};
use crate::{
    audit_engine::verified,
    support::{bahi::PATIENCE, town::Town},
};

const PATH: &str = "/ops/treasury";

/// A sweep as the close of a day would ask for it.
async fn asked(town: &Town, day: &str, amount: Decimal) -> String {
    let id = System.fresh();
    let digits = id.simple().to_string();
    let sql = "insert into treasury_moves
                   (id, reference, day, currency, direction, bank, amount, headroom, proposed_at)
               values ($1, $2, $3::text::date, 'INR', 'sweep', 'hdfc', $4, $4, now())";
    let reference = format!("TM{}", digits[16..].to_uppercase());
    let pool = town.database.pool().await;
    let asked = sqlx::query(sql).bind(id).bind(reference).bind(day).bind(amount);
    asked.execute(&pool).await.unwrap();
    // People make it: the sandbox's bank has not the money that this ledger says.
    let sql = "insert into treasury_orders (move_id, ordered_at, status)
               values ($1, now(), 'by_hand')";
    sqlx::query(sql).bind(id).execute(&pool).await.unwrap();
    format!("tm_{digits}")
}

/// What can still be sent by hdfc.
async fn left(town: &Town) -> Decimal {
    let banks = town.admin.get("/v1/ops/banks").await.made();
    let mut banks = banks["data"].as_array().unwrap().iter();
    let hdfc = banks.find(|one| one["bank"] == "hdfc").unwrap();
    hdfc["float"]["left"]["value"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_sweep_is_off_the_float_at_once() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let mut nils = Operator::hire(&town, "nils", &[StaffRole::Operator]).await;
    let before = left(&town).await;
    let (small, spare): (Decimal, Decimal) = ("40.00".parse().unwrap(), "60.00".parse().unwrap());
    let one = asked(&town, "2026-01-01", small).await;
    let other = asked(&town, "2026-01-02", Decimal::ONE).await;
    let big = asked(&town, "2026-01-03", before - small - spare).await;
    let page = nils.open(PATH).await;
    let (approve, reject) = (format!("{PATH}/{one}/approve"), format!("{PATH}/{other}/reject"));
    let why = [("reason", "over")];
    for action in [&approve, &reject] {
        assert_eq!(nils.act(&page, action, &why).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(left(&town).await, before, "what waits for people takes nothing");

    let page = omar.open(PATH).await;
    let words = omar.act(&page, &approve, &[("reason", "two words")]).await;
    assert_eq!(words.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(omar.act(&page, &approve, &why).await.location(), PATH);
    assert_eq!(omar.act(&page, &reject, &why).await.location(), PATH);
    assert_eq!(left(&town).await, before - small, "before any line of it");

    // Much takes two.
    let approve = format!("{PATH}/{big}/approve");
    let silent = [("reason", "over"), ("evidence_sha256", "")];
    let silent = omar.act(&page, &approve, &silent).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", silent.text);
    let said = [("reason", "over"), ("evidence_sha256", EVIDENCE)];
    assert_eq!(omar.act(&page, &approve, &said).await.location(), "/ops/approvals");
    assert_eq!(left(&town).await, before - small, "not by one word");
    let (page, number) = waiting(&mut tara).await;
    tara.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await.location();
    assert_eq!(left(&town).await, spare);
    let page = tara.open(PATH).await;
    for said in ["To be made", "Turned down", &omar.id, &tara.id] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }

    // More than what is spare is not sent, and what it covers is.
    let to = town.bank_account("test").await;
    let waits = town.withdraw("hdfc", &to, "60.02").await;
    let began = Instant::now();
    loop {
        let seen = town.admin.get(&format!("/v1/withdrawals/{waits}")).await.made();
        assert_eq!(seen["status"], "queued", "{seen}");
        if seen["status_detail"]["reason"] == "low_float" {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{seen}");
    }
    let cancel = format!("/v1/withdrawals/{waits}/cancel");
    town.admin.post(&cancel, &json!({})).await.made();
    let sent = town.withdraw("hdfc", &to, "50.00").await;
    town.wait_for(&sent, "completed").await;
    verified(&town.stop().await).await;
}

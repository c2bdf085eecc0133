//! Draining a bank, and a bank's day at the desk.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{BOTH, Operator, logged, waiting};
use crate::{audit_engine::verified, support::town::Town};

fn withdrawal(to: &str, bank: &str) -> Value {
    json!({"account": "wallet:a:INR", "bank_account": to, "bank": bank, "rail": "imps",
        "amount": {"value": "100.00", "currency": "INR"}})
}

/// Whether a bank says that it takes new withdrawals.
async fn takes(town: &Town, bank: &str) -> Value {
    let banks = town.admin.get("/v1/banks").await.made();
    let mut banks = banks["data"].as_array().unwrap().iter();
    banks.find(|one| one["bank"] == bank).unwrap()["takes_withdrawals"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_bank_takes_nothing_new_and_sends_what_it_has() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let to = town.bank_account("test").await;
    let banks = omar.open("/ops/banks").await;
    let pause = "/ops/banks/hdfc/pause";
    omar.act(&banks, pause, &[("reason", "They asked")]).await.location();
    let body = withdrawal(&to, "hdfc");
    let first = town.admin.post_with("w1", "/v1/withdrawals", &body).await;
    let id = first.made()["id"].as_str().unwrap().to_owned();

    let drain = "/ops/banks/hdfc/drain";
    let silent = omar.act(&banks, drain, &[("reason", "")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(takes(&town, "hdfc").await, json!(true), "a pause takes what comes");
    omar.act(&banks, drain, &[("reason", "We leave them")]).await.location();
    assert_eq!(takes(&town, "hdfc").await, json!(false));
    // What it has is sent; what comes is refused, and what came is answered as it was.
    town.wait_for(&id, "completed").await;
    let late = town.admin.post_with("w2", "/v1/withdrawals", &body).await;
    assert_eq!((late.status.as_u16(), &*late.code()), (409, "bank_draining"), "{}", late.text);
    let again = town.admin.post_with("w1", "/v1/withdrawals", &body).await;
    assert!(again.is_replay() && again.made()["id"] == *id, "{}", again.text);
    let quote = json!({"account": "wallet:a:INR", "amount": body["amount"], "bank": "hdfc",
        "rail": "imps"});
    assert_eq!(town.admin.post("/v1/withdrawal-quotes", &quote).await.code(), "bank_draining");
    let other = withdrawal(&to, "axis");
    town.admin.post("/v1/withdrawals", &other).await.made();
    let page = omar.open("/ops/banks").await;
    assert!(page.text.contains("We leave them") && page.text.contains("it is drained"));
    let listed = town.admin.get("/v1/ops/banks").await.made();
    let hdfc = listed["data"].as_array().unwrap().iter().find(|b| b["bank"] == "hdfc").unwrap();
    assert_eq!((&hdfc["paused"], &hdfc["draining"]["by"]), (&Value::Null, &json!(omar.id)));

    omar.act(&page, "/ops/banks/hdfc/resume", &[]).await.location();
    // A refusal is not stored: the same request is taken now.
    let taken = town.admin.post_with("w2", "/v1/withdrawals", &body).await.made();
    town.wait_for(taken["id"].as_str().unwrap(), "completed").await;
    let path = "/v1/ops/banks/hdfc/drain";
    let drained = town.admin.post(path, &json!({"reason": "Once more"})).await.made();
    assert_eq!(drained["draining"]["reason"], "Once more");
    let done = logged(&town, &omar.id).await;
    let whats: Vec<&str> = done.iter().map(|(what, ..)| what.as_str()).collect();
    assert_eq!(whats, ["bank_paused", "bank_drained", "bank_resumed"]);
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_fetched_at_once_and_a_day_is_closed_and_opened_by_two() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let path = "/ops/reconciliation";
    let page = omar.open(path).await;
    let india = (chrono::Utc::now() + chrono::TimeDelta::minutes(330)).date_naive();
    let (today, yesterday) = (india.to_string(), india.pred_opt().unwrap().to_string());
    let tomorrow = india.succ_opt().unwrap().to_string();
    let fetch = format!("{path}/fetch");
    let of = |bank, account, day| [("bank", bank), ("account", account), ("day", day)];
    for (wrong, status) in [
        (of("hdfc", "escrow", "soon"), StatusCode::UNPROCESSABLE_ENTITY),
        (of("hdfc", "escrow", &tomorrow), StatusCode::UNPROCESSABLE_ENTITY),
        (of("hdfc", "petty", &today), StatusCode::UNPROCESSABLE_ENTITY),
        (of("nobank", "escrow", &today), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(omar.act(&page, &fetch, &wrong).await.status, status, "{wrong:?}");
    }
    // A worker may hold the account at this moment; then it says so.
    let began = std::time::Instant::now();
    loop {
        let fetched = omar.act(&page, &fetch, &of("hdfc", "escrow", &today)).await;
        if fetched.status == StatusCode::SEE_OTHER {
            break;
        }
        assert!(fetched.text.contains("are being fetched"), "{}", fetched.text);
        assert!(began.elapsed() < crate::support::bahi::PATIENCE);
    }
    assert!(omar.open(path).await.text.contains("bank:hdfc:escrow:INR"));

    let close = format!("{path}/close");
    let of = |until| [("bank", "kotak"), ("until", until), ("reason", "Looked at it")];
    let open = omar.act(&page, &close, &of(&yesterday)).await;
    assert_eq!(open.status, StatusCode::CONFLICT, "{}", open.text);
    assert!(open.text.contains("The bank has no closed statement"), "{}", open.text);
    // As if the bank had stated yesterday, and closed it.
    let sql = "insert into statement_files (bank, account, day, currency, format, sha256, opening,
                   closing, closed, lines, imported_by)
               values ('kotak', 'own', $1::text::date, 'INR', 'json',
                   sha256('yesterday'::bytea), 0, 0, true, 0, 'the tests')";
    let pool = town.database.pool().await;
    sqlx::query(sql).bind(&yesterday).execute(&pool).await.unwrap();
    for _ in 0..2 {
        assert_eq!(omar.act(&page, &close, &of(&yesterday)).await.location(), path);
    }
    let page = omar.open(path).await;
    assert_eq!(page.text.matches("Looked at it").count(), 1, "closed once: {}", page.text);

    let reopen = format!("{path}/reopen");
    let of = |from| [("bank", "kotak"), ("from", from), ("reason", "They correct it")];
    let is_open = omar.act(&page, &reopen, &of(&today)).await;
    assert_eq!(is_open.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", is_open.text);
    assert_eq!(omar.act(&page, &reopen, &of(&yesterday)).await.location(), "/ops/approvals");
    let (page, number) = waiting(&mut tara).await;
    tara.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await.location();
    let page = tara.open(path).await;
    assert!(page.text.contains("They correct it") && page.text.contains(&tara.id));
    let whats: Vec<String> =
        logged(&town, &omar.id).await.into_iter().map(|(what, ..)| what).collect();
    let wanted = ["statement_fetched", "bank_day_closed", "bank_day_closed", "bank_day_opened"];
    assert_eq!(whats, wanted);
    verified(&town.stop().await).await;
}

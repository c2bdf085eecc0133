//! Payers with apps of other banks, who read a shop's code: the payment, whoever comes second, and
//! what goes back to their banks.

use ledger_api::{
    banks::{Direction, StatementLine},
    deposits::CreditDesk,
};
use ledger_core::{
    clock::System,
    money::{Currency, Money},
};
use sandbox_bank::BankCode;
use serde_json::{Value, json};

use super::{BOTH, EVIDENCE, Operator, logged, shops::open_shop, waiting};
use crate::{audit_engine::verified, support::town::Town};

/// Asks for a payment in the shop's name; the request's id.
pub(super) async fn ask(town: &Town, shop: &str, amount: &str) -> String {
    let body = json!({"merchant": shop, "amount": {"value": amount, "currency": "INR"}});
    let made = town.admin.post("/v1/payment-requests", &body).await.made();
    made["id"].as_str().unwrap().to_owned()
}

/// Somebody pays by another bank's app.
pub(super) async fn pay(town: &Town, reference: &str, amount: &str, payer: Value) {
    let credit = json!({"amount": {"value": amount, "currency": "INR"}, "token": reference,
        "payer": payer});
    let credit = serde_json::from_value(credit).unwrap();
    town.sandbox.control.credit(BankCode::Hdfc, &credit).await.unwrap();
    town.sandbox.advance(5).await;
}

pub(super) fn ravi() -> Value {
    json!({"account_number": "112233445566", "ifsc": "TEST0000002", "name": "RAVI KUMAR"})
}

/// Waits until a question is answered with at least so many.
pub(super) async fn list(town: &Town, path: &str, count: usize) -> Vec<Value> {
    let deadline = tokio::time::Instant::now() + crate::support::bahi::PATIENCE;
    loop {
        let seen = town.admin.get(path).await.made();
        let found = seen["data"].as_array().unwrap();
        if found.len() >= count {
            assert_eq!(found.len(), count, "{seen:#}");
            return found.clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "{path}: {seen:#}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Has a server hear of refunds from here on, which never answers.
async fn hear(town: &Town) {
    let body = json!({"url": "https://shop.invalid/hooks",
        "event_types": ["refund.updated", "refund.completed", "refund.failed"]});
    town.admin.post("/v1/webhook-endpoints", &body).await.made();
}

/// The types and states of so many messages, in the order of the log.
async fn heard(town: &Town, count: usize) -> Vec<(String, String)> {
    let sql = "select event_type, convert_from(body, 'UTF8')::json -> 'data' ->> 'status'
               from webhook_deliveries order by position";
    let pool = town.database.pool().await;
    let deadline = tokio::time::Instant::now() + crate::support::bahi::PATIENCE;
    loop {
        let told: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&pool).await.unwrap();
        if told.len() >= count {
            return told;
        }
        assert!(tokio::time::Instant::now() < deadline, "{told:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn said(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(kind, state)| ((*kind).to_owned(), (*state).to_owned())).collect()
}

pub(super) fn text<'a>(of: &'a Value, field: &str) -> &'a str {
    of[field].as_str().unwrap_or_else(|| panic!("{field}: {of:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_paid_from_another_bank_once_and_what_goes_back_goes_to_its_source() {
    let town = Town::start().await;
    let omar = Operator::hire(&town, "omar", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await.to_string();
    let request = ask(&town, &shop, "120.00").await;
    pay(&town, &request, "120.00", ravi()).await;
    let paid = list(&town, &format!("/v1/payments?merchant={shop}"), 1).await.remove(0);
    assert_eq!((text(&paid, "status"), text(&paid, "request")), ("completed", &*request));
    assert_eq!(paid["amount"]["value"], "120.00", "{paid:#}");
    let from = text(&paid, "account").to_owned();
    assert!(from.starts_with("wallet:upi-"), "{from}");
    let asked = town.wait_at(&format!("/v1/payment-requests/{request}"), "paid").await;
    let came = &asked["incoming"][0];
    assert_eq!((&came["status"], &came["payment"]), (&json!("completed"), &paid["id"]));
    let unsettled = format!("merchant:{}:unsettled:INR", shop.strip_prefix("mer_").unwrap());
    // 2 % of it are ours, tax included.
    assert_eq!(town.balance(&unsettled).await, "117.60".parse().unwrap());
    assert_eq!(town.balance(&from).await, "0".parse().unwrap());

    // More than a look takes up wait for refunds that nobody asked for: they keep nothing back.
    let waiting = "insert into outside_returns (id, account_id, is_refund, asked_at)
                   select gen_random_uuid(), $1, true, now() - interval '1 hour'
                   from generate_series(1, 150)";
    sqlx::query(waiting).bind(&from).execute(&town.database.pool().await).await.unwrap();

    // The code takes one payment: the second payer has the money back, all of it.
    pay(&town, &request, "120.00", ravi()).await;
    let sent = list(&town, "/v1/withdrawals", 1).await.remove(0);
    assert!(text(&sent, "account").starts_with("wallet:upi-"), "{sent:#}");
    assert_ne!(text(&sent, "account"), from);
    assert_eq!(
        (&sent["amount"]["value"], &sent["fee"]["value"]),
        (&json!("120.00"), &json!("0.00"))
    );
    town.wait_for(text(&sent, "id"), "completed").await;

    // A refund goes to the bank that it came from.
    hear(&town).await;
    let back = json!({"amount": {"value": "50.00", "currency": "INR"}});
    let path = format!("/v1/payments/{}/refunds", text(&paid, "id"));
    let refund = town.admin.post(&path, &back).await.made();
    // The shop has given it, and the payer's bank does not have it yet.
    let told = ["status", "funds"].map(|field| text(&refund, field));
    assert_eq!((told, &refund["final"]), (["processing", "in_transit"], &json!(false)));
    let seen = town.wait_at(&format!("/v1/refunds/{}", text(&refund, "id")), "completed").await;
    assert_eq!((text(&seen, "bank_status"), text(&seen, "funds")), ("completed", "moved"));
    let listed = town.admin.get(&path).await.made();
    assert_eq!(listed["data"][0]["status"], "completed", "{listed:#}");
    let (asked, goes) = (("refund.updated", "pending"), ("refund.updated", "processing"));
    let done = said(&[asked, goes, ("refund.completed", "completed")]);
    assert_eq!(heard(&town, 3).await, done);
    let sent = list(&town, &format!("/v1/withdrawals?account={from}"), 1).await.remove(0);
    assert_eq!(sent["amount"]["value"], "50.00", "{sent:#}");
    assert_eq!(town.balance(&from).await, "0".parse().unwrap());
    assert_eq!(town.balance(&unsettled).await, "67.60".parse().unwrap());

    // What names no request of ours is nobody's, as ever; and nobody is paid twice by any of it.
    pay(&town, "pr_00000000000070008000000000000001", "10.00", ravi()).await;
    let unknown = town.wait_for_unsolicited("in_review").await;
    assert_eq!(unknown["credited"]["value"], "0.00", "{unknown:#}");
    list(&town, &format!("/v1/payments?merchant={shop}"), 1).await;
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_code_cannot_take_is_failed_for_the_shop_and_goes_back() {
    let town = Town::start().await;
    let omar = Operator::hire(&town, "omar", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await.to_string();
    let [closed, other] = [ask(&town, &shop, "120.00").await, ask(&town, &shop, "130.00").await];
    town.admin.post(&format!("/v1/payment-requests/{closed}/close"), &json!({})).await.made();
    let ends = town.state().clock.now() + chrono::TimeDelta::seconds(3);
    let body = json!({"merchant": shop, "amount": {"value": "140.00", "currency": "INR"},
        "expires_at": ends});
    let expired = town.admin.post("/v1/payment-requests", &body).await.made();
    let expired = text(&expired, "id").to_owned();
    town.sandbox.advance(5).await;
    for (request, amount) in [(&closed, "120.00"), (&other, "130.01"), (&expired, "140.00")] {
        pay(&town, request, amount, ravi()).await;
    }
    let failed = list(&town, &format!("/v1/payments?merchant={shop}&status=failed"), 3).await;
    for payment in &failed {
        assert!(text(payment, "account").starts_with("wallet:upi-"), "{payment:#}");
        assert!(payment["reason"].is_string() && payment["final"] == true, "{payment:#}");
        let path = format!("/v1/payments/{}", text(payment, "id"));
        assert_eq!(text(&town.admin.get(&path).await.made(), "status"), "failed");
    }
    let sent = list(&town, "/v1/withdrawals", 3).await;
    let mut amounts: Vec<&str> = sent.iter().map(|one| text(&one["amount"], "value")).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, ["120.00", "130.01", "140.00"], "all of it");
    for withdrawal in &sent {
        town.wait_for(text(withdrawal, "id"), "completed").await;
        assert_eq!(town.balance(text(withdrawal, "account")).await, "0".parse().unwrap());
    }
    let asked = town.admin.get(&format!("/v1/payment-requests/{other}")).await.made();
    let came = (&asked["status"], &asked["incoming"][0]["status"]);
    assert_eq!(came, (&json!("open"), &json!("failed")), "{asked:#}");
    list(&town, &format!("/v1/payments?merchant={shop}"), 0).await;

    // What a bank has told of and nobody has booked yet comes.
    let told = "insert into outside_credits
                    (deposit_id, account_id, bank, request_id, merchant, amount, payment_id,
                     noted_at)
                select '00000000-0000-8000-8000-000000000001', 'wallet:upi-1:INR', 'hdfc',
                       request_id, merchant, 130, '00000000-0000-8000-8000-000000000002', now()
                from outside_credits where request_id = $1";
    let id = other.strip_prefix("pr_").unwrap().parse::<sqlx::types::Uuid>().unwrap();
    sqlx::query(told).bind(id).execute(&town.database.pool().await).await.unwrap();
    let path = format!("/v1/payments?merchant={shop}&status=processing");
    let comes = list(&town, &path, 1).await.remove(0);
    assert_eq!((text(&comes, "funds"), text(&comes, "request")), ("in_transit", &*other));
    let asked = town.admin.get(&format!("/v1/payment-requests/{other}")).await.made();
    let seen = asked["incoming"].as_array().unwrap();
    let seen: Vec<&str> = seen.iter().map(|one| text(one, "status")).collect();
    assert_eq!(seen, ["processing", "failed"]);
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_twice_whoever_dies_between_two_steps() {
    let town = Town::start().await;
    let omar = Operator::hire(&town, "omar", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await.to_string();
    let path = format!("/v1/payments?merchant={shop}");
    // A code for many; the bank tells of the second payment twice.
    let body = json!({"merchant": shop, "single_use": false});
    let many = town.admin.post("/v1/payment-requests", &body).await.made();
    let many = text(&many, "id").to_owned();
    pay(&town, &many, "75.00", ravi()).await;
    list(&town, &path, 1).await;
    pay(&town, &many, "80.41", ravi()).await;
    let paid = list(&town, &path, 2).await;
    assert_eq!((&paid[0]["amount"]["value"], &paid[0]["request"]), (&json!("80.41"), &json!(many)));

    let refund = json!({"amount": {"value": "5.00", "currency": "INR"}});
    let back = format!("/v1/payments/{}/refunds", text(&paid[1], "id"));
    let refund = town.admin.post(&back, &refund).await.made();
    let refund = format!("/v1/refunds/{}", text(&refund, "id"));
    town.wait_at(&refund, "completed").await;
    let request = ask(&town, &shop, "60.00").await;
    town.admin.post(&format!("/v1/payment-requests/{request}/close"), &json!({})).await.made();
    pay(&town, &request, "60.00", ravi()).await;
    list(&town, "/v1/withdrawals", 2).await;

    // As it is if a process dies after each step and before it has said so: all is taken up again,
    // by whoever comes next.
    let pool = town.database.pool().await;
    for forgotten in [
        "update outside_credits set state = 'open', reason = null, due_at = now()",
        "update outside_returns set state = 'open', withdrawal_id = null, due_at = now()",
    ] {
        sqlx::query(forgotten).execute(&pool).await.unwrap();
    }
    let left = "select count(*) from (select state from outside_credits union all
                    select state from outside_returns) notes where state = 'open'";
    let deadline = tokio::time::Instant::now() + crate::support::bahi::PATIENCE;
    while sqlx::query_scalar::<_, i64>(left).fetch_one(&pool).await.unwrap() > 0 {
        assert!(tokio::time::Instant::now() < deadline, "not taken up again");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    list(&town, &path, 2).await;
    list(&town, "/v1/withdrawals", 2).await;
    town.wait_at(&refund, "completed").await;
    let unsettled = format!("merchant:{}:unsettled:INR", shop.strip_prefix("mer_").unwrap());
    assert_eq!(town.balance(&unsettled).await, "147.30".parse().unwrap());
    verified(&town.stop().await).await;
}

/// Where as many lie for longer as a page has, this one is on the next, by the API and at the desk.
async fn each_page_goes_on(
    town: &Town,
    omar: &mut Operator,
    (from, first): (&str, &str),
    refund: &Value,
) {
    let pool = town.database.pool().await;
    let long = "insert into outside_returns (id, account_id, is_refund, asked_at, due_at)
                select gen_random_uuid(), $1, true, now() - interval '1 hour',
                       now() + interval '1 h'
                from generate_series(1, 30)";
    sqlx::query(long).bind(from).execute(&pool).await.unwrap();
    let (mut seen, mut path) = (Vec::new(), "/v1/ops/outside?limit=10".to_owned());
    loop {
        let listed = town.admin.get(&path).await.made();
        seen.extend(listed["data"].as_array().unwrap().iter().map(|one| one["refund"].clone()));
        let Some(cursor) = listed["next_cursor"].as_str() else { break };
        path = format!("/v1/ops/outside?limit=10&cursor={cursor}");
    }
    let each: std::collections::BTreeSet<String> = seen.iter().map(Value::to_string).collect();
    assert_eq!((seen.len(), each.len()), (31, 31), "each once: {seen:#?}");
    assert_eq!(seen.last(), Some(refund), "the oldest first");
    let page = omar.open("/ops/outside").await;
    assert!(!page.text.contains(first), "{}", page.text);
    let (_, newer) = page.text.split_once("/ops/outside?behind=").unwrap();
    let newer = newer.split('"').next().unwrap();
    let page = omar.open(&format!("/ops/outside?behind={newer}")).await;
    assert!(
        page.text.contains(first) && !page.text.contains("href=\"/ops/outside?behind="),
        "{}",
        page.text
    );
    omar.open("/ops/outside?behind=nowhere").await;
    let sql = "delete from outside_returns where id <> $1 and account_id = $2";
    let refund_id = refund.as_str().unwrap().strip_prefix("rf_").unwrap();
    let refund_id = refund_id.parse::<sqlx::types::Uuid>().unwrap();
    let mut owner = town.database.superuser().await;
    sqlx::query(sql).bind(refund_id).bind(from).execute(&mut owner).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_payers_bank_does_not_take_waits_at_the_desk_and_is_sent_again_by_two() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await.to_string();
    let request = ask(&town, &shop, "120.00").await;
    pay(&town, &request, "120.00", ravi()).await;
    let paid = list(&town, &format!("/v1/payments?merchant={shop}"), 1).await.remove(0);
    let from = text(&paid, "account").to_owned();
    let waits = town.admin.get("/v1/ops/outside").await.made();
    assert_eq!(waits["data"], json!([]));
    hear(&town).await;
    // The paise choose what the bank says: the account is closed.
    let body = json!({"amount": {"value": "20.21", "currency": "INR"}});
    let path = format!("/v1/payments/{}/refunds", text(&paid, "id"));
    let refund = town.admin.post(&path, &body).await.made();
    let path = format!("/v1/refunds/{}", text(&refund, "id"));
    let seen = town.wait_at(&path, "failed").await;
    assert_eq!((text(&seen, "funds"), &seen["final"]), ("in_transit", &json!(false)), "{seen:#}");
    let waits = town.admin.get("/v1/ops/outside").await.made();
    let one = &waits["data"][0];
    assert_eq!((&one["account"], &one["refund"]), (&json!(from), &refund["id"]));
    assert_eq!((&one["amount"]["value"], &one["can_be_sent"]), (&json!("20.21"), &json!(true)));
    let first = text(one, "withdrawal").to_owned();

    each_page_goes_on(&town, &mut omar, (&from, &first), &refund["id"]).await;
    let page = omar.open("/ops/outside").await;
    assert!(page.text.contains(&from) && page.text.contains("₹20.21"), "{}", page.text);
    let action = format!("/ops/outside/{first}/send-again");
    let fields = [("reason", "bank_is_back"), ("evidence_sha256", EVIDENCE)];
    let vague = omar.act(&page, &action, &[("reason", "x"), ("evidence_sha256", "y")]).await;
    assert_eq!(vague.status.as_u16(), 422, "{}", vague.text);
    assert_eq!(omar.act(&page, &action, &fields).await.location(), "/ops/approvals");
    list(&town, &format!("/v1/withdrawals?account={from}"), 1).await;
    let (page, number) = waiting(&mut tara).await;
    let approve = format!("/ops/approvals/{number}/approve");
    for _ in 0..2 {
        assert_eq!(tara.send(&page, &approve, &[]).await.location(), "/ops/approvals");
    }
    let sent = list(&town, &format!("/v1/withdrawals?account={from}"), 2).await;
    let again = sent.iter().map(|one| text(one, "id")).find(|id| *id != first).unwrap();
    // The bank says the same once more: it waits once more, after the other withdrawal.
    town.wait_for(again, "failed").await;
    let waits = town.admin.get("/v1/ops/outside").await.made();
    assert_eq!((&waits["data"][0]["withdrawal"], &waits["data"][1]), (&json!(again), &json!(null)));
    let page = omar.open("/ops/outside").await;
    let over = omar.send(&page, &action, &fields).await;
    assert_eq!(over.status.as_u16(), 404, "{}", over.text);
    let done = logged(&town, &omar.id).await;
    assert!(done.iter().any(|(what, ..)| what == "outside_sent_again"), "{done:?}");
    assert_eq!(town.balance(&from).await, "20.21".parse().unwrap());
    let (asked, goes) = (("refund.updated", "pending"), ("refund.updated", "processing"));
    let failed = ("refund.failed", "failed");
    assert_eq!(heard(&town, 4).await, said(&[asked, goes, failed, failed]));
    verified(&town.stop().await).await;
}

/// The code on the wall says no request and only the shop's address.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_with_a_shops_address_is_the_shops() {
    let town = Town::start().await;
    let omar = Operator::hire(&town, "omar", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await.to_string();
    let state = town.state();
    let banks = std::sync::Arc::new(town.sandbox.registry());
    let pool = town.database.pool().await;
    let ledger = std::sync::Arc::clone(&state.ledger);
    let desk = CreditDesk::new(ledger, banks, std::sync::Arc::new(System), pool, &[7; 32]);
    let rupees = Currency { code: "INR".parse().unwrap(), scale: 2 };
    let line = |number: &str, address: &str| StatementLine {
        bank_transaction_id: number.parse().unwrap(),
        booking_date: "2026-11-22".parse().unwrap(),
        value_date: "2026-11-22".parse().unwrap(),
        direction: Direction::Credit,
        amount: Money::parse("75.00", rupees).unwrap(),
        utr: None,
        reference: Some(address.parse().unwrap()),
        narration: String::new(),
        lump: None,
    };
    let bank = "hdfc".parse().unwrap();
    for _ in 0..2 {
        desk.settle(&bank, &line("W-1", "Chai@BAHI")).await.unwrap();
    }
    let paid = list(&town, &format!("/v1/payments?merchant={shop}"), 1).await.remove(0);
    assert_eq!((&paid["amount"]["value"], &paid["request"]), (&json!("75.00"), &json!(null)));
    // A shop that there is not is nobody's.
    desk.settle(&bank, &line("W-2", "tea@bahi")).await.unwrap();
    town.wait_for_unsolicited("in_review").await;
    list(&town, &format!("/v1/payments?merchant={shop}"), 1).await;
    verified(&town.stop().await).await;
}

//! Payers with apps of other banks, who read a shop's code: the payment, whoever comes second, and
//! what goes back to their banks.

use sandbox_bank::BankCode;
use serde_json::{Value, json};

use super::{BOTH, Operator, shops::open_shop};
use crate::{audit_engine::verified, support::town::Town};

/// Asks for a payment in the shop's name; the request's id.
async fn ask(town: &Town, shop: &str, amount: &str) -> String {
    let body = json!({"merchant": shop, "amount": {"value": amount, "currency": "INR"}});
    let made = town.admin.post("/v1/payment-requests", &body).await.made();
    made["id"].as_str().unwrap().to_owned()
}

/// Somebody pays by another bank's app.
async fn pay(town: &Town, reference: &str, amount: &str, payer: Value) {
    let credit = json!({"amount": {"value": amount, "currency": "INR"}, "token": reference,
        "payer": payer});
    let credit = serde_json::from_value(credit).unwrap();
    town.sandbox.control.credit(BankCode::Hdfc, &credit).await.unwrap();
    town.sandbox.advance(5).await;
}

fn ravi() -> Value {
    json!({"account_number": "112233445566", "ifsc": "TEST0000002", "name": "RAVI KUMAR"})
}

/// Waits until a question is answered with at least so many.
async fn list(town: &Town, path: &str, count: usize) -> Vec<Value> {
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

fn text<'a>(of: &'a Value, field: &str) -> &'a str {
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
    town.wait_at(&format!("/v1/payment-requests/{request}"), "paid").await;
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
    let back = json!({"amount": {"value": "50.00", "currency": "INR"}});
    let path = format!("/v1/payments/{}/refunds", text(&paid, "id"));
    let refund = town.admin.post(&path, &back).await.made();
    assert_eq!(text(&refund, "status"), "completed");
    let path = format!("/v1/refunds/{}", text(&refund, "id"));
    let mut seen = json!({});
    for _ in 0..600 {
        seen = town.admin.get(&path).await.made();
        if seen["bank_status"] == "completed" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(seen["bank_status"], "completed", "{seen:#}");
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

//! A shop's money goes to its bank: by hand, in its legal name, after a fresh proof.

use reqwest::Method;
use serde_json::{Value, json};

use super::clerk::Clerk;
use crate::{
    support::bahi::{Reply, fresh_key, send},
    user_api::person::Scene,
};

const CLEARING: &str = "bank:hdfc:clearing_in:INR";

async fn credit(scene: &Scene, shop: &str, amount: &str) {
    let money = json!({"value": amount, "currency": "INR"});
    let account = format!("merchant:{}:available:INR", shop.strip_prefix("mer_").unwrap());
    let deposit = json!({"kind": "deposit", "legs": [
        {"account": CLEARING, "direction": "debit", "amount": money, "item": fresh_key()},
        {"account": account, "direction": "credit", "amount": money},
    ]});
    scene.admin.post("/v1/transactions", &deposit).await.made();
    scene.projected().await;
}

async fn post(clerk: &Clerk, path: &str, body: &Value) -> Reply {
    let request = clerk.request(Method::POST, path).header("idempotency-key", fresh_key());
    send(request.json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_available_is_withdrawn_to_an_account_in_the_legal_name() {
    let scene = Scene::start().await;
    let (mut owner, id) = Clerk::with_shop(&scene, "kamala").await;
    let accountant = owner.hire(&scene, "deepa", "accountant").await;
    let (other, _) = Clerk::with_shop(&scene, "harish").await;
    credit(&scene, &id, "500.00").await;

    let bank =
        |name: &str| json!({"account_number": "001234567890", "ifsc": "TEST0000001", "name": name});
    let foreign = post(&owner, "/v1/bank-accounts", &bank("Somebody Else")).await;
    assert_eq!(foreign.status, 422, "{}", foreign.text);
    assert!(foreign.text.contains("legal name"), "{}", foreign.text);
    let made = post(&owner, "/v1/bank-accounts", &bank("Asha Rao")).await.made();
    let bank_account = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made["owner"], id.as_str());
    let hidden = send(other.bare(Method::GET, &format!("/v1/bank-accounts/{bank_account}"))).await;
    assert_eq!(hidden.status, 404);
    let checked = owner.form(&format!("/merchant/banks/{bank_account}/check"), &[]).await;
    assert_eq!(checked.status, 303, "{}", checked.text);

    let fields = [("amount", "120"), ("bank_account", bank_account.as_str())];
    let sheet = owner.form("/merchant/withdraw/check", &fields).await;
    assert_eq!(sheet.status, 200, "{}", sheet.text);
    assert!(sheet.text.contains("action=\"/merchant/withdraw\""), "{}", sheet.text);
    let once = [("amount", "120.00"), ("bank_account", bank_account.as_str()), ("nonce", "n1")];
    let first = owner.form("/merchant/withdraw", &once).await;
    let again = owner.form("/merchant/withdraw", &once).await;
    let place = first.header("location").to_owned();
    assert!(place.starts_with("/merchant/payouts/wd_"), "{place} {}", first.text);
    assert_eq!(again.header("location"), place);
    scene.projected().await;
    for who in [&owner, &accountant] {
        let page = who.get(&place).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("₹120.00"), "{}", page.text);
        let list = who.get("/merchant/payouts").await;
        assert!(list.text.contains(&place), "{}", list.text);
    }
    assert_eq!(other.get(&place).await.status, 404);

    let body = json!({"amount": {"value": "1.00", "currency": "INR"},
        "bank_account": bank_account});
    let refused = post(&accountant, "/v1/withdrawals", &body).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    let theirs = send(accountant.bare(Method::GET, "/v1/withdrawals")).await.made();
    assert_eq!(theirs["data"].as_array().unwrap().len(), 1, "{theirs}");
    let none = send(other.bare(Method::GET, "/v1/withdrawals")).await.made();
    assert_eq!(none["data"].as_array().unwrap().len(), 0, "{none}");
    scene.finish().await;
}

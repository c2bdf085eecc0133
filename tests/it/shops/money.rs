//! A shop's money goes to its bank: by hand, in its legal name, after a fresh proof.

use reqwest::Method;
use serde_json::{Value, json};

use super::clerk::Clerk;
use crate::{
    support::bahi::{Reply, fresh_key, send},
    user_api::person::{Person, Scene},
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
    assert_eq!(sheet.status, 303, "{}", sheet.text);
    let sheet = owner.get(sheet.header("location")).await;
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

/// From a code with an amount to its payment, and a part of it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_paid_once_from_the_wallets_page_and_a_part_is_given_back() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "500.00").await;
    let (mut owner, _) = Clerk::with_shop(&scene, "kamala").await;
    for account in ["income:mdr:INR", "tax:gst_output:INR"] {
        scene.admin.open(account).await.made();
    }
    scene.projected().await;
    let fields = [("amount", "120"), ("order_id", "T-17"), ("minutes", "15"), ("nonce", "n1")];
    let made = owner.form("/merchant/accept", &fields).await;
    let place = made.header("location").to_owned();
    assert!(place.starts_with("/merchant/accept/pr_"), "{place} {}", made.text);
    scene.projected().await;
    let shown = owner.get(&place).await;
    for words in ["Waiting to be paid", "₹120.00", "T-17", "<svg"] {
        assert!(shown.text.contains(words), "{words}: {}", shown.text);
    }
    let request = place.strip_prefix("/merchant/accept/").unwrap().to_owned();
    let sheet = asha.get(&format!("/app/pay?request={request}")).await;
    for words in ["To Shop of kamala", "₹120.00", "T-17", "Pay ₹120.00"] {
        assert!(sheet.text.contains(words), "{words}: {}", sheet.text);
    }
    // Pasted where people are sent to, the shop's code leads to where shops are paid.
    let typed = [("to", "upi%3A%2F%2Fpay%3Fpa%3Dkamala%40bahi"), ("amount", "1")];
    let sent_on = pressed(&asha, "/app/move/send/check", &typed).await;
    assert_eq!(sent_on.status, 200, "{}", sent_on.text);
    assert!(sent_on.text.contains("Shop of kamala"), "{}", sent_on.text);
    links_are_pasted(&asha, &request).await;
    // The link led to a sheet with an address, which is gone back to and pressed again.
    let value = |page: &Reply, name: &str| {
        let (_, rest) = page.text.split_once(&format!("name=\"{name}\" value=\"")).expect(name);
        rest.split('"').next().unwrap().to_owned()
    };
    let address = value(&sheet, "return_to");
    assert!(address.starts_with("/app/pay/check?draft="), "{address}");
    for _ in 0..3 {
        let sheet = asha.get(&address).await;
        assert!(sheet.text.contains("Pay ₹120.00"), "{}", sheet.text);
        let nonce = value(&sheet, "nonce");
        let pay = [("request", request.as_str()), ("amount", "120.00"), ("nonce", &nonce)];
        let paid = pressed(&asha, "/app/pay", &pay).await;
        assert_eq!(paid.status, 200, "{}", paid.text);
        assert!(paid.text.contains("Shop of kamala"), "{}", paid.text);
        scene.projected().await;
    }
    scene.projected().await;
    assert!(owner.get(&place).await.text.contains("<h1>Paid</h1>"));
    let balances = asha.get("/v1/balances").await.made();
    assert!(balances.to_string().contains("380.00"), "paid once: {balances}");
    let list = owner.get("/merchant/payments").await;
    let path = format!("/merchant/payments/{}", super::clerk::found(&list.text, "pay_"));
    let back = [("amount", "20"), ("reason", "returned"), ("nonce", "r1")];
    for _ in 0..2 {
        let given = owner.form(&format!("{path}/refund"), &back).await;
        assert_eq!(given.status, 303, "{}", given.text);
    }
    let more = [("amount", "100.01"), ("nonce", "r2")];
    let refused = owner.form(&format!("{path}/refund"), &more).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    scene.projected().await;
    let page = owner.get(&path).await;
    assert!(page.text.contains("Partly refunded"), "{}", page.text);
    let balances = asha.get("/v1/balances").await.made();
    assert!(balances.to_string().contains("400.00"), "given back once: {balances}");
    scene.finish().await;
}

/// The link that a shop sends leads to its sheet, wherever it is pasted, and nothing like it does.
async fn links_are_pasted(payer: &Person, request: &str) {
    // The service of this test was told no address of its own, so its links are paths.
    let link = format!("/app/pay?request={request}");
    let typed = |link: &str| link.replace(':', "%3A").replace('/', "%2F").replace('?', "%3F");
    let sheet = pressed(payer, "/app/pay/check", &[("link", &typed(&link))]).await;
    for words in ["To Shop of kamala", "₹120.00", "Pay ₹120.00"] {
        assert!(sheet.text.contains(words), "{words}: {}", sheet.text);
    }
    let to = [("to", typed(&link)), ("amount", String::new())];
    let to = to.each_ref().map(|(name, value)| (*name, value.as_str()));
    let sent_on = pressed(payer, "/app/move/send/check", &to).await;
    assert!(sent_on.text.contains("To Shop of kamala"), "{}", sent_on.text);

    for place in ["https://evil.example", "//evil.example", "/x/..", "javascript:"] {
        let link = typed(&format!("{place}{link}"));
        let refused = pressed(payer, "/app/pay/check", &[("link", &link)]).await;
        assert_eq!(refused.status, 422, "{place}: {}", refused.text);
        assert!(!refused.text.contains("Pay ₹120.00"), "{place}: {}", refused.text);
        let to = [("to", link.as_str()), ("amount", "1")];
        let refused = pressed(payer, "/app/move/send/check", &to).await;
        assert_eq!(refused.status, 422, "{place}: {}", refused.text);
    }
}

async fn pressed(person: &Person, path: &str, fields: &[(&str, &str)]) -> Reply {
    let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
    let body = fields.chain([format!("csrf={}", person.csrf)]).collect::<Vec<_>>().join("&");
    let request = person
        .bare(Method::POST, path)
        .header("origin", &person.address)
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    send(request.body(body)).await
}

//! Fees of shops, disputes, debts and the end of a shop, at the desk.

use ledger_api::{
    identity::Scope,
    shops::{MerchantId, NewMerchant},
};
use ledger_core::clock::{Ids as _, System};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{BOTH, EVIDENCE, Operator, logged, waiting};
use crate::{
    audit_engine::verified,
    support::{
        bahi::{fresh_key, send},
        town::Town,
    },
};

fn inr(value: &str) -> Value {
    json!({"value": value, "currency": "INR"})
}

/// A shop of somebody's, with its accounts.
pub(super) async fn open_shop(town: &Town, owner: &Operator, handle: &str) -> MerchantId {
    let state = town.state();
    let id = MerchantId::from_uuid(System.fresh());
    let new = NewMerchant {
        id,
        handle: handle.parse().unwrap(),
        legal_name: "Kamala Foods LLP".parse().unwrap(),
        display_name: "Chai & Co".parse().unwrap(),
        category: "5814".parse().unwrap(),
        owner: owner.id.parse().unwrap(),
        terms_version: state.ledger.status().borrow().book.terms_now().version,
        at: state.clock.now(),
    };
    state.shops.create(&new).await.unwrap();
    let shop = state.shops.by_id(id).await.unwrap().unwrap();
    state.shop_accounts.settle(&shop).await.unwrap();
    id
}

async fn pay(town: &Town, shop: MerchantId, amount: &str) -> Value {
    let body = json!({"account": "wallet:a:INR", "merchant": shop.to_string(),
        "amount": inr(amount)});
    let paid = town.admin.post("/v1/payments", &body).await.made();
    let id = paid["id"].as_str().unwrap();
    town.admin.get(&format!("/v1/payments/{id}?min_position={}", paid["position"])).await.made()
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_are_versions_by_two_that_each_shop_agrees_to_by_two() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let old = open_shop(&town, &omar, "chai").await;
    let page = omar.open("/ops/limits").await;
    assert!(page.text.contains("Fees of shops, version 1"), "{}", page.text);
    let fees = "/ops/limits/fees";
    let of = |fee| {
        let fees = [("expected_version", "1"), ("fee", fee), ("tax", "18")];
        [fees[0], fees[1], fees[2], ("debt", "0"), ("reason", "Rivals")]
    };
    for (wrong, said) in [("1.555", "A percentage such as"), ("2", "That is what is in force")] {
        let page = omar.act(&page, fees, &of(wrong)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    assert_eq!(omar.act(&page, fees, &of("1.5")).await.location(), "/ops/approvals");
    let (page, number) = waiting(&mut tara).await;
    for said in ["Fee of a payment", ">2 %<", ">1.5 %<"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    assert!(!page.text.contains("Tax in the fee"), "only what changes: {}", page.text);
    tara.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await.location();
    let page = tara.open("/ops/limits").await;
    assert!(page.text.contains("Fee: 2 % → 1.5 %"), "{}", page.text);
    for said in ["Fees of shops, version 2", "Rivals", &omar.id, &tara.id] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    // What was agreed stays; who comes now gets the new ones.
    let new = open_shop(&town, &omar, "books").await;
    // 2.00 and 1.50, of which 0.31 and 0.23 are tax.
    assert_eq!(pay(&town, old, "100.00").await["fee"]["value"], "1.69");
    assert_eq!(pay(&town, new, "100.00").await["fee"]["value"], "1.27");

    let path = format!("/ops/people/{old}");
    let page = omar.open(&path).await;
    let agree = format!("{path}/agree");
    let said =
        |version| [("terms_version", version), ("settlement_days", "3"), ("reason", "They asked")];
    let none = omar.act(&page, &agree, &said("7")).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", none.text);
    assert_eq!(omar.act(&page, &agree, &said("2")).await.location(), path);
    assert_eq!(pay(&town, old, "100.00").await["fee"]["value"], "1.69", "not by one word");
    let (page, number) = waiting(&mut tara).await;
    tara.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await.location();
    assert_eq!(pay(&town, old, "100.00").await["fee"]["value"], "1.27");
    let page = omar.open(&path).await;
    assert!(
        page.text.contains("version 2: 1.5 %, may owe ₹0") && page.text.contains("T+3"),
        "{}",
        page.text
    );
    let done = logged(&town, &omar.id).await;
    let wanted = ("shop_terms_agreed".to_owned(), old.to_string(), "They asked".to_owned());
    assert!(done.contains(&wanted), "{done:?}");
    verified(&town.stop().await).await;
}

/// A refund that the shop is short of is lent up to what its terms say, and waits beyond.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_shop_may_owe_is_agreed_by_two_and_refunds_draw_on_it() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await;
    let refund = async |paid: &Value| {
        let path = format!("/v1/payments/{}/refunds", paid["id"].as_str().unwrap());
        town.admin.post(&path, &json!({})).await.made()
    };
    // 98.00 of 100.00 are the shop's: 2.00 are lacking, and the first terms lend nothing.
    let first = refund(&pay(&town, shop, "100.00").await).await;
    assert_eq!(first["status"], "pending", "{first}");

    let page = omar.open("/ops/limits").await;
    let fees = [("expected_version", "1"), ("fee", "2"), ("tax", "18"), ("reason", "They asked")];
    let lends = |debt| [fees[0], fees[1], fees[2], fees[3], ("debt", debt)];
    for wrong in ["-5", "1.50", "much"] {
        let page = omar.act(&page, "/ops/limits/fees", &lends(wrong)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    omar.act(&page, "/ops/limits/fees", &lends("50")).await.location();
    let (page, number) = waiting(&mut tara).await;
    tara.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await.location();
    let page = tara.open("/ops/limits").await;
    assert!(page.text.contains("May owe: ₹0 → ₹50"), "{}", page.text);
    // It is the shop's once it agreed to it; then what waited goes out by itself.
    let path = format!("/ops/people/{shop}");
    let page = omar.open(&path).await;
    let agree = [("terms_version", "2"), ("settlement_days", "1"), ("reason", "They asked")];
    omar.act(&page, &format!("{path}/agree"), &agree).await.location();
    let (page, number) = waiting(&mut tara).await;
    tara.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await.location();
    let waited = format!("/v1/refunds/{}", first["id"].as_str().unwrap());
    town.wait_at(&waited, "completed").await;
    // 48.00 more can be lent: 2 % of 2,400.00, and no paisa after that.
    let most = refund(&pay(&town, shop, "2400.00").await).await;
    assert_eq!(most["status"], "completed", "{most}");
    let beyond = refund(&pay(&town, shop, "50.00").await).await;
    assert_eq!((&beyond["status"], &beyond["funds"]), (&json!("pending"), &json!("not_moved")));
    let head = beyond["position"].as_u64().unwrap();
    let account = format!("receivable:merchant:{}:INR", shop.segment());
    assert_eq!(town.admin.balance(&account, head).await, "50.00");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_ends_only_empty_and_takes_nothing_after() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let (full, empty) =
        (open_shop(&town, &omar, "chai").await, open_shop(&town, &omar, "books").await);
    pay(&town, full, "100.00").await;
    let path = format!("/ops/people/{full}");
    let page = omar.open(&path).await;
    let why = [("reason", "They stop")];
    let refused = omar.act(&page, &format!("{path}/close"), &why).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("There are still 1 accounts with money"), "{}", refused.text);
    pay(&town, full, "1.00").await;

    let path = format!("/ops/people/{empty}");
    let page = omar.open(&path).await;
    for _ in 0..2 {
        assert_eq!(omar.send(&page, &format!("{path}/close"), &why).await.location(), path);
    }
    assert!(omar.open(&path).await.text.contains("It is closed: it takes no payments"));
    let body = json!({"account": "wallet:a:INR", "merchant": empty.to_string(),
        "amount": inr("1.00")});
    let late = town.admin.post("/v1/payments", &body).await;
    assert_eq!(late.code(), "shop_unknown", "{}", late.text);
    let closed = town.admin.get(&format!("/v1/accounts/{}", empty.available().unwrap())).await;
    assert_eq!(closed.made()["status"], "closed");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disputes_of_all_shops_are_listed_with_their_day_and_decided_by_who_may() {
    let town = Town::start().await;
    let mut nils = Operator::hire(&town, "nils", &[ledger_api::staff::StaffRole::Operator]).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await;
    let paid = pay(&town, shop, "100.00").await;
    let id = paid["id"].as_str().unwrap();
    let dispute = format!("/v1/payments/{id}/dispute");
    let body = json!({"reason": "not_delivered", "words": "The tea never came."});
    town.admin.post(&dispute, &body).await.made();
    let own = town.admin.post(&format!("{dispute}/decision"), &json!({"won_by": "payer"})).await;
    assert_eq!(own.code(), "second_person_needed", "{}", own.text);

    // The read models follow the log; a page of the payment waits for it.
    let path = format!("/ops/disputes/{id}");
    let page = nils.open(&path).await;
    for said in ["The tea never came.", "not delivered", "Decide by", "Opened"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    let list = nils.open("/ops/disputes").await;
    assert!(list.text.contains(id) && list.text.contains("₹100.00"), "{}", list.text);
    assert!(list.text.contains(&format!("/ops/people/{shop}")), "{}", list.text);
    let decide = format!("{path}/decide");
    let said = [("won_by", "merchant"), ("reason", "proof_of_delivery")];
    assert!(!page.text.contains(&decide), "not offered to who may not");
    assert_eq!(nils.send(&page, &decide, &said).await.status, StatusCode::FORBIDDEN);
    let ask = [("words", "When did you hand it over?")];
    assert_eq!(nils.act(&page, &format!("{path}/say"), &ask).await.location(), path);
    // People of ours have shops too, and decide nothing about them.
    let page = omar.open(&path).await;
    let party = omar.act(&page, &decide, &said).await;
    assert_eq!(party.status, StatusCode::FORBIDDEN, "{}", party.text);
    assert!(party.text.contains("nor works for the shop"), "{}", party.text);
    let page = tara.open(&path).await;
    assert!(page.text.contains("When did you hand it over?"), "{}", page.text);
    for _ in 0..2 {
        assert_eq!(tara.act(&page, &decide, &said).await.location(), path);
    }
    assert!(tara.open(&path).await.text.contains("Decided for the shop"));
    assert!(!tara.open("/ops/disputes").await.text.contains(id), "nothing waits");
    assert_eq!(town.admin.get(&dispute).await.made()["status"], "merchant");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debt_is_written_off_by_two_and_never_more_than_is_owed() {
    const DEBT: &str = "receivable:overpaid:b:INR";
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let second = town.actor("second", &[Scope::OpsApprove]).await;
    town.admin.open(DEBT).await.made();
    let adjustment = json!({"kind": "adjustment", "debit": DEBT, "credit": "wallet:a:INR",
        "amount": inr("300.00"), "reason": "test", "evidence_sha256": EVIDENCE});
    let request = town.admin.request(reqwest::Method::POST, "/v1/transactions");
    let request = request.header("idempotency-key", fresh_key());
    let request = request.header("approver-authorization", format!("Bearer {}", second.key));
    send(request.json(&adjustment)).await.made();
    let page = omar.open("/ops/debts").await;
    assert!(page.text.contains("₹300.00"), "{}", page.text);
    let path = format!("/ops/debts/{DEBT}/write-off");
    let of = |amount| [("amount", amount), ("reason", "insolvent"), ("evidence_sha256", EVIDENCE)];
    for (wrong, status) in [("300.01", 422), ("0", 422), ("1.001", 422)] {
        let refused = omar.act(&page, &path, &of(wrong)).await;
        assert_eq!(refused.status.as_u16(), status, "{wrong}: {}", refused.text);
    }
    let other = omar.send(&page, "/ops/debts/wallet:a:INR/write-off", &of("1")).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND, "{}", other.text);
    assert_eq!(omar.act(&page, &path, &of("250.00")).await.location(), "/ops/approvals");
    assert_eq!(town.balance(DEBT).await, 300.into(), "not by one word");
    let (page, number) = waiting(&mut tara).await;
    let approve = format!("/ops/approvals/{number}/approve");
    assert_eq!(omar.send(&page, &approve, &[]).await.status, StatusCode::FORBIDDEN);
    for _ in 0..2 {
        assert_eq!(tara.send(&page, &approve, &[]).await.location(), "/ops/approvals");
    }
    assert!(omar.open("/ops/debts").await.text.contains("₹50.00"));
    assert_eq!(town.balance(DEBT).await, 50.into());
    assert_eq!(town.balance("expense:bad_debt:INR").await, 250.into());
    verified(&town.stop().await).await;
}

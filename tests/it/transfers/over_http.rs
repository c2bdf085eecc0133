//! Transfers over HTTP by services' keys: at once, held, claimed, given up, run out, listed.

use std::sync::Arc;

use chrono::TimeDelta;
use ledger_api::identity::Scope;
use ledger_core::clock::{Clock as _, ShiftedClock};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    audit_engine::verified,
    support::{
        bahi::{Actor, PATIENCE, Set, TestBahi, amount},
        database::Database,
    },
};

const ASHA: &str = "wallet:asha:INR";
const RAVI: &str = "wallet:ravi:INR";
const PHONE: &str = "+919812345678";

/// A service with two wallets, on a clock that can be moved.
struct Stand {
    bahi: TestBahi,
    clock: Arc<ShiftedClock>,
    admin: Actor,
}

impl Stand {
    async fn start() -> Self {
        let clock = Arc::new(ShiftedClock::default());
        let set = Set { clock: clock.clone(), ..Set::default() };
        let bahi = TestBahi::on(&Database::create().await, set).await;
        let admin = bahi.admin().await;
        admin.wallet(ASHA, "1000").await;
        let ravi = json!({"code": "wallet:ravi", "currency": "INR", "owner": "ravi"});
        admin.post("/v1/accounts", &ravi).await.made();
        Self { bahi, clock, admin }
    }

    async fn send(&self, to: Value, value: &str) -> Value {
        self.admin.post("/v1/transfers", &sending(&to, value)).await.made()
    }

    async fn claim(&self, id: &str) -> crate::support::bahi::Reply {
        let body = json!({"account": RAVI, "phone": PHONE});
        self.admin.post(&format!("/v1/transfers/{id}/claim"), &body).await
    }

    async fn finish(self) {
        let database = self.bahi.database.clone();
        self.bahi.finish().await;
        verified(&database).await;
    }
}

fn sending(to: &Value, value: &str) -> Value {
    json!({"account": ASHA, "to": to, "amount": amount(ASHA, value), "note": "Tea"})
}

fn id(transfer: &Value) -> &str {
    transfer["id"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn to_who_is_known_the_money_goes_at_once() {
    let stand = Stand::start().await;
    let body = sending(&json!({"account": RAVI}), "250.00");
    let sent = stand.admin.post_with("once", "/v1/transfers", &body).await;
    assert_eq!(sent.status, StatusCode::CREATED);
    let made = sent.made();
    assert_eq!((&made["status"], &made["funds"]), (&json!("completed"), &json!("moved")));
    assert_eq!((&made["final"], &made["cancellable"]), (&json!(true), &json!(false)));
    assert_eq!(sent.header("location"), format!("/v1/transfers/{}", id(&made)));
    // The same request again is the same answer, though it looks like a duplicate by now.
    let again = stand.admin.post_with("once", "/v1/transfers", &body).await;
    assert!(again.is_replay());
    assert_eq!(again.made(), made);
    let read = stand.admin.get(&format!("/v1/transfers/{}", id(&made))).await.made();
    for field in ["id", "status", "account", "to", "amount", "fee", "note", "created_at"] {
        assert_eq!(read[field], made[field], "{field}");
    }
    // It is the transaction of the same number, and comes back by another one only.
    let transaction = id(&made).replace("tr_", "txn_");
    let seen = stand.admin.get(&format!("/v1/transactions/{transaction}")).await.made();
    assert_eq!(seen["kind"], "transfer");
    let cancel = format!("/v1/transfers/{}/cancel", id(&made));
    let refused = stand.admin.post(&cancel, &json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "not_cancellable"));
    assert_eq!(stand.admin.balance(RAVI, sent.position()).await, "250.00");
    stand.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_a_number_that_nobody_has_proved_it_waits_and_is_claimed_once() {
    let stand = Stand::start().await;
    let body = sending(&json!({"phone": "98123 45678"}), "250.00");
    let sent = stand.admin.post_with("held", "/v1/transfers", &body).await;
    let made = sent.made();
    assert_eq!((&made["status"], &made["funds"]), (&json!("pending_claim"), &json!("held")));
    assert!(made["expires_at"].is_string() && made["to"].is_null() && made["cancellable"] == true);
    let again = stand.admin.post_with("held", "/v1/transfers", &body).await;
    assert!(again.is_replay() && again.made() == made);
    let account = stand.admin.get(&format!("/v1/accounts/{ASHA}?min_position=1")).await.made();
    assert_eq!(account["id"], ASHA);

    // Another number; the hold itself; then the right one, twice.
    let wrong = json!({"account": RAVI, "phone": "+919812345679"});
    let path = format!("/v1/transfers/{}/claim", id(&made));
    let refused = stand.admin.post(&path, &wrong).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (404, "claim_of_another"));
    let hold = id(&made).replace("tr_", "hold_");
    let released = stand.admin.post(&format!("/v1/holds/{hold}/release"), &json!({})).await;
    assert_eq!(released.refused(), "hold_of_object");
    let claimed = stand.claim(id(&made)).await;
    let done = claimed.made();
    assert_eq!((&done["status"], &done["to"]), (&json!("completed"), &json!(RAVI)));
    assert_eq!(stand.claim(id(&made)).await.made()["status"], "completed");
    let late = stand.admin.post(&format!("/v1/transfers/{}/cancel", id(&made)), &json!({})).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (409, "not_cancellable"));
    assert_eq!(stand.admin.balance(RAVI, claimed.position()).await, "250.00");
    // Nobody undoes it but by sending it back.
    let transaction = id(&made).replace("tr_", "txn_");
    let undo = format!("/v1/transactions/{transaction}/reverse");
    assert_eq!(stand.admin.post(&undo, &json!({})).await.refused(), "not_reversible");
    stand.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_or_runs_out_is_spendable_again() {
    let stand = Stand::start().await;
    let first = stand.send(json!({"phone": PHONE}), "600").await;
    let poor = sending(&json!({"account": RAVI}), "600");
    assert_eq!(stand.admin.post("/v1/transfers", &poor).await.refused(), "insufficient_funds");
    let cancel = format!("/v1/transfers/{}/cancel", id(&first));
    for _ in 0..2 {
        let done = stand.admin.post(&cancel, &json!({})).await.made();
        assert_eq!((&done["status"], &done["funds"]), (&json!("cancelled"), &json!("not_moved")));
    }
    let late = stand.claim(id(&first)).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (409, "not_claimable"));

    // The same again is no duplicate of what was given up.
    let second = stand.send(json!({"phone": PHONE}), "600").await;
    stand.clock.be_ahead(TimeDelta::days(7));
    // Refused whether or not the sweeper was there.
    let late = stand.claim(id(&second)).await;
    let code = late.code();
    assert!(["transfer_expired", "not_claimable"].contains(&code.as_str()), "{code}");
    let path = format!("/v1/transfers/{}", id(&second));
    let began = std::time::Instant::now();
    loop {
        let seen = stand.admin.get(&path).await.made();
        if seen["status"] == "expired" {
            assert_eq!(seen["funds"], "not_moved");
            break;
        }
        assert!(began.elapsed() < PATIENCE, "nobody ended it: {seen}");
    }
    stand.send(json!({"account": RAVI}), "1000").await;
    assert!(stand.clock.now() > chrono::Utc::now());
    stand.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_like_a_mistake_is_asked_back() {
    let stand = Stand::start().await;
    for to in [json!({"account": RAVI}), json!({"phone": PHONE})] {
        let body = sending(&to, "10.00");
        stand.admin.post("/v1/transfers", &body).await.made();
        assert_eq!(stand.admin.post("/v1/transfers", &body).await.refused(), "duplicate_suspected");
        stand.send(to, "10.01").await;
        let mut confirmed = body.clone();
        confirmed["confirm_duplicate"] = json!(true);
        stand.admin.post("/v1/transfers", &confirmed).await.made();
    }
    stand.clock.be_ahead(TimeDelta::seconds(61));
    stand.send(json!({"account": RAVI}), "10.00").await;
    stand.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_a_clear_answer() {
    let stand = Stand::start().await;
    let refused = async |to: Value, value: &str| {
        stand.admin.post("/v1/transfers", &sending(&to, value)).await.refused()
    };
    assert_eq!(refused(json!({}), "1").await, "invalid");
    assert_eq!(refused(json!({"handle": "asha", "phone": PHONE}), "1").await, "invalid");
    assert_eq!(refused(json!({"name": "asha"}), "1").await, "invalid");
    assert_eq!(refused(json!({"phone": "7"}), "1").await, "invalid");
    assert_eq!(refused(json!({"id": "usr_7"}), "1").await, "invalid");
    assert_eq!(refused(json!({"handle": "nobody"}), "1").await, "recipient_unknown");
    assert_eq!(refused(json!({"handle": "admin"}), "1").await, "recipient_unknown");
    assert_eq!(refused(json!({"account": "income:fees:INR"}), "1").await, "not_transferable");
    assert_eq!(refused(json!({"account": "wallet:zora:INR"}), "1").await, "account_not_found");
    assert_eq!(refused(json!({"account": ASHA}), "1").await, "same_account");
    assert_eq!(refused(json!({"account": RAVI}), "0").await, "amount_not_positive");
    assert_eq!(refused(json!({"account": RAVI}), "1.001").await, "amount_scale");
    assert_eq!(refused(json!({"phone": PHONE}), "1000.01").await, "insufficient_funds");
    let mut long = sending(&json!({"account": RAVI}), "1");
    long["note"] = json!("x".repeat(201));
    assert_eq!(stand.admin.post("/v1/transfers", &long).await.refused(), "invalid");
    let mut role = sending(&json!({"account": RAVI}), "1");
    role["fee"] = amount(ASHA, "0");
    assert_eq!(stand.admin.post("/v1/transfers", &role).await.refused(), "invalid");
    let none = "tr_019a0000000070008000000000000061";
    assert_eq!(stand.claim(none).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stand.claim("tr_7").await.status, StatusCode::NOT_FOUND);
    let cancel = format!("/v1/transfers/{none}/cancel");
    assert_eq!(stand.admin.post(&cancel, &json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stand.admin.get(&format!("/v1/transfers/{none}")).await.status, 404);
    let weak = stand.bahi.actor("weak", &[Scope::BalancesRead]).await;
    let body = sending(&json!({"account": RAVI}), "1");
    assert_eq!(weak.post("/v1/transfers", &body).await.status, StatusCode::FORBIDDEN);
    assert_eq!(weak.get("/v1/transfers").await.status, StatusCode::FORBIDDEN);
    stand.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_both_kinds_in_one_order_and_each_once() {
    let stand = Stand::start().await;
    let mut sent = Vec::new();
    for number in 1..=12 {
        let value = format!("{number}.00");
        let to = if number % 3 == 0 { json!({"phone": PHONE}) } else { json!({"account": RAVI}) };
        sent.push(stand.send(to, &value).await);
    }
    // One of those that waited is claimed: it is listed where it began.
    stand.claim(id(&sent[2])).await.made();
    let ids: Vec<String> = sent.iter().rev().map(|sent| id(sent).to_owned()).collect();
    let head = stand.bahi.engine.status().borrow().head.position;
    let mut listed = Vec::new();
    let mut path = format!("/v1/transfers?account={ASHA}&limit=5&min_position={head}");
    loop {
        let page = stand.admin.get(&path).await.made();
        let data = page["data"].as_array().unwrap().clone();
        listed.extend(data.iter().map(|transfer| id(transfer).to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/transfers?account={ASHA}&limit=5&cursor={cursor}");
    }
    // The till's transfer that funded the wallet is the oldest.
    assert_eq!(listed[..ids.len()], ids[..]);
    assert_eq!(listed.len(), ids.len() + 1);
    let count = async |query: &str| {
        let page = stand.admin.get(&format!("/v1/transfers?limit=100&{query}")).await.made();
        page["data"].as_array().unwrap().len()
    };
    assert_eq!(count(&format!("account={RAVI}")).await, 9);
    assert_eq!(count("status=pending_claim").await, 3);
    assert_eq!(count(&format!("account={ASHA}&status=completed")).await, 10);
    assert_eq!(count(&format!("account={RAVI}&status=expired")).await, 0);
    stand.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_claim_waits_for_a_person_who_is_somebody_else() {
    let stand = Stand::start().await;
    stand.admin.wallet("wallet:rich:INR", "90000").await;
    let sending = |value: &str| {
        json!({"account": "wallet:rich:INR", "to": {"phone": PHONE},
            "amount": amount(ASHA, value), "note": "Car"})
    };
    let mut ids = Vec::new();
    for value in ["10000.00", "10000.01", "10000.02"] {
        let made = stand.admin.post("/v1/transfers", &sending(value)).await.made();
        ids.push(id(&made).to_owned());
    }
    assert_eq!(stand.claim(&ids[0]).await.made()["status"], "completed", "not more than the rule");
    for waiting in &ids[1..] {
        let claimed = stand.claim(waiting).await.made();
        assert_eq!(claimed["status"], "claim_in_review", "{claimed}");
        assert_eq!((&claimed["funds"], &claimed["to"]), (&json!("held"), &json!(RAVI)));
    }
    // Asking again does not pass it.
    let again = stand.claim(&ids[1]).await;
    assert_eq!(again.made()["status"], "claim_in_review");
    let list = |position: u64| format!("/v1/ops/transfers?min_position={position}");
    let reader = stand.bahi.actor("reader", &[Scope::OpsRead]).await;
    let approver = stand.bahi.actor("ravi", &[Scope::OpsApprove]).await;
    let listed = reader.get(&list(again.position())).await.made();
    let listed = listed["data"].as_array().unwrap();
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert!(listed.iter().all(|one| one["reason"] == "claim_amount"), "{listed:?}");
    let approve = format!("/v1/ops/transfers/{}/approve", ids[1]);
    assert_eq!(reader.post(&approve, &json!({})).await.code(), "forbidden");
    // Who claimed it, as a service, is not who lets it pass.
    assert_eq!(stand.admin.post(&approve, &json!({})).await.code(), "second_person_needed");
    let passed = approver.post_with("pass", &approve, &json!({})).await;
    assert_eq!(passed.made()["status"], "completed");
    assert!(approver.post_with("pass", &approve, &json!({})).await.is_replay());
    let reject = format!("/v1/ops/transfers/{}/reject", ids[2]);
    let body = json!({"reason": "number_changed_hands"});
    assert_eq!(reader.post(&reject, &body).await.code(), "forbidden");
    let rejected = approver.post(&reject, &body).await;
    assert_eq!(rejected.made()["status"], "cancelled");
    assert_eq!(stand.admin.balance(RAVI, rejected.position()).await, "20000.01");
    assert_eq!(approver.post(&approve, &json!({})).await.code(), "transfer_not_in_review");
    let none = reader.get(&list(rejected.position())).await.made();
    assert_eq!(none["data"], json!([]));
    stand.finish().await;
}

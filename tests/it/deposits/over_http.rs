//! Deposits over HTTP, paid at a sandbox bank.

use std::{sync::Arc, time::Duration};

use ledger_api::{
    banks::{BankRegistry, Credit, CreditStatus},
    deposits::{CreditDesk, Handled},
    identity::Scope,
};
use ledger_core::{clock::System, deposit::DepositStatus, ids::BankCode};
use reqwest::StatusCode;
use sandbox_bank::BankCode as SandboxBank;
use serde_json::{Value, json};

use crate::{
    audit_engine::verified,
    support::{
        bahi::{Actor, Set, TestBahi, amount},
        database::Database,
        ledger::parse,
        sandbox::{Sandbox, bank, noon, registry},
    },
};

const A: &str = "wallet:asha:INR";

fn asked(value: &str) -> Value {
    json!({"account": A, "amount": amount(A, value), "bank": "hdfc"})
}

/// A service, its sandbox bank, and what hands in the bank's words.
struct Stand {
    bahi: TestBahi,
    sandbox: Sandbox,
    banks: BankRegistry,
    desk: CreditDesk,
    admin: Actor,
}

impl Stand {
    async fn start() -> Self {
        let sandbox = Sandbox::start().await;
        let banks = sandbox.registry();
        let set = Set { banks: banks.clone(), ..Set::default() };
        let bahi = TestBahi::on(&Database::create().await, set).await;
        let desk = CreditDesk::new(
            Arc::new(bahi.engine.clone()),
            Arc::new(banks.clone()),
            Arc::new(System),
            bahi.database.pool().await,
            &[7; 32],
        );
        let admin = bahi.admin().await;
        admin.open(A).await.made();
        Self { bahi, sandbox, banks, desk, admin }
    }

    fn hdfc() -> BankCode {
        parse("hdfc")
    }

    /// A deposit of so much that awaits payment.
    async fn begun(&self, value: &str) -> Value {
        self.admin.post("/v1/deposits", &asked(value)).await.made()
    }

    /// Somebody pays so much; with a token, if one is given.
    async fn pay(&self, value: &str, token: Option<&str>) {
        let credit = json!({"amount": amount(A, value), "token": token});
        let credit = serde_json::from_value(credit).unwrap();
        self.sandbox.control.credit(SandboxBank::Hdfc, &credit).await.unwrap();
        self.sandbox.advance(120).await;
    }

    /// What the bank says of the credits under a token.
    async fn credits(&self, token: &str) -> Vec<Credit> {
        let hdfc = bank(&self.banks, "hdfc");
        let link = hdfc.collect_link(&parse(token)).await.unwrap().unwrap();
        let mut credits = Vec::new();
        for id in &link.credits {
            credits.push(hdfc.credit(id).await.unwrap().unwrap());
        }
        credits
    }

    /// All that the day's statement shows; what became of each line.
    async fn settle(&self) -> Vec<Handled> {
        let day = noon().with_timezone(&chrono_tz::Asia::Kolkata).date_naive();
        let hdfc = bank(&self.banks, "hdfc");
        let statement = hdfc.statement("escrow", day).await.unwrap().unwrap();
        let mut handled = Vec::new();
        for line in &statement.lines {
            handled.push(self.desk.settle(&Self::hdfc(), line).await.unwrap());
        }
        handled
    }

    async fn read(&self, id: &str) -> Value {
        let position = self.bahi.engine.status().borrow().head.position;
        let path = format!("/v1/deposits/{id}?min_position={position}");
        self.admin.get(&path).await.made()
    }

    async fn balance(&self, account: &str) -> String {
        let position = self.bahi.engine.status().borrow().head.position;
        self.admin.balance(account, position).await
    }

    async fn end(self) {
        verified(&self.bahi.database).await;
        self.bahi.finish().await;
        self.sandbox.stop().await;
    }
}

/// Somebody presses a button on the bank's page.
async fn press(page: &str, decision: &str) {
    let form = reqwest::Client::new().post(page).body(format!("decision={decision}"));
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let answer = form.send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

#[track_caller]
fn noted(handled: &Handled) -> (String, DepositStatus) {
    let Handled::Noted { deposit_id, status, .. } = handled else { panic!("{handled:?}") };
    (deposit_id.to_string(), *status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_paid_at_the_banks_page_checked_credited_and_settled() {
    let stand = Stand::start().await;
    let user = stand.bahi.actor("asha", &[Scope::DepositsWrite]).await;
    let made = user.post_with("k", "/v1/deposits", &asked("500.00")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let body = made.json();
    let id = body["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/v1/deposits/{id}"));
    let token = body["token"].as_str().unwrap();
    assert_eq!((&body["status"], token), (&json!("awaiting_payment"), &*id.replace('_', "")));
    assert_eq!((&body["final"], &body["cancellable"]), (&json!(false), &json!(true)));
    let page = body["pay_page"].as_str().unwrap();
    assert!(page.starts_with(&stand.sandbox.address) && page.ends_with(token), "{page}");
    let again = user.post_with("k", "/v1/deposits", &asked("500.00")).await;
    assert_eq!((again.is_replay(), &again.text), (true, &made.text));
    assert_eq!(stand.read(id).await["pay_page"], page);

    // Somebody pays; nobody has told us yet, and nothing moves.
    press(page, "approve").await;
    stand.sandbox.advance(60).await;
    let [credit] = &stand.credits(token).await[..] else { panic!("one credit") };
    let told = stand.desk.tell(&Stand::hdfc(), credit).await.unwrap();
    assert_eq!(noted(&told), (id.to_owned(), DepositStatus::Received));
    assert_eq!(stand.balance(A).await, "0.00");
    let late = user.post(&format!("/v1/deposits/{id}/cancel"), &json!({})).await;
    assert_eq!(
        (late.status, late.code()),
        (StatusCode::CONFLICT, "deposit_not_cancellable".to_owned())
    );

    for _ in 0..2 {
        let applied = stand.desk.apply_credit(&Stand::hdfc(), &credit.id).await.unwrap();
        assert_eq!(noted(&applied), (id.to_owned(), DepositStatus::Completed));
    }
    assert_eq!(stand.balance(A).await, "500.00");
    let [settled] = &stand.settle().await[..] else { panic!("one line") };
    assert_eq!(noted(settled), (id.to_owned(), DepositStatus::Settled));
    assert_eq!(stand.balance("bank:hdfc:escrow:INR").await, "500.00");

    let seen = stand.read(id).await;
    assert_eq!((&seen["status"], &seen["final"]), (&json!("settled"), &json!(true)));
    assert_eq!((&seen["credited"], &seen["aside"]), (&amount(A, "500.00"), &amount(A, "0.00")));
    assert_eq!((&seen["pay_page"], &seen["late"]), (&Value::Null, &json!(false)));
    let steps = seen["timeline"].as_array().unwrap();
    let events: Vec<_> = steps.iter().map(|step| step["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["begun", "received", "credited", "settled"]);
    assert_eq!((&steps[0]["by"], &steps[2]["by"]), (&json!("asha"), &json!("ledger:deposits")));
    assert_eq!((&steps[1]["source"], &steps[2]["source"]), (&json!("webhook"), &json!("enquiry")));
    assert_eq!(steps[2]["amount"], amount(A, "500.00"));
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_is_credited_late_too_and_the_statement_may_come_first() {
    let stand = Stand::start().await;
    let made = stand.begun("500.00").await;
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let path = format!("/v1/deposits/{id}/cancel");
    for _ in 0..2 {
        assert_eq!(stand.admin.post(&path, &json!({})).await.made()["status"], "cancelled");
    }
    stand.pay("499.00", Some(token)).await;
    stand.pay("7.50", Some(token)).await;
    let settled = stand.settle().await;
    assert_eq!(settled.len(), 2);
    let [first, second] = &stand.credits(token).await[..] else { panic!("two credits") };
    for credit in [first, second] {
        let applied = stand.desk.apply_credit(&Stand::hdfc(), &credit.id).await.unwrap();
        assert_eq!(noted(&applied), (id.to_owned(), DepositStatus::Settled));
    }
    let seen = stand.read(id).await;
    assert_eq!((&seen["late"], &seen["credited"]), (&json!(true), &amount(A, "506.50")));
    assert_eq!(stand.balance(A).await, "506.50");
    // A message that contradicts what is booked is for people.
    let lie = Credit { amount: second.amount, ..first.clone() };
    let refused = stand.desk.tell(&Stand::hdfc(), &lie).await.unwrap();
    let Handled::Refused(rejection) = refused else { panic!("{refused:?}") };
    assert_eq!(rejection.code, "credit_differs");
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_nobody_asked_for_waits_in_suspense_once() {
    let stand = Stand::start().await;
    let unknown = "dep01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
    stand.pay("75.00", None).await;
    stand.pay("80.00", Some(unknown)).await;
    let first = stand.settle().await;
    assert_eq!(first, stand.settle().await, "once");
    for handled in &first {
        let (id, status) = noted(handled);
        assert_eq!(status, DepositStatus::InReview);
        let seen = stand.read(&id).await;
        assert_eq!((&seen["account"], &seen["amount"]), (&Value::Null, &Value::Null));
        assert_eq!(seen["timeline"][0]["event"], "unsolicited");
        assert_eq!(seen["timeline"][1]["reason"], "wallet_unknown");
    }
    assert_eq!(stand.balance("suspense:credits:INR").await, "155.00");
    let nothing = stand.desk.apply_credit(&Stand::hdfc(), &parse("crd_none")).await.unwrap();
    assert_eq!(nothing, Handled::NotKnown);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_at_the_page_is_asked_after_and_money_that_comes_all_the_same_is_told() {
    let stand = Stand::start().await;
    let made = stand.begun("500.00").await;
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let page = made["pay_page"].as_str().unwrap();
    press(page, "decline").await;
    for _ in 0..2 {
        let handled = stand.desk.apply_collect_link(&Stand::hdfc(), &parse(token)).await.unwrap();
        let [declined] = &handled[..] else { panic!("{handled:?}") };
        assert_eq!(noted(declined), (id.to_owned(), DepositStatus::Failed));
    }
    let seen = stand.read(id).await;
    assert_eq!(
        (&seen["status"], seen["timeline"].as_array().unwrap().len()),
        (&json!("failed"), 2)
    );

    stand.pay("500.00", Some(token)).await;
    let [credit] = &stand.credits(token).await[..] else { panic!("one credit") };
    let recalled = Credit { status: CreditStatus::RecallRequested, ..credit.clone() };
    let told = stand.desk.tell(&Stand::hdfc(), &recalled).await.unwrap();
    // A message alone asks for nothing.
    assert!(matches!(told, Handled::Noted { recall_requested: false, .. }), "{told:?}");
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_does_not_answer_delays_the_page_and_nothing_else() {
    let away = [("HDFC", "http://127.0.0.1:1".to_owned())];
    let banks = registry(&away, "a-token-for-tests", Duration::from_secs(1));
    let database = Database::create().await;
    let bahi = TestBahi::on(&database, Set { banks, ..Set::default() }).await;
    let admin = bahi.admin().await;
    admin.open(A).await.made();
    let made = admin.post("/v1/deposits", &asked("500.00")).await;
    assert_eq!((made.status, &made.json()["pay_page"]), (StatusCode::CREATED, &Value::Null));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/deposits/{id}");
    assert_eq!(admin.get(&path).await.made()["pay_page"], Value::Null);

    // The bank is back; another process finds the page.
    let sandbox = Sandbox::start().await;
    let set = Set { banks: sandbox.registry(), ..Set::default() };
    let other = TestBahi::on(&database, set).await;
    let seen = other.admin().await.get(&path).await.made();
    let page = seen["pay_page"].as_str().unwrap();
    assert!(page.starts_with(&sandbox.address), "{page}");
    other.finish().await;
    bahi.finish().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_before_anything_begins() {
    let stand = Stand::start().await;
    let with = |field: &str, value: Value| {
        let mut body = asked("1");
        body[field] = value;
        body
    };
    let refused = [
        (with("amount", amount(A, "0")), "amount_not_positive"),
        (with("amount", amount(A, "1.001")), "amount_scale"),
        (with("amount", amount("wallet:asha:USD", "1")), "currency_mismatch"),
        (with("account", json!("bank:hdfc:escrow:INR")), "not_depositable"),
        (with("account", json!("wallet:nobody:INR")), "account_not_found"),
        (with("bank", json!("HDFC")), "invalid"),
        (with("bank", json!("sbi")), "bank_unknown"),
        (with("return_url", json!("javascript:alert(1)")), "invalid"),
        (with("return_url", json!("back")), "invalid"),
        (with("return_url", json!(format!("http://a/{}", "b".repeat(500)))), "invalid"),
        // Case 141: who asks does not say where it stands.
        (with("status", json!("completed")), "invalid"),
        (with("expires_at", json!("2030-01-01T00:00:00Z")), "invalid"),
    ];
    for (body, code) in refused {
        let answer = stand.admin.post("/v1/deposits", &body).await;
        assert_eq!(answer.refused(), code, "{body}");
    }
    let weak = stand.bahi.actor("till", &[Scope::LedgerWrite]).await;
    assert_eq!(weak.post("/v1/deposits", &asked("1")).await.code(), "forbidden");
    let unknown = "dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
    let gone = stand.admin.get(&format!("/v1/deposits/{unknown}")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    let gone = stand.admin.post(&format!("/v1/deposits/{unknown}/cancel"), &json!({})).await;
    assert_eq!((gone.status, gone.code()), (StatusCode::NOT_FOUND, "deposit_not_found".to_owned()));
    stand.end().await;
}

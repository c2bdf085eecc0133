//! A lump in suspense that somebody names the deposits of, and a colleague agrees.

use ledger_core::{
    clock::{Ids as _, System},
    deposit::{BeginDeposit, ConfirmCredit, CreditClaim, DepositOperation, credit::item_of},
    ids::{DepositId, TransactionId},
    withdrawal::Source,
};
use reqwest::StatusCode;
use sandbox_bank::{
    BankCode,
    faults::{Lumps, Mode},
};
use serde_json::json;

use super::{
    BOTH, EVIDENCE, Operator,
    money::in_suspense,
    outside::{pay, ravi},
    waiting,
};
use crate::{
    audit_engine::verified,
    support::{
        ledger::{accepted, command, money, parse},
        town::Town,
    },
};

const WALLET: &str = "wallet:a:INR";

/// A deposit that an enquiry has booked; its credit.
async fn booked(town: &Town, number: &str, rupees: &str) -> String {
    let deposit_id = DepositId::from_uuid(System.fresh());
    let begin = BeginDeposit {
        deposit_id,
        account: parse(WALLET),
        amount: money(WALLET, rupees),
        bank: parse("hdfc"),
        expires_at: town.state().clock.now() + chrono::TimeDelta::hours(1),
        payer_hash: None,
    };
    let claim = CreditClaim {
        bank: parse("hdfc"),
        bank_transaction_id: parse(number),
        credit_id: None,
        utr: None,
        value_date: "2026-11-22".parse().unwrap(),
        amount: money(WALLET, rupees),
        source: Source::Enquiry,
        payer_hash: None,
        review: None,
        unsolicited_to: None,
    };
    let transaction_id = TransactionId::from_uuid(System.fresh());
    let confirm = ConfirmCredit { deposit_id, claim, transaction_id };
    for ask in [DepositOperation::Begin(begin), DepositOperation::ConfirmCredit(confirm)] {
        accepted(town.state().ledger.submit(command(ask.into())).await);
    }
    item_of(deposit_id, 1).unwrap().to_string()
}

/// Waits until the bank's statement shows a credit that nobody asked for.
async fn on_the_statement(town: &Town, item: &str) {
    let id = item.split('.').next().unwrap();
    let began = std::time::Instant::now();
    loop {
        let seen = town.admin.get(&format!("/v1/deposits/{id}")).await.made();
        let steps = seen["timeline"].as_array().unwrap();
        if steps.iter().any(|step| step["event"] == "settled") {
            return;
        }
        assert!(began.elapsed() < crate::support::bahi::PATIENCE, "{seen:#}");
        let india = (chrono::Utc::now() + chrono::TimeDelta::minutes(330)).date_naive();
        let body = json!({"account": "escrow", "day": india});
        town.admin.post("/v1/ops/banks/hdfc/fetch", &body).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lump_is_named_by_one_and_agreed_to_by_another() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let first = booked(&town, "G1", "300.00").await;
    let second = booked(&town, "G2", "200.00").await;
    let item = in_suspense(&town, "494.10").await;
    on_the_statement(&town, &item).await;
    let path = format!("/ops/suspense/{item}");
    let form = format!("{path}/lump");
    let both = format!("{first} {second}");
    let said = |credits: &str, charges: &str| {
        [
            ("credits", credits.to_owned()),
            ("charges", charges.to_owned()),
            ("tax", "0.90".to_owned()),
            ("reason", "settlement-2026-11-22".to_owned()),
            ("evidence_sha256", EVIDENCE.to_owned()),
        ]
    };
    let page = omar.open(&path).await;
    for (credits, charges) in [(both.as_str(), "5.01"), (first.as_str(), "5.00"), ("dep_x", "5.00")]
    {
        let wrong = said(credits, charges);
        let wrong = wrong.each_ref().map(|(name, value)| (*name, value.as_str()));
        let refused = omar.act(&page, &form, &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    }
    let good = said(&both, "5.00");
    let good = good.each_ref().map(|(name, value)| (*name, value.as_str()));
    for _ in 0..2 {
        // A double click proposes once.
        assert_eq!(omar.act(&page, &form, &good).await.location(), path);
    }
    let (page, number) = waiting(&mut omar).await;
    // Its credits stand in a table, in money and not as they were sent.
    for shown in [first.as_str(), &second, "₹300.00", "₹500.00", "₹5.00", "₹0.90", "₹494.10"]
    {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    assert!(!page.text.contains("&quot;") && !page.text.contains("{\""), "{}", page.text);
    let approve = format!("/ops/approvals/{number}/approve");
    assert_eq!(omar.send(&page, &approve, &[]).await.status, StatusCode::FORBIDDEN);
    let page = tara.open(&path).await;
    for _ in 0..2 {
        assert_eq!(tara.act(&page, &approve, &[]).await.location(), "/ops/approvals");
    }
    assert!(tara.open(&path).await.text.contains("It lies in suspense no more"));
    assert!(tara.open("/ops/approvals").await.text.contains("It settled 2 credits"));
    for credit in [&first, &second] {
        town.wait_for_deposit(credit.split('.').next().unwrap(), "settled").await;
    }
    let lump = town.wait_for_deposit(item.split('.').next().unwrap(), "divided").await;
    assert_eq!(lump["final"], true);
    verified(&town.stop().await).await;
}

/// Two deposits that somebody pays at the bank, each once it is on the wallet; their items.
async fn two_paid(town: &Town, amounts: [&str; 2]) -> [String; 2] {
    let mut items = Vec::new();
    for amount in amounts {
        let begun = town.deposit(amount, None).await;
        let id = begun["id"].as_str().unwrap().to_owned();
        pay(town, &id.replace('_', ""), amount, ravi()).await;
        let done = town.wait_for_deposit(&id, "completed").await;
        assert_eq!(done["credited"]["value"], amount, "{done:#}");
        items.push(format!("{id}.1"));
    }
    items.try_into().unwrap()
}

/// Asks for the statement of the bank's day, so many days from now, until something is there.
async fn until_stated(town: &Town, days: i64, is_there: impl AsyncFn() -> bool) {
    let began = std::time::Instant::now();
    while !is_there().await {
        assert!(began.elapsed() < crate::support::bahi::PATIENCE, "it is on no statement");
        let india = chrono::Utc::now() + chrono::TimeDelta::minutes(330);
        let day = (india + chrono::TimeDelta::days(days)).date_naive();
        let body = json!({"account": "escrow", "day": day});
        town.admin.post("/v1/ops/banks/hdfc/fetch", &body).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

async fn is_settled(town: &Town, item: &str) -> bool {
    let id = item.split('.').next().unwrap();
    let seen = town.admin.get(&format!("/v1/deposits/{id}")).await.made();
    let steps = seen["timeline"].as_array().unwrap();
    steps.iter().any(|step| step["event"] == "settled")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_pays_a_days_credits_as_one_line_is_settled_by_its_word_or_by_two_people() {
    let town = Town::start().await;
    let kept = ["expense:bank_charges:INR", "tax:gst_input:INR"];
    let mode = |lumps| Mode { lumps, ..Mode::default() };
    town.sandbox.control.mode(BankCode::Hdfc, &mode(Lumps::Named)).await.unwrap();
    let [first, second] = two_paid(&town, ["300.00", "200.00"]).await;
    assert!(!is_settled(&town, &first).await);
    town.sandbox.advance(86_400).await;
    until_stated(&town, 1, async || is_settled(&town, &second).await).await;
    for item in [&first, &second] {
        town.wait_for_deposit(item.split('.').next().unwrap(), "settled").await;
    }
    for (account, amount) in kept.iter().zip(["5.00", "0.90"]) {
        assert_eq!(town.balance(account).await, amount.parse().unwrap(), "{account}");
    }

    // The bank does not say what the next day's line is made of: people do.
    town.sandbox.control.mode(BankCode::Hdfc, &mode(Lumps::Unnamed)).await.unwrap();
    let [third, fourth] = two_paid(&town, ["120.00", "80.00"]).await;
    town.sandbox.advance(86_400).await;
    let waits = async || {
        let seen = town.admin.get("/v1/deposits?status=in_review").await.made();
        !seen["data"].as_array().unwrap().is_empty()
    };
    until_stated(&town, 2, waits).await;
    let lump = town.wait_for_unsolicited("in_review").await;
    let lump = format!("{}.1", lump["id"].as_str().unwrap());
    until_stated(&town, 2, async || is_settled(&town, &lump).await).await;
    assert!(!is_settled(&town, &third).await && !is_settled(&town, &fourth).await);
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let path = format!("/ops/suspense/{lump}");
    let page = omar.open(&path).await;
    assert!(page.text.contains("₹197.64"), "{}", page.text);
    let credits = format!("{third} {fourth}");
    let said = [
        ("credits", credits.as_str()),
        ("charges", "2.00"),
        ("tax", "0.36"),
        ("reason", "settlement-of-a-day"),
        ("evidence_sha256", EVIDENCE),
    ];
    assert_eq!(omar.act(&page, &format!("{path}/lump"), &said).await.location(), path);
    let (_, number) = waiting(&mut omar).await;
    let page = tara.open(&path).await;
    let agreed = tara.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await;
    assert_eq!(agreed.location(), "/ops/approvals");
    for item in [&third, &fourth] {
        town.wait_for_deposit(item.split('.').next().unwrap(), "settled").await;
    }
    town.wait_for_deposit(lump.split('.').next().unwrap(), "divided").await;
    for (account, amount) in kept.iter().zip(["7.00", "1.26"]) {
        assert_eq!(town.balance(account).await, amount.parse().unwrap(), "{account}");
    }
    assert_eq!(town.balance("bank:hdfc:clearing_in:INR").await, "0".parse().unwrap());
    verified(&town.stop().await).await;
}

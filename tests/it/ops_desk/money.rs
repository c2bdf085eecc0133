//! An unknown withdrawal, and money that nobody knows the owner of.

use reqwest::StatusCode;

use super::{BOTH, EVIDENCE, Operator, between, logged};
use crate::{audit_engine::verified, support::town::Town};
use ledger_api::staff::StaffRole;

/// Buttons of the page, by their words.
fn buttons(page: &str) -> Vec<String> {
    let words = page.split("<button").skip(1).filter_map(|rest| {
        let inside = rest.split_once('>')?.1.split("</button>").next()?;
        Some(inside.rsplit('>').next()?.trim().to_lowercase())
    });
    words.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_146_and_177_an_unknown_withdrawal_takes_evidence_and_a_colleague() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let mut nils = Operator::hire(&town, "nils", &[StaffRole::Operator]).await;
    let to = town.bank_account("test").await;
    let id = town.withdraw("hdfc", &to, "5000.15").await;
    town.wait_for(&id, "outcome_unknown").await;
    let path = format!("/ops/withdrawals/{id}");

    let overview = omar.open("/ops").await;
    assert!(overview.text.contains("₹5,000.15"), "what is unknown: {}", overview.text);
    assert!(omar.open("/ops/withdrawals?tab=unknown").await.text.contains(&id));
    let page = omar.open(&path).await;
    let again = ["retry", "resend", "send again", "try again", "next attempt"];
    let offered = buttons(&page.text);
    assert!(offered.iter().any(|words| words == "propose: paid"), "{offered:?}");
    for words in &offered {
        assert!(again.iter().all(|bad| !words.contains(bad)), "no way to pay twice: {words}");
    }
    // Without evidence nothing is proposed.
    let resolve = format!("{path}/resolve");
    let said = [
        ("evidence", "paid"),
        ("bank_reference", "HDFC-LETTER-7"),
        ("reason", "Letter of the bank"),
        ("evidence_sha256", ""),
    ];
    let none = omar.act(&page, &resolve, &said).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", none.text);
    let absent = omar.send(&page, &resolve, &[("evidence", "absent")]).await;
    assert_eq!(absent.status, StatusCode::CONFLICT, "no statement shows it: {}", absent.text);

    let said = [&said[..3], &[("evidence_sha256", EVIDENCE)]].concat();
    for _ in 0..2 {
        // A double click proposes once.
        assert_eq!(omar.act(&page, &resolve, &said).await.location(), path);
    }
    let page = omar.open(&path).await;
    let number = between(&page.text, "/resolutions/", "/withdraw\"").to_owned();
    let approve = format!("{path}/resolutions/{number}/approve");
    assert!(!page.text.contains(&approve), "one's own is not offered");
    let own = omar.send(&page, &approve, &[]).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN, "{}", own.text);
    assert!(own.text.contains("Another person than the one who proposed it"), "{}", own.text);
    let seen = nils.open(&path).await;
    assert_eq!(nils.send(&seen, &approve, &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(town.wait_for(&id, "outcome_unknown").await["funds"], "held");

    assert!(tara.open("/ops/approvals").await.text.contains(&id));
    let page = tara.open(&path).await;
    assert_eq!(tara.act(&page, &approve, &[]).await.location(), path);
    let done = town.wait_for(&id, "completed").await;
    assert_eq!((&done["utr"], &done["funds"]), (&"HDFC-LETTER-7".into(), &"moved".into()));
    let step =
        done["timeline"].as_array().unwrap().iter().find(|step| step["event"] == "completed");
    let step = step.unwrap();
    assert_eq!(
        (&step["by"], &step["approved_by"]),
        (&omar.id.clone().into(), &tara.id.clone().into())
    );
    assert!(tara.open(&path).await.text.contains("HDFC-LETTER-7"));
    let decided = tara.open("/ops/approvals").await.text;
    for said in ["An unknown withdrawal: paid", "approved", "HDFC-LETTER-7", &omar.id, &tara.id] {
        assert!(decided.contains(said), "{said}: {decided}");
    }
    // Case 177: who was refused what is written down.
    let refused = logged(&town, &omar.id).await;
    let wanted = ("operator_refused".to_owned(), id.clone(), "second_person_needed".to_owned());
    assert!(refused.contains(&wanted), "{refused:?}");
    let refused = logged(&town, &nils.id).await;
    assert!(refused.contains(&("operator_refused".to_owned(), id, "forbidden".to_owned())));
    verified(&town.stop().await).await;
}

/// A credit that nobody asked for, as soon as it lies in suspense.
pub(super) async fn in_suspense(town: &Town, rupees: &str) -> String {
    let body = serde_json::json!({"amount": {"value": rupees, "currency": "INR"},
        "token": "NOBODYKNOWS"});
    let request = serde_json::from_value(body).unwrap();
    let bank = sandbox_bank::BankCode::Hdfc;
    town.sandbox.control.credit(bank, &request).await.unwrap();
    let began = std::time::Instant::now();
    loop {
        let seen = town.admin.get("/v1/ops/suspense").await.made();
        let mut credits = seen["credits"].as_array().unwrap().iter();
        if let Some(credit) = credits.find(|credit| credit["amount"]["value"] == rupees) {
            return credit["id"].as_str().unwrap().to_owned();
        }
        assert!(began.elapsed() < crate::support::bahi::PATIENCE, "{seen:#}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_in_suspense_goes_to_a_wallet_by_one_person_or_by_two() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let before = town.balance("wallet:a:INR").await;
    let small = in_suspense(&town, "700.00").await;
    let path = format!("/ops/suspense/{small}");
    let said = [("account", "wallet:a:INR"), ("reason", "case-2026-117")];
    assert!(omar.open("/ops/suspense").await.text.contains(&small));
    let page = omar.open(&path).await;
    assert_eq!(omar.act(&page, &format!("{path}/assign"), &said).await.location(), path);
    assert!(omar.open(&path).await.text.contains("It lies in suspense no more"));
    assert_eq!(town.balance("wallet:a:INR").await - before, 700.into());

    let large = in_suspense(&town, "15000.00").await;
    let path = format!("/ops/suspense/{large}");
    let page = omar.open(&path).await;
    let assign = format!("{path}/assign");
    let alone = omar.act(&page, &assign, &said).await;
    assert_eq!(alone.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", alone.text);
    let said = [&said[..], &[("evidence_sha256", EVIDENCE)]].concat();
    assert_eq!(omar.act(&page, &assign, &said).await.location(), path);
    let page = omar.open("/ops/approvals").await;
    let number = between(&page.text, "/ops/approvals/", "/reject\"").to_owned();
    let approve = format!("/ops/approvals/{number}/approve");
    assert_eq!(omar.send(&page, &approve, &[]).await.status, StatusCode::FORBIDDEN);
    let page = tara.open(&path).await;
    for _ in 0..2 {
        assert_eq!(tara.act(&page, &approve, &[]).await.location(), "/ops/approvals");
    }
    assert!(tara.open(&path).await.text.contains("It lies in suspense no more"));
    assert_eq!(town.balance("wallet:a:INR").await - before, 15_700.into());
    let page = tara.open("/ops/approvals").await;
    assert!(page.text.contains("It is on wallet:a:INR"), "{}", page.text);
    verified(&town.stop().await).await;
}

//! What became of a withdrawal that no bank tells the outcome of: said by one person, agreed to by
//! another, over HTTP.

use ledger_api::identity::Scope;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    audit_engine::verified,
    support::{
        bahi::{Actor, Reply},
        town::Town,
    },
};

const EVIDENCE: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn not_paid() -> Value {
    json!({"outcome": "not_paid", "reason": "Letter of the bank", "evidence_sha256": EVIDENCE})
}

fn paid() -> Value {
    json!({"outcome": "paid", "bank_reference": "HDFC-LETTER-7", "reason": "Letter of the bank",
           "evidence_sha256": EVIDENCE})
}

/// Two persons, and one who may only look.
struct People {
    asha: Actor,
    ravi: Actor,
    reader: Actor,
}

async fn people(town: &Town) -> People {
    use Scope::{OpsApprove, OpsRead, OpsWrite};
    let both = [OpsRead, OpsWrite, OpsApprove];
    People {
        asha: town.actor("asha", &both).await,
        ravi: town.actor("ravi", &both).await,
        reader: town.actor("visitor", &[OpsRead]).await,
    }
}

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    let seen = (reply.status.as_u16(), reply.code());
    assert_eq!(seen, (status, code.to_owned()), "{}", reply.text);
}

/// A withdrawal whose outcome nobody knows, and the address of what is said about it.
async fn unknown(town: &Town, amount: &str) -> (String, String) {
    let to = town.bank_account("test").await;
    let id = town.withdraw("hdfc", &to, amount).await;
    town.wait_for(&id, "outcome_unknown").await;
    let path = format!("/v1/ops/withdrawals/{id}");
    (id, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn case_109_an_unknown_outcome_is_resolved_by_two_persons_with_evidence() {
    let town = Town::start().await;
    let People { asha, ravi, reader } = people(&town).await;
    let (id, path) = unknown(&town, "5000.14").await;
    let resolve = format!("{path}/resolve");

    let seen = town.wait_for(&id, "outcome_unknown").await["status_detail"].clone();
    assert_eq!((&seen["source"], &seen["reason"]), (&json!("bank"), &json!("bank_timeout")));
    assert_eq!((&seen["checks_used"], &seen["checks_allowed"]), (&json!(0), &json!(3)), "{seen}");
    assert!(seen["next_check_at"].is_string() && seen["answer_due_by"].is_string(), "{seen}");

    refused(&reader.post(&resolve, &not_paid()).await, 403, "forbidden");
    let proposed = asha.post_with("one", &resolve, &not_paid()).await;
    assert_eq!(proposed.status, StatusCode::CREATED, "{}", proposed.text);
    let number = proposed.json()["id"].as_i64().unwrap();
    assert_eq!(proposed.json()["state"], "proposed");
    let again = asha.post_with("one", &resolve, &not_paid()).await;
    assert!(again.is_replay() && again.json() == proposed.json(), "{}", again.text);
    refused(&asha.post_with("one", &resolve, &paid()).await, 422, "idempotency_key_reused");
    refused(&ravi.post(&resolve, &paid()).await, 409, "resolution_pending");

    let approve = format!("{path}/resolutions/{number}/approve");
    refused(&reader.post(&approve, &json!({})).await, 403, "forbidden");
    refused(&asha.post(&approve, &json!({})).await, 403, "second_person_needed");
    assert_eq!(town.wait_for(&id, "outcome_unknown").await["funds"], "held");
    let approved = ravi.post(&approve, &json!({})).await.made();
    assert_eq!((&approved["state"], &approved["decided_by"]), (&json!("approved"), &json!("ravi")));

    let failed = town.wait_for(&id, "failed").await;
    assert_eq!(failed["funds"], "not_moved");
    let timeline = failed["timeline"].as_array().unwrap();
    let refusal = timeline.iter().find(|step| step["event"] == "attempt_refused").unwrap();
    let wanted = json!({"by": "asha", "approved_by": "ravi", "evidence_sha256": EVIDENCE,
                        "source": "person"});
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&refusal[field], value, "{refusal}");
    }
    let twice = ravi.post(&approve, &json!({})).await;
    assert!(twice.is_replay() && twice.json() == approved, "{}", twice.text);
    refused(&asha.post(&resolve, &not_paid()).await, 409, "not_resolvable");
    let listed = reader.get(&format!("{path}/resolutions")).await.made();
    assert_eq!(listed["data"], json!([approved]));
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_people_know_of_is_booked_under_the_bank_s_reference() {
    let town = Town::start().await;
    let People { asha, ravi, .. } = people(&town).await;
    let (id, path) = unknown(&town, "5000.15").await;
    let proposed = asha.post(&format!("{path}/resolve"), &paid()).await.made();
    let approve = format!("{path}/resolutions/{}/approve", proposed["id"]);
    ravi.post(&approve, &json!({})).await.made();
    let done = town.wait_for(&id, "completed").await;
    assert_eq!((&done["utr"], &done["funds"]), (&json!("HDFC-LETTER-7"), &json!("moved")));
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_is_taken_back_expires_or_does_not_fit_any_more() {
    let town = Town::start().await;
    let People { asha, ravi, reader } = people(&town).await;
    let (id, path) = unknown(&town, "5000.13").await;
    let propose = async |body: &Value| {
        let made = asha.post(&format!("{path}/resolve"), body).await.made();
        format!("{path}/resolutions/{}", made["id"])
    };
    let taken_back = propose(&paid()).await;
    let withdraw = format!("{taken_back}/withdraw");
    refused(&reader.post(&withdraw, &json!({})).await, 403, "forbidden");
    let first = ravi.post(&withdraw, &json!({})).await.made();
    assert_eq!(first["state"], "withdrawn");
    assert_eq!(ravi.post(&withdraw, &json!({})).await.made(), first);
    let approve = format!("{taken_back}/approve");
    refused(&ravi.post(&approve, &json!({})).await, 409, "resolution_closed");

    // The bank's answer comes before the approval: what was proposed would give money back.
    let late = propose(&not_paid()).await;
    town.sandbox.advance(95).await;
    town.wait_for(&id, "completed").await;
    let approve = format!("{late}/approve");
    refused(&ravi.post(&approve, &json!({})).await, 409, "resolution_outdated");
    refused(&ravi.post(&approve, &json!({})).await, 409, "resolution_closed");
    assert_eq!(town.wait_for(&id, "completed").await["funds"], "moved");

    let (_, other) = unknown(&town, "5000.15").await;
    let made = asha.post(&format!("{other}/resolve"), &not_paid()).await.made();
    town.sandbox.advance(24 * 3_600 + 60).await;
    let approve = format!("{other}/resolutions/{}/approve", made["id"]);
    let expired = loop {
        // The service goes by the sandbox's clock, and asks it now and then.
        let listed = reader.get(&format!("{other}/resolutions")).await.made();
        if listed["data"][0]["state"] == "expired" {
            break ravi.post(&approve, &json!({})).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    refused(&expired, 409, "resolution_closed");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_and_nothing_is_kept() {
    let town = Town::start().await;
    let People { asha, ravi, reader } = people(&town).await;
    let (id, path) = unknown(&town, "5000.14").await;
    let resolve = format!("{path}/resolve");
    let long = "x".repeat(201);
    let upper = EVIDENCE.to_uppercase();
    let not_paid_with = |field: &str, value: &str| {
        let mut body = not_paid();
        body[field] = json!(value);
        body
    };
    let mut unnamed = paid();
    unnamed.as_object_mut().unwrap().remove("bank_reference");
    let bad = [
        (unnamed, "/bank_reference"),
        (not_paid_with("bank_reference", "U1"), "/bank_reference"),
        (not_paid_with("reason", " "), "/reason"),
        (not_paid_with("reason", &long), "/reason"),
        (not_paid_with("evidence_sha256", &upper), "/evidence_sha256"),
        (not_paid_with("outcome", "retry"), "/outcome"),
        (not_paid_with("attempt", "2"), "/attempt"),
    ];
    for (body, pointer) in bad {
        let reply = asha.post(&resolve, &body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text);
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{}", reply.text);
    }
    for nothing in ["wd_019a0000000070008000000000000099", "wd_x", id.trim_start_matches("wd_")] {
        let path = format!("/v1/ops/withdrawals/{nothing}/resolve");
        refused(&asha.post(&path, &not_paid()).await, 404, "not_found");
    }
    for number in ["1", "0", "x", "99999999999999999999"] {
        let approve = format!("{path}/resolutions/{number}/approve");
        refused(&ravi.post(&approve, &json!({})).await, 404, "not_found");
    }
    let listed = reader.get(&format!("{path}/resolutions")).await.made();
    assert_eq!(listed["data"], json!([]));
    town.stop().await;
}

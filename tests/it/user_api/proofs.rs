//! What people can show to others of their own wallet: a line of the statement, in the signed log.

use std::time::Duration;

use ledger_api::proofs::{CheckpointMaker, ProofSettings, read_key};
use projections::audit::proof::ProofFile;
use reqwest::StatusCode;
use serde_json::json;

use super::person::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_ones_own_is_proven_and_nobody_elses() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1000.00").await;
    let ravi = scene.person("ravi", "1.00").await;
    let body = json!({"to": {"handle": "ravi"},
        "amount": {"value": "12.50", "currency": "INR"}});
    let sent = asha.post("/v1/transfers", &body).await.made();
    scene.projected().await;
    let receipt = format!("/v1/activity/{}/receipt", sent["id"].as_str().unwrap());
    let proof = asha.get(&receipt).await.made()["proof"].as_str().unwrap().to_owned();
    assert_eq!(asha.get(&proof).await.status, StatusCode::NOT_FOUND, "nothing is signed yet");

    let folder = tempfile::tempdir().unwrap();
    let settings = ProofSettings { every: Duration::ZERO, ..ProofSettings::new(folder.path()) };
    let key = read_key(&settings.key_file).unwrap().public();
    let maker = CheckpointMaker::new(scene.bahi.database.pool().await, settings);
    let note = maker.make().await.unwrap().expect("a checkpoint");

    let answer = asha.get(&proof).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let file = ProofFile::from_json(answer.text.as_bytes()).unwrap();
    assert_eq!(file.check(&[key], &[]).unwrap(), note);
    assert_eq!(file.event.aggregate_id, asha.wallet);
    assert!(file.event.payload.unwrap().get().contains("\"12.50\""));
    // Ravi's side of it is his, and what is of no wallet is of nobody.
    assert_eq!(ravi.get(&proof).await.status, StatusCode::NOT_FOUND);
    for position in ["0", "1", "100000", "x", "-1"] {
        let answer = asha.get(&format!("/v1/statements/proofs/{position}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{position}");
    }
    // Every line of the statement, by its position.
    let statement = asha.get("/v1/statements?month=2026-11").await.made();
    let lines = statement["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    for line in lines {
        let proof = asha.get(&format!("/v1/statements/proofs/{}", line["position"])).await;
        let file = ProofFile::from_json(proof.text.as_bytes()).unwrap();
        assert!(file.check(&[key], &[]).is_ok(), "{line}");
    }
    scene.finish().await;
}

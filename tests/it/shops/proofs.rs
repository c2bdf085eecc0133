//! What a shop can show to others of a payment: that its credit of it is in the signed log.

use std::time::Duration;

use ledger_api::{
    identity::{KeyEnvironment, NewKey, Scope, ScopeSet, create_key},
    proofs::{CheckpointMaker, ProofSettings, read_key},
};
use projections::audit::proof::ProofFile;
use reqwest::{Client, Method};
use serde_json::json;

use super::clerk::Clerk;
use crate::{
    support::bahi::{Reply, send},
    user_api::person::Scene,
};

/// A key of a shop's own program.
async fn key(scene: &Scene, shop: &str, scopes: &[Scope]) -> String {
    let new = NewKey {
        principal: shop.parse().unwrap(),
        label: "books".to_owned(),
        scopes: ScopeSet::of(scopes),
        environment: KeyEnvironment::Test,
    };
    let (_, token) = create_key(&scene.bahi.database.pool().await, &new).await.unwrap();
    token.reveal().to_owned()
}

async fn ask(scene: &Scene, key: &str, path: &str) -> Reply {
    let request = Client::new().request(Method::GET, format!("{}{path}", scene.bahi.address));
    send(request.header("authorization", format!("Bearer {key}"))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn case_180_a_shop_proves_a_payment_of_its_own_and_nobody_elses() {
    let scene = Scene::start().await;
    for account in ["income:mdr:INR", "tax:gst_output:INR"] {
        scene.admin.open(account).await.made();
    }
    let (mut owner, shop) = Clerk::with_shop(&scene, "kamala").await;
    let cashier = owner.hire(&scene, "suresh", "cashier").await;
    let (other, others) = Clerk::with_shop(&scene, "harish").await;
    let asha = scene.person("asha", "500").await;
    let body = json!({"merchant": shop, "amount": {"value": "120.00", "currency": "INR"}});
    let paid = asha.post("/v1/payments", &body).await.made();
    scene.projected().await;
    let payment = format!("/v1/payments/{}", paid["id"].as_str().unwrap());
    let page = format!("/merchant/payments/{}", paid["id"].as_str().unwrap());
    let file = format!("{page}/proof");
    assert_eq!(owner.get(&file).await.status, 404, "nothing is signed yet");

    let folder = tempfile::tempdir().unwrap();
    let settings = ProofSettings { every: Duration::ZERO, ..ProofSettings::new(folder.path()) };
    let public = read_key(&settings.key_file).unwrap().public();
    let maker = CheckpointMaker::new(scene.bahi.database.pool().await, settings);
    let note = maker.make().await.unwrap().expect("a checkpoint");
    let holds = |text: &str| {
        let proof = ProofFile::from_json(text.as_bytes()).unwrap();
        assert_eq!(proof.check(&[public], &[]).unwrap(), note);
        let said = proof.event.payload.unwrap().get().to_owned();
        (proof.event.aggregate_id, said)
    };

    // On the page, for who sees money there.
    let answer = owner.get(&file).await;
    assert!(answer.header("content-disposition").contains("proof-"), "{answer:?}");
    let (account, said) = holds(&answer.text);
    let unsettled = format!("merchant:{}:unsettled:INR", shop.strip_prefix("mer_").unwrap());
    assert_eq!(account, unsettled);
    assert!(said.contains("\"117.60\"") && !said.contains(&asha.wallet), "{said}");
    assert!(owner.get(&page).await.text.contains(&file), "the page leads to it");
    assert!(!cashier.get(&page).await.text.contains(&file));
    assert_eq!(cashier.get(&file).await.status, 403);
    assert_eq!(other.get(&file).await.status, 404, "another shop's");

    // By the shop's keys and its people's sessions, where the payment says that it is.
    let own = key(&scene, &shop, &[Scope::PaymentsWrite, Scope::BalancesRead]).await;
    let strangers = key(&scene, &others, &Scope::ALL).await;
    let address = ask(&scene, &own, &payment).await.made()["proof"].as_str().unwrap().to_owned();
    assert_eq!(holds(&ask(&scene, &own, &address).await.text).0, unsettled);
    let blind = key(&scene, &shop, &[Scope::PaymentsWrite]).await;
    assert_eq!(ask(&scene, &blind, &address).await.status, 403, "it says what is on the account");
    assert_eq!(ask(&scene, &strangers, &address).await.status, 404);
    assert_eq!(asha.get(&address).await.status, 404, "the shop's side of it is the shop's");
    assert_eq!(scene.admin.get(&address).await.status, 403, "a service's key is nobody's");

    // The payer's side is the payer's.
    let address = asha.get(&payment).await.made()["proof"].as_str().unwrap().to_owned();
    assert_eq!(holds(&asha.get(&address).await.text).0, asha.wallet);
    assert_eq!(ask(&scene, &own, &address).await.status, 404);
    assert!(scene.admin.get(&payment).await.made().get("proof").is_none());
    scene.finish().await;
}

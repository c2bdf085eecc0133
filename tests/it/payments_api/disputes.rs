//! Disputes: opened by the payer, argued by both, decided by a person of ours; the money is held
//! and lent meanwhile, and ends where it was decided.

use chrono::TimeDelta;
use ledger_api::identity::Scope;
use serde_json::{Value, json};

use super::{Shop, id, pay, rupees};
use crate::user_api::person::{Person, Scene};

async fn wallet(scene: &Scene, person: &Person) -> String {
    let head = scene.bahi.engine.status().borrow().head.position;
    scene.admin.balance(&person.wallet, head).await
}

async fn balance(scene: &Scene, account: &str) -> String {
    let head = scene.bahi.engine.status().borrow().head.position;
    scene.admin.balance(account, head).await
}

/// A payment of ₹100 that its payer disputes.
async fn disputed(scene: &Scene, payer: &Person, shop: &Shop) -> String {
    let paid = pay(payer, shop, "100").await.made();
    scene.projected().await;
    let path = format!("/v1/payments/{}/dispute", id(&paid));
    let body = json!({"reason": "not_delivered", "words": "The tea never came."});
    let opened = payer.post_with(id(&paid), &path, &body).await;
    assert_eq!((opened.status.as_u16(), &opened.made()["dispute"]), (201, &json!("open")));
    let again = payer.post_with(id(&paid), &path, &body).await;
    assert!(again.is_replay() && again.json() == opened.json(), "{}", again.text);
    scene.projected().await;
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_disputes_both_say_what_they_know_and_one_has_won() {
    let scene = Scene::start().await;
    let (asha, ravi) = (scene.person("asha", "500").await, scene.person("ravi", "500").await);
    let shop = Shop::open(&scene, &ravi, "chai").await;
    let books = Shop::open(&scene, &ravi, "books").await;
    let path = disputed(&scene, &asha, &shop).await;
    assert_eq!(wallet(&scene, &asha).await, "500.00", "lent what was paid");
    assert_eq!(balance(&scene, "disputes:held:INR").await, "100.00");
    assert_eq!(shop.has(&scene, "unsettled").await, "0.00");

    // Both say something, others nothing; nobody learns of it.
    let evidence = format!("{path}/evidence");
    let says = json!({"words": "Handed over at 14:02."});
    let said = shop.key.post_with("e1", &evidence, &says).await.made();
    let said_again = shop.key.post_with("e1", &evidence, &says).await.made();
    assert_eq!(said["evidence"], said_again["evidence"], "once for its key");
    for (status, answer) in [
        (404, ravi.post(&evidence, &says).await),
        (404, books.key.post(&evidence, &says).await),
        (404, ravi.post(&path, &json!({})).await),
        (403, shop.key.post(&path, &json!({})).await),
    ] {
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    }
    let second = asha.post(&path, &json!({"amount": rupees("1")})).await;
    assert_eq!((second.status.as_u16(), &*second.code()), (409, "dispute_exists"));
    let seen = asha.get(&path).await.made();
    let words = |seen: &Value| -> Vec<String> {
        let said = seen["evidence"].as_array().unwrap().iter();
        said.map(|said| format!("{}: {}", said["side"], said["words"])).collect()
    };
    assert_eq!(
        words(&seen),
        ["\"payer\": \"The tea never came.\"", "\"shop\": \"Handed over at 14:02.\""]
    );
    assert_eq!((&seen["status"], &seen["amount"]["value"]), (&json!("open"), &json!("100.00")));

    let decision = format!("{path}/decision");
    let shops = json!({"won_by": "merchant", "reason": "proof_of_delivery"});
    assert_eq!(asha.post(&decision, &shops).await.status.as_u16(), 403);
    assert_eq!(shop.key.post(&decision, &shops).await.status.as_u16(), 403);
    let desk = scene.bahi.actor("desk", &[Scope::OpsApprove]).await;
    let decided = desk.post_with("d1", &decision, &shops).await;
    assert_eq!(decided.made()["dispute"], "merchant");
    assert!(desk.post_with("d1", &decision, &shops).await.is_replay());
    let other = desk.post(&decision, &json!({"won_by": "payer"})).await;
    assert_eq!((other.status.as_u16(), &*other.code()), (409, "dispute_decided"));
    scene.projected().await;
    assert_eq!(wallet(&scene, &asha).await, "400.00", "what was lent is taken back");
    // Two rupees of it repay what the shop owed for the fee.
    assert_eq!(shop.has(&scene, "available").await, "98.00");
    assert_eq!(balance(&scene, "disputes:held:INR").await, "0.00");
    let late = shop.key.post(&evidence, &says).await;
    assert_eq!((late.status.as_u16(), &*late.code()), (409, "dispute_decided"));

    // The other way round: the payer keeps what was lent.
    let path = disputed(&scene, &asha, &shop).await;
    desk.post(&format!("{path}/decision"), &json!({"won_by": "payer"})).await.made();
    scene.projected().await;
    assert_eq!(wallet(&scene, &asha).await, "400.00");
    assert_eq!(balance(&scene, "disputes:provisional:INR").await, "0.00");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_in_time_bounded_in_words_and_erased_with_its_payer() {
    let scene = Scene::start().await;
    let (asha, ravi) = (scene.person("asha", "500").await, scene.person("ravi", "500").await);
    let shop = Shop::open(&scene, &ravi, "chai").await;
    let old = pay(&asha, &shop, "10").await.made();
    let path = disputed(&scene, &ravi, &shop).await;
    let evidence = format!("{path}/evidence");
    for bad in ["", " ", "a\u{0}b", &"x".repeat(1_001)] {
        let refused = ravi.post(&evidence, &json!({"words": bad})).await;
        assert_eq!(refused.refused(), "invalid", "{bad:?}");
    }
    for n in 0..20 {
        shop.key.post(&evidence, &json!({"words": format!("{n}")})).await.made();
    }
    let more = shop.key.post(&evidence, &json!({"words": "and more"})).await;
    assert_eq!(more.refused(), "dispute_words_many");
    // Whose key is thrown away said nothing any more.
    let people = &scene.bahi.keeper.people;
    people.erase(ravi.id.parse().unwrap(), "2026-11-22T07:00:00Z".parse().unwrap()).await.unwrap();
    let seen = shop.key.get(&path).await.made();
    let first = &seen["evidence"][0];
    assert_eq!((&first["side"], &first["words"]), (&json!("payer"), &Value::Null), "{seen}");
    assert!(seen["evidence"].as_array().unwrap().len() == 21, "{seen}");

    scene.clock.advance(TimeDelta::days(121));
    let admin = scene.bahi.actor("desk", &[Scope::OpsWrite]).await;
    let path = format!("/v1/payments/{}/dispute", id(&old));
    assert_eq!(shop.key.get(&path).await.code(), "dispute_not_found");
    // Her session is over after so long: by a service in her name nothing is opened; by ours it is.
    assert_eq!(asha.post(&path, &json!({})).await.status.as_u16(), 401);
    assert_eq!(admin.post(&path, &json!({})).await.made()["dispute"], "open");
    scene.finish().await;
}

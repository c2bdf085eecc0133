//! Receivers that misbehave.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    happy::in_order,
    receiver::{Answer, Receiver},
    scene::Scene,
    verifier,
};

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_and_lost_answers_and_nothing_is_missed() {
    let scene = Scene::start(2).await;
    let receiver = Receiver::start().await;
    let endpoint = scene.endpoint(&receiver.url, &[]).await;
    // Every other call is taken, and its answer lost.
    receiver.answer(|got, before| {
        let odd = got.id().ends_with(|c| "13579bdf".contains(c));
        if odd && before == 0 { Answer::Lost } else { Answer::Status(200) }
    });
    for _ in 0..20 {
        scene.transfer().await;
    }
    for _ in 0..10 {
        let id = scene.held().await;
        scene.cancel(&id).await;
    }
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while receiver.distinct().len() < 40 {
        assert!(tokio::time::Instant::now() < deadline, "{} came", receiver.distinct().len());
        scene.pass(TimeDelta::seconds(6));
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let all = receiver.distinct();
    assert_eq!(all.len(), 40);
    in_order(&all);
    verifier::verify(endpoint["secret"].as_str().unwrap(), &receiver.all());
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_answers_delays_no_other() {
    let scene = Scene::start(1).await;
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    slow.answer(|_, _| Answer::Never);
    scene.endpoint(&slow.url, &[]).await;
    scene.endpoint(&quick.url, &[]).await;
    for _ in 0..12 {
        scene.transfer().await;
    }
    let began = std::time::Instant::now();
    quick.until(12).await;
    // Before the first of the slow one's calls is given up.
    assert!(began.elapsed() < ledger_api::hooks_out::client::PATIENCE, "{:?}", began.elapsed());
    assert!(slow.all().len() <= 4, "more calls at once than lanes: {}", slow.all().len());
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_failures_and_410_is_the_end() {
    let scene = Scene::start(1).await;
    let receiver = Receiver::start().await;
    let endpoint = scene.endpoint(&receiver.url, &[]).await;
    let id = endpoint["id"].as_str().unwrap();
    receiver.answer(|_, _| Answer::Status(302));
    scene.transfer().await;
    let shown = scene.attempts_until(id, 1).await;
    assert_eq!(
        (&shown["status"], &shown["attempts"][0]["status"]),
        (&json!("pending"), &json!(302))
    );
    // Two calls and no third one: the place that it was sent on to was not called.
    receiver.answer(|_, _| Answer::Status(410));
    scene.pass(TimeDelta::seconds(6));
    let disabled = scene.endpoint_until(id, "disabled").await;
    assert_eq!(disabled["disabled_reason"], "gone");
    let test = scene.admin.post(&format!("/v1/webhook-endpoints/{id}/test"), &json!({})).await;
    assert_eq!(test.code(), "webhook_endpoint_disabled");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_schedule_it_is_disabled_and_enabling_it_misses_nothing() {
    let scene = Scene::start(1).await;
    let receiver = Receiver::start().await;
    let endpoint = scene.endpoint(&receiver.url, &[]).await;
    let id = endpoint["id"].as_str().unwrap();
    receiver.answer(|_, _| Answer::Status(503));
    scene.transfer().await;
    let mut first = json!(null);
    for number in 1..=10 {
        first = scene.attempts_until(id, number).await["id"].clone();
        // The longest pause, and what it may be late.
        scene.pass(TimeDelta::hours(27));
    }
    let first = first.as_str().unwrap();
    scene.delivery_until(first, "failed").await;
    let disabled = scene.endpoint_until(id, "disabled").await;
    assert_eq!(disabled["disabled_reason"], "failing");
    // Happens while nobody listens.
    scene.transfer().await;
    receiver.answer(|_, _| Answer::Status(200));
    assert_eq!(scene.patch(id, &json!({"status": "enabled"})).await["status"], "enabled");
    let all = receiver.until(2).await;
    let second = scene.attempts_until(id, 1).await;
    for delivery in [first, second["id"].as_str().unwrap()] {
        scene.delivery_until(delivery, "delivered").await;
    }
    assert_eq!(all.len(), 2);
    assert_eq!(receiver.all().len(), 12);
    scene.finish().await;
}

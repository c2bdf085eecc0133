//! Many at once: of those who pay one request exactly one does, and refunds are never more than was
//! paid.

use futures::future::{join, join_all};
use rust_decimal::Decimal;
use serde_json::json;

use super::{Shop, id, pay, rupees};
use crate::user_api::person::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn case_7_of_many_who_pay_a_request_exactly_one_does() {
    let scene = Scene::start().await;
    let mut people = Vec::new();
    for handle in ["asha", "ravi", "meera", "kiran"] {
        people.push(scene.person(handle, "500").await);
    }
    let shop = Shop::open(&scene, &people[0], "chai").await;
    for _ in 0..3 {
        let asked = shop.ask("10").await;
        let body = json!({"request": id(&asked)});
        let tries = people.iter().flat_map(|person| [person, person]);
        let answers = join_all(tries.map(|person| person.post("/v1/payments", &body))).await;
        let paid = answers.iter().filter(|answer| answer.status.as_u16() == 201).count();
        assert_eq!(paid, 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status.as_u16() != 201) {
            assert_eq!(answer.code(), "payment_request_not_payable");
        }
    }
    assert_eq!(shop.has(&scene, "unsettled").await, "29.40");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_7_a_request_is_paid_or_taken_back_and_never_both() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "500").await;
    let shop = Shop::open(&scene, &asha, "chai").await;
    let mut sum = Decimal::ZERO;
    for _ in 0..8 {
        let asked = shop.ask("10").await;
        let path = format!("/v1/payment-requests/{}", id(&asked));
        let (close, nothing) = (format!("{path}/close"), json!({}));
        let body = json!({"request": id(&asked)});
        let (paid, closed) =
            join(asha.post("/v1/payments", &body), shop.key.post(&close, &nothing)).await;
        let (is_paid, is_closed) = (paid.status.is_success(), closed.status.is_success());
        assert!(is_paid != is_closed, "{} {}", paid.text, closed.text);
        let (loser, code) = if is_paid {
            (&closed, "payment_request_not_closable")
        } else {
            (&paid, "payment_request_not_payable")
        };
        assert_eq!((loser.status.as_u16(), &*loser.code()), (409, code), "{}", loser.text);
        if is_paid {
            sum += Decimal::new(980, 2);
        }
        scene.projected().await;
        let shown = shop.key.get(&path).await.made();
        assert_eq!(shown["status"], if is_paid { "paid" } else { "closed" });
    }
    assert_eq!(shop.has(&scene, "unsettled").await.parse::<Decimal>().unwrap(), sum);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_8_of_many_refunds_exactly_those_that_fit_go_back() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "500").await;
    let shop = Shop::open(&scene, &asha, "chai").await;
    // So that the shop is short of nothing.
    pay(&asha, &shop, "100").await.made();
    let paid = pay(&asha, &shop, "100").await.made();
    scene.projected().await;
    let path = format!("/v1/payments/{}/refunds", id(&paid));
    let body = json!({"amount": rupees("9")});
    let answers = join_all((0..30).map(|_| shop.key.post(&path, &body))).await;
    let fit = answers.iter().filter(|answer| answer.status.as_u16() == 201).count();
    assert_eq!(fit, 11, "of nine each in a hundred");
    for answer in answers.iter().filter(|answer| answer.status.as_u16() != 201) {
        assert_eq!(answer.refused(), "refund_exceeds_payment");
    }
    scene.finish().await;
}

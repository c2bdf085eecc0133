//! A day of a shop, as its owner, its payer and its own server see it: a code is shown and paid,
//! the counter rings, a part goes back, the day settles, the money goes to the bank, and the
//! server is told of it all in messages that another program's verifier takes.
//!
//! On a demonstration of its own, for days pass in it.

use std::time::Duration;

use sandbox_bank::control::Control;
use thirtyfour::By;

use super::session::{Browser, browse};
use crate::{
    hooks_out::{receiver::Receiver, verifier},
    support::demo::{Demo, PASSWORD},
};

const DAY: Duration = Duration::from_hours(24);
/// So many days are enough to come to one on which banks work.
const DAYS_MAX: usize = 5;
/// Notes that the bell was rung: the browser of a test has no loudspeaker.
const BELL: &str = "
    window.rang = 0;
    const once = {start() { window.rang += 1; }, stop() {}, connect() { return once; },
        frequency: {value: 0, setValueAtTime() {}}, gain: {value: 0, setValueAtTime() {},
        linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {}}, type: ''};
    window.AudioContext = class {
        currentTime = 0; destination = once; state = 'running';
        createOscillator() { return once; } createGain() { return once; }
        resume() { return Promise.resolve(); } close() { return Promise.resolve(); }
    };";

#[tokio::test]
async fn a_shop_is_paid_gives_back_settles_withdraws_and_its_server_hears_of_it_all() {
    if !super::driver::is_there().await {
        return;
    }
    let demo = Demo::own().await;
    let inside = [demo.address.as_str(), demo.banks.as_str()];
    browse(&inside, async |owner| {
        browse(&inside, async |payer| the_day(&demo, owner, payer).await).await;
    })
    .await;
}

async fn the_day(demo: &Demo, owner: &Browser, payer: &Browser) {
    let receiver = Receiver::start().await;
    owner.open(&format!("{}/merchant/login", demo.address)).await;
    owner.log_in_here("harish", PASSWORD).await;
    owner.at("/merchant").await;
    owner.open(&format!("{}/merchant/developers", demo.address)).await;
    owner.fill("URL", &receiver.url).await;
    owner.press("Add the endpoint").await;
    let secret = owner.find(By::Css(".banner.done .mono")).await.text().await.unwrap();
    assert!(secret.starts_with("whsec_"), "{secret}");

    let link = code(demo, owner).await;
    owner.open(&format!("{}/merchant/counter", demo.address)).await;
    owner.ask(BELL).await;
    owner.press("Sound").await;
    pay(demo, payer, &link).await;
    // Without a click or a reload.
    owner.sees("from Asha Rao").await;
    owner
        .until("ring of the bell", async || {
            let rang = owner.ask("return window.rang").await.as_u64();
            (rang? > 0).then_some(())
        })
        .await;
    assert_eq!(
        owner.try_text(".received .amount, .received .hero").await.as_deref(),
        Some("+₹1,000.00")
    );

    let payment = refund(demo, owner).await;
    settle(demo, owner, &payment).await;
    withdraw(demo, owner).await;
    told(&receiver, &secret).await;
    owner.open(&format!("{}/merchant/developers", demo.address)).await;
    owner.check().await;
    owner.click(By::Css("main a[href*='/developers/endpoints/we_']")).await;
    owner.at("/merchant/developers/endpoints/we_").await;
    owner.check().await;
}

/// Asks for a thousand rupees; the link to pay them by.
async fn code(demo: &Demo, owner: &Browser) -> String {
    owner.open(&format!("{}/merchant/accept", demo.address)).await;
    owner.fill("Amount", "1000").await;
    owner.fill("Order", "DAY-1").await;
    owner.press("Show the code").await;
    owner.at("/merchant/accept/pr_").await;
    owner.find(By::Css("figure.qr")).await;
    let link = owner.try_text(".copy-id > span").await.unwrap();
    assert!(link.contains("/app/pay?request=pr_"), "{link}");
    link
}

/// Pastes a link, and pays having seen whom and how much.
async fn pay(demo: &Demo, payer: &Browser, link: &str) {
    payer.log_in(demo, "asha", PASSWORD).await;
    payer.open(&format!("{}/app/pay", demo.address)).await;
    payer.fill("What its code says", link).await;
    payer.press("Continue").await;
    payer.sees("To Harish Books").await;
    payer.press("Pay ₹1,000.00").await;
}

/// Gives two hundred back; the address of the payment.
async fn refund(demo: &Demo, owner: &Browser) -> String {
    owner.open(&format!("{}/merchant/payments?order=DAY-1", demo.address)).await;
    let first = "return document.querySelector('a[href*=\"/merchant/payments/pay_\"]').href";
    owner.find(By::Css("a[href*='/merchant/payments/pay_']")).await;
    let payment = owner.ask(first).await.as_str().unwrap().to_owned();
    owner.open(&payment).await;
    owner.fill("Amount", "200").await;
    owner.click(By::Css("form[action$='/refund'] > button")).await;
    owner.sees("Can still be refunded\n₹800.00").await;
    owner.check().await;
    payment
}

/// Days pass until the payment is settled, less the fee and what went back.
async fn settle(demo: &Demo, owner: &Browser, payment: &str) {
    let control = Control::new(&demo.banks, None).unwrap();
    let settled = "return !!document.querySelector('a[href*=\"/merchant/settlements/set_\"]')";
    for _ in 0..DAYS_MAX {
        control.advance(DAY).await.unwrap();
        for _ in 0..60 {
            owner.open(payment).await;
            if owner.ask(settled).await == true {
                owner.click(By::Css("a[href*='/merchant/settlements/set_']")).await;
                owner.at("/merchant/settlements/set_").await;
                owner.sees("Gone back before").await;
                owner.check().await;
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    panic!("not settled in {DAYS_MAX} days");
}

/// Takes three hundred to the bank, and sees them arrive.
async fn withdraw(demo: &Demo, owner: &Browser) {
    owner.open(&format!("{}/merchant/withdraw", demo.address)).await;
    owner.fill("Amount", "300").await;
    owner.press("Continue").await;
    owner.press("Withdraw ₹300.00").await;
    owner.at("/merchant/payouts/wd_").await;
    owner.is_done(true).await;
    owner.check().await;
}

/// The shop's server was told of each, and each message is genuine.
async fn told(receiver: &Receiver, secret: &str) {
    let kinds = [
        "payment.completed",
        "refund.completed",
        "settlement.paid",
        "withdrawal.updated",
        "withdrawal.completed",
    ];
    let mut count = kinds.len();
    loop {
        let got = receiver.until(count).await;
        let heard = |kind: &&&str| got.iter().any(|one| one.json()["type"] == **kind);
        if kinds.iter().filter(heard).count() == kinds.len() {
            verifier::verify(secret, &got);
            return;
        }
        count = got.len() + 1;
    }
}

//! `kill -9` of the whole service while it tells a receiver that takes each message once: nothing
//! is missed. And no secret is in a line that it wrote.

use std::{collections::BTreeSet, fs::File};

use reqwest::Client;
use serde_json::{Value, json};

use super::{
    receiver::{Answer, Receiver},
    verifier,
};
use crate::support::{
    bahi::{Reply, amount, fresh_key, send, transfer},
    process,
    service_process::{DEMO, ServiceProcess},
};

const ASHA: &str = "wallet:asha:INR";
const RAVI: &str = "wallet:ravi:INR";
const KILLS: usize = 3;
const TRANSFERS: usize = 15;

async fn post(service: &ServiceProcess, path: &str, body: &Value) -> Reply {
    let url = format!("{}{path}", service.address());
    let request = Client::new().post(url).bearer_auth(service.key());
    send(request.header("idempotency-key", fresh_key()).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn case_37_killed_in_the_middle_it_tells_of_everything_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("written");
    let mut command = process::again("canaries::a_service_that_says_what_it_does", folder.path());
    command.env("BAHI_TEST_LOG", "debug").env(DEMO, "1");
    command.stdout(File::create(&written).unwrap());
    command.stderr(File::options().append(true).open(&written).unwrap());
    let mut service = ServiceProcess::run(folder, command).await;
    for (account, class) in [("till:main", "asset"), ("wallet:asha", ""), ("wallet:ravi", "")] {
        let mut body = json!({"code": account, "currency": "INR", "owner": "test"});
        if !class.is_empty() {
            body["type"] = json!(class);
        }
        post(&service, "/v1/accounts", &body).await.made();
    }
    post(&service, "/v1/transactions", &transfer("till:main:INR", ASHA, "1000.00")).await.made();
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url, "event_types": ["transfer.completed"]});
    let endpoint = post(&service, "/v1/webhook-endpoints", &body).await.made();
    let secret = endpoint["secret"].as_str().unwrap().to_owned();
    // Some answers come late, so that the kill falls between the call and what is noted of it.
    receiver.answer(|got, before| {
        let slow = got.id().ends_with(|c| "04c".contains(c));
        if slow && before == 0 { Answer::Never } else { Answer::Status(200) }
    });

    let mut made = BTreeSet::new();
    for _ in 0..KILLS {
        for _ in 0..TRANSFERS {
            let body = json!({"kind": "transfer", "debit": ASHA, "credit": RAVI,
                "amount": amount(ASHA, "1.00")});
            let done = post(&service, "/v1/transactions", &body).await.made();
            made.insert(done["id"].as_str().unwrap().replace("txn_", "tr_"));
        }
        receiver.until(made.len() - TRANSFERS + 1).await;
        service.kill_and_restart().await;
    }
    let all = receiver.until(made.len()).await;
    let told: BTreeSet<String> =
        all.iter().map(|got| got.json()["data"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, made);
    assert_eq!(all.len(), made.len(), "two messages of one event");
    verifier::verify(&secret, &receiver.all());

    let key = service.key();
    let text = std::fs::read_to_string(&written).unwrap();
    service.stop().await;
    assert!(text.contains("\"level\""), "it wrote nothing");
    for canary in [secret.trim_start_matches("whsec_"), key.trim()] {
        assert!(!text.contains(canary), "a secret was written");
    }
}

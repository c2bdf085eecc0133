//! Receivers by HTTPS: whose certificate is trusted is told, and nobody else.

use std::{path::PathBuf, sync::Arc};

use reqwest::Client;
use serde_json::{Value, json};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use super::{receiver::Receiver, verifier};
use crate::support::{
    bahi::{PATIENCE, fresh_key, send, transfer},
    process,
    service_process::{DEMO, ServiceProcess},
};

const ASHA: &str = "wallet:asha:INR";
const RAVI: &str = "wallet:ravi:INR";

/// One of the certificates that were made for this; how, says the folder.
fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/tls", name].iter().collect()
}

/// What shows a certificate to whoever calls.
fn showing(certificate: &str) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(fixture(certificate)).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("receiver.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn post(service: &ServiceProcess, path: &str, body: &Value) -> Value {
    let url = format!("{}{path}", service.address());
    let request = Client::new().post(url).bearer_auth(service.key());
    send(request.header("idempotency-key", fresh_key()).json(body)).await.made()
}

/// Makes an endpoint.
async fn endpoint(service: &ServiceProcess, url: &str) -> Value {
    let body = json!({"url": url, "event_types": ["transfer.completed"]});
    post(service, "/v1/webhook-endpoints", &body).await
}

/// What came of the first try to tell an endpoint, once there was one.
async fn first_attempt(service: &ServiceProcess, endpoint: &str) -> Value {
    let path = format!("/v1/webhook-endpoints/{endpoint}/deliveries?limit=1");
    let url = format!("{}{path}", service.address());
    let seen = async {
        loop {
            let page = send(Client::new().get(&url).bearer_auth(service.key())).await.made();
            let attempt = &page["data"][0]["attempts"][0];
            if attempt.is_object() {
                return attempt.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE * 2, seen).await.expect("somebody tried")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_certificate_that_is_trusted_for_the_address_is_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let test = "service_kills::a_service_in_a_process_of_its_own";
    let mut command = process::again(test, folder.path());
    command.env(DEMO, "1").env("SSL_CERT_FILE", fixture("authority.pem"));
    command.env_remove("SSL_CERT_DIR");
    let service = ServiceProcess::run(folder, command).await;
    for (account, class) in [("till:main", "asset"), ("wallet:asha", ""), ("wallet:ravi", "")] {
        let mut body = json!({"code": account, "currency": "INR", "owner": "test"});
        if !class.is_empty() {
            body["type"] = json!(class);
        }
        post(&service, "/v1/accounts", &body).await;
    }
    let trusted = Receiver::secure(showing("good.pem")).await;
    let told = endpoint(&service, &trusted.url).await;
    let mut others = Vec::new();
    for certificate in ["expired.pem", "other_name.pem", "of_stranger.pem"] {
        let receiver = Receiver::secure(showing(certificate)).await;
        let made = endpoint(&service, &receiver.url).await;
        others.push((certificate, receiver, made["id"].as_str().unwrap().to_owned()));
    }
    post(&service, "/v1/transactions", &transfer("till:main:INR", ASHA, "10.00")).await;
    let body = json!({"kind": "transfer", "debit": ASHA, "credit": RAVI,
        "amount": {"value": "1.00", "currency": "INR"}});
    post(&service, "/v1/transactions", &body).await;

    let got = trusted.until(1).await;
    verifier::verify(told["secret"].as_str().unwrap(), &got);
    for (certificate, receiver, id) in others {
        let attempt = first_attempt(&service, &id).await;
        assert_eq!(attempt["error"], "tls_failed", "{certificate}: {attempt:#}");
        assert!(attempt["status"].is_null(), "{certificate}: {attempt:#}");
        assert!(receiver.all().is_empty(), "{certificate}: it was told all the same");
    }
    service.stop().await;
}

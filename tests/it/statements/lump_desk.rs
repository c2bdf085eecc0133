//! Lumps that people name the parts of, over HTTP: two persons, to the last paisa, once.

use ledger_core::{
    deposit::{BeginDeposit, ConfirmCredit, CreditClaim, DepositOperation, credit::item_of},
    ids::DepositId,
};
use reqwest::{Method, StatusCode};

use super::{suspense::Office, *};
use crate::support::{
    bahi::{Actor, Reply, fresh_key, send},
    ledger::{accepted, command},
};

const ASHA: &str = "wallet:asha:INR";

impl Office {
    /// A deposit that an enquiry has booked; its credit.
    async fn booked(&self, number: &str, amount: &str) -> String {
        let deposit_id = DepositId::from_uuid(System.fresh());
        let begin = BeginDeposit {
            deposit_id,
            account: word(ASHA),
            amount: money(ASHA, amount),
            bank: word("hdfc"),
            expires_at: chrono::Utc::now() + chrono::TimeDelta::hours(1),
            payer_hash: None,
        };
        let claim = CreditClaim {
            bank: word("hdfc"),
            bank_transaction_id: word(number),
            credit_id: None,
            utr: None,
            value_date: day(22),
            amount: money(ASHA, amount),
            source: Source::Enquiry,
            payer_hash: None,
            review: None,
            unsolicited_to: None,
        };
        let confirm = ConfirmCredit { deposit_id, claim, transaction_id: fresh() };
        for ask in [DepositOperation::Begin(begin), DepositOperation::ConfirmCredit(confirm)] {
            accepted(self.bahi.engine.submit(command(ask.into())).await);
        }
        item_of(deposit_id, 1).unwrap().to_string()
    }

    async fn lump(&self, item: &str, key: &str, body: &Value, with: Option<&Actor>) -> Reply {
        let path = format!("/v1/ops/suspense/{item}/lump");
        let mut request = self.admin.request(Method::POST, &path).header("idempotency-key", key);
        if let Some(second) = with {
            request = request.header("approver-authorization", format!("Bearer {}", second.key));
        }
        send(request.json(body)).await
    }

    async fn holds(&self) -> Vec<String> {
        let head = self.bahi.engine.status().borrow().head.position;
        let accounts = [ESCROW, IN, CREDITS];
        let mut balances = Vec::new();
        for account in accounts {
            balances.push(self.admin.balance(account, head).await);
        }
        balances
    }
}

fn body(credits: &[(&str, &str)], charges: &str) -> Value {
    let credits: Vec<_> = credits
        .iter()
        .map(|(credit, amount)| json!({"credit": credit, "amount": inr(amount)}))
        .collect();
    json!({"credits": credits, "charges": inr(charges), "tax": inr("0.90"),
           "reason": "settlement-2026-11-22", "evidence_sha256": "ab".repeat(32)})
}

/// A line that nobody knew as a deposit lies there under its own id; one that came with deposits in
/// sight under that of the deposit which it made.
#[tokio::test(flavor = "multi_thread")]
async fn two_persons_name_the_deposits_that_a_lump_settles() {
    for with_deposits in [false, true] {
        let mut office = Office::open().await;
        if with_deposits {
            office.with_deposits();
        }
        let first = office.booked("S1", "300.00").await;
        let second = office.booked("S2", "200.00").await;
        let lines = [line("L1", "+494.10", None, "GATEWAY")];
        office.state(22, "0.00", "494.10", &lines).await;
        let item = office.listed().await["L1"]["id"].as_str().unwrap().to_owned();
        assert_eq!(item.starts_with("dep_"), with_deposits, "{item}");
        let both = [(first.as_str(), "300.00"), (second.as_str(), "200.00")];
        let (key, good, by) = (fresh_key(), body(&both, "5.00"), Some(&office.second));
        let alone = office.lump(&item, &key, &good, None).await;
        assert_eq!(alone.code(), "second_person_needed");
        let refused = async |body: Value, code: &str| {
            let reply = office.lump(&item, &fresh_key(), &body, by).await;
            assert_eq!(reply.code(), code, "{}", reply.text);
            assert_eq!(office.holds().await, ["494.10", "500.00", "494.10"]);
        };
        refused(body(&both, "5.01"), "lump_differs").await;
        refused(body(&[], "5.00"), "invalid").await;
        refused(body(&[("dep_x", "500.00")], "5.00"), "invalid").await;
        let swapped = [(first.as_str(), "200.00"), (second.as_str(), "300.00")];
        refused(body(&swapped, "5.00"), "credit_differs").await;
        let twice = [(first.as_str(), "300.00"), (first.as_str(), "200.00")];
        refused(body(&twice, "5.00"), "credit_differs").await;
        let nobody = "dep_019a0000000070008000000000000099.1";
        let unknown = [(first.as_str(), "300.00"), (nobody, "200.00")];
        refused(body(&unknown, "5.00"), "deposit_not_found").await;

        let done = office.lump(&item, &key, &good, by).await.made();
        assert_eq!(done["settled"], json!([first, second]), "{done}");
        let expected = ["494.10", "0.00", "0.00"];
        assert_eq!(office.holds().await, expected);
        for (account, kept) in [("expense:bank_charges:INR", "5.00"), ("tax:gst_input:INR", "0.90")]
        {
            let position = done["position"].as_u64().unwrap();
            assert_eq!(office.admin.balance(account, position).await, kept);
        }
        // The same request is answered again; another one is refused.
        let again = office.lump(&item, &key, &good, by).await;
        assert_eq!(
            (again.status, again.made()["position"].clone()),
            (StatusCode::OK, done["position"].clone())
        );
        let other = office.lump(&item, &fresh_key(), &good, by).await.code();
        let why = if with_deposits { "credit_not_in_review" } else { "nothing_unexplained" };
        assert_eq!(other, why);
        assert_eq!(office.holds().await, expected);
        for credit in [&first, &second] {
            let id = credit.split('.').next().unwrap();
            let seen = office.admin.get(&format!("/v1/deposits/{id}")).await.made();
            assert_eq!(seen["status"], "settled", "{seen}");
        }
        let none =
            office.lump("bl_00000000000080008000000000000001", &fresh_key(), &good, by).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
        verified(&office.bahi.database).await;
        office.bahi.finish().await;
    }
}

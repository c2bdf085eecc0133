//! What a day's close asks for of our own money: proposed by itself, decided by people, and found
//! on the statements by its reference.

use ledger_api::{banks::BankRegistry, statements::CertificateKey, workers::StatementFetcher};
use ledger_core::clock::ManualClock;
use reqwest::Method;

use super::{suspense::Office, *};
use crate::support::{
    bahi::{Actor, Reply, send},
    sandbox::noon,
};

impl Office {
    /// The lines of a day of both accounts, by the bank's number: `+` and `-` as there.
    pub(super) async fn days(
        &mut self,
        date: u32,
        escrow: (&str, &str, &[Value]),
        own: (&str, &str, &[Value]),
    ) {
        let mut file = statement(date, own.0, own.1, own.2);
        file["account"] = json!("own");
        self.import(&file).await;
        self.state(date, escrow.0, escrow.1, escrow.2).await;
    }

    /// What the worker does after the statements are in.
    pub(super) async fn close(&self) {
        let fetcher = StatementFetcher {
            banks: Arc::new(BankRegistry::default()),
            booker: self.booker.clone(),
            clock: Arc::new(ManualClock::at(noon())),
            certificate_key: CertificateKey::of(&[7; 32]),
            treasury_buffer: "10".parse().unwrap(),
        };
        assert!(fetcher.round().await);
    }

    pub(super) async fn moves(&self) -> Vec<Value> {
        let listed = self.admin.get("/v1/ops/treasury-moves").await.made();
        listed["data"].as_array().unwrap().clone()
    }

    pub(super) async fn decide(&self, found: &Value, word: &str, second: Option<&Actor>) -> Reply {
        let path = format!("/v1/ops/treasury-moves/{}/{word}", found["id"].as_str().unwrap());
        let mut request = self.admin.request(Method::POST, &path);
        if let Some(second) = second {
            request = request.header("approver-authorization", format!("Bearer {}", second.key));
        }
        let evidence = second.map(|_| "ab".repeat(32));
        send(request.json(&json!({"reason": "case-7", "evidence_sha256": evidence}))).await
    }

    async fn of_house(&self) -> [String; 3] {
        let head = self.bahi.engine.status().borrow().head.position;
        let mut balances = Vec::new();
        for account in ["bank:hdfc:escrow:INR", "bank:hdfc:own:INR", "treasury:in_transit:INR"] {
            balances.push(self.admin.balance(account, head).await);
        }
        balances.try_into().unwrap()
    }
}

pub(super) fn on(date: u32, mut line: Value) -> Value {
    line["booking_date"] = json!(day(date));
    line["value_date"] = json!(day(date));
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_day_asks_for_a_top_up_and_its_lines_are_found_by_themselves() {
    let mut office = Office::open().await;
    office.admin.wallet("wallet:ravi:INR", "100.00").await;
    office.booker.rules = BTreeMap::from([(word("hdfc"), "interest=CAPITAL".parse().unwrap())]);
    let escrow = [line("S1", "+60.00", None, "IN")];
    let own = [line("O1", "+500.00", None, "CAPITAL")];
    office.days(22, ("0.00", "60.00", &escrow), ("0.00", "500.00", &own)).await;
    office.close().await;
    office.close().await;
    // Owed: 100.00 on a wallet and 60.00 in suspense, of which 60.00 is there; and 10.00 is kept.
    let found = office.moves().await;
    assert_eq!(found.len(), 1, "a close asks once: {found:?}");
    let asked = &found[0];
    assert_eq!((&asked["status"], &asked["direction"]), (&json!("proposed"), &json!("top_up")));
    assert_eq!((&asked["amount"], &asked["headroom"]), (&inr("110.00"), &inr("-100.00")));
    let reference = asked["reference"].as_str().unwrap().to_owned();

    // Not decided yet, the words of a transfer mean nothing.
    let approved = office.decide(asked, "approve", None).await.made();
    assert_eq!(approved["status"], "approved");
    assert_eq!(office.decide(asked, "approve", None).await.made()["status"], "approved");
    assert_eq!(office.decide(asked, "reject", None).await.code(), "treasury_move_decided");

    let words = format!("NEFT {} self", reference.to_lowercase());
    let out = on(23, line("O2", "-110.00", None, &words));
    let own = [out];
    let other = on(23, line("S2", "+109.00", Some(&reference), "another amount"));
    office.days(23, ("60.00", "169.00", &[other]), ("500.00", "390.00", &own)).await;
    assert_eq!(office.moves().await[0]["lines"], 1);
    let [_, _, in_transit] = office.of_house().await;
    assert_eq!(in_transit, "110.00", "the other end is not there");
    office.close().await;
    assert_eq!(office.moves().await.len(), 1, "while one is under way nothing is asked");

    let came = on(24, line("S3", "+110.00", Some(&reference), "NEFT"));
    let twice = on(24, line("S4", "+110.00", Some(&reference), "NEFT"));
    office.days(24, ("169.00", "389.00", &[came, twice]), ("390.00", "390.00", &[])).await;
    assert_eq!(office.moves().await[0]["status"], "moved");
    assert_eq!(office.of_house().await, ["389.00", "390.00", "0.00"]);
    office.bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_swept_and_much_of_it_takes_two() {
    let mut office = Office::open().await;
    // Much money that nobody is owed: interest, by the bank's own words.
    office.booker.rules = BTreeMap::from([(word("hdfc"), "interest=INT".parse().unwrap())]);
    let escrow = [line("S1", "+20020.00", None, "INT Q3")];
    office.days(22, ("0.00", "20020.00", &escrow), ("0.00", "0.00", &[])).await;
    office.close().await;
    let first = office.moves().await.remove(0);
    assert_eq!((&first["direction"], &first["amount"]), (&json!("sweep"), &inr("20010.00")));
    assert_eq!(office.decide(&first, "approve", None).await.code(), "second_person_needed");
    // Nobody decided, and a later day asks for another amount.
    let more = [on(23, line("S2", "+5.00", None, "INT"))];
    office.days(23, ("20020.00", "20025.00", &more), ("0.00", "0.00", &[])).await;
    office.close().await;
    let moves = office.moves().await;
    assert_eq!(
        (&moves[0]["amount"], &moves[1]["status"]),
        (&inr("20015.00"), &json!("superseded"))
    );
    let gone = office.decide(&first, "approve", Some(&office.second)).await;
    assert_eq!(gone.code(), "treasury_move_decided");
    let approved = office.decide(&moves[0], "approve", Some(&office.second)).await.made();
    assert_eq!(approved["approved_by"], "second");

    let reference = moves[0]["reference"].as_str().unwrap();
    let out = [on(24, line("S3", "-20015.00", Some(reference), "RTGS"))];
    let came = [on(24, line("O1", "+20015.00", None, &format!("RTGS {reference}")))];
    office.days(24, ("20025.00", "10.00", &out), ("0.00", "20015.00", &came)).await;
    assert_eq!(office.moves().await[0]["status"], "moved");
    let [escrow, _, in_transit] = office.of_house().await;
    assert_eq!((escrow.as_str(), in_transit.as_str()), ("10.00", "0.00"));
    office.close().await;
    assert_eq!(office.moves().await.len(), 2, "it is as it should be");
    office.bahi.finish().await;
}

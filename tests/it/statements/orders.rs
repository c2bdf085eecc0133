//! Banks are told to make the moves of our own that people approved: once each, whatever they
//! answer, and whoever asks.

use chrono::TimeDelta;
use ledger_api::{
    banks::{Bank, BankRegistry},
    workers::{TreasuryKeeper, lanes::Lane},
};
use ledger_core::{clock::ManualClock, ids::Reference};

use super::{moves::on, suspense::Office, *};
use crate::support::puppet::{Puppet, Word};

/// The questions that the bank allows.
const QUESTIONS: u32 = 3;

/// An office, its bank, and the time there.
struct House {
    office: Office,
    bank: Arc<Puppet>,
    clock: Arc<ManualClock>,
}

impl House {
    /// A day that is short of a hundred rupees: its close asks for a top-up of 110.00.
    async fn short() -> Self {
        let mut office = Office::open().await;
        office.admin.wallet("wallet:ravi:INR", "100.00").await;
        office.booker.rules = BTreeMap::from([(word("hdfc"), "interest=CAPITAL".parse().unwrap())]);
        let own = [line("O1", "+500.00", None, "CAPITAL")];
        office.days(22, ("0.00", "0.00", &[]), ("0.00", "500.00", &own)).await;
        office.close().await;
        let noon = "2026-11-23T06:30:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(noon));
        Self { office, bank: Puppet::asked_at_most("hdfc", QUESTIONS), clock }
    }

    fn keeper(&self) -> TreasuryKeeper {
        let bank: Arc<dyn Bank> = self.bank.clone();
        TreasuryKeeper {
            pool: self.office.booker.pool.clone(),
            banks: Arc::new(BankRegistry::of([bank])),
            ledger: Arc::new(self.office.bahi.engine.clone()),
            clock: self.clock.clone(),
        }
    }

    fn lane(&self, name: &str) -> Lane {
        Lane::new(self.office.booker.pool.clone(), name.to_owned(), System.fresh())
    }

    /// A look of a worker.
    async fn look(&self) {
        let mut lane = self.lane("treasury");
        self.keeper().round(&mut lane).await.unwrap();
        lane.leave().await.unwrap();
    }

    async fn later(&self, by: TimeDelta) {
        self.clock.advance(by);
        self.look().await;
    }

    /// The move that was asked for last, and its reference.
    async fn asked(&self) -> (Value, Reference) {
        let asked = self.office.moves().await.remove(0);
        let reference = asked["reference"].as_str().unwrap().parse().unwrap();
        (asked, reference)
    }

    async fn approve(&self) -> Reference {
        let (asked, reference) = self.asked().await;
        assert_eq!(self.office.decide(&asked, "approve", None).await.made()["order"], Value::Null);
        reference
    }

    /// What the move and its order are.
    async fn is(&self) -> (String, String, Value) {
        let (asked, _) = self.asked().await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&asked["status"]), text(&asked["order"]["status"]), asked["order"]["code"].clone())
    }
}

fn status(status: &str, order: &str, code: Option<&str>) -> (String, String, Value) {
    (status.to_owned(), order.to_owned(), json!(code))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_top_up_is_handed_in_once_by_whoever_and_its_lines_are_its_end() {
    let mut house = House::short().await;
    house.look().await;
    let (asked, reference) = house.asked().await;
    assert_eq!((&asked["status"], &asked["order"]), (&json!("proposed"), &Value::Null));
    assert_eq!(house.bank.submissions(&reference), 0, "nobody has approved it");

    house.approve().await;
    house.bank.answer(&reference, Word::Accepted);
    // Both look at once, each in a lane of its own, as if each believed that it were the only one.
    let (one, other) = (house.keeper(), house.keeper());
    let (mut first, mut second) = (house.lane("first"), house.lane("second"));
    let (one, other) = tokio::join!(one.round(&mut first), other.round(&mut second));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(house.bank.submissions(&reference), 1);
    assert_eq!(house.bank.way(&reference), ("own".to_owned(), "501000000006".to_owned()));
    assert_eq!(house.is().await, status("approved", "accepted", None));

    house.bank.find(&reference, Word::Paid);
    house.later(TimeDelta::seconds(61)).await;
    house.later(TimeDelta::seconds(3_000)).await;
    assert_eq!(house.is().await, status("approved", "paid", None));
    assert_eq!((house.bank.submissions(&reference), house.bank.questions(&reference)), (1, 1));

    let word = Some(reference.as_str());
    let out = [on(23, line("O2", "-110.00", word, "IMPS OUT"))];
    let came = [on(23, line("S2", "+110.00", word, "IMPS OUT"))];
    house.office.days(23, ("0.00", "110.00", &came), ("500.00", "390.00", &out)).await;
    assert_eq!(house.is().await, status("moved", "paid", None));
    house.office.bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_silence_there_are_questions_and_statements_and_never_a_second_order() {
    let mut house = House::short().await;
    let reference = house.approve().await;
    house.bank.answer(&reference, Word::Silent);
    house.look().await;
    assert_eq!(house.is().await, status("approved", "unknown", Some("bank_timeout")));
    // The bank does not know it *now*: that proves nothing, however often it is asked.
    for _ in 0..20 {
        house.later(TimeDelta::seconds(3_600)).await;
    }
    assert_eq!(house.is().await, status("approved", "unknown", Some("bank_timeout")));
    assert_eq!(
        (house.bank.submissions(&reference), house.bank.questions(&reference)),
        (1, QUESTIONS)
    );

    // The day of sending alone is no proof; with the next one it is.
    house.office.days(23, ("0.00", "0.00", &[]), ("500.00", "500.00", &[])).await;
    house.office.close().await;
    house.look().await;
    assert_eq!(house.is().await, status("approved", "unknown", Some("bank_timeout")));
    assert_eq!(house.office.moves().await.len(), 1, "while it may be made nothing is asked");
    house.office.days(24, ("0.00", "0.00", &[]), ("500.00", "500.00", &[])).await;
    house.look().await;
    assert_eq!(house.is().await, status("refused", "refused", Some("absent_from_statements")));

    house.office.close().await;
    let (again, other) = house.asked().await;
    assert_eq!((&again["status"], &again["amount"]), (&json!("proposed"), &inr("110.00")));
    assert_ne!(other, reference, "another move, with another reference");
    house.office.bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_an_order_and_another_sum_is_for_people() {
    let house = House::short().await;
    let reference = house.approve().await;
    house.bank.answer(&reference, Word::Offline);
    house.look().await;
    let refused = status("refused", "refused", Some("beneficiary_bank_offline"));
    assert_eq!(house.is().await, refused);
    // What it says later is not asked for.
    house.bank.find(&reference, Word::Paid);
    house.later(TimeDelta::hours(2)).await;
    assert_eq!(house.is().await, refused);
    assert_eq!(house.bank.questions(&reference), 0);
    house.office.bahi.finish().await;

    let house = House::short().await;
    let reference = house.approve().await;
    house.bank.answer(&reference, Word::PaidOther("109.00"));
    house.look().await;
    assert_eq!(house.is().await, status("approved", "unknown", Some("amount_differs")));
    assert_eq!(house.bank.submissions(&reference), 1);
    house.office.bahi.finish().await;
}

//! Lies with sound hashes about payments to shops.

use super::{
    Code, check,
    lies::{ASHA, BINOD, lie, sound_past},
    maker::{Leg, Maker, leg},
};

/// Accounts of the shop and of the house, by their places among the maker's.
#[derive(Clone, Copy)]
struct Shop {
    unsettled: usize,
    available: usize,
    owed: usize,
    income: usize,
    tax: usize,
    held: usize,
    lent: usize,
    recall: usize,
}

/// Eight events, in an append of their own.
fn shop(m: &mut Maker) -> Shop {
    let mut open = |code: &str, kind: &str, itemised: bool, floor: Option<i128>| {
        m.open_account(code, "INR", 2, kind, itemised, floor);
        m.accounts.len() - 1
    };
    let shop = Shop {
        unsettled: open("merchant:tea:unsettled", "liability", false, Some(0)),
        available: open("merchant:tea:available", "liability", false, Some(0)),
        owed: open("receivable:merchant:tea", "asset", false, None),
        income: open("income:mdr", "income", false, None),
        tax: open("tax:gst_output", "liability", false, None),
        held: open("disputes:held", "liability", true, None),
        lent: open("disputes:provisional", "asset", true, None),
        recall: open("receivable:recall:asha", "asset", false, None),
    };
    m.append();
    shop
}

/// A payment of 10.00 at two percent.
struct Paid {
    id: String,
    shop: Shop,
}

impl Paid {
    fn new(m: &mut Maker, shop: Shop) -> Self {
        Self { id: m.fresh("pay_"), shop }
    }

    fn transaction(&self) -> String {
        self.id.replace("pay_", "txn_")
    }

    /// A payment by such terms, with the fee that they make: one percent or two.
    fn pay_by(&self, m: &mut Maker, version: u32, fee_bps: u16) {
        let (fee, tax) = match fee_bps {
            100 => (10, 2),
            _ => (20, 3),
        };
        let payload = format!(
            "{{\"payer\":\"wallet:asha:INR\",\"merchant\":\"tea\",\"amount\":\"10.00\",\
             \"fee\":\"0.{fee}\",\"tax\":\"0.0{tax}\",\"terms\":{{\"version\":{version},\
             \"fee_bps\":{fee_bps},\"tax_bps\":1800}},\"settles_on\":\"2026-11-24\",\
             \"transaction_id\":\"{}\"}}",
            self.transaction()
        );
        m.event("payment", &self.id, "completed", &payload);
        let mut legs = self.legs();
        (legs[1].amount, legs[2].amount, legs[3].amount) = (1_000 - fee, fee - tax, tax);
        m.transaction_as(&self.transaction(), "payment", &legs, Some(&self.id));
    }

    fn tell(&self, m: &mut Maker, fee: &str, request: Option<&str>) {
        let request = request.map(|id| format!("\"request\":\"{id}\",")).unwrap_or_default();
        let payload = format!(
            "{{\"payer\":\"wallet:asha:INR\",\"merchant\":\"tea\",\"amount\":\"10.00\",\
             \"fee\":\"{fee}\",\"tax\":\"0.03\",\"terms\":{{\"version\":1,\"fee_bps\":200,\
             \"tax_bps\":1800}},{request}\"settles_on\":\"2026-11-24\",\"transaction_id\":\"{}\"}}",
            self.transaction()
        );
        m.event("payment", &self.id, "completed", &payload);
    }

    fn legs(&self) -> Vec<Leg> {
        let Shop { unsettled, income, tax, .. } = self.shop;
        vec![
            leg(ASHA, true, 1_000, None),
            leg(unsettled, false, 980, None),
            leg(income, false, 17, None),
            leg(tax, false, 3, None),
        ]
    }

    /// Five events.
    fn pay(&self, m: &mut Maker) {
        self.tell(m, "0.20", None);
        m.transaction_as(&self.transaction(), "payment", &self.legs(), Some(&self.id));
    }

    fn event(&self, m: &mut Maker, event_type: &str, payload: &str) {
        m.event("payment", &self.id, event_type, payload);
    }

    fn ask_back(&self, m: &mut Maker, refund: &str, amount: &str) {
        let payload = format!("{{\"refund_id\":\"{refund}\",\"amount\":\"{amount}\"}}");
        self.event(m, "refund_requested", &payload);
    }

    /// Gives 9.90 back: 9.80 of what is not settled, the rest on credit.
    fn give_back(&self, m: &mut Maker, refund: &str, legs: &[Leg]) {
        let transaction = refund.replace("rf_", "txn_");
        let payload = format!(
            "{{\"refund_id\":\"{refund}\",\"from\":{{\"unsettled\":\"9.80\",\"available\":\"0.00\",\
             \"receivable\":\"0.10\"}},\"transaction_id\":\"{transaction}\"}}"
        );
        self.event(m, "refund_completed", &payload);
        m.transaction_as(&transaction, "refund", legs, Some(refund));
    }

    fn refund_legs(&self) -> Vec<Leg> {
        let Shop { unsettled, owed, .. } = self.shop;
        vec![
            leg(unsettled, true, 980, None),
            leg(owed, true, 10, None),
            leg(ASHA, false, 990, None),
        ]
    }

    fn tell_settled(&self, m: &mut Maker, settlement: &str, amount: &str, repaid: &str) {
        let transaction = settlement.replace("set_", "txn_");
        let payload = format!(
            "{{\"settlement_id\":\"{settlement}\",\"amount\":\"{amount}\",\
             \"repaid\":\"{repaid}\",\"transaction_id\":\"{transaction}\"}}"
        );
        self.event(m, "settled", &payload);
    }

    fn dispute(&self, m: &mut Maker, amount: &str) -> String {
        let transaction = m.fresh("txn_");
        let payload = format!(
            "{{\"amount\":\"{amount}\",\"from\":{{\"unsettled\":\"{amount}\",\
             \"available\":\"0.00\",\"receivable\":\"0.00\"}},\
             \"transaction_id\":\"{transaction}\"}}"
        );
        self.event(m, "dispute_opened", &payload);
        transaction
    }

    fn lend(&self, m: &mut Maker, amount: i128) {
        let text = format!("{}.{:02}", amount / 100, amount % 100);
        let transaction = self.dispute(m, &text);
        let (item, Shop { unsettled, held, lent, .. }) = (Some(self.id.clone()), self.shop);
        let legs = [
            leg(unsettled, true, amount, None),
            leg(held, false, amount, item.clone()),
            leg(lent, true, amount, item),
            leg(ASHA, false, amount, None),
        ];
        m.transaction_as(&transaction, "dispute", &legs, Some(&self.id));
    }

    /// The shop has won 5.00, of which the payer still has 3.00.
    fn give_up(&self, m: &mut Maker, from_payer: &str) {
        let transaction = m.fresh("txn_");
        let payload = format!(
            "{{\"won_by\":\"merchant\",\"from_payer\":\"{from_payer}\",\"repaid\":\"0.00\",\
             \"transaction_id\":\"{transaction}\"}}"
        );
        self.event(m, "dispute_decided", &payload);
        let (item, Shop { available, held, lent, recall, .. }) = (Some(self.id.clone()), self.shop);
        let legs = [
            leg(held, true, 500, item.clone()),
            leg(available, false, 500, None),
            leg(ASHA, true, 300, None),
            leg(recall, true, 200, None),
            leg(lent, false, 500, item),
        ];
        m.transaction_as(&transaction, "dispute", &legs, Some(&self.id));
    }
}

fn settlement_legs(shop: Shop, repaid: i128) -> Vec<Leg> {
    let mut legs = vec![leg(shop.unsettled, true, 1_960, None)];
    if repaid > 0 {
        legs.push(leg(shop.owed, false, repaid, None));
    }
    legs.push(leg(shop.available, false, 1_960 - repaid, None));
    legs
}

fn ask(m: &mut Maker, single_use: bool) -> String {
    let request = m.fresh("pr_");
    let payload = format!(
        "{{\"merchant\":\"tea\",\"currency\":\"INR\",\"amount\":\"10.00\",\
         \"single_use\":{single_use},\"expires_at\":\"2026-11-29T14:30:00Z\"}}"
    );
    m.event("payment_request", &request, "created", &payload);
    m.append();
    request
}

/// A lie about a payment that was made in an append before; 14 events stand before it.
#[track_caller]
fn lie_about(what: &str, offset: i64, code: Code, tell: impl FnOnce(&mut Maker, &Paid)) {
    lie(what, 13 + offset, code, |m| {
        let shop = shop(m);
        let paid = Paid::new(m, shop);
        paid.pay(m);
        m.append();
        tell(m, &paid);
    });
}

#[test]
fn payments_that_are_sound() {
    let mut past = sound_past();
    let m = &mut past;
    let shop = shop(m);
    let (first, second, third) = (Paid::new(m, shop), Paid::new(m, shop), Paid::new(m, shop));
    let fourth = Paid::new(m, shop);
    for paid in [&first, &second, &third, &fourth] {
        paid.pay(m);
    }
    m.append();
    let refund = m.fresh("rf_");
    first.ask_back(m, &refund, "9.90");
    first.give_back(m, &refund, &first.refund_legs());
    m.append();
    let settlement = m.fresh("set_");
    second.tell_settled(m, &settlement, "9.80", "0.10");
    third.tell_settled(m, &settlement, "9.80", "0.00");
    let transaction = settlement.replace("set_", "txn_");
    m.transaction_as(&transaction, "settlement", &settlement_legs(shop, 10), Some(&settlement));
    m.append();
    fourth.lend(m, 500);
    m.append();
    fourth.give_up(m, "3.00");
    m.append();
    let request = ask(m, true);
    let paid = Paid::new(m, shop);
    paid.tell(m, "0.20", Some(&request));
    let says = format!("{{\"payment_id\":\"{}\"}}", paid.id);
    m.event("payment_request", &request, "paid", &says);
    m.transaction_as(&paid.transaction(), "payment", &paid.legs(), Some(&paid.id));
    m.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn payments_that_break_their_own_terms() {
    use Code::PaymentDiffers;
    lie_about("another fee", 0, PaymentDiffers, |m, paid| {
        let other = Paid::new(m, paid.shop);
        other.tell(m, "0.19", None);
    });
    lie_about("twice", 0, PaymentDiffers, |m, paid| paid.tell(m, "0.20", None));
    lie_about("more is given back than was paid", 0, PaymentDiffers, |m, paid| {
        let refund = m.fresh("rf_");
        paid.ask_back(m, &refund, "10.01");
    });
    lie_about("a refund that nobody asked for", 0, PaymentDiffers, |m, paid| {
        let refund = m.fresh("rf_");
        paid.event(m, "refund_cancelled", &format!("{{\"refund_id\":\"{refund}\"}}"));
    });
    lie_about("more than is left is settled", 0, PaymentDiffers, |m, paid| {
        let settlement = m.fresh("set_");
        paid.tell_settled(m, &settlement, "9.81", "0.00");
    });
    lie_about("more than is left is disputed", 1, PaymentDiffers, |m, paid| {
        let refund = m.fresh("rf_");
        paid.ask_back(m, &refund, "5.01");
        paid.dispute(m, "5.00");
    });
    lie_about("a payment of no request", 0, PaymentDiffers, |m, paid| {
        let other = Paid::new(m, paid.shop);
        let request = m.fresh("pr_");
        other.tell(m, "0.20", Some(&request));
        m.transaction_as(&other.transaction(), "payment", &other.legs(), Some(&other.id));
    });
    lie_about("a reversal", 0, PaymentDiffers, |m, paid| {
        let by = m.fresh("txn_");
        m.event("reversal", &paid.transaction(), "reversed", &format!("{{\"by\":\"{by}\"}}"));
    });
    lie_about("a request that ends twice", 2, PaymentDiffers, |m, _| {
        let request = ask(m, true);
        m.event("payment_request", &request, "closed", "{}");
        m.event("payment_request", &request, "closed", "{}");
    });
}

/// Terms of one percent, as the book's second version.
fn one_percent(m: &mut Maker) {
    let terms = "{\"version\":2,\"fee_bps\":100,\"tax_bps\":1800}";
    m.event("book", "main", "terms_defined", terms);
}

#[test]
fn payments_by_terms_that_were_not_in_force() {
    use Code::PaymentDiffers;
    lie_about("rates that no version has", 0, PaymentDiffers, |m, paid| {
        Paid::new(m, paid.shop).pay_by(m, 1, 100);
    });
    lie_about("a version that is not there", 0, PaymentDiffers, |m, paid| {
        Paid::new(m, paid.shop).pay_by(m, 2, 100);
    });
    lie_about("a version of later", 0, PaymentDiffers, |m, paid| {
        Paid::new(m, paid.shop).pay_by(m, 2, 100);
        m.append();
        one_percent(m);
    });
    lie_about("the rates of the version before", 1, PaymentDiffers, |m, paid| {
        one_percent(m);
        Paid::new(m, paid.shop).pay_by(m, 2, 200);
    });

    let mut past = sound_past();
    let shop = shop(&mut past);
    Paid::new(&mut past, shop).pay_by(&mut past, 1, 200);
    one_percent(&mut past);
    past.append();
    // A shop goes over when it agrees to: both versions hold beside each other.
    Paid::new(&mut past, shop).pay_by(&mut past, 2, 100);
    Paid::new(&mut past, shop).pay_by(&mut past, 1, 200);
    past.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn payments_that_move_something_else() {
    use Code::PaymentIncomplete;
    lie_about("no transaction", 0, PaymentIncomplete, |m, paid| {
        let other = Paid::new(m, paid.shop);
        other.tell(m, "0.20", None);
    });
    lie_about("another shop's money", 0, PaymentIncomplete, |m, paid| {
        let other = Paid::new(m, paid.shop);
        other.tell(m, "0.20", None);
        let mut legs = other.legs();
        legs[1].account = BINOD;
        m.transaction_as(&other.transaction(), "payment", &legs, Some(&other.id));
    });
    lie_about("the tax is kept", 0, PaymentIncomplete, |m, paid| {
        let other = Paid::new(m, paid.shop);
        other.tell(m, "0.20", None);
        let mut legs = other.legs();
        (legs[2].amount, legs[3].amount) = (18, 2);
        m.transaction_as(&other.transaction(), "payment", &legs, Some(&other.id));
    });
    lie_about("a refund to somebody else", 1, PaymentIncomplete, |m, paid| {
        let refund = m.fresh("rf_");
        paid.ask_back(m, &refund, "9.90");
        let mut legs = paid.refund_legs();
        legs[2].account = BINOD;
        paid.give_back(m, &refund, &legs);
    });
    lie_about("a settlement that repays less than it says", 5, PaymentIncomplete, |m, paid| {
        let other = Paid::new(m, paid.shop);
        other.pay(m);
        m.append();
        let settlement = m.fresh("set_");
        paid.tell_settled(m, &settlement, "9.80", "0.10");
        other.tell_settled(m, &settlement, "9.80", "0.00");
        let transaction = settlement.replace("set_", "txn_");
        let legs = settlement_legs(paid.shop, 0);
        m.transaction_as(&transaction, "settlement", &legs, Some(&settlement));
    });
    lie_about("the payer gives back less than is said", 5, PaymentIncomplete, |m, paid| {
        paid.lend(m, 500);
        m.append();
        paid.give_up(m, "5.00");
    });
    lie_about("a request that its payment leaves open", 1, PaymentIncomplete, |m, paid| {
        let request = ask(m, true);
        let other = Paid::new(m, paid.shop);
        other.tell(m, "0.20", Some(&request));
        m.transaction_as(&other.transaction(), "payment", &other.legs(), Some(&other.id));
    });
    lie_about("a request paid by nobody", 1, PaymentIncomplete, |m, paid| {
        let request = ask(m, true);
        let says = format!("{{\"payment_id\":\"{}\"}}", paid.id);
        m.event("payment_request", &request, "paid", &says);
    });
    lie_about("legs of a payment that says nothing", 0, PaymentIncomplete, |m, paid| {
        let other = Paid::new(m, paid.shop);
        m.transaction_as(&other.transaction(), "payment", &other.legs(), Some(&other.id));
    });
}

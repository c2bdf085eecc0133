//! Lumps with their accounts: several deposits' credits that a bank states as one are settled all
//! together or not at all, each once, whoever names them.

use proptest::prelude::*;

use super::{
    deposits::{CLEARING, ESCROW, SUSPENSE, WALLET, claim, settled},
    world::{Done, Happened, World},
    *,
};
use crate::{
    bank_line::{
        BookBankLine, HouseAccount, LineDirection, LineKey, Part, Purpose, ResolveBankLine,
    },
    deposit::{
        BeginDeposit, ConfirmCredit, CreditClaim, DepositOperation as Ask, DepositStatus,
        DivideCredit, RecordReceived, RequestRecall, SettleCredit, SettlePart,
        credit::{id_of, item_of},
    },
    testing::{deposit, hold},
};

const CHARGES: &str = "expense:bank_charges:INR";
const TAX: &str = "tax:gst_input:INR";

fn begin(number: u8) -> Ask {
    Ask::Begin(BeginDeposit {
        deposit_id: deposit(number.into()),
        account: account(WALLET),
        amount: inr("500"),
        bank: "hdfc".parse().unwrap(),
        expires_at: minute(30),
        payer_hash: None,
    })
}

/// Our enquiry shows the credit of a deposit, under its number.
fn shown(number: u8, amount: &str) -> Ask {
    let (deposit_id, transaction_id) = (deposit(number.into()), txn(100 + u128::from(number)));
    let claim = claim(number, amount);
    Ask::ConfirmCredit(ConfirmCredit { deposit_id, claim, transaction_id })
}

/// Two deposits that an enquiry has booked: of 300 and of 200.
fn two() -> World {
    let mut world = World::with("100");
    world.each([begin(1), begin(2), shown(1, "300"), shown(2, "200")]);
    world
}

fn item(number: u8) -> crate::ids::Item {
    item_of(deposit(number.into()), 1).unwrap()
}

fn key() -> LineKey {
    LineKey {
        bank: "hdfc".parse().unwrap(),
        account: HouseAccount::Escrow,
        direction: LineDirection::Credit,
        value_date: day(),
        bank_transaction_id: "L1".parse().unwrap(),
    }
}

fn amount(text: &str) -> Decimal {
    inr(text).amount()
}

/// The credits of deposits by their numbers, less 5.00 and 0.90.
fn parts(credits: &[(u8, &str)]) -> Vec<Part> {
    let arrived = credits
        .iter()
        .map(|(number, text)| Part::of_item(Purpose::Arrival, item(*number), amount(text)));
    let kept = [(Purpose::Charges, "5.00"), (Purpose::Tax, "0.90")];
    arrived.chain(kept.map(|(purpose, text)| Part::plain(purpose, amount(text)))).collect()
}

fn both() -> Vec<Part> {
    parts(&[(1, "300"), (2, "200")])
}

fn book(net: &str, parts: Vec<Part>) -> Operation {
    let (booking_date, transaction_id) = (day(), txn(50));
    let book = BookBankLine { key: key(), booking_date, amount: inr(net), parts, transaction_id };
    Operation::from(BankLineOperation::Book(book))
}

fn unknown(net: &str) -> Operation {
    book(net, vec![Part::plain(Purpose::Unknown, amount(net))])
}

fn resolve(parts: Vec<Part>) -> Operation {
    let (currency, transaction_id) = (inr("1").currency(), txn(51));
    let resolve = ResolveBankLine { key: key(), currency, parts, transaction_id };
    Operation::from(BankLineOperation::Resolve(resolve))
}

/// A credit of 494.10 that nobody asked for, on the statement and in suspense; its deposit.
fn aside(world: &mut World) -> crate::ids::DepositId {
    let stated = CreditClaim { payer_hash: None, ..claim(9, "494.10") };
    let deposit_id = id_of(&stated.bank, &stated.bank_transaction_id);
    let Ask::SettleCredit(settle) = settled(stated) else { panic!("of a credit") };
    world.each([Ask::SettleCredit(SettleCredit { deposit_id, ..settle })]);
    deposit_id
}

fn divide(deposit_id: crate::ids::DepositId, parts: Vec<Part>) -> Ask {
    let (number, reason, transaction_id) = (1, None, txn(52));
    Ask::Divide(DivideCredit { deposit_id, number, parts, reason, transaction_id })
}

fn refusal(done: Done) -> String {
    done.unwrap_err().code
}

impl World {
    #[track_caller]
    fn is_settled(&self) {
        let codes = [ESCROW, CLEARING, SUSPENSE, CHARGES, TAX, WALLET];
        let balances = codes.map(|code| self.balance(code));
        assert_eq!(balances, ["494.10", "0", "0", "5.00", "0.90", "600"].map(dec));
        for number in [1, 2] {
            let status = self.deposits[&deposit(number)].status();
            assert_eq!(status, Some(DepositStatus::Settled), "{number}");
        }
        self.assert_items();
    }

    #[track_caller]
    fn refuses(&mut self, operation: Operation, why: &str) {
        let before = self.items.clone();
        assert_eq!(refusal(self.submit(operation)), why);
        assert_eq!(self.items, before);
    }
}

#[test]
fn a_line_settles_the_deposits_that_it_is_the_lump_of_in_one_append() {
    let mut world = two();
    let done = world.submit(book("494.10", both())).unwrap();
    assert_eq!(done.events, ["settled", "settled", "booked"]);
    assert_eq!(done.legs, 5);
    world.is_settled();
    // The same line again, and by whoever makes something else of it.
    for again in [book("494.10", both()), unknown("494.10")] {
        assert_eq!(world.submit(again), Ok(Happened::default()));
    }
    world.is_settled();
}

#[test]
fn a_lump_that_went_to_suspense_settles_its_deposits_when_they_are_known() {
    let mut world = World::with("100");
    world.each([begin(1), begin(2), shown(1, "300")]);
    world.refuses(book("494.10", both()), "credit_not_found");
    world.submit(unknown("494.10")).unwrap();
    world.refuses(resolve(both()), "credit_not_found");
    // Both sides say it now, each in its own place.
    world.submit(shown(2, "200").into()).unwrap();
    let done = world.submit(resolve(both())).unwrap();
    assert_eq!(done.events, ["settled", "settled", "resolved"]);
    world.is_settled();
    world.refuses(resolve(both()), "nothing_unexplained");
}

#[test]
fn a_credit_in_suspense_is_divided_among_the_deposits_that_it_was_of() {
    let mut world = two();
    let lump = aside(&mut world);
    assert_eq!(world.balance(SUSPENSE), dec("494.10"));
    let done = world.go(divide(lump, both())).unwrap();
    assert_eq!(done.events, ["divided", "settled", "settled"]);
    world.is_settled();
    assert_eq!(world.deposits[&lump].status(), Some(DepositStatus::Divided));
    world.refuses(divide(lump, both()).into(), "credit_not_in_review");
    // A bank that wants it back asks whoever has it now.
    let (claim, hold_id) = (claim(9, "494.10"), hold(3));
    let recall = RequestRecall { deposit_id: lump, claim, hold_id };
    world.refuses(Ask::RequestRecall(recall).into(), "credit_divided");
}

#[test]
fn a_part_is_settled_once_by_its_bank_and_whole() {
    let mut world = two();
    let book_as = |net, credits: &[(u8, &str)]| book(net, parts(credits));
    world.refuses(book_as("494.10", &[(1, "299"), (2, "201")]), "credit_differs");
    world.refuses(book_as("194.10", &[(2, "100"), (2, "100")]), "credit_differs");
    world.refuses(book_as("594.10", &[(1, "300"), (1, "300")]), "credit_settled");
    world.refuses(book_as("494.10", &[(1, "300"), (7, "200")]), "deposit_not_found");
    world.refuses(book_as("494.09", &[(1, "300"), (2, "200")]), "bank_line_parts_invalid");
    let second =
        vec![Part::of_item(Purpose::Arrival, item_of(deposit(1), 2).unwrap(), amount("300"))];
    world.refuses(book("300", second), "credit_not_found");
    // Another bank knows nothing of the credit.
    let BankLineOperation::Book(of_axis) = line_operation(book("494.10", both())) else {
        panic!("a line")
    };
    let of_axis =
        BookBankLine { key: LineKey { bank: "axis".parse().unwrap(), ..key() }, ..of_axis };
    world.refuses(BankLineOperation::Book(of_axis).into(), "credit_differs");
    // What was only told of is no money.
    let told = CreditClaim { source: crate::withdrawal::Source::Webhook, ..claim(3, "200") };
    world.each([
        begin(3),
        Ask::RecordReceived(RecordReceived { deposit_id: deposit(3), claim: told }),
    ]);
    world.refuses(book_as("494.10", &[(1, "300"), (3, "200")]), "credit_not_found");
    // Its own line was first.
    world.each([settled(CreditClaim { payer_hash: None, ..claim(1, "300") })]);
    world.refuses(book("494.10", both()), "credit_settled");
    assert_eq!(world.balance(ESCROW), dec("300"));
}

fn line_operation(operation: Operation) -> BankLineOperation {
    let Operation::BankLine(operation) = operation else { panic!("a line") };
    *operation
}

#[test]
fn the_line_of_a_credit_that_a_lump_has_settled_is_for_people() {
    let mut world = two();
    world.submit(book("494.10", both())).unwrap();
    let own = settled(CreditClaim { payer_hash: None, ..claim(1, "300") });
    world.refuses(own.clone().into(), "credit_settled");
    world.is_settled();
    // The enquiry says again what it said.
    assert_eq!(world.go(shown(1, "300")), Ok(Happened::default()));
}

#[test]
fn only_a_lump_to_the_last_paisa_is_divided() {
    let mut world = two();
    let lump = aside(&mut world);
    let own = vec![Part::of_item(Purpose::Arrival, item_of(lump, 1).unwrap(), amount("494.10"))];
    let interest = [both(), vec![Part::plain(Purpose::Interest, amount("0.01"))]].concat();
    let rough = vec![Part::of_item(Purpose::Arrival, item(1), dec("494.1"))];
    let nobody = "x".parse().unwrap();
    let nobody = vec![Part::of_item(Purpose::Arrival, nobody, amount("494.10"))];
    for wrong in [own, interest, rough, nobody, vec![], parts(&[(1, "300"), (2, "200.01")])] {
        world.refuses(divide(lump, wrong).into(), "lump_differs");
    }
    world.refuses(divide(lump, parts(&[(1, "299"), (2, "201")])).into(), "credit_differs");
    world.refuses(divide(deposit(7), both()).into(), "deposit_not_found");
    world.refuses(divide(deposit(1), both()).into(), "credit_not_in_review");
    // What an enquiry alone has shown is on no statement that could settle anything.
    let told = CreditClaim { unsolicited_to: None, ..claim(8, "494.10") };
    let deposit_id = id_of(&told.bank, &told.bank_transaction_id);
    let transaction_id = txn(60);
    world.each([Ask::ConfirmCredit(ConfirmCredit { deposit_id, claim: told, transaction_id })]);
    world.refuses(divide(deposit_id, both()).into(), "credit_not_settled");
    // Nobody says by itself that a credit is a part.
    let part = SettlePart {
        deposit_id: deposit(1),
        number: 1,
        bank: "hdfc".parse().unwrap(),
        amount: inr("300"),
        transaction_id: txn(61),
    };
    world.refuses(Ask::SettlePart(part).into(), "internal");
}

proptest! {
    /// Whatever is known of the parts, and however often they are named: all of a lump is settled,
    /// or none of it.
    #[test]
    fn a_lump_is_settled_whole_or_not_at_all(
        paise in prop::collection::vec(1_u32..100_000, 1..12),
        known in prop::collection::vec(any::<bool>(), 12),
        alone in prop::collection::vec(any::<bool>(), 12),
        charges in 0_u32..50,
        by_line in any::<bool>(),
    ) {
        let mut world = World::with("100");
        let of = |paise: u32| Decimal::new(i64::from(paise), 2).to_string();
        let numbered = || (1_u8..).zip(&paise);
        for (number, paise) in numbered() {
            world.each([begin(number)]);
            let index = usize::from(number).saturating_sub(1);
            if known[index] {
                world.each([shown(number, &of(*paise))]);
            }
            if known[index] && alone[index] && paise.is_multiple_of(3) {
                let own = CreditClaim { payer_hash: None, ..claim(number, &of(*paise)) };
                let Ask::SettleCredit(settle) = settled(own) else { panic!("of a credit") };
                let deposit_id = deposit(number.into());
                world.each([Ask::SettleCredit(SettleCredit { deposit_id, ..settle })]);
            }
        }
        let open = |world: &World| {
            let settled =
                |deposit: &Deposit| deposit.credits().iter().filter(|c| c.settled).count();
            world.deposits.values().map(settled).sum::<usize>()
        };
        let (before, all) = (open(&world), paise.len());
        let may = before == 0 && known.iter().take(all).all(|known| *known);
        let gross: u32 = paise.iter().sum();
        prop_assume!(charges < gross);
        let net = of(gross.saturating_sub(charges));
        let mut parts: Vec<_> = numbered()
            .map(|(number, paise)| Part::of_item(Purpose::Arrival, item(number), dec(&of(*paise))))
            .collect();
        if charges > 0 {
            parts.push(Part::plain(Purpose::Charges, dec(&of(charges))));
        }
        let escrow = world.balance(ESCROW);
        let done = if by_line {
            world.submit(book(&net, parts))
        } else {
            world.submit(unknown(&net)).unwrap();
            world.submit(resolve(parts))
        };
        prop_assert_eq!(done.is_ok(), may, "{:?}", done);
        prop_assert_eq!(open(&world), if may { all } else { before });
        let came = if may || !by_line { dec(&net) } else { Decimal::ZERO };
        prop_assert_eq!(world.balance(ESCROW), escrow.saturating_add(came));
        let aside = if may || by_line { Decimal::ZERO } else { dec(&net) };
        prop_assert_eq!(world.balance(SUSPENSE), aside);
        if may {
            prop_assert_eq!(world.balance(CLEARING), Decimal::ZERO);
        }
    }
}

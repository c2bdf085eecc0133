//! Deposits and lines of statements together: whoever comes first, the bank's account moves once.

use super::{
    deposits::{CLEARING, ESCROW, SUSPENSE, WALLET, begun, claim, confirmed, settled},
    world::{Happened, World},
    *,
};
use crate::{
    bank_line::{BookBankLine, HouseAccount, LineDirection, LineKey, Part, Purpose},
    deposit::{
        ConfirmCredit, CreditClaim, DepositOperation as Ask, DepositStatus, SettleCredit,
        credit::id_of,
    },
};

fn line(number: u8) -> LineKey {
    LineKey {
        bank: "hdfc".parse().unwrap(),
        account: HouseAccount::Escrow,
        direction: LineDirection::Credit,
        value_date: day(),
        bank_transaction_id: format!("S{number}").parse().unwrap(),
    }
}

/// Books a line as one that nobody can explain.
fn put_aside(key: LineKey, amount: &str) -> Operation {
    Operation::from(BankLineOperation::Book(BookBankLine {
        key,
        booking_date: day(),
        amount: inr(amount),
        parts: vec![Part::plain(Purpose::Unknown, inr(amount).amount())],
        transaction_id: txn(9),
    }))
}

/// The same credit for the deposit that follows from it: its line has no token.
fn unasked(ask: Ask) -> Ask {
    let id = |claim: &crate::deposit::CreditClaim| id_of(&claim.bank, &claim.bank_transaction_id);
    if let Ask::SettleCredit(settle) = ask {
        return Ask::SettleCredit(SettleCredit { deposit_id: id(&settle.claim), ..settle });
    }
    let Ask::ConfirmCredit(confirm) = ask else { panic!("of a credit: {ask:?}") };
    Ask::ConfirmCredit(ConfirmCredit { deposit_id: id(&confirm.claim), ..confirm })
}

impl World {
    #[track_caller]
    fn has(&self, wallet: &str, escrow: &str, clearing: &str, suspense: &str) {
        let codes = [WALLET, ESCROW, CLEARING, SUSPENSE].map(|code| self.balance(code));
        assert_eq!(codes, [wallet, escrow, clearing, suspense].map(dec));
    }
}

#[test]
fn a_line_that_went_to_suspense_is_the_deposits_when_it_appears() {
    let mut world = begun();
    world.submit(put_aside(line(1), "500")).unwrap();
    world.has("100", "500", "0", "500");
    let done = world.go(settled(claim(1, "500"))).unwrap();
    assert_eq!(done.events, ["credited", "settled", "resolved"]);
    world.has("600", "500", "0", "0");
    world.stands("600", DepositStatus::Settled);
    assert_eq!(world.go(settled(claim(1, "500"))), Ok(Happened::default()));
}

#[test]
fn a_line_in_suspense_waits_for_the_deposit_that_an_enquiry_has_booked() {
    let mut world = begun();
    world.submit(put_aside(line(1), "500")).unwrap();
    // Both sides say it now, each in its own place.
    world.submit(Operation::from(confirmed(claim(1, "500")))).unwrap();
    world.has("600", "500", "500", "500");
    world.each([settled(claim(1, "500"))]);
    world.has("600", "500", "0", "0");
}

#[test]
fn a_booked_line_is_booked_once_whoever_comes_after() {
    let mut world = begun();
    world.each([settled(claim(1, "500"))]);
    assert_eq!(world.submit(put_aside(line(1), "500")), Ok(Happened::default()));
    world.has("600", "500", "0", "0");
}

#[test]
fn one_credit_is_never_two_deposits_in_whatever_order_token_and_line_disagree() {
    // The enquiry knew the token; the line has none.
    let mut world = begun();
    world.each([confirmed(claim(1, "500"))]);
    let refused = world.go(unasked(settled(claim(1, "500")))).unwrap_err();
    assert_eq!(refused.code, "bank_line_of_another_item");
    world.has("600", "0", "500", "0");
    world.each([settled(claim(1, "500"))]);
    world.has("600", "500", "0", "0");
    // The line came first and had no token: the money is in suspense, and people assign it.
    let mut world = begun();
    world.each([unasked(settled(claim(1, "500")))]);
    world.has("100", "500", "0", "500");
    for ask in [confirmed(claim(1, "500")), settled(claim(1, "500"))] {
        assert_eq!(world.go(ask).unwrap_err().code, "nothing_unexplained");
    }
    world.has("100", "500", "0", "500");
    // Two enquiries that disagree.
    let mut world = begun();
    world.each([confirmed(claim(1, "500"))]);
    let refused = world.go(unasked(confirmed(claim(1, "500")))).unwrap_err();
    assert_eq!(refused.code, "bank_line_of_another_item");
    world.has("600", "0", "500", "0");
}

#[test]
fn case_114_a_number_that_the_bank_uses_again_after_a_year_is_another_line() {
    let mut world = begun();
    world.each([settled(claim(1, "500"))]);
    let on = |day: &str| day.parse::<NaiveDate>().unwrap();
    let again = |value_date| crate::deposit::CreditClaim { value_date, ..claim(1, "500") };
    // Too soon for the number to have come round: which of the two is true is for people.
    let soon = on("2027-03-01");
    assert_eq!(world.go(settled(again(soon))).unwrap_err().code, "credit_differs");
    let done = world.go(settled(again(on("2027-11-22")))).unwrap();
    assert_eq!(done.events, ["credited", "settled", "booked"]);
    world.has("1100", "1000", "0", "0");
    world.submit(put_aside(LineKey { value_date: soon, ..line(1) }, "500")).unwrap();
    world.has("1100", "1500", "0", "500");
}

/// A statement does not say who paid: where one payer alone may, the line waits for the bank.
#[test]
fn a_line_before_the_webhook_credits_no_stranger() {
    for (payer, wallet, aside) in [("0a", "600", "0"), ("0b", "100", "500")] {
        let mut world = begun();
        let stated = CreditClaim { payer_hash: None, ..claim(1, "500") };
        let refused = world.go(settled(stated.clone())).unwrap_err();
        assert_eq!(refused.code, "payer_unknown");
        world.submit(put_aside(line(1), "500")).unwrap();
        world.has("100", "500", "0", "500");
        let payer_hash = payer.repeat(32).parse().ok();
        world.submit(confirmed(CreditClaim { payer_hash, ..claim(1, "500") }).into()).unwrap();
        world.each([settled(stated)]);
        world.has(wallet, "500", "0", aside);
    }
}

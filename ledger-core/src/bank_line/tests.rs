use cqrs_es::test::TestFramework;
use rust_decimal::Decimal;

use super::*;
use crate::{
    ids::Item,
    testing::{account, assert_every_variant, currency, day, dec, inr, txn},
};

fn key(direction: LineDirection) -> LineKey {
    LineKey {
        bank: "hdfc".parse().unwrap(),
        account: HouseAccount::Escrow,
        direction,
        value_date: day(),
        bank_transaction_id: "S1".parse().unwrap(),
    }
}

fn book(direction: LineDirection, amount: &str, parts: Vec<Part>) -> BankLineOperation {
    BankLineOperation::Book(BookBankLine {
        key: key(direction),
        booking_date: day(),
        amount: inr(amount),
        parts,
        transaction_id: txn(1),
    })
}

fn resolve(parts: Vec<Part>) -> BankLineOperation {
    BankLineOperation::Resolve(ResolveBankLine {
        key: key(LineDirection::Credit),
        currency: currency("INR"),
        parts,
        transaction_id: txn(2),
    })
}

fn expect(item: &str) -> BankLineOperation {
    BankLineOperation::Expect(ExpectBankLine {
        key: key(LineDirection::Credit),
        currency: currency("INR"),
        item: item.parse().unwrap(),
    })
}

fn unknown(amount: &str) -> Vec<Part> {
    vec![Part::plain(Purpose::Unknown, dec(amount))]
}

fn to_wallet(amount: &str) -> Part {
    let wallet = Some(account("wallet:a:INR"));
    Part { wallet, ..Part::plain(Purpose::Wallet, dec(amount)) }
}

fn item(purpose: Purpose, amount: &str) -> Part {
    Part::of_item(purpose, "dep_1".parse::<Item>().unwrap(), dec(amount))
}

/// The line after these were accepted.
fn line(operations: &[BankLineOperation]) -> BankLine {
    operations.iter().fold(BankLine::default(), |mut line, operation| {
        if let Some(event) = line.decide(operation).unwrap() {
            line.apply(event);
        }
        line
    })
}

#[test]
fn a_line_is_booked_once_whatever_it_is_taken_for_the_second_time() {
    let first = book(LineDirection::Credit, "5", unknown("5.00"));
    let second = book(LineDirection::Credit, "5", vec![item(Purpose::Arrival, "5.00")]);
    let booked = line(std::slice::from_ref(&first));
    assert_eq!(booked.unexplained(), dec("5.00"));
    assert_eq!(booked.decide(&second), Ok(None));
    let event = BankLine::default().decide(&first).unwrap().unwrap();
    TestFramework::<BankLine>::with(())
        .given(vec![event])
        .when(second)
        .then_expect_events(Vec::new());
}

#[test]
fn what_was_not_understood_is_resolved_in_pieces_and_never_twice() {
    let booked = book(LineDirection::Credit, "5", unknown("5.00"));
    let half = line(&[booked.clone(), resolve(vec![to_wallet("3.00")])]);
    assert_eq!(half.unexplained(), dec("2.00"));
    let left = dec("2.00");
    assert_eq!(
        half.decide(&resolve(vec![to_wallet("2.01")])),
        Err(BankLineError::ExceedsUnexplained { left })
    );
    let done = line(&[booked, resolve(vec![to_wallet("3.00")]), resolve(vec![to_wallet("2.00")])]);
    assert_eq!(
        done.decide(&resolve(vec![to_wallet("2.00")])),
        Err(BankLineError::NothingUnexplained)
    );
}

#[test]
fn a_lump_that_is_net_of_charges_comes_to_what_the_bank_credited() {
    let parts = vec![
        item(Purpose::Arrival, "500.00"),
        Part::plain(Purpose::Charges, dec("5.00")),
        Part::plain(Purpose::Tax, dec("0.90")),
    ];
    let booked = line(&[book(LineDirection::Credit, "494.10", parts)]);
    assert_eq!(booked.unexplained(), Decimal::ZERO);
    assert_eq!(booked.properties().map(|booked| booked.amount), Some(dec("494.10")));
}

#[test]
fn a_line_that_is_somebodys_is_nobody_elses() {
    let arrives =
        |item: &str| vec![Part::of_item(Purpose::Arrival, item.parse().unwrap(), dec("5.00"))];
    let expected = line(&[expect("dep_1")]);
    assert_eq!(expected.decide(&expect("dep_1")), Ok(None), "again");
    let item = "dep_1".parse().unwrap();
    let another = Err(BankLineError::OfAnotherItem { item });
    assert_eq!(expected.decide(&expect("dep_2")), another);
    assert_eq!(expected.decide(&credit(arrives("dep_2"))), another);
    assert!(expected.decide(&credit(arrives("dep_1"))).is_ok_and(|event| event.is_some()));
    // The bank may say otherwise than it did: then people look, and the money lies in suspense.
    let aside = line(&[expect("dep_1"), credit(unknown("5.00"))]);
    assert_eq!(aside.decide(&resolve(arrives("dep_2"))), another);
    assert!(aside.decide(&resolve(arrives("dep_1"))).is_ok());
    // What was booked for one leaves nothing to expect for another.
    let booked = line(&[credit(arrives("dep_2"))]);
    assert_eq!(booked.decide(&expect("dep_1")), Err(BankLineError::NothingUnexplained));
}

#[test]
fn the_id_is_of_the_whole_key() {
    let one = key(LineDirection::Credit);
    let mut others = vec![key(LineDirection::Debit)];
    others.push(LineKey { account: HouseAccount::Own, ..one.clone() });
    others.push(LineKey { bank: "axis".parse().unwrap(), ..one.clone() });
    others.push(LineKey { value_date: day().succ_opt().unwrap(), ..one.clone() });
    others.push(LineKey { bank_transaction_id: "S2".parse().unwrap(), ..one.clone() });
    for other in others {
        assert_ne!(one.id(), other.id());
    }
    // A contract with every log that has lines in it.
    assert_eq!(one.id().to_string(), "bl_d012e6350957816ab864c31f5403cfa8");
}

fn credit(parts: Vec<Part>) -> BankLineOperation {
    book(LineDirection::Credit, "5", parts)
}

#[test]
fn every_refusal_happens() {
    let booked = line(&[credit(unknown("5.00"))]);
    let explained = line(&[credit(vec![item(Purpose::Arrival, "5.00")])]);
    let mut other = resolve(vec![to_wallet("5.00")]);
    if let BankLineOperation::Resolve(resolve) = &mut other {
        resolve.currency = currency("USD");
    }
    let six = book(LineDirection::Credit, "6", unknown("6.00"));
    let of_one = line(&[expect("dep_2")]);
    let waits = line(&[credit(unknown("5.00")), expect("dep_2")]);
    let of_another = |item: &str| BankLineError::OfAnotherItem { item: item.parse().unwrap() };
    let (amount, left) = (dec("5.00"), dec("5.00"));
    let rows = [
        (&BankLine::default(), resolve(vec![to_wallet("5.00")]), BankLineError::NotFound),
        (&booked, other, BankLineError::IdentityDiffers),
        (&booked, six, BankLineError::AmountDiffers { amount }),
        (&explained, resolve(vec![to_wallet("5.00")]), BankLineError::NothingUnexplained),
        (&of_one, credit(vec![item(Purpose::Arrival, "5.00")]), of_another("dep_2")),
        (&waits, resolve(vec![to_wallet("5.00")]), of_another("dep_2")),
        (&booked, resolve(unknown("5.00")), BankLineError::Parts(PartsError::Purpose)),
        (&booked, resolve(vec![to_wallet("5.01")]), BankLineError::ExceedsUnexplained { left }),
    ];
    let mut seen = Vec::new();
    for (line, operation, error) in rows {
        assert_eq!(line.decide(&operation), Err(error.clone()), "{operation:?}");
        seen.push(error);
    }
    assert_every_variant!(
        BankLineError,
        seen,
        BankLineError::NotFound,
        BankLineError::IdentityDiffers,
        BankLineError::AmountDiffers { .. },
        BankLineError::NothingUnexplained,
        BankLineError::Parts(_),
        BankLineError::OfAnotherItem { .. },
        BankLineError::ExceedsUnexplained { .. },
    );
}

#[test]
fn parts_that_make_no_sense_are_refused() {
    let own: Item = key(LineDirection::Credit).id().to_string().parse().unwrap();
    let many = vec![Part::plain(Purpose::Unknown, dec("0.01")); PARTS_MAX + 1];
    let five = dec("5.00");
    let rows = [
        (vec![], PartsError::Count),
        (many, PartsError::Count),
        (vec![Part::plain(Purpose::Arrival, five)], PartsError::Item),
        (vec![Part::of_item(Purpose::Reversal, own, five)], PartsError::Item),
        (vec![Part::plain(Purpose::Wallet, five)], PartsError::Wallet),
        (vec![item(Purpose::Payment, "5.00")], PartsError::Purpose),
        (unknown("0.00"), PartsError::Amount),
        (unknown("4.99"), PartsError::Sum),
        (vec![to_wallet("5.00")], PartsError::WalletAtOnce),
    ];
    let mut seen = Vec::new();
    for (parts, error) in rows {
        let refused = BankLine::default().decide(&credit(parts));
        assert_eq!(refused, Err(BankLineError::Parts(error)));
        seen.push(error);
    }
    assert_every_variant!(
        PartsError,
        seen,
        PartsError::Count,
        PartsError::Item,
        PartsError::Wallet,
        PartsError::Purpose,
        PartsError::Amount,
        PartsError::Sum,
        PartsError::WalletAtOnce,
    );
}

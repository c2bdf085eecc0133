//! From a bank's words to what the ledger is told: pure.

use ledger_core::{
    book::Book, deposit::CreditClaim, ids::BankCode, money::Money, withdrawal::Source,
};

use crate::banks::{Credit, Direction, StatementLine};

/// The only account of ours that customers' money comes to, by its name in banks' contracts.
const ESCROW: &str = "escrow";

/// Why a credit cannot be a deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// It came to another account than escrow.
    #[error("the money came to another account than escrow")]
    Account,
    /// Its currency is not in the book, or it has more decimals than the currency.
    #[error("the amount is none in a currency of the book")]
    Amount,
    /// It is a debit.
    #[error("the line is a debit")]
    Debit,
}

/// What a message or an enquiry says of a credit.
///
/// # Errors
/// [`NotOurs`] if it cannot be a deposit.
pub fn claim_of_credit(
    bank: &BankCode,
    credit: &Credit,
    source: Source,
    book: &Book,
) -> Result<CreditClaim, NotOurs> {
    if credit.account != ESCROW {
        return Err(NotOurs::Account);
    }
    Ok(CreditClaim {
        bank: bank.clone(),
        bank_transaction_id: credit.bank_transaction_id.clone(),
        credit_id: Some(credit.id.clone()),
        utr: credit.utr.clone(),
        value_date: credit.value_date,
        amount: in_book(credit.amount, book)?,
        source,
        payer_hash: None,
        review: None,
        unsolicited_to: None,
    })
}

/// What a credit line of the escrow account's statement says.
///
/// # Errors
/// [`NotOurs`] if it cannot be a deposit.
pub fn claim_of_line(
    bank: &BankCode,
    line: &StatementLine,
    book: &Book,
) -> Result<CreditClaim, NotOurs> {
    if line.direction != Direction::Credit {
        return Err(NotOurs::Debit);
    }
    Ok(CreditClaim {
        bank: bank.clone(),
        bank_transaction_id: line.bank_transaction_id.clone(),
        credit_id: None,
        utr: line.utr.clone(),
        value_date: line.value_date,
        amount: in_book(line.amount, book)?,
        source: Source::Statement,
        payer_hash: None,
        review: None,
        unsolicited_to: None,
    })
}

/// The same amount at the book's scale: banks write `500.0` and `500` as well.
fn in_book(amount: Money, book: &Book) -> Result<Money, NotOurs> {
    let currency = book.currency(amount.currency().code).ok_or(NotOurs::Amount)?;
    let mut value = amount.amount().normalize();
    if value.scale() > u32::from(currency.scale) {
        return Err(NotOurs::Amount);
    }
    value.rescale(u32::from(currency.scale));
    let money = Money::from_decimal(value, currency).map_err(|_| NotOurs::Amount)?;
    if money.is_positive() { Ok(money) } else { Err(NotOurs::Amount) }
}

#[cfg(test)]
mod tests {
    use cqrs_es::Aggregate as _;
    use ledger_core::{book::BookEvent, money::Currency};

    use super::*;
    use crate::banks::CreditStatus;

    fn currency(code: &str, scale: u8) -> Currency {
        Currency { code: code.parse().unwrap(), scale }
    }

    fn book() -> Book {
        let mut book = Book::default();
        book.apply(BookEvent::CurrencyAdded(currency("INR", 2)));
        book
    }

    fn credit(amount: &str, scale: u8) -> Credit {
        Credit {
            id: "crd_1".parse().unwrap(),
            status: CreditStatus::Booked,
            account: "escrow".to_owned(),
            amount: Money::parse(amount, currency("INR", scale)).unwrap(),
            utr: None,
            bank_transaction_id: "S1".parse().unwrap(),
            booking_date: "2026-11-22".parse().unwrap(),
            value_date: "2026-11-23".parse().unwrap(),
            received_at: "2026-11-22T14:02:15Z".parse().unwrap(),
            token: None,
            virtual_account: None,
            payer: None,
        }
    }

    fn claimed(credit: &Credit) -> Result<CreditClaim, NotOurs> {
        claim_of_credit(&"hdfc".parse().unwrap(), credit, Source::Enquiry, &book())
    }

    #[test]
    fn amounts_come_to_the_scale_of_the_book() {
        for (written, scale) in [("500", 0), ("500.0", 1), ("500.00", 2), ("500.0000", 4)] {
            let claim = claimed(&credit(written, scale)).unwrap();
            assert_eq!(claim.amount, Money::parse("500.00", currency("INR", 2)).unwrap());
            assert_eq!(claim.value_date.to_string(), "2026-11-23");
        }
        for (written, scale) in [("500.001", 3), ("0.00", 2)] {
            assert_eq!(claimed(&credit(written, scale)), Err(NotOurs::Amount), "{written}");
        }
        let dollars = Money::parse("1", currency("USD", 2)).unwrap();
        let dollars = Credit { amount: dollars, ..credit("1", 2) };
        assert_eq!(claimed(&dollars), Err(NotOurs::Amount));
    }

    #[test]
    fn only_credits_to_escrow_are_deposits() {
        let own = Credit { account: "own".to_owned(), ..credit("1.00", 2) };
        assert_eq!(claimed(&own), Err(NotOurs::Account));
        let line = StatementLine {
            bank_transaction_id: "S1".parse().unwrap(),
            booking_date: "2026-11-22".parse().unwrap(),
            value_date: "2026-11-22".parse().unwrap(),
            direction: Direction::Debit,
            amount: credit("1.00", 2).amount,
            utr: None,
            reference: None,
            narration: String::new(),
            lump: None,
        };
        let bank: BankCode = "hdfc".parse().unwrap();
        assert_eq!(claim_of_line(&bank, &line, &book()), Err(NotOurs::Debit));
        let line = StatementLine { direction: Direction::Credit, ..line };
        let claim = claim_of_line(&bank, &line, &book()).unwrap();
        assert_eq!((claim.credit_id, claim.source), (None, Source::Statement));
    }
}

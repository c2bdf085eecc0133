//! A statement on the wire.

use chrono::NaiveDate;
use ledger_core::ids::Reference;
use serde::Deserialize;

use super::{Raw, RawMoney, if_ours};
use crate::banks::{BankStatement, Direction, StatedCredit, StatedLump, StatementLine};

#[derive(Deserialize)]
pub(in crate::banks) struct RawStatement {
    account: String,
    date: NaiveDate,
    closed: bool,
    opening: RawMoney,
    closing: RawMoney,
    lines: Vec<RawLine>,
}

#[derive(Deserialize)]
struct RawLine {
    bank_transaction_id: Reference,
    booking_date: NaiveDate,
    value_date: NaiveDate,
    direction: RawDirection,
    amount: RawMoney,
    utr: Option<String>,
    reference: Option<String>,
    narration: Option<String>,
    lump: Option<RawLump>,
}

#[derive(Deserialize)]
struct RawLump {
    charges: Option<RawMoney>,
    tax: Option<RawMoney>,
    credits: Vec<RawCredit>,
}

#[derive(Deserialize)]
struct RawCredit {
    amount: RawMoney,
    bank_transaction_id: Option<String>,
    utr: Option<String>,
    reference: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawDirection {
    Debit,
    Credit,
}

impl Raw for RawStatement {
    type Meaning = BankStatement;

    fn meaning(self) -> Option<BankStatement> {
        let (opening, closing) = (self.opening.signed()?, self.closing.signed()?);
        let currency = opening.currency();
        let lines: Option<Vec<_>> = self.lines.into_iter().map(RawLine::meaning).collect();
        let lines = lines?;
        let one_currency = closing.currency() == currency
            && lines.iter().all(|line| line.amount.currency() == currency);
        one_currency.then_some(BankStatement {
            account: self.account,
            date: self.date,
            closed: self.closed,
            opening,
            closing,
            lines,
        })
    }
}

impl RawLine {
    fn meaning(self) -> Option<StatementLine> {
        let lump = match self.lump {
            Some(lump) => Some(lump.meaning()?),
            None => None,
        };
        Some(StatementLine {
            bank_transaction_id: self.bank_transaction_id,
            booking_date: self.booking_date,
            value_date: self.value_date,
            direction: match self.direction {
                RawDirection::Debit => Direction::Debit,
                RawDirection::Credit => Direction::Credit,
            },
            amount: self.amount.positive()?,
            utr: if_ours(self.utr),
            reference: if_ours(self.reference),
            narration: self.narration.unwrap_or_default(),
            lump,
        })
    }
}

impl RawLump {
    fn meaning(self) -> Option<StatedLump> {
        let kept = |money: Option<RawMoney>| match money {
            Some(money) => money.positive().map(Some),
            None => Some(None),
        };
        let credits = self.credits.into_iter().map(|credit| {
            Some(StatedCredit {
                amount: credit.amount.positive()?,
                bank_transaction_id: if_ours(credit.bank_transaction_id),
                utr: if_ours(credit.utr),
                reference: if_ours(credit.reference),
            })
        });
        let credits = credits.collect::<Option<_>>()?;
        Some(StatedLump { charges: kept(self.charges)?, tax: kept(self.tax)?, credits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::banks::wire::read;

    const STATEMENT: &str = r#"{"account":"escrow","date":"2026-11-22","closed":false,
        "opening":{"value":"-10.00","currency":"INR"},
        "closing":{"value":"-5010.13","currency":"INR"},
        "lines":[{"bank_transaction_id":"S42","booking_date":"2026-11-22",
        "value_date":"2026-11-22","direction":"debit","amount":{"value":"5000.13","currency":"INR"},
        "utr":"HDFC1","reference":"BH0199A1","narration":"IMPS OUT"}]}"#;

    fn statement(json: &str) -> Option<BankStatement> {
        read::<RawStatement>(json.as_bytes())?.meaning()
    }

    #[test]
    fn a_payers_words_never_make_a_statement_unreadable() {
        let read = statement(STATEMENT).unwrap();
        assert_eq!(read.opening.to_string(), "-10.00 INR");
        assert_eq!(read.lines[0].reference, Some("BH0199A1".parse().unwrap()));
        let words = STATEMENT.replace("\"BH0199A1\"", "\"thanks for lunch \u{1f600}\"");
        assert_eq!(statement(&words).unwrap().lines[0].reference, None);
    }

    #[test]
    fn a_statement_has_one_currency_and_lines_above_zero() {
        for (good, bad) in [
            (r#""value":"5000.13","currency":"INR""#, r#""value":"5000.13","currency":"USD""#),
            ("5000.13", "0.00"),
            ("\"debit\"", "\"out\""),
            ("2026-11-22", "2026-02-30"),
            ("\"S42\"", "\"\""),
        ] {
            assert_eq!(statement(&STATEMENT.replacen(good, bad, 1)), None, "{bad}");
        }
    }
}

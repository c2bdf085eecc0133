//! From a line of a script to what is asked of the ledger.

use chrono::TimeDelta;
use ledger_core::{
    account::FreezeMode,
    chart::{AccountType, Direction, PostingClass},
    clock::{Clock, Ids, System},
    command::{
        CaptureHold, CaptureLeg, ChangeLimits, FreezeAccount, IncreaseHold, OpenAccount, Operation,
        PlaceHold, Reverse,
    },
    ids::{HoldId, TransactionId},
    money::Money,
    posting::{Condition, Posting, PostingLeg},
};
use rust_decimal::Decimal;

use super::{
    Run,
    line::{Line, account, item},
};
use crate::support::ledger::{self, money, parse};

impl Run {
    pub(super) fn operation(&mut self, line: &Line<'_>) -> Operation {
        match line.verb {
            "open" => Operation::OpenAccount(opening(line)),
            "limits" => Operation::ChangeLimits(ChangeLimits {
                account: parse(&account(line.word(0))),
                floor: limit(line, "floor", None),
                ceiling: limit(line, "ceiling", None),
            }),
            "freeze" | "lien" => Operation::Freeze(freezing(line)),
            "unfreeze" => Operation::Unfreeze {
                account: parse(&account(line.word(0))),
                reference: parse(line.word(1)),
            },
            "close" => Operation::CloseAccount { account: parse(&account(line.word(0))) },
            "post" => Operation::Post(vec![self.posting(line)]),
            "commit" => Operation::Post(self.begun.take().expect("a `begin`")),
            "hold" => Operation::PlaceHold(self.placing(line)),
            "increase" => {
                let hold_id = self.hold(line.word(0));
                Operation::IncreaseHold(IncreaseHold { hold_id, by: self.held_money(line) })
            }
            "capture" => Operation::CaptureHold(self.capturing(line)),
            "release" => Operation::ReleaseHold { hold_id: self.hold(line.word(0)) },
            "expire" => Operation::ExpireHold { hold_id: self.hold(line.word(0)) },
            "reverse" => Operation::Reverse(self.reversing(line)),
            other => panic!("{}: {other}?", self.at),
        }
    }

    fn transaction(&mut self, name: &str) -> TransactionId {
        let fresh = || TransactionId::from_uuid(System.fresh());
        *self.transactions.entry(name.to_owned()).or_insert_with(fresh)
    }

    fn hold(&mut self, name: &str) -> HoldId {
        let fresh = || HoldId::from_uuid(System.fresh());
        *self.holds.entry(name.to_owned()).or_insert_with(fresh)
    }

    /// `post T kind FROM TO AMOUNT` or `post T kind D a 1 C b 1 …`, then `if ACCOUNT sequence=N`.
    pub(super) fn posting(&mut self, line: &Line<'_>) -> Posting {
        let transaction_id = self.transaction(line.word(0));
        let words = line.from(2);
        let option = |word: &&str| *word == "if" || word.contains('=');
        let options = words.iter().position(option).unwrap_or(words.len());
        let words = &words[..options];
        let leg = |direction, word: &str, amount: &str| {
            let id = account(word);
            PostingLeg { item: item(word).map(parse), ..ledger::leg(direction, &id, amount) }
        };
        let legs = match words {
            [from, to, amount] if !matches!(*from, "D" | "C") => {
                vec![leg(Direction::Debit, from, amount), leg(Direction::Credit, to, amount)]
            }
            words => words
                .chunks(3)
                .map(|words| match words {
                    ["D", word, amount] => leg(Direction::Debit, word, amount),
                    ["C", word, amount] => leg(Direction::Credit, word, amount),
                    other => panic!("{}: {other:?}?", self.at),
                })
                .collect(),
        };
        let conditions = line.from(2 + options);
        Posting {
            transaction_id,
            effective_on: line.option("on").map(parse),
            value_date: line.option("value").map(parse),
            note: line.option("note").map(str::to_owned),
            conditions: conditions.split(|word| *word == "if").filter_map(condition).collect(),
            ..ledger::posting(line.word(1), legs)
        }
    }

    fn placing(&mut self, line: &Line<'_>) -> PlaceHold {
        let id = account(line.word(1));
        let minutes = match line.from(3) {
            ["for", minutes] => Some(minutes.parse().unwrap()),
            _ => None,
        };
        PlaceHold {
            hold_id: self.hold(line.word(0)),
            amount: money(&id, line.word(2)),
            account: parse(&id),
            expires_at: minutes.map(|minutes| self.clock.now() + TimeDelta::minutes(minutes)),
        }
    }

    fn held_money(&mut self, line: &Line<'_>) -> Money {
        let hold = self.hold(line.word(0)).to_string();
        let account = self.books.holds.get(&hold).map_or("x:INR", |hold| &hold.account);
        money(account, line.word(1))
    }

    /// `capture H all|AMOUNT TO [as T]` or `capture H AMOUNT TO 6 TO 4 [as T]`.
    fn capturing(&mut self, line: &Line<'_>) -> CaptureHold {
        let mut words = line.from(2).to_vec();
        let name = words.iter().position(|word| *word == "as").map(|at| words.split_off(at)[1]);
        let to = match words.as_slice() {
            [word] => vec![CaptureLeg {
                account: parse(&account(word)),
                amount: None,
                item: item(word).map(parse),
            }],
            words => words
                .chunks(2)
                .map(|pair| CaptureLeg {
                    account: parse(&account(pair[0])),
                    amount: pair.get(1).map(|amount| money(&account(pair[0]), amount)),
                    item: item(pair[0]).map(parse),
                })
                .collect(),
        };
        let transaction_id = match name {
            Some(name) => self.transaction(name),
            None => TransactionId::from_uuid(System.fresh()),
        };
        CaptureHold {
            hold_id: self.hold(line.word(0)),
            transaction_id,
            kind: parse("payment"),
            amount: (line.word(1) != "all").then(|| self.held_money(line)),
            to,
            effective_on: None,
            value_date: None,
            note: None,
        }
    }

    /// `reverse T2 T1`: T1 as the log has it.
    fn reversing(&mut self, line: &Line<'_>) -> Reverse {
        let transaction_id = self.transaction(line.word(0));
        let original = self.transaction(line.word(1));
        let known = self.books.transactions.get(&original.to_string());
        let known = known.unwrap_or_else(|| panic!("{}: no such transaction", self.at));
        let leg = |leg: &crate::support::books::LegBook| {
            let direction = if leg.debit { Direction::Debit } else { Direction::Credit };
            let plain = ledger::leg(direction, &leg.account, &leg.amount.to_string());
            PostingLeg { item: leg.item.as_deref().map(parse), ..plain }
        };
        Reverse {
            original,
            original_kind: parse(&known.kind),
            original_cause: known.cause.as_deref().map(parse),
            original_legs: known.legs.iter().map(leg).collect(),
            transaction_id,
            effective_on: None,
            note: None,
        }
    }
}

/// The words after an `if`: `ACCOUNT sequence=N min=AMOUNT`.
fn condition(words: &[&str]) -> Option<Condition> {
    let (id, rest) = words.split_first().filter(|(first, _)| !first.contains('='))?;
    let value = |name: &str| rest.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('='));
    Some(Condition {
        account: parse(&account(id)),
        sequence: value("sequence").map(|number| number.parse().unwrap()),
        minimum_balance: value("min").map(parse),
    })
}

/// A limit at the scale of its account: an amount, or `none`; `usual` if nothing is said.
fn limit(line: &Line<'_>, name: &str, usual: Option<Decimal>) -> Option<Decimal> {
    let Some(text) = line.option(name) else { return usual };
    let currency = money(&account(line.word(0)), "0").currency();
    let parsed = || Money::parse_signed(text, currency).unwrap().amount();
    (text != "none").then(parsed)
}

fn opening(line: &Line<'_>) -> OpenAccount {
    let chart = ledger::opening(&account(line.word(0)));
    OpenAccount {
        floor: limit(line, "floor", chart.floor),
        ceiling: limit(line, "ceiling", chart.ceiling),
        account_type: line.option("type").map_or(chart.account_type, |word| {
            let all = [
                AccountType::Asset,
                AccountType::Liability,
                AccountType::Income,
                AccountType::Expense,
                AccountType::Equity,
            ];
            all.into_iter().find(|t| t.as_str() == word).expect("a type of account")
        }),
        class: line.option("class").map_or(chart.class, |word| {
            PostingClass::ALL.into_iter().find(|c| c.as_str() == word).expect("a class")
        }),
        itemised: chart.itemised || line.flag("itemised"),
        ..chart
    }
}

fn freezing(line: &Line<'_>) -> FreezeAccount {
    let id = account(line.word(0));
    let (mode, amount) = match (line.verb, line.word(2)) {
        ("lien", amount) => (FreezeMode::Lien, Some(money(&id, amount))),
        (_, "debit") => (FreezeMode::Debit, None),
        (_, "credit") => (FreezeMode::Credit, None),
        (_, "both") => (FreezeMode::Both, None),
        (_, other) => panic!("{other}?"),
    };
    FreezeAccount { account: parse(&id), reference: parse(line.word(1)), mode, amount }
}

//! What each bank can do and promises: two banks that differ where banks differ.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    accounts::Account,
    clock::{TIME_ZONE, Timestamp, minute_of_day},
    faults::Fault,
    money::{Amount, CURRENCY, wire},
};

/// A way that money goes from bank to bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rail {
    /// Immediate Payment Service.
    Imps,
    /// National Electronic Funds Transfer.
    Neft,
    /// Real Time Gross Settlement.
    Rtgs,
    /// Unified Payments Interface.
    Upi,
}

impl Rail {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imps => "imps",
            Self::Neft => "neft",
            Self::Rtgs => "rtgs",
            Self::Upi => "upi",
        }
    }
}

/// Why a transfer was refused. Each of them proves that nothing was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// The bank doesn't do this rail.
    RailUnsupported,
    /// More than the rail takes.
    AmountAboveMaximum,
    /// Less than the rail takes.
    AmountBelowMinimum,
    /// The beneficiary's account is closed.
    AccountClosed,
    /// There is no such branch.
    IfscInvalid,
    /// The beneficiary's bank took it back at the last moment.
    RejectedByBeneficiaryBank,
    /// The beneficiary's bank can't be reached.
    BeneficiaryBankOffline,
    /// The rail sleeps.
    OutsideHours,
    /// Our account has too little.
    InsufficientFunds,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::RailUnsupported,
        Self::AmountAboveMaximum,
        Self::AmountBelowMinimum,
        Self::AccountClosed,
        Self::IfscInvalid,
        Self::RejectedByBeneficiaryBank,
        Self::BeneficiaryBankOffline,
        Self::OutsideHours,
        Self::InsufficientFunds,
    ];

    /// Its code on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RailUnsupported => "rail_unsupported",
            Self::AmountAboveMaximum => "amount_above_maximum",
            Self::AmountBelowMinimum => "amount_below_minimum",
            Self::AccountClosed => "account_closed",
            Self::IfscInvalid => "ifsc_invalid",
            Self::RejectedByBeneficiaryBank => "rejected_by_beneficiary_bank",
            Self::BeneficiaryBankOffline => "beneficiary_bank_offline",
            Self::OutsideHours => "outside_hours",
            Self::InsufficientFunds => "insufficient_funds",
        }
    }

    /// Whether a new attempt may succeed.
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::BeneficiaryBankOffline | Self::OutsideHours | Self::InsufficientFunds => true,
            Self::RailUnsupported
            | Self::AmountAboveMaximum
            | Self::AmountBelowMinimum
            | Self::AccountClosed
            | Self::IfscInvalid
            | Self::RejectedByBeneficiaryBank => false,
        }
    }
}

/// What a rail takes, and when.
#[derive(Debug, Clone, Copy)]
struct RailRules {
    rail: Rail,
    minimum_paise: i64,
    maximum_paise: Option<i64>,
    /// Opens and closes, in minutes of the bank's day.
    hours: Option<(u32, u32)>,
    final_within_seconds: u32,
}

const IMPS: RailRules = RailRules {
    rail: Rail::Imps,
    minimum_paise: 100,
    maximum_paise: Some(50_000_000),
    hours: None,
    final_within_seconds: 7_200,
};
const NEFT: RailRules = RailRules {
    rail: Rail::Neft,
    minimum_paise: 100,
    maximum_paise: None,
    hours: None,
    final_within_seconds: 14_400,
};
const RTGS: RailRules = RailRules {
    rail: Rail::Rtgs,
    minimum_paise: 20_000_000,
    maximum_paise: None,
    hours: None,
    final_within_seconds: 3_600,
};
const UPI: RailRules = RailRules {
    rail: Rail::Upi,
    minimum_paise: 100,
    maximum_paise: Some(10_000_000),
    hours: None,
    final_within_seconds: 7_200,
};

/// Which bank to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankCode {
    /// Answers later, never sleeps.
    Hdfc,
    /// Answers at once, forgets early, has lower ceilings and closes NEFT at night.
    Axis,
}

impl BankCode {
    /// All banks of the sandbox.
    pub const ALL: [Self; 2] = [Self::Hdfc, Self::Axis];

    /// Its name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hdfc => "hdfc",
            Self::Axis => "axis",
        }
    }

    /// The bank of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bank| bank.as_str() == text)
    }
}

/// One bank's contract.
#[derive(Debug, Clone)]
pub(crate) struct Contract {
    pub(crate) bank: BankCode,
    pub(crate) name: &'static str,
    pub(crate) reference_unique_for_days: u32,
    pub(crate) answers_at_once: bool,
    pub(crate) rate_per_second: u32,
    rails: Vec<RailRules>,
    /// Starts a UTR.
    pub(crate) utr_prefix: &'static str,
}

impl Contract {
    pub(crate) fn of(bank: BankCode, rate_per_second: u32) -> Self {
        match bank {
            BankCode::Hdfc => Self {
                bank,
                name: "HDFC Bank (sandbox)",
                reference_unique_for_days: 60,
                answers_at_once: false,
                rate_per_second,
                rails: vec![IMPS, NEFT, RTGS, UPI],
                utr_prefix: "HDFC",
            },
            BankCode::Axis => Self {
                bank,
                name: "Axis Bank (sandbox)",
                reference_unique_for_days: 7,
                answers_at_once: true,
                rate_per_second,
                rails: vec![
                    RailRules { maximum_paise: Some(20_000_000), ..IMPS },
                    RailRules { hours: Some((8 * 60, 19 * 60)), ..NEFT },
                ],
                utr_prefix: "UTIB",
            },
        }
    }

    /// The number of one of our accounts, and its branch.
    pub(crate) fn account_number(&self, account: Account) -> Option<&'static str> {
        match (self.bank, account) {
            (BankCode::Hdfc, Account::Escrow) => Some("50100000000011"),
            (BankCode::Hdfc, Account::Own) => Some("50100000000029"),
            (BankCode::Axis, Account::Escrow) => Some("917010000000013"),
            (BankCode::Axis, Account::Own) => Some("917010000000021"),
            (_, Account::Network) => None,
        }
    }

    const fn ifsc(&self) -> &'static str {
        match self.bank {
            BankCode::Hdfc => "HDFC0000001",
            BankCode::Axis => "UTIB0000001",
        }
    }

    /// Which of our accounts has this number, if any.
    pub(crate) fn account_of(&self, number: &str) -> Option<Account> {
        Account::OURS.into_iter().find(|account| self.account_number(*account) == Some(number))
    }

    /// What the contract says against a transfer.
    pub(crate) fn objection(&self, rail: Rail, amount: Amount, at: Timestamp) -> Option<Refusal> {
        let Some(rules) = self.rails.iter().find(|rules| rules.rail == rail) else {
            return Some(Refusal::RailUnsupported);
        };
        if rules.maximum_paise.is_some_and(|maximum| amount.paise() > maximum) {
            return Some(Refusal::AmountAboveMaximum);
        }
        if amount.paise() < rules.minimum_paise {
            return Some(Refusal::AmountBelowMinimum);
        }
        let minute = minute_of_day(at);
        let asleep = rules.hours.is_some_and(|(open, close)| minute < open || minute >= close);
        asleep.then_some(Refusal::OutsideHours)
    }

    /// As it stands on the wire.
    pub(crate) fn view(&self) -> Value {
        let codes = |retryable: bool| -> Vec<&str> {
            let codes = Refusal::ALL.into_iter().filter(|code| code.is_retryable() == retryable);
            codes.map(Refusal::code).collect()
        };
        let accounts = Account::OURS.map(|account| {
            let number = self.account_number(account);
            json!({ "name": account, "account_number": number, "ifsc": self.ifsc() })
        });
        let rails: Vec<Value> = self.rails.iter().map(RailRules::view).collect();
        json!({
            "protocol": "1",
            "bank": self.bank,
            "name": self.name,
            "currency": CURRENCY,
            "time_zone": TIME_ZONE,
            "idempotency_field": "reference",
            "reference_pattern": "^[A-Za-z0-9_-]{1,35}$",
            "reference_unique_for_days": self.reference_unique_for_days,
            "answers": if self.answers_at_once { "at_once" } else { "later" },
            "rate_per_second": self.rate_per_second,
            "accounts": accounts,
            "rails": rails,
            "enquiry": { "first_after_seconds": 90, "at_most": 3, "within_seconds": 7_200 },
            "final_codes": codes(false),
            "retryable_codes": codes(true),
            "simulates": Fault::PAISE.iter().map(|(paise, _)| paise).collect::<Vec<_>>(),
        })
    }
}

impl RailRules {
    fn view(&self) -> Value {
        let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        json!({
            "rail": self.rail,
            "minimum": wire(self.minimum_paise),
            "maximum": self.maximum_paise.map(wire),
            "hours": self.hours.map(|(opens, closes)| {
                json!({ "opens": clock(opens), "closes": clock(closes) })
            }),
            "final_within_seconds": self.final_within_seconds,
        })
    }
}

//! What the columns of a bank's CSV file mean, said in words:
//! `account=escrow;currency=INR;id=Txn Id;date=Date;format=%d/%m/%Y;amount=Amount;balance=Balance`.

use std::str::FromStr;

use ledger_core::{bank_line::HouseAccount, money::CurrencyCode};

/// What the columns of a file mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvMapping {
    pub(super) account: HouseAccount,
    pub(super) currency: CurrencyCode,
    pub(super) separator: char,
    pub(super) decimal: char,
    pub(super) thousands: Option<char>,
    pub(super) date_format: String,
    pub(super) last_day_closed: bool,
    pub(super) id: String,
    pub(super) date: String,
    pub(super) value_date: Option<String>,
    pub(super) amount: Option<String>,
    pub(super) debit: Option<String>,
    pub(super) credit: Option<String>,
    pub(super) balance: String,
    pub(super) narration: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) utr: Option<String>,
}

/// Why words are no mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// A part of it is none.
    #[error("{0:?} is no part of a mapping, or is there twice")]
    Part(String),
    /// A part is missing.
    #[error("a mapping needs {0}")]
    Missing(&'static str),
}

impl CsvMapping {
    /// The columns that it names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let optional = [
            &self.value_date,
            &self.amount,
            &self.debit,
            &self.credit,
            &self.narration,
            &self.reference,
            &self.utr,
        ];
        let needed = [&self.id, &self.date, &self.balance].into_iter();
        needed.chain(optional.into_iter().flatten()).map(String::as_str)
    }
}

/// The parts as they are named.
#[derive(Default)]
struct Parts(Vec<(String, String)>);

const NAMES: [&str; 17] = [
    "account",
    "currency",
    "separator",
    "decimal",
    "thousands",
    "format",
    "last_day",
    "id",
    "date",
    "value_date",
    "amount",
    "debit",
    "credit",
    "balance",
    "narration",
    "reference",
    "utr",
];

impl Parts {
    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn needed(&mut self, name: &'static str) -> Result<String, MappingError> {
        self.take(name).ok_or(MappingError::Missing(name))
    }

    /// One character, by itself or by its name, for a semicolon separates parts.
    fn sign(&mut self, name: &str) -> Result<Option<char>, MappingError> {
        let Some(text) = self.take(name) else { return Ok(None) };
        let sign = match text.as_str() {
            "semicolon" => ';',
            "comma" => ',',
            "tab" => '\t',
            "point" => '.',
            "space" => ' ',
            _ => {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(only), None) if !only.is_alphanumeric() && only != '"' => only,
                    _ => return Err(MappingError::Part(format!("{name}={text}"))),
                }
            }
        };
        Ok(Some(sign))
    }
}

impl FromStr for CsvMapping {
    type Err = MappingError;

    fn from_str(text: &str) -> Result<Self, MappingError> {
        let mut parts = Parts::default();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || MappingError::Part(part.to_owned());
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let (name, value) = (name.trim(), value.trim());
            let twice = parts.0.iter().any(|(known, _)| known == name);
            if !NAMES.contains(&name) || value.is_empty() || twice {
                return Err(wrong());
            }
            parts.0.push((name.to_owned(), value.to_owned()));
        }
        let account = parts.needed("account")?;
        let currency = parts.needed("currency")?;
        let last_day = parts.take("last_day");
        let mapping = Self {
            account: match account.as_str() {
                "escrow" => HouseAccount::Escrow,
                "own" => HouseAccount::Own,
                _ => return Err(MappingError::Part(format!("account={account}"))),
            },
            currency: currency
                .parse()
                .map_err(|_| MappingError::Part(format!("currency={currency}")))?,
            separator: parts.sign("separator")?.unwrap_or(','),
            decimal: parts.sign("decimal")?.unwrap_or('.'),
            thousands: parts.sign("thousands")?,
            date_format: parts.needed("format")?,
            last_day_closed: match last_day.as_deref() {
                None | Some("open") => false,
                Some("closed") => true,
                Some(other) => return Err(MappingError::Part(format!("last_day={other}"))),
            },
            id: parts.needed("id")?,
            date: parts.needed("date")?,
            value_date: parts.take("value_date"),
            amount: parts.take("amount"),
            debit: parts.take("debit"),
            credit: parts.take("credit"),
            balance: parts.needed("balance")?,
            narration: parts.take("narration"),
            reference: parts.take("reference"),
            utr: parts.take("utr"),
        };
        let columns = (&mapping.amount, &mapping.debit, &mapping.credit);
        if !matches!(columns, (Some(_), None, None) | (None, Some(_), Some(_))) {
            return Err(MappingError::Missing("amount, or debit and credit"));
        }
        if Some(mapping.decimal) == mapping.thousands {
            return Err(MappingError::Part("thousands".to_owned()));
        }
        Ok(mapping)
    }
}

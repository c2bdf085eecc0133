//! What a bank's own words mean: charges, tax and interest, which no item of ours explains.
//!
//! `BAHI_BANK_HDFC_STATEMENT_RULES="charges=CHG;tax=GST ON CHG;interest=INT.PD"`: a line without a
//! reference of ours whose narration *begins* with the words, in whatever case, is that. The
//! longest words win. Without rules such lines lie in suspense until people say what they are.

use std::{collections::BTreeMap, ffi::OsString};

use ledger_core::{
    bank_line::{LineDirection, Purpose},
    ids::BankCode,
};

/// The words of one bank.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(Vec<(String, Purpose)>);

/// Why words are no rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rule: charges=WORDS, tax=WORDS or interest=WORDS, with ';' between rules")]
pub struct RulesError(String);

impl std::str::FromStr for Rules {
    type Err = RulesError;

    fn from_str(text: &str) -> Result<Self, RulesError> {
        let mut rules = Vec::new();
        for rule in text.split(';').map(str::trim).filter(|rule| !rule.is_empty()) {
            let wrong = || RulesError(rule.to_owned());
            let (purpose, words) = rule.split_once('=').ok_or_else(wrong)?;
            let purpose = match purpose.trim() {
                "charges" => Purpose::Charges,
                "tax" => Purpose::Tax,
                "interest" => Purpose::Interest,
                _ => return Err(wrong()),
            };
            let words = words.trim().to_lowercase();
            if words.is_empty() {
                return Err(wrong());
            }
            rules.push((words, purpose));
        }
        rules.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        Ok(Self(rules))
    }
}

/// The rules that some variables name, by bank. Variables of other names are none of ours.
///
/// # Errors
/// [`RulesError`] with the first that is none.
pub fn rules_of(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<BankCode, Rules>, RulesError> {
    let mut rules = BTreeMap::new();
    for (variable, value) in variables {
        let name = variable.to_str().and_then(|name| name.strip_prefix("BAHI_BANK_"));
        let Some(name) = name.and_then(|name| name.strip_suffix("_STATEMENT_RULES")) else {
            continue;
        };
        let wrong = || RulesError(name.to_owned());
        let bank: BankCode = name.to_lowercase().parse().map_err(|_| wrong())?;
        rules.insert(bank, value.to_str().ok_or_else(wrong)?.parse()?);
    }
    Ok(rules)
}

impl Rules {
    /// What a line of these words is; nothing if no rule says so.
    pub(super) fn purpose(&self, narration: &str, direction: LineDirection) -> Option<Purpose> {
        let narration = narration.trim().to_lowercase();
        let fits = |purpose: Purpose| match purpose {
            Purpose::Interest => direction == LineDirection::Credit,
            Purpose::Charges
            | Purpose::Tax
            | Purpose::Payment
            | Purpose::Arrival
            | Purpose::Treasury
            | Purpose::Reversal
            | Purpose::Wallet
            | Purpose::Unknown => direction == LineDirection::Debit,
        };
        let found = self.0.iter().find(|(words, _)| narration.starts_with(words));
        found.map(|(_, purpose)| *purpose).filter(|purpose| fits(*purpose))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_a_line_is_and_only_on_its_side() {
        let rules: Rules = "charges=CHG; tax=Chg GST ;interest=INT.PD".parse().unwrap();
        let of = |words, direction| rules.purpose(words, direction);
        assert_eq!(of("chg monthly", LineDirection::Debit), Some(Purpose::Charges));
        assert_eq!(of("CHG GST 18%", LineDirection::Debit), Some(Purpose::Tax));
        assert_eq!(of("INT.PD Q3", LineDirection::Credit), Some(Purpose::Interest));
        assert_eq!(of("INT.PD Q3", LineDirection::Debit), None);
        assert_eq!(of("chg back", LineDirection::Credit), None);
        assert_eq!(of("IMPS CHG", LineDirection::Debit), None);
        for bad in ["charges", "fees=x", "charges=", "=x"] {
            assert!(bad.parse::<Rules>().is_err(), "{bad}");
        }
        assert_eq!("".parse(), Ok(Rules::default()));
    }
}

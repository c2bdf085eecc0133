//! The chart of accounts as a tree: what the accounts of each branch sum to, now, after an event,
//! or on a business date.
//!
//! A branch is an account type, the first part of the code (of banks the first two) and a currency.
//! It is the sum of a [`Sheet`]'s headings, so the past costs what it costs there: the legs between
//! then and the nearer end of the log, however many accounts there are.

use std::collections::BTreeMap;

use ledger_core::{chart::AccountType, money::CurrencyCode};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{At, ReadModels, sheets::AsOf};
use crate::{error::ReadError, reports::Sheet};

/// The accounts of one branch, summed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountGroup {
    /// Their type.
    #[serde(rename = "type")]
    pub account_type: AccountType,
    /// What their codes begin with.
    pub branch: String,
    /// Their currency.
    pub currency: CurrencyCode,
    /// How many there are.
    pub accounts: u64,
    /// The sum of their balances, on the type's normal side.
    pub balance: Decimal,
}

impl ReadModels {
    /// All branches, by type and name.
    ///
    /// # Errors
    /// [`ReadError::NotRecorded`] or [`ReadError::Behind`] for a position that is not there yet.
    pub async fn account_tree(&self, as_of: AsOf) -> Result<At<Vec<AccountGroup>>, ReadError> {
        let At { position, value } = self.sheet(as_of).await?;
        Ok(At { position, value: branches(&value).ok_or(ReadError::Amount)? })
    }
}

/// The branches of a sheet; nothing if no amount can hold one of the sums.
fn branches(sheet: &Sheet) -> Option<Vec<AccountGroup>> {
    let mut groups: BTreeMap<(AccountType, &str, CurrencyCode), AccountGroup> = BTreeMap::new();
    for line in sheet.lines().filter(|line| line.accounts > 0) {
        let branch = branch(&line.heading);
        let balance = line.balance()?;
        let key = (line.account_type, branch, line.currency);
        match groups.get_mut(&key) {
            Some(group) => {
                group.accounts = group.accounts.saturating_add(line.accounts);
                group.balance = group.balance.checked_add(balance)?;
            }
            None => {
                groups.insert(
                    key,
                    AccountGroup {
                        account_type: line.account_type,
                        branch: branch.to_owned(),
                        currency: line.currency,
                        accounts: line.accounts,
                        balance,
                    },
                );
            }
        }
    }
    Some(groups.into_values().collect())
}

/// The branch of a heading: its first part, of banks the first two.
fn branch(heading: &str) -> &str {
    let parts = if heading.starts_with("bank:") { 2 } else { 1 };
    match heading.match_indices(':').nth(parts - 1) {
        Some((end, _)) => heading.get(..end).unwrap_or(heading),
        None => heading,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::Line;

    #[test]
    fn a_branch_is_the_first_part_and_of_banks_the_first_two() {
        for (heading, expected) in [
            ("wallet:*", "wallet"),
            ("merchant:*:available", "merchant"),
            ("bank:hdfc:escrow", "bank:hdfc"),
            ("bank:hdfc", "bank:hdfc"),
            ("float", "float"),
            ("receivable:recall:*", "receivable"),
        ] {
            assert_eq!(branch(heading), expected, "{heading}");
        }
    }

    #[test]
    fn branches_sum_the_headings_of_one_type_and_currency() {
        let mut sheet = Sheet::default();
        let lines = [
            ("bank:hdfc:escrow", AccountType::Asset, 2, 500, 100),
            ("bank:hdfc:clearing_in", AccountType::Asset, 1, 30, 0),
            ("wallet:*", AccountType::Liability, 9, 0, 430),
            ("till:*", AccountType::Liability, 0, 0, 0),
        ];
        for (heading, account_type, accounts, debits, credits) in lines {
            sheet
                .add(Line {
                    currency: "INR".parse().unwrap(),
                    account_type,
                    class: "open".to_owned(),
                    heading: heading.to_owned(),
                    accounts,
                    debits: Decimal::new(debits, 2),
                    credits: Decimal::new(credits, 2),
                })
                .unwrap();
        }
        let found: Vec<_> = branches(&sheet)
            .unwrap()
            .into_iter()
            .map(|group| (group.branch, group.accounts, group.balance.to_string()))
            .collect();
        let expected = [("bank:hdfc", 3, "4.30"), ("wallet", 9, "4.30")];
        assert_eq!(found, expected.map(|(b, n, s)| (b.to_owned(), n, s.to_owned())));
    }
}

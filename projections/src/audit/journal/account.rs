//! What an account is called where others have a say in it. Two accounts never get one name.

use super::{super::payload::AccountType, Opened};

/// For hledger and ledger: the type, then the code as it is.
pub(super) fn plain(account: &Opened) -> String {
    let root = match account.account_type {
        AccountType::Asset => "assets",
        AccountType::Liability => "liabilities",
        AccountType::Income => "income",
        AccountType::Expense => "expenses",
        AccountType::Equity => "equity",
    };
    format!("{root}:{}", account.code)
}

/// For beancount, whose names are of letters, digits and hyphens, each part with a capital or a
/// digit first: `gst_output` is `Gst-output`. A code has no capitals, so they can stand for what
/// beancount does not allow: `-D-` for a hyphen, `-P-` for a point.
pub(super) fn beancount(account: &Opened) -> String {
    let mut name = String::from(match account.account_type {
        AccountType::Asset => "Assets",
        AccountType::Liability => "Liabilities",
        AccountType::Income => "Income",
        AccountType::Expense => "Expenses",
        AccountType::Equity => "Equity",
    });
    for segment in account.code.split(':') {
        name.push(':');
        for (place, letter) in segment.chars().enumerate() {
            match letter {
                '_' => name.push('-'),
                '-' => name.push_str("-D-"),
                '.' => name.push_str("-P-"),
                _ if place == 0 => name.push(letter.to_ascii_uppercase()),
                _ => name.push(letter),
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(code: &str, account_type: AccountType) -> Opened {
        let (currency, class) = (Box::from("INR"), Box::from("open"));
        Opened { code: Box::from(code), currency, account_type, class }
    }

    #[test]
    fn every_account_has_a_name_of_its_own() {
        let name = |code| beancount(&opened(code, AccountType::Asset));
        assert_eq!(name("bank:hdfc:clearing_in"), "Assets:Bank:Hdfc:Clearing-in");
        assert_eq!(name("a.b"), "Assets:A-P-b");
        let names = ["a_b", "a-b", "a.b", "ab", "a_d_b", "a_-b", "a-_b", "a__b"].map(name);
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert_eq!(plain(&opened("a_b.c:7", AccountType::Expense)), "expenses:a_b.c:7");
    }
}

//! A sheet as somebody wants to see it.

use std::collections::BTreeMap;

use ledger_core::{chart::AccountType, money::CurrencyCode};
use rust_decimal::Decimal;
use serde::Serialize;

use super::sheet::{Line, Sheet};

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// Every line with its debits and credits.
    TrialBalance,
    /// What there is and whose it is: assets, liabilities, equity, and the result that no close of
    /// a year has moved into equity yet.
    BalanceSheet,
    /// What was earned and what it cost, over days.
    ProfitAndLoss,
}

impl Report {
    /// The types of account in it, in their order.
    pub const fn sections(self) -> &'static [AccountType] {
        use AccountType::{Asset, Equity, Expense, Income, Liability};
        match self {
            Self::TrialBalance => &[Asset, Liability, Equity, Income, Expense],
            Self::BalanceSheet => &[Asset, Liability, Equity],
            Self::ProfitAndLoss => &[Income, Expense],
        }
    }

    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TrialBalance => "trial_balance",
            Self::BalanceSheet => "balance_sheet",
            Self::ProfitAndLoss => "profit_and_loss",
        }
    }

    /// Its name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::TrialBalance => "Trial balance",
            Self::BalanceSheet => "Balance sheet",
            Self::ProfitAndLoss => "Profit and loss",
        }
    }
}

/// One currency of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Which report it is.
    pub report: Report,
    /// The currency.
    pub currency: CurrencyCode,
    /// The sum of all debits of the currency.
    pub debits: Decimal,
    /// The sum of all credits of the currency.
    pub credits: Decimal,
    /// Whether the two are the same, as they must be; then assets are liabilities, equity and
    /// result.
    pub balanced: bool,
    /// By type of account.
    pub sections: Vec<Section>,
    /// Income less expense.
    pub result: Decimal,
    /// The same in the sheet it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_before: Option<Decimal>,
}

/// The lines of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The type.
    #[serde(rename = "type")]
    pub account_type: AccountType,
    /// By heading.
    pub rows: Vec<Row>,
    /// The sum of their balances.
    pub total: Decimal,
    /// The same in the sheet it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_before: Option<Decimal>,
}

/// One heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The heading.
    pub heading: String,
    /// The class of its accounts.
    pub class: String,
    /// How many accounts it has.
    pub accounts: u64,
    /// The sum of their debits.
    pub debits: Decimal,
    /// The sum of their credits.
    pub credits: Decimal,
    /// The sum of their balances, on the type's normal side.
    pub balance: Decimal,
    /// The same in the sheet it is compared with; zero for what was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Decimal>,
}

impl Row {
    /// How much the balance grew since what it is compared with.
    pub fn change(&self) -> Option<Decimal> {
        self.before.and_then(|before| self.balance.checked_sub(before))
    }
}

/// The report of a sheet, by currency, compared with another sheet if there is one. Nothing if no
/// amount can hold one of its sums.
pub fn statements(report: Report, sheet: &Sheet, before: Option<&Sheet>) -> Option<Vec<Statement>> {
    let mut currencies: BTreeMap<CurrencyCode, Pairs<'_>> = BTreeMap::new();
    for line in sheet.lines() {
        let key = (line.account_type, line.heading.as_str(), line.class.as_str());
        currencies.entry(line.currency).or_default().entry(key).or_default().0 = Some(line);
    }
    for line in before.iter().flat_map(|before| before.lines()) {
        let key = (line.account_type, line.heading.as_str(), line.class.as_str());
        currencies.entry(line.currency).or_default().entry(key).or_default().1 = Some(line);
    }
    let compared = before.is_some();
    currencies
        .iter()
        .map(|(currency, pairs)| statement(report, *currency, pairs, compared))
        .collect()
}

/// Of each type, heading and class: the line, and the line that it is compared with.
type Pairs<'a> = BTreeMap<(AccountType, &'a str, &'a str), (Option<&'a Line>, Option<&'a Line>)>;

fn statement(
    report: Report,
    currency: CurrencyCode,
    pairs: &Pairs<'_>,
    compared: bool,
) -> Option<Statement> {
    let mut sections = Vec::new();
    for account_type in AccountType::ALL {
        sections.push(section(account_type, pairs, compared)?);
    }
    let of = |wanted| sections.iter().find(|section| section.account_type == wanted);
    let (income, expense) = (of(AccountType::Income)?, of(AccountType::Expense)?);
    let result = income.total.checked_sub(expense.total)?;
    let result_before = match (income.total_before, expense.total_before) {
        (Some(income), Some(expense)) => Some(income.checked_sub(expense)?),
        _ => None,
    };
    let sum = |side: fn(&Row) -> Decimal| {
        let rows = sections.iter().flat_map(|section| &section.rows);
        rows.map(side).try_fold(Decimal::ZERO, Decimal::checked_add)
    };
    let (debits, credits) = (sum(|row| row.debits)?, sum(|row| row.credits)?);
    let balanced = debits == credits;
    let sections = report.sections().iter().filter_map(|wanted| of(*wanted).cloned()).collect();
    Some(Statement { report, currency, debits, credits, balanced, sections, result, result_before })
}

fn section(account_type: AccountType, pairs: &Pairs<'_>, compared: bool) -> Option<Section> {
    let mut rows = Vec::new();
    // Of the currency's scale, so that nothing is written as `0.00` too.
    let lines = pairs.values().flat_map(|(now, then)| [now, then]).flatten();
    let scale = lines.map(|line| line.debits.scale()).max().unwrap_or_default();
    let (mut total, mut total_before) = (Decimal::new(0, scale), Decimal::new(0, scale));
    for ((_, heading, class), (now, then)) in pairs.iter().filter(|(key, _)| key.0 == account_type)
    {
        let row = row(heading, class, *now, *then, compared)?;
        total = total.checked_add(row.balance)?;
        total_before = total_before.checked_add(row.before.unwrap_or_default())?;
        rows.push(row);
    }
    Some(Section { account_type, rows, total, total_before: compared.then_some(total_before) })
}

fn row(
    heading: &str,
    class: &str,
    now: Option<&Line>,
    then: Option<&Line>,
    compared: bool,
) -> Option<Row> {
    let known = now.or(then)?;
    // A sum of nothing has the decimals of its currency too.
    let zero = Decimal::new(0, known.debits.scale());
    let before = match then {
        Some(line) => line.balance()?,
        None => zero,
    };
    Some(Row {
        heading: heading.to_owned(),
        class: class.to_owned(),
        accounts: now.map_or(0, |line| line.accounts),
        debits: now.map_or(zero, |line| line.debits),
        credits: now.map_or(zero, |line| line.credits),
        balance: now.map_or(Some(zero), Line::balance)?,
        before: compared.then_some(before),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(account_type: AccountType, heading: &str, debits: i64, credits: i64) -> Line {
        Line {
            currency: "INR".parse().unwrap(),
            account_type,
            class: "open".to_owned(),
            heading: heading.to_owned(),
            accounts: 1,
            debits: Decimal::new(debits, 2),
            credits: Decimal::new(credits, 2),
        }
    }

    fn sheet(lines: impl IntoIterator<Item = Line>) -> Sheet {
        lines.into_iter().fold(Sheet::default(), |mut sheet, line| {
            sheet.add(line).unwrap();
            sheet
        })
    }

    fn text(decimal: Decimal) -> String {
        decimal.to_string()
    }

    #[test]
    fn a_balance_sheet_shows_the_result_beside_equity_and_balances() {
        use AccountType::{Asset, Expense, Income, Liability};
        let sheet = sheet([
            line(Asset, "bank:hdfc:escrow", 110_000, 500),
            line(Liability, "wallet:*", 1_000, 101_000),
            line(Income, "income:fees", 0, 10_000),
            line(Expense, "expense:bank_charges", 500, 0),
        ]);
        let [balance] = &statements(Report::BalanceSheet, &sheet, None).unwrap()[..] else {
            panic!("one currency");
        };
        let totals: Vec<String> = balance.sections.iter().map(|s| text(s.total)).collect();
        assert_eq!(totals, ["1095.00", "1000.00", "0.00"]);
        assert_eq!(text(balance.result), "95.00");
        assert!(balance.balanced);
        let [earned] = &statements(Report::ProfitAndLoss, &sheet, None).unwrap()[..] else {
            panic!("one currency");
        };
        assert_eq!(earned.sections.len(), 2);
        assert_eq!(text(earned.result), "95.00");
    }

    #[test]
    fn two_sheets_stand_beside_each_other_line_by_line() {
        use AccountType::{Asset, Liability};
        let before = sheet([
            line(Asset, "bank:a:escrow", 500, 0),
            line(Asset, "gone", 100, 0),
            line(Liability, "wallet:*", 0, 600),
        ]);
        let now =
            sheet([line(Asset, "bank:a:escrow", 900, 0), line(Liability, "wallet:*", 0, 900)]);
        let [balance] = &statements(Report::TrialBalance, &now, Some(&before)).unwrap()[..] else {
            panic!("one currency");
        };
        let changes: Vec<_> = balance
            .sections
            .iter()
            .flat_map(|section| &section.rows)
            .map(|row| (row.heading.as_str(), text(row.change().unwrap())))
            .collect();
        let expected = [("bank:a:escrow", "4.00"), ("gone", "-1.00"), ("wallet:*", "3.00")];
        assert_eq!(changes, expected.map(|(heading, change)| (heading, change.to_owned())));
    }

    #[test]
    fn what_does_not_balance_says_so() {
        let sheet = sheet([line(AccountType::Asset, "x", 1, 0)]);
        assert!(!statements(Report::TrialBalance, &sheet, None).unwrap()[0].balanced);
    }
}

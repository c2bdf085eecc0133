//! The bodies of reports.

use ledger_core::{chart::AccountType, money::CurrencyCode};
use projections::reports::{Control, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::wire::Amount;

/// A report of the books.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BooksReport)]
pub(super) struct ReportOut {
    /// `trial_balance`, `balance_sheet` or `profit_and_loss`.
    #[schema(example = "balance_sheet")]
    pub(super) object: &'static str,
    /// Whether debits and credits are the same in every currency.
    pub(super) balanced: bool,
    /// By currency.
    pub(super) data: Vec<StatementOut>,
    /// The position that the answer reflects.
    pub(super) position: u64,
}

/// One currency of a report.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BooksStatement)]
pub(super) struct StatementOut {
    /// The currency.
    #[schema(value_type = String)]
    pub(super) currency: CurrencyCode,
    /// The sum of all debits.
    pub(super) debits: Amount,
    /// The sum of all credits.
    pub(super) credits: Amount,
    /// Whether the two are the same.
    pub(super) balanced: bool,
    /// By type of account.
    pub(super) sections: Vec<SectionOut>,
    /// Income less expense: what no close of a year has moved into equity.
    pub(super) result: Amount,
    /// The same in what it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result_before: Option<Amount>,
}

/// The accounts of one type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BooksSection)]
pub(super) struct SectionOut {
    /// The type.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub(super) account_type: AccountType,
    /// By heading of the chart.
    pub(super) rows: Vec<RowOut>,
    /// The sum of their balances.
    pub(super) total: Amount,
    /// The same in what it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total_before: Option<Amount>,
}

/// The accounts of one heading.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BooksRow)]
pub(super) struct RowOut {
    /// The heading: an account's code, with `*` for whose it is.
    #[schema(example = "wallet:*")]
    pub(super) heading: String,
    /// The class of its accounts.
    pub(super) class: String,
    /// How many accounts it has.
    pub(super) accounts: u64,
    /// The sum of their debits.
    pub(super) debits: Amount,
    /// The sum of their credits.
    pub(super) credits: Amount,
    /// The sum of their balances, on the type's normal side.
    pub(super) balance: Amount,
    /// The same in what it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Amount>,
    /// How much it grew since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<Amount>,
}

/// Control totals.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Controls)]
pub(super) struct ControlsOut {
    /// Always `controls`.
    #[schema(example = "controls")]
    pub(super) object: &'static str,
    /// Whether all of them hold.
    pub(super) hold: bool,
    /// How many do not.
    pub(super) differing: u64,
    /// All of them, by name.
    pub(super) data: Vec<ControlOut>,
    /// The position that the answer reflects.
    pub(super) position: u64,
}

/// One control total.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Control)]
pub(super) struct ControlOut {
    /// Which control: `open_items`, `daily_flows`, `open_holds`, `withdrawals_under_way`,
    /// `unsettled_payments` or `bank_statement`.
    #[schema(example = "open_items")]
    pub(super) control: String,
    /// The account or heading.
    #[schema(example = "suspense:credits:INR")]
    pub(super) subject: String,
    /// The currency.
    #[schema(example = "INR")]
    pub(super) currency: String,
    /// What the accounts have, as a decimal string.
    #[schema(example = "120.00")]
    pub(super) ledger: String,
    /// What their parts come to.
    #[schema(example = "120.00")]
    pub(super) counted: String,
    /// The one less the other.
    #[schema(example = "0.00")]
    pub(super) difference: String,
}

impl From<Statement> for StatementOut {
    fn from(statement: Statement) -> Self {
        let currency = statement.currency;
        let amount = |value| Amount::new(value, currency);
        let sections = statement.sections.into_iter().map(|section| SectionOut {
            account_type: section.account_type,
            rows: section
                .rows
                .into_iter()
                .map(|row| RowOut {
                    change: row.change().map(amount),
                    heading: row.heading,
                    class: row.class,
                    accounts: row.accounts,
                    debits: amount(row.debits),
                    credits: amount(row.credits),
                    balance: amount(row.balance),
                    before: row.before.map(amount),
                })
                .collect(),
            total: amount(section.total),
            total_before: section.total_before.map(amount),
        });
        Self {
            currency,
            debits: amount(statement.debits),
            credits: amount(statement.credits),
            balanced: statement.balanced,
            sections: sections.collect(),
            result: amount(statement.result),
            result_before: statement.result_before.map(amount),
        }
    }
}

impl From<Control> for ControlOut {
    fn from(control: Control) -> Self {
        let Control { control, subject, currency, ledger, counted, difference } = control;
        Self {
            control,
            subject,
            currency,
            ledger: ledger.to_string(),
            counted: counted.to_string(),
            difference: difference.to_string(),
        }
    }
}

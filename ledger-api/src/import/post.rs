//! The rows, as commands of the ledger: accounts first, then a transaction for each balance.

use std::collections::HashSet;

use chrono::NaiveDate;
use ledger_core::{
    chart::{self, AccountType, Authority, PostingClass},
    clock::{Ids, System},
    command::{Command, Idempotency, OpenAccount, Operation, Outcome, Rejection},
    engine::{Engine, SubmitError},
    ids::{AccountCode, AccountId, IdError, Principal, RequestId, TransactionId},
    money::{Currency, Money},
    posting::{Kind, Posting, PostingLeg},
};
use sha2::{Digest, Sha256};

use super::{Checked, HOUSE, OPENING, Row};

/// Commands that are sent at once.
const BATCH: usize = 500;

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Accounts that it opened.
    pub accounts: u64,
    /// Accounts that were there.
    pub accounts_before: u64,
    /// Balances that it posted.
    pub balances: u64,
    /// Balances that an import before it posted.
    pub balances_before: u64,
}

/// Why an import stopped. What it did until then stays, and the same file goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The ledger refused a row.
    #[error("line {line}: {account}: {detail} [{code}]")]
    Row {
        /// The row's line.
        line: usize,
        /// Its account.
        account: AccountId,
        /// Why.
        detail: String,
        /// The stable code.
        code: String,
    },
    /// The account was imported before, with another balance, owner or date.
    #[error("line {line}: {account} was imported before, otherwise than here")]
    Otherwise {
        /// The row's line.
        line: usize,
        /// Its account.
        account: AccountId,
    },
    /// The ledger did not answer.
    #[error("the ledger did not answer")]
    Ledger(#[from] SubmitError),
    /// Never: what was checked is well-formed.
    #[error("what was checked is no id")]
    Id(#[from] IdError),
}

/// Posts what was checked, with `on` as the business date of every balance (nothing = today).
/// `progress` is told how many rows are done.
///
/// # Errors
/// [`Refused`] at the first row that the ledger refuses.
pub async fn post(
    engine: &Engine,
    principal: &Principal,
    (checked, on): (&Checked, Option<NaiveDate>),
    mut progress: impl FnMut(usize),
) -> Result<Imported, Refused> {
    let mut imported = Imported::default();
    let opening: AccountCode = OPENING.parse()?;
    let mut opened = HashSet::new();
    let mut rows = Vec::new();
    for row in &checked.rows {
        let against = AccountId::new(&opening, row.currency.code);
        if opened.insert(against.clone()) {
            rows.push((row, open(principal, &house(&against, row.currency)?)?));
        }
        if opened.insert(row.account.clone()) {
            rows.push((row, open(principal, &account(row))?));
        }
    }
    for batch in rows.chunks(BATCH) {
        send(engine, batch, |existed| {
            let count =
                if existed { &mut imported.accounts_before } else { &mut imported.accounts };
            *count = count.saturating_add(1);
        })
        .await?;
    }
    let mut done = 0_usize;
    for batch in checked.rows.chunks(BATCH) {
        let mut commands = Vec::with_capacity(batch.len());
        for row in batch {
            let against = AccountId::new(&opening, row.currency.code);
            if let Some(posting) = posting(row, against, on)? {
                commands.push((row, balance(principal, row, posting, on)?));
            }
        }
        send(engine, &commands, |existed| {
            let count =
                if existed { &mut imported.balances_before } else { &mut imported.balances };
            *count = count.saturating_add(1);
        })
        .await?;
        done = done.saturating_add(batch.len());
        progress(done);
    }
    Ok(imported)
}

/// Sends commands at once; `told` is said of each whether an earlier import did it.
async fn send(
    engine: &Engine,
    commands: &[(&Row, Command)],
    mut told: impl FnMut(bool),
) -> Result<(), Refused> {
    let sent = commands.iter().map(|(_, command)| command.clone()).collect();
    let answers = engine.submit_all(sent).await?;
    for ((row, command), answer) in commands.iter().zip(answers) {
        let (line, account) = (row.line, row.account.clone());
        let answer = match answer {
            Err(SubmitError::KeyReused) => return Err(Refused::Otherwise { line, account }),
            answer => answer?,
        };
        match answer.outcome {
            Outcome::Accepted(_) => told(answer.replayed),
            // Somebody else opened it, before this import or between two of them.
            Outcome::Rejected(Rejection { code, .. })
                if code == "account_exists"
                    && matches!(command.operation, Operation::OpenAccount(_)) =>
            {
                told(true);
            }
            Outcome::Rejected(Rejection { code, detail, .. }) => {
                return Err(Refused::Row { line, account, detail, code });
            }
        }
    }
    Ok(())
}

fn account(row: &Row) -> OpenAccount {
    let zero = Money::zero(row.currency).amount();
    OpenAccount {
        account: row.account.clone(),
        currency: row.currency,
        owner: row.owner.clone(),
        account_type: row.account_type,
        class: row.class,
        itemised: row.itemised,
        floor: row.floor_zero.then_some(zero),
        ceiling: None,
        metadata: std::collections::BTreeMap::new(),
    }
}

/// What the balances come against.
fn house(account: &AccountId, currency: Currency) -> Result<OpenAccount, IdError> {
    let entry = chart::lookup(&account.code());
    Ok(OpenAccount {
        account: account.clone(),
        currency,
        owner: HOUSE.parse()?,
        account_type: entry.map_or(AccountType::Equity, |entry| entry.account_type),
        class: entry.map_or(PostingClass::Equity, |entry| entry.class),
        itemised: false,
        floor: None,
        ceiling: None,
        metadata: std::collections::BTreeMap::new(),
    })
}

fn posting(
    row: &Row,
    against: AccountId,
    on: Option<NaiveDate>,
) -> Result<Option<Posting>, IdError> {
    let Some(side) = row.side else { return Ok(None) };
    let leg =
        |account, direction, item| PostingLeg { account, direction, amount: row.amount, item };
    Ok(Some(Posting {
        transaction_id: TransactionId::from_uuid(System.fresh()),
        kind: Kind::OPENING.parse()?,
        legs: vec![
            leg(row.account.clone(), side, row.item.clone()),
            leg(against, side.opposite(), None),
        ],
        effective_on: on,
        value_date: None,
        conditions: Vec::new(),
        note: None,
    }))
}

fn open(principal: &Principal, open: &OpenAccount) -> Result<Command, IdError> {
    let key = format!("import/open/{}", open.account);
    let told = format!("{:?}", (&open.owner, open.account_type.as_str(), open.class.as_str()));
    command(principal, &key, &told, Operation::OpenAccount(open.clone()))
}

fn balance(
    principal: &Principal,
    row: &Row,
    posting: Posting,
    on: Option<NaiveDate>,
) -> Result<Command, IdError> {
    let item = row.item.as_ref().map(|item| format!("/{item}")).unwrap_or_default();
    let key = format!("import/balance/{}{item}", row.account);
    let told = format!("{:?}", (row.side, row.amount.amount().to_string(), on));
    command(principal, &key, &told, Operation::Post(vec![posting]))
}

/// A command under a key of its account, so that it happens once whatever is imported again.
fn command(
    principal: &Principal,
    key: &str,
    told: &str,
    operation: Operation,
) -> Result<Command, IdError> {
    let mut digest = Sha256::new();
    for part in ["bahi/import/1", key, told] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    Ok(Command {
        principal: principal.clone(),
        idempotency: Some(Idempotency { key: key.parse()?, fingerprint: digest.finalize().into() }),
        request: RequestId::from_uuid(System.fresh()),
        authority: Authority::all(),
        approval: None,
        operation,
    })
}

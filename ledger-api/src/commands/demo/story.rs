//! What the demo's people did before you came: through the engine's own commands, once.
//!
//! Every step has a stable idempotency key, so that a second run is answered from the first and
//! changes nothing. The steps are part of that: a step is never changed, only added.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use ledger_api::setup::Secret;
use ledger_core::{
    book::Book,
    chart::{self, Authority, Direction},
    clock::{Ids, System},
    command::{Approval, Command, Idempotency, OpenAccount, Operation, Outcome},
    engine::Engine,
    ids::{AccountId, Principal, RequestId, TransactionId},
    money::Money,
    posting::{Posting, PostingLeg},
};
use sha2::{Digest, Sha256};

use super::{
    super::work::{status_now, submit},
    banks,
};

/// Who the demo acts as. Not the one its API key belongs to: whose keys are yours to choose.
pub(super) const PRINCIPAL: &str = "demo-setup";
/// Who decides what takes another person.
pub(super) const COLLEAGUE: &str = "demo-colleague";

/// The bank's clearing account, which deposits come in on.
const CLEARING: &str = "bank:demo:clearing_in:INR";

/// The demo's accounts, and whose they are.
pub(super) const ACCOUNTS: [(&str, &str); 5] = [
    (CLEARING, "bank-demo"),
    ("wallet:asha:INR", "asha"),
    ("wallet:ravi:INR", "ravi"),
    ("wallet:meera:INR", "meera"),
    ("merchant:chai:available:INR", "chai"),
];

/// Kind, from, to, amount. What comes from the bank is a debit of its clearing account.
const MOVEMENTS: [(&str, &str, &str, &str); 6] = [
    ("deposit", CLEARING, "wallet:asha:INR", "10000.00"),
    ("deposit", CLEARING, "wallet:ravi:INR", "2500.00"),
    ("transfer", "wallet:asha:INR", "wallet:meera:INR", "1200.50"),
    ("payment", "wallet:meera:INR", "merchant:chai:available:INR", "40.00"),
    ("payment", "wallet:ravi:INR", "merchant:chai:available:INR", "65.00"),
    ("transfer", "wallet:meera:INR", "wallet:ravi:INR", "300.00"),
];

/// Where the bank of these stories has its customers' money.
const ESCROW: &str = "bank:demo:escrow:INR";

/// What came in by it, by the movement's number: the bank has no adapter, so nobody fetches its
/// statement, and two people book what is on it. Without that it would be owed to us for ever.
const STATED: [(usize, &str); 2] = [(0, "10000.00"), (1, "2500.00")];

/// Makes the accounts and the movements, unless they are there.
pub(super) async fn tell(engine: &Engine, secret: &Secret) -> anyhow::Result<()> {
    let teller = Teller::start(engine, secret, PRINCIPAL.parse()?).await?;
    for (account, owner) in ACCOUNTS {
        teller.open(account, owner).await?;
    }
    for (index, (kind, from, to, amount)) in MOVEMENTS.into_iter().enumerate() {
        teller.post(index, kind, (from, to), amount).await?;
    }
    teller.open(ESCROW, "bank-demo").await?;
    for (index, amount) in STATED {
        let said = Said {
            reason: "what the bank of the stories says on its statement",
            evidence: b"the statement of the bank of the stories",
        };
        let step = format!("state {index}");
        teller.adjust(&step, (ESCROW, CLEARING), (amount, index), &said).await?;
    }
    Ok(())
}

/// Books what the sandbox banks had from the start, so that their statements and our books begin
/// alike: the house's own money, put there by two people.
pub(super) async fn endow(engine: &Engine, secret: &Secret, codes: &[&str]) -> anyhow::Result<()> {
    let teller = Teller::start(engine, secret, PRINCIPAL.parse()?).await?;
    teller.open("equity:capital:INR", "bahi").await?;
    for bank in codes {
        // In a folder of an earlier demo the first step is answered as it was then, when its banks
        // started with more in escrow; what they started with of our own was the same.
        for (step, account, amount) in [
            (format!("endow {bank}"), "escrow", banks::ESCROW),
            (format!("endow {bank} own"), "own", banks::OWN),
        ] {
            let account = format!("bank:{bank}:{account}:INR");
            teller.open(&account, "bahi").await?;
            let said = Said {
                reason: "what the sandbox bank says at the start that we have there",
                evidence: b"the sandbox bank's first statement",
            };
            teller.adjust(&step, (&account, "equity:capital:INR"), (amount, 0), &said).await?;
        }
    }
    Ok(())
}

/// Why two people book something.
struct Said {
    reason: &'static str,
    evidence: &'static [u8],
}

/// Somebody who tells the ledger what happens.
pub(super) struct Teller<'a> {
    engine: &'a Engine,
    secret: &'a Secret,
    book: Arc<Book>,
    principal: Principal,
}

impl<'a> Teller<'a> {
    /// In the name of whoever does it.
    pub(super) async fn start(
        engine: &'a Engine,
        secret: &'a Secret,
        principal: Principal,
    ) -> anyhow::Result<Self> {
        let book = status_now(engine).await?.book;
        Ok(Self { engine, secret, book, principal })
    }

    async fn open(&self, account: &str, owner: &str) -> anyhow::Result<()> {
        let account: AccountId = account.parse()?;
        let Some(entry) = chart::lookup(&account.code()) else {
            bail!("{account} is not in the chart of accounts");
        };
        let Some(currency) = self.book.currency(account.currency()?) else {
            bail!("the book has no currency for {account}");
        };
        let floor = entry.floor_zero.then(|| Money::zero(currency).amount());
        let step = format!("open {account} for {owner}");
        let operation = Operation::OpenAccount(OpenAccount {
            account,
            currency,
            owner: owner.parse()?,
            account_type: entry.account_type,
            class: entry.class,
            itemised: entry.itemised,
            floor,
            ceiling: None,
            metadata: std::collections::BTreeMap::new(),
        });
        self.step(&step, operation).await
    }

    async fn post(
        &self,
        index: usize,
        kind: &str,
        (from, to): (&str, &str),
        amount: &str,
    ) -> anyhow::Result<()> {
        let transaction_id = TransactionId::from_uuid(System.fresh());
        let legs = vec![
            self.leg(from, Direction::Debit, amount, index)?,
            self.leg(to, Direction::Credit, amount, index)?,
        ];
        let posting = Posting {
            transaction_id,
            kind: kind.parse()?,
            legs,
            effective_on: None,
            value_date: None,
            conditions: Vec::new(),
            note: None,
        };
        let step = format!("{index} {kind} {amount} from {from} to {to}");
        self.step(&step, Operation::Post(vec![posting])).await
    }

    /// What two people book: a debit of one account and a credit of the other.
    async fn adjust(
        &self,
        step: &str,
        (debit, credit): (&str, &str),
        (amount, index): (&str, usize),
        said: &Said,
    ) -> anyhow::Result<()> {
        let posting = Posting {
            transaction_id: TransactionId::from_uuid(System.fresh()),
            kind: "adjustment".parse()?,
            legs: vec![
                self.leg(debit, Direction::Debit, amount, index)?,
                self.leg(credit, Direction::Credit, amount, index)?,
            ],
            effective_on: None,
            value_date: None,
            conditions: Vec::new(),
            note: None,
        };
        let approval = Approval {
            approver: "demo-auditor".parse()?,
            reason: said.reason.to_owned(),
            evidence_sha256: hex::encode(Sha256::digest(said.evidence)),
        };
        let command = Command {
            principal: self.principal.clone(),
            idempotency: Some(self.once(step)?),
            request: RequestId::from_uuid(System.fresh()),
            authority: Authority::all(),
            approval: Some(approval),
            operation: Operation::Post(vec![posting]),
        };
        let answer = self.engine.submit(command).await.context("the ledger did not answer")?;
        match answer.outcome {
            Outcome::Accepted(_) => Ok(()),
            Outcome::Rejected(rejection) => bail!("{debit} got nothing: {}", rejection.detail),
        }
    }

    /// A leg of a transaction.
    pub(super) fn leg(
        &self,
        account: &str,
        direction: Direction,
        amount: &str,
        index: usize,
    ) -> anyhow::Result<PostingLeg> {
        let account: AccountId = account.parse()?;
        let Some(currency) = self.book.currency(account.currency()?) else {
            bail!("the book has no currency for {account}");
        };
        let itemised = chart::lookup(&account.code()).is_some_and(|entry| entry.itemised);
        let item = if itemised { Some(format!("demo-{index}").parse()?) } else { None };
        Ok(PostingLeg { account, direction, amount: Money::parse(amount, currency)?, item })
    }

    async fn step(&self, step: &str, operation: Operation) -> anyhow::Result<()> {
        let idempotency = Some(self.once(step)?);
        let done = submit(self.engine, &self.principal, idempotency, Authority::all(), operation);
        match done.await? {
            Ok(_) => Ok(()),
            Err(rejection) => bail!("the demo could not {step}: {}", rejection.detail),
        }
    }

    /// What makes a step once.
    pub(super) fn once(&self, step: &str) -> anyhow::Result<Idempotency> {
        let fingerprint = Sha256::new()
            .chain_update(b"bahi/demo/1")
            .chain_update(self.secret.bytes())
            .chain_update(step.as_bytes())
            .finalize();
        let key = step.replace(' ', "/");
        Ok(Idempotency { key: key.parse()?, fingerprint: fingerprint.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_in_by_the_bank_of_the_stories_is_on_its_statement() {
        let came = (0..).zip(MOVEMENTS).filter(|(_, (_, from, ..))| *from == CLEARING);
        let came: Vec<(usize, &str)> = came.map(|(index, (.., amount))| (index, amount)).collect();
        assert_eq!(came, STATED);
    }
}

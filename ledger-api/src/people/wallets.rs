//! A person's wallet: an account of the ledger, opened when they sign up and put on the tier that
//! they have proved to deserve.
//!
//! The person is made first, for a handle may be taken and an account cannot be unmade. What a
//! crash leaves undone between the two is done by the next request of theirs, or by the sweep at
//! the next start; the ledger's idempotency keys make it once.

use std::{collections::BTreeMap, sync::Arc};

use ledger_core::{
    chart::{self, Authority, PostingClass},
    clock::{Clock, Ids, Timestamp},
    command::{
        Command, DefineTier, Idempotency, OpenAccount, Operation, Outcome, Rejection, SetTier,
    },
    engine::SubmitError,
    ids::{AccountId, IdError, Owner, Principal, RequestId},
    money::{Currency, Money, MoneyError},
    tier::{FlowLimits, TierLimits},
};
use rust_decimal::Decimal;

use super::{People, PeopleError, Person, TIER_FULL, TIER_SMALL};
use crate::http::Ledger;

/// What tiers allow until an operator says otherwise, in rupees: the most on the wallet, the most
/// that comes in a month, the most that goes out at once, in a day, in a month.
const SMALL: [i64; 5] = [10_000, 10_000, 2_000, 5_000, 10_000];
const FULL: [i64; 5] = [200_000, 1_000_000, 100_000, 200_000, 1_000_000];

/// Who decides on tiers, in the log.
const PRINCIPAL: &str = "people";

/// The code of a refusal to define what is there already.
const VERSION_CONFLICT: &str = "tier_version";

/// Why a wallet is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The ledger did not answer.
    #[error("the ledger did not answer")]
    Submit(#[from] SubmitError),
    /// The ledger said no.
    #[error("the ledger refused: {} ({})", .0.detail, .0.code)]
    Rejected(Box<Rejection>),
    /// The book or the chart lacks something.
    #[error("the book has no {0}")]
    Missing(&'static str),
    /// A name was not well formed.
    #[error("a name is not well formed")]
    Id(#[from] IdError),
    /// A default limit is no amount.
    #[error("a default limit is no amount")]
    Limit(#[from] MoneyError),
    /// The person could not be read or written.
    #[error("the person could not be read or written")]
    People(#[from] PeopleError),
}

/// Opens wallets and keeps them on their tiers; cheap to clone.
#[derive(Clone)]
pub struct Wallets {
    people: People,
    ledger: Arc<dyn Ledger>,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
}

impl Wallets {
    /// For the people of a ledger.
    pub fn new(
        people: People,
        ledger: Arc<dyn Ledger>,
        ids: Arc<dyn Ids>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { people, ledger, ids, clock }
    }

    /// Does what is not done yet: opens the wallet, and puts it on the tier that is due.
    ///
    /// # Errors
    /// [`WalletError`]; what was done until then stays, and may be done again.
    pub async fn settle(&self, person: &Person) -> Result<(), WalletError> {
        let due = person.due_tier()?;
        if person.wallet_opened_at.is_none() {
            self.open(person).await?;
            self.people.note_wallet(person.id, None, self.clock.now()).await?;
        }
        if person.wallet_tier.as_ref() != Some(&due) {
            let account = person.id.wallet()?;
            let us: Principal = PRINCIPAL.parse()?;
            let set = Operation::SetTier(SetTier { account, tier: Some(due.clone()) });
            let mut done = self.submit(us.clone(), None, set.clone()).await;
            if let Err(WalletError::Rejected(rejection)) = &done
                && rejection.code == "tier_unknown"
            {
                self.define(&us, TIER_SMALL, SMALL).await?;
                self.define(&us, TIER_FULL, FULL).await?;
                done = self.submit(us, None, set).await;
            }
            done?;
            self.people.note_wallet(person.id, Some(&due), self.clock.now()).await?;
        }
        Ok(())
    }

    /// What time it is for wallets.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn open(&self, person: &Person) -> Result<(), WalletError> {
        let key = format!("open-wallet-{}", person.id.uuid().simple());
        let whose = (person.id.owner()?, person.id.principal()?);
        let hash = self.people.key().hash("open-wallet", &[person.id.uuid().as_bytes()]);
        self.open_with(person.id.wallet()?, whose, (&key, hash)).await
    }

    /// Opens an account of the chart for whoever it is of, in rupees. The key must be the same for
    /// one account whenever it is asked: so it happens once.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn open_account(
        &self,
        account: AccountId,
        whose: (Owner, Principal),
        key: &str,
    ) -> Result<(), WalletError> {
        let hash = self.people.key().hash("open-account", &[key.as_bytes()]);
        self.open_with(account, whose, (key, hash)).await
    }

    async fn open_with(
        &self,
        account: AccountId,
        (owner, asks): (Owner, Principal),
        (key, fingerprint): (&str, [u8; 32]),
    ) -> Result<(), WalletError> {
        let entry = chart::lookup(&account.code()).ok_or(WalletError::Missing("such accounts"))?;
        let currency = self.rupee().await?;
        let open = OpenAccount {
            floor: entry.floor_zero.then(|| Money::zero(currency).amount()),
            ceiling: None,
            currency,
            owner,
            account_type: entry.account_type,
            class: entry.class,
            itemised: entry.itemised,
            metadata: BTreeMap::new(),
            account,
        };
        let idempotency = Idempotency { key: key.parse()?, fingerprint };
        self.submit(asks, Some(idempotency), Operation::OpenAccount(open)).await
    }

    /// Defines a tier unless the book has it: what an operator defined stays.
    async fn define(
        &self,
        us: &Principal,
        name: &str,
        [balance, month_in, once, day, month]: [i64; 5],
    ) -> Result<(), WalletError> {
        let tier = name.parse()?;
        let currency = self.rupee().await?;
        if self.ledger.status().borrow().book.tiers().get(&tier).is_some() {
            return Ok(());
        }
        let rupees = |amount: i64| -> Result<Option<Decimal>, MoneyError> {
            Money::parse(&amount.to_string(), currency).map(|money| Some(money.amount()))
        };
        let limits = TierLimits {
            balance: rupees(balance)?,
            incoming: FlowLimits { per_month: rupees(month_in)?, ..FlowLimits::default() },
            outgoing: FlowLimits {
                per_transaction: rupees(once)?,
                per_day: rupees(day)?,
                per_month: rupees(month)?,
                ..FlowLimits::default()
            },
        };
        let define = DefineTier { tier, currency, limits, expected_version: Some(0) };
        match self.submit(us.clone(), None, Operation::DefineTier(Box::new(define))).await {
            Err(WalletError::Rejected(rejection)) if rejection.code == VERSION_CONFLICT => Ok(()),
            done => done,
        }
    }

    async fn rupee(&self) -> Result<Currency, WalletError> {
        let code = "INR".parse()?;
        let known = |ledger: &Arc<dyn Ledger>| ledger.status().borrow().book.currency(code);
        if let Some(currency) = known(&self.ledger) {
            return Ok(currency);
        }
        self.ledger.refresh().await?;
        known(&self.ledger).ok_or(WalletError::Missing("rupees"))
    }

    async fn submit(
        &self,
        principal: Principal,
        idempotency: Option<Idempotency>,
        operation: Operation,
    ) -> Result<(), WalletError> {
        let command = Command {
            principal,
            idempotency,
            request: RequestId::from_uuid(self.ids.fresh()),
            authority: Authority::of(&[PostingClass::Open]),
            approval: None,
            operation,
        };
        match self.ledger.submit(command).await?.outcome {
            Outcome::Accepted(_) => Ok(()),
            Outcome::Rejected(rejection) => Err(WalletError::Rejected(Box::new(rejection))),
        }
    }
}

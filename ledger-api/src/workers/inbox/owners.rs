//! Whose a delivery is: found when it is settled, so that its bytes are forgotten with their
//! subject.
//!
//! The subject is the owner of the account that the withdrawal or deposit is of. What belongs to no
//! account (a bank's notice, money that nobody knows) stays sealed under the installation's key.

use std::time::Duration;

use ledger_core::{
    deposit::credit,
    ids::{BankCode, DepositId, Owner, Reference},
};
use projections::ReadError;

use super::{Applier, ApplyError};
use crate::{
    banks::{BankMessage, message},
    webhooks::Delivery,
};

/// How long it waits for the read models to know what was settled.
const CATCH_UP: Duration = Duration::from_secs(2);
/// How many of those from before are looked at in a round.
const BEFORE_MAX: u32 = 200;
/// How many may wait for the read models; those beyond are found at the next start.
const SETTLED_MAX: usize = 10_000;

/// A delivery that was settled, and what says whose it is.
pub(super) struct Settled {
    id: i64,
    about: About,
}

/// What a delivery is about.
enum About {
    Transfer(BankCode, Reference),
    /// One of these, the first that there is.
    Deposit(Vec<DepositId>),
    Nobody,
}

/// What has to be given to its owners.
#[derive(Default)]
pub(super) struct Owners {
    /// What was settled since the last round.
    pub(super) settled: Vec<Settled>,
    /// Whether all that was settled before this worker began was looked at.
    all_before: bool,
    /// Up to which of them.
    before: i64,
}

impl Owners {
    /// Of one delivery, without a look at what was before.
    pub(super) fn one(settled: Settled) -> Self {
        Self { settled: vec![settled], all_before: true, before: 0 }
    }
}

impl Settled {
    pub(super) fn of(delivery: &Delivery) -> Self {
        Self { id: delivery.id, about: about(delivery).unwrap_or(About::Nobody) }
    }
}

fn about(delivery: &Delivery) -> Option<About> {
    let bank = delivery.bank.parse::<BankCode>().ok()?;
    Some(match message::parse(delivery.body.as_ref()?).ok()? {
        BankMessage::Transfer(transfer) => About::Transfer(bank, transfer.reference),
        BankMessage::Credit(told) => {
            let asked_for = told.token.as_ref().and_then(credit::id_of_token);
            let unsolicited = credit::id_of(&bank, &told.bank_transaction_id);
            About::Deposit(asked_for.into_iter().chain([unsolicited]).collect())
        }
        BankMessage::CollectLinkDeclined(link) => {
            About::Deposit(credit::id_of_token(&link.token).into_iter().collect())
        }
        BankMessage::Other(_) => About::Nobody,
    })
}

impl Applier {
    /// Gives what was settled to its owners, and some of what was settled before.
    pub(super) async fn assign(&self, owners: &mut Owners) -> Result<(), ApplyError> {
        if !owners.all_before {
            let before = self.inbox.of_nobody(owners.before, BEFORE_MAX).await?;
            for id in &before {
                if let Some(delivery) = self.inbox.find(*id).await? {
                    owners.settled.push(Settled::of(&delivery));
                }
            }
            owners.before = before.last().copied().unwrap_or(owners.before);
            owners.all_before = u32::try_from(before.len()) != Ok(BEFORE_MAX);
        }
        owners.settled.truncate(SETTLED_MAX);
        if owners.settled.is_empty() {
            return Ok(());
        }
        self.catch_up().await?;
        while let Some(settled) = owners.settled.last() {
            if let Some(owner) = self.owner_of(&settled.about).await? {
                self.inbox.assign(settled.id, &owner).await?;
            }
            owners.settled.pop();
        }
        Ok(())
    }

    /// Waits until the read models have what the deliveries came to.
    async fn catch_up(&self) -> Result<(), ApplyError> {
        let Some(sender) = self.senders.values().next() else { return Ok(()) };
        let ledger = &sender.teller.clerk.ledger;
        let head = ledger.status().borrow().head.position;
        self.read_models.wait_for(head, CATCH_UP).await?;
        Ok(())
    }

    async fn owner_of(&self, about: &About) -> Result<Option<Owner>, ReadError> {
        match about {
            About::Transfer(bank, reference) => {
                self.read_models.owner_of_attempt(bank, reference).await
            }
            About::Deposit(deposits) => self.read_models.owner_of_deposits(deposits).await,
            About::Nobody => Ok(None),
        }
    }
}

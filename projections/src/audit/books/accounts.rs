//! All accounts of the log, by id.

use std::collections::HashMap;

use super::{
    super::{
        finding::{Code, Findings, Place},
        payload::{AccountOpened, AccountType},
        snapshots::{Made, Snapshots},
    },
    account::Account,
    currency::Currencies,
};

/// What an account came to, for comparison with a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Balance {
    pub account: Box<str>,
    /// Nothing if its opening could not be read.
    pub account_type: Option<AccountType>,
    pub class: Box<str>,
    pub scale: u8,
    pub debits: i128,
    pub credits: i128,
    pub held: i128,
    pub sequence: i64,
}

#[derive(Debug, Default)]
pub(super) struct Accounts {
    index: HashMap<Box<str>, usize>,
    list: Vec<Account>,
    /// Every class that an account was opened with: few, so that an account keeps a number.
    classes: Vec<Box<str>>,
    /// The engine's, where they are to be compared.
    snapshots: Option<Snapshots>,
    pub opened: u64,
}

impl Accounts {
    pub(super) fn new(snapshots: Option<Snapshots>) -> Self {
        Self { snapshots, ..Self::default() }
    }

    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// The account of an index that `find` or `unknown` gave.
    #[expect(clippy::indexing_slicing, reason = "an index is only ever given for what is there")]
    pub(super) fn at(&mut self, index: usize) -> &mut Account {
        &mut self.list[index]
    }

    fn insert(&mut self, id: &str, mut account: Account) -> usize {
        let index = self.list.len();
        account.snapshot = self.snapshots.as_mut().and_then(|snapshots| snapshots.take(id));
        self.list.push(account);
        self.index.insert(Box::from(id), index);
        index
    }

    /// An account whose opening could not be read: only its sequence is followed.
    pub(super) fn unknown(
        &mut self,
        place: Place<'_>,
        sequence: i64,
        currencies: &mut Currencies,
    ) -> usize {
        if let Some(index) = self.find(place.aggregate_id) {
            self.at(index).sequence = sequence;
            return index;
        }
        let code = place.aggregate_id.rsplit_once(':').map_or("", |(_, code)| code);
        let (currency, scale) = currencies.scale_of(code);
        let account = Account::unknown(currency, scale, sequence);
        self.insert(place.aggregate_id, account)
    }

    pub(super) fn open(
        &mut self,
        place: Place<'_>,
        sequence: i64,
        opened: &AccountOpened<'_>,
        currencies: &mut Currencies,
        findings: &mut Findings,
    ) {
        if let Some(index) = self.find(place.aggregate_id) {
            findings.event(place, Code::AccountRepeated, "the account is open already");
            return self.at(index).sequence(place, sequence, findings);
        }
        if &*opened.account != place.aggregate_id {
            let words = format!("the payload opens {:?}", &*opened.account);
            findings.event(place, Code::AccountDiffers, words);
        }
        let (code, currency) = place.aggregate_id.rsplit_once(':').unwrap_or_default();
        if code.is_empty() || currency.is_empty() {
            let words = "an account's id is a code, ':' and a currency";
            findings.event(place, Code::IdMalformed, words);
        }
        if opened.owner.is_empty() || opened.class.is_empty() {
            let words = "owner or class is empty";
            findings.event(place, Code::PayloadUnreadable, words);
        }
        let currency = currencies.claim(currency, opened.scale);
        currencies.account(place, currency, opened.scale, findings);
        let mut account = Account::opened(place, currency, opened, findings);
        account.sequence(place, sequence, findings);
        account.class = self.class(&opened.class);
        self.opened += 1;
        let index = self.insert(place.aggregate_id, account);
        self.compare_snapshot(index);
    }

    /// An event of the account was looked at: its snapshot is compared if it was taken here.
    pub(super) fn compare_snapshot(&mut self, index: usize) {
        let account = self.at(index);
        let here = account.snapshot.take_if(|snapshot| snapshot.sequence <= account.sequence);
        if let Some(snapshot) = here {
            let made = made(account);
            if let Some(snapshots) = &mut self.snapshots {
                snapshots.compare(&snapshot, &made);
            }
        }
    }

    /// The log has no more: what the snapshots came to, those that are ahead of it too.
    pub(super) fn snapshots(&mut self) -> Option<Snapshots> {
        let mut snapshots = self.snapshots.take()?;
        for account in &mut self.list {
            if let Some(snapshot) = account.snapshot.take() {
                snapshots.compare(&snapshot, &made(account));
            }
        }
        snapshots.finish();
        Some(snapshots)
    }

    fn class(&mut self, name: &str) -> u16 {
        let found = self.classes.iter().position(|class| **class == *name);
        let index = found.unwrap_or_else(|| {
            self.classes.push(Box::from(name));
            self.classes.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    pub(super) fn closed(&self) -> u64 {
        let closed = self.list.iter().filter(|account| account.closed).count();
        u64::try_from(closed).unwrap_or(u64::MAX)
    }

    /// Every account whose sum of holds can be judged.
    pub(super) fn judged(&self) -> impl Iterator<Item = (&str, usize, &Account)> {
        self.index.iter().filter_map(|(id, index)| {
            let account = self.list.get(*index)?;
            (!account.taken_over).then_some((&**id, *index, account))
        })
    }

    /// Itemised accounts against their open items; gives how many items are open.
    pub(super) fn compare_items(&self, findings: &mut Findings) -> u64 {
        let mut open = 0_u64;
        for (id, index) in &self.index {
            if let Some(account) = self.list.get(*index) {
                open = open.saturating_add(account.compare_items(id, findings));
            }
        }
        open
    }

    /// Every balance as it stands, in order of the id.
    pub(super) fn balances(&self) -> Vec<Balance> {
        self.balances_of(|_, account| (account.debits, account.credits))
    }

    /// Every account with the sums that `sums` gives for its index.
    pub(super) fn balances_of(
        &self,
        sums: impl Fn(usize, &Account) -> (i128, i128),
    ) -> Vec<Balance> {
        let balance = |(id, index): (_, &usize)| {
            let account = self.list.get(*index)?;
            let (debits, credits) = sums(*index, account);
            Some(Balance {
                account: Box::<str>::clone(id),
                account_type: account.of_type,
                class: self.classes.get(usize::from(account.class)).cloned().unwrap_or_default(),
                scale: account.scale,
                debits,
                credits,
                held: account.held,
                sequence: account.sequence,
            })
        };
        let mut all: Vec<_> = self.index.iter().filter_map(balance).collect();
        all.sort_unstable_by(|a, b| a.account.cmp(&b.account));
        all
    }
}

/// What the events of an account came to.
fn made(account: &Account) -> Made {
    Made {
        sequence: account.sequence,
        debits: account.text(account.debits),
        credits: account.text(account.credits),
        held: account.text(account.held),
    }
}

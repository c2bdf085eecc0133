//! What the owner of a wallet owes is repaid by the next money that comes, in the same append: up
//! to what is owed, and never more than the wallet could give with what came. It is a transaction
//! of its own, so that the wallet's statement shows what came and what it went to. Until nothing is
//! owed any more the wallet is not closed.

use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};

use super::{Plan, Step, StreamId, View, on_account, planner::Planner, withdrawals::internal};
use crate::{
    account::{Account, AccountCommand},
    chart::Direction,
    command::Rejection,
    deposit::movement::is_wallet,
    ids::{AccountCode, AccountId, MerchantCode, TransactionId},
    money::Money,
    payment::movement::ShopAccounts,
    posting::{Kind, Posting, PostingLeg},
};

/// Why somebody may owe us, in the order in which it is repaid.
const REASONS: [&str; 2] = ["recall", "overpaid"];

/// The accounts of what the owner of a wallet may owe.
pub fn debts_of(wallet: &AccountId) -> Vec<AccountId> {
    let code = wallet.code();
    let party = code.segments().nth(1).filter(|_| is_wallet(wallet));
    let Some((party, currency)) = party.zip(wallet.currency().ok()) else { return Vec::new() };
    let codes = REASONS.iter().map(|reason| format!("receivable:{reason}:{party}"));
    let codes = codes.filter_map(|code| code.parse::<AccountCode>().ok());
    codes.map(|code| AccountId::new(&code, currency)).collect()
}

/// What the shop of an account owes; nothing if it is no account of a shop.
fn debt_of_shop(account: &AccountId) -> Option<AccountId> {
    let code = account.code();
    let mut segments = code.segments();
    let is_shops = segments.next() == Some("merchant");
    let shop = segments.next().filter(|_| is_shops)?.parse::<MerchantCode>().ok()?;
    Some(ShopAccounts::of(&shop, account.currency().ok()?).ok()?.receivable)
}

/// What has to be repaid before an account is closed: the debts of whoever has it.
fn debts_before_closing(account: &AccountId) -> Vec<AccountId> {
    let mut debts = debts_of(account);
    debts.extend(debt_of_shop(account));
    debts
}

/// The streams that the closing of an account touches: what its owner owes is looked at with it, so
/// that a debt which lands first is seen.
pub(super) fn streams_of_closing(account: &AccountId) -> Vec<StreamId> {
    let debts = debts_before_closing(account);
    std::iter::once(account.clone()).chain(debts).map(StreamId::Account).collect()
}

impl<V: View> Planner<'_, V> {
    /// Closes an account, unless it is the wallet of somebody who owes, or of a shop that does:
    /// nobody would be left to repay. One that is closed or never was says so itself.
    pub(super) fn close_account(&self, account: &AccountId) -> Result<Plan, Rejection> {
        let known = self.view.account(account);
        let is_open = known.is_some_and(|a| a.properties().is_some() && !a.is_closed());
        let is_owed = |debt: &AccountId| {
            self.view.account(debt).is_some_and(|known| known.debit_balance() > Decimal::ZERO)
        };
        if is_open && debts_before_closing(account).iter().any(is_owed) {
            let text = "its owner owes, and the next money that comes to it repays";
            return Err(Rejection::new("debt_open", text).of(account));
        }
        Ok(on_account(account, AccountCommand::Close))
    }

    /// Repays with what a transaction brings to a wallet, after its legs. What is not in sight is
    /// not repaid now.
    pub(super) fn repay(
        &self,
        wallet: &AccountId,
        (by, brought): (TransactionId, Decimal),
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        let Some(giver) = self.view.account(wallet) else { return Ok(()) };
        let spendable = giver.spendable_once_freed(brought).unwrap_or(brought);
        let mut left = brought.min(spendable);
        let mut repaid = Vec::new();
        for debt in debts_of(wallet) {
            let known = self.view.account(&debt).filter(|known| known.properties().is_some());
            let owed = known.map(Account::debit_balance).unwrap_or_default();
            let most = known.and_then(Account::spendable).unwrap_or(owed);
            let amount = owed.min(most).min(left);
            if amount > Decimal::ZERO {
                left = left.saturating_sub(amount);
                repaid.push((debt, amount));
            }
        }
        let total = repaid.iter().map(|(_, amount)| *amount).reduce(Decimal::saturating_add);
        let Some(total) = total else { return Ok(()) };
        let mut legs = vec![self.repaying_leg(Direction::Debit, wallet, total)?];
        for (debt, amount) in &repaid {
            legs.push(self.repaying_leg(Direction::Credit, debt, *amount)?);
        }
        let posting = Posting {
            transaction_id: id_of(by),
            kind: Kind::of(Kind::REPAYMENT),
            legs,
            effective_on: None,
            value_date: None,
            conditions: Vec::new(),
            note: None,
        };
        self.legs(&posting, self.today(None), None, steps)
    }

    fn repaying_leg(
        &self,
        direction: Direction,
        account: &AccountId,
        amount: Decimal,
    ) -> Result<PostingLeg, Rejection> {
        let currency = account.currency().map_err(|_| internal())?;
        let currency = self.view.book().currency(currency).ok_or_else(internal)?;
        let amount = Money::from_decimal(amount, currency).map_err(|_| internal())?;
        Ok(PostingLeg { account: account.clone(), direction, amount, item: None })
    }
}

/// The repayment by what a transaction brought: always the same one.
fn id_of(by: TransactionId) -> TransactionId {
    let mut hash = Sha256::new();
    hash.update(b"bahi repayment\0");
    hash.update(by.uuid().as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0_u8; 16];
    for (byte, digest) in bytes.iter_mut().zip(digest) {
        *byte = digest;
    }
    // A UUID whose bits are our own (version 8): no id that was made can be one of these.
    TransactionId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

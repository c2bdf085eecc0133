//! Takes commands about tiers apart: amounts must be amounts of the tier's currency, and an account
//! is put only on a tier that the book has, in the account's currency.

use super::{Plan, View, checks, on_account, on_book, planner::Planner};
use crate::{
    account::AccountCommand,
    book::BookCommand,
    command::{DefineTier, Rejection, SetTier},
    money::MoneyError,
};

impl<V: View> Planner<'_, V> {
    pub(super) fn define_tier(&self, define: &DefineTier) -> Result<Plan, Rejection> {
        let DefineTier { currency, limits, .. } = define;
        if self.view.book().currency(currency.code) != Some(*currency) {
            return Err(Rejection::new("currency_unknown", "the book does not have this currency"));
        }
        let all: Vec<_> = limits.all().collect();
        checks::limits(*currency, &all)?;
        if all.iter().flatten().any(|limit| limit.is_sign_negative() && !limit.is_zero()) {
            let text = "a limit of a tier is zero or more";
            return Err(Rejection::new("limit_negative", text));
        }
        Ok(on_book(BookCommand::DefineTier(Box::new(define.clone()))))
    }

    pub(super) fn set_tier(&self, set: &SetTier) -> Result<Plan, Rejection> {
        let account = &set.account;
        let tier = match &set.tier {
            None => None,
            Some(name) => {
                let unknown = || Rejection::new("tier_unknown", "the book does not have this tier");
                let tier = self.view.book().tiers().get(name).ok_or_else(unknown)?;
                if account.currency() != Ok(tier.currency) {
                    let text = "the tier's limits are in another currency than the account";
                    let code = MoneyError::CurrencyMismatch.code();
                    return Err(Rejection::new(code, text).of(account));
                }
                Some((tier.tier.clone(), tier.version))
            }
        };
        Ok(on_account(account, AccountCommand::SetTier { tier }))
    }
}

//! Which settlements a page and its file show, as the address says it.

use ledger_core::{ids::SettlementId, log::Position};
use projections::SettlementFilter;
use serde::Deserialize;

use super::{looking::Looking, shop};
use crate::{
    http::Problem,
    pages::{
        FormErrors, address,
        merchant::{MoneyEyes, ShopVisitor},
    },
};

/// Whether a payout took it: what can be chosen, and in which words.
pub(super) const STATUSES: [(&str, &str); 3] =
    [("", "All"), (PAID_OUT, "Went to the bank"), (AVAILABLE, "Not paid out yet")];
const PAID_OUT: &str = "paid_out";
const AVAILABLE: &str = "available";
/// The longest reference that is looked for.
const FIND_CHARS_MAX: usize = 64;

/// The address's query. Everything is a text first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    pub(super) status: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) amount: String,
    /// A settlement's id, or the bank's reference of the payout that took it.
    pub(super) find: String,
    pub(super) older: String,
}

impl Query {
    /// The filter, and what of the address means nothing; no filter if nothing can match.
    pub(super) async fn filter(
        &self,
        visitor: &ShopVisitor<MoneyEyes>,
    ) -> Result<(Option<SettlementFilter>, FormErrors), Problem> {
        let mut errors = FormErrors::none();
        let fields = [&*self.from, &*self.to, &*self.amount];
        let Looking { from, until, amount } = Looking::of(fields, visitor.zone, &mut errors);
        let mut filter = SettlementFilter {
            merchant: Some(shop(visitor)?),
            from,
            until,
            net: amount,
            before: self.older.parse::<Position>().ok(),
            ..SettlementFilter::default()
        };
        let found = self.found(visitor, &mut filter).await?;
        let chosen = self.chosen(visitor, &mut filter, &mut errors).await?;
        Ok(((found && chosen).then_some(filter), errors))
    }

    /// Adds what is looked for by name; false if there is nothing of that name.
    async fn found(
        &self,
        visitor: &ShopVisitor<MoneyEyes>,
        filter: &mut SettlementFilter,
    ) -> Result<bool, Problem> {
        let typed = self.find.trim();
        if typed.is_empty() {
            return Ok(true);
        }
        if let Ok(id) = typed.parse::<SettlementId>() {
            filter.id = Some(id);
            return Ok(true);
        }
        let reference: String = typed.chars().take(FIND_CHARS_MAX).collect();
        let models = &visitor.state.read_models;
        let span = models.payout_span(&visitor.wallet, Some(&reference)).await?;
        let Some((after, upto)) = span else { return Ok(false) };
        (filter.after, filter.upto) = (after, Some(upto));
        Ok(true)
    }

    /// Adds whether a payout took it; false if none took any and those are wanted.
    async fn chosen(
        &self,
        visitor: &ShopVisitor<MoneyEyes>,
        filter: &mut SettlementFilter,
        errors: &mut FormErrors,
    ) -> Result<bool, Problem> {
        if self.status.is_empty() {
            return Ok(true);
        }
        if STATUSES.iter().all(|(status, _)| *status != self.status) {
            errors.add("status", "There is no such status; it was left out.");
            return Ok(true);
        }
        let last = visitor.state.read_models.payout_span(&visitor.wallet, None).await?;
        let last = last.map(|(_, upto)| upto);
        if self.status == AVAILABLE {
            filter.after = filter.after.max(last);
            return Ok(true);
        }
        let Some(last) = last else { return Ok(false) };
        filter.upto = Some(filter.upto.map_or(last, |upto| upto.min(last)));
        Ok(true)
    }

    /// Whether anything restricts the list.
    pub(super) fn restricts(&self) -> bool {
        self.pairs().iter().any(|(_, value)| !value.is_empty())
    }

    /// The same filter at another address, with one field changed and from the newest on.
    pub(super) fn with(&self, path: &str, name: &'static str, value: &str) -> String {
        address::with(path, &self.pairs(), name, value)
    }

    fn pairs(&self) -> [(&'static str, &str); 5] {
        [
            ("status", &self.status),
            ("from", &self.from),
            ("to", &self.to),
            ("amount", &self.amount),
            ("find", &self.find),
        ]
    }
}

//! What was paid: the payer, the shop and its accounts, and what of the money is not settled.

use super::{
    super::{super::amount, expected::Expected},
    Judged,
    shape::{Sources, Terms},
};

/// What was paid.
#[derive(Debug)]
pub(super) struct Promise {
    pub payer: Box<str>,
    pub merchant: Box<str>,
    pub currency: Box<str>,
    pub scale: u8,
    pub amount: i128,
    /// What is not settled and was not given away.
    pub unsettled: i128,
}

impl Promise {
    pub(super) fn house(&self, code: &str) -> String {
        format!("{code}:{}", self.currency)
    }

    pub(super) fn shop(&self, part: &str) -> String {
        self.house(&format!("merchant:{}:{part}", self.merchant))
    }

    pub(super) fn receivable(&self) -> String {
        self.house(&format!("receivable:merchant:{}", self.merchant))
    }

    /// What the payer owes us, beside the wallet.
    pub(super) fn recall(&self) -> String {
        let party = self.payer.split(':').nth(1).unwrap_or_default();
        self.house(&format!("receivable:recall:{party}"))
    }

    /// What the shop gives, and no more of this payment's unsettled part than there is.
    pub(super) fn given(&mut self, amount: i128, from: &Sources<'_>) -> Judged<Vec<Expected>> {
        let part = |text: &str| parsed(text, self.scale).filter(|part| *part >= 0);
        let parts = part(&from.unsettled).zip(part(&from.available)).zip(part(&from.receivable));
        let ((unsettled, available), receivable) = parts.ok_or("a part of it is no amount")?;
        if unsettled.saturating_add(available).saturating_add(receivable) != amount {
            return Err("the parts that the shop gives are not the whole");
        }
        if unsettled > self.unsettled {
            return Err("more is given than is unsettled");
        }
        self.unsettled -= unsettled;
        Ok(vec![
            Expected::debit(&self.shop("unsettled"), unsettled),
            Expected::debit(&self.shop("available"), available),
            Expected::debit(&self.receivable(), receivable),
        ])
    }
}

pub(super) fn parsed(text: &str, scale: u8) -> Option<i128> {
    amount::parse(text, scale)
}

/// The fee and the tax in it, each half up.
pub(super) fn fee_of(terms: Terms, amount: i128) -> Option<(i128, i128)> {
    let whole = 10_000;
    let (fee_bps, tax_bps) = (i128::from(terms.fee_bps), i128::from(terms.tax_bps));
    if fee_bps > whole || tax_bps > whole {
        return None;
    }
    let half_up = |value: i128, by: i128| value.checked_add(by / 2).map(|sum| sum / by);
    // Of an odd divisor a half is never met, and its lower half rounds the same way.
    let fee = half_up(amount.checked_mul(fee_bps)?, whole)?;
    let tax = half_up(fee.checked_mul(tax_bps)?, whole + tax_bps)?;
    Some((fee, tax))
}

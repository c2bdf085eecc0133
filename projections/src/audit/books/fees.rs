//! What withdrawals and transfers cost, held against what was charged: a request names the version
//! that it was charged by, and that is the one that was in force at its moment. A transfer at once
//! is legs alone, of which the first one names the version, and those of the fee are held against
//! it. Written from docs/events.md alone.

use chrono::DateTime;
use serde::Deserialize;

use super::super::{
    amount,
    finding::{Code, Findings, Place},
    payload::{self as shape, FeeDefined, Leg},
    record::Event,
    text::Text,
};

/// A hundred percent, in basis points.
const WHOLE_BPS: u16 = 10_000;
/// What withdrawals cost before the first event, where they cost anything, and its tax.
const FIRST_WITHDRAWAL: (&str, i128) = ("INR", 1_000);
const FIRST_TAX_BPS: u16 = 1_800;

/// What an event charges, as far as this is about it.
#[derive(Deserialize)]
struct Charged<'a> {
    #[serde(borrow)]
    account: Text<'a>,
    #[serde(borrow)]
    fee: Text<'a>,
    #[serde(borrow)]
    tax: Text<'a>,
    #[serde(default)]
    fee_version: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Fee {
    version: u32,
    minor: i128,
    tax_bps: u16,
    /// Microseconds.
    from: i64,
}

#[derive(Debug)]
struct Row {
    service: Box<str>,
    currency: Box<str>,
    fees: Vec<Fee>,
}

/// A transfer at once whose legs are under way.
#[derive(Debug)]
struct AtOnce {
    transaction: Box<str>,
    position: i64,
    named: u32,
    /// What was in force.
    fee: Fee,
    scale: u8,
    /// What its legs credit to the accounts of fees and of their tax so far.
    net: i128,
    tax: i128,
}

/// Every version that the book has.
#[derive(Debug, Default)]
pub(super) struct Fees {
    rows: Vec<Row>,
    under_way: Option<AtOnce>,
}

impl Fees {
    /// Versions follow one another, and none changes what was charged before its event.
    pub(super) fn define(
        &mut self,
        place: Place<'_>,
        defined: &FeeDefined<'_>,
        (scale, now): (Option<u8>, i64),
        findings: &mut Findings,
    ) {
        let mut wrong = |words: String| findings.event(place, Code::BookDiffers, words);
        if !matches!(&*defined.service, "withdrawal" | "transfer") {
            wrong(format!("nothing has a fee that is called {:?}", &*defined.service));
        }
        let Some(scale) = scale else {
            return wrong(format!("the book has no currency {:?}", &*defined.currency));
        };
        let minor = amount::parse(&defined.fee, scale).filter(|minor| *minor >= 0);
        let from = DateTime::parse_from_rfc3339(&defined.effective_from).ok();
        let from = from.map(|from| from.timestamp_micros()).filter(|from| *from >= now);
        if defined.tax_bps > WHOLE_BPS || minor.is_none() || from.is_none() {
            wrong("a fee below zero, of a rate that is none, or for the past".to_owned());
        }
        let row = self.row(&defined.service, &defined.currency);
        let version = row.fees.last().map_or(1, |last| last.version).saturating_add(1);
        if defined.version != version {
            wrong(format!("a fee of version {} where {version} should be", defined.version));
        }
        row.fees.push(Fee {
            version: defined.version,
            minor: minor.unwrap_or_default(),
            tax_bps: defined.tax_bps,
            from: from.unwrap_or(now),
        });
    }

    fn row(&mut self, service: &str, currency: &str) -> &mut Row {
        let is_it = |row: &Row| *row.service == *service && *row.currency == *currency;
        let index = self.rows.iter().position(is_it).unwrap_or_else(|| {
            let (service, currency) = (service.into(), currency.into());
            self.rows.push(Row { service, currency, fees: Vec::new() });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    fn in_force(&self, service: &str, currency: &str, now: i64) -> Fee {
        let of = |row: &&Row| *row.service == *service && *row.currency == *currency;
        let row = self.rows.iter().find(of);
        let mut begun = row.into_iter().flat_map(|row| row.fees.iter().rev());
        begun.find(|fee| fee.from <= now).copied().unwrap_or_else(|| {
            let costs = service == "withdrawal" && currency == FIRST_WITHDRAWAL.0;
            let minor = if costs { FIRST_WITHDRAWAL.1 } else { 0 };
            Fee { version: 1, minor, tax_bps: FIRST_TAX_BPS, from: 0 }
        })
    }

    /// What a request says that it costs. What cannot be read is said elsewhere.
    pub(super) fn charged(&self, place: Place<'_>, event: &Event<'_>, findings: &mut Findings) {
        let (service, code) = match (event.aggregate_type, event.event_type) {
            ("withdrawal", "requested") => ("withdrawal", Code::WithdrawalDiffers),
            ("transfer", "held") => ("transfer", Code::TransferDiffers),
            _ => return,
        };
        let Ok(charged) = shape::read::<Charged<'_>>(event.payload) else { return };
        let Some(version) = charged.fee_version else { return };
        let currency = charged.account.rsplit(':').next().unwrap_or_default();
        let fee = self.in_force(service, currency, event.recorded_at);
        let decimals = charged.fee.split_once('.').map_or(0, |(_, after)| after.len());
        let minor = |text: &str| amount::parse(text, u8::try_from(decimals).ok()?);
        let (says, tax) = (minor(&charged.fee), minor(&charged.tax));
        if version != fee.version || says != Some(fee.minor) || tax != tax_in(fee) {
            let words = format!(
                "charges {} by version {version} of its fee, and {} of version {} was in force",
                &*charged.fee,
                amount::text(fee.minor, u8::try_from(decimals).unwrap_or_default()),
                fee.version
            );
            findings.event(place, code, words);
        }
    }
}

impl Fees {
    /// A leg: where the first one of its transaction names a version, those of the fee are what
    /// that version says.
    pub(super) fn leg(
        &mut self,
        place: Place<'_>,
        leg: &Leg<'_>,
        (debit, amount, now): (bool, Option<i128>, i64),
        findings: &mut Findings,
    ) {
        if leg.leg == 1 {
            self.under_way = self.begun(place, leg, now);
        }
        let names = leg.fee_version.is_some();
        if names && (leg.leg != 1 || &*leg.kind != "transfer" || !debit) {
            let words = "only the first leg of a transfer, its debit, names what it was charged by";
            findings.event(place, Code::LegDiffers, words);
        }
        let Some(open) = self.under_way.as_mut() else { return };
        if *open.transaction != *leg.transaction_id {
            self.under_way = None;
            return;
        }
        let signed = amount.map_or(0, |amount| if debit { -amount } else { amount });
        match place.aggregate_id.rsplit_once(':').map(|(code, _)| code) {
            Some("income:fees") => open.net = open.net.saturating_add(signed),
            Some("tax:gst_output") => open.tax = open.tax.saturating_add(signed),
            _ => {}
        }
        if leg.leg >= leg.legs
            && let Some(done) = self.under_way.take()
        {
            done.compare(findings);
        }
    }

    fn begun(&self, place: Place<'_>, leg: &Leg<'_>, now: i64) -> Option<AtOnce> {
        let named = leg.fee_version?;
        let currency = place.aggregate_id.rsplit(':').next().unwrap_or_default();
        let decimals = leg.amount.split_once('.').map_or(0, |(_, after)| after.len());
        Some(AtOnce {
            transaction: Box::from(&*leg.transaction_id),
            position: place.position,
            named,
            fee: self.in_force("transfer", currency, now),
            scale: u8::try_from(decimals).unwrap_or_default(),
            net: 0,
            tax: 0,
        })
    }
}

impl AtOnce {
    fn compare(&self, findings: &mut Findings) {
        let charged = self.net.saturating_add(self.tax);
        let is_it = self.named == self.fee.version
            && charged == self.fee.minor
            && Some(self.tax) == tax_in(self.fee);
        if !is_it {
            let words = format!(
                "charges {} by version {} of its fee, and {} of version {} was in force",
                amount::text(charged, self.scale),
                self.named,
                amount::text(self.fee.minor, self.scale),
                self.fee.version
            );
            findings.position(self.position, Code::TransferDiffers, words);
        }
    }
}

/// The tax in a fee, half up.
fn tax_in(fee: Fee) -> Option<i128> {
    let (whole, rate) = (i128::from(WHOLE_BPS), i128::from(fee.tax_bps));
    let whole = whole.checked_add(rate)?;
    let doubled = fee.minor.checked_mul(rate)?.checked_mul(2)?.checked_add(whole)?;
    doubled.checked_div(whole.checked_mul(2)?)
}

//! The book's own stream: its opening and its currencies. And what each currency came to.

use super::{
    super::{
        amount,
        finding::{Code, Findings, Place},
        payload::{
            BookOpened, CheckpointKeyRotated, CurrencyAdded, FeeDefined, TermsDefined, TierDefined,
        },
        record::Event,
        report::CurrencyFigures,
    },
    fees::Fees,
    periods::Periods,
    read,
    tier::Tiers,
};

/// No real currency has a larger scale.
const SCALE_MAX: u8 = 18;
/// A hundred percent, in basis points.
const WHOLE_BPS: u16 = 10_000;
/// The most that any shop may owe, in whole units.
const DEBT_LIMIT_MAX: u32 = 100_000_000;

#[derive(Debug, Default)]
pub(super) struct Currencies {
    sequence: i64,
    opened: bool,
    list: Vec<Currency>,
    pub tiers: Tiers,
    pub periods: Periods,
    pub fees: Fees,
    pub terms: KnownTerms,
}

/// The versions of what shops pay, but for the first one, which is in no event.
#[derive(Debug, Default)]
pub(super) struct KnownTerms(Vec<TermsDefined>);

impl KnownTerms {
    /// What shops began with: two percent, with 18 percent of tax in it.
    const FIRST: TermsDefined =
        TermsDefined { version: 1, fee_bps: 200, tax_bps: 1_800, debt_limit: 0 };

    fn last(&self) -> TermsDefined {
        self.0.last().copied().unwrap_or(Self::FIRST)
    }

    /// Whether a version has these rates: the fee and the tax in it.
    pub(super) fn has(&self, version: u32, rates: (u16, u16)) -> bool {
        let mut all = self.0.iter().chain([&Self::FIRST]);
        let known = all.find(|terms| terms.version == version);
        known.is_some_and(|terms| (terms.fee_bps, terms.tax_bps) == rates)
    }
}

#[derive(Debug)]
pub(super) struct Currency {
    pub code: String,
    pub scale: u8,
    /// Whether the book has it; else some account only claims it.
    added: bool,
    accounts: u64,
    debits: i128,
    credits: i128,
}

impl Currencies {
    pub(super) fn event(&mut self, place: Place<'_>, event: &Event<'_>, findings: &mut Findings) {
        let expected = self.sequence.saturating_add(1);
        if event.sequence != expected {
            let words = format!("sequence {} where {expected} should be", event.sequence);
            findings.event(place, Code::SequenceDiffers, words);
        }
        self.sequence = event.sequence;
        if event.aggregate_id != "main" {
            let words = "the one book is called main";
            findings.event(place, Code::IdMalformed, words);
        }
        match event.event_type {
            "opened" => {
                if let Some(opened) = read(place, event, findings) {
                    self.open(place, &opened, findings);
                }
            }
            "currency_added" => {
                if let Some(added) = read(place, event, findings) {
                    self.added(place, &added, findings);
                }
            }
            "tier_defined" => {
                if let Some(defined) = read::<TierDefined<'_>>(place, event, findings) {
                    let scale = self.scale_added(&defined.currency);
                    self.tiers.define(place, &defined, scale, findings);
                }
            }
            "terms_defined" => {
                if let Some(defined) = read::<TermsDefined>(place, event, findings) {
                    self.terms(place, defined, findings);
                }
            }
            "fee_defined" => {
                if let Some(defined) = read::<FeeDefined<'_>>(place, event, findings) {
                    let when = (self.scale_added(&defined.currency), event.recorded_at);
                    self.fees.define(place, &defined, when, findings);
                }
            }
            "checkpoint_key_rotated" => {
                // What it says is checked with the tree.
                read::<CheckpointKeyRotated<'_>>(place, event, findings);
            }
            "period_closed" | "period_reopened" | "year_closed" => {
                let today = self.tiers.day(event.recorded_at);
                self.periods.event(place, event, today, findings);
            }
            _ => {
                let words = format!("a book has no events of type {:?}", event.event_type);
                findings.event(place, Code::EventTypeUnknown, words);
            }
        }
    }

    /// The scale of a currency that the book has.
    fn scale_added(&self, code: &str) -> Option<u8> {
        let added = self.list.iter().find(|currency| currency.added && currency.code == code);
        added.map(|currency| currency.scale)
    }

    /// Versions follow one another, and a rate is at most the whole.
    fn terms(&mut self, place: Place<'_>, defined: TermsDefined, findings: &mut Findings) {
        let version = self.terms.last().version.saturating_add(1);
        if defined.version != version {
            let words = format!("terms of version {} where {version} should be", defined.version);
            findings.event(place, Code::BookDiffers, words);
        }
        if defined.fee_bps > WHOLE_BPS || defined.tax_bps > WHOLE_BPS {
            findings.event(place, Code::BookDiffers, "a rate of more than the whole");
        }
        if defined.debt_limit > DEBT_LIMIT_MAX {
            findings.event(place, Code::BookDiffers, "shops that may owe more than any may");
        }
        self.terms.0.push(defined);
    }

    fn open(&mut self, place: Place<'_>, opened: &BookOpened<'_>, findings: &mut Findings) {
        if self.opened || !self.list.is_empty() {
            let words = "the book is opened once, before all else in it";
            findings.event(place, Code::BookDiffers, words);
        }
        if let Ok(zone) = opened.time_zone.parse() {
            self.tiers.set_zone(zone);
        } else {
            let words = format!("no time zone is called {:?}", &*opened.time_zone);
            findings.event(place, Code::BookDiffers, words);
        }
        self.opened = true;
    }

    fn added(&mut self, place: Place<'_>, added: &CurrencyAdded<'_>, findings: &mut Findings) {
        if !self.opened {
            let words = "a currency comes before the book is opened";
            findings.event(place, Code::BookDiffers, words);
        }
        if added.scale > SCALE_MAX || !is_code(&added.code) {
            let words = format!("no currency is {:?} with scale {}", &*added.code, added.scale);
            findings.event(place, Code::PayloadUnreadable, words);
        }
        let index = self.claim(&added.code, added.scale);
        if let Some(currency) = self.list.get_mut(index) {
            if currency.added {
                let words = format!("{} is in the book already", currency.code);
                findings.event(place, Code::CurrencyRepeated, words);
            }
            currency.added = true;
            currency.scale = added.scale;
        }
    }

    /// The place of a currency, which is made if somebody claims it for the first time.
    pub(super) fn claim(&mut self, code: &str, scale: u8) -> usize {
        let found = self.list.iter().position(|c| c.code == code);
        found.unwrap_or_else(|| {
            self.list.push(Currency {
                code: code.to_owned(),
                scale,
                added: false,
                accounts: 0,
                debits: 0,
                credits: 0,
            });
            self.list.len() - 1
        })
    }

    /// The place and scale of a currency that an account's id names, if nothing better is known.
    pub(super) fn scale_of(&mut self, code: &str) -> (usize, u8) {
        let index = self.claim(code, 0);
        (index, self.get(index).map_or(0, |currency| currency.scale))
    }

    /// Counts an account and checks its claim.
    pub(super) fn account(
        &mut self,
        place: Place<'_>,
        index: usize,
        scale: u8,
        findings: &mut Findings,
    ) {
        let Some(currency) = self.list.get_mut(index) else {
            return;
        };
        currency.accounts += 1;
        if !currency.added {
            let words = format!("the book has no currency {:?}", currency.code);
            findings.event(place, Code::CurrencyUnknown, words);
        } else if currency.scale != scale {
            let words = format!("scale {scale}, but {} has {}", currency.code, currency.scale);
            findings.event(place, Code::ScaleDiffers, words);
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&Currency> {
        self.list.get(index)
    }

    pub(super) fn add(&mut self, index: usize, debit: bool, amount: i128) {
        if let Some(currency) = self.list.get_mut(index) {
            let sum = if debit { &mut currency.debits } else { &mut currency.credits };
            *sum = sum.saturating_add(amount);
        }
    }

    pub(super) fn compare(&self, findings: &mut Findings) {
        for currency in self.list.iter().filter(|c| c.debits != c.credits) {
            let words = format!(
                "{}: debits {}, credits {}",
                currency.code,
                amount::text(currency.debits, currency.scale),
                amount::text(currency.credits, currency.scale)
            );
            findings.whole(Code::CurrencyUnbalanced, words);
        }
    }

    pub(super) fn figures(&self) -> Vec<CurrencyFigures> {
        let figures = |currency: &Currency| CurrencyFigures {
            code: currency.code.clone(),
            scale: currency.scale,
            accounts: currency.accounts,
            debits: amount::text(currency.debits, currency.scale),
            credits: amount::text(currency.credits, currency.scale),
            balanced: currency.debits == currency.credits,
        };
        let mut all: Vec<_> = self.list.iter().map(figures).collect();
        all.sort_by(|a, b| a.code.cmp(&b.code));
        all
    }
}

/// Three to eight upper-case letters or digits, a letter first.
fn is_code(code: &str) -> bool {
    (3..=8).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && code.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
}

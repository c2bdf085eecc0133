//! An entry that is the lump of its transactions, net of what the bank or a gateway keeps (`Chrgs`,
//! of the entry or of each transaction).
//!
//! Banks write charges with the tax on them or without it; which of the two it is, the sum says:
//! the transactions less charges and tax are the entry's amount, to the last paisa, or it is no
//! lump. What is not understood of charges is no reason to refuse a day: the entry stays one line.

use ledger_core::{bank_line::LineDirection, money::Money};
use roxmltree::Node;
use rust_decimal::Decimal;

use super::{
    super::lump::{Lump, LumpCredit},
    Day, Entry, File, at, child, children,
    reading::reference,
};

/// What is kept back: as the bank writes it, and the tax of it.
#[derive(Clone, Copy)]
struct Kept {
    charges: Decimal,
    tax: Decimal,
}

impl<'a> File<'a> {
    pub(super) fn lump(
        &self,
        entry: Node<'a, 'a>,
        details: &[Node<'a, 'a>],
        (net, one): (Decimal, &Entry<'_>),
        day: &Day,
    ) -> Option<Lump> {
        if one.direction == LineDirection::Debit {
            return None;
        }
        let of_all = kept(std::iter::once(entry), day);
        let kept = of_all.or_else(|| kept(details.iter().copied(), day))?;
        let amounts = self.amounts(details, one, day).ok().flatten()?;
        let credits: Vec<_> = details.iter().zip(amounts).map(credit).collect();
        let lump = |kept: Kept| {
            let Kept { charges, tax } = kept;
            let lump = Lump { charges, tax, credits: credits.clone() };
            Lump::of(net, one.direction, lump)
        };
        let tax_within = || {
            let charges = kept.charges.saturating_sub(kept.tax);
            let sound = charges > Decimal::ZERO && !kept.tax.is_zero();
            sound.then_some(Kept { charges, ..kept })
        };
        lump(kept).or_else(|| lump(tax_within()?))
    }
}

fn credit<'a>((detail, amount): (&Node<'a, 'a>, Decimal)) -> LumpCredit {
    let of = |name: &str| reference(at(*detail, &["Refs", name]));
    LumpCredit {
        amount,
        bank_transaction_id: of("AcctSvcrRef"),
        utr: of("TxId").or_else(|| of("ClrSysRef")),
        reference: of("EndToEndId"),
    }
}

/// All charges of these elements, if there are any and they are understood.
fn kept<'a>(nodes: impl Iterator<Item = Node<'a, 'a>>, day: &Day) -> Option<Kept> {
    let mut sum: Option<Kept> = None;
    for charges in nodes.flat_map(|node| children(node, "Chrgs")) {
        // Version 08 has records; in version 02 the element is the record.
        let records: Vec<_> = children(charges, "Rcrd").collect();
        let records = if records.is_empty() { vec![charges] } else { records };
        for record in records {
            if at(record, &["CdtDbtInd"]).is_some_and(|word| word != "DBIT") {
                return None;
            }
            let total = ["Amt", "TtlChrgsAndTaxAmt"].into_iter().find_map(|n| child(record, n));
            let tax = child(record, "Tax").and_then(|tax| child(tax, "Amt"));
            let tax = tax.map_or(Some(Decimal::ZERO), |tax| amount(tax, day))?;
            let before = sum.unwrap_or(Kept { charges: Decimal::ZERO, tax: Decimal::ZERO });
            sum = Some(Kept {
                charges: before.charges.checked_add(amount(total?, day)?)?,
                tax: before.tax.checked_add(tax)?,
            });
        }
    }
    sum
}

fn amount(node: Node<'_, '_>, day: &Day) -> Option<Decimal> {
    let own = node.attribute("Ccy") == Some(day.currency.code.as_str());
    let text = node.text().filter(|_| own)?.trim();
    Money::parse(text, day.currency).ok().map(|money| money.amount())
}

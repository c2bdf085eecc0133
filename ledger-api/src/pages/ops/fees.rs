//! What shops pay for being paid, on the page of limits: every version as what it changed, how many
//! shops are on it, and proposing the next one. A shop moves to another version by itself only: on
//! its own page, by two persons.

use axum::response::Response;
use ledger_core::book::ShopTerms;
use rust_decimal::Decimal;

use super::{ActForm, Board, Field, OpsSent, OpsVisitor, Part, after, limits};
use crate::{
    desk::{
        carrying_out,
        fees::TermsChange,
        proposals::{Kind, NewProposal},
        versions,
    },
    http::{Problem, codes},
    pages::{
        act::{self, amount_typed},
        ui::{Cell, Column},
    },
};

/// What proposals of fees are about: there is one row of versions.
const SUBJECT: &str = "terms";

/// The parts about fees.
pub(super) async fn parts(visitor: &OpsVisitor, board: Board) -> Result<Board, Problem> {
    let now = visitor.state.ledger.status().borrow().book.terms_now();
    let form = ActForm::new("/ops/limits/fees", "Propose these fees")
        .hidden("expected_version", now.version.to_string())
        .field(Field::line("fee", "Fee of a payment, %", 8).value(percent(now.fee_bps)))
        .field(Field::line("tax", "Tax in the fee, %", 8).value(percent(now.tax_bps)))
        .field(
            Field::line("debt", "What a shop may owe us for refunds, whole ₹", 9)
                .value(now.debt_limit.to_string()),
        )
        .field(Field::reason());
    let text = "New shops agree to the last version. The others stay on theirs until they agree \
                to another; that is done on a shop’s page. What a shop may owe us, it gets lent \
                for refunds that it is short of, and its next settlements repay it.";
    let form = Part::new(format!("Fees of shops, version {}", now.version)).text(text).form(form);
    Ok(board.part(form).part(history(visitor).await?))
}

/// So many basis points as a percentage: `2`, `1.75`.
pub(super) fn percent(bps: u16) -> String {
    Decimal::new(i64::from(bps), 2).normalize().to_string()
}

async fn history(visitor: &OpsVisitor) -> Result<Part, Problem> {
    let on = visitor.state.shops.by_terms().await?;
    let shops = |version: u32| {
        let found = on.iter().find(|(number, _)| u32::try_from(*number) == Ok(version));
        found.map_or(0, |(_, count)| *count).to_string()
    };
    let versions = versions::terms(&visitor.state.reads).await?;
    let book = visitor.state.ledger.status().borrow().book.clone();
    let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(versions.len().saturating_add(1));
    for version in &versions {
        let says = version.says;
        let before = says.version.checked_sub(1).and_then(|before| book.terms(before));
        rows.push(vec![
            says.version.to_string().into(),
            changes(says, before).into(),
            shops(says.version).into(),
            visitor.who_was(version.by.as_deref()),
            visitor.who_was(version.approver.as_deref()),
            version.reason.clone().unwrap_or_default().into(),
            Cell::When(visitor.when(version.at)),
            format!("#{}", version.position).into(),
        ]);
    }
    let first = ShopTerms::FIRST;
    let mut row: Vec<Cell> = vec![
        first.version.to_string().into(),
        changes(first, None).into(),
        shops(first.version).into(),
    ];
    row.extend(["", "", "what shops began with", "", ""].map(Cell::from));
    rows.push(row);
    let columns = [
        Column::numbers("Version"),
        Column::words("What changed"),
        Column::numbers("Shops on it"),
        Column::words("By"),
        Column::words("Agreed"),
        Column::words("Why"),
        Column::words("When"),
        Column::words("Event"),
    ];
    Ok(Part::new("History of fees").table(&columns, rows, ""))
}

/// What a version has otherwise than the one before it.
fn changes(now: ShopTerms, before: Option<ShopTerms>) -> String {
    let rates = [
        ("Fee", now.fee_bps, before.map(|before| before.fee_bps)),
        ("Tax in it", now.tax_bps, before.map(|before| before.tax_bps)),
    ];
    let said = rates.into_iter().filter_map(|(words, now, before)| match before {
        Some(before) if before == now => None,
        Some(before) => Some(format!("{words}: {} % → {} %", percent(before), percent(now))),
        None => Some(format!("{words}: {} %", percent(now))),
    });
    let all: Vec<String> = said.chain(debt(now, before)).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join("; ") }
}

/// How much shops may owe, if that is another than before.
fn debt(now: ShopTerms, before: Option<ShopTerms>) -> Option<String> {
    let rupees = |limit: u32| format!("₹{limit}");
    match before.map(|before| before.debt_limit) {
        Some(before) if before == now.debt_limit => None,
        Some(before) => Some(format!("May owe: {} → {}", rupees(before), rupees(now.debt_limit))),
        None => Some(format!("May owe: {}", rupees(now.debt_limit))),
    }
}

/// Proposes the next version.
pub(super) async fn propose(
    OpsSent { visitor, form }: OpsSent<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let done = make(&visitor, &form).await;
    after(done, "/ops/approvals", async |errors| limits::board(&visitor, &errors).await).await
}

async fn make(visitor: &OpsVisitor, form: &[(String, String)]) -> Result<(), Problem> {
    let of = |name: &str| {
        let field = form.iter().find(|(field, _)| field == name);
        field.map_or("", |(_, value)| value.trim())
    };
    let change = TermsChange {
        fee_bps: rate("fee", of("fee"))?,
        tax_bps: rate("tax", of("tax"))?,
        debt_limit: whole("debt", of("debt"))?,
        expected_version: of("expected_version").parse().ok(),
    };
    let now = visitor.state.ledger.status().borrow().book.terms_now();
    let TermsChange { fee_bps, tax_bps, debt_limit, .. } = change;
    if now == (ShopTerms { fee_bps, tax_bps, debt_limit, ..now }) {
        return Err(Problem::field(codes::INVALID, "/fee", limits::NOTHING_NEW));
    }
    let body = serde_json::to_value(change).map_err(|error| Problem::internal(&error))?;
    let key = act::key("ops_fees", of("nonce"), &[&body.to_string(), of("reason")])?;
    let new = NewProposal {
        kind: Kind::DefineTerms,
        subject: SUBJECT,
        body,
        reason: of("reason"),
        evidence_sha256: None,
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&visitor.writer()?, &new).await.map(drop)
}

/// A percentage as basis points: at most two decimals, 0 to 100.
pub(super) fn rate(field: &str, text: &str) -> Result<u16, Problem> {
    let typed = text.trim_end_matches('%').trim();
    let plain = !typed.is_empty() && typed.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let bps = typed.parse::<Decimal>().ok().filter(|_| plain);
    let bps = bps.and_then(|percent| percent.checked_mul(Decimal::ONE_HUNDRED));
    let bps = bps.filter(Decimal::is_integer).and_then(|bps| u16::try_from(bps).ok());
    bps.filter(|bps| *bps <= 10_000).ok_or_else(|| {
        let detail = "A percentage such as 2 or 1.75, at most 100.";
        Problem::field(codes::INVALID, format!("/{field}"), detail)
    })
}

/// Whole rupees, as somebody types them; the book says how many are too many.
fn whole(field: &str, text: &str) -> Result<u32, Problem> {
    let typed: String = amount_typed(text);
    let plain = !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_digit());
    typed.parse().ok().filter(|_| plain).ok_or_else(|| {
        let detail = "Whole rupees such as 5000; 0 for a shop that may owe nothing.";
        Problem::field(codes::INVALID, format!("/{field}"), detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_percentage_with_two_decimals_at_most() {
        for (text, bps) in
            [("2", 200), ("1.75 %", 175), ("0", 0), ("100", 10_000), ("18.00", 1_800)]
        {
            assert_eq!(rate("fee", text).unwrap(), bps, "{text}");
        }
        for bad in ["", "-1", "100.01", "1.755", "2,5", "1e1", "two", "%", "."] {
            let problem = rate("fee", bad).unwrap_err();
            assert_eq!(problem.body().errors[0].pointer, "/fee", "{bad}");
        }
        assert_eq!((percent(200), percent(175)), ("2".to_owned(), "1.75".to_owned()));
    }

    #[test]
    fn a_debt_is_whole_rupees() {
        for (text, debt) in [("0", 0), (" 5,000 ", 5_000), ("₹100", 100)] {
            assert_eq!(whole("debt", text).unwrap(), debt, "{text}");
        }
        for bad in ["", "-1", "1.5", "+1", "4294967296", "some"] {
            assert_eq!(whole("debt", bad).unwrap_err().body().errors[0].pointer, "/debt", "{bad}");
        }
    }

    #[test]
    fn a_version_says_what_it_changed() {
        let next = ShopTerms { version: 2, fee_bps: 150, ..ShopTerms::FIRST };
        assert_eq!(changes(next, Some(ShopTerms::FIRST)), "Fee: 2 % → 1.5 %");
        let first = changes(ShopTerms::FIRST, None);
        assert_eq!(first, "Fee: 2 %; Tax in it: 18 %; May owe: ₹0");
        let lends = ShopTerms { version: 3, debt_limit: 5_000, ..next };
        assert_eq!(changes(lends, Some(next)), "May owe: ₹0 → ₹5000");
        assert_eq!(changes(next, Some(next)), "nothing");
    }
}

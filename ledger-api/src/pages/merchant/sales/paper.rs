//! A report as PDF, with the place in the log on each page.

use super::reports::Report;
use crate::{
    http::Problem,
    wallet::{Sheet, paper, shortened},
};

const LEFT: u16 = 40;
const RIGHT: u16 = 555;
/// Where the columns of figures end.
const ENDS: [u16; 7] = [150, 225, 285, 340, 415, 485, RIGHT];
const NAMES: [&str; 7] = ["Payments", "Gross", "Fees", "Tax", "Net", "Refunds", "Settled"];
const TOP: u16 = 150;
const ROW: u16 = 18;
/// How many rows fit on a page.
const ROWS_MAX: usize = 34;

/// The report as a file. Made beside the requests: a long one takes a while.
pub(super) async fn pdf(report: Report) -> Result<Vec<u8>, Problem> {
    let made = tokio::task::spawn_blocking(move || made(&report)).await;
    made.map_err(|error| Problem::internal(&error))?
        .ok_or_else(|| Problem::internal(&"a report that cannot be made into pages"))
}

fn made(report: &Report) -> Option<Vec<u8>> {
    let mut pages: Vec<&[[String; 8]]> = report.rows.chunks(ROWS_MAX).collect();
    if pages.is_empty() {
        pages.push(&[]);
    }
    paper(format!("Sales {}", report.span), pages.len(), |sheet, index| {
        head(sheet, report);
        let rows = pages.get(index).copied().unwrap_or_default();
        let mut y = TOP;
        for row in rows {
            line(sheet, row, y);
            y = y.saturating_add(ROW);
        }
        let number = format!("{} of {}", index.saturating_add(1), pages.len());
        let place = format!("As of event {} of the log. Made {}", report.position, report.made_at);
        sheet.text((LEFT, 820), 7, false, &place);
        sheet.text_to((RIGHT, 820), 7, false, &number);
    })
}

fn head(sheet: &mut Sheet<'_, '_>, report: &Report) {
    sheet.text((LEFT, 60), 20, true, "Bahi");
    sheet.text_to((RIGHT, 60), 12, false, "Sales report");
    sheet.text((LEFT, 92), 12, true, &shortened(&report.owner, 60));
    sheet.text_to((RIGHT, 92), 10, false, &report.span);
    let y = TOP.saturating_sub(22);
    for (end, name) in ENDS.into_iter().zip(NAMES) {
        sheet.text_to((end, y), 8, true, name);
    }
    if report.rows.is_empty() {
        sheet.text((LEFT, TOP), 10, false, "Nothing happened on these days.");
    }
}

fn line(sheet: &mut Sheet<'_, '_>, row: &[String; 8], y: u16) {
    let [name, figures @ ..] = row;
    let is_sum = name == "All";
    sheet.text((LEFT, y), 8, is_sum, name);
    for (end, figure) in ENDS.into_iter().zip(figures) {
        sheet.text_to((end, y), 8, is_sum, figure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_a_year_becomes_a_file() {
        for days in [0, 1, 34, 35, 366] {
            let row = ["2026-11-23", "12", "₹1,00,000.00", "", "", "", "", ""].map(str::to_owned);
            let report = Report {
                owner: "Chai & Co".to_owned(),
                span: "2026-01-01 to 2026-12-31".to_owned(),
                rows: vec![row; days],
                position: 7,
                made_at: String::new(),
            };
            let bytes = made(&report).unwrap();
            assert!(bytes.starts_with(b"%PDF-"), "{days}");
        }
    }
}

//! A statement as PDF: pages to print or to hand on, with the place in the log on each.
//!
//! Made by krilla, which puts into the file what it needs of the typeface and nothing else; the
//! typeface is here whole, because the one of the pages is in a form that PDF does not have.
//! Positions on the page are whole points, so nothing here calculates with fractions.

use std::sync::LazyLock;

use krilla::{
    Document,
    geom::Point,
    metadata::Metadata,
    page::PageSettings,
    surface::Surface,
    text::{Font, TextDirection},
};
use ledger_core::words;

use super::{Line, Statement};
use crate::{http::Problem, pages::ui::money_text};

static REGULAR: &[u8] = include_bytes!("../../fonts/inter-regular.ttf");
static BOLD: &[u8] = include_bytes!("../../fonts/inter-semibold.ttf");

/// A4, in points.
const PAGE: (u16, u16) = (595, 842);
const LEFT: u16 = 40;
const RIGHT: u16 = 555;
/// Where the columns of amounts end.
const ENDS: [u16; 3] = [395, 475, RIGHT];
const ROWS_TOP: [u16; 2] = [230, 90];
const ROW: u16 = 24;
const BOTTOM: u16 = 780;
/// How many characters of words fit before the amounts.
const WORDS_CHARS_MAX: usize = 34;

static FONTS: LazyLock<Option<Fonts>> = LazyLock::new(|| {
    Some(Fonts { regular: Font::new(REGULAR.into(), 0)?, bold: Font::new(BOLD.into(), 0)? })
});

struct Fonts {
    regular: Font,
    bold: Font,
}

/// The statement as a file. Made beside the requests: a long one takes a while.
pub(crate) async fn pdf(statement: Statement) -> Result<Vec<u8>, Problem> {
    let made = tokio::task::spawn_blocking(move || made(&statement)).await;
    made.map_err(|error| Problem::internal(&error))?
        .ok_or_else(|| Problem::internal(&"a statement that cannot be made into pages"))
}

fn made(statement: &Statement) -> Option<Vec<u8>> {
    let pages = pages(&statement.lines);
    let title = format!("Statement {} to {}", statement.period.from, statement.period.to);
    paper(title, pages.len(), |sheet, index| {
        let top = if index == 0 {
            sheet.head(statement);
            ROWS_TOP[0]
        } else {
            ROWS_TOP[1]
        };
        sheet.table(pages.get(index).copied().unwrap_or_default(), top);
        let number = format!("{} of {}", index.saturating_add(1), pages.len());
        sheet.foot(statement, &number);
    })
}

/// A file of so many pages, each of which `draw` fills.
pub(crate) fn paper(
    title: String,
    count: usize,
    draw: impl Fn(&mut Sheet<'_, '_>, usize),
) -> Option<Vec<u8>> {
    let fonts = FONTS.as_ref()?;
    let mut document = Document::new();
    for index in 0..count {
        let settings = PageSettings::from_wh(f32::from(PAGE.0), f32::from(PAGE.1))?;
        let mut page = document.start_page_with(settings);
        let mut sheet = Sheet { surface: page.surface(), fonts };
        draw(&mut sheet, index);
        drop(sheet);
        page.finish();
    }
    document.set_metadata(
        Metadata::new().title(title).creator("Bahi".to_owned()).language("en-IN".to_owned()),
    );
    document.finish().ok()
}

/// The lines of each page; the first has less room. One page at least.
fn pages(lines: &[Line]) -> Vec<&[Line]> {
    let fit = |top: u16| usize::from(BOTTOM.saturating_sub(top).div_euclid(ROW));
    let (first, mut rest) = lines.split_at(lines.len().min(fit(ROWS_TOP[0])));
    let mut pages = vec![first];
    while !rest.is_empty() {
        let (page, after) = rest.split_at(rest.len().min(fit(ROWS_TOP[1])));
        pages.push(page);
        rest = after;
    }
    pages
}

/// A page that is being written.
pub(crate) struct Sheet<'a, 'f> {
    surface: Surface<'a>,
    fonts: &'f Fonts,
}

impl Sheet<'_, '_> {
    /// Text that begins at a point.
    pub(crate) fn text(&mut self, (x, y): (u16, u16), size: u16, bold: bool, text: &str) {
        let font = if bold { &self.fonts.bold } else { &self.fonts.regular };
        let start = Point::from_xy(f32::from(x), f32::from(y));
        let size = f32::from(size);
        self.surface.draw_text(start, font.clone(), size, text, false, TextDirection::Auto);
    }

    /// Text that ends at `x`.
    pub(crate) fn text_to(&mut self, (x, y): (u16, u16), size: u16, bold: bool, text: &str) {
        let start = x.saturating_sub(width(text, size, bold));
        self.text((start, y), size, bold, text);
    }

    fn head(&mut self, statement: &Statement) {
        self.text((LEFT, 60), 20, true, "Bahi");
        self.text_to((RIGHT, 60), 12, false, "Account statement");
        let period = format!("{} to {}", statement.period.from, statement.period.to);
        let owner = statement.owner.as_deref().unwrap_or_default();
        self.text((LEFT, 92), 12, true, &shortened(owner, 60));
        self.text((LEFT, 108), 8, false, statement.account.as_str());
        self.text_to((RIGHT, 92), 10, false, &period);
        let made_at = statement.made_at.format("%Y-%m-%d %H:%M UTC");
        self.text_to((RIGHT, 108), 8, false, &format!("Made {made_at}"));
        let sums = [
            ("Opening", &statement.opening),
            ("Money in", &statement.total_in),
            ("Money out", &statement.total_out),
            ("Closing", &statement.closing),
        ];
        let mut x = LEFT;
        for (name, money) in sums {
            self.text((x, 140), 8, false, name);
            self.text((x, 156), 12, true, &money_text(money));
            x = x.saturating_add(130);
        }
        if statement.lines.is_empty() {
            self.text((LEFT, 246), 10, false, "Nothing moved on these days.");
        }
    }

    fn table(&mut self, lines: &[Line], top: u16) {
        let head = top.saturating_sub(22);
        self.text((LEFT, head), 8, true, "Day");
        self.text((105, head), 8, true, "What");
        for (end, name) in ENDS.into_iter().zip(["In", "Out", "Balance"]) {
            self.text_to((end, head), 8, true, name);
        }
        let mut y = top;
        for line in lines {
            self.row(line, y);
            y = y.saturating_add(ROW);
        }
    }

    fn row(&mut self, line: &Line, y: u16) {
        self.text((LEFT, y), 9, false, &line.day.to_string());
        let words = match &line.note {
            Some(note) => format!("{}: {}", line.words, words::shown(note)),
            None => line.words.clone(),
        };
        self.text((105, y), 9, false, &shortened(&words, WORDS_CHARS_MAX));
        self.text((105, y.saturating_add(10)), 6, false, &line.object);
        let end = if line.is_in { ENDS[0] } else { ENDS[1] };
        self.text_to((end, y), 9, false, &money_text(&line.amount));
        self.text_to((ENDS[2], y), 9, false, &money_text(&line.balance));
    }

    fn foot(&mut self, statement: &Statement, number: &str) {
        let place = format!("As of event {} of the log, whose hash is", statement.position);
        self.text((LEFT, 808), 7, false, &place);
        self.text((LEFT, 820), 7, false, &statement.hash);
        self.text_to((RIGHT, 820), 7, false, number);
    }
}

/// How wide a text is, in whole points.
fn width(text: &str, size: u16, bold: bool) -> u16 {
    let data = if bold { BOLD } else { REGULAR };
    let Ok(face) = ttf_parser::Face::parse(data, 0) else { return 0 };
    let advances = text.chars().filter_map(|c| face.glyph_hor_advance(face.glyph_index(c)?));
    let units = advances.map(u32::from).fold(0, u32::saturating_add);
    let scaled = units.saturating_mul(u32::from(size));
    let points = scaled.checked_div(u32::from(face.units_per_em())).unwrap_or(0);
    u16::try_from(points).unwrap_or(u16::MAX)
}

/// At most so many characters; what is cut off is said to be.
pub(crate) fn shortened(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typeface_has_the_rupee_and_its_widths() {
        let face = ttf_parser::Face::parse(REGULAR, 0).unwrap();
        assert!(face.glyph_index('₹').is_some());
        assert!(FONTS.is_some());
        let one = width("₹1,00,000.00", 9, false);
        assert!((45..75).contains(&one), "{one}");
        assert!(width("₹1,00,000.00", 9, true) >= one);
        assert_eq!(width("", 9, false), 0);
    }

    #[test]
    fn no_line_is_lost_between_pages() {
        let line = crate::wallet::statement::tests::line();
        for count in [0, 1, 22, 23, 24, 100, 1000] {
            let lines = vec![line.clone(); count];
            let pages = pages(&lines);
            assert_eq!(pages.iter().map(|page| page.len()).sum::<usize>(), count);
            assert!(!pages.is_empty() && (count == 0 || pages.iter().all(|p| !p.is_empty())));
        }
    }

    #[test]
    fn a_statement_becomes_a_file_with_its_pages() {
        let statement = crate::wallet::statement::tests::statement(60);
        let bytes = made(&statement).unwrap();
        assert!(bytes.starts_with(b"%PDF-") && bytes.len() < 200_000, "{}", bytes.len());
    }
}

//! The rows of a CSV file (RFC 4180): cells may be quoted, and quoted ones may hold the separator,
//! line ends and, doubled, quotes.

use super::super::{
    LINES_MAX, ParseError,
    reading::{check_count, wrong},
};

/// The most cells of a row.
const CELLS_MAX: usize = 100;

/// A row, and the line on which it begins.
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

/// What is read: the cell and row under way.
struct Reader {
    line: usize,
    row: Row,
    cell: String,
    quoted: bool,
    /// Whether the cell's quotes were closed, after which nothing of it may come.
    closed: bool,
}

pub(super) fn rows(text: &str, separator: char) -> Result<Vec<Row>, ParseError> {
    let mut rows: Vec<Row> = Vec::new();
    let row = Row { line: 1, cells: Vec::new() };
    let mut reader = Reader { line: 1, row, cell: String::new(), quoted: false, closed: false };
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if reader.quoted {
            match c {
                '"' if chars.next_if_eq(&'"').is_some() => reader.cell.push('"'),
                '"' => (reader.quoted, reader.closed) = (false, true),
                other => reader.push(other),
            }
        } else if c == separator {
            reader.end_cell()?;
        } else if c == '\n' {
            rows.extend(reader.end_row()?);
            // The header is a row as well.
            check_count(rows.len().saturating_sub(1))?;
        } else if c == '"' && reader.cell.is_empty() && !reader.closed {
            reader.quoted = true;
        } else if c == '\r' && chars.peek() == Some(&'\n') {
            // It belongs to the line's end.
        } else if c == '"' || reader.closed {
            return Err(wrong(reader.line, "a quote stands within a cell".to_owned()));
        } else {
            reader.push(c);
        }
    }
    if reader.quoted {
        return Err(wrong(reader.row.line, "a quoted cell has no end".to_owned()));
    }
    rows.extend(reader.end_row()?);
    debug_assert!(rows.len() <= LINES_MAX.saturating_add(2));
    Ok(rows)
}

impl Reader {
    fn push(&mut self, c: char) {
        self.line = self.line.saturating_add(usize::from(c == '\n'));
        self.cell.push(c);
    }

    fn end_cell(&mut self) -> Result<(), ParseError> {
        self.row.cells.push(std::mem::take(&mut self.cell));
        self.closed = false;
        if self.row.cells.len() > CELLS_MAX {
            return Err(wrong(self.line, format!("a row has at most {CELLS_MAX} cells")));
        }
        Ok(())
    }

    /// The row that ends here; nothing if it is an empty line.
    fn end_row(&mut self) -> Result<Option<Row>, ParseError> {
        let is_empty = self.row.cells.is_empty() && self.cell.trim().is_empty() && !self.closed;
        if is_empty {
            self.cell.clear();
        } else {
            self.end_cell()?;
        }
        self.line = self.line.saturating_add(1);
        let next = Row { line: self.line, cells: Vec::new() };
        let row = std::mem::replace(&mut self.row, next);
        Ok((!is_empty).then_some(row))
    }
}

//! Tables, and what may stand in their cells.

use std::fmt::{self, Display};

use askama::{
    Template,
    filters::{Html, HtmlSafe, escape},
};

use super::{CopyId, MoneyView, Status, When};

/// What stands in a cell, or beside a name.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// Words, perhaps somebody's own: kept apart, so that they do not turn what is beside them.
    Text(String),
    /// An amount.
    Money(MoneyView),
    /// A moment.
    When(When),
    /// A status.
    Status(Status),
    /// An id.
    Id(CopyId),
    /// Words that lead somewhere.
    Link(String, String),
}

impl HtmlSafe for Cell {}

impl Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "<bdi>{}</bdi>", Escaped(text)),
            Self::Money(money) => money.fmt(f),
            Self::When(when) => when.fmt(f),
            Self::Status(status) => status.fmt(f),
            Self::Id(id) => id.fmt(f),
            Self::Link(words, href) => {
                write!(f, "<a href=\"{}\"><bdi>{}</bdi></a>", Escaped(href), Escaped(words))
            }
        }
    }
}

/// Somebody's own words as HTML.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match escape(self.0, Html) {
            Ok(safe) => safe.fmt(f),
            Err(never) => match never {},
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<MoneyView> for Cell {
    fn from(money: MoneyView) -> Self {
        Self::Money(money)
    }
}

impl From<When> for Cell {
    fn from(when: When) -> Self {
        Self::When(when)
    }
}

impl From<Status> for Cell {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<CopyId> for Cell {
    fn from(id: CopyId) -> Self {
        Self::Id(id)
    }
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    number: bool,
}

impl Column {
    /// A column of words.
    pub(crate) const fn words(name: &'static str) -> Self {
        Self { name, number: false }
    }

    /// A column of numbers, which stand at its end.
    pub(crate) const fn numbers(name: &'static str) -> Self {
        Self { name, number: true }
    }
}

/// A table. It scrolls inside itself where it is too wide.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/table.html")]
pub(crate) struct DataTable {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<(&'static str, Cell)>>,
}

impl DataTable {
    /// A table; the caption is for who does not see what stands around it.
    pub(crate) fn new(
        caption: impl Into<String>,
        columns: &[Column],
        rows: Vec<Vec<Cell>>,
    ) -> Self {
        let classes = || columns.iter().map(|column| if column.number { "num" } else { "" });
        let rows = rows.into_iter().map(|cells| classes().zip(cells).collect()).collect();
        Self { caption: caption.into(), columns: columns.to_vec(), rows }
    }
}

impl HtmlSafe for DataTable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_stands_in_its_column_and_is_escaped() {
        let columns = [Column::words("What"), Column::numbers("How many")];
        let rows = vec![vec!["<b>".into(), "2".into()]];
        let table = DataTable::new("Test", &columns, rows).to_string();
        assert!(table.contains("<th scope=\"col\" class=\"num\">How many</th>"), "{table}");
        assert!(table.contains("<td class=\"\"><bdi>&#60;b&#62;</bdi></td>"), "{table}");
        assert!(table.contains("<td class=\"num\"><bdi>2</bdi></td>"), "{table}");
    }
}

//! The file's rows: CSV with a header, or NDJSON.

use super::{FAULTS_MAX, Fault, Raw};

/// The columns that a CSV file may have; the first three must be there.
const COLUMNS: [&str; 6] = ["account", "currency", "balance", "owner", "type", "item"];
const COLUMNS_NEEDED: usize = 3;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Cells with commas between them, and a header.
    Csv,
    /// An object of JSON on each line.
    Ndjson,
}

/// The rows of a file, with their lines.
///
/// # Errors
/// Its first faults, if it has any.
pub fn read(text: &str, format: Format) -> Result<Vec<(usize, Raw)>, Vec<Fault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let header = match format {
        Format::Ndjson => None,
        Format::Csv => Some(header(lines.next()).map_err(|fault| vec![fault])?),
    };
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    for (number, line) in lines {
        let row = match &header {
            None => serde_json::from_str(line).map_err(|error| error.to_string()),
            Some(header) => cells(line).and_then(|cells| of_cells(header, cells)),
        };
        match row {
            Ok(row) => rows.push((number, row)),
            Err(reason) => faults.push(Fault { line: number, reason }),
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

/// Which of the columns stands where.
fn header(line: Option<(usize, &str)>) -> Result<Vec<usize>, Fault> {
    let whole = |reason: String| Fault { line: 1, reason };
    let (_, line) = line.ok_or_else(|| whole("the file is empty".to_owned()))?;
    let mut header = Vec::new();
    for name in cells(line).map_err(whole)? {
        let column = COLUMNS.iter().position(|column| *column == name.trim());
        let column = column
            .ok_or_else(|| whole(format!("column {name:?} is none of: {}", COLUMNS.join(", "))))?;
        if header.contains(&column) {
            return Err(whole(format!("column {name:?} stands twice")));
        }
        header.push(column);
    }
    for (column, name) in COLUMNS.iter().enumerate().take(COLUMNS_NEEDED) {
        if !header.contains(&column) {
            return Err(whole(format!("column {name:?} is missing")));
        }
    }
    Ok(header)
}

fn of_cells(header: &[usize], cells: Vec<String>) -> Result<Raw, String> {
    if cells.len() != header.len() {
        return Err(format!("{} cells where the header has {}", cells.len(), header.len()));
    }
    let mut found: [Option<String>; 6] = Default::default();
    for (column, cell) in header.iter().zip(cells) {
        let cell = cell.trim().to_owned();
        if let Some(place) = found.get_mut(*column).filter(|_| !cell.is_empty()) {
            *place = Some(cell);
        }
    }
    let [account, currency, balance, owner, account_type, item] = found;
    let needed = |cell: Option<String>, name| cell.ok_or_else(|| format!("{name} is empty"));
    Ok(Raw {
        account: needed(account, "account")?,
        currency: needed(currency, "currency")?,
        balance: needed(balance, "balance")?,
        owner,
        account_type,
        item,
    })
}

/// The cells of a line, some of them in quotes. A cell has no line feeds.
fn cells(line: &str) -> Result<Vec<String>, String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let (mut quoted, mut closed) = (false, false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if quoted => (quoted, closed) = (false, true),
            '"' if cell.is_empty() && !closed => quoted = true,
            ',' if !quoted => {
                cells.push(std::mem::take(&mut cell));
                closed = false;
            }
            '"' => return Err("a quote stands within a cell".to_owned()),
            _ if closed => return Err("something follows a closed quote".to_owned()),
            other => cell.push(other),
        }
    }
    if quoted {
        return Err("a quoted cell has no end".to_owned());
    }
    cells.push(cell);
    Ok(cells)
}

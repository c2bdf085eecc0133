//! `/ops/reconciliation`: what banks state and our books have, what differs and since when, and
//! handing in a statement's file. A bank closes a day by its closed statement, from which on its
//! certificate stands; we close it when somebody has looked at it ([`bank_days`]).

use axum::response::Response;
use ledger_core::ids::BankCode;
use sha2::{Digest as _, Sha256};

use super::{ActForm, Board, Field, OpsVisitor, Part, after, bank_days, overview::proposals};
use crate::{
    desk::{
        carrying_out,
        proposals::{Kind, NewProposal},
        statements::{self as desk, StatementFile},
    },
    http::{Problem, approval::Approver, codes, session::SignedIn},
    pages::{
        FormErrors, act,
        file_form::{FileForm, Sender},
        respond,
        ui::{Cell, Column},
    },
    statements::{FILE_BYTES_MAX, backing, breaks, matched, stated},
};

const PATH: &str = "/ops/reconciliation";
/// A form with the file of a statement.
type Statement = FileForm<OpsVisitor, FILE_BYTES_MAX>;

impl Sender for OpsVisitor {
    fn who(&self) -> &SignedIn {
        &self.who
    }
}

const FORMATS: [&str; 4] = ["json", "camt053", "mt940", "csv"];

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, &FormErrors::none()).await?))
}

pub(super) async fn board(visitor: &OpsVisitor, errors: &FormErrors) -> Result<Board, Problem> {
    let board = Board::new(visitor, "Reconciliation", "reconciliation").errors(errors);
    let board = board.part(break_list(visitor).await?).part(accounts(visitor).await?);
    let board = board.part(backed(visitor).await?).part(matches(visitor).await?);
    Ok(bank_days::parts(visitor, board).await?.part(upload(visitor).await?))
}

async fn break_list(visitor: &OpsVisitor) -> Result<Part, Problem> {
    let mut rows = Vec::new();
    for found in breaks(&visitor.state.reads, visitor.now()).await? {
        let currency = found.currency.parse().map_err(|error| Problem::internal(&error))?;
        let is_suspense = found.account.starts_with("suspense:credits");
        let item: Cell = if is_suspense {
            Cell::Link(found.item.clone(), format!("/ops/suspense/{}", found.item))
        } else if found.item.starts_with("wd_") {
            Cell::Link(found.item.clone(), format!("/ops/withdrawals/{}", found.item))
        } else {
            found.item.into()
        };
        rows.push(vec![
            item,
            found.kind.replace('_', " ").into(),
            visitor.money(found.amount, currency)?.into(),
            visitor.age(found.since).into(),
            found.account.into(),
            found.bank_transaction_id.unwrap_or_default().into(),
            found.detail.unwrap_or_default().into(),
        ]);
    }
    let columns = [
        Column::words("Item"),
        Column::words("Break"),
        Column::numbers("Amount"),
        Column::words("Age"),
        Column::words("Account"),
        Column::words("Bank’s number"),
        Column::words("What differs"),
    ];
    let nothing = "Statements and books have the same.";
    Ok(Part::new("Breaks, the oldest first").table(&columns, rows, nothing))
}

async fn accounts(visitor: &OpsVisitor) -> Result<Part, Problem> {
    let mut rows = Vec::new();
    for one in stated(&visitor.state.reads).await? {
        let currency = one.currency.parse().map_err(|error| Problem::internal(&error))?;
        let agrees = if one.stated == one.booked { "yes" } else { "no" };
        rows.push(vec![
            one.account.into(),
            one.day.to_string().into(),
            if one.closed { "closed" } else { "open" }.into(),
            visitor.money(one.stated, currency)?.into(),
            visitor.money(one.booked, currency)?.into(),
            agrees.into(),
        ]);
    }
    let columns = [
        Column::words("Account"),
        Column::words("Last day"),
        Column::words("Day"),
        Column::numbers("Stated"),
        Column::numbers("Booked"),
        Column::words("Same"),
    ];
    Ok(Part::new("As stated and as booked").table(&columns, rows, "No bank stated anything yet."))
}

/// What the last lines were matched to.
async fn matches(visitor: &OpsVisitor) -> Result<Part, Problem> {
    let mut rows = Vec::new();
    for one in matched(&visitor.state.reads).await? {
        let currency = one.currency.parse().map_err(|error| Problem::internal(&error))?;
        let item = one.item.unwrap_or_default();
        let item: Cell = if item.starts_with("wd_") {
            Cell::Link(item.clone(), format!("/ops/withdrawals/{item}"))
        } else {
            item.into()
        };
        let booked = match one.purpose.as_deref() {
            None => "waits to be booked".to_owned(),
            Some("unknown") => "nobody could explain it".to_owned(),
            Some(purpose) => purpose.replace('_', " "),
        };
        rows.push(vec![
            one.line.into(),
            one.day.to_string().into(),
            one.account.into(),
            visitor.money(one.amount, currency)?.into(),
            one.bank_transaction_id.into(),
            booked.into(),
            item,
        ]);
    }
    let columns = [
        Column::words("Line"),
        Column::words("Day"),
        Column::words("Account"),
        Column::numbers("Amount"),
        Column::words("Bank’s number"),
        Column::words("Booked as"),
        Column::words("For"),
    ];
    Ok(Part::new("Matches, the last lines first").table(&columns, rows, "No line was stated yet."))
}

async fn backed(visitor: &OpsVisitor) -> Result<Part, Problem> {
    let mut rows = Vec::new();
    for one in backing(&visitor.state.reads).await? {
        let currency = one.currency.parse().map_err(|error| Problem::internal(&error))?;
        rows.push(vec![
            visitor.money(one.escrow_stated, currency)?.into(),
            visitor.money(one.clearing_out, currency)?.into(),
            visitor.money(one.liabilities, currency)?.into(),
            visitor.money(one.headroom(), currency)?.into(),
            if one.is_short() { "money is missing" } else { "yes" }.into(),
        ]);
    }
    let columns = [
        Column::numbers("Escrow as stated"),
        Column::numbers("Paid, not stated yet"),
        Column::numbers("Owed to customers"),
        Column::numbers("Headroom"),
        Column::words("Backed"),
    ];
    let nothing = "Nothing is owed to customers yet.";
    Ok(Part::new("Customers’ money").table(&columns, rows, nothing))
}

async fn upload(visitor: &OpsVisitor) -> Result<Part, Problem> {
    let banks = visitor.state.banks.iter().map(|bank| bank.code().to_string());
    let choices: Vec<(String, String)> = banks.map(|code| (code.clone(), code)).collect();
    let bank = if choices.is_empty() {
        Field::line("bank", "Bank", 20)
    } else {
        Field::choice("bank", "Bank", choices)
    };
    let formats = FORMATS.map(|name| (name.to_owned(), name.to_owned())).to_vec();
    let form = ActForm::new("/ops/reconciliation/statements", "Hand it in")
        .field(bank)
        .field(Field::choice("format", "Format", formats))
        .field(Field::file("file", "Statement"))
        .field(
            Field::line("accounts", "Our accounts’ numbers", 200)
                .hint("escrow=…;own=…, if the bank’s contract does not have them.")
                .optional(),
        )
        .field(Field::line("mapping", "Columns of a CSV file", 1_000).optional())
        .field(Field::reason());
    let open = proposals(visitor).list(true, visitor.now()).await?;
    let waits = open.iter().filter(|one| one.kind() == Some(Kind::ImportStatement)).count();
    let text = format!(
        "Banks that are called state by themselves. A file in such a bank’s name takes two: \
         {waits} wait under Approvals."
    );
    Ok(Part::new("Hand in a statement").text(text).form(form))
}

/// Hands in a statement, or proposes that, where it takes two.
pub(super) async fn hand_in(form: Statement) -> Result<Response, Problem> {
    let done = take(&form).await;
    let visitor = &form.visitor;
    let to = if matches!(done, Ok(true)) { "/ops/approvals" } else { PATH };
    after(done.map(drop), to, async |errors| board(visitor, &errors).await).await
}

async fn take(form: &Statement) -> Result<bool, Problem> {
    let visitor = &form.visitor;
    let wrong = |detail: &'static str| Problem::field(codes::INVALID, "/file", detail);
    let too_large = || wrong("A statement has at most 16 MB.");
    let bytes = form.file.as_deref().ok_or_else(too_large)?;
    if bytes.is_empty() {
        return Err(wrong("Choose the file of a statement."));
    }
    let bank: BankCode =
        form.of("bank").parse().map_err(|_| Problem::not_found("There is no such bank."))?;
    let some = |name: &str| Some(form.of(name).to_owned()).filter(|text| !text.is_empty());
    let mut file = StatementFile {
        bank,
        format: form.of("format").to_owned(),
        accounts: some("accounts"),
        mapping: some("mapping"),
        days: Vec::new(),
    };
    let writer = visitor.writer()?;
    // What can't be read is refused now, and not when the other person agrees.
    let (_, read) = desk::read(&visitor.state, &file, bytes).await?;
    file.days = read.iter().map(desk::DayStated::of).collect::<Option<_>>().unwrap_or_default();
    if !desk::takes_two(&visitor.state, &file.bank)? {
        let nobody = Approver::of(writer.caller.clone());
        desk::import(&writer, &nobody, &file, bytes).await?;
        return Ok(false);
    }
    let sha256 = hex::encode(Sha256::digest(bytes));
    let subject = format!("{} {sha256}", file.bank);
    let key = act::key("ops_statement", form.of("nonce"), &[&subject, form.of("reason")])?;
    let new = NewProposal {
        kind: Kind::ImportStatement,
        subject: &subject,
        body: serde_json::to_value(&file).map_err(|error| Problem::internal(&error))?,
        reason: form.of("reason"),
        evidence_sha256: Some(&sha256),
        file: Some(bytes),
        key: &key.0,
    };
    carrying_out::propose(&writer, &new).await?;
    Ok(true)
}

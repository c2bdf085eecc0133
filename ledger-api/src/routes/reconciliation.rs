//! `/v1/ops/bank-statements` and `/v1/ops/reconciliation`: what banks state, and where it differs
//! from our books.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use chrono::NaiveDate;
use ledger_core::{clock::Timestamp, ids::BankCode, money::CurrencyCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    desk::statements::{self as desk, StatementFile},
    http::{
        ApiState, Problem,
        approval::Approver,
        auth::Require as _,
        json::collect,
        query::{NoParams, Params},
        reader::Reader,
        reply::Reply,
        wire::Amount,
        writer::Writer,
    },
    identity::Scope,
    statements::{self, FILE_BYTES_MAX},
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(import)).routes(routes!(reconciliation))
}

/// Which statement it is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StatementQuery {
    /// The bank.
    #[param(value_type = String, example = "hdfc")]
    bank: BankCode,
    /// How it is written: `json`, `camt053`, `mt940` or `csv`.
    #[param(example = "json")]
    format: String,
    /// The numbers of our accounts, as `camt053` and `mt940` name them; if it is not given, those
    /// of the bank's contract.
    #[param(example = "escrow=501000123456;own=501000999")]
    accounts: Option<String>,
    /// What the columns of a CSV file mean.
    mapping: Option<String>,
}

/// The bytes of a statement, whatever they are.
struct File(Bytes);

impl FromRequest<ApiState> for File {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &ApiState) -> Result<Self, Problem> {
        collect(request, FILE_BYTES_MAX).await.map(Self)
    }
}

/// A statement that is stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankStatement)]
struct StatementOut {
    /// Always `bank_statement`.
    #[schema(example = "bank_statement")]
    object: &'static str,
    /// Its number; of several days, that of the last one.
    id: i64,
    /// How many days it has.
    days: usize,
    /// Whether it was there before, to the byte: then nothing happened.
    duplicate: bool,
    /// The version of the day that it replaces.
    supersedes: Option<i64>,
    /// How many lines it has.
    lines: usize,
    /// How many of them were new.
    new_lines: usize,
    /// How many lines of the day vanished, or are others now.
    breaks: usize,
}

/// Import a bank's statement
///
/// The body is the file, at most 16 MiB. It is stored whole, or refused whole with nothing stored;
/// the same file again changes nothing, with whatever key. A worker books its lines. For a bank
/// that this service calls it takes a second person, `Approver-Authorization: Bearer …` with the
/// key of another principal that has `ops:approve`.
#[utoipa::path(
    post,
    path = "/v1/ops/bank-statements",
    tag = "Reconciliation",
    params(StatementQuery),
    request_body(content = serde_json::Value, example = json!({
        "account": "escrow", "date": "2026-11-22", "closed": true,
        "opening": {"value": "0.00", "currency": "INR"},
        "closing": {"value": "500.00", "currency": "INR"},
        "lines": [{
            "bank_transaction_id": "S0000000043", "booking_date": "2026-11-22",
            "value_date": "2026-11-22", "direction": "credit",
            "amount": {"value": "500.00", "currency": "INR"}, "utr": "HDFC118830077240",
            "reference": null, "narration": "IN ASHA RAO"}]})),
    responses((status = 200, description = "It is stored.", body = StatementOut)),
)]
async fn import(
    writer: Writer,
    approver: Approver,
    Params(query): Params<StatementQuery>,
    File(bytes): File,
) -> Result<Reply<StatementOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let StatementQuery { bank, format, accounts, mapping } = query;
    let file = StatementFile { bank, format, accounts, mapping, days: Vec::new() };
    let (imported, days) = desk::import(&writer, &approver, &file, &bytes).await?;
    Ok(Reply::ok(StatementOut {
        days,
        object: "bank_statement",
        id: imported.file_id,
        duplicate: imported.duplicate,
        supersedes: imported.supersedes,
        lines: imported.lines,
        new_lines: imported.new_lines,
        breaks: imported.breaks,
    }))
}

/// Where statements and books differ.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reconciliation)]
struct ReconciliationOut {
    /// Always `reconciliation`.
    #[schema(example = "reconciliation")]
    object: &'static str,
    /// The breaks that stand, oldest first; at most 1,000.
    breaks: Vec<BreakOut>,
    /// Our accounts at banks: as stated last, and as booked.
    accounts: Vec<StatedOut>,
    /// Whether customers' money is there, by currency.
    backing: Vec<BackingOut>,
}

/// Whether customers' money is there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Backing)]
struct BackingOut {
    /// Escrow at all banks, as they state it last.
    escrow_stated: Amount,
    /// What they said they paid, and no statement shows yet.
    clearing_out: Amount,
    /// All that is owed to customers.
    liabilities: Amount,
    /// Escrow less the two; below zero if money is missing.
    headroom: Amount,
    /// Whether money is missing.
    short: bool,
}

/// Something that one side has and the other has not, or has otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Break)]
struct BreakOut {
    /// `only_ours` (open in clearing for more than a day), `only_theirs`, `amount_differs` (in
    /// suspense), `vanished`, `changed` (a corrected statement).
    kind: String,
    /// The account.
    account: String,
    /// The business object, or the line.
    item: String,
    /// How much.
    amount: Amount,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// For how many seconds.
    age_seconds: i64,
    /// The bank's number, of a line.
    bank_transaction_id: Option<String>,
    /// The reference that the line has.
    reference: Option<String>,
    /// What is otherwise.
    detail: Option<String>,
}

/// An account of ours at a bank.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatedAccount)]
struct StatedOut {
    /// The account.
    account: String,
    /// The last day that the bank stated.
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
    /// Whether that day is closed.
    closed: bool,
    /// The bank's closing balance.
    stated: Amount,
    /// The balance in our books.
    booked: Amount,
}

/// Get the reconciliation
///
/// What banks state and our books do not have, and the other way round, with its age.
#[utoipa::path(
    get,
    path = "/v1/ops/reconciliation",
    tag = "Reconciliation",
    responses((status = 200, description = "The breaks.", body = ReconciliationOut)),
)]
async fn reconciliation(
    reader: Reader,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<ReconciliationOut>, Problem> {
    reader.admit(&[Scope::OpsRead], None).await?;
    let (state, now) = (&reader.state, reader.state.clock.now());
    let unread = |error| Problem::from(projections::ReadError::from(error));
    let amount = |value, currency: &str| -> Result<Amount, Problem> {
        let code: CurrencyCode = currency.parse().map_err(|error| Problem::internal(&error))?;
        Ok(Amount::new(value, code))
    };
    let mut out = ReconciliationOut {
        object: "reconciliation",
        breaks: Vec::new(),
        accounts: Vec::new(),
        backing: Vec::new(),
    };
    for found in statements::breaks(&state.reads, now).await.map_err(unread)? {
        out.breaks.push(BreakOut {
            amount: amount(found.amount, &found.currency)?,
            age_seconds: now.signed_duration_since(found.since).num_seconds(),
            kind: found.kind,
            account: found.account,
            item: found.item,
            since: found.since,
            bank_transaction_id: found.bank_transaction_id,
            reference: found.reference,
            detail: found.detail,
        });
    }
    for stated in statements::stated(&state.reads).await.map_err(unread)? {
        out.accounts.push(StatedOut {
            stated: amount(stated.stated, &stated.currency)?,
            booked: amount(stated.booked, &stated.currency)?,
            account: stated.account,
            day: stated.day,
            closed: stated.closed,
        });
    }
    for backing in statements::backing(&state.reads).await.map_err(unread)? {
        let of = |value| amount(value, &backing.currency);
        out.backing.push(BackingOut {
            escrow_stated: of(backing.escrow_stated)?,
            clearing_out: of(backing.clearing_out)?,
            liabilities: of(backing.liabilities)?,
            headroom: of(backing.headroom())?,
            short: backing.is_short(),
        });
    }
    Ok(Reply::ok(out))
}

//! What happened on a wallet: the list, one thing in full, its receipt.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use ledger_core::log::Position;
use projections::{ActivityFilter, ActivityStatus, Towards, Turn};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    READ,
    body::{ActivityListOut, ActivityOut, ActivityStatusWord, DetailOut, FaceOut, TowardsWord},
};
use crate::{
    http::{
        Problem, codes,
        path::Id,
        query::{self, Params},
        reader::{Reader, limit},
        reply::Reply,
        wire::Amount,
    },
    people::{PersonId, Recipient},
    routes::accounts::MinPosition,
    wallet,
};

/// The most characters of a kind or of what is searched for.
const WORD_CHARS_MAX: usize = 64;

/// Which part of it.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ActivityQuery {
    /// Of this kind: `deposit`, `withdrawal`, `transfer`, `payment` or another.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// In this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<ActivityStatusWord>)]
    status: Option<ActivityStatus>,
    /// Coming or going.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<TowardsWord>)]
    direction: Option<Towards>,
    /// Begun at or after this moment.
    #[serde(default, deserialize_with = "query::moment", skip_serializing_if = "Option::is_none")]
    from: Option<DateTime<Utc>>,
    /// Begun before this moment.
    #[serde(default, deserialize_with = "query::moment", skip_serializing_if = "Option::is_none")]
    before: Option<DateTime<Utc>>,
    /// At least this much, as a plain decimal number.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_min: Option<String>,
    /// At most this much.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_max: Option<String>,
    /// With this person on the other side: a handle, a verified phone number or an id.
    #[serde(skip_serializing_if = "Option::is_none")]
    counterparty: Option<String>,
    /// Exactly this id or this reference of a bank, a person's handle (`@asha`), an amount
    /// (`5000.13`), or about an amount (`~500`: a tenth less to a tenth more).
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<String>,
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` or `previous_cursor` of a page.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
    /// Wait until the answer reflects this position.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    min_position: Option<u64>,
}

/// A place in the list, and which way to go on from there.
struct Place(Turn);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Turn::Older(position) => write!(f, "o{position}"),
            Turn::Newer(position) => write!(f, "n{position}"),
        }
    }
}

impl FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('n') {
            Some(position) => position.parse::<Position>().map(|p| Self(Turn::Newer(p))),
            None => text.trim_start_matches('o').parse().map(|p| Self(Turn::Older(p))),
        }
    }
}

/// What a list's cursors are bound to.
#[derive(Serialize)]
struct Bound<'a> {
    person: PersonId,
    query: &'a ActivityQuery,
}

/// List one's activity
///
/// Deposits, withdrawals, transfers and all else that happened, the newest first, with how many
/// there are of each status.
#[utoipa::path(
    get,
    path = "/v1/activity",
    tag = "Wallet",
    params(ActivityQuery),
    responses((status = 200, description = "A page of it.", body = ActivityListOut)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<ActivityQuery>,
) -> Result<Reply<ActivityListOut>, Problem> {
    let (person, _) = reader.admit_person(READ, query.min_position).await?;
    let limit = limit(query.limit)?;
    let filter = filter(&reader, &query).await?;
    let bound = Bound { person, query: &query };
    let list = reader.list("activity", &bound);
    let turn = list.resume::<Place>(query.cursor.as_deref())?.map(|place| place.0);
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    let Some(filter) = filter else {
        // Nobody is called so, so nothing happened with them.
        let position = reader.state.read_models.position().await?;
        return Ok(Reply::ok(ActivityListOut::none()).at(position));
    };
    let found = wallet::activity(&reader.state, &account, &filter, turn, limit).await?;
    let seal = |turn: Turn| list.seal(Place(turn));
    let next_cursor = found.older.map(Turn::Older).map(seal).transpose()?;
    let answer = ActivityListOut {
        data: found.items.into_iter().map(ActivityOut::from).collect(),
        counts_are_exact: found.counts.all().1,
        counts: found.counts.counts,
        has_more: next_cursor.is_some(),
        previous_cursor: found.newer.map(Turn::Newer).map(seal).transpose()?,
        next_cursor,
    };
    let link = answer.next_cursor.as_deref().map(|cursor| reader.next_address(cursor));
    Ok(Reply::ok(answer).at(found.position).next_link(link.as_deref()))
}

/// What to look for; nothing if nobody is called as the query says.
async fn filter(reader: &Reader, query: &ActivityQuery) -> Result<Option<ActivityFilter>, Problem> {
    for (name, word) in [("kind", &query.kind), ("q", &query.q)] {
        let word = word.as_deref().unwrap_or_default();
        if word.chars().count() > WORD_CHARS_MAX || word.chars().any(char::is_control) {
            return Err(Problem::parameter(name, format!("At most {WORD_CHARS_MAX} characters.")));
        }
    }
    let counterparty = match &query.counterparty {
        None => None,
        Some(text) => {
            let named: Recipient = text
                .parse()
                .map_err(|error| Problem::parameter("counterparty", format!("{error}.")))?;
            let Some(face) = reader.state.people.find(&named).await? else { return Ok(None) };
            Some(face.id.wallet().map_err(|error| Problem::internal(&error))?)
        }
    };
    let mut filter = ActivityFilter {
        kind: query.kind.clone(),
        status: query.status,
        direction: query.direction,
        from: query.from,
        before: query.before,
        amount_min: amount("amount_min", query.amount_min.as_deref())?,
        amount_max: amount("amount_max", query.amount_max.as_deref())?,
        counterparty,
        search: None,
    };
    if let Some(text) = &query.q {
        wallet::search(&reader.state, text, &mut filter).await?;
    }
    Ok(Some(filter))
}

fn amount(name: &'static str, text: Option<&str>) -> Result<Option<Decimal>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.len() <= 28;
    let amount = Decimal::from_str_exact(text).ok().filter(|_| plain);
    amount.map(Some).ok_or_else(|| Problem::parameter(name, "A plain decimal number."))
}

/// Get one thing of one's activity
///
/// With its timeline, what happens next, and the debits and credits behind it in plain words.
#[utoipa::path(
    get,
    path = "/v1/activity/{id}",
    tag = "Wallet",
    params(("id" = String, Path, description = "Its id"), MinPosition),
    responses((status = 200, description = "All of it.", body = DetailOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<String>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<DetailOut>, Problem> {
    let (person, _) = reader.admit_person(READ, query.min_position).await?;
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    let found = wallet::detail(&reader.state, &account, &id).await?;
    let position = found.position;
    Ok(Reply::ok(DetailOut::from(found)).at(position))
}

/// What proves to others that something happened.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActivityReceipt)]
pub(super) struct ReceiptOut {
    /// The object.
    #[schema(example = "tr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: String,
    /// Always `receipt`.
    #[schema(example = "receipt")]
    object: String,
    /// Its kind.
    #[schema(example = "transfer")]
    kind: String,
    /// Whether money came or went.
    #[schema(value_type = TowardsWord)]
    direction: Towards,
    /// Where it was when the receipt was made.
    #[schema(value_type = ActivityStatusWord)]
    status: ActivityStatus,
    /// Whose wallet it is.
    owner: FaceOut,
    /// The person on the other side.
    counterparty: Option<FaceOut>,
    /// How much.
    amount: Amount,
    /// What it cost.
    fee: Amount,
    /// Both together.
    total: Amount,
    /// The bank's reference.
    utr: Option<String>,
    /// The words that were put on it.
    note: Option<String>,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it reached its status.
    changed_at: DateTime<Utc>,
    /// Where its last event stands in the log.
    position: u64,
    /// Where the proof is that the wallet's debit or credit is in the signed log.
    #[schema(example = "/v1/statements/proofs/48213")]
    proof: Option<String>,
}

/// Get a receipt
///
/// Only of what is done or came back: of what is not, nothing is certain yet (409
/// `receipt_not_ready`).
#[utoipa::path(
    get,
    path = "/v1/activity/{id}/receipt",
    tag = "Wallet",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The receipt.", body = ReceiptOut)),
)]
pub(super) async fn receipt(
    reader: Reader,
    Id(id): Id<String>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<ReceiptOut>, Problem> {
    let (person, _) = reader.admit_person(READ, query.min_position).await?;
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    let found = wallet::detail(&reader.state, &account, &id).await?;
    let proof = found.own_position().map(|position| format!("/v1/statements/proofs/{position}"));
    let row = found.row;
    if !matches!(row.status, ActivityStatus::Done | ActivityStatus::Returned) {
        let detail = "It is not done, so there is nothing to show for it yet.";
        return Err(Problem::new(codes::RECEIPT_NOT_READY, detail));
    }
    let owner = reader.state.people.by_id(person).await?;
    let owner = owner.ok_or_else(crate::http::reach::nothing)?.face();
    let answer = ReceiptOut {
        id: row.object,
        object: "receipt".to_owned(),
        kind: row.kind,
        direction: row.direction,
        status: row.status,
        owner: owner.into(),
        counterparty: found.other.map(FaceOut::from),
        amount: found.amount.into(),
        fee: found.fee.into(),
        total: found.total.into(),
        utr: row.utr,
        note: found.note,
        created_at: row.began_at,
        changed_at: row.changed_at,
        position: row.last_position,
        proof,
    };
    Ok(Reply::ok(answer).at(found.position))
}

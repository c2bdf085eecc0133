//! The rows of the list as a file: exactly the filtered ones, all of them, the newest first.
//!
//! They are read a page at a time and sent as they come, so a long history takes no more memory
//! than a short one and nothing is cut off. If the database fails on the way the transfer is broken
//! off, which browsers show as a failed download: a file that looks whole is whole.

use std::borrow::Cow;

use axum::{
    body::Body,
    extract::Query as Asked,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use futures::stream;
use projections::{ActivityFilter, ActivityRow, Turn};
use rust_decimal::Decimal;

use super::filter::Query;
use crate::{
    http::Problem,
    pages::{
        Visitor,
        names::{Names, what},
        spreadsheet,
    },
    wallet,
};

/// How many rows are read at once.
const PAGE: u32 = 500;
const HEAD: &str = "time,id,kind,direction,status,who,amount,fee,currency,utr,balance_after\r\n";

/// How far the file is.
enum Place {
    At(Option<Turn>),
    End,
}

/// The file.
pub(super) async fn csv(visitor: Visitor, Asked(query): Asked<Query>) -> Result<Response, Problem> {
    let (mut filter, _) = query.filter(visitor.now(), visitor.zone);
    if let Some(text) = query.sought() {
        wallet::search(&visitor.state, &text, &mut filter).await?;
    }
    // What is wrong is said while there is still a status to say it with.
    let (first, next) = part(&visitor, &filter, None).await?;
    let start = (visitor, filter, Some(format!("{HEAD}{first}")), next);
    let parts = stream::try_unfold(start, |(visitor, filter, ready, place)| async move {
        if let Some(ready) = ready {
            return Ok(Some((ready, (visitor, filter, None, place))));
        }
        let Place::At(turn) = place else { return Ok(None) };
        let (text, next) = part(&visitor, &filter, turn).await.map_err(|problem| {
            tracing::error!(code = problem.code(), "a file of somebody's activity broke off");
            std::io::Error::other("the database does not answer")
        })?;
        Ok::<_, std::io::Error>(Some((text, (visitor, filter, None, next))))
    });
    let mut response = Body::from_stream(parts).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"activity.csv\""),
    );
    Ok(response)
}

/// Some rows as text, and where the next ones are.
async fn part(
    visitor: &Visitor,
    filter: &ActivityFilter,
    turn: Option<Turn>,
) -> Result<(String, Place), Problem> {
    let models = &visitor.state.read_models;
    let page = models.activity(&visitor.wallet, filter, turn, PAGE).await?;
    let names = Names::of(visitor, &page.rows).await?;
    let balances = models.balances_after(&visitor.wallet, &page.rows).await?;
    let lines = page.rows.iter().map(|row| line(visitor, &names, row, balances.get(&row.object)));
    let lines = lines.collect::<Result<String, Problem>>()?;
    let next = page.older.map_or(Place::End, |older| Place::At(Some(Turn::Older(older))));
    Ok((lines, next))
}

fn line(
    visitor: &Visitor,
    names: &Names,
    row: &ActivityRow,
    balance: Option<&Decimal>,
) -> Result<String, Problem> {
    // At the currency's scale: the database keeps a plain zero without decimals.
    let written = |amount: Decimal| {
        Ok::<_, Problem>(visitor.money(amount, row.currency)?.amount().to_string())
    };
    let fields = [
        row.began_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        row.object.clone(),
        row.kind.clone(),
        row.direction.as_str().to_owned(),
        row.status.as_str().to_owned(),
        format!("{} · {}", names.who(row), what(row)),
        written(row.amount)?,
        written(row.fee)?,
        row.currency.to_string(),
        row.utr.clone().unwrap_or_default(),
        balance.map(|balance| written(*balance)).transpose()?.unwrap_or_default(),
    ];
    Ok(spreadsheet::line(fields.map(Cow::Owned)))
}

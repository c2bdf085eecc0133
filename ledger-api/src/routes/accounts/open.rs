//! Opening an account: what the chart of accounts says of its code, and what it leaves open.

use ledger_core::{
    book::Book,
    chart::{self, Authority, PostingClass},
    command::{OpenAccount, Operation, Receipt},
    ids::AccountId,
    money::{Currency, Money},
};
use rust_decimal::Decimal;

use super::body::{AccountIn, AccountOut};
use crate::{
    http::{
        Problem,
        auth::Require as _,
        authority::to_manage,
        codes,
        idempotency::Key,
        json::Payload,
        problem::ProblemBody,
        reply::Reply,
        wire::{Amount, MoneyIn, check_words, with_book},
        writer::{Done, Identity, Writer, wrong_receipt},
    },
    identity::Scope,
    routes::transactions::body::check_currency,
};

/// The most bytes of an account's metadata, keys and values together.
const METADATA_BYTES_MAX: usize = 2_048;

/// Open an account
///
/// A code in the chart of accounts (`wallet:{id}`, `bank:{bank}:clearing_in` …) gets its type,
/// posting class and itemisation from the chart. Other codes are your own: of class `open`, with
/// the type that you state. Accounts of other classes than `open` need the scope `admin`.
#[utoipa::path(
    post,
    path = "/v1/accounts",
    tag = "Accounts",
    request_body(content = AccountIn, example = json!(
        {"code": "wallet:asha", "currency": "INR", "owner": "asha"})),
    responses((status = 201, description = "It was opened.", body = AccountOut),
    (status = 422, description = "The request contradicts the chart.", body = ProblemBody)),
)]
pub(super) async fn open(
    writer: Writer,
    key: Key,
    payload: Payload,
) -> Result<Reply<AccountOut>, Problem> {
    writer.caller.require(&[Scope::LedgerWrite, Scope::Admin])?;
    let body: AccountIn = payload.parse()?;
    check_metadata(&body)?;
    let open = with_book(&writer.state, |book| resolve(&body, book)).await?;
    writer.caller.require(&[to_manage(open.class)])?;

    let identity = Identity { key, operation: "open_account", path: &[], body: &body };
    let operation = Operation::OpenAccount(open.clone());
    let done = writer.submit(identity, Authority::of(&[open.class]).into(), operation).await?;
    let location = format!("/v1/accounts/{}", open.account);
    let answer = opened(open, &done)?;
    Ok(Reply::created(answer, &location).at(done.position).replayed(done.replayed))
}

/// The account in the book's terms: the request, completed by the chart and held against it.
fn resolve(body: &AccountIn, book: &Book) -> Result<OpenAccount, Problem> {
    let currency = book.currency(body.currency).ok_or_else(|| {
        let detail = "The book does not have this currency.";
        Problem::field(codes::CURRENCY_UNKNOWN, "/currency", detail)
    })?;
    let account = AccountId::new(&body.code, body.currency);
    let entry = chart::lookup(&body.code);
    if entry.is_none() && chart::is_reserved(&body.code) {
        let detail = "The code stands in a room of the chart of accounts but is not one of its \
                      entries.";
        return Err(Problem::field(codes::CHART_MISMATCH, "/code", detail));
    }
    let account_type = match (entry.map(|entry| entry.account_type), body.account_type) {
        (Some(chart), stated) => agree(chart, stated, "/type")?,
        (None, Some(stated)) => stated,
        (None, None) => {
            let detail = "A code outside the chart of accounts needs a type.";
            return Err(Problem::field(codes::INVALID, "/type", detail));
        }
    };
    let class = entry.map_or(PostingClass::Open, |entry| entry.class);
    let itemised = match entry {
        Some(entry) => agree(entry.itemised, body.itemised, "/itemised")?,
        None => body.itemised.unwrap_or(false),
    };
    let floor_zero = entry.is_some_and(|entry| entry.floor_zero);
    let floor = limit(body.floor.as_ref(), book, &account, "/floor")?;
    Ok(OpenAccount {
        floor: floor.or_else(|| floor_zero.then(|| zero(currency))),
        ceiling: limit(body.ceiling.as_ref(), book, &account, "/ceiling")?,
        account,
        currency,
        owner: body.owner.clone(),
        account_type,
        class: agree(class, body.class, "/class")?,
        itemised,
        metadata: body.metadata.clone(),
    })
}

fn zero(currency: Currency) -> Decimal {
    Money::zero(currency).amount()
}

/// What the chart says, unless the request states something else.
fn agree<T: PartialEq>(chart: T, stated: Option<T>, pointer: &str) -> Result<T, Problem> {
    if stated.is_none_or(|stated| stated == chart) {
        return Ok(chart);
    }
    let detail = "The chart of accounts says otherwise of this code.";
    Err(Problem::field(codes::CHART_MISMATCH, pointer, detail))
}

/// A limit of `account`, in its currency.
pub(super) fn limit(
    limit: Option<&MoneyIn>,
    book: &Book,
    account: &AccountId,
    pointer: &str,
) -> Result<Option<Decimal>, Problem> {
    let Some(limit) = limit else {
        return Ok(None);
    };
    let money = limit.resolve_signed(book, pointer)?;
    check_currency(account, money.currency().code, pointer)?;
    Ok(Some(money.amount()))
}

fn check_metadata(body: &AccountIn) -> Result<(), Problem> {
    let bytes: usize = body.metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > METADATA_BYTES_MAX {
        let detail = format!("At most {METADATA_BYTES_MAX} bytes.");
        return Err(Problem::field(codes::INVALID, "/metadata", detail));
    }
    for (key, value) in &body.metadata {
        check_words(key, METADATA_BYTES_MAX, "/metadata")?;
        check_words(value, METADATA_BYTES_MAX, "/metadata")?;
    }
    Ok(())
}

/// The account as it was opened: from the request and the stored outcome alone.
fn opened(open: OpenAccount, done: &Done) -> Result<AccountOut, Problem> {
    let Receipt::Account { sequence } = done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let amount = |limit| Amount::new(limit, open.currency.code);
    Ok(AccountOut {
        object: "account".to_owned(),
        code: open.account.code(),
        id: open.account,
        currency: open.currency.code,
        owner: open.owner,
        account_type: open.account_type,
        class: open.class,
        itemised: open.itemised,
        status: "open".to_owned(),
        floor: open.floor.map(amount),
        ceiling: open.ceiling.map(amount),
        balance: None,
        freezes: Vec::new(),
        metadata: open.metadata,
        sequence,
        opened_at: done.accepted.recorded_at,
        closed_at: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        let body: AccountIn = serde_json::from_str(json).unwrap();
        let book = crate::http::testing::book();
        resolve(&body, &book).unwrap_err().code().to_owned()
    }

    fn accepted(json: &str) -> OpenAccount {
        let body: AccountIn = serde_json::from_str(json).unwrap();
        resolve(&body, &crate::http::testing::book()).unwrap_or_else(|p| panic!("{}", p.code()))
    }

    #[test]
    fn the_chart_completes_what_is_left_out() {
        let wallet = accepted(r#"{"code":"wallet:a","currency":"INR","owner":"a"}"#);
        assert_eq!(wallet.account.as_str(), "wallet:a:INR");
        assert_eq!(wallet.floor.unwrap().to_string(), "0.00");
        assert_eq!(wallet.class, PostingClass::Open);

        let clearing =
            accepted(r#"{"code":"bank:hdfc:clearing_in","currency":"INR","owner":"hdfc"}"#);
        assert!(clearing.itemised && clearing.floor.is_none());
        assert_eq!(clearing.class, PostingClass::Clearing);

        let line = r#"{"code":"wallet:a","currency":"INR","owner":"a",
                       "floor":{"value":"-100","currency":"INR"}}"#;
        assert_eq!(accepted(line).floor.unwrap().to_string(), "-100.00");

        let own = accepted(r#"{"code":"till:7","currency":"JPY","owner":"a","type":"asset"}"#);
        assert_eq!((own.class, own.itemised, own.floor), (PostingClass::Open, false, None));
    }

    #[test]
    fn what_contradicts_the_chart_is_refused() {
        let cases = [
            (
                r#"{"code":"wallet:a","currency":"INR","owner":"a","type":"asset"}"#,
                "chart_mismatch",
            ),
            (
                r#"{"code":"wallet:a","currency":"INR","owner":"a","class":"bank"}"#,
                "chart_mismatch",
            ),
            (
                r#"{"code":"wallet:a","currency":"INR","owner":"a","itemised":true}"#,
                "chart_mismatch",
            ),
            (r#"{"code":"bank:x:teapot","currency":"INR","owner":"a"}"#, "chart_mismatch"),
            (r#"{"code":"till:7","currency":"INR","owner":"a"}"#, "invalid"),
            (
                r#"{"code":"till:7","currency":"INR","owner":"a","type":"asset","class":"bank"}"#,
                "chart_mismatch",
            ),
            (r#"{"code":"wallet:a","currency":"EUR","owner":"a"}"#, "currency_unknown"),
            (
                r#"{"code":"wallet:a","currency":"INR","owner":"a",
                    "floor":{"value":"1","currency":"JPY"}}"#,
                "currency_mismatch",
            ),
        ];
        for (json, code) in cases {
            assert_eq!(refusal(json), code, "{json}");
        }
    }
}

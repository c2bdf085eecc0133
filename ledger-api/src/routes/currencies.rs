//! `/v1/currencies`: the currencies of the book.

use ledger_core::{
    chart::Authority,
    command::Operation,
    money::{Currency, CurrencyCode, SCALE_MAX},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        ApiState, Problem,
        auth::Require as _,
        codes,
        idempotency::Key,
        json::Payload,
        query::{NoParams, Params},
        reply::Reply,
        writer::{Identity, Writer},
    },
    identity::Scope,
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, add))
}

/// A currency to add.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CurrencyInput)]
struct CurrencyIn {
    /// 3 to 8 upper-case letters or digits.
    #[schema(value_type = String, example = "EUR")]
    code: CurrencyCode,
    /// How many decimals its minor unit has; never changes.
    #[schema(maximum = 18, example = 2)]
    scale: u8,
}

/// A currency of the book.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Currency)]
struct CurrencyOut {
    /// Always `currency`.
    #[schema(example = "currency")]
    object: String,
    /// Its code.
    #[schema(value_type = String, example = "INR")]
    code: CurrencyCode,
    /// How many decimals its minor unit has.
    scale: u8,
}

/// All currencies.
#[derive(Debug, Serialize, ToSchema)]
struct CurrencyList {
    /// By code.
    data: Vec<CurrencyOut>,
    /// Always false: all of them are here.
    has_more: bool,
}

impl From<Currency> for CurrencyOut {
    fn from(currency: Currency) -> Self {
        Self { object: "currency".to_owned(), code: currency.code, scale: currency.scale }
    }
}

/// List the currencies
///
/// All of them, by code, with their scale: how many decimals an amount may have.
#[utoipa::path(
    get,
    path = "/v1/currencies",
    tag = "Book",
    responses((status = 200, description = "All currencies.", body = CurrencyList)),
)]
async fn list(
    writer: Writer,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<CurrencyList>, Problem> {
    // Every key and every person may see them: whoever posts must know the scales.
    let status = writer.state.ledger.status().borrow().clone();
    let data = status.book.currencies().map(CurrencyOut::from).collect();
    Ok(Reply::ok(CurrencyList { data, has_more: false }).at(status.head.position))
}

/// Add a currency
///
/// Its scale never changes. Needs the scope `admin`.
#[utoipa::path(
    post,
    path = "/v1/currencies",
    tag = "Book",
    request_body(content = CurrencyIn, example = json!({"code": "EUR", "scale": 2})),
    responses((status = 201, description = "It was added.", body = CurrencyOut)),
)]
async fn add(writer: Writer, key: Key, payload: Payload) -> Result<Reply<CurrencyOut>, Problem> {
    writer.caller.require(&[Scope::Admin])?;
    let body: CurrencyIn = payload.parse()?;
    if body.scale > SCALE_MAX {
        let detail = format!("A currency has at most {SCALE_MAX} decimals.");
        return Err(Problem::field(codes::CURRENCY_SCALE, "/scale", detail));
    }
    let currency = Currency { code: body.code, scale: body.scale };
    let identity = Identity { key, operation: "add_currency", path: &[], body: &body };
    let operation = Operation::AddCurrency(currency);
    let done = writer.submit(identity, Authority::NONE.into(), operation).await?;
    Ok(Reply::created(currency.into(), "/v1/currencies").at(done.position).replayed(done.replayed))
}

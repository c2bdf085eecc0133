//! `/v1/trial-balance`: whether the books balance.

use ledger_core::{
    chart::{AccountType, PostingClass},
    log::Position,
    money::CurrencyCode,
};
use projections::{CurrencyBalance, TrialLine};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{ApiState, Problem, query::Params, reader::Reader, reply::Reply, wire::Amount},
    identity::Scope,
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(trial_balance))
}

/// As of when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TrialQuery {
    /// After the event at this position of the log, and the rest of its transaction; now if left
    /// out.
    as_of_position: Option<u64>,
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

/// All debits and all credits, per currency.
#[derive(Debug, Serialize, ToSchema)]
struct TrialBalanceOut {
    /// Always `trial_balance`.
    #[schema(example = "trial_balance")]
    object: &'static str,
    /// Whether debits and credits are the same in every currency.
    balanced: bool,
    /// By currency.
    data: Vec<CurrencyOut>,
    /// The position that the answer reflects.
    position: u64,
}

/// A currency's accounts, summed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CurrencyBalance)]
struct CurrencyOut {
    /// Which currency.
    #[schema(value_type = String)]
    currency: CurrencyCode,
    /// The sum of all debits.
    debits: Amount,
    /// The sum of all credits.
    credits: Amount,
    /// Whether the two are the same.
    balanced: bool,
    /// By type and class of account.
    lines: Vec<LineOut>,
}

/// The accounts of one type and class, summed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialLine)]
struct LineOut {
    /// Their type.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    account_type: AccountType,
    /// Their class.
    #[schema(value_type = String)]
    class: PostingClass,
    /// How many there are.
    accounts: u64,
    /// The sum of their debits.
    debits: Amount,
    /// The sum of their credits.
    credits: Amount,
    /// The sum of their balances, on the type's normal side.
    balance: Amount,
}

/// Get the trial balance
///
/// Per currency all debits and all credits, by type and class of account; now or as of a position.
#[utoipa::path(
    get,
    path = "/v1/trial-balance",
    tag = "Book",
    params(TrialQuery),
    responses((status = 200, description = "The trial balance.", body = TrialBalanceOut)),
)]
async fn trial_balance(
    reader: Reader,
    Params(query): Params<TrialQuery>,
) -> Result<Reply<TrialBalanceOut>, Problem> {
    const SCOPES: &[Scope] = &[Scope::LedgerRead];
    reader.admit(SCOPES, None).await?;
    let wanted = query.min_position.max(query.as_of_position);
    if let Some(position) = query.as_of_position {
        refuse_the_future(&reader, position).await?;
    }
    let models = reader.admit(SCOPES, wanted).await?;
    let answer = match query.as_of_position {
        Some(position) => models.trial_balance_at(position).await?,
        None => models.trial_balance().await?,
    };
    let data: Vec<CurrencyOut> = answer.value.currencies.into_iter().map(currency).collect();
    let balance = TrialBalanceOut {
        object: "trial_balance",
        balanced: data.iter().all(|currency| currency.balanced),
        data,
        position: answer.position,
    };
    Ok(Reply::ok(balance).at(answer.position))
}

/// A position that the log has not reached is a wrong question, not a slow read model.
async fn refuse_the_future(reader: &Reader, position: Position) -> Result<(), Problem> {
    if position <= reader.state.ledger.status().borrow().head.position {
        return Ok(());
    }
    let head = ledger_core::log::read::head(&reader.state.reads).await?.position;
    if position <= head {
        return Ok(());
    }
    Err(projections::ReadError::NotRecorded { wanted: position, head }.into())
}

fn currency(balance: CurrencyBalance) -> CurrencyOut {
    let code = balance.currency;
    let amount = |value| Amount::new(value, code);
    let line = |line: TrialLine| LineOut {
        account_type: line.account_type,
        class: line.class,
        accounts: line.accounts,
        debits: amount(line.debits),
        credits: amount(line.credits),
        balance: amount(line.balance),
    };
    CurrencyOut {
        currency: code,
        debits: amount(balance.debits),
        credits: amount(balance.credits),
        balanced: balance.balanced,
        lines: balance.lines.into_iter().map(line).collect(),
    }
}

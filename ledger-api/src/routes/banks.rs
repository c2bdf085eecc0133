//! `/v1/banks`: the banks that send money, how they are and what they take.
//!
//! Asked of the banks themselves, all at once and for two seconds at most. One that is down is said
//! to be down; what is known of its rails from before is still told.

use futures::future::join_all;
use ledger_core::ids::{BankCode, Rail};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    banks::{Bank, Contract, Health, RailTerms},
    http::{
        ApiState, Problem,
        query::{NoParams, Params},
        reader::{Listed, Reader},
        reply::Reply,
        wire::Amount,
    },
    identity::Scope,
    wallet,
    workers::withdrawals::notes::Notes,
};

const SCOPES: &[Scope] = &[Scope::LedgerRead, Scope::WithdrawalsWrite];

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A bank.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Bank)]
pub(super) struct BankOut {
    /// Its name in accounts' codes and in requests.
    #[schema(value_type = String, example = "hdfc")]
    bank: BankCode,
    /// Always `bank`.
    #[schema(example = "bank")]
    object: String,
    /// `up`, `degraded` or `down`, now.
    #[schema(example = "up")]
    status: String,
    /// Whether it takes new withdrawals: one that is drained does not.
    takes_withdrawals: bool,
    /// How many seconds a withdrawal takes here now, about: as long as the last ones of an hour
    /// took, or as long as the next one in the queue has waited already, if that is more. Null if
    /// none was paid and none waits.
    #[schema(example = 40)]
    about_seconds: Option<u64>,
    /// Its name for people; null, like all that follows, if it was never reached.
    #[schema(example = "HDFC Bank")]
    name: Option<String>,
    /// Its currency.
    #[schema(example = "INR")]
    currency: Option<String>,
    /// The time zone of its hours.
    #[schema(example = "Asia/Kolkata")]
    time_zone: Option<String>,
    /// How it sends money.
    rails: Option<Vec<RailOut>>,
}

/// A way to send money.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Rail)]
pub(super) struct RailOut {
    /// Its name.
    #[schema(value_type = String, example = "imps")]
    rail: Rail,
    /// The least amount; null = none.
    minimum: Option<Amount>,
    /// The greatest amount; null = none.
    maximum: Option<Amount>,
    /// From when it works, in the bank's time zone; null = always.
    #[schema(example = "08:00")]
    opens: Option<String>,
    /// Until when.
    #[schema(example = "19:00")]
    closes: Option<String>,
    /// After how many seconds an outcome is certain at the latest.
    final_within_seconds: u64,
}

/// List the banks
///
/// Those that this service calls, with their health, rails and limits. A bank that is down is one
/// more line, never an error.
#[utoipa::path(
    get,
    path = "/v1/banks",
    tag = "Banks",
    responses((status = 200, description = "All of them.", body = Listed<BankOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<Listed<BankOut>>, Problem> {
    // Of nobody's things: as open to people and shops as to keys.
    reader.admit_shop(SCOPES, None).await?;
    let notes = Notes::new(reader.state.reads.clone());
    let state = &reader.state;
    let told = state.banks.iter().map(|bank| told(state, bank.as_ref(), &notes));
    let data = join_all(told).await.into_iter().collect::<Result<_, _>>()?;
    Ok(Reply::ok(Listed { data, has_more: false, next_cursor: None }))
}

async fn told(state: &ApiState, bank: &dyn Bank, notes: &Notes) -> Result<BankOut, Problem> {
    let pause = notes.pause_of(bank.code()).await?;
    let (health, contract) = futures::future::join(bank.health(), bank.contract()).await;
    let contract = contract.ok();
    let contract = contract.as_deref();
    Ok(BankOut {
        bank: bank.code().clone(),
        object: "bank".to_owned(),
        takes_withdrawals: !pause.is_some_and(|pause| pause.drains),
        about_seconds: wallet::about_seconds(state, bank.code()).await?,
        status: match health {
            Health::Up => "up",
            Health::Degraded => "degraded",
            Health::Down => "down",
        }
        .to_owned(),
        name: contract.map(|contract| contract.name.clone()),
        currency: contract.map(|contract| contract.currency.to_string()),
        time_zone: contract.map(|contract| contract.time_zone.to_string()),
        rails: contract.map(rails),
    })
}

fn rails(contract: &Contract) -> Vec<RailOut> {
    contract.rails.iter().map(rail).collect()
}

fn rail(terms: &RailTerms) -> RailOut {
    let clock = |time: chrono::NaiveTime| time.format("%H:%M").to_string();
    RailOut {
        rail: terms.rail.clone(),
        minimum: terms.minimum.map(Amount::from),
        maximum: terms.maximum.map(Amount::from),
        opens: terms.hours.map(|hours| clock(hours.opens)),
        closes: terms.hours.map(|hours| clock(hours.closes)),
        final_within_seconds: terms.final_within.as_secs(),
    }
}

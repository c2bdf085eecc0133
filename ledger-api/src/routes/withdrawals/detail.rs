//! Why a withdrawal is where it is, on the wire: `status_detail`.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use ledger_core::ids::{BankCode, WithdrawalId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    http::{ApiState, Problem},
    workers::withdrawals::{
        notes::Notes,
        waits::{self, Place, Wait},
    },
};

/// Why it is where it is: who has to act, and by when.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = WithdrawalStatusDetail)]
pub(crate) struct StatusDetail {
    /// Who has to act: `bank`, `you` or `us`.
    #[schema(example = "bank")]
    pub(crate) source: String,
    /// Why, as a code: a bank's, or one of ours (docs/api.md).
    #[schema(example = "bank_timeout")]
    pub(crate) reason: String,
    /// Why, in words.
    pub(crate) description: String,
    /// When something is tried next.
    pub(crate) next_check_at: Option<DateTime<Utc>>,
    /// How many questions were asked of the bank about the last attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checks_used: Option<u32>,
    /// How many may be; null if the bank was never reached.
    pub(crate) checks_allowed: Option<u32>,
    /// Until when its outcome is to be known.
    pub(crate) answer_due_by: Option<DateTime<Utc>>,
    /// Its place in its bank's queue, from 1; counted up to a thousand, and only where it is read
    /// alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) queue_position: Option<u64>,
    /// How many wait in that queue, counted likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) queue_length: Option<u64>,
}

impl From<Wait> for StatusDetail {
    fn from(wait: Wait) -> Self {
        Self {
            source: wait.source.as_str().to_owned(),
            reason: wait.reason,
            description: wait.description.to_owned(),
            next_check_at: wait.next_check_at,
            checks_used: wait.checks_used,
            checks_allowed: wait.checks_allowed,
            answer_due_by: wait.answer_due_by,
            queue_position: None,
            queue_length: None,
        }
    }
}

/// Why each of these is where it is; nothing for those of which there is nothing to say.
pub(in crate::routes) async fn details(
    state: &ApiState,
    places: &[Place<'_>],
) -> Result<HashMap<WithdrawalId, StatusDetail>, Problem> {
    let of: Vec<_> =
        places.iter().map(|place| (place.id, place.bank.clone(), place.attempts)).collect();
    let noted = Notes::new(state.reads.clone()).noted(&of).await?;
    let with_bank = places.iter().filter(|place| place.is_with_bank());
    let banks: BTreeMap<&BankCode, _> =
        with_bank.filter_map(|place| Some((place.bank, state.banks.get(place.bank)?))).collect();
    let contracts = banks.into_iter().map(|(code, bank)| async move {
        // Without it, times are left out: a bank that is down is no error here.
        bank.contract().await.ok().map(|contract| (code, contract))
    });
    let contracts: BTreeMap<_, _> = join_all(contracts).await.into_iter().flatten().collect();
    let now = state.clock.now();
    let detail = |place: &Place<'_>| {
        let noted = noted.get(&place.id)?;
        let contract = contracts.get(place.bank).map(AsRef::as_ref);
        Some((place.id, waits::wait(place, noted, contract, now)?.into()))
    };
    Ok(places.iter().filter_map(detail).collect())
}

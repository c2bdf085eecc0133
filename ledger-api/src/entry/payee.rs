//! Withdrawals of people: the first one to a bank account takes a fresh proof of who it is, and
//! waits until the bank account is no longer new. Whoever steals a session has to steal the
//! password too, and then wait where its owner sees it.

use ledger_core::ids::{AccountId, BankAccountId};

use crate::{
    http::{ApiState, Problem, codes},
    identity::Caller,
    people::step_up::{self, Act},
    sessions::SessionId,
};

/// Goes on only if a person may withdraw to a bank account now, for themselves or for a shop.
pub(crate) async fn check_payee(
    state: &ApiState,
    caller: &Caller,
    (account, bank_account): (&AccountId, BankAccountId),
) -> Result<(), Problem> {
    // Keys of services are not asked, and neither are a shop's own: they have no password.
    let is_session = caller.key_id.parse::<SessionId>().is_ok();
    if caller.person.is_none() && !is_session {
        return Ok(());
    }
    if state.read_models.has_withdrawn_to(account, bank_account).await? {
        return Ok(());
    }
    // One that is not there is refused by the ledger, as everybody else's is.
    let Some(payee) = state.bank_accounts.get(bank_account).await? else { return Ok(()) };
    let session = match caller.key_id.parse::<SessionId>() {
        Ok(id) => state.sessions.get(id).await?,
        // A token of another program's: it cannot ask for a password.
        Err(_) => None,
    };
    let act = Act::Withdraw { is_first: true };
    let now = state.sessions.now();
    if session.is_none_or(|session| step_up::needed(&session, act, now)) {
        let detail = "The first withdrawal to a bank account takes your password again.";
        return Err(Problem::new(codes::STEP_UP_NEEDED, detail));
    }
    let (cooling, now) = (state.people_settings.payee_cooling, state.clock.now());
    match step_up::waits_until(payee.created_at, true, cooling, now) {
        None => Ok(()),
        Some(until) => {
            let until = until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            let detail = format!("This bank account is new: it waits until {until}.");
            Err(Problem::field(codes::PAYEE_TOO_NEW, "/bank_account", detail))
        }
    }
}

//! The bank's page where a deposit is paid. It is the bank's: nothing of it is stored, and whoever
//! wants it asks the bank, by the deposit's token. A bank that does not answer delays a page and
//! nothing else.

use std::time::Duration;

use ledger_core::{
    deposit::credit::token_of,
    ids::{BankCode, DepositId},
    money::Money,
};

use crate::banks::{BankRegistry, CallError, NewCollectLink, Payee};

/// How long an answer waits for the bank.
const PATIENCE: Duration = Duration::from_secs(3);
/// Our account, by its name in banks' contracts.
const ESCROW: &str = "escrow";
/// Stands for the deposit's id in the address that the bank's page leads back to.
const ITSELF: &str = "{deposit}";

/// A page to be paid at.
pub(super) struct Wanted {
    pub(super) deposit_id: DepositId,
    pub(super) bank: BankCode,
    pub(super) amount: Money,
    pub(super) return_url: Option<String>,
    pub(super) payer: Option<Payee>,
}

/// Has the page made: the same one, however often.
pub(super) async fn open(banks: &BankRegistry, wanted: Wanted) -> Option<String> {
    let bank = banks.get(&wanted.bank)?;
    let token = token_of(wanted.deposit_id).ok()?;
    let account = ESCROW.to_owned();
    let Wanted { deposit_id, amount, return_url, payer, .. } = wanted;
    let return_url = return_url.map(|url| url.replace(ITSELF, &deposit_id.to_string()));
    let link = NewCollectLink { token, amount, account, return_url, payer };
    let opened = patiently(bank.open_collect_link(&link)).await;
    told(&wanted.bank, opened).map(|link| link.url)
}

/// Finds the page, or has it made if the bank never got to that.
pub(super) async fn find(banks: &BankRegistry, wanted: Wanted) -> Option<String> {
    let bank = banks.get(&wanted.bank)?;
    let token = token_of(wanted.deposit_id).ok()?;
    let found = patiently(bank.collect_link(&token)).await;
    match told(&wanted.bank, found)? {
        Some(link) => Some(link.url),
        None => open(banks, wanted).await,
    }
}

async fn patiently<T>(
    call: impl Future<Output = Result<T, CallError>>,
) -> Result<T, Option<CallError>> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer.map_err(Some),
        Err(_) => Err(None),
    }
}

fn told<T>(bank: &BankCode, answer: Result<T, Option<CallError>>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            let error = error.map_or_else(|| "no answer in time".to_owned(), |e| e.to_string());
            tracing::warn!(%bank, error, "the bank gave no page to pay at");
            None
        }
    }
}

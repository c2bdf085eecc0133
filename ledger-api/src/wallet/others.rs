//! The other side of a statement's lines, by name: people and shops. Whoever has left is not named.

use std::collections::{BTreeSet, HashMap};

use ledger_core::ids::{AccountId, TransactionId};

use super::{person_of, statement::Line};
use crate::{
    http::{ApiState, Problem},
    people::PersonId,
    shops::MerchantId,
};

/// The kinds that have another wallet or a shop on the other side.
const KINDS: [&str; 3] = ["transfer", "payment", "refund"];
/// Lines whose other side is looked up at once.
const LINES_AT_ONCE: usize = 1_000;

/// Puts the names behind the words of a wallet's lines: "Sent to Ravi Kumar". A shop does not learn
/// who paid from its statement.
pub(super) async fn name(
    state: &ApiState,
    account: &AccountId,
    lines: &mut [Line],
) -> Result<(), Problem> {
    if person_of(account).is_none() {
        return Ok(());
    }
    for lines in lines.chunks_mut(LINES_AT_ONCE) {
        let of_others = lines.iter().filter(|line| KINDS.contains(&&*line.kind));
        let transactions: Vec<TransactionId> = of_others.map(|line| line.transaction).collect();
        let others = state.read_models.counterparties(account, &transactions).await?;
        let names = names(state, &others).await?;
        for line in lines {
            let name = others.get(&line.transaction).and_then(|other| names.get(other));
            if let Some(name) = name.filter(|_| KINDS.contains(&&*line.kind)) {
                let side = if line.is_in { "from" } else { "to" };
                line.words = format!("{} {side} {name}", line.words);
            }
        }
    }
    Ok(())
}

async fn names(
    state: &ApiState,
    others: &HashMap<TransactionId, AccountId>,
) -> Result<HashMap<AccountId, String>, Problem> {
    let accounts: BTreeSet<&AccountId> = others.values().collect();
    let people: Vec<PersonId> = accounts.iter().filter_map(|one| person_of(one)).collect();
    let shops = accounts.iter().filter_map(|one| MerchantId::of_account(one));
    let shops: Vec<MerchantId> = shops.collect();
    let people =
        if people.is_empty() { HashMap::new() } else { state.people.faces(&people).await? };
    let shops = if shops.is_empty() { HashMap::new() } else { state.shops.faces(&shops).await? };
    let named = accounts.into_iter().filter_map(|account| {
        let person = person_of(account).and_then(|id| people.get(&id));
        let shop = MerchantId::of_account(account).and_then(|id| shops.get(&id));
        let name = person.map(|face| face.name.expose()).or(shop.map(|face| face.name.expose()))?;
        Some((account.clone(), name.to_owned()))
    });
    Ok(named.collect())
}

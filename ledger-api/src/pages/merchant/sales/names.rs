//! Who paid and where, in words.

use std::collections::HashMap;

use ledger_core::ids::AccountId;
use projections::PaymentRow;

use crate::{
    deposits::is_outside,
    http::Problem,
    pages::Visitor,
    people::{PersonId, PublicFace},
    shops::{MerchantId, Store},
    wallet::person_of,
};

/// What others may know of who paid.
pub(super) struct Payers(HashMap<PersonId, PublicFace>);

impl Payers {
    /// Those of these payments, in one question.
    pub(super) async fn of(visitor: &Visitor, rows: &[PaymentRow]) -> Result<Self, Problem> {
        let mut ids: Vec<PersonId> = rows.iter().filter_map(|row| person_of(&row.payer)).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        Ok(Self(visitor.state.people.faces(&ids).await?))
    }

    /// The person, if they are still known.
    pub(super) fn face(&self, payer: &AccountId) -> Option<&PublicFace> {
        self.0.get(&person_of(payer)?)
    }

    /// Their name.
    pub(super) fn name(&self, payer: &AccountId) -> String {
        match self.face(payer) {
            Some(face) => face.name.expose().to_owned(),
            None if is_outside(payer) => "Another bank’s app".to_owned(),
            None if person_of(payer).is_some() => "Somebody who left".to_owned(),
            None => "Another wallet".to_owned(),
        }
    }
}

/// A place to choose: its id, its name, and whether it is chosen.
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) chosen: bool,
}

/// Where a shop sells.
pub(super) struct Places(Vec<Store>);

impl Places {
    /// The shop's stores that are open, with what stands in them.
    pub(super) async fn of(visitor: &Visitor, shop: MerchantId) -> Result<Self, Problem> {
        Ok(Self(visitor.state.shops.stores(shop).await?))
    }

    /// The stores to choose from.
    pub(super) fn stores(&self, chosen: &str) -> Vec<Choice> {
        let choice = |store: &Store| choice(store.id.to_string(), store.name.as_str(), chosen);
        self.0.iter().map(choice).collect()
    }

    /// The terminals to choose from, each with its store's name.
    pub(super) fn terminals(&self, chosen: &str) -> Vec<Choice> {
        let all = self.0.iter().flat_map(|store| store.terminals.iter().map(move |t| (store, t)));
        let choice = |(store, terminal): (&Store, &crate::shops::Terminal)| {
            let name = format!("{}, {}", terminal.name.as_str(), store.name.as_str());
            choice(terminal.id.to_string(), &name, chosen)
        };
        all.map(choice).collect()
    }

    /// A place by its id: its name, or the id of one that is closed.
    pub(super) fn name(&self, id: &str) -> String {
        let mut known = self.stores("").into_iter().chain(self.terminals(""));
        known.find(|one| one.id == id).map_or_else(|| id.to_owned(), |one| one.name)
    }
}

fn choice(id: String, name: &str, chosen: &str) -> Choice {
    Choice { chosen: id == chosen, id, name: name.to_owned() }
}

//! Who is on the other side of what a wallet sees, by name.

use std::collections::HashMap;

use ledger_core::ids::{AccountId, BankAccountId, WithdrawalId};
use projections::{ActivityRow, Towards};

use super::{
    Visitor,
    ui::{Face, MoneyView, MoveRow, Status},
};
use crate::{
    http::Problem,
    people::{PersonId, PublicFace},
    shops::{MerchantId, ShopFace},
    wallet::person_of,
};

/// The people on the other side of some movements.
pub(crate) struct Names {
    people: HashMap<PersonId, PublicFace>,
    shops: HashMap<MerchantId, ShopFace>,
    /// Where withdrawals go, by their own ids.
    payees: HashMap<String, String>,
}

impl Names {
    /// Those of these movements, in one question.
    pub(crate) async fn of<'r>(
        visitor: &Visitor,
        rows: impl IntoIterator<Item = &'r ActivityRow>,
    ) -> Result<Self, Problem> {
        let rows: Vec<&ActivityRow> = rows.into_iter().collect();
        let payees = payees(visitor, &rows).await?;
        let accounts = rows.into_iter().filter_map(|row| row.counterparty.as_ref());
        let accounts: Vec<&AccountId> = accounts.collect();
        let mut ids: Vec<PersonId> =
            accounts.iter().filter_map(|account| person_of(account)).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut shops: Vec<MerchantId> =
            accounts.iter().filter_map(|account| MerchantId::of_account(account)).collect();
        shops.sort_unstable();
        shops.dedup();
        let state = &visitor.state;
        let people = if ids.is_empty() { HashMap::new() } else { state.people.faces(&ids).await? };
        let shops =
            if shops.is_empty() { HashMap::new() } else { state.shops.faces(&shops).await? };
        Ok(Self { people, shops, payees })
    }

    /// The person on the other side, if it is one who is still known.
    pub(crate) fn face(&self, row: &ActivityRow) -> Option<&PublicFace> {
        self.people.get(&person_of(row.counterparty.as_ref()?)?)
    }

    /// The shop on the other side, if it is one.
    pub(crate) fn shop(&self, row: &ActivityRow) -> Option<&ShopFace> {
        self.shops.get(&MerchantId::of_account(row.counterparty.as_ref()?)?)
    }

    /// Who is on the other side, in words.
    pub(crate) fn who(&self, row: &ActivityRow) -> String {
        match (&*row.kind, row.direction) {
            ("deposit", _) => "From your bank".to_owned(),
            ("withdrawal", _) => match self.payees.get(&row.object) {
                Some(payee) => format!("To {payee}"),
                None => "To your bank".to_owned(),
            },
            ("repayment" | "compensation", _) => "Bahi".to_owned(),
            ("transfer", _) if row.counterparty.is_none() => "To a phone number".to_owned(),
            (_, _) if self.shop(row).is_some() => {
                let shop = self.shop(row).map(|shop| shop.name.expose());
                shop.unwrap_or_default().to_owned()
            }
            (_, _) => match self.face(row) {
                Some(face) => face.name.expose().to_owned(),
                None if is_person(row) => "Somebody who left".to_owned(),
                None if row.counterparty.is_some() => "Another wallet".to_owned(),
                None => sentence(&row.kind),
            },
        }
    }

    /// The movement as a row of a list.
    pub(crate) fn row(&self, visitor: &Visitor, row: &ActivityRow) -> Result<MoveRow, Problem> {
        let face = match (&*row.kind, self.face(row)) {
            ("deposit", _) => Face::incoming("in"),
            ("withdrawal", _) => Face::icon("bank"),
            (_, Some(face)) => Face::of(face.name.expose()),
            (_, None) if row.direction == Towards::In => Face::incoming("in"),
            (_, None) => Face::icon("send"),
        };
        Ok(MoveRow {
            id: row.object.clone(),
            href: format!("/app/activity/{}", row.object),
            face,
            who: self.who(row),
            what: what(row).to_owned(),
            amount: signed(visitor, row)?,
            status: Status::from(row.status),
            when: visitor.when(row.began_at),
            balance: None,
        })
    }
}

/// Where the withdrawals among these go; those to bank accounts that were erased are left out.
async fn payees(
    visitor: &Visitor,
    rows: &[&ActivityRow],
) -> Result<HashMap<String, String>, Problem> {
    let ids = rows.iter().filter_map(|row| row.object.parse::<WithdrawalId>().ok());
    let ids: Vec<WithdrawalId> = ids.collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let accounts = visitor.state.read_models.payee_accounts(&ids).await?;
    let known: Vec<BankAccountId> = accounts.values().copied().collect();
    let words = visitor.state.bank_accounts.words(&known).await?;
    let named = accounts
        .into_iter()
        .filter_map(|(id, account)| Some((id.to_string(), words.get(&account)?.clone())));
    Ok(named.collect())
}

/// The amount of a movement, with the sign that it has for the wallet.
pub(crate) fn signed(visitor: &Visitor, row: &ActivityRow) -> Result<MoneyView, Problem> {
    let money = visitor.money(row.amount, row.currency)?;
    Ok(match row.direction {
        Towards::In => MoneyView::incoming(money),
        Towards::Out => MoneyView::outgoing(money),
    })
}

/// Whether a person's wallet is on the other side, be they still known or not.
fn is_person(row: &ActivityRow) -> bool {
    row.counterparty.as_ref().is_some_and(|account| person_of(account).is_some())
}

/// What happened, in a word.
pub(crate) fn what(row: &ActivityRow) -> &'static str {
    match (&*row.kind, row.direction) {
        ("deposit", _) => "Money added",
        ("withdrawal", _) => "Withdrawal",
        ("reversal", _) => "Taken back",
        ("payment", Towards::Out) => "Paid",
        ("refund", _) => "Refund",
        ("repayment", _) => "Repaid what you owed",
        ("compensation", _) => "For a bank that was late",
        (_, Towards::In) => "Received",
        (_, Towards::Out) => "Sent",
    }
}

/// A code as a sentence of one or more words.
fn sentence(code: &str) -> String {
    let words = code.replace(['_', '-'], " ");
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_words() {
        assert_eq!(sentence("fee_refund"), "Fee refund");
        assert_eq!(sentence(""), "");
    }
}

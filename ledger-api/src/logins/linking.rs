//! Who somebody is here whom a provider vouches for. Here are the rules that keep accounts from
//! being taken by an address; read them in this order.

use ledger_core::clock::Timestamp;

use super::{Aim, Identity, LinkError, Logins, Proof, Proved, attempts::AttemptError};
use crate::{
    banks::accounts::BankAccounts,
    logins::BrowserSecret,
    people::{Email, People, PeopleError, PersonId, Status},
};

/// More than anybody has.
const BANK_ACCOUNTS_MAX: u32 = 1_000;

/// What comes of a proved login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// They are this person.
    SignIn(PersonId),
    /// The account is now a login of who asked for it.
    Linked,
    /// They who are signed in proved it again.
    Again,
    /// They did, at a provider that does not say when they logged in there: a code is missing.
    AgainByCode,
    /// The account at the provider is not a login of who is signed in.
    SomebodyElse,
    /// An account with the same address is there: its password is missing.
    Confirm,
    /// The same, but it has no password: its own way in has to be used.
    OtherWay,
    /// They are new: a handle is missing.
    SignUp,
    /// They are new, and there is no address that the provider vouches for.
    NoEmail,
    /// Their account is closed.
    Closed,
}

/// Why nothing comes of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutcomeError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Attempt(#[from] AttemptError),
    #[error(transparent)]
    People(#[from] PeopleError),
    #[error("the logins could not be asked for")]
    Database(#[from] sqlx::Error),
}

impl Logins {
    /// Who it is, and what is missing. What is missing something is kept for the browser.
    pub(crate) async fn decide(
        &self,
        (people, bank_accounts): (&People, &BankAccounts),
        browser: &BrowserSecret,
        proved: &Proved,
        now: Timestamp,
    ) -> Result<Outcome, OutcomeError> {
        let identity = &proved.identity;
        match proved.aim {
            Aim::SignIn => {}
            Aim::Link(person) => {
                self.link(person, identity, now).await?;
                return Ok(Outcome::Linked);
            }
            Aim::StepUp(person) => {
                let is_they = self.is_of(identity, person).await?;
                return Ok(match (is_they, identity.is_afresh) {
                    (true, true) => Outcome::Again,
                    (true, false) => Outcome::AgainByCode,
                    (false, _) => Outcome::SomebodyElse,
                });
            }
        }
        // The number counts, whatever the address is by now.
        if let Some(person) = self.identities.person_of(identity).await? {
            let found = people.by_id(person).await?;
            let is_active = found.is_some_and(|person| person.status == Status::Active);
            return Ok(if is_active { Outcome::SignIn(person) } else { Outcome::Closed });
        }
        let email: Option<Email> = identity.email.as_ref().and_then(|email| email.parse().ok());
        let Some(email) = email else {
            return Ok(Outcome::NoEmail);
        };
        let mut proof = Proof {
            identity: identity.clone(),
            account: None,
            return_to: proved.return_to.clone(),
        };
        let Some(credential) = people.credential(email.expose()).await? else {
            self.proofs.keep(browser, &proof, now).await?;
            return Ok(Outcome::SignUp);
        };
        if credential.status != Status::Active {
            return Ok(Outcome::Closed);
        }
        let account = people.by_id(credential.id).await?;
        let is_proved = account.is_some_and(|account| account.email_verified_at.is_some());
        if !is_proved {
            forget_banks(bank_accounts, credential.id, now).await?;
            self.hand_over(people, credential.id, (identity, &email), now).await?;
            return Ok(Outcome::SignIn(credential.id));
        }
        if credential.password.is_none() {
            if !self.of(credential.id).await?.is_empty() {
                return Ok(Outcome::OtherWay);
            }
            // A sign-up by a provider that broke off before its login was linked: there is no
            // other way in, and a provider's word is all that the address was ever proved by.
            self.link(credential.id, identity, now).await?;
            return Ok(Outcome::SignIn(credential.id));
        }
        proof.account = Some(credential.id);
        self.proofs.keep(browser, &proof, now).await?;
        Ok(Outcome::Confirm)
    }

    /// Gives an account to the owner of its address, whom the provider vouches for, from whoever
    /// made it and never proved the address: their password, their sessions, their linked logins,
    /// what they let frontends do, and the number that they could be reached by all end first.
    async fn hand_over(
        &self,
        people: &People,
        account: PersonId,
        (identity, email): (&Identity, &Email),
        now: Timestamp,
    ) -> Result<(), OutcomeError> {
        people.revoke_credentials(account).await?;
        self.identities.end_all(account, now).await?;
        people.set_phone(account, None).await?;
        self.link(account, identity, now).await?;
        people.note_email_proved(account, &people.key().email(email), now).await?;
        tracing::warn!(person = %account, "an account went to the owner of its e-mail address");
        Ok(())
    }
}

/// Forgets the bank accounts of somebody who never proved their address: whose they are is as
/// little known, and money must not go there by mistake.
async fn forget_banks(
    bank_accounts: &BankAccounts,
    person: PersonId,
    now: Timestamp,
) -> Result<(), OutcomeError> {
    let owner = person.owner().map_err(|_| PeopleError::Malformed("id"))?;
    for account in bank_accounts.list(&owner, None, BANK_ACCOUNTS_MAX).await? {
        bank_accounts.erase(account.id, now).await?;
    }
    Ok(())
}

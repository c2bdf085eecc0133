//! Applies what banks tell of money that came in.
//!
//! It hands each message to the [`CreditDesk`] and puts what became of it in the inbox's words. A
//! message is first noted, then the bank itself is asked, and only its answer is money. What the
//! bank does not confirm now waits under the credit's own id and is tried again; what contradicts
//! the ledger waits for people.

use futures::future::BoxFuture;
use ledger_core::ids::{BankCode, Reference};

use super::inbox::{ApplyError, Conclusion, Credits};
use crate::{
    banks::{BankMessage, CollectLink, Credit, CreditStatus},
    deposits::{CreditDesk, DeskError, Handled},
};

impl Credits for CreditDesk {
    fn apply<'a>(
        &'a self,
        bank: &'a BankCode,
        message: &'a BankMessage,
    ) -> BoxFuture<'a, Result<Conclusion, ApplyError>> {
        Box::pin(async move {
            match message {
                BankMessage::Credit(credit) => self.told_of_credit(bank, credit).await,
                BankMessage::CollectLinkDeclined(link) => self.told_of_refusal(bank, link).await,
                BankMessage::Transfer(_) | BankMessage::Other(_) => {
                    Ok(Conclusion::Ignored("it is about no money that came in".to_owned()))
                }
            }
        })
    }
}

impl CreditDesk {
    async fn told_of_credit(
        &self,
        bank: &BankCode,
        told: &Credit,
    ) -> Result<Conclusion, ApplyError> {
        let noted = match self.tell(bank, told).await {
            Ok(noted) => noted,
            Err(error) => return undecided(error, &told.id),
        };
        let asked = match self.apply_credit(bank, &told.id).await {
            Ok(asked) => asked,
            Err(error) => return undecided(error, &told.id),
        };
        Ok(of_credit(&noted, &asked, told))
    }

    async fn told_of_refusal(
        &self,
        bank: &BankCode,
        link: &CollectLink,
    ) -> Result<Conclusion, ApplyError> {
        match self.apply_collect_link(bank, &link.token).await {
            Ok(handled) => Ok(of_link(&handled, link)),
            Err(error) => undecided(error, &link.token),
        }
    }
}

/// What the bank's own answer comes to, after a message.
fn of_credit(noted: &Handled, asked: &Handled, told: &Credit) -> Conclusion {
    match (noted, asked) {
        (_, Handled::NotKnown) => waiting(&told.id, "the bank does not know the credit now"),
        (_, Handled::NotOurs(why)) => for_people(&why.to_string()),
        (_, Handled::Refused(rejection)) => for_people(&rejection.code),
        // The books are right, and still the message was not: people ask the bank why.
        (Handled::Refused(rejection), Handled::Noted { .. }) => {
            for_people(&format!("the message says something else ({})", rejection.code))
        }
        (Handled::NotOurs(why), Handled::Noted { .. }) => {
            for_people(&format!("the message says something else ({why})"))
        }
        (_, Handled::Noted { recall_requested: false, .. })
            if told.status == CreditStatus::RecallRequested =>
        {
            waiting(&told.id, "the bank does not ask for the money back now")
        }
        (_, Handled::Noted { deposit_id, status, .. }) => {
            Conclusion::Applied(format!("{deposit_id}: {}, by enquiry", status.as_str()))
        }
    }
}

/// What a page comes to that somebody declined to pay at.
fn of_link(handled: &[Handled], link: &CollectLink) -> Conclusion {
    let mut last = Conclusion::Ignored("nothing follows: the page is not declined".to_owned());
    for handled in handled {
        last = match handled {
            Handled::Noted { deposit_id, status, .. } => {
                Conclusion::Applied(format!("{deposit_id}: {}, by enquiry", status.as_str()))
            }
            Handled::NotKnown => return waiting(&link.token, "the bank does not know it now"),
            Handled::NotOurs(why) => return for_people(&why.to_string()),
            Handled::Refused(rejection) => return for_people(&rejection.code),
        };
    }
    last
}

/// What a failed call comes to. A bank that does not answer delays one message, and no other.
fn undecided(error: DeskError, reference: &Reference) -> Result<Conclusion, ApplyError> {
    match error {
        DeskError::Submit(error) => Err(error.into()),
        DeskError::Database(error) => Err(error.into()),
        DeskError::Bank(error) => Ok(waiting(reference, &error.to_string())),
        DeskError::BankUnknown => Ok(for_people("no address is configured for this bank")),
        DeskError::Name(error) => Ok(for_people(&error.to_string())),
    }
}

fn waiting(reference: &Reference, detail: &str) -> Conclusion {
    let reference = Some(reference.as_str().to_owned());
    Conclusion::Parked { reference, detail: detail.to_owned() }
}

fn for_people(detail: &str) -> Conclusion {
    Conclusion::Parked { reference: None, detail: detail.to_owned() }
}

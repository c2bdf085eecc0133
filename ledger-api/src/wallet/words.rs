//! The accounts of the ledger and what happens to things, in the words of a wallet's owner.

use ledger_core::ids::{AccountId, BankCode};

/// What an account is, to the owner of the wallet `own`.
pub(super) fn account(account: &AccountId, own: &AccountId) -> String {
    if account == own {
        return "Your wallet".to_owned();
    }
    let code = account.code();
    let segments: Vec<&str> = code.segments().collect();
    match segments.as_slice() {
        ["wallet", ..] => "Another wallet".to_owned(),
        ["withdrawals", "reserved"] => "Set aside for your withdrawal".to_owned(),
        ["withdrawals", "in_flight"] => "Given to the bank, not confirmed yet".to_owned(),
        ["fees", "held"] => "Fee, set aside".to_owned(),
        ["income", "fees"] => "Our fee".to_owned(),
        ["tax", ..] => "Tax on our fee".to_owned(),
        ["returns", "unapplied"] => "Came back, waiting for your wallet".to_owned(),
        ["suspense", ..] => "Being looked at by us".to_owned(),
        ["receivable", ..] => "Owed by you".to_owned(),
        ["bank", bank, "clearing_in"] => {
            format!("Arrived at {}, not on its statement yet", name(bank))
        }
        ["bank", bank, "clearing_out"] => {
            format!("Paid by {}, not on its statement yet", name(bank))
        }
        ["bank", bank, ..] => format!("Customers' money at {}", name(bank)),
        ["merchant", ..] => "A shop".to_owned(),
        _ => "An account of ours".to_owned(),
    }
}

/// A bank's code as it is written for people.
pub(super) fn bank(bank: &BankCode) -> String {
    name(bank.as_str())
}

fn name(bank: &str) -> String {
    bank.to_uppercase()
}

/// What a line of a statement is.
pub(super) fn line(kind: &str, is_in: bool) -> &'static str {
    match (kind, is_in) {
        ("deposit", _) => "Money added",
        ("withdrawal", _) => "Withdrawal, with its fee",
        ("withdrawal_returned", _) => "Withdrawal came back",
        ("withdrawal_late", _) => "Withdrawal paid late",
        ("transfer", true) => "Received",
        ("transfer", false) => "Sent",
        ("payment", _) => "Payment",
        ("refund", _) => "Refund",
        ("dispute", true) => "Lent until the dispute is decided",
        ("dispute", false) => "Dispute decided for the shop",
        ("fee", _) => "Fee",
        ("repayment", _) => "Repaid what you owed",
        ("compensation", _) => "For a bank that was late",
        ("reversal", _) => "Taken back",
        ("adjustment", _) => "Correction",
        (_, true) => "Money in",
        (_, false) => "Money out",
    }
}

/// What happens next to something in this status of its own; nothing if it is final.
pub(crate) fn next(kind: &str, object_status: &str) -> Option<&'static str> {
    Some(match (kind, object_status) {
        ("deposit", "awaiting_payment") => "Pay on your bank's page; we hear of it from the bank.",
        ("deposit", "received") => "The bank told us of your money; we are checking it.",
        ("deposit", "in_review") => "A person looks at this money before it is on your wallet.",
        ("deposit", "to_return") => "The money goes back to whom it came from.",
        ("deposit", "recall_requested") => "The bank asks for this money back; a person decides.",
        ("withdrawal", "pending_review") => "A person looks at it before it is sent.",
        ("withdrawal", "queued") => "It waits for its turn at the bank. You can still cancel it.",
        ("withdrawal", "processing") => "The bank has it; its answer takes seconds to hours.",
        ("withdrawal", "outcome_unknown") => {
            "The bank has not confirmed it. We find out, and never send it twice."
        }
        ("withdrawal", "needs_attention") => {
            "The bank has not confirmed it. A person of ours finds out with the bank."
        }
        ("transfer", "pending_claim") => "It waits for the receiver to prove the phone number.",
        ("refund", "pending") => "The shop is short now. It comes as soon as sales cover it.",
        ("transfer", "claim_in_review") => "It was claimed and cannot be paid out yet.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_told_without_the_ledgers_words() {
        let own: AccountId = "wallet:asha:INR".parse().unwrap();
        let words = |code: &str| account(&code.parse().unwrap(), &own);
        assert_eq!(words("wallet:asha:INR"), "Your wallet");
        assert_eq!(words("wallet:ravi:INR"), "Another wallet");
        assert_eq!(words("bank:hdfc:clearing_in:INR"), "Arrived at HDFC, not on its statement yet");
        assert_eq!(words("receivable:overpaid:wd_1:INR"), "Owed by you");
        assert_eq!(words("treasury:in_transit:INR"), "An account of ours");
    }
}

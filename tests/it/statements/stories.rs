//! The stories of a withdrawal by the real operations, from the request to the bank's statement:
//! each ends with every item closed, and with the wallet that the recipe says.

use ledger_core::{
    clock::{Ids, System},
    fee::Pricing,
    ids::WithdrawalId,
    withdrawal::{
        AttemptOutcome, BeginAttempt, CancelWithdrawal, PayeeStanding, RecordOutcome,
        RequestWithdrawal, Source, WithdrawalOperation as Ask, WithdrawalStatus as Status,
    },
};

use super::{ESCROW, OUT, Stand, WALLET, fresh, line, statement};
use crate::support::ledger::{accepted, money, parse as word};

/// One thing that happens to a withdrawal of 500.00 with a fee of 10.00.
#[derive(Debug, Clone, Copy)]
enum Step {
    Begin(u32),
    Paid(u32),
    Refused(u32),
    Offline(u32),
    Unknown(u32),
    Cancel,
    /// The customer spends as much.
    Spend(&'static str),
    /// The bank states that it paid an attempt.
    Stated(u32),
    /// The bank states that an attempt came back.
    Back(u32),
}

use Step::{Back, Begin, Cancel, Offline, Paid, Refused, Spend, Stated, Unknown};

struct Story {
    name: &'static str,
    steps: &'static [Step],
    status: Status,
    wallet: &'static str,
    /// What the bank's account has moved.
    escrow: &'static str,
    fees: &'static str,
    owed: &'static str,
}

const STORIES: [Story; 10] = [
    Story {
        name: "paid",
        steps: &[Begin(1), Paid(1), Stated(1)],
        status: Status::Completed,
        wallet: "490.00",
        escrow: "-500.00",
        fees: "8.47",
        owed: "0",
    },
    Story {
        name: "the statement before everybody else",
        steps: &[Begin(1), Stated(1), Paid(1)],
        status: Status::Completed,
        wallet: "490.00",
        escrow: "-500.00",
        fees: "8.47",
        owed: "0",
    },
    Story {
        name: "unknown, and then the statement",
        steps: &[Begin(1), Unknown(1), Stated(1)],
        status: Status::Completed,
        wallet: "490.00",
        escrow: "-500.00",
        fees: "8.47",
        owed: "0",
    },
    Story {
        name: "cancelled",
        steps: &[Cancel],
        status: Status::Cancelled,
        wallet: "1000.00",
        escrow: "0",
        fees: "0",
        owed: "0",
    },
    Story {
        name: "refused",
        steps: &[Begin(1), Refused(1)],
        status: Status::Failed,
        wallet: "1000.00",
        escrow: "0",
        fees: "0",
        owed: "0",
    },
    Story {
        name: "refused for now, and then paid",
        steps: &[Begin(1), Offline(1), Begin(2), Paid(2), Stated(2)],
        status: Status::Completed,
        wallet: "490.00",
        escrow: "-500.00",
        fees: "8.47",
        owed: "0",
    },
    Story {
        name: "refused for now, and then cancelled",
        steps: &[Begin(1), Offline(1), Cancel],
        status: Status::Cancelled,
        wallet: "1000.00",
        escrow: "0",
        fees: "0",
        owed: "0",
    },
    Story {
        name: "returned",
        steps: &[Begin(1), Paid(1), Stated(1), Back(1)],
        status: Status::Returned,
        wallet: "1000.00",
        escrow: "0.00",
        fees: "0.00",
        owed: "0",
    },
    Story {
        name: "paid late, after it was given back",
        steps: &[Begin(1), Refused(1), Paid(1), Stated(1)],
        status: Status::Completed,
        wallet: "500.00",
        escrow: "-500.00",
        fees: "0",
        owed: "0",
    },
    Story {
        name: "paid late, after it was given back and spent",
        steps: &[Begin(1), Refused(1), Spend("900.00"), Paid(1), Stated(1)],
        status: Status::Completed,
        wallet: "0.00",
        escrow: "-500.00",
        fees: "0",
        owed: "400.00",
    },
];

struct Teller {
    stand: Stand,
    id: WithdrawalId,
    lines: Vec<serde_json::Value>,
}

impl Teller {
    async fn start() -> Self {
        let stand = Stand::start().await;
        let id = WithdrawalId::from_uuid(System.fresh());
        let request = RequestWithdrawal {
            withdrawal_id: id,
            transaction_id: fresh(),
            account: word(WALLET),
            amount: money(WALLET, "500.00"),
            fee: money(WALLET, "10.00"),
            tax: money(WALLET, "1.53"),
            pricing: Pricing::AsGiven,
            bank_account: word("ba_019a0000000070008000000000000021"),
            bank: word("hdfc"),
            rail: word("imps"),
            payee_hash: None,
            payee: PayeeStanding::Unchecked,
            review: None,
            note: None,
        };
        stand.ask(Ask::Request(request)).await;
        Self { stand, id, lines: Vec::new() }
    }

    async fn told(&self, attempt: u32, outcome: AttemptOutcome) {
        let ask = Ask::RecordOutcome(RecordOutcome {
            withdrawal_id: self.id,
            attempt,
            outcome,
            source: Source::Webhook,
            code: None,
            transaction_id: fresh(),
        });
        // Twice: what is known changes nothing.
        self.stand.ask(ask.clone()).await;
        self.stand.ask(ask).await;
    }

    async fn state(&mut self, number: String, amount: &str, attempt: u32) {
        self.lines.push(line(&number, amount, Some(&format!("BH-{attempt}")), "IMPS"));
        let closing = match (self.lines.len(), amount.starts_with('-')) {
            (1, true) => "-500.00",
            _ => "0.00",
        };
        let mut file = statement(22, "0.00", closing, &self.lines);
        file["closed"] = false.into();
        self.stand.import(&file).await.unwrap();
        self.stand.book().await;
    }

    async fn step(&mut self, step: Step) {
        let (withdrawal_id, transaction_id) = (self.id, fresh());
        match step {
            Begin(attempt) => {
                let begin = BeginAttempt {
                    withdrawal_id,
                    attempt,
                    reference: word(&format!("BH-{attempt}")),
                    bank: word("hdfc"),
                    rail: word("imps"),
                    payee_hash: None,
                    transaction_id,
                };
                self.stand.ask(Ask::BeginAttempt(begin)).await;
            }
            Paid(attempt) => {
                // As the statement calls it, whichever comes first.
                let bank_reference = word(&format!("UTR-S{attempt}"));
                let amount = money(WALLET, "500.00");
                self.told(attempt, AttemptOutcome::Paid { amount, bank_reference }).await;
            }
            Refused(attempt) => self.told(attempt, AttemptOutcome::RefusedFinal).await,
            Offline(attempt) => self.told(attempt, AttemptOutcome::RefusedRetryable).await,
            Unknown(attempt) => self.told(attempt, AttemptOutcome::Unknown).await,
            Cancel => {
                let cancel = CancelWithdrawal { withdrawal_id, transaction_id };
                self.stand.ask(Ask::Cancel(cancel)).await;
            }
            Spend(amount) => {
                self.stand.ledger.open("wallet:b:INR").await;
                let spent = self.stand.ledger.transfer(WALLET, "wallet:b:INR", amount).await;
                accepted(spent);
            }
            Stated(attempt) => self.state(format!("S{attempt}"), "-500.00", attempt).await,
            Back(attempt) => self.state(format!("R{attempt}"), "+500.00", attempt).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_story_of_a_withdrawal_ends_as_its_recipe_says() {
    for story in &STORIES {
        let name = story.name;
        let mut teller = Teller::start().await;
        for step in story.steps {
            teller.step(*step).await;
        }
        let stand = teller.stand;
        let accounts = [WALLET, ESCROW, OUT, "income:fees:INR", "receivable:overpaid:a:INR"];
        let mut seen = Vec::new();
        for balance in stand.balances(&accounts).await {
            seen.push(balance.parse::<rust_decimal::Decimal>().unwrap());
        }
        let expected = [story.wallet, story.escrow, "0", story.fees, story.owed]
            .map(|amount| amount.parse::<rust_decimal::Decimal>().unwrap());
        assert_eq!(seen, expected, "{name}");
        assert_eq!(stand.withdrawal(teller.id).await.status(), Some(story.status), "{name}");
        assert_eq!(stand.count("read.open_items").await, 0, "{name}: an item is open");
        stand.end().await;
    }
}

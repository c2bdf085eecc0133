//! Money in: the page where somebody decides, and what then arrives.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    accounts::{Account, Transaction},
    bank::{Bank, Due},
    clock::Timestamp,
    credits::{Credit, Link, LinkStatus},
    faults::{Fault, Lumps, milliseconds},
    money::Amount,
    transfers::Movement,
    wire::{CreditRequest, LinkRequest, Party, Reply},
};

/// How long a slow credit takes.
const SLOW: TimeDelta = TimeDelta::seconds(30);
/// How long after saying no the money arrives all the same, and until it is asked back.
const A_MINUTE: TimeDelta = TimeDelta::seconds(60);

/// What somebody presses on the bank's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Pay.
    Approve,
    /// Don't.
    Decline,
    /// Go away without a word.
    Close,
    /// Pay, and the bank's message gets lost.
    ApproveSilently,
}

/// Money on its way in.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    account: Account,
    amount: Amount,
    token: Option<String>,
    virtual_account: Option<String>,
    payer: Party,
    fault: Option<Fault>,
}

/// The name of who pays if nobody is named: the bank's one customer.
pub(crate) const CUSTOMER: &str = "ASHA RAO";

/// Who pays if nobody is named.
fn customer() -> Option<Party> {
    somebody(CUSTOMER, "001234567890")
}

fn somebody(name: &str, number: &str) -> Option<Party> {
    Some(Party {
        account_number: number.to_owned().try_into().ok()?,
        ifsc: "TEST0000001".to_owned().try_into().ok()?,
        name: name.to_owned().try_into().ok()?,
    })
}

/// A credit that comes by itself, in the books.
fn line_of(credit: &Credit) -> Transaction {
    let (payer, token) = (credit.payer.name.as_str(), credit.token.as_deref().unwrap_or("-"));
    Transaction {
        id: credit.booked.bank_transaction_id.clone(),
        at: credit.booked.at,
        value_date: None,
        debit: Account::Network,
        credit: credit.account,
        amount: credit.amount,
        utr: credit.booked.utr.clone(),
        reference: credit.token.clone(),
        narration: format!("IN {payer} {token}"),
    }
}

impl Bank {
    /// Makes a page where somebody pays; the same one for the same token.
    pub(crate) fn open_link(&mut self, at: Timestamp, request: LinkRequest) -> Reply {
        self.run_until(at);
        let token = request.token.as_str();
        if let Some(known) = self.credits.link(token) {
            return if known.request == request {
                Reply::ok(self.credits.view(known))
            } else {
                Reply::problem(409, "token_reused", "the token was used for another link")
            };
        }
        if self.credits.is_full() {
            return Reply::problem(507, "sandbox_full", "start the sandbox bank afresh");
        }
        let url = format!("{}/pay/{token}", self.base_url);
        let link = Link { request, status: LinkStatus::Open, url };
        let view = self.credits.view(&link);
        self.credits.keep_link(link);
        Reply::ok(view)
    }

    /// Does what somebody pressed. A link that is decided stays decided.
    pub(crate) fn decide(&mut self, at: Timestamp, token: &str, decision: Decision) -> Reply {
        self.run_until(at);
        let Some(link) = self.credits.link(token) else {
            return Reply::not_found("link");
        };
        if link.status != LinkStatus::Open || decision == Decision::Close {
            return Reply::ok(self.credits.view(link));
        }
        let request = link.request.clone();
        let Some(payer) = request.payer.clone().or_else(customer) else {
            return Reply::problem(500, "bank_error", "nobody is logged in");
        };
        let fault = Fault::of(&payer.ifsc, request.amount);
        let arrival = Arrival {
            account: request.account,
            amount: request.amount,
            token: Some(token.to_owned()),
            virtual_account: None,
            payer,
            fault: if decision == Decision::ApproveSilently {
                Some(Fault::WebhookLost)
            } else {
                fault
            },
        };
        if decision == Decision::Decline {
            return self.decline(at, token, "declined_by_payer");
        }
        match fault {
            Some(Fault::NeverArrives) => Reply::silence(),
            Some(Fault::AccountClosed) => self.decline(at, token, "account_closed"),
            Some(Fault::IfscInvalid) => self.decline(at, token, "ifsc_invalid"),
            Some(Fault::BankOffline) => self.decline(at, token, "payer_bank_offline"),
            Some(Fault::RefusedThenPaid) => {
                self.plan(at + A_MINUTE, Due::Arrive(Box::new(arrival)));
                self.decline(at, token, "rejected_by_payer_bank")
            }
            Some(Fault::OnlyOnStatement) => {
                self.arrive(arrival, at);
                Reply::silence()
            }
            Some(Fault::SilentButDone) => {
                self.mark(token, LinkStatus::Approved);
                self.arrive(arrival, at);
                Reply::silence()
            }
            _ => {
                self.mark(token, LinkStatus::Approved);
                self.arrive_soon(arrival, at);
                self.link(token)
            }
        }
    }

    /// Takes money that somebody sends without a page.
    pub(crate) fn receive(&mut self, at: Timestamp, request: CreditRequest) -> Reply {
        self.run_until(at);
        if self.credits.is_full() {
            return Reply::problem(507, "sandbox_full", "start the sandbox bank afresh");
        }
        let Some(payer) = request.payer.or_else(customer) else {
            return Reply::problem(500, "bank_error", "nobody sends it");
        };
        let arrival = Arrival {
            account: request.account,
            amount: request.amount,
            token: request.token.map(String::from),
            virtual_account: request.virtual_account.map(String::from),
            fault: Fault::of(&payer.ifsc, request.amount),
            payer,
        };
        self.arrive_soon(arrival, at);
        Reply::ok(json!({ "sent": request.amount }))
    }

    fn mark(&mut self, token: &str, status: LinkStatus) {
        if let Some(link) = self.credits.link_mut(token) {
            link.status = status;
        }
    }

    fn decline(&mut self, at: Timestamp, token: &str, code: &'static str) -> Reply {
        self.mark(token, LinkStatus::Declined { code });
        let declined = self.link(token);
        self.notify("collect_link.declined", at, declined.body.clone(), None);
        declined
    }

    fn arrive_soon(&mut self, arrival: Arrival, at: Timestamp) {
        let about = format!("{:?}@{at}/{}", arrival.token, self.credits.len());
        let takes = match arrival.fault {
            Some(Fault::Slow) => SLOW,
            _ => milliseconds(self.dice.between(200, 2_000, "arrival", &about)),
        };
        self.plan(at + takes, Due::Arrive(Box::new(arrival)));
    }

    /// Books money that arrives.
    pub(crate) fn arrive(&mut self, arrival: Arrival, at: Timestamp) {
        let fault = arrival.fault;
        let amount = match fault {
            Some(Fault::CreditOtherAmount) => arrival.amount.and_a_rupee(),
            _ => arrival.amount,
        };
        let token = arrival.token.filter(|_| fault != Some(Fault::CreditWithoutToken));
        let stranger = if fault == Some(Fault::CreditThirdParty) {
            somebody("VIKRAM SHAH", "009876543210")
        } else {
            None
        };
        let lumps = self.chaos.mode(at).lumps;
        let at_once = lumps == Lumps::None
            || arrival.account != Account::Escrow
            || fault == Some(Fault::OnlyOnStatement);
        let id = if at_once { self.books.next_id() } else { self.gateway.next_id() };
        let utr = self.utr("credit", &id);
        let payer = stranger.unwrap_or(arrival.payer);
        let credit = Credit {
            id: format!("crd_{}", self.dice.id("credit", &id)),
            account: arrival.account,
            amount,
            token,
            virtual_account: arrival.virtual_account,
            payer,
            booked: Movement { at, utr, bank_transaction_id: id },
            recall_requested: false,
            hidden: fault == Some(Fault::OnlyOnStatement),
        };
        if !at_once {
            self.keep_for_lump(&credit, lumps, at);
        } else if self.books.post(line_of(&credit)).is_err() {
            tracing::warn!(amount = %amount, "a credit does not fit into the books");
            return;
        }
        self.notify("credit.received", at, credit.view(), fault);
        if fault == Some(Fault::CreditRecalled) {
            self.plan(at + A_MINUTE, Due::AskBack { credit: credit.id.clone() });
        }
        self.credits.keep_credit(credit);
    }

    /// Tells that somebody wants their money back. It takes nothing.
    pub(crate) fn ask_back(&mut self, id: &str, at: Timestamp) {
        let Some(credit) = self.credits.credit_mut(id) else {
            return;
        };
        credit.recall_requested = true;
        let view = credit.view();
        self.notify("credit.recall_requested", at, view, None);
    }
}

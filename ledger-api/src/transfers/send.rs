//! Sending: at once to who is known, for seven days to a number that nobody has proved.

use chrono::TimeDelta;
use ledger_core::{
    chart::{Authority, Direction},
    clock::Timestamp,
    command::{Operation, Receipt},
    fee::{Pricing, Service},
    ids::{AccountId, PhoneHash, TransferId},
    log::Position,
    money::Money,
    posting::{Kind, Posting, PostingLeg},
    transfer::{HoldTransfer, TransferOperation, TransferStatus, movement::FeeAccounts},
    withdrawal::quote::Quote,
};
use projections::{TransferFilter, TransferRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    WRITE, known,
    recipient::{Destination, RecipientIn},
};
use crate::{
    entry::{require_proved, throttle},
    fees::{self, Price},
    http::{
        Problem, codes,
        idempotency::Key,
        reach::Reaching as _,
        reader::{caught_up, find},
        wire::{MoneyIn, NOTE_CHARS_MAX, check_words, with_book},
        writer::{Done, Identity, Writer, wrong_receipt},
    },
    people::Rate,
};

/// How long money waits for whoever proves a number.
const WAITS: TimeDelta = TimeDelta::days(7);
/// For how long the same again looks like a mistake.
const SAME_AGAIN: TimeDelta = TimeDelta::seconds(60);
/// How many names one person may try: what is sent must not tell who is here.
const NAMES: Rate = Rate { name: "send-names", burst: 30, seconds: 10 };
/// How many of the sender's last transfers are looked at for that.
const LAST: u32 = 50;

/// Money to send.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferInput)]
pub(crate) struct SendIn {
    /// Where the money comes from: a wallet. Only people may leave it out: then it is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "wallet:asha:INR")]
    pub(crate) account: Option<AccountId>,
    /// To whom.
    pub(crate) to: RecipientIn,
    /// What the receiver gets; above zero.
    pub(crate) amount: MoneyIn,
    /// Words to keep beside the log, erasable; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub(crate) note: Option<String>,
    /// Only if this version of the fee is in force: the one that the sender was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub(crate) fee_version: Option<u32>,
    /// Send it although the same amount went to the same receiver less than a minute ago.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) confirm_duplicate: bool,
}

/// A transfer after it was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    /// What is there now.
    pub(crate) transfer: TransferRow,
    /// The position that the answer reflects.
    pub(crate) position: Position,
    /// Whether an earlier request with its key did it.
    pub(crate) replayed: bool,
}

/// What is to be sent, once it is understood.
struct Order<'a> {
    from: AccountId,
    to: Destination,
    price: Quote,
    body: &'a SendIn,
}

/// Sends money, once for its key.
pub(crate) async fn send(writer: &Writer, key: Key, body: &SendIn) -> Result<Sent, Problem> {
    let reach = writer.caller.reach(WRITE)?;
    let from = reach.account_or_own(body.account.as_ref())?;
    if let Some(note) = &body.note {
        check_words(note, NOTE_CHARS_MAX, "/note")?;
    }
    let amount = with_book(&writer.state, |book| body.amount.resolve_positive(book, "/amount"));
    let amount = amount.await?;
    if from.currency() != Ok(amount.currency().code) {
        let detail = "The amount is in another currency than the account.";
        return Err(Problem::field(codes::CURRENCY_MISMATCH, "/amount/currency", detail));
    }
    let price = fees::price_now(&writer.state, Service::Transfer, amount)?;
    let identity = || Identity { key: key.clone(), operation: "send_transfer", path: &[], body };
    let permission = || Authority::of_transfers().into();
    let order = understand(writer, from.clone(), &price, body).await;
    let (done, to) = match order {
        Ok(order) => {
            let operation = order.operation(writer)?;
            let done = writer.submit(identity(), permission(), operation).await;
            let is_person = reach.person().is_some();
            (done.map_err(|problem| of_receiver(problem, &from, is_person))?, order.receiver())
        }
        Err(problem) => (known::or_replay(writer, identity(), permission(), problem).await?, None),
    };
    // Of a replay, whom it went to stands in the ledger: the name may be somebody else's by now.
    let to = to.filter(|_| !done.replayed);
    let row = row(writer, &done, price.quote, body, from);
    sent(writer, &done, row, to).await
}

/// Whom it goes to, and whether it looks like the payment of a minute ago.
async fn understand<'a>(
    writer: &Writer,
    from: AccountId,
    price: &Price,
    body: &'a SendIn,
) -> Result<Order<'a>, Problem> {
    fees::check_told(price, body.fee_version)?;
    let price = price.quote;
    require_proved(&writer.state, &writer.caller).await?;
    if let (Some(person), true) = (writer.caller.person, body.to.is_name()) {
        throttle(&writer.state, NAMES, person.uuid().as_bytes()).await?;
    }
    let to = body.to.resolve(&writer.state, price.amount.currency().code).await?;
    if to == Destination::Wallet(from.clone()) {
        let detail = "Nobody sends money to themselves.";
        return Err(Problem::field(codes::SAME_ACCOUNT, "/to", detail));
    }
    let order = Order { from, to, price, body };
    if !body.confirm_duplicate {
        order.check_duplicate(writer).await?;
    }
    Ok(order)
}

impl Order<'_> {
    fn receiver(self) -> Option<AccountId> {
        match self.to {
            Destination::Wallet(to) => Some(to),
            Destination::Number(_) => None,
        }
    }

    fn operation(&self, writer: &Writer) -> Result<Operation, Problem> {
        let transfer_id = TransferId::from_uuid(writer.state.ids.fresh());
        match &self.to {
            Destination::Wallet(to) => Ok(Operation::Post(vec![self.posting(transfer_id, to)?])),
            Destination::Number(hash) => Ok(self.hold(writer, transfer_id, hash).into()),
        }
    }

    fn posting(&self, transfer_id: TransferId, to: &AccountId) -> Result<Posting, Problem> {
        let Quote { amount, net, tax, total, .. } = self.price;
        let fees = FeeAccounts::of(&self.from).map_err(|error| Problem::internal(&error))?;
        let leg = |direction, account: &AccountId, amount: Money| PostingLeg {
            account: account.clone(),
            direction,
            amount,
            item: None,
        };
        let mut legs = vec![
            leg(Direction::Debit, &self.from, total),
            leg(Direction::Credit, to, amount),
            leg(Direction::Credit, &fees.income, net),
            leg(Direction::Credit, &fees.tax, tax),
        ];
        legs.retain(|leg| !leg.amount.is_zero());
        Ok(Posting {
            transaction_id: transfer_id.transaction_id(),
            kind: Kind::transfer(),
            legs,
            effective_on: None,
            value_date: None,
            conditions: Vec::new(),
            note: self.body.note.clone(),
        })
    }

    fn hold(
        &self,
        writer: &Writer,
        transfer_id: TransferId,
        hash: &PhoneHash,
    ) -> TransferOperation {
        let now = writer.state.clock.now();
        TransferOperation::Hold(HoldTransfer {
            transfer_id,
            account: self.from.clone(),
            amount: self.price.amount,
            fee: self.price.fee,
            tax: self.price.tax,
            pricing: Pricing::InForce(self.body.fee_version),
            phone_hash: hash.clone(),
            expires_at: now.checked_add_signed(WAITS).unwrap_or(Timestamp::MAX_UTC),
            note: self.body.note.clone(),
        })
    }

    /// Asks back where the same amount went to the same receiver just now. Two that are on their
    /// way at the same moment do not see each other: forms have a key for that.
    async fn check_duplicate(&self, writer: &Writer) -> Result<(), Problem> {
        let models = caught_up(&writer.state).await?;
        let filter =
            TransferFilter { account: Some(self.from.clone()), ..TransferFilter::default() };
        let last = models.transfers(&filter, LAST).await?.items;
        let since = writer.state.clock.now().checked_sub_signed(SAME_AGAIN);
        let is_same = |row: &&TransferRow| {
            let receiver = match &self.to {
                Destination::Wallet(to) => row.receiver.as_ref() == Some(to),
                Destination::Number(hash) => row.phone_hash.as_ref() == Some(hash),
            };
            let stands = !matches!(row.status, TransferStatus::Cancelled | TransferStatus::Expired);
            row.account == self.from
                && receiver
                && stands
                && row.amount == self.price.amount.amount()
                && since.is_some_and(|since| row.begun_at > since)
        };
        match last.iter().find(is_same) {
            Some(row) => Err(Problem::new(
                codes::DUPLICATE_SUSPECTED,
                format!(
                    "{} went to them less than a minute ago. Send it with confirm_duplicate: true \
                     if it is another one.",
                    row.id
                ),
            )),
            None => Ok(()),
        }
    }
}

/// What the receiver's account says is nobody else's business.
fn of_receiver(problem: Problem, from: &AccountId, is_person: bool) -> Problem {
    let body = problem.body();
    if is_person && body.account.is_some_and(|account| account != *from) {
        let detail = "The receiver's account cannot take the money now.";
        return problem.said_otherwise(codes::RECEIVER_BLOCKED, detail);
    }
    problem
}

/// What is known of the transfer from the request.
fn row(
    writer: &Writer,
    done: &Done,
    price: Quote,
    body: &SendIn,
    account: AccountId,
) -> TransferRow {
    let accepted = &done.accepted;
    TransferRow {
        id: TransferId::from_uuid(writer.state.ids.fresh()),
        account,
        receiver: None,
        currency: price.amount.currency().code,
        amount: price.amount.amount(),
        fee: price.fee.amount(),
        status: TransferStatus::Completed,
        reason: None,
        phone_hash: None,
        expires_at: None,
        begun_at: accepted.recorded_at,
        begun_position: accepted.first_position,
        changed_at: accepted.recorded_at,
        note: body.note.clone(),
    }
}

/// The transfer as the outcome says it is.
async fn sent(
    writer: &Writer,
    done: &Done,
    row: TransferRow,
    to: Option<AccountId>,
) -> Result<Sent, Problem> {
    let transfer = match &done.accepted.receipt {
        Receipt::Transfer { transfer_id, status, account, amount, fee, to, expires_at } => {
            TransferRow {
                id: *transfer_id,
                account: account.clone(),
                receiver: to.clone(),
                amount: *amount,
                fee: *fee,
                status: *status,
                expires_at: Some(*expires_at),
                ..row
            }
        }
        Receipt::Posted { transactions, .. } => {
            let [id] = **transactions else { return Err(wrong_receipt(&done.accepted.receipt)) };
            let id = TransferId::from_uuid(id.uuid());
            let models = &writer.state.read_models;
            let receiver = match to {
                Some(to) => Some(to),
                None => find(&writer.state, || models.transfer(id)).await?.1.receiver,
            };
            TransferRow { id, receiver, ..row }
        }
        other @ (Receipt::Account { .. }
        | Receipt::Hold { .. }
        | Receipt::Captured { .. }
        | Receipt::Withdrawal { .. }
        | Receipt::BankLine { .. }
        | Receipt::Deposit { .. }
        | Receipt::Payment { .. }
        | Receipt::Refund { .. }
        | Receipt::Settlement { .. }
        | Receipt::PaymentRequest { .. }
        | Receipt::Book { .. }) => return Err(wrong_receipt(other)),
    };
    Ok(Sent { transfer, position: done.position, replayed: done.replayed })
}

//! What the auditor's check found: stable codes, a place, plain words.

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What is wrong. The text of a code is stable; the words beside it are not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

codes! {
    /// A line of the export is not one of its three shapes.
    LineUnreadable = "line_unreadable",
    /// Something follows the line that ends the export.
    LineAfterEnd = "line_after_end",
    /// The export stops without the line that ends it.
    EndMissing = "end_missing",
    /// The line that ends the export counts otherwise, or names another head.
    EndDiffers = "end_differs",
    /// Positions are missing.
    PositionMissing = "position_missing",
    /// A position is below its place, or stands twice.
    PositionOutOfOrder = "position_out_of_order",
    /// Recorded earlier than what stands before it.
    TimeFalls = "time_falls",
    /// The hash is not that of the event after the one before.
    HashDiffers = "hash_differs",
    /// Batch numbers are missing.
    BatchMissing = "batch_missing",
    /// A batch number is below its place, or stands twice.
    BatchOutOfOrder = "batch_out_of_order",
    /// The batch names another last position than the log has there.
    BatchPositionDiffers = "batch_position_differs",
    /// The batch names another head than the chain has there.
    BatchHashDiffers = "batch_hash_differs",
    /// An event was not recorded at the moment of its batch.
    BatchTimeDiffers = "batch_time_differs",
    /// No process with the installation's secret appended the batch.
    BatchMacDiffers = "batch_mac_differs",
    /// An event that no batch brought.
    BatchlessEvent = "batchless_event",
    /// The log has another head where the checkpoint was taken: its past was rewritten.
    CheckpointDiffers = "checkpoint_differs",
    /// The log is shorter than when the checkpoint was taken: its tail was cut.
    CheckpointAhead = "checkpoint_ahead",
    /// No trusted key has signed the checkpoint.
    CheckpointUnsigned = "checkpoint_unsigned",
    /// A witness that was asked for has not cosigned the checkpoint.
    CosignatureMissing = "cosignature_missing",
    /// The key that signs checkpoints changed without the word of the one before.
    KeyRotationDiffers = "key_rotation_differs",
    /// A checkpoint or cosignature in the database is not one of this log.
    CheckpointStoredDiffers = "checkpoint_stored_differs",
    /// The stored tree has other hashes than the events.
    TreeDiffers = "tree_differs",
    /// A stream's sequence has a gap or goes back.
    SequenceDiffers = "sequence_differs",
    /// No such kind of stream, or of event in it.
    EventTypeUnknown = "event_type_unknown",
    /// No such version of the event.
    EventVersionUnknown = "event_version_unknown",
    /// The payload is not of its event's shape.
    PayloadUnreadable = "payload_unreadable",
    /// The metadata is not an object of texts, or stands where there should be none.
    MetadataUnreadable = "metadata_unreadable",
    /// A stream's id is not well-formed.
    IdMalformed = "id_malformed",
    /// The book is opened twice, late, or not at all.
    BookDiffers = "book_differs",
    /// A currency is added twice.
    CurrencyRepeated = "currency_repeated",
    /// The currency was never added to the book.
    CurrencyUnknown = "currency_unknown",
    /// The account has another scale than its currency.
    ScaleDiffers = "scale_differs",
    /// The account was never opened.
    AccountUnknown = "account_unknown",
    /// The account is opened twice.
    AccountRepeated = "account_repeated",
    /// The account's payload names another account than its stream.
    AccountDiffers = "account_differs",
    /// Something happens to a closed account.
    AccountClosed = "account_closed",
    /// An account is closed with money, holds or open items on it.
    ClosedNotEmpty = "closed_not_empty",
    /// An amount is not a plain decimal at its currency's scale, or not above zero.
    AmountMalformed = "amount_malformed",
    /// A leg that is not the next one of the transaction under way.
    LegOutOfPlace = "leg_out_of_place",
    /// A leg says something else about its transaction than the first one.
    LegDiffers = "leg_differs",
    /// Legs are missing.
    TransactionIncomplete = "transaction_incomplete",
    /// Debits and credits of a currency are not equal.
    TransactionUnbalanced = "transaction_unbalanced",
    /// The id of an earlier transaction.
    TransactionRepeated = "transaction_repeated",
    /// An account stands on both sides of a transaction.
    AccountOnBothSides = "account_on_both_sides",
    /// `balance_after` is not what the stream's events come to.
    BalanceDiffers = "balance_differs",
    /// `held_after`, or the account's sum of holds, is not what the events come to.
    HeldDiffers = "held_differs",
    /// A decrease leaves less than the floor, holds and liens allow.
    BelowFloor = "below_floor",
    /// An increase leaves more than the ceiling allows.
    AboveCeiling = "above_ceiling",
    /// What was moved, or what is held, is more than the account's tier allowed then.
    AboveLimit = "above_limit",
    /// A leg counts on another day than the one it was recorded on, or should not count, or should.
    CountedDiffers = "counted_differs",
    /// A tier's version is not the next one, or an account was put on a tier that is not in force.
    TierDiffers = "tier_differs",
    /// The account was moved on a side that is frozen.
    FrozenMoved = "frozen_moved",
    /// A second freeze under a reference, or one whose amount makes no sense.
    FreezeDiffers = "freeze_differs",
    /// No freeze of that reference is in force.
    FreezeUnknown = "freeze_unknown",
    /// An itemised account's leg has no item, or another account's leg has one.
    ItemDiffers = "item_differs",
    /// An itemised account's balance is not the sum of its open items.
    ItemsDiffer = "items_differ",
    /// The hold was never placed.
    HoldUnknown = "hold_unknown",
    /// The hold is placed twice.
    HoldRepeated = "hold_repeated",
    /// Something happens to a hold that has ended.
    HoldEnded = "hold_ended",
    /// The hold's amounts do not add up.
    HoldAmountDiffers = "hold_amount_differs",
    /// The hold's stream and its account's tell different things of it.
    HoldSidesDiffer = "hold_sides_differ",
    /// The hold expired before its time, or has none.
    HoldExpiredEarly = "hold_expired_early",
    /// The captured transaction is not there, or does not take the captured amount.
    CaptureDiffers = "capture_differs",
    /// The reversed transaction is not in the log before its reversal.
    ReversalUnknown = "reversal_unknown",
    /// The transaction was reversed before.
    ReversalRepeated = "reversal_repeated",
    /// The legs are not the exact opposite of the reversed transaction's.
    ReversalDiffers = "reversal_differs",
    /// A reversal without its legs, or its legs without a reversal.
    ReversalIncomplete = "reversal_incomplete",
    /// A withdrawal does not begin with its request, or has two.
    WithdrawalDiffers = "withdrawal_differs",
    /// A transaction that a withdrawal names is not in the same append, or not caused by it.
    WithdrawalIncomplete = "withdrawal_incomplete",
    /// A line of a bank's statement is booked twice, or resolved without being booked; or it moves
    /// what is none of its parts.
    BankLineDiffers = "bank_line_differs",
    /// A transaction that a bank's line names is not in the same append, or not caused by it; or
    /// the bank's own account moves without a line.
    BankLineIncomplete = "bank_line_incomplete",
    /// A deposit does not begin with being asked for or coming unasked, or does so twice; or its
    /// credit is not settled whole.
    DepositDiffers = "deposit_differs",
    /// A transaction that a deposit names is not in the same append, or not caused by it; or one
    /// settles its credit, and it does not say so.
    DepositIncomplete = "deposit_incomplete",
    /// A transfer does not begin with its hold, goes on after its end, or breaks its own terms.
    TransferDiffers = "transfer_differs",
    /// A transfer and its hold or its transaction do not stand together after an append.
    TransferIncomplete = "transfer_incomplete",
    /// A payment, its refund, settlement, dispute or request goes on after its end, breaks its own
    /// terms, or gives away more than it was.
    PaymentDiffers = "payment_differs",
    /// A transaction that a payment names is not in the same append, not caused by it, or moves
    /// something else; or a request does not end with its payment.
    PaymentIncomplete = "payment_incomplete",
    /// A leg belongs to a day that was closed when it was recorded.
    PeriodClosed = "period_closed",
    /// A period is closed before it is over, twice or not by months, or opened while it is open.
    PeriodDiffers = "period_differs",
    /// A year is closed while it is open, without its transaction, or with income or expense left.
    YearDiffers = "year_differs",
    /// A safeguarding certificate does not say what the log and the statements say.
    SafeguardingDiffers = "safeguarding_differs",
    /// A class of accounts is not the sum of what it is made of.
    ControlDiffers = "control_differs",
    /// Debits and credits of the whole log differ in a currency.
    CurrencyUnbalanced = "currency_unbalanced",
    /// A read model has another balance than the log.
    ReadModelDiffers = "read_model_differs",
    /// A snapshot is another state than the events that it stands for.
    SnapshotDiffers = "snapshot_differs",
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong.
    pub code: Code,
    /// Where in the log. Nothing if it is a property of the whole.
    pub position: Option<i64>,
    /// Which batch, if it is about a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<i64>,
    /// Which stream, as `type id`, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The same in words.
    pub words: String,
}

/// The place of an event, for findings about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub position: i64,
    pub aggregate_type: &'a str,
    pub aggregate_id: &'a str,
}

/// A bounded collection of findings: it counts all and keeps the first ones.
#[derive(Debug)]
pub(super) struct Findings {
    /// Each with the row at which it came to light.
    kept: Vec<(u64, Finding)>,
    total: u64,
    max: usize,
    row: u64,
}

impl Findings {
    /// Keeps `max` findings, one at least.
    pub(super) fn new(max: usize) -> Self {
        Self { kept: Vec::new(), total: 0, max: max.max(1), row: 0 }
    }

    /// Whether nothing was found.
    pub(super) const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The next row of the source is looked at.
    pub(super) fn next_row(&mut self) {
        self.row = self.row.saturating_add(1);
    }

    pub(super) fn push(&mut self, finding: Finding) {
        self.total = self.total.saturating_add(1);
        if self.kept.len() < self.max {
            self.kept.push((self.row, finding));
        }
    }

    /// Something is wrong with the event at `place`.
    pub(super) fn event(&mut self, place: Place<'_>, code: Code, words: impl Into<String>) {
        self.push(Finding {
            code,
            position: Some(place.position),
            batch: None,
            stream: Some(format!("{} {}", place.aggregate_type, place.aggregate_id)),
            words: words.into(),
        });
    }

    /// Something is wrong at a position, whatever stands there.
    pub(super) fn position(&mut self, position: i64, code: Code, words: impl Into<String>) {
        self.push(Finding {
            code,
            position: Some(position),
            batch: None,
            stream: None,
            words: words.into(),
        });
    }

    /// Something is wrong with the log as a whole.
    pub(super) fn whole(&mut self, code: Code, words: impl Into<String>) {
        self.push(Finding { code, position: None, batch: None, stream: None, words: words.into() });
    }

    /// Something is wrong with an account or hold, seen at the end of the log.
    pub(super) fn stream(&mut self, stream: String, code: Code, words: impl Into<String>) {
        self.push(Finding {
            code,
            position: None,
            batch: None,
            stream: Some(stream),
            words: words.into(),
        });
    }

    /// Takes over what was found elsewhere, as of the present row.
    pub(super) fn append(&mut self, other: Self) {
        let more = other.total.saturating_sub(u64::try_from(other.kept.len()).unwrap_or(0));
        for (_, finding) in other.kept {
            self.push(finding);
        }
        self.total = self.total.saturating_add(more);
    }

    /// All of both, in the order in which they came to light, and how many there were.
    ///
    /// Not by position: what is noticed at a transaction's end is put down at its first leg, but a
    /// leg in between that was tampered with is the cause of it and comes before.
    pub(super) fn merge(self, other: Self) -> (Vec<Finding>, u64) {
        let mut kept = self.kept;
        kept.extend(other.kept);
        // Stable: of one row, the first collection's come first.
        kept.sort_by_key(|(row, _)| *row);
        kept.truncate(self.max);
        let findings = kept.into_iter().map(|(_, finding)| finding).collect();
        (findings, self.total.saturating_add(other.total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }

    #[test]
    fn findings_are_bounded_counted_and_merged_row_by_row() {
        let mut chain = Findings::new(3);
        let mut books = Findings::new(3);
        for (position, findings) in [(1, true), (2, false), (3, true), (4, true), (5, true)] {
            chain.next_row();
            books.next_row();
            let findings = if findings { &mut chain } else { &mut books };
            findings.position(position, Code::HashDiffers, "x");
        }
        let (kept, total) = chain.merge(books);
        assert_eq!(total, 5);
        let positions: Vec<_> = kept.iter().map(|f| f.position).collect();
        assert_eq!(positions, [Some(1), Some(2), Some(3)]);
    }
}

//! The error codes of the API: one table, from which problems, their human pages and the check of
//! docs/api.md are made.
//!
//! A code is a contract: clients match on it. It is never renamed and never gets another meaning.

/// Whether sending the request again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not as it is.
    Never,
    /// Yes, with the same idempotency key (or, for reads, as it is).
    SameKey,
}

impl Retry {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::SameKey => "same_key",
        }
    }
}

/// An error code and what it means.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub name: &'static str,
    /// The status it comes with.
    pub status: u16,
    /// What it says in a few words.
    pub title: &'static str,
    /// What it means and what to do.
    pub meaning: &'static str,
    /// Whether to send the request again.
    pub retry: Retry,
}

macro_rules! codes {
    ($($constant:ident = $name:literal $status:literal $retry:ident $title:literal
       $meaning:literal;)+) => {
        $(
            #[doc = $meaning]
            pub const $constant: &Code = &Code {
                name: $name,
                status: $status,
                title: $title,
                meaning: $meaning,
                retry: Retry::$retry,
            };
        )+

        /// Every code of this table.
        pub(super) const ALL: &[&Code] = &[$($constant),+];
    };
}

mod books;
mod hooks_out;
mod money;
mod payments;

pub use books::*;
pub use hooks_out::*;
pub use money::*;
pub use payments::*;

codes! {
    // Of the request as such.
    MALFORMED = "malformed" 400 Never "Not JSON"
        "The body is not well-formed JSON in UTF-8.";
    INVALID = "invalid" 422 Never "A field is not valid"
        "A field of the body or a query parameter is unknown, missing, given twice, of the wrong \
         type or out of range. `errors` says which: the first that was met.";
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing" 400 Never "No idempotency key"
        "Every request that moves money or opens something needs the header `Idempotency-Key`.";
    IDEMPOTENCY_KEY_INVALID = "idempotency_key_invalid" 400 Never "The idempotency key is not valid"
        "The key must be 1 to 255 visible ASCII characters, bare or in double quotes, and stand in \
         one header. For bulk requests it has at most 250, since `/` and an index follow it.";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused" 422 Never "The key belongs to another request"
        "The idempotency key came with another request before: another body, path or operation. \
         Nothing was done. Keys never expire; use a fresh one.";
    CURSOR_INVALID = "cursor_invalid" 400 Never "The cursor is not valid"
        "The cursor was not given out by this service for this list. Start without one.";
    UNAUTHENTICATED = "unauthenticated" 401 Never "No valid API key"
        "The header `Authorization: Bearer bahi_…` is missing, or its key is not in force.";
    FORBIDDEN = "forbidden" 403 Never "The key may not do this"
        "The API key lacks the scope that this needs; `detail` names it.";
    SECOND_PERSON_NEEDED = "second_person_needed" 403 Never "A second person is needed"
        "Two persons are needed, with keys of two principals. An adjustment, and a file in the \
         name of a bank that is called, need the header \
         `Approver-Authorization: Bearer …` with the key of another principal that has the scope \
         `ops:approve`; what one person requested or proposed, another approves.";
    NOT_FOUND = "not_found" 404 Never "Not found"
        "There is nothing at this address, or nothing that this key may see.";
    METHOD_NOT_ALLOWED = "method_not_allowed" 405 Never "Method not allowed"
        "The address exists, but not with this method; the header `Allow` lists those it has.";
    NOT_ACCEPTABLE = "not_acceptable" 406 Never "No such representation"
        "The resource cannot be given in any form that the header `Accept` allows.";
    REQUEST_TIMEOUT = "request_timeout" 408 SameKey "The request came too slowly"
        "The body did not arrive in time. Nothing was done.";
    TOO_LARGE = "too_large" 413 Never "The body is too large"
        "The body is larger than 64 kB (1 MB for bulk requests, 5 MB for pictures).";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type" 415 Never "Not application/json"
        "The body must be sent as `Content-Type: application/json`, not compressed.";
    // Of the service.
    INTERNAL = "internal" 500 SameKey "A fault of ours"
        "Something went wrong that should not. If the request was a write, send it again with the \
         same idempotency key to learn what became of it.";
    OVERLOADED = "overloaded" 503 SameKey "Busy"
        "Too much waits already. Nothing was done; try again after `Retry-After`, with the same \
         idempotency key.";
    LEDGER_UNAVAILABLE = "ledger_unavailable" 503 SameKey "The ledger is not available"
        "The database cannot be reached now. Nothing was done; try again with the same \
         idempotency key.";
    LEDGER_HALTED = "ledger_halted" 503 SameKey "The ledger has stopped writing"
        "The log is not the one that this process knew (a failover to a server that lags, or a \
         restore). Nothing is written until an operator decides.";
    LEDGER_CORRUPT = "ledger_corrupt" 500 Never "A stream cannot be read"
        "Stored events that this request needs cannot be decoded. Nothing was done; an operator \
         is needed.";
    OUTCOME_UNKNOWN = "outcome_unknown" 503 SameKey "The outcome is not known in time"
        "The request was accepted but its outcome did not come in time. It may still happen, so \
         `funds` is `unknown`. Send it again with the same idempotency key: it happens once.";
    PROJECTION_BEHIND = "projection_behind" 503 SameKey "The read models are behind"
        "The read models did not reach `min_position` within 2 seconds. Ask again.";
    READ_TIMEOUT = "read_timeout" 503 SameKey "The answer took too long"
        "The read took longer than a request may. Ask for less, or again later.";
    // Of people and their sessions: docs/people.md has them.
    SIGNED_OUT = "signed_out" 401 Never "Not signed in"
        "There is no session, or it has ended: after 15 minutes without use, 12 hours in all, a \
         logout, another password. Log in again.";
    CSRF_REFUSED = "csrf_refused" 403 Never "Not from a page of ours"
        "A request with a session that changes something needs the header `X-CSRF-Token` with the \
         session's token, and must say by `Origin` or `Sec-Fetch-Site` that it comes from here.";
    LOGIN_REFUSED = "login_refused" 401 Never "These do not fit together"
        "There is no account with this login and this password. Which of them is wrong is told to \
         nobody.";
    VERIFICATION_NEEDED = "verification_needed" 403 Never "Prove who you are first"
        "A wallet whose owner has not proved address, number and papers sends nothing to people or \
         banks; it can be paid into. `POST /v1/verifications` begins.";
    STEP_UP_NEEDED = "step_up_needed" 403 Never "Give the password again"
        "This needs a proof of who it is that is not older than ten minutes: \
         `POST /v1/sessions/current/reauthenticate`, then send the request again.";
    TOO_MANY_TRIES = "too_many_tries" 429 SameKey "Too many tries"
        "Wait as many seconds as `Retry-After` says. Nobody is locked out for good.";
    HANDLE_TAKEN = "handle_taken" 422 Never "The handle is taken"
        "Somebody has this handle already, or it is a word that nobody may have.";
    EMAIL_TAKEN = "email_taken" 422 Never "The address is taken"
        "There is an account with this e-mail address already.";
    PASSWORD_WEAK = "password_weak" 422 Never "Not a password to choose"
        "A password has 8 to 1024 bytes, is none of those that attackers try first, and is not \
         your handle, name or address.";
    CODE_REFUSED = "code_refused" 422 Never "The code is not valid"
        "It is not the code that was sent last, it is older than ten minutes, or it was tried too \
         often. Have a new one sent.";
    LAST_LOGIN = "last_login" 409 Never "The only way left to log in"
        "Nobody could log in to this account any more. Set a password or link another login first.";
    ACCOUNT_IN_USE = "account_in_use" 422 Never "Something is still on its way"
        "An account is closed when nothing is on its way to it or from it any more.";
    PAYEE_TOO_NEW = "payee_too_new" 422 Never "The bank account is too new"
        "A new bank account waits an hour for its first withdrawal. `detail` says until when.";
    // Of webhooks: docs/banks.md has how they are signed.
    WEBHOOK_ID_INVALID = "webhook_id_invalid" 400 Never "The webhook-id is not valid"
        "A delivery has one header `webhook-id` of 1 to 256 visible ASCII characters without a \
         full stop.";
    WEBHOOK_TIMESTAMP_INVALID = "webhook_timestamp_invalid" 400 Never
        "The webhook-timestamp is not valid"
        "A delivery has one header `webhook-timestamp`: seconds since 1970, digits only.";
    WEBHOOK_TIMESTAMP_STALE = "webhook_timestamp_stale" 401 Never "Not sent just now"
        "The `webhook-timestamp` is more than five minutes from our clock. Each time a delivery is \
         sent, it is signed anew with the time of sending.";
    WEBHOOK_SIGNATURE_INVALID = "webhook_signature_invalid" 401 Never "Not signed by this bank"
        "No signature in the one header `webhook-signature` is one of these bytes, this id and \
         this time with a key that is in force for the bank.";
    INBOX_UNAVAILABLE = "inbox_unavailable" 503 SameKey "The delivery could not be stored"
        "The inbox did not confirm the delivery within a second, so it is not acknowledged. Send \
         it again with the same `webhook-id`.";
    // Of the request's meaning, found before any account is asked.
    AMOUNT_MALFORMED = "amount_malformed" 422 Never "Not an amount"
        "An amount is a plain decimal number in a string, such as \"12.50\": no sign, no exponent, \
         no separators.";
    AMOUNT_SCALE = "amount_scale" 422 Never "Too many decimals"
        "The amount has more decimals than its currency. Amounts are never rounded.";
    AMOUNT_OVERFLOW = "amount_overflow" 422 Never "The amount is too large"
        "The amount, or a sum with it, does not fit.";
    AMOUNT_NOT_POSITIVE = "amount_not_positive" 422 Never "The amount is not above zero"
        "Amounts that move or are reserved are above zero.";
    CURRENCY_UNKNOWN = "currency_unknown" 422 Never "No such currency"
        "The book does not have this currency; `GET /v1/currencies` lists those it has.";
    CURRENCY_MISMATCH = "currency_mismatch" 422 Never "Another currency than the account's"
        "The amount is in another currency than the account it is for.";
    CURRENCY_EXISTS = "currency_exists" 422 Never "The currency exists already"
        "The book has this currency already. Its scale never changes.";
    CURRENCY_SCALE = "currency_scale" 422 Never "The scale is too large"
        "A currency has at most 18 decimals.";
    CHART_MISMATCH = "chart_mismatch" 422 Never "The chart of accounts says otherwise"
        "The account's code stands in the chart of accounts (or in one of its rooms), and the \
         request contradicts what the chart says of it.";
    KIND_RESERVED = "kind_reserved" 422 Never "The ledger alone makes this kind"
        "Transactions of kind `reversal` are made by `POST /v1/transactions/{id}/reverse`.";
    TOO_FEW_LEGS = "too_few_legs" 422 Never "Too few legs"
        "A transaction has at least two legs.";
    TOO_MANY_LEGS = "too_many_legs" 422 Never "Too many legs"
        "A transaction has at most 100 legs.";
    UNBALANCED = "unbalanced" 422 Never "Debits and credits differ"
        "In every currency of a transaction, debits and credits are equal.";
    SAME_ACCOUNT = "same_account" 422 Never "An account on both sides"
        "An account stands on one side of a transaction only.";
    CONDITION_WITHOUT_LEG = "condition_without_leg" 422 Never "A condition without a leg"
        "A condition names an account that the transaction does not move.";
    CONDITION_REPEATED = "condition_repeated" 422 Never "A condition stated twice"
        "Two conditions name the same account; state them as one.";
    NOTE_INVALID = "note_invalid" 422 Never "The note cannot be kept"
        "A note has at most 200 characters and no control characters.";
    LIEN_AMOUNT = "lien_amount" 422 Never "A lien has an amount"
        "An amount is given for a freeze of mode `lien`, and only for that.";
    AMOUNT_REQUIRED = "amount_required" 422 Never "An amount is missing"
        "A hold is captured to several accounts: each must state its amount.";
    TRANSACTION_COUNT = "transaction_count" 422 Never "Too many transactions"
        "1 to 100 transactions stand or fall together.";
    RECIPIENT_NOT_FOUND = "recipient_not_found" 404 Never "Nobody is found by this"
        "No person of the service is found by this handle, verified phone number or id.";
    RECEIPT_NOT_READY = "receipt_not_ready" 409 Never "There is no receipt yet"
        "A receipt is of something that is done or came back.";
    RECIPIENT_UNKNOWN = "recipient_unknown" 422 Never "Nobody of this name"
        "No person who uses the service has this handle or id. Check it, or send to a phone \
         number: what nobody has claimed after seven days comes back.";
    STATEMENT_TOO_LONG = "statement_too_long" 422 Never "Too many lines for one statement"
        "Ask for fewer days at a time, or have a file prepared: `POST /v1/statement-files`.";
    // What the accounts say. These outcomes are stored under the request's key.
    ACCOUNT_NOT_FOUND = "account_not_found" 422 Never "No such account"
        "The account was never opened.";
    ACCOUNT_EXISTS = "account_exists" 422 Never "The account exists already"
        "An account of this code and currency was opened before.";
    ACCOUNT_CLOSED = "account_closed" 422 Never "The account is closed"
        "The account was closed, which is for good.";
    POSTING_NOT_PERMITTED = "posting_not_permitted" 422 Never "Not by this kind of request"
        "The account is of a posting class that this kind of transaction, with this key, does \
         not move. docs/api.md has the table.";
    ITEM_REQUIRED = "item_required" 422 Never "An item is missing"
        "Legs on this account name the item that they belong to.";
    ITEM_NOT_ALLOWED = "item_not_allowed" 422 Never "No item here"
        "Legs on this account carry no item.";
    ACCOUNT_FROZEN = "account_frozen" 422 Never "The account is frozen"
        "A freeze stops this side of the account; `detail` has its reference.";
    FREEZE_EXISTS = "freeze_exists" 422 Never "The reference is taken"
        "The account has a freeze or lien under this reference already.";
    FREEZE_NOT_FOUND = "freeze_not_found" 422 Never "No such freeze"
        "The account has no freeze or lien under this reference.";
    TOO_MANY_FREEZES = "too_many_freezes" 422 Never "Too many freezes"
        "The account has as many freezes as an account can have.";
    FLOOR_ABOVE_CEILING = "floor_above_ceiling" 422 Never "The floor is above the ceiling"
        "The lowest balance allowed would be above the highest.";
    UNEXPECTED_SEQUENCE = "unexpected_sequence" 422 Never "The account has moved on"
        "A condition expected another sequence of the account. Read it again and decide afresh.";
    INSUFFICIENT_FUNDS = "insufficient_funds" 422 Never "Not enough available"
        "The account cannot give that much; `available` says how much it can. Holds and liens \
         are not available.";
    BALANCE_LIMIT_EXCEEDED = "balance_limit_exceeded" 422 Never "Over the account's limit"
        "The account would hold more than its ceiling.";
    LIMIT_EXCEEDED = "limit_exceeded" 422 Never "Over a limit of the account's tier"
        "`limit` says which one, how much of it is left, and when it is counted afresh.";
    TIER_NOT_ALLOWED = "tier_not_allowed" 422 Never "No tier on this account"
        "Only accounts of class `open` can be on a tier.";
    TIER_UNKNOWN = "tier_unknown" 422 Never "No such tier"
        "The book does not have this tier; `POST /v1/tiers` defines it.";
    TIER_CURRENCY = "tier_currency" 422 Never "The tier has another currency"
        "A tier stays in the currency in which it was first defined.";
    TIER_VERSION = "tier_version" 422 Never "The tier has moved on"
        "The request expected another version of the tier. Read it again and decide afresh.";
    TOO_MANY_TIERS = "too_many_tiers" 422 Never "Too many tiers"
        "The book has as many tiers as a book can have.";
    LIMIT_NEGATIVE = "limit_negative" 422 Never "A limit below zero"
        "A limit of a tier is zero or more; leave it out where there is none.";
    MINIMUM_BALANCE_NOT_MET = "minimum_balance_not_met" 422 Never "Below the asked minimum"
        "A condition asked for a higher balance after the transaction.";
    BALANCE_NOT_ZERO = "balance_not_zero" 422 Never "There is money on the account"
        "Only an account with a balance of zero can be closed.";
    HOLDS_OPEN = "holds_open" 422 Never "There are open holds"
        "Only an account without open holds can be closed.";
    FREEZES_OPEN = "freezes_open" 422 Never "There are freezes"
        "Only an account without freezes and liens can be closed.";
    // What holds, reversals and the book say.
    HOLD_NOT_FOUND = "hold_not_found" 422 Never "No such hold"
        "The hold was never placed.";
    HOLD_EXISTS = "hold_exists" 422 Never "The hold exists already"
        "A hold of this id was placed before.";
    HOLD_NOT_OPEN = "hold_not_open" 422 Never "The hold has ended"
        "The hold was captured, released or has expired; `detail` says which.";
    HOLD_EXPIRED = "hold_expired" 422 Never "The hold has expired"
        "The hold's time has come: from `expires_at` on it cannot be captured or increased.";
    HOLD_EXPIRY_PAST = "hold_expiry_past" 422 Never "The expiry is in the past"
        "A hold ends in the future.";
    HOLD_NOT_EXPIRED = "hold_not_expired" 422 Never "The hold has not expired"
        "The hold's time has not come.";
    CAPTURE_EXCEEDS_HOLD = "capture_exceeds_hold" 422 Never "More than the hold"
        "A capture takes at most what the hold reserves.";
    ALREADY_REVERSED = "already_reversed" 422 Never "Reversed already"
        "A transaction is reversed once; `detail` names the transaction that did it.";
    NOT_REVERSIBLE = "not_reversible" 422 Never "Not reversible"
        "The transaction is a reversal itself, or belongs to an object which alone may undo it.";
    // What deposits say.
    DEPOSIT_NOT_FOUND = "deposit_not_found" 404 Never "No such deposit"
        "The deposit does not exist.";
    DEPOSIT_EXISTS = "deposit_exists" 422 Never "The deposit exists already"
        "A deposit of this id began before.";
    NOT_DEPOSITABLE = "not_depositable" 422 Never "Not to this account"
        "Money is paid in to `wallet:…`.";
    DEPOSIT_EXPIRY_PAST = "deposit_expiry_past" 422 Never "It would have expired already"
        "The time to pay it would be over before it began.";
    DEPOSIT_NOT_CANCELLABLE = "deposit_not_cancellable" 409 Never "Too late to cancel"
        "A deposit is cancelled before money was told of; `detail` says where it is.";
    DEPOSIT_NOT_EXPIRED = "deposit_not_expired" 409 Never "It can still be paid"
        "The deposit's time has not come.";
    CREDIT_DIFFERS = "credit_differs" 422 Never "The credit is known with other particulars"
        "A credit with this id of the bank's was told of before, with another amount, date or \
         transaction. Nothing was booked; people decide.";
    CHARGES_INVALID = "charges_invalid" 422 Never "No charges of this credit"
        "What a bank keeps for itself is less than what arrived, and in its currency.";
    TOO_MANY_CREDITS = "too_many_credits" 422 Never "Too many credits"
        "So many credits came for one deposit that people have to look.";
    CREDIT_NOT_FOUND = "credit_not_found" 404 Never "No such credit"
        "The deposit has no credit of this number.";
    CREDIT_NOT_IN_REVIEW = "credit_not_in_review" 409 Never "Not under review"
        "The credit waits for no decision.";
    RECALL_OPEN = "recall_open" 409 Never "The bank asks for it back"
        "The bank asks for the credit's money back; that is to be decided first.";
    RECALL_NOT_FOUND = "recall_not_found" 404 Never "Nobody asks for it back"
        "The bank does not ask for the credit's money back.";
    RECALL_DECIDED = "recall_decided" 409 Never "Decided already"
        "That the bank asks for the credit's money back was decided the other way.";
    // What operators decide.
    NOT_RESOLVABLE = "not_resolvable" 409 Never "There is nothing to find out"
        "Only a withdrawal that is `outcome_unknown` or `needs_attention` is resolved by people.";
    RESOLUTION_PENDING = "resolution_pending" 409 Never "Another proposal waits"
        "Another proposal of this withdrawal waits for its approval; approve or withdraw it first.";
    RESOLUTION_CLOSED = "resolution_closed" 409 Never "The proposal was decided"
        "The proposal was approved, withdrawn or outdated before, or it expired.";
    RESOLUTION_OUTDATED = "resolution_outdated" 409 Never "The withdrawal has moved on"
        "What was proposed does not fit the withdrawal any more. Nothing was done.";
    // What lines of banks' statements say.
    BANK_LINE_NOT_FOUND = "bank_line_not_found" 404 Never "No such line"
        "No line of a bank's statement of this id is booked.";
    BANK_LINE_DIFFERS = "bank_line_differs" 422 Never "Another line"
        "The id belongs to a line that the bank identifies otherwise.";
    BANK_LINE_AMOUNT_DIFFERS = "bank_line_amount_differs" 422 Never "Booked with another amount"
        "The bank states one line with two amounts. Nothing was booked; people ask the bank.";
    BANK_LINE_OF_ANOTHER_ITEM = "bank_line_of_another_item" 422 Never "The line is somebody else's"
        "Another object has booked the line's money already; `detail` says which.";
    NOTHING_UNEXPLAINED = "nothing_unexplained" 422 Never "Nothing of it lies in suspense"
        "The line is explained, all of it.";
    BANK_LINE_PARTS_INVALID = "bank_line_parts_invalid" 422 Never "What the line is makes no sense"
        "The parts of a line have a purpose that goes with it, and come to its amount.";
    EXCEEDS_UNEXPLAINED = "exceeds_unexplained" 422 Never "More than lies in suspense"
        "Less of the line lies in suspense; `detail` says how much.";
    // What banks' statements break.
    STATEMENT_MALFORMED = "statement_malformed" 422 Never "No statement"
        "The file is no statement of that format; `detail` says where and why.";
    STATEMENT_SUM_DIFFERS = "statement_sum_differs" 422 Never "The statement does not add up"
        "Opening and lines do not come to closing. Nothing was stored.";
    STATEMENT_DAY_REPEATED = "statement_day_repeated" 422 Never "A day is there twice"
        "The file has the same day of the same account twice: which of the two is the bank's word \
         cannot be known. Nothing of it was stored.";
    STATEMENT_LINE_REPEATED = "statement_line_repeated" 422 Never "A line is there twice"
        "A line is once by direction, value date and the bank's number. Nothing was stored.";
    STATEMENT_LINE_OF_ANOTHER_DAY = "statement_line_of_another_day" 422 Never
        "A line is of another day"
        "A line is on the statement of another day already. Nothing was stored.";
    STATEMENT_REOPENED = "statement_reopened" 422 Never "The day was closed"
        "An earlier statement closed the day, or others follow it, and this one leaves it open.";
    STATEMENT_BEFORE_FIRST = "statement_before_first" 422 Never "Before the first day"
        "Days before the first statement are not taken.";
    STATEMENT_DAY_MISSING = "statement_day_missing" 422 Never "A day is missing"
        "Every calendar day has a statement. Bring the missing one first.";
    STATEMENT_DAY_BEFORE_OPEN = "statement_day_before_open" 422 Never "The day before is open"
        "The day before can still change. Bring its closed statement first.";
    STATEMENT_OPENING_DIFFERS = "statement_opening_differs" 422 Never "Another opening balance"
        "The statement does not begin where the day before has ended. Nothing was stored.";
    STATEMENT_CLOSING_DIFFERS = "statement_closing_differs" 422 Never "Another closing balance"
        "The statement does not end where the next day begins. Nothing was stored.";
    BOOK_NOT_OPEN = "book_not_open" 422 Never "The book is not open"
        "The ledger has just been set up; try again with a fresh key.";
    BOOK_ALREADY_OPEN = "book_already_open" 422 Never "The book is open already"
        "The book is opened once.";
    POSITION_AHEAD = "position_ahead" 422 Never "The log does not reach that far"
        "The question is about a position that the log has not reached.";
}

/// Every code of all tables.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [ALL, money::ALL, payments::ALL, hooks_out::ALL, books::ALL].into_iter().flatten().copied()
}

/// The code of a name, if it is one of ours.
pub fn find(name: &str) -> Option<&'static Code> {
    all().find(|code| code.name == name)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// The codes that a source file gives: in its functions `code` and in rejections.
    fn codes_of(source: &str, codes: &mut BTreeSet<String>) {
        let functions = source.split("fn code(").skip(1);
        let arms = functions.filter_map(|rest| rest.split("\n    }\n").next());
        let quoted = arms.flat_map(|body| body.split('"').skip(1).step_by(2));
        let rejections = source.split("Rejection::new(\"").skip(1);
        let rejections = rejections.filter_map(|rest| rest.split('"').next());
        let words = quoted.chain(rejections).filter(|word| !word.is_empty());
        codes.extend(words.map(str::to_owned));
    }

    fn walk(folder: &Path, codes: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, codes);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                codes_of(&fs::read_to_string(path).unwrap(), codes);
            }
        }
    }

    #[test]
    fn every_code_of_the_ledger_is_in_the_table() {
        let mut codes = BTreeSet::new();
        let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger-core/src");
        walk(&core, &mut codes);
        assert!(codes.contains("insufficient_funds") && codes.contains("not_reversible"));
        for code in codes {
            assert!(find(&code).is_some(), "{code} has no entry");
        }
    }

    const BEGIN: &str = "<!-- codes: made from the table in the code -->\n";
    const END: &str = "<!-- end of codes -->";

    fn entries() -> String {
        let entry = |code: &'static Code| {
            let Code { name, status, title, meaning, retry } = code;
            let retry = retry.as_str();
            format!("### `{name}`\n\n{title}, status {status}, retry `{retry}`. {meaning}\n\n")
        };
        all().map(entry).collect::<Vec<_>>().concat()
    }

    #[test]
    fn every_code_has_its_entry_in_the_documentation() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
        let docs = fs::read_to_string(&path).unwrap();
        let (before, rest) = docs.split_once(BEGIN).unwrap();
        let (written, after) = rest.split_once(END).unwrap();
        let made = entries();
        if std::env::var_os("BAHI_UPDATE_SNAPSHOTS").is_some() {
            fs::write(&path, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
            return;
        }
        assert!(
            written == made,
            "the codes in docs/api.md are not those of the table; run the test with \
             BAHI_UPDATE_SNAPSHOTS=1 and commit the file"
        );
    }
}

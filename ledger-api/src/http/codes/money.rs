//! The codes of what moves money between people and out to banks.

use super::{Code, Retry};

codes! {
    // What transfers say.
    DUPLICATE_SUSPECTED = "duplicate_suspected" 422 Never "This looks like the payment of just now"
        "The same amount went to the same receiver less than a minute ago; `detail` names it. \
         Send it again with `confirm_duplicate: true` if it is another one.";
    NOT_TRANSFERABLE = "not_transferable" 422 Never "Not this account"
        "Money is transferred from `wallet:…` to `wallet:…`.";
    TRANSFER_NOT_FOUND = "transfer_not_found" 404 Never "No such transfer"
        "No transfer of this id waits or has waited to be claimed.";
    CLAIM_OF_ANOTHER = "claim_of_another" 404 Never "Sent to another number"
        "The number that was proved is not the one that the transfer was sent to.";
    TRANSFER_EXISTS = "transfer_exists" 422 Never "The transfer exists already"
        "A transfer of this id was made before.";
    TRANSFER_EXPIRY_PAST = "transfer_expiry_past" 422 Never "It would have expired already"
        "The time to claim it would be over before it began.";
    NOT_CLAIMABLE = "not_claimable" 409 Never "Too late to claim"
        "The transfer was claimed otherwise, cancelled, or has expired; `detail` says which.";
    TRANSFER_NOT_IN_REVIEW = "transfer_not_in_review" 409 Never "No claim in review"
        "No claim of the transfer waits for a decision; `detail` says where it is.";
    TRANSFER_EXPIRED = "transfer_expired" 409 Never "The transfer has expired"
        "Its time has come: from `expires_at` on it cannot be claimed.";
    TRANSFER_NOT_EXPIRED = "transfer_not_expired" 409 Never "It can still be claimed"
        "The transfer's time has not come.";
    SELF_CLAIM = "self_claim" 422 Never "Your own transfer"
        "Nobody claims what they have sent themselves. Cancel it instead.";
    SENDER_BLOCKED = "sender_blocked" 422 Never "The sender cannot give it now"
        "The sender's account is frozen, or other money of theirs went first. It waits until \
         `expires_at`; ask the sender.";
    RECEIVER_BLOCKED = "receiver_blocked" 422 Never "The receiver cannot take it now"
        "The receiver's account is frozen, closed, or full.";
    // Of statements that are prepared.
    STATEMENT_PREPARING = "statement_preparing" 409 SameKey "Another statement is being prepared"
        "One statement of a person is prepared at a time. Wait until it is ready, then ask again.";
    STATEMENT_NOT_READY = "statement_not_ready" 409 SameKey "The statement is not ready"
        "It is still being prepared, or could not be made; `GET /v1/statement-files/{id}` says \
         which.";
    // What the owner of a wallet owes.
    DEBT_OPEN = "debt_open" 422 Never "Its owner owes us"
        "What a bank took back, or paid twice, is still owed by the wallet's owner. The next money \
         that comes to the wallet repays it; then the wallet can be closed.";
    HOLD_OF_OBJECT = "hold_of_object" 422 Never "The hold belongs to something else"
        "The hold was placed by a transfer, which alone may end it: cancel or claim that.";
    // What withdrawals say.
    WITHDRAWAL_NOT_FOUND = "withdrawal_not_found" 404 Never "No such withdrawal"
        "The withdrawal was never requested.";
    BANK_ACCOUNT_NOT_FOUND = "bank_account_not_found" 404 Never "No such bank account"
        "The owner of the account has no such bank account, or it was erased.";
    BANK_ACCOUNT_UNVERIFIED = "bank_account_unverified" 422 Never "The bank account is not verified"
        "Money is sent to a bank account whose name was checked: \
         `POST /v1/bank-accounts/{id}/verify`, then ask with another key.";
    BANK_UNKNOWN = "bank_unknown" 422 Never "No such bank"
        "This service calls no bank of this name; `GET /v1/banks` lists those it calls.";
    RAIL_UNKNOWN = "rail_unknown" 422 Never "The bank has no such rail"
        "The bank does not send money this way, or not this much; `GET /v1/banks` has the limits.";
    BANK_DRAINING = "bank_draining" 409 SameKey "The bank takes nothing new"
        "People of ours let this bank send what it has and take no new withdrawals for it. Name \
         another bank, or ask again later; nothing was set aside.";
    BANK_UNAVAILABLE = "bank_unavailable" 503 SameKey "The bank did not answer"
        "The bank was asked and gave no answer to rely on. Nothing was changed; ask again later.";
    WITHDRAWAL_EXISTS = "withdrawal_exists" 422 Never "The withdrawal exists already"
        "A withdrawal of this id was requested before.";
    NOT_WITHDRAWABLE = "not_withdrawable" 422 Never "Not from this account"
        "Money is withdrawn from `wallet:…` and `merchant:…:available`.";
    FEE_INVALID = "fee_invalid" 422 Never "The fee does not fit"
        "The tax is a part of the fee, and amount and fee together must fit.";
    NOT_CANCELLABLE = "not_cancellable" 409 Never "Too late to cancel"
        "A withdrawal is cancelled before it is sent to its bank, a transfer before it is claimed \
         or has expired; `detail` says where it is.";
    WITHDRAWAL_NOT_IN_REVIEW = "withdrawal_not_in_review" 409 Never "Not under review"
        "The withdrawal waits for no decision; `detail` says where it is.";
    WITHDRAWAL_NOT_QUEUED = "withdrawal_not_queued" 409 Never "Not queued"
        "The withdrawal must not be sent; `detail` says where it is.";
    PAYEE_MISMATCH = "payee_mismatch" 422 Never "Another payee"
        "Who would be paid is not who was to be paid when the withdrawal was requested.";
    ATTEMPT_OUT_OF_TURN = "attempt_out_of_turn" 409 Never "Another attempt is next"
        "`detail` says which.";
    ATTEMPT_REFERENCE_USED = "attempt_reference_used" 422 Never "The reference was used"
        "Each attempt has a reference of its own: a bank takes a used one for that attempt.";
    TOO_MANY_ATTEMPTS = "too_many_attempts" 422 Never "Too many attempts"
        "The withdrawal was tried as often as one can be.";
    ATTEMPT_NOT_FOUND = "attempt_not_found" 404 Never "No such attempt"
        "The withdrawal has no attempt of this number.";
    PAID_AMOUNT_DIFFERS = "paid_amount_differs" 422 Never "Proof of another amount"
        "What is proved is not the withdrawal's amount. Nothing was recorded; people decide.";
    BANK_REFERENCE_DIFFERS = "bank_reference_differs" 422 Never "Another reference of the bank"
        "The attempt was paid under another reference of the bank.";
    ATTEMPT_PAID = "attempt_paid" 422 Never "The attempt was paid"
        "What was paid cannot have been refused.";
    REFUSAL_DIFFERS = "refusal_differs" 422 Never "Refused in another way"
        "The attempt was refused before: for good, or so that it could be tried again.";
    ATTEMPT_NOT_PAID = "attempt_not_paid" 422 Never "No payment is known"
        "Nothing comes back of what was not paid: record the payment first.";
    RETURN_DIFFERS = "return_differs" 422 Never "The credit is known with another amount"
        "One reference of the bank is one credit.";
    RETURN_EXCEEDS_AMOUNT = "return_exceeds_amount" 422 Never "More than was sent"
        "No more can come back of an attempt than was sent by it.";
    TOO_MANY_RETURNS = "too_many_returns" 422 Never "Too many returns"
        "The attempt came back in as many pieces as one can.";
    // What is said of money that is sent back.
    NOT_IN_SUSPENSE = "not_in_suspense" 409 Never "Nothing of it lies in suspense"
        "It never did, or was assigned or sent back before: `GET /v1/ops/suspense` has what does.";
    SUSPENSE_AMOUNT_DIFFERS = "suspense_amount_differs" 409 Never "Another amount lies there"
        "More has come back, or a part went elsewhere; `detail` says how much lies there. Ask \
         again with another key.";
    CREDIT_SENT_BACK = "credit_sent_back" 409 Never "The credit was sent back"
        "It went back to whom it came from already, so a bank cannot have it once more.";
    CREDIT_DIVIDED = "credit_divided" 409 Never "The credit was a lump of other deposits"
        "It was divided among the deposits that it was of, so a bank cannot have it back as one.";
    CREDIT_SETTLED = "credit_settled" 409 Never "The credit is on the statement already"
        "A line shows a credit once, alone or as a part of a lump. Nothing was booked.";
    CREDIT_NOT_SETTLED = "credit_not_settled" 409 Never "The credit is not on the statement yet"
        "Only what a line of the bank's statement shows can settle deposits.";
    LUMP_DIFFERS = "lump_differs" 422 Never "The parts do not come to the lump"
        "The credits, less charges and tax, come to what lies in suspense, to the last paisa; at \
         least one is named, and none is the lump itself.";
    PAYER_UNKNOWN = "payer_unknown" 409 Never "Who paid is not known"
        "The deposit takes one payer's money only, and a statement does not say who paid. It waits \
         until the bank is asked.";
    REMITTER_UNKNOWN = "remitter_unknown" 422 Never "The bank does not say who paid"
        "Name a verified bank account of the owner `bahi` to send it to; that takes two persons.";
    WALLET_BLOCKED = "wallet_blocked" 422 Never "The wallet cannot take the money"
        "The wallet is frozen, closed or full. The money waits.";
    // What moves of our own say.
    TREASURY_MOVE_DECIDED = "treasury_move_decided" 409 Never "Decided already"
        "The move between our own accounts was decided otherwise, or a later day's close asks for \
         something else.";
}

//! The codes of payments to shops.

use super::{Code, Retry};

codes! {
    // What shops and calendars say.
    SHOP_UNKNOWN = "shop_unknown" 422 Never "No such shop"
        "There is no such shop here, or it takes no payments any more.";
    SHOP_BLOCKED = "shop_blocked" 422 Never "The shop cannot be paid now"
        "The shop's account is not open, frozen or closed. Nothing was taken.";
    CALENDAR_CHANGED = "calendar_changed" 503 SameKey "The bank calendar is not the one it was"
        "The list of bank holidays has other days than another list of its version had. An \
         operator gives it a new version.";
    // What payment requests say.
    PAYMENT_REQUEST_NOT_FOUND = "payment_request_not_found" 404 Never "No such payment request"
        "The payment request was never made.";
    PAYMENT_REQUEST_EXISTS = "payment_request_exists" 422 Never "The request exists already"
        "A payment request of this id was made before.";
    PAYMENT_REQUEST_EXPIRY_PAST = "payment_request_expiry_past" 422 Never
        "It would have expired already"
        "The time to pay it would be over before it began.";
    PAYMENT_REQUEST_OF_ANOTHER = "payment_request_of_another" 422 Never "Another shop's request"
        "The payment request is another shop's, or in another currency.";
    PAYMENT_REQUEST_NOT_PAYABLE = "payment_request_not_payable" 409 Never "Paid or over already"
        "The payment request was paid, closed or has expired; `detail` says which. Of several who \
         pay one that is for a single payment, exactly one does.";
    PAYMENT_REQUEST_NOT_CLOSABLE = "payment_request_not_closable" 409 Never "Too late to close"
        "The payment request was paid or has expired; `detail` says which.";
    QR_EXPIRED = "qr_expired" 409 Never "The code has expired"
        "From `expires_at` on the payment request cannot be paid. Ask the shop for another.";
    PICTURE_INVALID = "picture_invalid" 422 Never "No picture that can be read"
        "A picture is a PNG or a JPEG of at most 5 MB and 20 million pixels, and whole. `detail` \
         says what it is not. No picture is kept.";
    QR_CODE_NOT_FOUND = "qr_code_not_found" 422 Never "No QR code to be seen"
        "There is no QR code in the picture, or it is too blurred or too small.";
    QR_CODES_SEVERAL = "qr_codes_several" 422 Never "More than one QR code"
        "The picture shows codes that say different things. Take one of a single code.";
    PAYMENT_REQUEST_NOT_EXPIRED = "payment_request_not_expired" 409 Never "It can still be paid"
        "The payment request's time has not come.";
    PAYMENT_REQUEST_AMOUNT = "payment_request_amount" 422 Never "Another amount is asked for"
        "The payment request says how much is paid; `detail` has it.";
    // What payments say.
    PAYMENT_NOT_FOUND = "payment_not_found" 404 Never "No such payment"
        "The payment was never made.";
    PAYMENT_EXISTS = "payment_exists" 422 Never "The payment exists already"
        "A payment of this id was made before.";
    NOT_PAYABLE = "not_payable" 422 Never "Not from this account"
        "A shop is paid from a wallet.";
    TERMS_INVALID = "terms_invalid" 422 Never "The terms do not fit"
        "The shop's terms are no rates, or the amount is too large for them.";
    PAYMENT_OF_ANOTHER = "payment_of_another" 422 Never "Another shop's payment"
        "The payment is another shop's, or in another currency.";
    PAYMENT_SETTLED = "payment_settled" 409 Never "Settled before"
        "Another settlement has the payment.";
    PAYMENT_NOT_DUE = "payment_not_due" 409 Never "Not yet"
        "The payment settles on a later day.";
    SETTLEMENT_PAYMENTS = "settlement_payments" 422 Never "Too few or too many payments"
        "A settlement is of 1 to 100 payments, each once.";
    SETTLEMENT_DIFFERS = "settlement_differs" 409 Never "Made of other payments"
        "The settlement was made before, of other payments.";
    // What refunds and disputes say.
    ALREADY_REFUNDED = "already_refunded" 409 Never "Nothing is left to give back"
        "All of the payment went back already, waits to go back, or is disputed.";
    REFUND_EXCEEDS_PAYMENT = "refund_exceeds_payment" 422 Never "More than is left of the payment"
        "Refunds, those that wait too, and a dispute are together never more than was paid; \
         `detail` says what is left.";
    REFUND_EXISTS = "refund_exists" 422 Never "The refund exists already"
        "A refund of this id was asked for before, of another amount.";
    REFUND_NOT_FOUND = "refund_not_found" 404 Never "No such refund"
        "The payment has no such refund.";
    REFUND_NOT_PENDING = "refund_not_pending" 409 Never "The refund does not wait"
        "The refund has ended; `detail` says how.";
    TOO_MANY_REFUNDS = "too_many_refunds" 422 Never "Too many refunds"
        "A payment has at most a hundred refunds.";
    PAYER_BLOCKED = "payer_blocked" 422 Never "The payer's wallet cannot take it now"
        "The payer's wallet is frozen, closed or full.";
    DISPUTE_EXISTS = "dispute_exists" 409 Never "Disputed before"
        "A payment is disputed once.";
    DISPUTE_NOT_FOUND = "dispute_not_found" 404 Never "Not disputed"
        "Nobody has disputed the payment.";
    DISPUTE_TOO_LATE = "dispute_too_late" 422 Never "Too late to dispute it"
        "A payment can be disputed by its payer for 120 days. Ask us, or the shop.";
    DISPUTE_WORDS_MANY = "dispute_words_many" 422 Never "Enough was said"
        "Each side says something about a dispute 20 times at most.";
    DISPUTE_DECIDED = "dispute_decided" 409 Never "Decided otherwise"
        "The dispute was decided for the other side.";
}

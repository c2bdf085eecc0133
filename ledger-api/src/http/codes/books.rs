//! The codes of the book: its periods, its terms, the key of its checkpoints; and of banks' days.

use super::{Code, Retry};

codes! {
    PERIOD_CLOSED = "period_closed" 422 Never "The period is closed"
        "The business date lies in a period that is closed: nothing that belongs to it is posted \
         any more. Post on an open day, or have two persons open the period again.";
    PERIOD_NOT_MONTHS = "period_not_months" 422 Never "Not whole months"
        "A period is closed up to the last day of a month, and opened from the first one on.";
    PERIOD_NOT_OVER = "period_not_over" 422 Never "The period is not over"
        "Only what is over can be closed: the day must lie before the book's day.";
    PERIOD_CLOSED_ALREADY = "period_closed_already" 409 Never "Closed already"
        "All is closed up to that day or a later one.";
    PERIOD_NOT_CLOSED = "period_not_closed" 409 Never "The period is open"
        "There is nothing to open again; and a year is closed once its last month is.";
    YEAR_CLOSED_LATER = "year_closed_later" 409 Never "A later year is closed"
        "What the close of the later year has moved would be moved twice. Close that one again.";
    BOOK_CHANGED = "book_changed" 409 Never "The book has changed meanwhile"
        "Something happened to the book while the year's sums were taken. Ask again with a fresh \
         key.";
    NOTHING_TO_CLOSE = "nothing_to_close" 409 Never "Nothing is left to close"
        "No account of income or expense has anything of the days up to there.";
    TERMS_VERSION = "terms_version" 409 Never "The terms have changed meanwhile"
        "`expected_version` is not the last version; `detail` says which is. Look at it, then ask \
         again with a fresh key.";
    TERMS_UNSOUND = "terms_unsound" 422 Never "No rates"
        "A rate is 0 to 10000 basis points, and what a shop may owe at most 100000000.";
    TOO_MANY_TERMS = "too_many_terms" 422 Never "Too many versions of terms"
        "The book has as many versions of what shops pay as it can have.";
    FEE_CHANGED = "fee_changed" 422 Never "The fee has changed"
        "Another version of the fee is in force than the one that was named, or than this server \
         knew of. Ask what it costs now, then ask again with a fresh key.";
    FEE_VERSION = "fee_version" 409 Never "The fee has changed meanwhile"
        "`expected_version` is not the last version; `detail` says which is. Look at it, then ask \
         again with a fresh key.";
    FEE_UNSOUND = "fee_unsound" 422 Never "No fee"
        "A fee is zero or more, and the tax in it 0 to 10000 basis points.";
    FEE_IN_THE_PAST = "fee_in_the_past" 422 Never "What was charged stays"
        "A version of a fee is in force from now on or from a later moment.";
    TOO_MANY_FEES = "too_many_fees" 422 Never "Too many versions of the fee"
        "The book has as many versions of the fee as it can have.";
    CHECKPOINT_KEY_DIFFERS = "checkpoint_key_differs" 422 Never "Another key signs checkpoints"
        "The key that was to give way is not the one in force. `bahi audit rotate-key` alone asks.";
    STATEMENT_BEING_FETCHED = "statement_being_fetched" 409 SameKey "It is being fetched"
        "A worker fetches the statements of this account at this moment. Ask again shortly.";
    BANK_DAY_CLOSED = "bank_day_closed" 409 Never "The bank's day is closed"
        "Somebody of ours has looked at the day and closed it, or a later one. Two persons open it \
         again, if the bank corrects it.";
    BANK_DAY_OPEN = "bank_day_open" 409 Never "The bank's day cannot be closed yet"
        "A day is closed when the bank has closed it, for each of our accounts, and all its lines \
         are booked; `detail` says what is missing.";
}

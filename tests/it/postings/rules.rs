//! The rules of whole commands: conditions, batches, currencies, items and who may move what.

use crate::support::script::run;

scripts! {
    conditions_hold_or_nothing_happens: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        sequence wallet:a 2
        post T2 transfer wallet:a wallet:b 10 if wallet:a sequence=1 -> unexpected_sequence
        post T2 transfer wallet:a wallet:b 10 if wallet:a sequence=2 min=90.01 \
            -> minimum_balance_not_met
        post T2 transfer wallet:a wallet:b 10 if wallet:a sequence=2 min=90 if wallet:b \
            sequence=1 min=10 -> posted
        again
        post T3 transfer wallet:a wallet:b 10 if till:main sequence=2 -> condition_without_leg
        post T3 transfer wallet:a wallet:b 10 if wallet:a min=1 if wallet:a min=2 \
            -> condition_repeated
        post T4 split D wallet:a 10 D wallet:a 10 C wallet:b 20 if wallet:a sequence=3 min=70 \
            -> posted
        post T5 split D wallet:a 10 D wallet:a 10 C wallet:b 20 if wallet:a sequence=5 min=50.01 \
            -> minimum_balance_not_met
        sequence wallet:a 5
        balance wallet:a 70
    "

    a_batch_stands_or_falls_as_one: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        open wallet:c                      -> opened
        begin
        post T1 deposit till:main wallet:a 100
        post T2 transfer wallet:a wallet:b 60
        post T3 transfer wallet:b wallet:c 50
        commit                             -> posted
        again
        balance wallet:a 40
        balance wallet:b 10
        balance wallet:c 50
        begin
        post U1 transfer wallet:a wallet:b 40
        post U2 transfer wallet:a wallet:c 0.01
        commit                             -> insufficient_funds of 0.00 at 1
        again
        begin
        post U1 transfer wallet:b wallet:a 11
        post U2 deposit till:main wallet:b 11
        commit                             -> insufficient_funds of 10.00 at 0
        begin
        post U1 transfer wallet:a wallet:b 1
        post U2 transfer wallet:a wallet:a 1
        commit                             -> same_account at 1
        begin
        commit                             -> transaction_count
        balance wallet:a 40
    "

    a_dry_run_gives_the_verdict_and_leaves_no_trace: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        dry post T2 transfer wallet:a wallet:b 100 -> posted
        dry post T3 transfer wallet:a wallet:b 100.01 -> insufficient_funds of 100.00
        dry hold H1 wallet:a 100           -> held
        dry close wallet:b                 -> closed
        dry freeze wallet:a x both         -> frozen
        dry reverse R1 T1                  -> reversed
        balance wallet:a 100 held 0 available 100
        post T2 transfer wallet:a wallet:b 100 -> posted
        dry open wallet:c                  -> opened
        dry post T4 transfer wallet:b wallet:c 1 -> account_not_found
    "

    several_currencies_each_balance: "
        open till:main                     -> opened
        open till:main:USD                 -> opened
        open wallet:a                      -> opened
        open wallet:a:USD                  -> opened
        open equity:fx                     -> opened
        open equity:fx:USD                 -> opened
        post T1 deposit till:main wallet:a 850 -> posted
        post T2 deposit till:main:USD wallet:a:USD 1 -> posted
        post T3 swap D wallet:a 840 C equity:fx 840 D equity:fx:USD 10 C wallet:a:USD 10 -> posted
        balance wallet:a 10
        balance wallet:a:USD 11
        balance equity:fx 840
        balance equity:fx:USD -10
        post T4 swap D wallet:a 10 C wallet:a:USD 10 -> unbalanced
        post T5 swap D wallet:a 10 C equity:fx 9 D equity:fx:USD 1 C wallet:a:USD 1 -> unbalanced
        post T6 swap D wallet:a 10.01 C equity:fx 10.01 D equity:fx:USD 1 C wallet:a:USD 1 \
            -> insufficient_funds of 10.00
        balance wallet:a:USD 11
    "

    scales_from_none_to_eight_decimals: "
        open till:main:JPY                 -> opened
        open wallet:a:JPY                  -> opened
        open wallet:b:JPY                  -> opened
        open till:main:KWD                 -> opened
        open wallet:a:KWD                  -> opened
        open wallet:b:KWD                  -> opened
        open till:main:USDT                -> opened
        open wallet:a:USDT                 -> opened
        open wallet:b:USDT                 -> opened
        open till:main:BTC                 -> opened
        open wallet:a:BTC                  -> opened
        open wallet:b:BTC                  -> opened
        post T1 deposit till:main:JPY wallet:a:JPY 1 -> posted
        post T2 transfer wallet:a:JPY wallet:b:JPY 2 -> insufficient_funds of 1
        post T3 transfer wallet:a:JPY wallet:b:JPY 1 -> posted
        post T4 transfer wallet:a:JPY wallet:b:JPY 1 -> insufficient_funds of 0
        post T5 deposit till:main:KWD wallet:a:KWD 0.001 -> posted
        hold H1 wallet:a:KWD 0.001         -> held
        capture H1 0.001 wallet:b:KWD      -> captured
        balance wallet:b:KWD 0.001
        post T6 deposit till:main:USDT wallet:a:USDT 0.000001 -> posted
        post T7 transfer wallet:a:USDT wallet:b:USDT 0.000002 -> insufficient_funds of 0.000001
        post T8 deposit till:main:BTC wallet:a:BTC 21000000.00000001 -> posted
        post T9 transfer wallet:a:BTC wallet:b:BTC 21000000 -> posted
        balance wallet:a:BTC 0.00000001 held 0 available 0.00000001
    "

    case_153_amounts_of_26_digits_and_sums_that_do_not_fit: "
        open till:main:JPY                 -> opened
        open wallet:a:JPY                  -> opened
        post T1 deposit till:main:JPY wallet:a:JPY 99999999999999999999999999 -> posted
        begin
        post B1 deposit till:main:JPY wallet:a:JPY 99999999999999999999999999
        post B2 deposit till:main:JPY wallet:a:JPY 99999999999999999999999999
        post B3 deposit till:main:JPY wallet:a:JPY 99999999999999999999999999
        commit -> posted
        balance wallet:a:JPY 399999999999999999999999996
        hold H1 wallet:a:JPY 99999999999999999999999999 -> held
        increase H1 99999999999999999999999999 -> increased
        capture H1 all till:main:JPY       -> captured
        balance wallet:a:JPY 199999999999999999999999998 held 0 available \
            199999999999999999999999998
    "

    items_are_named_where_an_account_has_them: "
        open bank:hdfc:clearing_in         -> opened
        open bank:hdfc:escrow              -> opened
        open wallet:a                      -> opened
        post T1 deposit bank:hdfc:clearing_in wallet:a 5 -> item_required
        post T2 deposit bank:hdfc:clearing_in@d1 wallet:a@d1 5 -> item_not_allowed
        post T3 deposit bank:hdfc:clearing_in@d1 wallet:a 500 -> posted
        post T4 deposit bank:hdfc:clearing_in@d2 wallet:a 300 -> posted
        items -> bank:hdfc:clearing_in:INR/d1 500.00, bank:hdfc:clearing_in:INR/d2 300.00
        # What is wrongly cleared stays to be seen: +500 and -500 of other items do not cancel.
        post T5 statement bank:hdfc:escrow bank:hdfc:clearing_in@d2 500 -> posted
        items -> bank:hdfc:clearing_in:INR/d1 500.00, bank:hdfc:clearing_in:INR/d2 -200.00
        reverse R5 T5                      -> reversed
        items -> bank:hdfc:clearing_in:INR/d1 500.00, bank:hdfc:clearing_in:INR/d2 300.00
        hold H1 bank:hdfc:clearing_in 1    -> item_required
    "

    only_who_may_move_an_account_moves_it: "
        open bank:hdfc:escrow              -> opened
        open bank:hdfc:clearing_in         -> opened
        open income:fees                   -> opened
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        may open
        post T1 deposit till:main wallet:a 100 -> posted
        post T2 transfer wallet:a wallet:b 1   -> posted
        post T3 fee wallet:a income:fees 1     -> posting_not_permitted
        post T4 deposit bank:hdfc:escrow wallet:a 1 -> posting_not_permitted
        hold H1 bank:hdfc:escrow 1         -> posting_not_permitted
        hold H2 wallet:a 5                 -> held
        capture H2 5 income:fees           -> posting_not_permitted
        may open,income
        post T3 fee wallet:a income:fees 1     -> posted
        capture H2 5 income:fees           -> captured
        may open
        reverse R3 T3                      -> posting_not_permitted
        may nothing
        post T5 transfer wallet:a wallet:b 1   -> posting_not_permitted
        may open,clearing
        post T6 deposit bank:hdfc:clearing_in@d1 wallet:a 1 -> posted
        post T7 statement bank:hdfc:escrow bank:hdfc:clearing_in@d1 1 -> posting_not_permitted
    "

    a_hold_ends_when_its_time_has_come: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        hold H0 wallet:a 1 for 0           -> hold_expiry_past
        hold H1 wallet:a 60 for 10         -> held
        hold H2 wallet:a 40                -> held
        wait 9
        expire H1                          -> hold_not_expired
        expire H2                          -> hold_not_expired
        wait 1
        # The sweeper was not there yet, and still the hold can't be used; nor is it free yet.
        capture H1 60 wallet:b             -> hold_expired
        increase H1 1                      -> hold_expired
        balance wallet:a 100 held 100 available 0
        expire H1                          -> expired
        again
        expire H1                          -> hold_not_open
        balance wallet:a 100 held 40 available 60
        hold H3 wallet:a 60 for 1          -> held
        wait 1
        release H3                         -> released
        balance wallet:a 100 held 40 available 60
    "

    debits_raise_assets_and_expenses: "
        open till:main floor=0             -> opened
        open expense:bank_charges floor=0  -> opened
        open equity:capital                -> opened
        post T1 capital till:main equity:capital 100 -> posted
        post T2 charge expense:bank_charges till:main 100.01 -> insufficient_funds of 100.00
        post T3 charge expense:bank_charges till:main 40 -> posted
        hold H1 till:main 60               -> held
        post T4 charge expense:bank_charges till:main 0.01 -> insufficient_funds of 0.00
        # A hold on an asset is captured by a credit of it.
        capture H1 10 expense:bank_charges -> captured
        balance till:main 50
        balance expense:bank_charges 50
        freeze till:main x credit          -> frozen
        hold H2 till:main 1                -> account_frozen
        post T5 charge expense:bank_charges till:main 1 -> account_frozen
        post T6 capital till:main equity:capital 1 -> posted
    "
}

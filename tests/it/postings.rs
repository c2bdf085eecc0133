//! Scenarios of postings, a script each. `crate::support::script` says how a line is read.

use crate::support::script::run;

macro_rules! scripts {
    ($($name:ident: $script:literal)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                run($script).await;
            }
        )+
    };
}

mod rules;
mod stories;

scripts! {
    money_moves_and_is_held: "
        open till:main                                -> opened
        open wallet:a                                 -> opened
        open wallet:a                                 -> account_exists
        open wallet:b                                 -> opened
        post T1 deposit till:main wallet:a 100.00     -> posted
        post T2 transfer wallet:a wallet:b 100.01     -> insufficient_funds of 100.00
        again
        hold H1 wallet:a 30                           -> held
        balance wallet:a 100.00 held 30.00 available 70.00
        post T3 transfer wallet:a wallet:b 70.01      -> insufficient_funds of 70.00
        capture H1 10 wallet:b                        -> captured
        again
        balance wallet:a 90.00 held 0.00 available 90.00
        balance wallet:b 10.00 held 0.00 available 10.00
        balance till:main 100.00
        post T4 transfer wallet:a wallet:nobody 1     -> account_not_found
    "

    case_6_two_holds_on_the_same_funds: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        hold H1 wallet:a 60                -> held
        hold H2 wallet:a 60                -> insufficient_funds of 40.00
        hold H2 wallet:a 40                -> held
        increase H1 0.01                   -> insufficient_funds of 0.00
        release H2                         -> released
        increase H1 40                     -> increased
        balance wallet:a 100 held 100 available 0
        hold H1 wallet:a 1                 -> hold_exists
    "

    case_7_of_capture_and_void_one_wins: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        hold H1 wallet:a 60                -> held
        hold H2 wallet:a 40                -> held
        release H1                         -> released
        capture H1 all wallet:b            -> hold_not_open
        release H1                         -> hold_not_open
        increase H1 1                      -> hold_not_open
        capture H2 all wallet:b            -> captured
        release H2                         -> hold_not_open
        expire H2                          -> hold_not_open
        balance wallet:a 60 held 0 available 60
        release H9                         -> hold_not_found
        capture H9 all wallet:b            -> hold_not_found
    "

    case_8_one_capture_per_hold: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        hold H1 wallet:a 50                -> held
        capture H1 50.01 wallet:b          -> capture_exceeds_hold
        capture H1 30 wallet:b             -> captured
        capture H1 20 wallet:b             -> hold_not_open
        balance wallet:a 70 held 0 available 70
        balance wallet:b 30
    "

    case_8_a_capture_may_go_to_several: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open merchant:m:unsettled          -> opened
        open income:mdr                    -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        hold H1 wallet:a 50                -> held
        capture H1 40 merchant:m:unsettled 39 income:mdr 2 -> unbalanced
        capture H1 40 merchant:m:unsettled 39.20 income:mdr 0.80 as C1 -> captured
        balance wallet:a 60 held 0 available 60
        balance merchant:m:unsettled 39.20
        reverse R1 C1                      -> reversed
        balance wallet:a 100 held 0 available 100
    "

    case_10_a_freeze_precedes_or_refuses: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        hold H1 wallet:a 10                -> held
        freeze wallet:a court-1 debit      -> frozen
        freeze wallet:a court-1 both       -> freeze_exists
        post T2 transfer wallet:a wallet:b 1   -> account_frozen
        hold H2 wallet:a 1                 -> account_frozen
        capture H1 all wallet:b            -> account_frozen
        post T3 deposit till:main wallet:a 5   -> posted
        freeze wallet:a court-2 credit     -> frozen
        post T4 deposit till:main wallet:a 5   -> account_frozen
        unfreeze wallet:a court-3          -> freeze_not_found
        unfreeze wallet:a court-1          -> unfrozen
        post T5 transfer wallet:a wallet:b 1   -> posted
        release H1                         -> released
        unfreeze wallet:a court-2          -> unfrozen
        freeze wallet:a court-4 both       -> frozen
        post T6 transfer wallet:a wallet:b 1   -> account_frozen
        post T7 transfer wallet:b wallet:a 1   -> account_frozen
        balance wallet:a 104 held 0 available 104
    "

    liens_keep_an_amount: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        lien wallet:a tax-1 60             -> frozen
        lien wallet:a tax-2 30             -> frozen
        balance wallet:a 100 available 10
        post T2 transfer wallet:a wallet:b 10.01 -> insufficient_funds of 10.00
        hold H1 wallet:a 10                -> held
        lien wallet:a tax-3 1000           -> frozen
        post T3 transfer wallet:a wallet:b 0.01  -> insufficient_funds of 0.00
        capture H1 all wallet:b            -> insufficient_funds of 0.00
        unfreeze wallet:a tax-3            -> unfrozen
        capture H1 all wallet:b            -> captured
        close wallet:a                     -> balance_not_zero
    "

    case_11_closing_needs_zero_no_holds_and_no_freezes: "
        open till:main                     -> opened
        open wallet:a floor=-50            -> opened
        open wallet:b                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        close wallet:a                     -> balance_not_zero
        post T2 transfer wallet:a wallet:b 100 -> posted
        hold H1 wallet:a 50                -> held
        close wallet:a                     -> holds_open
        release H1                         -> released
        freeze wallet:a court-1 credit     -> frozen
        close wallet:a                     -> freezes_open
        unfreeze wallet:a court-1          -> unfrozen
        close wallet:a                     -> closed
        again
        close wallet:a                     -> account_closed
        post T3 deposit till:main wallet:a 1   -> account_closed
        hold H2 wallet:a 1                 -> account_closed
        freeze wallet:a x both             -> account_closed
        limits wallet:a floor=none         -> account_closed
        open wallet:a                      -> account_exists
        close wallet:nobody                -> account_not_found
    "

    case_12_nobody_pays_themselves: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        post T2 transfer wallet:a wallet:a 10  -> same_account
        hold H1 wallet:a 10                -> held
        capture H1 all wallet:a            -> same_account
        balance wallet:a 100 held 10 available 90
    "

    case_13_one_leg_refuses_and_nothing_is_posted: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b ceiling=10           -> opened
        open wallet:c                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        post T2 split D wallet:a 30 C wallet:c 10 C wallet:b 20     -> balance_limit_exceeded
        post T3 split D wallet:a 30 D wallet:c 0.01 C till:main 30.01 -> insufficient_funds of 0.00
        post T4 split D wallet:a 30 C wallet:c 30 C wallet:b 0.01   -> unbalanced
        balance wallet:a 100
        balance wallet:b 0
        balance wallet:c 0
        post T5 split D wallet:a 30 C wallet:c 20 C wallet:b 10     -> posted
        balance wallet:a 70
    "

    case_14_several_debits_of_an_account_are_summed_before_its_limit: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        post T2 sum D wallet:a 60 D wallet:a 40.01 C wallet:b 100.01 -> insufficient_funds of 40.00
        post T3 swap D wallet:a 60 C wallet:b 10 C wallet:a 50      -> same_account
        post T4 split D wallet:a 60 C wallet:b 100 D wallet:a 40    -> posted
        balance wallet:a 0
        balance wallet:b 100
    "

    case_15_a_hot_account_loses_no_credit: "
        open till:main                     -> opened
        open income:fees                   -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        post T1 deposit till:main wallet:a 3 -> posted
        post T2 deposit till:main wallet:b 3 -> posted
        post T3 fee wallet:a income:fees 1 -> posted
        post T4 fee wallet:b income:fees 1 -> posted
        post T5 fee wallet:a income:fees 1 -> posted
        post T6 fee wallet:b income:fees 1 -> posted
        balance income:fees 4
        sequence income:fees 5
    "

    case_20_a_transaction_is_given_back_once: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open merchant:m:unsettled          -> opened
        post T1 deposit till:main wallet:a 100 -> posted
        post P1 payment wallet:a merchant:m:unsettled 40 -> posted
        reverse R1 P1                      -> reversed
        again
        reverse R2 P1                      -> already_reversed
        reverse R3 R1                      -> not_reversible
        balance wallet:a 100
        balance merchant:m:unsettled 0
        post P2 payment wallet:a merchant:m:unsettled 40 -> posted
        post S1 settlement merchant:m:unsettled till:main 40 -> posted
        reverse R4 P2                      -> insufficient_funds of 0.00
        post S2 settlement till:main merchant:m:unsettled 40 -> posted
        reverse R4 P2                      -> reversed
        balance wallet:a 100
    "

    limits_block_only_what_makes_it_worse: "
        open till:main                     -> opened
        open wallet:a                      -> opened
        open wallet:b                      -> opened
        open wallet:c floor=5 ceiling=4    -> floor_above_ceiling
        post T1 deposit till:main wallet:a 100 -> posted
        post T2 transfer wallet:b wallet:a 1   -> insufficient_funds of 0.00
        limits wallet:b floor=-50          -> changed
        post T3 transfer wallet:b wallet:a 50  -> posted
        post T4 transfer wallet:b wallet:a 0.01 -> insufficient_funds of 0.00
        balance wallet:b -50 available 0
        limits wallet:b floor=0            -> changed
        balance wallet:b -50 available -50
        post T5 transfer wallet:b wallet:a 0.01 -> insufficient_funds of 0.00
        post T6 transfer wallet:a wallet:b 10  -> posted
        limits wallet:a floor=0 ceiling=100 -> changed
        post T7 deposit till:main wallet:a 0.01 -> balance_limit_exceeded
        post T8 transfer wallet:a wallet:b 40  -> posted
        post T9 deposit till:main wallet:a 0.01 -> balance_limit_exceeded
        balance wallet:a 100
        limits wallet:a floor=2 ceiling=1  -> floor_above_ceiling
        limits wallet:a floor=none         -> changed
        post U1 transfer wallet:a wallet:b 1000 -> posted
        balance wallet:a -900
    "
}

//! The deposit alone: what each command comes to, every refusal, and what identifies a credit.

mod recalls;

use cqrs_es::test::TestFramework;

use super::*;
use crate::{
    bank_line::{Part, Purpose},
    ids::{HoldId, PayeeHash, Reference},
    money::Money,
    testing::{
        account, assert_every_variant, day, dec, deposit, hold, inr, minute, txn, withdrawal,
    },
    withdrawal::Source,
};

type Event = DepositEvent;
type Ask = DepositOperation;

fn hash(digits: &str) -> PayeeHash {
    digits.repeat(32).parse().unwrap()
}

fn begin() -> Ask {
    Ask::Begin(BeginDeposit {
        deposit_id: deposit(1),
        account: account("wallet:a:INR"),
        amount: inr("500"),
        bank: "hdfc".parse().unwrap(),
        expires_at: minute(30),
        payer_hash: Some(hash("0a")),
    })
}

fn claim(number: u8, amount: &str) -> CreditClaim {
    CreditClaim {
        bank: "hdfc".parse().unwrap(),
        bank_transaction_id: format!("S{number}").parse().unwrap(),
        credit_id: format!("crd_{number}").parse().ok(),
        utr: None,
        value_date: day(),
        amount: inr(amount),
        source: Source::Enquiry,
        payer_hash: Some(hash("0a")),
        review: None,
        unsolicited_to: None,
    }
}

fn received(claim: CreditClaim) -> Ask {
    Ask::RecordReceived(RecordReceived { deposit_id: deposit(1), claim })
}

fn confirmed(claim: CreditClaim) -> Ask {
    let (deposit_id, transaction_id) = (deposit(1), txn(1));
    Ask::ConfirmCredit(ConfirmCredit { deposit_id, claim, transaction_id })
}

fn settled(claim: CreditClaim) -> Ask {
    net_of("0", "0", claim)
}

fn net_of(charges: &str, tax: &str, claim: CreditClaim) -> Ask {
    Ask::SettleCredit(SettleCredit {
        deposit_id: deposit(1),
        claim: CreditClaim { credit_id: None, source: Source::Statement, ..claim },
        booking_date: day(),
        charges: inr(charges),
        tax: inr(tax),
        confirmed_transaction_id: txn(1),
        transaction_id: txn(2),
    })
}

fn declined() -> Ask {
    let (deposit_id, code) = (deposit(1), "account_closed".parse().ok());
    Ask::RecordDeclined(RecordDeclined { deposit_id, source: Source::Webhook, code })
}

fn sent_back() -> Ask {
    Ask::SendBack(SendBackCredit {
        deposit_id: deposit(1),
        number: 1,
        amount: inr("500"),
        withdrawal_id: withdrawal(1),
        reason: "third_party".parse().ok(),
    })
}

fn cancel() -> Ask {
    Ask::Cancel(CancelDeposit { deposit_id: deposit(1) })
}

fn expire() -> Ask {
    Ask::Expire(ExpireDeposit { deposit_id: deposit(1) })
}

fn decide(number: u32, to: Option<&str>) -> Ask {
    Ask::DecideReview(DecideDepositReview {
        deposit_id: deposit(1),
        number,
        assign_to: to.map(account),
        reason: "third_party".parse().ok(),
        transaction_id: txn(3),
    })
}

fn recall(claim: CreditClaim) -> Ask {
    Ask::RequestRecall(RequestRecall { deposit_id: deposit(1), claim, hold_id: hold(1) })
}

fn decide_recall(granted: bool, hold_id: Option<HoldId>) -> Ask {
    Ask::DecideRecall(DecideRecall {
        deposit_id: deposit(1),
        number: 1,
        granted,
        reason: None,
        hold_id,
        transaction_id: txn(4),
    })
}

fn at(minutes: i64, operation: Ask) -> DepositCommand {
    let standing = DepositStanding::default();
    DepositCommand { operation, standing, now: minute(minutes) }
}

fn blocked(operation: Ask) -> DepositCommand {
    let standing = DepositStanding { room: Some(Decimal::ZERO), ..DepositStanding::default() };
    DepositCommand { standing, ..at(0, operation) }
}

/// The deposit that these commands make.
#[track_caller]
fn after(commands: impl IntoIterator<Item = DepositCommand>) -> (Deposit, Vec<Event>) {
    let (mut deposit, mut events) = (Deposit::default(), Vec::new());
    for command in commands {
        let decided = deposit.decide(&command).unwrap_or_else(|e| panic!("{command:?}: {e}"));
        deposit = decided.iter().cloned().fold(deposit, Deposit::after);
        events.extend(decided);
    }
    (deposit, events)
}

#[track_caller]
fn comes_to(asks: &[Ask], names: &[&str], status: DepositStatus) -> Deposit {
    let (deposit, events) = after(asks.iter().cloned().map(|ask| at(0, ask)));
    assert_eq!(events.iter().map(Event::name).collect::<Vec<_>>(), names, "{asks:?}");
    assert_eq!(deposit.status(), Some(status), "{asks:?}");
    assert_eq!(Deposit::of(events), deposit);
    deposit
}

#[test]
fn each_message_comes_to_its_events() {
    use DepositStatus as Status;
    let one = || claim(1, "500");
    comes_to(&[begin()], &["begun"], Status::AwaitingPayment);
    comes_to(&[begin(), received(one())], &["begun", "received"], Status::Received);
    let names = ["begun", "received", "credited", "settled"];
    let whole = [begin(), received(one()), confirmed(one()), settled(one())];
    comes_to(&whole[..3], &names[..3], Status::Completed);
    let done = comes_to(&whole, &names, Status::Settled);
    assert_eq!((done.credited(), done.aside(), done.is_late()), (dec("500"), dec("0"), false));
    // The statement first: what comes later is known.
    let first = [begin(), settled(one()), received(one()), confirmed(one()), settled(one())];
    comes_to(&first, &["begun", "credited", "settled"], Status::Settled);
    comes_to(&[begin(), cancel(), cancel()], &["begun", "cancelled"], Status::Cancelled);
    comes_to(&[begin(), declined(), declined()], &["begun", "declined"], Status::Failed);
    comes_to(&[begin(), confirmed(one()), declined()], &["begun", "credited"], Status::Completed);
}

#[test]
fn late_money_is_taken_whatever_had_ended_it() {
    for (end, name) in [(cancel(), "cancelled"), (declined(), "declined"), (expire(), "expired")] {
        let one = confirmed(claim(1, "500"));
        let (deposit, events) = after([at(0, begin()), at(30, end), at(31, one)]);
        let names: Vec<_> = events.iter().map(Event::name).collect();
        assert_eq!(names, ["begun", name, "credited"]);
        assert_eq!(deposit.status(), Some(DepositStatus::Completed));
        assert!(deposit.is_late());
    }
    let (deposit, _) = after([at(0, begin()), at(0, received(claim(1, "500"))), at(31, expire())]);
    assert_eq!(deposit.status(), Some(DepositStatus::Received), "it is being checked");
}

#[test]
fn a_message_that_exaggerates_is_corrected_by_the_enquiry_and_not_the_other_way_round() {
    let asks = [begin(), received(claim(1, "501")), confirmed(claim(1, "500"))];
    let names = ["begun", "received", "credited"];
    let deposit = comes_to(&asks, &names, DepositStatus::Completed);
    assert_eq!(deposit.credited(), dec("500"));
    let exaggerated = at(0, received(claim(1, "501")));
    assert_eq!(deposit.decide(&exaggerated), Err(DepositError::CreditDiffers));
}

#[test]
fn what_must_not_go_to_the_wallet_is_put_aside_with_a_reason() {
    let reason = |claim: CreditClaim, is_blocked: bool| {
        let ask = confirmed(claim);
        let command = if is_blocked { blocked(ask) } else { at(0, ask) };
        let (deposit, _) = after([at(0, begin()), command]);
        assert_eq!(deposit.status(), Some(DepositStatus::InReview));
        assert_eq!((deposit.credited(), deposit.aside()), (dec("0"), dec("500")));
        let CreditPlace::Review { reason } = deposit.credits()[0].place.clone() else {
            panic!("not in review")
        };
        reason.as_str().to_owned()
    };
    let paid_by = |digits| CreditClaim { payer_hash: Some(hash(digits)), ..claim(1, "500") };
    assert_eq!(reason(paid_by("0b"), false), "payer_differs");
    assert_eq!(reason(claim(1, "500"), true), "wallet_blocked");
    let rule: Option<Reference> = "over_limit".parse().ok();
    assert_eq!(reason(CreditClaim { review: rule, ..claim(1, "500") }, false), "over_limit");
    // The owner paid, or the bank does not say who did.
    comes_to(
        &[begin(), confirmed(paid_by("0a"))],
        &["begun", "credited"],
        DepositStatus::Completed,
    );
}

#[test]
fn a_person_assigns_it_or_leaves_it_to_be_sent_back() {
    let aside = || vec![at(0, begin()), blocked(confirmed(claim(1, "500")))];
    let decided = |ask: Ask| after(aside().into_iter().chain([at(0, ask.clone()), at(0, ask)]));
    let (deposit, events) = decided(decide(1, None));
    assert_eq!(deposit.status(), Some(DepositStatus::ToReturn));
    assert_eq!(events.len(), 3, "the same decision again is known");
    let (deposit, events) =
        after(aside().into_iter().chain([at(0, decide(1, Some("wallet:b:INR")))]));
    assert_eq!(deposit.status(), Some(DepositStatus::Completed));
    assert_eq!(events.len(), 3);
    assert_eq!((deposit.credited(), deposit.aside()), (dec("500"), dec("0")));
}

#[test]
fn several_credits_under_one_token_are_several() {
    let mut two = claim(2, "1.5");
    two.amount = inr("1.50");
    let asks = [begin(), confirmed(claim(1, "500")), confirmed(two.clone()), settled(two)];
    let names = ["begun", "credited", "credited", "settled"];
    let deposit = comes_to(&asks, &names, DepositStatus::Completed);
    assert_eq!(deposit.credited(), dec("501.50"));
    assert_eq!(deposit.credits().iter().filter(|credit| credit.settled).count(), 1);
}

#[test]
fn what_nobody_asked_for_makes_a_deposit_whose_id_follows_from_it() {
    let mut claim = claim(1, "500");
    claim.unsolicited_to = Some(account("wallet:a:INR"));
    let id = credit::id_of(&claim.bank, &claim.bank_transaction_id);
    assert_eq!(id.to_string(), "dep_75d5f236c74380afbd618aae59a65397", "a contract");
    assert!(credit::is_of_credit(id) && !credit::is_of_credit(deposit(1)));
    let ask = |claim: &CreditClaim| {
        let (claim, transaction_id) = (claim.clone(), txn(1));
        Ask::ConfirmCredit(ConfirmCredit { deposit_id: id, claim, transaction_id })
    };
    let made = comes_to(
        &[ask(&claim), ask(&claim)],
        &["unsolicited", "credited"],
        DepositStatus::Completed,
    );
    assert_eq!((made.intent(), made.account()), (None, claim.unsolicited_to.as_ref()));
    let unknown = CreditClaim { unsolicited_to: None, ..claim.clone() };
    let names = ["unsolicited", "put_aside"];
    let aside = comes_to(&[ask(&unknown)], &names, DepositStatus::InReview);
    assert_eq!(aside.aside(), dec("500"));
    let other = CreditClaim { bank: "axis".parse().unwrap(), ..claim };
    assert_eq!(made.decide(&at(0, ask(&other))), Err(DepositError::NotFound));
}

#[test]
fn a_token_is_short_enough_for_banks_and_names_its_deposit() {
    let token = credit::token_of(deposit(7)).unwrap();
    assert_eq!(token.as_str(), "dep00000000000000000000000000000007");
    assert_eq!((token.as_str().len(), credit::id_of_token(&token)), (35, Some(deposit(7))));
    for other in ["dep", "dep_00000000000000000000000000000007", "BH0199A1", "dep0199"] {
        assert_eq!(credit::id_of_token(&other.parse().unwrap()), None, "{other}");
    }
}

#[test]
fn two_words_on_a_credit_agree_or_contradict_each_other() {
    let confirmed_one = || after([at(0, begin()), at(0, confirmed(claim(1, "500")))]).0;
    let differs = |change: fn(&mut CreditClaim)| {
        let mut claim = claim(1, "500");
        change(&mut claim);
        [received(claim.clone()), confirmed(claim)]
            .map(|ask| confirmed_one().decide(&at(0, ask)) == Err(DepositError::CreditDiffers))
    };
    assert_eq!(differs(|claim| claim.amount = inr("500.01")), [true, true]);
    assert_eq!(differs(|claim| claim.credit_id = "crd_9".parse().ok()), [true, true]);
    let other_line = |claim: &mut CreditClaim| claim.bank_transaction_id = "S9".parse().unwrap();
    assert_eq!(differs(other_line), [true, true]);
    // A date that was only told is not looked at.
    let other_day = |claim: &mut CreditClaim| claim.value_date = day().succ_opt().unwrap();
    assert_eq!(differs(other_day), [false, true]);
    let elsewhere = |claim: &mut CreditClaim| claim.bank = "axis".parse().unwrap();
    assert_eq!(differs(elsewhere), [false, false], "another bank's credit is another one");
}

#[test]
fn a_number_that_a_bank_uses_again_is_another_credit_and_not_the_first_ones_wallet() {
    let id = credit::id_of(&"hdfc".parse().unwrap(), &"S1".parse().unwrap());
    let to = |wallet: Option<&str>, days: u64| {
        let mut claim = claim(1, "500");
        claim.credit_id = None;
        claim.unsolicited_to = wallet.map(account);
        claim.value_date = day() + chrono::Days::new(days);
        Ask::ConfirmCredit(ConfirmCredit { deposit_id: id, claim, transaction_id: txn(1) })
    };
    let first = || to(Some("wallet:a:INR"), 0);
    let made = after([at(0, first())]).0;
    assert_eq!(made.decide(&at(0, first())), Ok(vec![]), "again");
    assert_eq!(
        made.decide(&at(0, to(Some("wallet:a:INR"), 30))),
        Err(DepositError::CreditDiffers),
        "the bank contradicts itself"
    );
    let next_year = |wallet| after([at(0, first()), at(0, to(wallet, 365))]).0;
    assert_eq!(next_year(Some("wallet:a:INR")).credited(), dec("1000"));
    for stranger in [None, Some("wallet:b:INR")] {
        let deposit = next_year(stranger);
        assert_eq!((deposit.credited(), deposit.aside()), (dec("500"), dec("500")));
    }
}

/// What was asked before, what is asked, and why not.
type Refusal = (Vec<DepositCommand>, DepositCommand, DepositError);

/// Says that the credit is the lump of another deposit's.
fn divided(amount: &str) -> DepositCommand {
    let item = credit::item_of(deposit(2), 1).unwrap();
    let parts = vec![Part::of_item(Purpose::Arrival, item, inr(amount).amount())];
    let (deposit_id, number, transaction_id) = (deposit(1), 1, txn(9));
    at(0, Ask::Divide(DivideCredit { deposit_id, number, parts, reason: None, transaction_id }))
}

/// Says that a line settles the credit among others.
fn part() -> DepositCommand {
    at(
        0,
        Ask::SettlePart(SettlePart {
            deposit_id: deposit(1),
            number: 1,
            bank: "hdfc".parse().unwrap(),
            amount: inr("500"),
            transaction_id: txn(9),
        }),
    )
}

/// Of credits that a bank states together with others.
fn refusals_of_lumps() -> Vec<Refusal> {
    let booked = || vec![at(0, begin()), at(0, confirmed(claim(1, "500")))];
    let aside = || vec![at(0, begin()), blocked(confirmed(claim(1, "500")))];
    let stated = || [aside(), vec![at(0, settled(claim(1, "500")))]].concat();
    let told = || vec![at(0, begin()), at(0, received(claim(1, "500")))];
    let asked_back = at(0, recall(claim(1, "500")));
    vec![
        ([booked(), vec![part()]].concat(), part(), DepositError::CreditSettled),
        (told(), part(), DepositError::CreditNotFound),
        (aside(), divided("500"), DepositError::CreditNotSettled),
        (stated(), divided("500.01"), DepositError::LumpDiffers),
        ([stated(), vec![divided("500")]].concat(), divided("500"), DepositError::NotInReview),
        ([stated(), vec![divided("500")]].concat(), asked_back, DepositError::Divided),
    ]
}

/// Of credits that wait for a person, for a bank, or for the word of one.
fn refusals_of_what_waits() -> Vec<Refusal> {
    let aside = || vec![at(0, begin()), blocked(confirmed(claim(1, "500")))];
    let after = |ask: Ask| [aside(), vec![at(0, ask)]].concat();
    let asked_back = at(0, recall(claim(1, "500")));
    let by_nobody = CreditClaim { payer_hash: None, ..claim(1, "500") };
    vec![
        (vec![at(0, begin())], at(0, settled(by_nobody)), DepositError::PayerUnknown),
        (after(recall(claim(1, "500"))), at(0, decide(1, None)), DepositError::RecallOpen),
        (after(sent_back()), asked_back, DepositError::SentBack),
    ]
}

#[test]
fn every_refusal() {
    let intent = || vec![at(0, begin())];
    let with = |ask: Ask| vec![at(0, begin()), at(0, ask)];
    let full = || {
        let credits = (0..=u8::MAX).take(CREDITS_MAX);
        let credits = credits.map(|n| at(0, confirmed(claim(n, "1"))));
        intent().into_iter().chain(credits).collect()
    };
    let aside = || vec![at(0, begin()), blocked(confirmed(claim(1, "500")))];
    let one = || claim(1, "500");
    let recalled = || vec![at(0, begin()), at(0, confirmed(one())), at(0, recall(one()))];
    let status = DepositStatus::Received;
    let mut table: Vec<Refusal> = vec![
        (vec![], at(0, cancel()), DepositError::NotFound),
        (vec![], at(0, expire()), DepositError::NotFound),
        (vec![], at(0, declined()), DepositError::NotFound),
        (vec![], at(0, received(one())), DepositError::NotFound),
        (vec![], at(0, settled(one())), DepositError::NotFound),
        (vec![], at(0, decide(1, None)), DepositError::NotFound),
        (intent(), at(0, begin()), DepositError::Exists),
        (vec![], at(30, begin()), DepositError::ExpiryPast),
        (with(received(one())), at(0, cancel()), DepositError::NotCancellable { status }),
        (intent(), at(29, expire()), DepositError::NotExpired),
        (with(confirmed(one())), at(0, settled(claim(1, "499"))), DepositError::CreditDiffers),
        (intent(), at(0, net_of("499", "1", one())), DepositError::ChargesInvalid),
        (full(), at(0, received(claim(200, "1"))), DepositError::TooManyCredits),
        (intent(), at(0, decide(1, None)), DepositError::CreditNotFound),
        (intent(), at(0, decide(0, None)), DepositError::CreditNotFound),
        (with(confirmed(one())), at(0, decide(1, None)), DepositError::NotInReview),
        (with(confirmed(one())), at(0, decide_recall(true, None)), DepositError::RecallNotFound),
        (recalled(), at(0, decide_recall(true, None)), DepositError::RecallNotFound),
        (
            [recalled(), vec![at(0, decide_recall(false, Some(hold(1))))]].concat(),
            at(0, decide_recall(true, Some(hold(1)))),
            DepositError::RecallDecided,
        ),
        (aside(), blocked(decide(1, Some("wallet:b:INR"))), DepositError::WalletBlocked),
    ];
    table.extend(refusals_of_what_waits().into_iter().chain(refusals_of_lumps()));
    for (before, command, error) in &table {
        let (_, events) = after(before.clone());
        TestFramework::<Deposit>::with(())
            .given(events)
            .when(command.clone())
            .then_expect_error(*error);
    }
    let seen: Vec<_> = table.into_iter().map(|(_, _, error)| error).collect();
    assert_every_variant!(
        DepositError,
        seen,
        DepositError::NotFound,
        DepositError::Exists,
        DepositError::ExpiryPast,
        DepositError::NotCancellable { .. },
        DepositError::NotExpired,
        DepositError::CreditDiffers,
        DepositError::PayerUnknown,
        DepositError::ChargesInvalid,
        DepositError::TooManyCredits,
        DepositError::CreditNotFound,
        DepositError::NotInReview,
        DepositError::RecallOpen,
        DepositError::SentBack,
        DepositError::Divided,
        DepositError::CreditSettled,
        DepositError::CreditNotSettled,
        DepositError::LumpDiffers,
        DepositError::RecallNotFound,
        DepositError::RecallDecided,
        DepositError::WalletBlocked,
    );
}

#[test]
fn the_receipt_says_where_it_is() {
    let (made, _) = after([at(0, begin()), at(0, confirmed(claim(1, "499")))]);
    let amount: Option<Decimal> = Some(Money::amount(&inr("500")));
    let receipt = made.receipt(deposit(1)).unwrap();
    let Receipt::Deposit { status, amount: expected, credited, .. } = receipt else {
        panic!("another receipt")
    };
    assert_eq!((status, expected, credited), (DepositStatus::Completed, amount, dec("499")));
    assert_eq!(Deposit::default().receipt(deposit(1)), None);
}

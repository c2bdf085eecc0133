//! Whatever is called, in whatever order: the books balance, a reference pays at most once,
//! statements add up, and the journal brings everything back.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    Decision,
    faults::Mode,
    wire::{AdjustmentRequest, CreditRequest, LinkRequest},
};

/// Something that somebody does.
#[derive(Debug, Clone)]
enum Act {
    Give(Box<Command>),
    /// Looking must change nothing.
    Look(BankCode, u8),
    /// The next messages are taken, and heard or not.
    Send(BankCode, bool),
}

fn amount() -> impl Strategy<Value = String> {
    let paise = prop::sample::select(vec![
        "00", "11", "13", "14", "15", "21", "22", "23", "31", "32", "41", "42", "43", "44", "45",
        "51", "52", "53", "54", "61", "99",
    ]);
    let rupees = prop_oneof![8 => 1_u64..1_000, 1 => 100_000_u64..90_000_000];
    (rupees, paise).prop_map(|(rupees, paise)| format!("{rupees}.{paise}"))
}

fn bank() -> impl Strategy<Value = BankCode> {
    prop::sample::select(BankCode::ALL.to_vec())
}

fn rail() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["imps", "imps", "neft", "rtgs", "upi"])
}

fn transfer() -> impl Strategy<Value = TransferRequest> {
    let account = prop::sample::select(vec!["001234567890", "50100000000029", "917010000000013"]);
    (0..12_u8, amount(), rail(), account, any::<bool>()).prop_map(
        |(reference, amount, rail, account, own)| {
            let mut order = json!(request(&format!("A{reference}"), &amount));
            order["rail"] = json!(rail);
            order["from"] = json!(if own { "own" } else { "escrow" });
            order["beneficiary"]["account_number"] = json!(account);
            serde_json::from_value(order).expect("a request")
        },
    )
}

fn command() -> impl Strategy<Value = Command> {
    let money = |value: String| json!({ "value": value, "currency": "INR" });
    let link = (0..6_u8, amount()).prop_map(move |(token, amount)| -> LinkRequest {
        let link = json!({ "token": format!("T{token}"), "amount": money(amount) });
        serde_json::from_value(link).expect("a link")
    });
    let credit = amount().prop_map(move |amount| -> CreditRequest {
        serde_json::from_value(json!({ "amount": money(amount) })).expect("a credit")
    });
    let decision = prop::sample::select(vec![
        Decision::Approve,
        Decision::Decline,
        Decision::Close,
        Decision::ApproveSilently,
    ]);
    let mode = (0..50_u8, 0..50_u8, 0..=100_u8).prop_map(|(timeout, error, webhooks)| Mode {
        timeout_percent: timeout,
        error_percent: error,
        webhook_duplicate_percent: webhooks,
        webhook_lost_percent: webhooks / 2,
        webhook_out_of_order_percent: webhooks,
        for_seconds: Some(600),
        ..Mode::default()
    });
    let adjustment = (amount(), any::<bool>()).prop_map(move |(amount, debit)| {
        let direction = if debit { "debit" } else { "credit" };
        let adjustment =
            json!({ "amount": money(amount), "direction": direction, "narration": "CHARGES" });
        serde_json::from_value::<AdjustmentRequest>(adjustment).expect("an adjustment")
    });
    prop_oneof![
        1 => (bank(), adjustment).prop_map(|(bank, a)| Command::Adjust(bank, a)),
        10 => (bank(), transfer()).prop_map(|(bank, t)| Command::Submit(bank, t)),
        3 => (bank(), link).prop_map(|(bank, link)| Command::OpenLink(bank, link)),
        3 => (bank(), 0..6_u8, decision)
            .prop_map(|(bank, t, decision)| Command::Decide(bank, format!("T{t}"), decision)),
        2 => (bank(), credit).prop_map(|(bank, credit)| Command::Credit(bank, credit)),
        1 => (bank(), mode).prop_map(|(bank, mode)| Command::SetMode(bank, mode)),
        1 => any::<u64>().prop_map(Command::Reseed),
        4 => (0..100_000_i64).prop_map(Command::Advance),
        // References are forgotten by neither bank in all of these together.
        2 => (0..7_200_000_i64).prop_map(Command::Advance),
        1 => (bank(), 0..20_u64, any::<bool>())
            .prop_map(|(bank, number, heard)| Command::Heard(bank, number, heard)),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => command().prop_map(|command| Act::Give(Box::new(command))),
        1 => (bank(), 0..12_u8).prop_map(|(bank, n)| Act::Look(bank, n)),
        1 => (bank(), any::<bool>()).prop_map(|(bank, heard)| Act::Send(bank, heard)),
    ]
}

fn play(sandbox: &Sandbox, act: &Act) {
    match act {
        Act::Give(command) => drop(sandbox.execute(Command::clone(command))),
        Act::Look(bank, number) => {
            sandbox.transfer(*bank, &format!("A{number}"));
            sandbox.overview(*bank);
        }
        Act::Send(bank, heard) => {
            for attempt in sandbox.take_messages(*bank, 5) {
                sandbox.execute(Command::Heard(*bank, attempt.number, *heard));
            }
        }
    }
}

/// Everything that anybody can see of a bank: its counters, and each day's statements.
fn seen(sandbox: &Sandbox, bank: BankCode) -> Vec<Value> {
    let mut seen = vec![sandbox.overview(bank).body];
    let today = bank_day(sandbox.clock().now());
    for account in Account::OURS {
        let days = bank_day(noon()).iter_days().take_while(|day| *day <= today);
        // A bank in chaos may not answer at first.
        seen.extend(days.map(|day| {
            let ask = || sandbox.statement(bank, account, day);
            let answers = std::iter::repeat_with(ask);
            let mut good = answers.filter(|answer| answer.status == 200);
            good.next().expect("it answers at last").body
        }));
    }
    for n in 0..12 {
        let ask = || sandbox.transfer(bank, &format!("A{n}"));
        let mut good = std::iter::repeat_with(ask).filter(|a| matches!(a.status, 200 | 404));
        seen.push(good.next().expect("it answers at last").body);
    }
    seen
}

fn paise(money: &Value) -> i64 {
    let text = money["value"].as_str().expect("money").replace('.', "");
    text.parse().expect("a number")
}

/// Checks the statements of one account, given the opening balance; returns debits by reference.
fn adds_up(statements: &[&Value], debits: &mut BTreeMap<String, usize>) {
    let mut before: Option<i64> = None;
    for statement in statements {
        let opening = paise(&statement["opening"]);
        assert!(before.is_none_or(|closing| closing == opening), "{statement}");
        let mut balance = opening;
        for line in statement["lines"].as_array().expect("lines") {
            let amount = paise(&line["amount"]);
            assert!(amount > 0);
            if line["direction"] == "debit" {
                balance -= amount;
                // What is returned between our own accounts is a debit as well, and no payment.
                if line["narration"].as_str().is_some_and(|text| text.contains(" OUT ")) {
                    let reference = line["reference"].as_str().expect("a reference").to_owned();
                    *debits.entry(reference).or_default() += 1;
                }
            } else {
                balance += amount;
            }
            assert!(balance >= 0, "{statement}");
        }
        assert_eq!(balance, paise(&statement["closing"]), "{statement}");
        before = Some(balance);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_bank_keeps_its_books_whatever_comes(acts in prop::collection::vec(act(), 1..80)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let clock = || Clock::standing(noon());
        let setup = Setup::usual(1, noon());
        let sandbox = Sandbox::restore(&path, setup.clone(), clock(), "http://bank")
            .expect("a sandbox");
        for act in &acts {
            play(&sandbox, act);
            for bank in BankCode::ALL {
                prop_assert_eq!(&sandbox.overview(bank).body["balanced"], &json!(true));
            }
        }
        let before: Vec<Vec<Value>> =
            BankCode::ALL.map(|bank| seen(&sandbox, bank)).into_iter().collect();
        for seen in &before {
            let mut debits = BTreeMap::new();
            for account in ["escrow", "own"] {
                let of: Vec<&Value> = seen.iter().filter(|s| s["account"] == account).collect();
                prop_assert!(!of.is_empty());
                adds_up(&of, &mut debits);
            }
            prop_assert!(debits.values().all(|count| *count == 1), "{debits:?}");
        }
        // Killed, and started again from what it wrote.
        drop(sandbox);
        let again = Sandbox::restore(&path, setup, clock(), "http://bank").expect("a sandbox");
        let after: Vec<Vec<Value>> =
            BankCode::ALL.map(|bank| seen(&again, bank)).into_iter().collect();
        prop_assert_eq!(before, after);
    }
}

#[test]
fn a_torn_line_is_cut_off_and_a_wrong_one_is_named() {
    use std::io::Write as _;

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let open =
        || Sandbox::restore(&path, Setup::usual(1, noon()), Clock::standing(noon()), "http://bank");
    let sandbox = open().expect("a sandbox");
    let submit = |sandbox: &Sandbox, reference: &str| {
        sandbox.execute(Command::Submit(BankCode::Axis, request(reference, "10.00")))
    };
    submit(&sandbox, "A1");
    assert!(open().is_err(), "it is in use");
    drop(sandbox);
    let append = |bytes: &[u8]| {
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).expect("a file");
        file.write_all(bytes).expect("written");
    };
    append(b"{\"at\":\"2026-11-22T06:30:00Z\",\"comm");
    let sandbox = open().expect("the torn line is cut off");
    submit(&sandbox, "A2");
    drop(sandbox);
    let sandbox = open().expect("a whole file again");
    for reference in ["A1", "A2"] {
        assert_eq!(sandbox.transfer(BankCode::Axis, reference).body["status"], "paid");
    }
    drop(sandbox);
    append(b"{}\n");
    let error = open().expect_err("a wrong line");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("line 4 of the journal can't be understood"));
}

//! The pages of sales: what each role sees, what the files hold, giving back, settlements, payouts.

use ledger_core::{
    chart::Authority,
    clock::{Ids as _, System},
    command::{Command, Operation, Outcome},
    ids::{PaymentId, RequestId, SettlementId, TransactionId},
    money::{Currency, Money},
    payment::Settle,
    withdrawal::{AttemptOutcome, BeginAttempt, RecordOutcome, Source, WithdrawalOperation},
};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::clerk::{Clerk, found, hidden};
use crate::{
    support::bahi::{fresh_key, send},
    user_api::person::{Person, Scene},
};

/// Each page, and whether an owner, an accountant and a cashier see it.
const PAGES: [(&str, [bool; 3]); 9] = [
    ("/merchant/counter", [true, true, true]),
    ("/merchant/payments", [true, true, true]),
    ("/merchant/payments.csv", [true, true, false]),
    ("/merchant/settlements", [true, true, false]),
    ("/merchant/settlements.csv", [true, true, false]),
    ("/merchant/payouts.csv", [true, true, false]),
    ("/merchant/reports", [true, true, false]),
    ("/merchant/reports.csv", [true, true, false]),
    ("/merchant/reports.pdf", [true, true, false]),
];

/// The service, with the accounts of the house that payments move.
async fn scene() -> Scene {
    let scene = Scene::start().await;
    for account in ["income:mdr:INR", "tax:gst_output:INR"] {
        let opened = scene.admin.open(account).await;
        assert!(opened.status.as_u16() < 500, "{}", opened.text);
    }
    scene
}

async fn pay(scene: &Scene, who: &Person, shop: &str, amount: &str, order: &str) -> String {
    let body = json!({"merchant": shop, "order_id": order,
        "amount": {"value": amount, "currency": "INR"}});
    let paid = who.post("/v1/payments", &body).await.made();
    scene.projected().await;
    paid["id"].as_str().unwrap().to_owned()
}

/// Settles payments of a shop, as the worker does when their day has come.
async fn settle(scene: &Scene, shop: &str, payments: &[String]) -> String {
    let settlement_id = SettlementId::from_uuid(System.fresh());
    let settle = Settle {
        settlement_id,
        merchant: shop.strip_prefix("mer_").unwrap().parse().unwrap(),
        currency: "INR".parse().unwrap(),
        day: "2026-12-31".parse().unwrap(),
        payments: payments.iter().map(|id| id.parse::<PaymentId>().unwrap()).collect(),
    };
    submit(scene, Authority::of_payments(), settle.into()).await;
    settlement_id.to_string()
}

/// Hands in what a worker would.
async fn submit(scene: &Scene, authority: Authority, operation: Operation) {
    let command = Command {
        principal: "keeper".parse().unwrap(),
        idempotency: None,
        request: RequestId::from_uuid(System.fresh()),
        authority,
        approval: None,
        operation,
    };
    let answer = scene.bahi.engine.submit(command).await.unwrap();
    assert!(matches!(answer.outcome, Outcome::Accepted(_)), "{:?}", answer.outcome);
    scene.projected().await;
}

/// The cells of a file, its head aside.
fn cells(text: &str) -> Vec<Vec<String>> {
    let line = |line: &str| {
        let inner = line.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        inner.split("\",\"").map(str::to_owned).collect()
    };
    text.lines().skip(1).map(line).collect()
}

/// `amount − fee − tax` of a line in the columns of shops.
fn worth(line: &[String]) -> Decimal {
    let amount = |index: usize| line[index].parse::<Decimal>().unwrap();
    amount(5) - amount(6) - amount(7)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_of_sales_is_opened_to_its_roles_and_another_shops_things_are_not_there() {
    let scene = scene().await;
    let (mut owner, shop) = Clerk::with_shop(&scene, "kamala").await;
    let accountant = owner.hire(&scene, "deepa", "accountant").await;
    let mut cashier = owner.hire(&scene, "suresh", "cashier").await;
    let (mut other, _) = Clerk::with_shop(&scene, "harish").await;
    let asha = scene.person("asha", "500").await;
    let paid = pay(&scene, &asha, &shop, "120", "ORDER-1").await;
    let settled = settle(&scene, &shop, std::slice::from_ref(&paid)).await;
    let own = [
        format!("/merchant/payments/{paid}"),
        format!("/merchant/settlements/{settled}"),
        format!("/merchant/settlements/{settled}/payments.csv"),
    ];
    let own = own
        .iter()
        .map(|path| (path.as_str(), [true, true, path.starts_with("/merchant/payments/")]));
    for (path, admitted) in PAGES.into_iter().chain(own.clone()) {
        for (who, is_admitted) in [&owner, &accountant, &cashier].into_iter().zip(admitted) {
            let status = who.get(path).await.status.as_u16();
            assert_eq!(status, if is_admitted { 200 } else { 403 }, "{path} {}", who.email);
        }
    }
    for (path, _) in own {
        assert_eq!(other.get(path).await.status, 404, "{path}");
    }
    let form = format!("/merchant/payments/{paid}/refund");
    let fields = [("amount", "1"), ("reason", "returned"), ("nonce", "n")];
    assert_eq!(other.form(&form, &fields).await.status, 404);
    assert_eq!(cashier.form(&form, &fields).await.status, 403);
    // A cashier sees what payers paid, and nothing of what the shop has.
    let counter = cashier.get("/merchant/counter").await;
    assert!(counter.text.contains("Received ₹120.00 from asha Rao"), "{}", counter.text);
    for path in ["/merchant/counter", "/merchant/payments", &format!("/merchant/payments/{paid}")] {
        let page = cashier.get(path).await;
        assert!(page.text.contains("₹120.00"), "{path}: {}", page.text);
        for hidden in ["Available", ">Net<", "Fee", "₹117.60", "/merchant/reports", ".csv"] {
            assert!(!page.text.contains(hidden), "{path} {hidden}: {}", page.text);
        }
    }
    let none = other.get("/merchant/counter").await;
    assert!(!none.text.contains("₹120.00") && none.text.contains("No payments yet"));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_are_filtered_added_up_and_a_file_has_exactly_those_rows() {
    let scene = scene().await;
    let (owner, shop) = Clerk::with_shop(&scene, "kamala").await;
    let asha = scene.person("asha", "5000").await;
    let ravi = scene.person("ravi", "500").await;
    for number in 0..30 {
        pay(&scene, &asha, &shop, "10", &format!("A-{number}")).await;
    }
    let evil = pay(&scene, &ravi, &shop, "99.99", "=1+1").await;

    let first = owner.get("/merchant/payments").await;
    assert!(first.text.contains("₹399.99"), "the sum of all 31: {}", first.text);
    assert_eq!(first.text.matches("<td").count(), 25 * 11, "a page of them");
    let older = first.text.split("?older=").nth(1).expect("more of them");
    let older = older.split('"').next().unwrap();
    let second = owner.get(&format!("/merchant/payments?older={older}")).await;
    assert_eq!(second.text.matches("<td").count(), 6 * 11, "the rest: {}", second.text);
    assert!(second.text.contains("₹399.99"), "the sum is of all, whatever the page");

    let by_ravi = owner.get("/merchant/payments?customer=%40ravi").await;
    assert!(by_ravi.text.contains(&evil) && !by_ravi.text.contains("₹10.00"), "{}", by_ravi.text);
    let by_order = owner.get("/merchant/payments?order=A-7").await;
    assert_eq!(by_order.text.matches("<td").count(), 11, "{}", by_order.text);
    for (typed, rows) in [(evil.as_str(), 1), ("99.99", 1), ("%E2%82%B910", 25), ("11", 0)] {
        let page = owner.get(&format!("/merchant/payments?find={typed}")).await;
        assert_eq!(page.text.matches("<td").count(), rows * 11, "{typed}: {}", page.text);
    }
    let refused = owner.get("/merchant/payments?find=tea").await;
    assert!(refused.text.contains("no payment’s id and no amount"), "{}", refused.text);
    assert_eq!(owner.get("/merchant/payments.csv?find=tea").await.status, 422);
    for tab in ["All <span class=\"n\">31<", "Paid <span class=\"n\">31<"] {
        assert!(first.text.contains(tab), "{tab}: {}", first.text);
    }
    for nobody in ["customer=%40nobody9", "status=refunded", "to=2020-01-01", "store=sto_x"] {
        let page = owner.get(&format!("/merchant/payments?{nobody}")).await;
        assert_eq!(page.status, 200, "{nobody}");
        assert!(page.text.contains("Nothing matches"), "{nobody}: {}", page.text);
    }
    let wrong = owner.get("/merchant/payments?status=%3Cb%3E&from=soon").await;
    assert!(wrong.text.contains("it was left out") && !wrong.text.contains("<b>"));

    let file = owner.get("/merchant/payments.csv").await;
    assert!(file.header("content-type").starts_with("text/csv"));
    let lines = cells(&file.text);
    assert_eq!(lines.len(), 31, "{}", file.text);
    assert_eq!(lines[0][1], "'=1+1", "a spreadsheet calculates nothing");
    let sum = |column: usize| lines.iter().map(move |l| l[column].parse::<Decimal>().unwrap());
    let (gross, fee, tax, net) = (sum(6), sum(7), sum(8), sum(9));
    assert_eq!(gross.sum::<Decimal>(), "399.99".parse().unwrap());
    assert_eq!(fee.sum::<Decimal>() + tax.sum::<Decimal>() + net.sum::<Decimal>(), sum(6).sum());
    let few = cells(&owner.get("/merchant/payments.csv?order=A-7").await.text);
    assert_eq!(few.len(), 1);
    // Nobody looks above a file for what was left out of its address.
    assert_eq!(owner.get("/merchant/payments.csv?from=soon").await.status, 422);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_gives_back_once_and_what_the_shop_is_short_of_waits() {
    let scene = scene().await;
    let (mut owner, shop) = Clerk::with_shop(&scene, "kamala").await;
    let asha = scene.person("asha", "50000").await;
    let paid = pay(&scene, &asha, &shop, "20000", "BIG-1").await;
    let page = format!("/merchant/payments/{paid}");
    let form = format!("{page}/refund");
    let shown = owner.get(&page).await;
    assert!(shown.text.contains("asha Rao") && shown.text.contains("@asha"), "{}", shown.text);
    let nonce = hidden(&shown.text, "nonce");

    let once = [("amount", "300"), ("reason", "returned"), ("nonce", nonce.as_str())];
    for _ in 0..2 {
        let sent = owner.form(&form, &once).await;
        assert_eq!((sent.status.as_u16(), sent.header("location")), (303, page.as_str()));
    }
    scene.projected().await;
    let after = owner.get(&page).await;
    assert!(after.text.contains("₹19,700.00"), "what is left: {}", after.text);
    assert_eq!(after.text.matches("class=\"refund\"").count(), 1, "{}", after.text);

    let large = [("amount", "15000"), ("reason", "returned"), ("nonce", "m")];
    let asked = owner.form(&form, &large).await;
    assert_eq!(asked.status, 422);
    assert!(asked.text.contains("once more"), "{}", asked.text);
    let too_much =
        [("amount", "19700.01"), ("again", "19700.01"), ("reason", "returned"), ("nonce", "x")];
    let refused = owner.form(&form, &too_much).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("At most ₹19,700.00"), "{}", refused.text);

    // The shop has 19,600 − 300 of it: the fee is short, and nothing moves until sales cover it.
    let all = [("amount", "19700"), ("again", "19,700"), ("reason", "duplicate"), ("nonce", "y")];
    assert_eq!(owner.form(&form, &all).await.status, 303);
    scene.projected().await;
    let waits = owner.get(&page).await;
    assert!(waits.text.contains("Refund waiting: ₹400.00 short."), "{}", waits.text);
    let refund = found(waits.text.split("class=\"refund\"").nth(2).unwrap(), "rf_");
    let given_up = format!("{page}/refunds/{refund}/cancel");
    assert_eq!(owner.form(&given_up, &[("nonce", "z")]).await.status, 303);
    scene.projected().await;
    let after = owner.get(&page).await;
    assert!(after.text.contains("Refund given up") && !after.text.contains("short."));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_opens_into_payments_that_add_up_to_the_paisa() {
    let scene = scene().await;
    let (mut owner, shop) = Clerk::with_shop(&scene, "kamala").await;
    let (other, _) = Clerk::with_shop(&scene, "harish").await;
    let asha = scene.person("asha", "5000").await;
    let mut payments = Vec::new();
    for amount in ["100", "200.50", "0.01", "50"] {
        payments.push(pay(&scene, &asha, &shop, amount, "O").await);
    }
    let form = format!("/merchant/payments/{}/refund", payments[3]);
    let give = |nonce| [("amount", "20"), ("reason", "returned"), ("nonce", nonce)];
    assert_eq!(owner.form(&form, &give("before")).await.status, 303);
    scene.projected().await;
    let settled = settle(&scene, &shop, &payments).await;
    let page = owner.get(&format!("/merchant/settlements/{settled}")).await;
    assert!(page.text.contains("₹323.50"), "98 + 196.49 + 0.01 + 29: {}", page.text);
    let file = owner.get(&format!("/merchant/settlements/{settled}/payments.csv")).await;
    let sum: Decimal = cells(&file.text).iter().map(|line| worth(line)).sum();
    assert_eq!(sum, "323.50".parse().unwrap(), "{}", file.text);

    // Something goes back out of what is available; the rest of the day goes to the bank.
    assert_eq!(owner.form(&form, &give("after")).await.status, 303);
    let bank = json!({"account_number": "001234567890", "ifsc": "TEST0000001", "name": "Asha Rao"});
    let bank = made(&owner, "/v1/bank-accounts", &bank).await;
    owner.form(&format!("/merchant/banks/{bank}/check"), &[]).await;
    let form = [("amount", "200.00"), ("bank_account", bank.as_str()), ("nonce", "n1")];
    let payout = owner.form("/merchant/withdraw", &form).await.header("location").to_owned();
    assert!(payout.starts_with("/merchant/payouts/wd_"), "{payout}");
    scene.projected().await;

    the_list_of_payouts(&owner, payout.strip_prefix("/merchant/payouts/").unwrap()).await;
    let parts = owner.get(&format!("{payout}/parts")).await;
    assert_eq!(parts.status, 200, "{}", parts.text);
    assert!(parts.text.contains(&format!("/merchant/settlements/{settled}")), "{}", parts.text);
    assert!(parts.text.contains("Available after"));
    let file = owner.get(&format!("{payout}/parts.csv")).await;
    let lines = cells(&file.text);
    let kinds: Vec<&str> = lines.iter().map(|line| &*line[0]).collect();
    let expected = ["OPENING", "PAYMENT", "PAYMENT", "PAYMENT", "PAYMENT", "REFUND", "REFUND"];
    assert_eq!(kinds.iter().filter(|kind| **kind != "PAYOUT").count(), expected.len(), "{kinds:?}");
    let sum: Decimal = lines.iter().map(|line| worth(line)).sum();
    let head = scene.bahi.engine.status().borrow().head.position;
    let account = format!("merchant:{}:available:INR", shop.strip_prefix("mer_").unwrap());
    let left = scene.admin.balance(&account, head).await;
    assert_eq!(sum, left.parse().unwrap(), "{}", file.text);
    for path in [format!("{payout}/parts"), format!("{payout}/parts.csv")] {
        assert_eq!(other.get(&path).await.status, 404, "{path}");
    }

    let report = owner.get("/merchant/reports.csv?from=2026-11-01&to=2026-11-30&by=month").await;
    let lines = cells(&report.text);
    let line: Vec<&str> = lines[0].iter().map(|cell| &**cell).collect();
    assert_eq!(line[..3], ["2026-11", "4", "350.51"], "{}", report.text);
    assert_eq!(line[6..8], ["40.00", "323.50"], "{}", report.text);
    let paper = owner.get("/merchant/reports.pdf?from=2026-11-01&to=2026-11-30").await;
    assert_eq!(paper.header("content-type"), "application/pdf");
    scene.finish().await;
}

/// One payout is found by its id and its status, and a file has exactly what was asked for.
async fn the_list_of_payouts(owner: &Clerk, payout: &str) {
    let list = "/merchant/payouts";
    let all = owner.get(list).await;
    assert!(all.text.contains("All <span class=\"n\">1<"), "{}", all.text);
    let found = owner.get(&format!("{list}?find={payout}")).await;
    assert!(found.text.contains(&format!("{list}/{payout}")), "{}", found.text);
    let file = cells(&owner.get(&format!("{list}.csv?find={payout}")).await.text);
    let line: Vec<&str> = file[0].iter().map(|cell| &**cell).collect();
    assert_eq!((line[0], line[1], line[4], line[6]), ("PAYOUT", payout, "200.00", "INR"));
    assert_eq!(cells(&owner.get(&format!("{list}.csv")).await.text).len(), 1);
    for nothing in ["find=nothing", "status=returned"] {
        let page = owner.get(&format!("{list}?{nothing}")).await;
        assert!(page.text.contains("Nothing matches"), "{nothing}: {}", page.text);
        assert!(cells(&owner.get(&format!("{list}.csv?{nothing}")).await.text).is_empty());
    }
    assert_eq!(owner.get(&format!("{list}.csv?status=nope")).await.status, 422);
}

/// What its bank says of a withdrawal, as the worker hands it in: it was sent, and paid.
async fn paid_by_bank(scene: &Scene, payout: &str, utr: &str) {
    let sql = "select convert_from(payload, 'UTF8')::json from events
               where aggregate_type = 'withdrawal' and event_type = 'requested'
                 and aggregate_id = $1";
    let pool = scene.bahi.database.pool().await;
    let asked: Value = sqlx::query_scalar(sql).bind(payout).fetch_one(&pool).await.unwrap();
    let said = |field: &str| asked[field].as_str().unwrap().to_owned();
    let (withdrawal_id, fresh) = (payout.parse().unwrap(), || System.fresh());
    let currency = Currency { code: "INR".parse().unwrap(), scale: 2 };
    let begun = BeginAttempt {
        withdrawal_id,
        attempt: 1,
        reference: "BH0001".parse().unwrap(),
        bank: said("bank").parse().unwrap(),
        rail: said("rail").parse().unwrap(),
        payee_hash: Some(said("payee_hash").parse().unwrap()),
        transaction_id: TransactionId::from_uuid(fresh()),
    };
    let outcome = RecordOutcome {
        withdrawal_id,
        attempt: 1,
        outcome: AttemptOutcome::Paid {
            amount: Money::parse(&said("amount"), currency).unwrap(),
            bank_reference: utr.parse().unwrap(),
        },
        source: Source::Enquiry,
        code: None,
        transaction_id: TransactionId::from_uuid(fresh()),
    };
    for operation in
        [WithdrawalOperation::BeginAttempt(begun), WithdrawalOperation::RecordOutcome(outcome)]
    {
        submit(scene, Authority::of_withdrawals(), operation.into()).await;
    }
}

/// Withdraws an amount to a bank account of its own; returns the payout's id.
async fn withdrawn(owner: &mut Clerk, amount: &str) -> String {
    let bank = json!({"account_number": "001234567890", "ifsc": "TEST0000001", "name": "Asha Rao"});
    let bank = made(owner, "/v1/bank-accounts", &bank).await;
    owner.form(&format!("/merchant/banks/{bank}/check"), &[]).await;
    let form = [("amount", amount), ("bank_account", bank.as_str()), ("nonce", "n1")];
    let payout = owner.form("/merchant/withdraw", &form).await.header("location").to_owned();
    payout.strip_prefix("/merchant/payouts/").unwrap().to_owned()
}

/// A settlement is found by its day, its amount, whether a payout took it, and by that payout's
/// reference; the files say the reference.
#[tokio::test(flavor = "multi_thread")]
async fn settlements_and_payouts_are_looked_through_and_name_the_banks_reference() {
    let scene = scene().await;
    let (mut owner, shop) = Clerk::with_shop(&scene, "kamala").await;
    let asha = scene.person("asha", "5000").await;
    let first = pay(&scene, &asha, &shop, "100", "O-1").await;
    let form = format!("/merchant/payments/{first}/refund");
    let refund = [("amount", "20"), ("reason", "returned"), ("nonce", "n0")];
    assert_eq!(owner.form(&form, &refund).await.status, 303);
    scene.projected().await;
    let home = owner.get("/merchant").await;
    let settling = home.text.split("data-part=\"settling\"").nth(1).expect("what settles");
    let settling = settling.split("</section>").next().unwrap();
    assert!(settling.contains("Tomorrow") && settling.contains("₹78.00"), "{settling}");

    let one = settle(&scene, &shop, std::slice::from_ref(&first)).await;
    let home = owner.get("/merchant").await;
    assert!(!home.text.contains("data-part=\"settling\""), "nothing settles: {}", home.text);
    let payout = withdrawn(&mut owner, "50.00").await;
    paid_by_bank(&scene, &payout, "HDFC0000000077").await;
    let second = pay(&scene, &asha, &shop, "200", "O-2").await;
    let two = settle(&scene, &shop, std::slice::from_ref(&second)).await;

    let list = "/merchant/settlements";
    let both = [one.as_str(), two.as_str()];
    for (asked, expected) in [
        ("", &both[..]),
        ("?from=2026-11-01", &both[..]),
        ("?find=HDFC0000000077", &both[..1]),
        ("?status=paid_out", &both[..1]),
        ("?status=available", &both[1..]),
        ("?amount=196", &both[1..]),
        (&format!("?find={two}&amount=196"), &both[1..]),
        ("?status=available&find=HDFC0000000077", &[]),
        ("?find=HDFC9", &[]),
        ("?to=2020-01-01", &[]),
        ("?amount=1", &[]),
    ] {
        let page = owner.get(&format!("{list}{asked}")).await;
        let file = cells(&owner.get(&format!("{list}.csv{asked}")).await.text);
        for id in both {
            let is_in = page.text.contains(&format!("{list}/{id}"));
            assert_eq!(is_in, expected.contains(&id), "{asked} {id}: {}", page.text);
        }
        let mut listed: Vec<&str> = file.iter().map(|line| &*line[0]).collect();
        listed.reverse();
        assert_eq!(listed, expected, "{asked}");
        assert_eq!(page.text.contains("Nothing matches"), expected.is_empty(), "{asked}");
    }
    let wrong = owner.get(&format!("{list}?from=soon&amount=x&status=y")).await;
    assert_eq!(wrong.text.matches("left out").count(), 3, "{}", wrong.text);
    for wrong in ["from=soon", "amount=x", "status=y"] {
        assert_eq!(owner.get(&format!("{list}.csv?{wrong}")).await.status, 422, "{wrong}");
        assert_eq!(owner.get(&format!("/merchant/payouts.csv?{wrong}")).await.status, 422);
    }
    // Every file names the payout that took what settled.
    for (path, id) in [(format!("{list}.csv"), &one), ("/merchant/payments.csv".into(), &first)] {
        let lines = cells(&owner.get(&path).await.text);
        let of = |line: &&Vec<String>| line.contains(id);
        let utr = lines.iter().find(of).unwrap().last().unwrap();
        assert_eq!(utr, "HDFC0000000077", "{path}");
        assert_eq!(lines.iter().find(|line| !line.contains(id)).unwrap().last().unwrap(), "");
    }
    let parts = cells(&owner.get(&format!("{list}/{one}/payments.csv")).await.text);
    assert_eq!(parts[0].last().unwrap(), "HDFC0000000077");
    for (asked, is_there) in [("amount=50", true), ("amount=51", false), ("to=2020-01-01", false)] {
        let page = owner.get(&format!("/merchant/payouts?{asked}")).await;
        let file = owner.get(&format!("/merchant/payouts.csv?{asked}")).await;
        let link = format!("/merchant/payouts/{payout}");
        assert_eq!(page.text.contains(&link), is_there, "{asked}: {}", page.text);
        assert_eq!(cells(&file.text).len(), usize::from(is_there), "{asked}");
    }
    scene.finish().await;
}

async fn made(clerk: &Clerk, path: &str, body: &Value) -> String {
    let request = clerk.request(Method::POST, path).header("idempotency-key", fresh_key());
    let made = send(request.json(body)).await.made();
    made["id"].as_str().unwrap().to_owned()
}

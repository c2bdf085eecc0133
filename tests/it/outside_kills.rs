//! `kill -9` between the steps of payments from other banks' apps: after the bank's message is
//! stored, after the credit is booked and before it is paid, after the payment, after it was
//! decided that it goes back, and in the middle of the withdrawal that sends it. Each ends once:
//! with the shop, or back at the payer's bank.

use std::time::{Duration, Instant};

use ledger_api::{
    people::{NewPerson, PersonId},
    shops::{MerchantId, NewMerchant},
};
use ledger_core::clock::{Ids as _, System};
use rust_decimal::Decimal;
use sandbox_bank::{BankCode, faults::Mode};
use serde_json::{Value, json};

use crate::{
    audit_engine::verified,
    support::{fleet::Fleet, service_process::ServiceProcess},
};

/// How long all of it may take.
const BOUND: Duration = Duration::from_secs(240);

/// Where somebody is killed, as what is in the database of the payment of a request by then.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Stored,
    Told,
    Booked,
    Paid,
    Decided,
    Asked,
    Sent,
}

impl Moment {
    const fn sql(self) -> &'static str {
        match self {
            // Whatever the bank has told since: one more message than there was.
            Self::Stored => "select count(*) from inbox_deliveries where $1::uuid is not null",
            Self::Told => "select count(*) from outside_credits where request_id = $1",
            Self::Booked => {
                "select count(*) from outside_credits c join events e
                     on e.aggregate_id = 'dep_' || replace(c.deposit_id::text, '-', '')
                 where c.request_id = $1 and e.aggregate_type = 'deposit'
                   and e.event_type = 'credited'"
            }
            Self::Paid => {
                "select count(*) from outside_credits c join events e
                     on e.aggregate_id = 'pay_' || replace(c.payment_id::text, '-', '')
                 where c.request_id = $1 and e.aggregate_type = 'payment'
                   and e.event_type = 'completed'"
            }
            Self::Decided => {
                "select count(*) from outside_credits c join outside_returns r using (account_id)
                 where c.request_id = $1"
            }
            Self::Asked => {
                "select count(*) from outside_credits c join events e
                     on e.aggregate_type = 'withdrawal' and e.event_type = 'requested'
                     and convert_from(e.payload, 'UTF8')::json ->> 'account' = c.account_id
                 where c.request_id = $1"
            }
            Self::Sent => {
                "select count(*) from outside_credits c
                 join events asked on asked.aggregate_type = 'withdrawal'
                     and asked.event_type = 'requested'
                     and convert_from(asked.payload, 'UTF8')::json ->> 'account' = c.account_id
                 join events e on e.aggregate_type = 'withdrawal'
                     and e.aggregate_id = asked.aggregate_id and e.event_type = 'attempt_begun'
                 where c.request_id = $1"
            }
        }
    }

    async fn count(self, fleet: &Fleet, request: &str) -> i64 {
        let id = request.strip_prefix("pr_").unwrap().parse::<sqlx::types::Uuid>().unwrap();
        sqlx::query_scalar(self.sql()).bind(id).fetch_one(&fleet.pool).await.unwrap()
    }

    async fn came(self, fleet: &Fleet, request: &str, before: i64) {
        let began = Instant::now();
        while self.count(fleet, request).await <= before {
            assert!(began.elapsed() < Duration::from_secs(60), "{self:?} does not come");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn open_shop(fleet: &Fleet) -> MerchantId {
    let state = fleet.state();
    let owner = PersonId::from_uuid(System.fresh());
    let person = NewPerson {
        id: owner,
        handle: "kamala".parse().unwrap(),
        name: "Kamala Rao".parse().unwrap(),
        email: "kamala@example.com".parse().unwrap(),
        phone: None,
        password: None,
        email_is_proved: true,
        at: state.clock.now(),
    };
    state.people.create(&person).await.unwrap();
    let id = MerchantId::from_uuid(System.fresh());
    let new = NewMerchant {
        id,
        handle: "chai".parse().unwrap(),
        legal_name: "Kamala Foods LLP".parse().unwrap(),
        display_name: "Chai & Co".parse().unwrap(),
        category: "5814".parse().unwrap(),
        owner,
        terms_version: state.ledger.status().borrow().book.terms_now().version,
        at: state.clock.now(),
    };
    state.shops.create(&new).await.unwrap();
    let shop = state.shops.by_id(id).await.unwrap().unwrap();
    state.shop_accounts.settle(&shop).await.unwrap();
    id
}

/// A request of 100 rupees, which can be paid or was closed.
async fn ask(fleet: &Fleet, shop: MerchantId, is_closed: bool) -> String {
    let body = json!({"merchant": shop.to_string(),
        "amount": {"value": "100.00", "currency": "INR"}});
    let made = fleet.admin.post("/v1/payment-requests", &body).await.made();
    let id = made["id"].as_str().unwrap().to_owned();
    if is_closed {
        let path = format!("/v1/payment-requests/{id}/close");
        fleet.admin.post(&path, &json!({})).await.made();
    }
    id
}

/// Somebody pays it by another bank's app.
async fn pay(fleet: &Fleet, request: &str) {
    let credit = json!({"amount": {"value": "100.00", "currency": "INR"}, "token": request,
        "payer": {"account_number": "112233445566", "ifsc": "TEST0000002",
                  "name": "RAVI KUMAR"}});
    let credit = serde_json::from_value(credit).unwrap();
    fleet.control.credit(BankCode::Hdfc, &credit).await.unwrap();
    fleet.control.advance(Duration::from_secs(5)).await.unwrap();
}

/// Kills all workers and intakes, the bank too where it is at work, and starts them again.
async fn kill_all(fleet: &mut Fleet, with_bank: bool) {
    let mut victims: Vec<&mut ServiceProcess> = fleet.workers.iter_mut().collect();
    victims.extend(&mut fleet.intakes);
    victims.extend(with_bank.then_some(&mut fleet.bank));
    for victim in &mut victims {
        victim.kill();
    }
    futures::future::join_all(victims.into_iter().map(ServiceProcess::restart)).await;
    fleet.intakes_are_told();
    // The time passes for which the dead keep others from their work.
    let sql = "update worker_lanes set expires_at = now() - interval '1 second'";
    let mut superuser = fleet.database.superuser().await;
    sqlx::query(sql).execute(&mut superuser).await.unwrap();
}

async fn escrow(fleet: &Fleet) -> Decimal {
    let books = fleet.control.books(BankCode::Hdfc).await.unwrap();
    assert_eq!(books["balanced"], true);
    books["balances"]["escrow"]["value"].as_str().unwrap().parse().unwrap()
}

/// Lets time pass until nothing of it is under way.
async fn until_all_ended(fleet: &Fleet, began: Instant) {
    let sql = "select (select count(*) from outside_credits where state not in ('paid', 'back'))
                    + (select count(*) from outside_returns where state = 'open')
                    + (select count(*) from read.withdrawals where status <> 'completed')";
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(&fleet.pool).await.unwrap() > 0 {
        assert!(began.elapsed() < BOUND, "something is open still");
        fleet.control.advance(Duration::from_secs(60)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_from_outside_ends_once_wherever_its_workers_are_killed() {
    use Moment::{Asked, Booked, Decided, Paid, Sent, Stored, Told};
    let began = Instant::now();
    let mut fleet = Fleet::start(2).await;
    // The bank tells of everything twice now and then.
    let twice = Mode { webhook_duplicate_percent: 50, ..Mode::default() };
    fleet.control.mode(BankCode::Hdfc, &twice).await.unwrap();
    let shop = open_shop(&fleet).await;
    let before = escrow(&fleet).await;
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (moment, is_closed) in [
        (Stored, false),
        (Told, false),
        (Booked, false),
        (Paid, false),
        (Booked, true),
        (Decided, true),
        (Asked, true),
        (Sent, true),
    ] {
        let request = ask(&fleet, shop, is_closed).await;
        let known = moment.count(&fleet, &request).await;
        pay(&fleet, &request).await;
        moment.came(&fleet, &request, known).await;
        kill_all(&mut fleet, matches!(moment, Sent)).await;
        println!("killed at {moment:?} after {:?}", began.elapsed());
        if is_closed { &mut bad } else { &mut good }.push(request);
    }
    until_all_ended(&fleet, began).await;
    // And in the middle of a refund's way to the payer's bank.
    let listed = fleet.admin.get(&format!("/v1/payments?merchant={shop}")).await.made();
    let paid: Vec<&Value> = listed["data"].as_array().unwrap().iter().collect();
    assert_eq!(paid.len(), good.len(), "{listed:#}");
    let (path, of) = (paid[0]["id"].as_str().unwrap(), paid[0]["request"].as_str().unwrap());
    let back = json!({"amount": {"value": "40.00", "currency": "INR"}});
    fleet.admin.post(&format!("/v1/payments/{path}/refunds"), &back).await.made();
    Asked.came(&fleet, of, 0).await;
    kill_all(&mut fleet, false).await;
    Sent.came(&fleet, of, 0).await;
    kill_all(&mut fleet, true).await;
    until_all_ended(&fleet, began).await;

    for request in &good {
        let sent = i64::from(request == of);
        let found = [Paid.count(&fleet, request).await, Asked.count(&fleet, request).await];
        assert_eq!(found, [1, sent], "{request}: with the shop, once");
    }
    for request in &bad {
        let found = [Paid.count(&fleet, request).await, Asked.count(&fleet, request).await];
        assert_eq!(found, [0, 1], "{request}: back, once");
    }
    // What the bank has of it is what came, less what went back; and nothing is left in between.
    let left = Decimal::from(100 * good.len() - 40);
    assert_eq!(escrow(&fleet).await - before, left);
    let lies = "select count(*) from read.accounts where id like 'wallet:upi-%' and balance <> 0";
    assert_eq!(sqlx::query_scalar::<_, i64>(lies).fetch_one(&fleet.pool).await.unwrap(), 0);
    let unsettled = format!("merchant:{}:unsettled:INR", shop.segment());
    let sql = "select balance from read.accounts where id = $1";
    let has: Decimal =
        sqlx::query_scalar(sql).bind(&unsettled).fetch_one(&fleet.pool).await.unwrap();
    // 2 % of each are ours, tax included.
    assert_eq!(has, Decimal::from(98 * good.len() - 40));
    println!("checked in {:?}", began.elapsed());
    verified(&fleet.stop().await).await;
}

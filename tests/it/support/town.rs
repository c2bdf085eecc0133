//! A whole town: the service in all its roles, over HTTP, and the sandbox banks that it calls and
//! that tell it.

use std::{collections::BTreeMap, time::Duration};

use ledger_api::{
    banks::BankRegistry,
    identity::Scope,
    service::{Role, Roles, SandboxClock, Service, ServiceConfig},
    webhooks::Banks,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::watch};

use super::{
    bahi::{Actor, PATIENCE},
    database::{APP, Database},
    intake::settings,
    ledger::{Ledger, accepted},
    sandbox::{Sandbox, TOKEN},
};

/// What the sandbox banks sign with.
pub(crate) const SECRETS: [(&str, &str); 2] = [
    ("BAHI_BANK_HDFC_WEBHOOK_SECRETS", "whsec_ZGV2LXNlY3JldC1kZXYtc2VjcmV0LWRldi0x"),
    ("BAHI_BANK_AXIS_WEBHOOK_SECRETS", "whsec_ZGV2LXNlY3JldC1heGlzLXNlY3JldC1kZXYtMQ=="),
];

/// After how many seconds without any change work that is open counts as stuck. A slow machine is
/// no failure.
const STILL_MAX: u32 = 120;

/// It all.
pub(crate) struct Town {
    pub(crate) database: Database,
    pub(crate) sandbox: Sandbox,
    pub(crate) admin: Actor,
    pub(crate) address: String,
    service: Service,
    _told: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

impl Town {
    /// With a wallet of a million rupees, and banks whose escrow covers it.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let sandbox = Sandbox::telling(&address).await;
        let database = Database::create().await;
        let folder = tempfile::tempdir().unwrap();
        let (tell, told) = watch::channel(false);
        let registry = sandbox.registry_within(Duration::from_millis(700));
        let config = config(&folder, &database, &[Role::All], registry, &sandbox, Some(listener));
        let service = Service::start(config, told).await.unwrap().unwrap();
        let pool = database.pool().await;
        let admin = Actor::new(&pool, &address, "admin", &Scope::ALL).await;
        let town =
            Self { database, sandbox, admin, address, service, _told: tell, _folder: folder };
        town.fund().await;
        town
    }

    /// Somebody with a key of these scopes.
    pub(crate) async fn actor(&self, principal: &str, scopes: &[Scope]) -> Actor {
        Actor::new(&self.database.pool().await, &self.address, principal, scopes).await
    }

    async fn fund(&self) {
        let admin = &self.admin;
        admin.wallet("wallet:a:INR", "1000000.00").await;
        // What statements will do: escrow is moved by no request.
        let engine = self.service.engine().unwrap().clone();
        let ledger = Ledger { database: self.database.clone(), engine };
        for bank in ["hdfc", "axis"] {
            let escrow = format!("bank:{bank}:escrow:INR");
            admin.open(&escrow).await;
            accepted(ledger.transfer(&escrow, "till:main:INR", "5000000.00").await);
        }
    }

    /// What the handlers share.
    pub(crate) fn state(&self) -> &ledger_api::http::ApiState {
        self.service.state().unwrap()
    }

    /// A bank account of the wallet's owner, checked by its bank.
    pub(crate) async fn bank_account(&self, owner: &str) -> String {
        let body = json!({"owner": owner, "account_number": "001234567890",
                          "ifsc": "TEST0000001", "name": "ASHA RAO"});
        let made = self.admin.post("/v1/bank-accounts", &body).await.made();
        let id = made["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/bank-accounts/{id}/verify");
        let checked = self.admin.post(&path, &json!({"bank": "hdfc"})).await.made();
        assert_eq!(checked["status"], "verified", "{checked}");
        id
    }

    /// Asks for a withdrawal; its id.
    pub(crate) async fn withdraw(&self, bank: &str, to: &str, amount: &str) -> String {
        let body = json!({"account": "wallet:a:INR", "bank_account": to, "bank": bank,
                          "rail": "imps", "amount": {"value": amount, "currency": "INR"}});
        let made = self.admin.post("/v1/withdrawals", &body).await.made();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Begins a deposit at hdfc, to be paid by somebody if one is given; as it was answered.
    pub(crate) async fn deposit(&self, amount: &str, payer: Option<&str>) -> Value {
        let body = json!({"account": "wallet:a:INR", "bank": "hdfc", "payer": payer,
                          "amount": {"value": amount, "currency": "INR"}});
        self.admin.post("/v1/deposits", &body).await.made()
    }

    /// Waits until a withdrawal is in a state.
    pub(crate) async fn wait_for(&self, id: &str, status: &str) -> Value {
        self.wait_at(&format!("/v1/withdrawals/{id}"), status).await
    }

    /// Waits until a deposit is in a state; the statement may have settled what is completed.
    pub(crate) async fn wait_for_deposit(&self, id: &str, status: &str) -> Value {
        self.wait_at(&format!("/v1/deposits/{id}"), status).await
    }

    /// Waits until a deposit that nobody asked for is in a state.
    pub(crate) async fn wait_for_unsolicited(&self, status: &str) -> Value {
        let path = format!("/v1/deposits?status={status}");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let seen = self.admin.get(&path).await.json();
            let mut listed = seen["data"].as_array().unwrap().iter();
            if let Some(found) = listed.find(|deposit| deposit["amount"].is_null()) {
                let id = found["id"].as_str().unwrap();
                return self.admin.get(&format!("/v1/deposits/{id}")).await.made();
            }
            assert!(tokio::time::Instant::now() < deadline, "none is {status}: {seen:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn wait_at(&self, path: &str, status: &str) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let seen = self.admin.get(path).await.json();
            let settled = status == "completed" && seen["status"] == "settled";
            if seen["status"] == status || settled {
                return seen;
            }
            assert!(tokio::time::Instant::now() < deadline, "not {status}: {seen:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Lets days pass until no withdrawal is without an end and every line is booked; what is
    /// open when nothing of it changes any more, by state.
    pub(crate) async fn until_nothing_is_open(&self) -> BTreeMap<String, i64> {
        let pool = self.database.pool().await;
        let mut open = BTreeMap::new();
        let (mut leapt, mut round, mut still) = (false, 0, 0);
        while still < STILL_MAX {
            // First hours, until all is sent and what can be asked was asked; then the days that
            // only statements know.
            let sent = !["queued", "processing"].iter().any(|s| open.contains_key(*s));
            let passes = match (leapt, round) {
                (true, _) => 1,
                (false, 20..) if sent || still >= STILL_MAX / 2 => 2 * 86_400,
                (false, _) => 400,
            };
            leapt |= passes > 400;
            self.sandbox.advance(passes).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let before = std::mem::replace(&mut open, open_work(&pool).await);
            if open.is_empty() {
                return open;
            }
            still = if open == before { still + 1 } else { 0 };
            round += 1;
        }
        open.extend(why_open(&pool).await);
        open
    }

    /// An account's balance, as the read models have it.
    pub(crate) async fn balance(&self, account: &str) -> Decimal {
        let pool = self.database.pool().await;
        let found = sqlx::query_scalar("select balance from read.accounts where id = $1");
        found.bind(account).fetch_optional(&pool).await.unwrap().unwrap_or_default()
    }

    /// Stops it all.
    pub(crate) async fn stop(self) -> Database {
        self.service.stop().await.unwrap();
        self.sandbox.stop().await;
        self.database
    }
}

/// What has no end yet, by state: withdrawals, and money that no statement has shown.
pub(crate) async fn open_work(pool: &PgPool) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select status, count(*) from read.withdrawals
         where status in ('queued', 'processing', 'outcome_unknown', 'needs_attention')
         group by status
         union all
         select 'clearing ' || account_id, count(*) from read.open_items
         where account_id like 'bank:%:clearing_%' group by account_id",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    rows.into_iter().collect()
}

/// What stands in the way of an end, for when a test fails.
pub(crate) async fn why_open(pool: &PgPool) -> Vec<(String, i64)> {
    sqlx::query_as(
        "select 'for people: ' || convert_from(payload, 'UTF8'), count(*) from events
         where aggregate_type = 'withdrawal' and event_type = 'attention_needed' group by 1
         union all
         select 'statement ' || bank || ' ' || day || ' closed ' || closed, count(*)
         from statement_files where account = 'escrow' group by 1
         union all
         select 'line of ' || l.bank || ' ' || l.day || ' ' || l.direction || ': '
                || coalesce(b.purpose, 'not booked'), count(*)
         from statement_lines l left join statement_bookings b using (line_id)
         where coalesce(b.purpose, 'unknown') = 'unknown' group by 1
         union all
         select lane || ' waits: ' || note, 1 from worker_lanes where note is not null
         union all
         select 'unknown at ' || bank || ' since ' || begun_at::date, count(*)
         from read.withdrawals where status = 'outcome_unknown' group by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// What a service of a town is started with.
pub(crate) fn config(
    folder: &tempfile::TempDir,
    database: &Database,
    roles: &[Role],
    bank_registry: BankRegistry,
    sandbox: &Sandbox,
    listener: Option<TcpListener>,
) -> ServiceConfig {
    let secrets = SECRETS.map(|(name, value)| (name.into(), value.into()));
    ServiceConfig {
        settings: settings(folder, &database.url(APP), ""),
        roles: Roles::of(roles),
        cache_accounts: None,
        banks: Banks::from_variables(secrets).unwrap(),
        bank_registry,
        sandbox_clock: Some(SandboxClock::at(&sandbox.address, Some(TOKEN.to_owned())).unwrap()),
        logins: ledger_api::logins::LoginSettings::default(),
        listener,
        metrics: None,
    }
}

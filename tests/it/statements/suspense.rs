//! What lies in suspense, over HTTP: whose it may be, and people's word on whose it is.

use chrono::{TimeDelta, Utc};
use ledger_api::{
    banks::BankRegistry,
    deposits::{CreditDesk, VirtualAccounts},
    identity::Scope,
    statements::DeskCredits,
};
use ledger_core::{
    deposit::{BeginDeposit, DepositOperation, credit::token_of},
    ids::{DepositId, VirtualAccountId},
};
use reqwest::{Method, StatusCode};

use super::*;
use crate::support::{
    bahi::{Actor, Reply, TestBahi, fresh_key, send},
    ledger::{accepted, command},
};

const ASHA: &str = "wallet:asha:INR";

/// A service, a wallet of a person with a name, and what books statements.
pub(super) struct Office {
    pub(super) bahi: TestBahi,
    pub(super) booker: Booker,
    pub(super) admin: Actor,
    pub(super) second: Actor,
}

impl Office {
    pub(super) async fn open() -> Self {
        let bahi = TestBahi::spawn().await;
        let admin = bahi.admin().await;
        let second = bahi.actor("second", &[Scope::OpsApprove]).await;
        admin.open(ASHA).await.made();
        let body = json!({"owner": "test", "account_number": "001234567890",
            "ifsc": "TEST0000001", "name": "Asha Rao"});
        admin.post("/v1/bank-accounts", &body).await.made();
        let pool = bahi.database.pool().await;
        let booker = Booker {
            pool: pool.clone(),
            read_models: ReadModels::new(pool.clone()),
            ledger: Arc::new(bahi.engine.clone()),
            ids: Arc::new(System),
            principal: word("ledger:statements"),
            credits: None,
            rules: BTreeMap::new(),
            again_after: Arc::default(),
        };
        Self { bahi, booker, admin, second }
    }

    /// Books the lines of a day, with deposits in sight or without.
    pub(super) async fn state(&mut self, date: u32, opening: &str, closing: &str, lines: &[Value]) {
        self.import(&statement(date, opening, closing, lines)).await;
        while self.booker.book().await.unwrap() > 0 {}
    }

    /// Takes a statement in.
    pub(super) async fn import(&self, statement: &Value) {
        let bytes = serde_json::to_vec(statement).unwrap();
        let of = |code: ledger_core::money::CurrencyCode| Some(currency(code.as_str()));
        let accounts = OurNumbers::default();
        let reading = Reading { currency: &of, accounts: &accounts, csv: None };
        let parsed = parse(Format::Json, &bytes, &reading).unwrap();
        let pool = &self.booker.pool;
        import(pool, &word("hdfc"), Format::Json, &parsed[0], &word("asha")).await.unwrap();
    }

    pub(super) fn with_deposits(&mut self) {
        let (ledger, pool) = (Arc::new(self.bahi.engine.clone()), self.booker.pool.clone());
        let banks = Arc::new(BankRegistry::default());
        let desk = CreditDesk::new(ledger, banks, Arc::new(System), pool.clone(), &[42; 32]);
        self.booker.credits = Some(Arc::new(DeskCredits { pool, desk }));
    }

    /// Somebody wants to pay in at a bank; the token.
    async fn begun(&self, bank: &str, amount: &str) -> String {
        let deposit_id = DepositId::from_uuid(System.fresh());
        let begin = DepositOperation::Begin(BeginDeposit {
            deposit_id,
            account: word(ASHA),
            amount: money(ASHA, amount),
            bank: word(bank),
            expires_at: Utc::now() + TimeDelta::hours(1),
            payer_hash: None,
        });
        accepted(self.bahi.engine.submit(command(begin.into())).await);
        token_of(deposit_id).unwrap().to_string()
    }

    /// The credits in suspense, by the bank's number.
    pub(super) async fn listed(&self) -> BTreeMap<String, Value> {
        let head = self.bahi.engine.status().borrow().head.position;
        assert!(
            self.booker.read_models.wait_for(head, crate::support::bahi::PATIENCE).await.is_ok()
        );
        let seen = self.admin.get("/v1/ops/suspense").await.made();
        let credits = seen["credits"].as_array().unwrap().clone();
        let number = |one: &Value| one["bank_transaction_id"].as_str().unwrap().to_owned();
        credits.into_iter().map(|one| (number(&one), one)).collect()
    }

    async fn assign(&self, credit: &Value, key: &str, body: &Value, with: Option<&Actor>) -> Reply {
        let path = format!("/v1/ops/suspense/{}/assign", credit["id"].as_str().unwrap());
        let mut request = self.admin.request(Method::POST, &path).header("idempotency-key", key);
        if let Some(second) = with {
            request = request.header("approver-authorization", format!("Bearer {}", second.key));
        }
        send(request.json(body)).await
    }

    async fn balance(&self) -> String {
        let head = self.bahi.engine.status().borrow().head.position;
        self.admin.balance(ASHA, head).await
    }
}

fn to_asha() -> Value {
    json!({"account": ASHA, "reason": "case-7"})
}

#[tokio::test(flavor = "multi_thread")]
async fn each_credit_is_listed_with_whose_it_may_be_the_surest_first() {
    let mut office = Office::open().await;
    office.with_deposits();
    let elsewhere = office.begun("axis", "7.00").await;
    office.begun("hdfc", "40.00").await;
    let id = VirtualAccountId::from_uuid(System.fresh());
    let (wallet, bank, by) = (word(ASHA), word("hdfc"), word("admin"));
    let numbers = VirtualAccounts::new(office.booker.pool.clone());
    let made = numbers.make(id, (&wallet, &bank), &by, Utc::now()).await.unwrap().unwrap();
    let words = format!("NEFT/{}/RENT", made.0.number);
    let lines = [
        line("S1", "+500.00", None, &words),
        line("S2", "+40.00", None, "UPI FROM ASHA RAO"),
        line("S3", "+40.00", None, "UPI FROM RAVI"),
        line("S4", "+7.00", Some(&elsewhere), "IN"),
        line("S5", "+8.00", None, "IN"),
    ];
    office.state(22, "0.00", "595.00", &lines).await;
    let listed = office.listed().await;
    let guesses = |number: &str| -> Vec<(String, u64)> {
        let all = listed[number]["suggestions"].as_array().unwrap();
        let one = |s: &Value| (s["why"].as_str().unwrap().to_owned(), s["score"].as_u64().unwrap());
        assert!(all.iter().all(|s| s["account"] == ASHA), "{all:?}");
        all.iter().map(one).collect()
    };
    let guess = |why: &str, score| vec![(why.to_owned(), score)];
    assert_eq!(guesses("S1"), guess("virtual_account", 90));
    assert_eq!(guesses("S2"), guess("amount_and_name", 75));
    assert_eq!(guesses("S3"), guess("amount", 40));
    assert_eq!(guesses("S4"), guess("token", 95));
    assert_eq!(guesses("S5"), []);
    assert_eq!(listed["S4"]["reason"], "bank_differs");
    assert_eq!(listed["S5"]["reason"], "wallet_unknown");
    assert_eq!(listed["S2"]["narration"], "UPI FROM ASHA RAO");
    assert!(listed["S5"]["age_seconds"].as_i64().is_some_and(|age| age >= 0));
    assert_eq!(office.balance().await, "0.00", "a guess moves nothing");
    let nobody = office.bahi.actor("nobody", &[Scope::LedgerRead]).await;
    assert_eq!(nobody.get("/v1/ops/suspense").await.status, StatusCode::FORBIDDEN);
    office.bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_is_assigned_once_and_a_large_one_by_two_people() {
    let mut office = Office::open().await;
    // A line that names nothing is not looked at again.
    let mut mute = line("S1", "+9.00", None, "IN");
    mute["utr"] = Value::Null;
    office.state(22, "0.00", "9.00", &[mute]).await;
    office.with_deposits();
    let mut lines = [
        line("S2", "+10000.00", None, "IN"),
        line("S3", "+10000.01", None, "IN"),
        line("S4", "+10000.01", None, "IN"),
    ];
    for line in &mut lines {
        line["booking_date"] = json!(day(23));
    }
    office.state(23, "9.00", "30009.02", &lines).await;
    let listed = office.listed().await;
    assert_eq!(listed["S1"]["reason"], "unexplained");

    let key = fresh_key();
    let first = office.assign(&listed["S1"], &key, &to_asha(), None).await;
    assert_eq!(first.made()["account"], ASHA);
    let again = office.assign(&listed["S1"], &key, &to_asha(), None).await;
    assert!(again.is_replay(), "{}", again.text);
    let another = office.assign(&listed["S1"], &fresh_key(), &to_asha(), None).await;
    assert_eq!(another.refused(), "nothing_unexplained");
    office.assign(&listed["S2"], &fresh_key(), &to_asha(), None).await.made();
    assert_eq!(office.balance().await, "10009.00");

    let alone = office.assign(&listed["S3"], &fresh_key(), &to_asha(), None).await;
    assert_eq!(alone.code(), "second_person_needed");
    let blind = office.assign(&listed["S3"], &fresh_key(), &to_asha(), Some(&office.second)).await;
    assert_eq!(blind.refused(), "invalid");
    let mut seen = to_asha();
    seen["evidence_sha256"] = json!("ab".repeat(32));
    let both = office.assign(&listed["S3"], &fresh_key(), &seen, Some(&office.second)).await;
    both.made();
    assert_eq!(office.balance().await, "20009.01");
    // Nor by the other address alone.
    let id = listed["S4"]["id"].as_str().unwrap();
    let (deposit, number) = id.split_once('.').unwrap();
    let path = format!("/v1/ops/deposits/{deposit}/credits/{number}/assign");
    assert_eq!(office.admin.post(&path, &to_asha()).await.code(), "second_person_needed");
    assert_eq!(office.listed().await.len(), 1);
    office.bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_suspense_becomes_income_by_being_assigned() {
    let mut office = Office::open().await;
    office.state(22, "0.00", "9.00", &[line("S1", "+9.00", None, "IN")]).await;
    let listed = office.listed().await;
    for (account, code) in
        [("income:interest:INR", "not_depositable"), ("wallet:nobody:INR", "account_not_found")]
    {
        let body = json!({"account": account, "reason": "case-7"});
        let refused = office.assign(&listed["S1"], &fresh_key(), &body, None).await;
        assert_eq!(refused.code(), code, "{}", refused.text);
    }
    let unknown = json!({"id": "bl_00000000000080008000000000000001"});
    let refused = office.assign(&unknown, &fresh_key(), &to_asha(), None).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    office.bahi.finish().await;
}

/// What the worker warns of is on the page as well: money that is not there, and what only one side
/// has.
#[tokio::test(flavor = "multi_thread")]
async fn the_reconciliation_says_what_is_short_and_what_only_one_side_has() {
    let mut office = Office::open().await;
    office.admin.wallet("wallet:ravi:INR", "100.00").await;
    let lines = [line("S1", "+60.00", None, "IN"), line("S2", "-10.00", None, "CASH")];
    office.state(22, "0.00", "50.00", &lines).await;
    let head = office.bahi.engine.status().borrow().head.position;
    office.admin.balance(ASHA, head).await;
    let seen = office.admin.get("/v1/ops/reconciliation").await.made();
    let backing = &seen["backing"][0];
    assert_eq!(backing["short"], json!(true), "{seen}");
    // 50.00 at the bank; 100.00 on wallets, and 60.00 in suspense is somebody's too.
    assert_eq!(backing["headroom"], inr("-110.00"), "{seen}");
    let breaks = seen["breaks"].as_array().unwrap();
    let mut kinds: Vec<_> = breaks.iter().map(|b| (&b["kind"], &b["amount"])).collect();
    kinds.sort_by_key(|(_, amount)| amount.to_string());
    let theirs = json!("only_theirs");
    assert_eq!(kinds, [(&theirs, &inr("10.00")), (&theirs, &inr("60.00"))]);
    assert_eq!(seen["accounts"][0]["stated"], seen["accounts"][0]["booked"]);
    office.bahi.finish().await;
}

/// Money between our own accounts: two persons name each end, and what is on its way is open.
#[tokio::test(flavor = "multi_thread")]
async fn both_ends_of_a_move_of_our_own_are_named_by_two_and_close_it() {
    let mut office = Office::open().await;
    let lines = [line("S1", "+60.00", None, "TRF"), line("S2", "-60.00", None, "TRF")];
    office.state(22, "0.00", "0.00", &lines).await;
    let pool = office.booker.pool.clone();
    let lines: Vec<(String,)> = sqlx::query_as("select line_id from statement_lines order by id")
        .fetch_all(&pool)
        .await
        .unwrap();
    let body = json!({"item": "topup-1", "reason": "backing_short",
                      "evidence_sha256": "ab".repeat(32)});
    let name = async |id: &str, second: Option<&Actor>| {
        let path = format!("/v1/ops/bank-lines/{id}/treasury");
        let mut request =
            office.admin.request(Method::POST, &path).header("idempotency-key", fresh_key());
        if let Some(second) = second {
            request = request.header("approver-authorization", format!("Bearer {}", second.key));
        }
        send(request.json(&body)).await
    };
    let in_transit = async || {
        let head = office.bahi.engine.status().borrow().head.position;
        office.admin.balance("treasury:in_transit:INR", head).await
    };
    let (came, went) = (&lines[0].0, &lines[1].0);
    assert_eq!(name(came, None).await.code(), "second_person_needed");
    let named = name(came, Some(&office.second)).await.made();
    assert_eq!((&named["item"], &named["amount"]["value"]), (&json!("topup-1"), &json!("60.00")));
    assert_eq!(in_transit().await, "-60.00", "the other end is not there");
    let again = name(came, Some(&office.second)).await;
    assert_eq!(again.refused(), "nothing_unexplained");
    name(went, Some(&office.second)).await.made();
    assert_eq!(in_transit().await, "0.00");
    let none = name("bl_00000000000080008000000000000001", Some(&office.second)).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    office.bahi.finish().await;
}

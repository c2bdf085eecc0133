//! The OpenAPI document's examples, executed: every operation is asked with the example of its
//! request, and must answer with the example of its answer.
//!
//! With `BAHI_UPDATE_SNAPSHOTS` set, the answers are written down as the examples instead.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use ledger_api::identity::Scope;
use ledger_core::{
    clock::{Ids as _, ManualClock, System},
    deposit::{ConfirmCredit, CreditClaim, DepositOperation, RequestRecall, credit::id_of},
    ids::{HoldId, TransactionId},
    withdrawal::Source,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    bahi::{Actor, PATIENCE, Set, TestBahi, amount, fresh_key, send},
    database::Database,
    ledger::{accepted, command, money, parse},
    sandbox::Sandbox,
};

const ASHA: &str = "wallet:asha:INR";
const RAVI: &str = "wallet:ravi:INR";

/// What is executed: the operations with the addresses they are asked at, in this order. `{…}`
/// stands for an id that an operation before has answered.
const PLAN: &[(&str, &str, u16)] = &[
    ("post_v1_accounts", "/v1/accounts", 201),
    ("get_v1_accounts", "/v1/accounts?owner=asha", 200),
    ("get_v1_accounts_id", "/v1/accounts/wallet:asha:INR", 200),
    ("post_v1_transactions", "/v1/transactions?dry_run=true", 200),
    ("post_v1_transactions", "/v1/transactions", 201),
    ("get_v1_transactions_id", "/v1/transactions/{transaction}", 200),
    ("post_v1_transactions_id_reverse", "/v1/transactions/{transaction}/reverse", 201),
    ("post_v1_transactions_batch", "/v1/transactions/batch", 201),
    ("post_v1_transactions_bulk", "/v1/transactions/bulk", 200),
    ("get_v1_transactions", "/v1/transactions?limit=2", 200),
    ("post_v1_holds", "/v1/holds", 201),
    ("post_v1_holds_id_increase", "/v1/holds/{hold}/increase", 200),
    ("get_v1_holds_id", "/v1/holds/{hold}", 200),
    ("post_v1_holds_id_capture", "/v1/holds/{hold}/capture", 201),
    ("post_v1_holds", "/v1/holds", 201),
    ("post_v1_holds_id_release", "/v1/holds/{hold}/release", 200),
    ("get_v1_holds", "/v1/holds?account=wallet:asha:INR", 200),
    ("post_v1_transfers", "/v1/transfers", 201),
    ("get_v1_transfers_id", "/v1/transfers/{transfer}", 200),
    ("get_v1_transfers", "/v1/transfers?account=wallet:asha:INR&limit=1", 200),
    ("post_v1_transfers_id_cancel", "/v1/transfers/{transfer}/cancel", 200),
    ("post_v1_transfers", "/v1/transfers", 201),
    ("post_v1_transfers_id_claim", "/v1/transfers/{transfer}/claim", 200),
    ("post_v1_deposits", "/v1/deposits", 201),
    ("get_v1_deposits_id", "/v1/deposits/{deposit}", 200),
    ("post_v1_deposits_id_cancel", "/v1/deposits/{deposit}/cancel", 200),
    ("get_v1_deposits", "/v1/deposits?account=wallet:asha:INR&limit=1", 200),
    (
        "post_v1_ops_deposits_id_credits_number_assign",
        "/v1/ops/deposits/{aside1}/credits/1/assign",
        200,
    ),
    (
        "post_v1_ops_deposits_id_credits_number_leave",
        "/v1/ops/deposits/{aside2}/credits/1/leave",
        200,
    ),
    ("post_v1_ops_suspense_id_assign", "/v1/ops/suspense/{aside3}.1/assign", 200),
    ("get_v1_ops_suspense", "/v1/ops/suspense", 200),
    (
        "post_v1_ops_deposits_id_credits_number_recall_grant",
        "/v1/ops/deposits/{recall1}/credits/1/recall/grant",
        200,
    ),
    (
        "post_v1_ops_deposits_id_credits_number_recall_refuse",
        "/v1/ops/deposits/{recall2}/credits/1/recall/refuse",
        200,
    ),
    ("post_v1_virtual_accounts", "/v1/virtual-accounts", 201),
    ("post_v1_virtual_accounts", "/v1/virtual-accounts", 200),
    ("get_v1_virtual_accounts", "/v1/virtual-accounts?account=wallet:asha:INR", 200),
    ("get_v1_virtual_accounts_id", "/v1/virtual-accounts/{virtual_account}", 200),
    ("get_v1_banks", "/v1/banks", 200),
    ("post_v1_bank_accounts", "/v1/bank-accounts", 201),
    ("post_v1_bank_accounts_id_verify", "/v1/bank-accounts/{bank_account}/verify", 200),
    ("get_v1_bank_accounts_id", "/v1/bank-accounts/{bank_account}", 200),
    ("get_v1_bank_accounts", "/v1/bank-accounts?owner=asha", 200),
    ("post_v1_withdrawal_quotes", "/v1/withdrawal-quotes", 200),
    ("post_v1_withdrawals", "/v1/withdrawals", 201),
    ("get_v1_withdrawals_id", "/v1/withdrawals/{withdrawal}", 200),
    ("get_v1_withdrawals", "/v1/withdrawals?account=wallet:asha:INR", 200),
    ("get_v1_ops_withdrawals", "/v1/ops/withdrawals?status=queued", 200),
    ("get_v1_ops_transfers", "/v1/ops/transfers", 200),
    ("get_v1_ops_reports", "/v1/ops/reports", 200),
    ("post_v1_ops_withdrawals_id_unblock", "/v1/ops/withdrawals/{withdrawal}/unblock", 200),
    ("get_v1_ops_withdrawals_id_resolutions", "/v1/ops/withdrawals/{withdrawal}/resolutions", 200),
    ("post_v1_withdrawals_id_cancel", "/v1/withdrawals/{withdrawal}/cancel", 200),
    ("delete_v1_bank_accounts_id", "/v1/bank-accounts/{bank_account}", 200),
    ("post_v1_accounts_id_limits", "/v1/accounts/wallet:asha:INR/limits", 200),
    ("post_v1_accounts_id_freezes", "/v1/accounts/wallet:asha:INR/freezes", 201),
    (
        "delete_v1_accounts_id_freezes_reference",
        "/v1/accounts/wallet:asha:INR/freezes/order-2026-17",
        200,
    ),
    ("post_v1_accounts_id_close", "/v1/accounts/till:7:INR/close", 200),
    ("get_v1_accounts_id_balance", "/v1/accounts/wallet:asha:INR/balance", 200),
    ("get_v1_accounts_id_statement", "/v1/accounts/wallet:asha:INR/statement?limit=2", 200),
    ("get_v1_accounts_id_flows", "/v1/accounts/wallet:asha:INR/flows", 200),
    ("get_v1_accounts_id_open_items", "/v1/accounts/bank:hdfc:clearing_in:INR/open-items", 200),
    ("get_v1_trial_balance", "/v1/trial-balance", 200),
    ("get_v1_audit_trial_balance", "/v1/audit/trial-balance?as_of_position=6", 200),
    ("get_v1_audit_balance_sheet", "/v1/audit/balance-sheet?compare_with=2026-10-31", 200),
    (
        "get_v1_audit_profit_and_loss",
        "/v1/audit/profit-and-loss?from=2026-04-01&to=2027-03-31",
        200,
    ),
    ("get_v1_audit_controls", "/v1/audit/controls", 200),
    ("get_v1_audit_events", "/v1/audit/events?as_of_position=9&limit=2", 200),
    ("get_v1_audit_events_position", "/v1/audit/events/9", 200),
    ("get_v1_audit_account_tree", "/v1/audit/account-tree?as_of_position=6", 200),
    ("get_v1_audit_accounts", "/v1/audit/accounts?branch=wallet&limit=2", 200),
    ("get_v1_audit_accounts_id", "/v1/audit/accounts/wallet:asha:INR", 200),
    ("get_v1_audit_accounts_id_entries", "/v1/audit/accounts/wallet:asha:INR/entries?limit=2", 200),
    ("get_v1_audit_transactions_id", "/v1/audit/transactions/{transaction}", 200),
    ("post_v1_audit_openings", "/v1/audit/openings", 200),
    ("get_v1_audit_access", "/v1/audit/access?limit=2", 200),
    ("post_v1_ops_periods_close", "/v1/ops/periods/close", 200),
    ("post_v1_ops_periods_reopen", "/v1/ops/periods/reopen", 200),
    ("get_v1_ops_periods", "/v1/ops/periods", 200),
    ("post_v1_ops_fees", "/v1/ops/fees", 201),
    ("get_v1_ops_fees", "/v1/ops/fees", 200),
    ("post_v1_ops_terms", "/v1/ops/terms", 201),
    ("get_v1_ops_terms", "/v1/ops/terms", 200),
    ("get_v1_ops_banks_bank_days", "/v1/ops/banks/hdfc/days", 200),
    ("post_v1_ops_bank_statements", "/v1/ops/bank-statements?bank=hdfc&format=json", 200),
    ("get_v1_ops_banks", "/v1/ops/banks", 200),
    ("post_v1_ops_banks_bank_pause", "/v1/ops/banks/hdfc/pause", 200),
    ("post_v1_ops_banks_bank_drain", "/v1/ops/banks/hdfc/drain", 200),
    ("post_v1_ops_banks_bank_resume", "/v1/ops/banks/hdfc/resume", 200),
    ("get_v1_ops_inbound", "/v1/ops/inbound", 200),
    ("get_v1_ops_reconciliation", "/v1/ops/reconciliation", 200),
    ("get_v1_ops_treasury_moves", "/v1/ops/treasury-moves", 200),
    ("post_v1_currencies", "/v1/currencies", 201),
    ("get_v1_currencies", "/v1/currencies", 200),
    ("post_v1_tiers", "/v1/tiers", 201),
    ("get_v1_tiers", "/v1/tiers", 200),
    ("post_v1_accounts_id_tier", "/v1/accounts/wallet:asha:INR/tier", 200),
    ("get_v1_accounts_id_usage", "/v1/accounts/wallet:asha:INR/usage", 200),
    ("post_v1_webhook_endpoints", "/v1/webhook-endpoints", 201),
    ("get_v1_webhook_endpoints", "/v1/webhook-endpoints", 200),
    ("get_v1_webhook_endpoints_id", "/v1/webhook-endpoints/{endpoint}", 200),
    ("patch_v1_webhook_endpoints_id", "/v1/webhook-endpoints/{endpoint}", 200),
    ("post_v1_webhook_endpoints_id_rotate", "/v1/webhook-endpoints/{endpoint}/rotate", 200),
    ("post_v1_webhook_endpoints_id_test", "/v1/webhook-endpoints/{endpoint}/test", 201),
    ("get_v1_webhook_endpoints_id_deliveries", "/v1/webhook-endpoints/{endpoint}/deliveries", 200),
    ("get_v1_deliveries_id", "/v1/deliveries/{delivery}", 200),
    ("post_v1_deliveries_id_redeliver", "/v1/deliveries/{delivery}/redeliver", 200),
    ("delete_v1_webhook_endpoints_id", "/v1/webhook-endpoints/{endpoint}", 200),
    ("get_v1_events", "/v1/events?after_position=9&limit=2", 200),
    ("get_readyz", "/readyz", 200),
];

/// Asked by other tests: they answer no JSON.
const NOT_JSON: [&str; 5] = [
    "get_healthz",
    "get_metrics",
    "get_v1_me_events",
    "get_v1_payment_requests_id_qr_svg",
    "get_v1_audit_checkpoints_size",
];

/// Asked by the tests of people, which hold them against `routes/people/examples.json`: they take a
/// session.
const OF_PEOPLE: &str = include_str!("../../ledger-api/src/routes/people/examples.json");
/// The same of what people see of their wallets (`user_api`).
const OF_WALLETS: &str = include_str!("../../ledger-api/src/routes/wallet/examples.json");

/// The same of payments to shops (`payments_api`).
const OF_PAYMENTS: &str = include_str!("../../ledger-api/src/routes/payments/examples.json");

/// Asked by other tests (`ops`, `ops_desk`, `ops_resolutions`, `sending_back`, `dues`, `logins`,
/// `pages`, `statements`, `transfers`, `proofs`, `periods_api`): they need two persons, somebody's
/// session, a bank that tells, a login provider, or a signature.
const ELSEWHERE: [&str; 37] = [
    "get_v1_audit_checkpoints",
    "get_v1_audit_consistency",
    "get_v1_audit_proofs_position",
    "get_v1_statements_proofs_position",
    "post_v1_statement_files",
    "get_v1_statement_files_id",
    "get_v1_statement_files_id_content",
    "post_v1_qr_codes_read",
    "post_v1_ops_periods_close_year",
    "get_v1_ops_withdrawals_id_exchanges",
    "post_v1_ops_withdrawals_id_approve",
    "post_v1_ops_withdrawals_id_reject",
    "post_v1_ops_withdrawals_id_resolve",
    "post_v1_ops_withdrawals_id_resolutions_number_approve",
    "post_v1_ops_withdrawals_id_resolutions_number_withdraw",
    "post_v1_ops_inbound_id_reprocess",
    "post_v1_ops_suspense_id_return",
    "post_v1_ops_suspense_id_lump",
    "post_v1_ops_receivables_id_write_off",
    "get_v1_ops_outside",
    "post_v1_ops_outside_id_send_again",
    "post_v1_ops_bank_lines_id_treasury",
    "post_v1_ops_treasury_moves_id_approve",
    "post_v1_ops_treasury_moves_id_reject",
    "post_v1_ops_banks_bank_fetch",
    "post_v1_ops_banks_bank_days_close",
    "post_v1_ops_banks_bank_days_reopen",
    "get_v1_ops_merchants_id_terms",
    "post_v1_ops_merchants_id_terms",
    "delete_v1_me_logins_provider",
    "get_v1_me_apps",
    "delete_v1_me_apps_id",
    "post_v1_activity_id_reports",
    "get_v1_activity_id_reports",
    "post_v1_ops_transfers_id_approve",
    "post_v1_ops_transfers_id_reject",
    "post_v1_ops_reports_id_settle",
];

/// What the examples take for granted: two wallets with money that came in by a bank.
async fn set_the_scene(admin: &Actor) {
    for account in [RAVI, "till:7:INR", "bank:hdfc:clearing_in:INR"] {
        admin.open(account).await.made();
    }
    let deposit = json!({"kind": "deposit", "legs": [
        {"account": "bank:hdfc:clearing_in:INR", "direction": "debit",
         "amount": amount(RAVI, "100.00"), "item": "dep-1"},
        {"account": RAVI, "direction": "credit", "amount": amount(RAVI, "100.00")},
    ]});
    admin.post("/v1/transactions", &deposit).await.made();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_what_happens() {
    let clock = Arc::new(ManualClock::at("2026-11-22T08:30:00Z".parse().unwrap()));
    let sandbox = Sandbox::start().await;
    let set = Set { clock, banks: sandbox.registry(), ..Set::default() };
    let bahi = TestBahi::on(&Database::create().await, set).await;
    let admin = bahi.admin().await;
    let second = bahi.actor("second", &[Scope::OpsApprove]).await;
    let document = admin.get("/openapi.json").await.made();
    let operations = operations(&document);
    set_the_scene(&admin).await;

    let mut answers = BTreeMap::new();
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    for (name, path, status) in PLAN {
        let (method, operation) = &operations[*name];
        let mut path = (*path).to_owned();
        for (kind, id) in &ids {
            path = path.replace(&format!("{{{kind}}}"), id);
        }
        let head = bahi.engine.status().borrow().head.position;
        assert!(projections::wait_for(&bahi.projector, head, PATIENCE).await, "no projection");
        let mut request = admin.request(method.clone(), &path);
        if *method != Method::GET {
            request = request.header("idempotency-key", fresh_key());
        }
        let two = ["post_v1_ops_periods_", "post_v1_ops_fees", "post_v1_ops_terms"];
        if two.iter().any(|start| name.starts_with(start)) || *name == "post_v1_ops_bank_statements"
        {
            let key = format!("Bearer {}", second.key);
            request = request.header("approver-authorization", key);
        }
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        if !example.is_null() {
            let mut example = example.clone();
            if let (Some(id), Some(field)) =
                (ids.get("bank_account"), example.get_mut("bank_account"))
            {
                *field = json!(id);
            }
            request = request.json(&example);
        }
        let answer = send(request).await;
        assert_eq!(answer.status.as_u16(), *status, "{name} {path}: {}", answer.text);
        let body = answer.json();
        match (*name, *status) {
            ("post_v1_transactions", 201) => remember(&mut ids, "transaction", &body),
            ("post_v1_holds", 201) => remember(&mut ids, "hold", &body),
            ("post_v1_deposits", 201) => {
                remember(&mut ids, "deposit", &body);
                ids.extend(for_people(&bahi).await);
            }
            ("post_v1_transfers", 201) => remember(&mut ids, "transfer", &body),
            ("post_v1_virtual_accounts", 201) => remember(&mut ids, "virtual_account", &body),
            ("post_v1_webhook_endpoints", 201) => remember(&mut ids, "endpoint", &body),
            ("post_v1_webhook_endpoints_id_test", 201) => remember(&mut ids, "delivery", &body),
            ("post_v1_bank_accounts", 201) => remember(&mut ids, "bank_account", &body),
            ("post_v1_withdrawals", 201) => remember(&mut ids, "withdrawal", &body),
            // Wallets are empty when they are opened: now asha gets what she spends.
            ("post_v1_accounts", 201) => {
                admin.transfer(RAVI, ASHA, "50.00").await.made();
            }
            _ => {}
        }
        answers.entry(format!("{name} {status}")).or_insert_with(|| normal(&body));
    }
    bahi.finish().await;
    sandbox.stop().await;

    check(&answers, &operations);
}

/// Deposits of money that nobody asked for, which people are to decide about.
async fn for_people(bahi: &TestBahi) -> [(&'static str, String); 5] {
    let mut made = Vec::new();
    for (number, is_hers) in [(1, false), (2, false), (3, true), (4, true), (5, false)] {
        let claim = CreditClaim {
            bank: parse("hdfc"),
            bank_transaction_id: parse(&format!("S{number}")),
            credit_id: Some(parse(&format!("crd_{number}"))),
            utr: None,
            value_date: "2026-11-22".parse().unwrap(),
            amount: money(ASHA, "75"),
            source: Source::Enquiry,
            payer_hash: None,
            review: None,
            unsolicited_to: is_hers.then(|| parse(ASHA)),
        };
        let deposit_id = id_of(&claim.bank, &claim.bank_transaction_id);
        let transaction_id = TransactionId::from_uuid(System.fresh());
        let hold_id = HoldId::from_uuid(System.fresh());
        let confirm = ConfirmCredit { deposit_id, claim: claim.clone(), transaction_id };
        let mut asks = vec![DepositOperation::ConfirmCredit(confirm)];
        if is_hers {
            let recall = RequestRecall { deposit_id, claim, hold_id };
            asks.push(DepositOperation::RequestRecall(recall));
        }
        for ask in asks {
            accepted(bahi.engine.submit(command(ask.into())).await);
        }
        made.push(deposit_id.to_string());
    }
    let names = ["aside1", "aside2", "recall1", "recall2", "aside3"];
    let mut made = made.into_iter();
    names.map(|name| (name, made.next().unwrap()))
}

fn remember(ids: &mut BTreeMap<&'static str, String>, kind: &'static str, body: &Value) {
    ids.insert(kind, body["id"].as_str().unwrap().to_owned());
}

fn operations(document: &Value) -> BTreeMap<String, (Method, Value)> {
    let mut operations = BTreeMap::new();
    for item in document["paths"].as_object().unwrap().values() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let method = method.to_uppercase().parse().unwrap();
            operations.insert(id, (method, operation.clone()));
        }
    }
    operations
}

fn check(answers: &BTreeMap<String, Value>, operations: &BTreeMap<String, (Method, Value)>) {
    let left_out: Vec<&String> = operations
        .keys()
        .filter(|id| !PLAN.iter().any(|(name, ..)| name == id))
        .filter(|id| !NOT_JSON.contains(&id.as_str()) && !ELSEWHERE.contains(&id.as_str()))
        .filter(|id| {
            ![OF_PEOPLE, OF_WALLETS, OF_PAYMENTS].iter().any(|of| of.contains(&format!("\"{id} ")))
        })
        .collect();
    assert!(left_out.is_empty(), "not executed: {left_out:?}");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = folder.join("ledger-api/src/routes/examples.json");
    if std::env::var_os("BAHI_UPDATE_SNAPSHOTS").is_some() {
        let text = serde_json::to_string_pretty(&answers).unwrap();
        fs::write(&path, format!("{text}\n")).unwrap();
        return;
    }
    for (name, answer) in answers {
        let (id, status) = name.split_once(' ').unwrap();
        let (_, operation) = &operations[id];
        let content = &operation["responses"][status]["content"]["application/json"];
        assert_eq!(
            &content["example"], answer,
            "{name} answers otherwise; if that is meant, run the test with \
             BAHI_UPDATE_SNAPSHOTS=1, then the one of docs/openapi.json, and commit both"
        );
        assert!(StatusCode::from_u16(status.parse().unwrap()).unwrap().is_success());
    }
}

/// The answer with what differs from run to run made the same.
fn normal(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(normal).collect()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), normal(value)));
            Value::Object(fields.collect())
        }
        Value::String(text) => Value::String(normal_text(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn normal_text(text: &str) -> String {
    let hexadecimal = |digits: &str, count| {
        digits.len() == count && digits.bytes().all(|b| b.is_ascii_hexdigit())
    };
    for (prefix, key) in [("whsec_", "secret"), ("whpk_", "key")] {
        if text.starts_with(prefix) {
            return format!("{prefix}{key}+{}=", "A".repeat(43 - key.len() - 1));
        }
    }
    for prefix in
        ["txn_", "hold_", "wd_", "tr_", "dep_", "dep", "ba_", "va_", "req_", "we_", "whd_", "msg_"]
    {
        if text.strip_prefix(prefix).is_some_and(|digits| hexadecimal(digits, 32)) {
            return format!("{prefix}01935c3a5e7c7d3e8f00a1b2c3d4e5f6");
        }
    }
    // The sandbox bank's page: its port is another one each time.
    if text.starts_with("http://127.0.0.1:") && text.contains("/pay/dep") {
        let page = "http://127.0.0.1:9191/banks/hdfc/pay/dep01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
        return page.to_owned();
    }
    if hexadecimal(text, 64) {
        return "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned();
    }
    // A virtual account's number follows from its id.
    if text.len() == 18 && text.starts_with("88") && text.bytes().all(|b| b.is_ascii_digit()) {
        return "880351202469587958".to_owned();
    }
    // Cursors are keyed, and long enough not to be anything else.
    if text.len() > 22 && !text.contains([' ', ':', '/', '_', '.']) && text.is_ascii() {
        return "Zm9yIGluc3RhbmNlIG9ubHk".to_owned();
    }
    text.to_owned()
}

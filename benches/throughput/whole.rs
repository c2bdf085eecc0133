//! The whole service in a process of its own, all roles, with a bank account to withdraw to and a
//! bank that may send webhooks. No bank is called: what is queued stays there.

use std::{collections::BTreeMap, path::PathBuf};

use ledger_api::{
    banks::{
        BankRegistry, Payee,
        accounts::{BankAccounts, Checked, NewBankAccount, PayeeKey},
    },
    config::Settings,
    identity::{self, KeyEnvironment, NewKey, Scope, ScopeSet},
    service::{Roles, Service, ServiceConfig},
    telemetry::{self, LogFormat, LogSettings},
    webhooks::Banks,
};
use ledger_core::{
    clock::{Clock, Ids, System},
    command::Idempotency,
    ids::BankAccountId,
};
use tokio::{net::TcpListener, sync::watch};

use crate::service::say;

/// The word that makes this program the whole service.
pub(crate) const WORD: &str = "serve-all-for-the-bench";
/// What webhooks are signed with.
pub(crate) const SECRET: &str = "whsec_ZGV2LXNlY3JldC1kZXYtc2VjcmV0LWRldi0x";

/// What the child does; it says its address, its key and the bank account.
pub(crate) async fn serve(database: &str) -> anyhow::Result<()> {
    let log = LogSettings { log: None, log_format: Some(LogFormat::Json) };
    telemetry::start(&log, "info")?;
    let data: PathBuf = std::env::temp_dir().join(format!("bahi-bench-{}", std::process::id()));
    std::fs::create_dir_all(&data)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let settings = Settings {
        data: data.clone(),
        database_url: database.parse()?,
        inbox_database_url: "".parse()?,
        secret_file: None,
        allow_unsafe_database: true,
        demo: false,
    };
    let secrets = BTreeMap::from([("BAHI_BANK_HDFC_WEBHOOK_SECRETS".into(), SECRET.into())]);
    let config = ServiceConfig {
        settings: settings.clone(),
        roles: Roles::of(&[]),
        cache_accounts: None,
        banks: Banks::from_variables(secrets)?,
        bank_registry: BankRegistry::default(),
        sandbox_clock: None,
        logins: ledger_api::logins::LoginSettings::default(),
        listener: Some(listener),
        metrics: Some(telemetry::metrics()?),
    };
    let (_tell, told) = watch::channel(false);
    let service = Service::start(config, told).await?;
    let Some(service) = service else { anyhow::bail!("the service was told to stop") };
    let database = service.database();
    let pool = database.pool(database.app().clone());
    let secret = database.secret(&settings).await?;
    let new = NewKey {
        principal: "bench".parse()?,
        label: "the bench".to_owned(),
        scopes: ScopeSet::of(&Scope::ALL),
        environment: KeyEnvironment::Test,
    };
    let (_, key) = identity::create_key(&pool, &new).await?;
    let accounts = BankAccounts::new(pool, PayeeKey::derive(secret.bytes()));
    let id = payee(&accounts).await?;
    say(&format!("{address} {} {id}", key.reveal()));
    let ended =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    ended.await?.ok();
    service.stop().await?;
    std::fs::remove_dir_all(&data)?;
    Ok(())
}

/// A checked bank account of the owner of all wallets.
async fn payee(accounts: &BankAccounts) -> anyhow::Result<BankAccountId> {
    let id = BankAccountId::from_uuid(System.fresh());
    let new = NewBankAccount {
        id,
        owner: "bench".parse()?,
        payee: Payee::parse("001234567890", "TEST0000001", "ASHA RAO")?,
        at: System.now(),
        principal: "bench".parse()?,
        idempotency: Idempotency { key: "payee".parse()?, fingerprint: [7; 32] },
    };
    accounts.create(&new).await?;
    let right = Checked::Right { registered_name: None };
    accounts.note_check(id, &"hdfc".parse()?, &right, System.now()).await?;
    Ok(id)
}

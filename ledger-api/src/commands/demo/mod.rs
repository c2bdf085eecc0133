//! `bahi demo`: a service with something in it, and the lines to try it with.

mod banks;
mod caller;
mod cast;
mod days;
mod diary;
mod history;
mod logins;
mod payee;
mod sales;
mod shops;
mod staff;
mod story;
mod townsfolk;

use banks::DemoBanks;
use caller::Caller;
use days::Days;
use history::History;
use logins::DemoLogins;

use std::{fs, io, net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use ledger_api::{
    config::Settings,
    identity::{
        KeyEnvironment, KeyRing, NewKey, Scope, ScopeSet, Token, VerifyError, create_key,
        revoke_key,
    },
    people::DEMO_PASSWORD,
    service::{Roles, Service, ServiceConfig},
    sessions::Audience,
    setup::{Database, Secret, write_private},
    shops::{DEMO_SHOPS, DemoShop},
    shutdown, telemetry,
};
use sandbox_bank::control::Control;
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::watch};

use super::{Verdict, say, serve::LISTEN_DEFAULT};

const EXAMPLES: &str = "\
Examples:
  bahi demo
  bahi demo --listen 127.0.0.1:9000

Run again, it finds what it made and makes nothing twice. Its key is in DIR/demo-key.";

/// How many ports are tried from the usual one on.
const PORTS_TRIED: u16 = 10;

/// What the demo's key may do: what a shop's till or a wallet needs, and reading everything; and
/// what a ledger's own key does, for money comes into the demo by hand.
const SCOPES: [Scope; 5] = [
    Scope::LedgerRead,
    Scope::LedgerWrite,
    Scope::DepositsWrite,
    Scope::WithdrawalsWrite,
    Scope::EventsRead,
];

/// Run the service with demo accounts and print how to try it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Demo {
    /// Where to listen [default: 127.0.0.1:8080, or the next port that is free]
    #[arg(long, env = "BAHI_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Make the demo's accounts in your own PostgreSQL; they stay there for ever
    #[arg(long)]
    into_my_database: bool,
}

impl Demo {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        if settings.database_url.options()?.is_some() && !self.into_my_database {
            bail!(
                "DATABASE_URL is set, and what a demo writes into a ledger stays there: unset it, \
                 or say --into-my-database"
            );
        }
        let told = shutdown::on_signal().context("signals can't be received")?;
        let listener = listen(self.listen).await?;
        let address = listener.local_addr()?;
        let metrics = Some(telemetry::metrics()?);
        std::fs::create_dir_all(&settings.data)
            .with_context(|| format!("{} can't be made", settings.data.display()))?;
        // In somebody's own database nothing is known of its past.
        let may_begin = !self.into_my_database && !DemoBanks::were_in(&settings.data);
        let history = History::of(&settings.data, may_begin)?;
        let behind = history.as_ref().map_or(Duration::ZERO, History::ago);
        let banks = DemoBanks::start(address, &settings.data, behind).await?;
        write_private(&settings.demo_banks_file(), &format!("{}\n", banks.url), true)
            .with_context(|| format!("{} can't be written to", settings.data.display()))?;
        let settings = Settings { demo: true, ..settings };
        let logins = DemoLogins::start(address).await?;
        let config = ServiceConfig {
            settings: settings.clone(),
            roles: Roles::of(&[]),
            cache_accounts: None,
            banks: banks.webhooks.clone(),
            bank_registry: banks.registry.clone(),
            sandbox_clock: Some(banks.clock.clone()),
            logins: logins.settings.clone(),
            listener: Some(listener),
            metrics,
        };
        let done = serve(config, &settings, (address, &banks), history, told).await;
        logins.stop().await;
        banks.stop().await;
        done
    }
}

/// Runs it until it is told to stop; the banks stay until their last answers are in.
async fn serve(
    config: ServiceConfig,
    settings: &Settings,
    (address, banks): (SocketAddr, &DemoBanks),
    history: Option<History>,
    told: watch::Receiver<bool>,
) -> anyhow::Result<Verdict> {
    let Some(service) = Service::start(config, told.clone()).await? else {
        return Ok(Verdict::Yes);
    };
    let preparing = prepare(&service, settings, (address, banks), history);
    let mut stop = told.clone();
    // Told to stop in the middle, it goes on with the next start.
    let ready = tokio::select! {
        ready = preparing => Some(ready),
        () = shutdown::wait(&mut stop) => None,
    };
    if let Some(Ok((key, payee))) = &ready {
        say::line(welcome((address, &banks.url), key, payee, &settings.data));
        shutdown::wait(&mut stop).await;
    }
    service.stop().await?;
    ready.transpose().map(|_| Verdict::Yes)
}

async fn listen(asked: Option<SocketAddr>) -> anyhow::Result<TcpListener> {
    if let Some(address) = asked {
        return super::serve::listen(address).await;
    }
    let first = LISTEN_DEFAULT.port();
    for port in first..first.saturating_add(PORTS_TRIED) {
        let address = SocketAddr::new(LISTEN_DEFAULT.ip(), port);
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                say::remark(format_args!("port {port} is taken, trying the next"));
            }
            other => return other.with_context(|| format!("can't listen on {address}")),
        }
    }
    bail!("{PORTS_TRIED} ports from {first} on are taken; name a free one: --listen 127.0.0.1:PORT")
}

/// Tells the story; a key that works, and a bank account that money can be sent to.
async fn prepare(
    service: &Service,
    settings: &Settings,
    (address, banks): (SocketAddr, &DemoBanks),
    history: Option<History>,
) -> anyhow::Result<(String, String)> {
    let database = service.database();
    let secret = database.secret(settings).await?;
    let engine = service.engine().context("the demo needs an engine")?;
    story::tell(engine, &secret).await?;
    story::endow(engine, &secret, &banks::CODES).await?;
    let key = key(database, &settings.demo_key_file()).await?;
    let payee = payee::bank_account(&Caller::new(address, &key)?, &payee::ASHA).await?;
    if history.as_ref().is_none_or(|history| !history.told) {
        let pool = database.pool(database.app().clone());
        let (id, token) = stage_key(&pool, story::PRINCIPAL).await?;
        let (other, others) = stage_key(&pool, story::COLLEAGUE).await?;
        let callers = [token, others].map(|token| Caller::new(address, token.reveal()));
        let [caller, colleague] = callers;
        let callers = (&caller?, &colleague?);
        let told = populate(service, &secret, callers, banks, history.as_ref()).await;
        for id in [id, other] {
            revoke_key(&pool, &id).await.context("a key of the history stays")?;
        }
        pool.close().await;
        told?;
        if let Some(history) = history {
            history.end(&settings.data)?;
        }
    }
    Ok((key, payee))
}

/// Lets people move in, and their days pass if there is a history to be told.
async fn populate(
    service: &Service,
    secret: &Secret,
    (caller, colleague): (&Caller, &Caller),
    banks: &DemoBanks,
    history: Option<&History>,
) -> anyhow::Result<()> {
    let engine = service.engine().context("the demo needs an engine")?;
    let state = service.state().context("the demo needs an API")?;
    let residents = townsfolk::move_in(state, caller).await?;
    let shops = shops::open_up(state, caller).await?;
    staff::appoint(state).await?;
    let Some(history) = history else { return Ok(()) };
    let days = Days {
        engine,
        teller: story::Teller::start(engine, secret, story::PRINCIPAL.parse()?).await?,
        caller,
        colleague,
        clock: &banks.clock,
        banks: Control::new(&banks.url, None)?,
        residents,
        shops,
        payouts: state.shops.clone(),
    };
    days.pass(&diary::diary(history.first)).await
}

/// A key for as long as the history is told.
async fn stage_key(pool: &PgPool, principal: &str) -> anyhow::Result<(String, Token)> {
    let new = NewKey {
        principal: principal.parse()?,
        label: "made by bahi demo, for its history".to_owned(),
        scopes: ScopeSet::of(&Scope::ALL),
        environment: KeyEnvironment::Test,
    };
    create_key(pool, &new).await.context("no key for the demo's history")
}

/// The key of an earlier run if it is still in force, else a new one.
async fn key(database: &Database, file: &Path) -> anyhow::Result<String> {
    let pool = database.pool(database.app().clone());
    let kept = fs::read_to_string(file).unwrap_or_default();
    let kept = kept.trim();
    let key = match KeyRing::new(pool.clone()).verify(kept).await {
        Ok(_) => kept.to_owned(),
        Err(VerifyError::Refused) => new_key(&pool, file).await?,
        Err(VerifyError::Unavailable) => bail!("the API keys can't be read"),
    };
    pool.close().await;
    Ok(key)
}

async fn new_key(pool: &PgPool, file: &Path) -> anyhow::Result<String> {
    let new = NewKey {
        principal: "demo".parse()?,
        label: "made by bahi demo".to_owned(),
        scopes: ScopeSet::of(&SCOPES),
        environment: KeyEnvironment::Test,
    };
    let (_, token) = create_key(pool, &new).await.context("no key for the demo")?;
    write_private(file, &format!("{}\n", token.reveal()), true)
        .with_context(|| format!("the demo's key can't be kept in {}", file.display()))?;
    Ok(token.reveal().to_owned())
}

/// Who works for which shop, as the login takes it.
fn shop_logins() -> Vec<String> {
    let of = |shop: &DemoShop| {
        let ((_, owner), (_, cashier)) = (shop.owner, shop.cashier);
        format!("{owner} or {cashier} ({})", shop.display_name)
    };
    DEMO_SHOPS.iter().map(of).collect()
}

fn welcome((address, banks): (SocketAddr, &str), key: &str, payee: &str, data: &Path) -> String {
    let accounts: Vec<&str> = story::ACCOUNTS.iter().map(|(account, _)| *account).collect();
    let handles: Vec<&str> = cast::CAST.iter().map(|person| person.handle).collect();
    format!(
        r#"
Bahi is running at http://{address}

  The wallet         http://{address}/login
                     as {first}, password {password}
                     or {others}
  For shops          http://{address}/merchant/login
                     as {shops}, with the same password
  For auditors       http://{address}/audit/login
                     as {auditors}
  For operators      http://{address}/ops/login
                     as {operators}
  Documentation      http://{address}/docs
  Two sandbox banks  {banks}, hdfc and axis

The API's own accounts: {accounts}
A key for trying, kept in {data}/demo-key. In another terminal:

  export BAHI=http://{address} KEY={key}

  curl -s $BAHI/v1/accounts/wallet:asha:INR/balance -H "Authorization: Bearer $KEY"

The bank does not answer this withdrawal to {payee} in time, and has paid:

  curl -s $BAHI/v1/withdrawals -H "Authorization: Bearer $KEY" \
    -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-withdrawal' \
    -d '{{"account":"wallet:asha:INR","bank_account":"{payee}","bank":"hdfc","rail":"imps",
         "amount":{{"value":"5000.13","currency":"INR"}}}}'

After ten seconds it is outcome_unknown; its bank is asked after 90 seconds, which pass at once with
  bahi sandbox --url {banks} clock advance 90s

Ctrl-C stops it. The data stay in {data}.
"#,
        accounts = accounts.join(", "),
        first = handles.first().unwrap_or(&""),
        others = handles.get(1..).unwrap_or_default().join(", "),
        shops = shop_logins().join(", "),
        auditors = staff::logins(Audience::Audit),
        operators = staff::logins(Audience::Ops),
        password = DEMO_PASSWORD,
        data = data.display(),
    )
}

//! The demo's login providers: a process of its own, in the place of Google and GitHub.
//!
//! It ends with the demo, however that ends: its standard input is a pipe of ours.

use std::{
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use ledger_api::logins::LoginSettings;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{self, Instant},
};

use super::{
    super::sandbox::logins::{CLIENT_ID, CLIENT_SECRET},
    banks::free_port,
};

/// The first port that is tried.
const PORT: u16 = 9292;
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The providers of a demo, and how the service gets to them.
pub(super) struct DemoLogins {
    pub(super) settings: LoginSettings,
    child: Child,
}

impl DemoLogins {
    /// Starts them. Browsers are sent back to the service at `address`.
    pub(super) async fn start(address: SocketAddr) -> anyhow::Result<Self> {
        let listen = free_port(PORT, "the sandbox login provider")?;
        let program = std::env::current_exe().context("the program's own file is not known")?;
        let child = Command::new(program)
            .args(["sandbox", "logins", "--until-stdin-ends", "--listen", &listen.to_string()])
            .args(["--service", &format!("http://{address}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("the sandbox login provider can't be started")?;
        let settings = LoginSettings::from_variables(variables(listen), true)?;
        let mut logins = Self { settings, child };
        logins.wait(listen).await?;
        Ok(logins)
    }

    async fn wait(&mut self, listen: SocketAddr) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(listen).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the sandbox login provider ended ({status}); try it: bahi sandbox logins");
            }
            if Instant::now() >= deadline {
                bail!("the sandbox login provider does not answer at {listen}");
            }
            time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Ends them.
    pub(super) async fn stop(mut self) {
        drop(self.child.stdin.take());
        if time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            tracing::warn!("the sandbox login provider does not end by itself");
        }
    }
}

/// What a service with the real ones would be told, with these in their place.
fn variables(listen: SocketAddr) -> Vec<(OsString, OsString)> {
    let at = |path: &str| {
        let host = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port());
        format!("http://{host}/{path}")
    };
    let secret = CLIENT_SECRET.to_owned();
    [
        ("GOOGLE_KIND", "oidc".to_owned()),
        ("GOOGLE_ISSUER", at("google")),
        ("GOOGLE_CLIENT_ID", CLIENT_ID.to_owned()),
        ("GOOGLE_CLIENT_SECRET", secret.clone()),
        ("GITHUB_KIND", "github".to_owned()),
        ("GITHUB_ISSUER", at("github")),
        ("GITHUB_AUTH_URL", at("github/authorize")),
        ("GITHUB_TOKEN_URL", at("github/token")),
        ("GITHUB_USER_URL", at("github/user")),
        ("GITHUB_EMAILS_URL", at("github/user/emails")),
        ("GITHUB_CLIENT_ID", CLIENT_ID.to_owned()),
        ("GITHUB_CLIENT_SECRET", secret),
    ]
    .into_iter()
    .map(|(name, value)| (format!("BAHI_LOGIN_{name}").into(), value.into()))
    .collect()
}

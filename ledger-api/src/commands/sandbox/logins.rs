//! `bahi sandbox logins`: login providers to try and to test with.

use std::net::SocketAddr;

use anyhow::Context;
use clap::Args;
use ledger_api::shutdown;
use sandbox_idp::{Client, Config, Provider, serve};
use tokio::net::TcpListener;

use super::super::{Verdict, say};

/// What the service calls itself there, and shows. Known to everybody: it is good for trying only.
pub(in super::super) const CLIENT_ID: &str = "bahi-sandbox";
pub(in super::super) const CLIENT_SECRET: &str = "known-to-everybody-and-good-for-trying-only";

#[derive(Debug, Args)]
pub(super) struct Logins {
    /// Where to listen, on a loopback address
    #[arg(long = "listen", default_value = "127.0.0.1:9292", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The service that people log in to from here
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    service: String,
    /// End when the standard input does: with whoever started it
    #[arg(long)]
    until_stdin_ends: bool,
}

impl Logins {
    pub(super) async fn run(self) -> anyhow::Result<Verdict> {
        let stop = if self.until_stdin_ends {
            shutdown::on_end_of_stdin()
        } else {
            shutdown::on_signal().context("signals can't be received")?
        };
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("can't listen on {}", self.listen))?;
        let address = listener.local_addr()?;
        let service = self.service.trim_end_matches('/');
        let back = |provider: Provider| format!("{service}/login/{}/callback", provider.as_str());
        for provider in Provider::ALL {
            say::remark(format_args!("{0}: http://{address}/{0}", provider.as_str()));
        }
        let client = Client {
            id: CLIENT_ID.to_owned(),
            secret: CLIENT_SECRET.to_owned(),
            redirect_uris: Provider::ALL.map(back).to_vec(),
        };
        serve(Config { client }, listener, stop).await?;
        Ok(Verdict::Yes)
    }
}

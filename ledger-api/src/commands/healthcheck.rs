//! `bahi healthcheck`: whether a service is ready, for supervisors that can only run a program.

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Verdict, say};

const EXAMPLES: &str = "\
Examples:
  bahi healthcheck
  bahi healthcheck --address 127.0.0.1:9000 && echo ready

Exit codes: 0 ready, 1 not ready, 2 nobody answers.";

/// Longer, and it is not healthy.
const PATIENCE: Duration = Duration::from_secs(3);
/// The answer's head and the few lines of its body.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// Ask a running service whether it is ready
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Healthcheck {
    /// Where it listens
    #[arg(long, env = "BAHI_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    address: String,
}

impl Healthcheck {
    pub(super) async fn run(self) -> anyhow::Result<Verdict> {
        let asked = timeout(PATIENCE, ask(&self.address));
        let answer = asked
            .await
            .map_err(anyhow::Error::from)
            .and_then(|answer| Ok(answer?))
            .with_context(|| format!("no answer from {}", self.address))?;
        let status = answer.split_whitespace().nth(1).unwrap_or_default();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        say::line(body.trim());
        Ok(if status == "200" { Verdict::Yes } else { Verdict::No })
    }
}

/// One request by hand: a client library for it would be larger than the rest of this command.
async fn ask(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

//! An engine in a process of its own, with callers in it: one of several on a database.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::{ACCOUNTS, Spread, callers::Load, pulse::Calling};

/// The word that makes this program a peer.
pub(crate) const WORD: &str = "drive-for-the-bench";
/// In each.
pub(crate) const CALLERS: u64 = 512;

/// The process, seen from outside. It is killed when it is dropped.
pub(crate) struct Peer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// What its callers got.
pub(crate) struct Done {
    pub(crate) transfers: u64,
    pub(crate) errors: u64,
    /// The longest time between two answers.
    pub(crate) longest_us: u64,
}

impl Peer {
    /// Starts one that waits for the word to go.
    pub(crate) async fn start(
        database: &str,
        spread: Spread,
        time: Duration,
    ) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([WORD, database, spread.name(), &time.as_millis().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("a peer has a standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        lines.next_line().await?.context("a peer has ended before it was ready")?;
        Ok(Self { child, lines })
    }

    /// Lets its callers go.
    pub(crate) async fn go(&mut self) -> anyhow::Result<()> {
        let stdin = self.child.stdin.as_mut().context("a peer has a standard input")?;
        stdin.write_all(b"go\n").await?;
        Ok(stdin.flush().await?)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = self.child.id().context("a peer that has ended")?;
        let pid = Pid::from_raw(i32::try_from(pid)?).context("a process has an id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Waits until it has ended.
    pub(crate) async fn done(mut self) -> anyhow::Result<Done> {
        let line = self.lines.next_line().await?.context("a peer ended without a word")?;
        let figures = line.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        let [transfers, errors, longest_us] = figures[..] else {
            anyhow::bail!("a peer said: {line}");
        };
        let status = self.child.wait().await?;
        anyhow::ensure!(status.success(), "a peer ended with {status}");
        Ok(Done { transfers, errors, longest_us })
    }
}

/// What the process does.
pub(crate) async fn drive(database: &str, spread: &str, millis: &str) -> anyhow::Result<()> {
    let spread = if spread == Spread::Hot.name() { Spread::Hot } else { Spread::Uniform };
    let time = Duration::from_millis(millis.parse()?);
    let load = Load::start(database.parse()?, ACCOUNTS, true).await?;
    say("ready");
    let go = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    anyhow::ensure!(go.await?? > 0, "nobody is there any more");
    let calling = Calling::start(&load, spread, CALLERS, Instant::now() + time);
    let pulse = calling.ended().await?;
    load.engine.shutdown().await;
    say(&format!("{} {} {}", pulse.answers(), pulse.errors(), pulse.longest_us()));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "how the parent learns of it")]
fn say(line: &str) {
    println!("{line}");
}

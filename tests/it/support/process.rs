//! Other processes: this test program again, told to run one test that is ignored otherwise.
//!
//! Such a child takes transfers on a unix socket, a line of JSON each, and answers a line each. It
//! ends when its parent is gone, however that went: its standard input ends then.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use ledger_core::{
    command::Outcome,
    engine::{Engine, EngineConfig},
    ids::TransactionId,
};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

use super::{
    history::{Request, Target, Told},
    server::send,
};

/// The variable that tells a child its database.
pub(crate) const DATABASE: &str = "BAHI_TEST_DATABASE";
const FOLDER: &str = "BAHI_TEST_FOLDER";

/// Starts this program again to run one test.
pub(crate) fn again(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--ignored", "--nocapture"]);
    command.env(FOLDER, folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The folder that the parent said; nothing in a process that has none.
pub(crate) fn given_folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// The URL of the database that the parent said.
pub(crate) fn given_database() -> Option<String> {
    std::env::var(DATABASE).ok()
}

/// Ends this process when its parent has gone.
pub(crate) fn end_with_the_parent() {
    std::thread::spawn(|| {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        std::process::exit(0);
    });
}

#[derive(Serialize, Deserialize)]
struct Question {
    key: String,
    from: String,
    to: String,
    amount: String,
    transaction: TransactionId,
}

#[derive(Serialize, Deserialize)]
enum Reply {
    Outcome(Outcome),
    Nothing,
    Unknown,
}

/// What the child does: an engine on the database that it was told, until it is killed.
pub(crate) async fn be_an_engine(folder: &Path) {
    end_with_the_parent();
    let url = given_database().expect("the parent says it");
    let config = EngineConfig::new(url.parse().unwrap());
    let engine = Arc::new(Engine::start(config).await.expect("an engine"));
    let socket = folder.join("new");
    let listener = UnixListener::bind(&socket).unwrap();
    // Whoever finds it under its name can connect.
    std::fs::rename(&socket, folder.join("engine")).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(serve(stream, Arc::clone(&engine)));
    }
}

async fn serve(stream: UnixStream, engine: Arc<Engine>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let question: Question = serde_json::from_str(&line).unwrap();
        let Question { key, from, to, amount, transaction } = question;
        let reply = match engine.ask(&Request { key, from, to, amount }, transaction).await {
            Told::Outcome(outcome) => Reply::Outcome(outcome),
            Told::Nothing => Reply::Nothing,
            Told::Unknown => Reply::Unknown,
        };
        let mut answer = serde_json::to_vec(&reply).unwrap();
        answer.push(b'\n');
        if write.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// An engine in a process of its own.
pub(crate) struct EngineProcess {
    url: String,
    folder: tempfile::TempDir,
    child: Mutex<Child>,
    idle: Mutex<Vec<BufReader<UnixStream>>>,
}

impl EngineProcess {
    /// Starts one on a database, as the application's role.
    pub(crate) async fn start(url: &str) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let child = Mutex::new(Self::spawn(url, folder.path()));
        let process = Self { url: url.to_owned(), folder, child, idle: Mutex::default() };
        process.ready().await;
        Arc::new(process)
    }

    fn spawn(url: &str, folder: &Path) -> Child {
        let mut command = again("processes::an_engine_in_a_process_of_its_own", folder);
        command.env(DATABASE, url).spawn().unwrap()
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("engine")
    }

    async fn ready(&self) {
        let began = Instant::now();
        while UnixStream::connect(self.socket()).await.is_err() {
            let ended = self.child.lock().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "the engine's process ended: {ended:?}");
            assert!(began.elapsed() < Duration::from_secs(30), "no engine");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.lock().unwrap().id();
        send(i32::try_from(pid).unwrap(), signal);
    }

    /// Kills it and starts another one in its place.
    pub(crate) async fn kill_and_restart(&self) {
        {
            let mut child = self.child.lock().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            std::fs::remove_file(self.socket()).unwrap();
            *child = Self::spawn(&self.url, self.folder.path());
        }
        self.idle.lock().unwrap().clear();
        self.ready().await;
    }

    async fn exchange(&self, line: &[u8]) -> Result<Reply, Told> {
        let idle = self.idle.lock().unwrap().pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => match UnixStream::connect(self.socket()).await {
                Ok(stream) => BufReader::new(stream),
                // Nobody there: nothing was sent.
                Err(_) => return Err(Told::Nothing),
            },
        };
        let sent = stream.get_mut().write_all(line).await;
        let mut answer = String::new();
        let read = stream.read_line(&mut answer).await;
        if sent.is_err() || read.is_err() || !answer.ends_with('\n') {
            return Err(Told::Unknown);
        }
        self.idle.lock().unwrap().push(stream);
        Ok(serde_json::from_str(&answer).unwrap())
    }
}

impl Target for EngineProcess {
    async fn ask(&self, request: &Request, transaction: TransactionId) -> Told {
        let Request { key, from, to, amount } = request.clone();
        let question = Question { key, from, to, amount, transaction };
        let mut line = serde_json::to_vec(&question).unwrap();
        line.push(b'\n');
        match self.exchange(&line).await {
            Ok(Reply::Outcome(outcome)) => Told::Outcome(outcome),
            Ok(Reply::Nothing) => Told::Nothing,
            Ok(Reply::Unknown) => Told::Unknown,
            Err(told) => told,
        }
    }
}

impl Drop for EngineProcess {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        // A stopped process is killed as well.
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

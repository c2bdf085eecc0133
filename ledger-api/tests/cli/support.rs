//! Processes of the binary, each on a data folder of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use ledger_api::{
    postgres::{Cluster, Mode, Options, SUPERUSER, open_with},
    setup::Database,
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(20);

/// A data folder.
pub(crate) struct Place {
    folder: TempDir,
}

/// How a process ended, and what it printed on its standard output and its standard error.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) printed: String,
    pub(crate) said: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        path
    }

    pub(crate) fn has_data(&self) -> bool {
        self.data().exists()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bahi"));
        command.args(arguments).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let ours = name.to_string_lossy().starts_with("BAHI_");
            let databases = ["DATABASE_URL", "INBOX_DATABASE_URL"];
            if (ours && name != "BAHI_PG_BIN") || databases.iter().any(|other| name == *other) {
                command.env_remove(name);
            }
        }
        command.env("BAHI_DATA", self.data()).envs(environment.iter().copied());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        let output = self.command(arguments, environment).output().expect("it starts");
        Ended {
            code: output.status.code(),
            printed: String::from_utf8(output.stdout).expect("UTF-8"),
            said: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// The process id of the private server.
    pub(crate) fn postmaster(&self) -> Option<Pid> {
        let folders = fs::read_dir(self.data().join("postgres")).ok()?;
        folders.flatten().find_map(|folder| {
            let pid = fs::read_to_string(folder.path().join("postmaster.pid")).ok()?;
            Pid::from_raw(pid.lines().next()?.parse().ok()?)
        })
    }

    pub(crate) fn kill_postmaster(&self) {
        let pid = self.postmaster().expect("a server");
        kill_process(pid, Signal::KILL).expect("it can be killed");
    }

    /// A migrated server, as somebody else would run it.
    pub(crate) fn private_server(&self) -> RunningServer {
        let folder = self.folder.path().join("theirs");
        let cluster = open(&folder);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let database = runtime.block_on(Database::of_cluster(cluster, "theirs"));
        let database = database.expect("a database");
        let url = database.cluster().expect("a server").url("theirs", SUPERUSER);
        runtime.block_on(database.close()).expect("it stops");
        RunningServer { cluster: open(&folder), folder, url }
    }
}

fn open(folder: &Path) -> Cluster {
    open_with(folder, &Options::from_env(Mode::Throwaway)).expect("a server")
}

/// A server that runs.
pub(crate) struct RunningServer {
    cluster: Cluster,
    folder: PathBuf,
    url: String,
}

/// A server that does not.
pub(crate) struct StoppedServer {
    folder: PathBuf,
}

impl RunningServer {
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn stop(self) -> StoppedServer {
        self.cluster.stop_if_last().expect("it stops");
        StoppedServer { folder: self.folder }
    }
}

impl StoppedServer {
    pub(crate) fn start(self) -> Cluster {
        open(&self.folder)
    }
}

/// A process of the service. Killed if its test fails.
pub(crate) struct Bahi {
    child: Child,
    said: Arc<Mutex<String>>,
    printed: Arc<Mutex<String>>,
}

impl Bahi {
    pub(crate) fn serve(place: &Place) -> Self {
        Self::start(place, &["serve", "--listen", "127.0.0.1:0"])
    }

    pub(crate) fn start(place: &Place, arguments: &[&str]) -> Self {
        Self::start_with(place, arguments, &[])
    }

    pub(crate) fn start_with(
        place: &Place,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = place.command(arguments, environment);
        command.env("BAHI_LOG", "info").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let said = collect(child.stderr.take().expect("its standard error"));
        let printed = collect(child.stdout.take().expect("its standard output"));
        Self { child, said, printed }
    }

    /// What it said on its standard error.
    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("no panic").clone()
    }

    /// Waits for a line on its standard output.
    pub(crate) fn wait_for_line(&self, part: &str) -> String {
        self.until("line", || {
            let printed = self.printed.lock().expect("no panic");
            printed.lines().find(|line| line.contains(part)).map(str::to_owned)
        })
    }

    /// Waits until it is ready; whatever it answers besides is not what we wait for.
    pub(crate) fn wait_until_ready(&self) {
        self.wait_until(|status| status == 200);
    }

    /// Waits for an answer to `/readyz` of a certain status.
    pub(crate) fn wait_until(&self, wanted: impl Fn(u16) -> bool) {
        self.until("status", || {
            let (status, _) = get(self.address()?, "/readyz")?;
            wanted(status).then_some(())
        });
    }

    /// Waits until it has said something: what it writes is read a moment later.
    pub(crate) fn wait_until_it_said(&self, part: &str) {
        self.until(part, || self.said().contains(part).then_some(()));
    }

    /// Waits until the answer to `/readyz` says something.
    pub(crate) fn wait_until_it_says(&self, part: &str) {
        self.until(part, || {
            let (_, answer) = get(self.address()?, "/readyz")?;
            answer.contains(part).then_some(())
        });
    }

    /// What `/metrics` says, once it says `part`.
    pub(crate) fn metrics_with(&self, part: &str) -> String {
        self.until(part, || {
            let (_, answer) = get(self.address()?, "/metrics")?;
            answer.contains(part).then_some(answer)
        })
    }

    /// Posts a body with some headers, and returns the status and the whole answer.
    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> (u16, String) {
        let address = self.address().expect("it listens");
        let head = format!("POST {path} HTTP/1.0\r\nHost: x\r\n{headers}");
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        exchange(address, &request).expect("an answer")
    }

    fn address(&self) -> Option<SocketAddr> {
        let said = self.said();
        let (_, rest) = said.split_once("\"address\":\"")?;
        rest.split('"').next()?.parse().ok()
    }

    fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "no {what} in time; it said: {}", self.said());
            thread::sleep(PAUSE);
        }
    }

    /// Tells it to stop.
    pub(crate) fn signal(&self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("it runs");
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let status = self.ended();
        Ended {
            code: status.code(),
            printed: self.printed.lock().expect("no panic").clone(),
            said: self.said(),
        }
    }

    /// Tells it to stop, and waits for its end.
    pub(crate) fn stop(self) -> Ended {
        self.signal();
        self.wait()
    }

    fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end; it said: {}", self.said());
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Bahi {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads a pipe to its end, so that it never fills.
fn collect(pipe: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let collected = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&collected);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut text = into.lock().expect("no panic");
            text.push_str(&line);
            text.push('\n');
        }
    });
    collected
}

fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    exchange(address, &format!("GET {path} HTTP/1.0\r\nHost: x\r\n\r\n"))
}

fn exchange(address: SocketAddr, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, answer))
}

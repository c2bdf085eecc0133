//! The demonstration, as `make run` runs it: the real binary with its private PostgreSQL, its
//! sandbox banks, its people and their ninety days. One for all tests of a run.
//!
//! It ends with this process, however that ends: a shell waits for the end of its standard input,
//! which is a pipe of ours, and then tells it to stop.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
};

static SHARED: Mutex<Weak<Demo>> = Mutex::new(Weak::new());

/// Runs `$0` with its arguments until the standard input ends.
const KEEPER: &str = r#""$0" "$@" </dev/null & cat >/dev/null; kill "$!"; wait "$!""#;
/// What all of its people log in with.
pub(crate) const PASSWORD: &str = "only for the demo";

/// The running demonstration.
pub(crate) struct Demo {
    /// Where it is: `http://127.0.0.1:…`.
    pub(crate) address: String,
    /// Where its banks are.
    pub(crate) banks: String,
    keeper: Child,
    _folder: tempfile::TempDir,
}

impl Demo {
    /// The one of this run, as soon as its history was told.
    pub(crate) async fn shared() -> Arc<Self> {
        tokio::task::spawn_blocking(|| {
            let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(demo) = shared.upgrade() {
                return demo;
            }
            let demo = Arc::new(Self::start());
            *shared = Arc::downgrade(&demo);
            demo
        })
        .await
        .expect("a demonstration")
    }

    /// One of a test's own, for what would change the shared one under others: its clock.
    pub(crate) async fn own() -> Self {
        tokio::task::spawn_blocking(Self::start).await.expect("a demonstration")
    }

    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .arg(program())
            .arg("--data")
            .arg(folder.path().join("data"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            .env("RUST_LOG", "warn")
            .env_remove("DATABASE_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .expect("a shell");
        let mut lines = BufReader::new(keeper.stdout.take().unwrap()).lines();
        let mut said = |before: &str| {
            let mut lines = lines.by_ref().map_while(Result::ok);
            let found = lines.find_map(|line| Some(line.split_once(before)?.1.trim().to_owned()));
            found.unwrap_or_else(|| {
                let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
                panic!("the demonstration ended before it said {before:?}:\n{log}")
            })
        };
        let address = said("Bahi is running at ");
        let banks = said("Two sandbox banks ");
        let banks = banks.split(',').next().unwrap().to_owned();
        // What else it says is nobody's, but it must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { address, banks, keeper, _folder: folder }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}

/// The binary that was built beside this test program, which must not be older than its sources.
pub(crate) fn program() -> PathBuf {
    let test = env::current_exe().expect("a test program");
    let folder = test.ancestors().nth(2).expect("cargo's folder");
    let program = folder.join("bahi");
    let listed = fs::read_to_string(folder.join("bahi.d")).unwrap_or_default();
    let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    let built = changed(&program);
    let sources = listed.split_once(": ").map_or("", |(_, sources)| sources);
    let newer = sources.split_whitespace().find(|source| changed(Path::new(source)) > built);
    let hint = "cargo build --workspace --bins";
    assert!(built.is_some() && !sources.is_empty(), "there is no {}: {hint}", program.display());
    assert!(newer.is_none(), "{} is newer than the program: {hint}", newer.unwrap_or_default());
    program
}

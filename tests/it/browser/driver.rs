//! The chromedriver of this run: started by the first test that needs it, ended with the last.
//!
//! It ends with this process, however that ends: a shell waits for the end of its standard input,
//! which is a pipe of ours, and then ends the driver.

use std::{
    env,
    io::{BufRead, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, Once, Weak},
};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Browsers at a time. Each is several processes; more of them only wait for one another.
static BROWSERS: Semaphore = Semaphore::const_new(2);
static DRIVER: Mutex<Weak<Driver>> = Mutex::new(Weak::new());
static SAID: Once = Once::new();

/// Ends the driver when the standard input does. `$0` is the driver.
const KEEPER: &str = r#""$0" --port=0 </dev/null & cat >/dev/null; kill "$!"; wait "$!""#;
/// What it prints before its port.
const STARTED: &str = "started successfully on port ";

/// A running chromedriver.
pub(super) struct Driver {
    /// Where it listens.
    pub(super) url: String,
    /// The browser that it is to start.
    pub(super) browser: PathBuf,
    keeper: Child,
}

/// The leave to run one browser.
pub(super) struct Leave {
    pub(super) driver: Arc<Driver>,
    _permit: SemaphorePermit<'static>,
}

/// Whether there is a browser at all.
pub(super) async fn is_there() -> bool {
    tokio::task::spawn_blocking(driver).await.expect("a chromedriver that starts").is_some()
}

/// Waits for leave to run a browser; nothing where there is none.
pub(super) async fn leave() -> Option<Leave> {
    let permit = BROWSERS.acquire().await.expect("never closed");
    let driver = tokio::task::spawn_blocking(driver).await.expect("a chromedriver that starts")?;
    Some(Leave { driver, _permit: permit })
}

fn driver() -> Option<Arc<Driver>> {
    let mut shared = DRIVER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(driver) = shared.upgrade() {
        return Some(driver);
    }
    let said = env::var("BAHI_BROWSER").unwrap_or_default();
    let browsers = ["chromium", "chromium-browser", "google-chrome"];
    let found = if said == "none" {
        None
    } else {
        found("chromedriver").zip(browsers.into_iter().find_map(found))
    };
    let Some((program, browser)) = found else {
        let required = said == "required" || (env::var_os("CI").is_some() && said != "none");
        assert!(!required, "no chromium with a chromedriver: tests/setup/browser.sh");
        SAID.call_once(|| {
            // Not a macro: what those print is shown only of tests that fail.
            let said = "NO BROWSER: the tests of the pages are SKIPPED (tests/setup/browser.sh)\n";
            std::io::stderr().write_all(said.as_bytes()).ok();
        });
        return None;
    };
    let driver = Arc::new(Driver::start(program, browser));
    *shared = Arc::downgrade(&driver);
    Some(driver)
}

/// A program of the search path.
fn found(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

impl Driver {
    fn start(program: PathBuf, browser: PathBuf) -> Self {
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let mut lines = BufReader::new(keeper.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once(STARTED)?.1.trim_end_matches('.').to_owned()))
            .expect("a chromedriver says its port");
        // What else it says is nobody's, but it must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { url: format!("http://127.0.0.1:{port}"), browser, keeper }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}

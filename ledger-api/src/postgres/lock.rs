//! The two locks of a data folder: who may change the server's state, and who uses it.
//!
//! `flock` and not a pid file: the system lets go of it when its holder dies, however it dies.
//! Each lock opens its file anew, so two of one process exclude each other as two processes do.

use std::{
    fs::{File, OpenOptions},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{Folder, LauncherError};

/// How often a taken lock is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// Held alone while the server is made, started or stopped.
#[derive(Debug)]
pub(super) struct StartLock {
    file: File,
}

impl StartLock {
    /// Waits for its turn, at most for `patience`.
    pub(super) fn take(folder: &Folder, patience: Duration) -> Result<Self, LauncherError> {
        let path = folder.start_lock();
        let file = open(folder, &path)?;
        let began = Instant::now();
        while !try_lock(&file, &path, FlockOperation::NonBlockingLockExclusive)? {
            if began.elapsed() > patience {
                let seconds = patience.as_secs();
                let folder = folder.root.clone();
                return Err(LauncherError::LockHeld { folder, lock: path, seconds });
            }
            thread::sleep(RETRY);
        }
        Ok(Self { file })
    }
}

impl Drop for StartLock {
    fn drop(&mut self) {
        unlock(&self.file);
    }
}

/// Held by everybody who uses the server, for as long as they do.
#[derive(Debug)]
pub(super) struct UseLock {
    file: File,
}

impl UseLock {
    /// Joins the users. The start lock must be held: only then does nobody hold this one alone.
    pub(super) fn join(folder: &Folder, _starting: &StartLock) -> Result<Self, LauncherError> {
        let path = folder.use_lock();
        let file = open(folder, &path)?;
        flock(&file, FlockOperation::LockShared)
            .map_err(|errno| LauncherError::folder(&path, "lock it")(errno.into()))?;
        Ok(Self { file })
    }

    /// Leaves the users; true if nobody else was one. (Trying for the lock alone gives up the
    /// shared one in any case, so this takes `self`.)
    pub(super) fn leave(
        self,
        folder: &Folder,
        _starting: &StartLock,
    ) -> Result<bool, LauncherError> {
        try_lock(&self.file, &folder.use_lock(), FlockOperation::NonBlockingLockExclusive)
    }
}

impl Drop for UseLock {
    fn drop(&mut self) {
        unlock(&self.file);
    }
}

fn open(folder: &Folder, path: &Path) -> Result<File, LauncherError> {
    let found = OpenOptions::new().read(true).open(path);
    if let Ok(file) = found {
        return Ok(file);
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(LauncherError::folder(path, "make this file"))?;
    folder.hand_over(path)?;
    Ok(file)
}

fn try_lock(file: &File, path: &Path, operation: FlockOperation) -> Result<bool, LauncherError> {
    match flock(file, operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(LauncherError::folder(path, "lock it")(errno.into())),
    }
}

/// Closing would do, but for a moment a child that another thread is just starting may hold a copy
/// of the file, and with it the lock.
fn unlock(file: &File) {
    if let Err(error) = flock(file, FlockOperation::Unlock) {
        tracing::warn!(%error, "could not unlock the database's folder");
    }
}

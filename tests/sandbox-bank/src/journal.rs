//! The inputs, written down before anything acts on them, so that a killed bank comes back.
//!
//! The first line is how the sandbox started; each further one a command and its time. A sandbox is
//! a function of these, so replaying them restores all of it: books, references, what is due, what
//! is still to be told. A last line without its end was never acted on and is cut off. The lines
//! are handed to the system and not forced to the disk: a killed process loses nothing, a machine
//! that loses power may.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    sandbox::{Command, Setup},
};

/// The version of the file's form.
const VERSION: u32 = 1;

/// Why a journal can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It can't be read or written.
    #[error("the journal can't be read or written")]
    Io(#[from] io::Error),
    /// Another process has it.
    #[error("the journal is in use by another process")]
    InUse,
    /// A line of it can't be understood.
    #[error("line {line} of the journal can't be understood")]
    Line {
        /// Which one.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// It was written by another version.
    #[error("the journal has the form of version {0}, not of this one")]
    Version(u32),
}

/// How it all started.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Header {
    version: u32,
    #[serde(flatten)]
    setup: Setup,
}

/// A command and when it was given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) command: Command,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Journal(File);

/// What a journal holds.
pub(crate) struct Opened {
    pub(crate) journal: Journal,
    pub(crate) setup: Setup,
    pub(crate) entries: Vec<Entry>,
}

impl Journal {
    /// Opens the journal at `path`, or starts it with `setup`.
    pub(crate) fn open(path: &Path, setup: Setup) -> Result<Opened, JournalError> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => JournalError::InUse,
            TryLockError::Error(error) => JournalError::Io(error),
        })?;
        let (lines, length) = whole_lines(&file)?;
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
        let mut lines = lines.iter().enumerate().map(|(index, line)| (index + 1, line));
        let Some((line, header)) = lines.next() else {
            let mut journal = Self(file);
            journal.write(&Header { version: VERSION, setup: setup.clone() })?;
            return Ok(Opened { journal, setup, entries: Vec::new() });
        };
        let header: Header = read(line, header)?;
        if header.version != VERSION {
            return Err(JournalError::Version(header.version));
        }
        let entries = lines.map(|(line, text)| read(line, text)).collect::<Result<_, _>>()?;
        Ok(Opened { journal: Self(file), setup: header.setup, entries })
    }

    pub(crate) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        self.write(entry)
    }

    /// One write per line: a kill leaves all of it or a part without its end.
    fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }
}

fn read<T: serde::de::DeserializeOwned>(line: usize, text: &[u8]) -> Result<T, JournalError> {
    serde_json::from_slice(text).map_err(|source| JournalError::Line { line, source })
}

/// The lines that have an end, and where the last of them ends.
fn whole_lines(file: &File) -> io::Result<(Vec<Vec<u8>>, u64)> {
    let mut reader = BufReader::new(file);
    let mut lines = Vec::new();
    let mut length = 0_u64;
    loop {
        let mut line = Vec::new();
        let read = reader.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Ok((lines, length));
        }
        length = length.saturating_add(u64::try_from(read).unwrap_or_default());
        lines.push(line);
    }
}

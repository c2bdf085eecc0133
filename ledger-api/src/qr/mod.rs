//! QR codes that somebody shows us: what a picture says, and what that means here.
//!
//! Pictures come from anybody who is signed in, so everything about them is bounded: how many
//! bytes, how many pixels before a single one is unpacked, how much work the search may do, how
//! many are read at a time and how long one waits for its turn. No picture is kept, and none is
//! looked at for anything but codes.

mod meaning;
mod picture;
mod search;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::Semaphore, time::timeout};

pub(crate) use meaning::Meaning;

/// The most bytes of a picture: what telephones make of a scene with a code in it.
pub(crate) const PICTURE_BYTES_MAX: usize = 5 << 20;
/// How many pictures one process reads at a time: each takes a core and up to 200 MB.
const AT_ONCE: usize = 2;
/// How long a picture waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(3);
/// How long somebody waits for the answer; the work itself is bounded, and ends soon after.
const READ_MAX: Duration = Duration::from_secs(5);

/// Why a picture says nothing, in words for whoever took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QrError {
    /// More than [`PICTURE_BYTES_MAX`].
    #[error("the picture is larger than 5 MB")]
    TooManyBytes,
    /// Neither of the two forms that are read.
    #[error("this is no picture that can be read here: choose a PNG or a JPEG")]
    NotAPicture,
    /// Cut off, or otherwise not what it says it is.
    #[error("the picture is damaged")]
    Damaged,
    /// More than any telephone makes of a code; nothing of it was unpacked.
    #[error("the picture has too many pixels: at most 20 million")]
    TooManyPixels,
    /// There is none, or it is too blurred, too small or cut off.
    #[error("we can’t see a QR code in that picture: try a sharper one, or paste what it says")]
    NoCode,
    /// Codes that say different things: it would be a guess which one is meant.
    #[error("there is more than one QR code in that picture: choose one that shows only one")]
    Several,
    /// Others are read already.
    #[error("too many pictures are being read right now: try again in a moment")]
    Busy,
}

/// Reads pictures, a few at a time; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct QrReader {
    slots: Arc<Semaphore>,
}

impl Default for QrReader {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl QrReader {
    /// What the code in a picture says. Whoever stops waiting leaves the slot taken until the
    /// work has come to its bound: so no flood of pictures gets more than the slots.
    pub(crate) async fn read(&self, picture: Bytes) -> Result<String, QrError> {
        let slot = timeout(WAIT_MAX, Arc::clone(&self.slots).acquire_owned()).await;
        let Ok(Ok(slot)) = slot else { return Err(QrError::Busy) };
        let reading = tokio::task::spawn_blocking(move || {
            let said = said(&picture);
            drop(slot);
            said
        });
        match timeout(READ_MAX, reading).await {
            Ok(Ok(said)) => said,
            Ok(Err(error)) => {
                tracing::warn!(%error, "a picture could not be unpacked");
                Err(QrError::Damaged)
            }
            Err(_) => Err(QrError::Busy),
        }
    }
}

/// What the code in a picture says.
fn said(picture: &[u8]) -> Result<String, QrError> {
    if picture.len() > PICTURE_BYTES_MAX {
        return Err(QrError::TooManyBytes);
    }
    search::the_one(&picture::grey(picture)?)
}

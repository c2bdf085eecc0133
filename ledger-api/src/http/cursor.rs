//! Cursors: where a list goes on, in a form that only we can make.
//!
//! A cursor is the key of the last item with an HMAC over it, the list's name and the filters. So
//! one that was made up, or belongs to another list or other filters, is refused instead of
//! showing something that nobody asked for.

use std::{fmt::Display, str::FromStr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;

use super::{FingerprintKey, Problem, codes};

const DOMAIN: &[u8] = b"bahi:cursor:1";
/// Bytes of the HMAC that a cursor carries.
const TAG_LEN: usize = 16;

/// What a cursor is bound to.
pub(crate) struct List<'a, F> {
    /// The secret.
    pub(crate) secret: &'a FingerprintKey,
    /// The list's name.
    pub(crate) name: &'static str,
    /// Its filters.
    pub(crate) filters: &'a F,
}

impl<F: Serialize> List<'_, F> {
    /// The cursor of an item.
    pub(crate) fn seal(&self, item: impl Display) -> Result<String, Problem> {
        let item = item.to_string();
        let mut bytes = self.tag(&item)?;
        bytes.extend_from_slice(item.as_bytes());
        Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What the list goes on from: the item of the cursor, if one was sent.
    pub(crate) fn resume<T: FromStr>(&self, cursor: Option<&str>) -> Result<Option<T>, Problem> {
        let Some(cursor) = cursor else { return Ok(None) };
        let refused = |_| Problem::new(codes::CURSOR_INVALID, "The cursor is not of this list.");
        self.open(cursor)?.parse().map(Some).map_err(refused)
    }

    /// The item of a cursor.
    fn open(&self, cursor: &str) -> Result<String, Problem> {
        let refused = || {
            let detail = "The cursor was not given out for this list.";
            Problem::new(codes::CURSOR_INVALID, detail)
        };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
        let (tag, item) = bytes.split_at_checked(TAG_LEN).ok_or_else(refused)?;
        let item = std::str::from_utf8(item).map_err(|_| refused())?;
        let same = subtle::ConstantTimeEq::ct_eq(tag, &*self.tag(item)?);
        if bool::from(same) { Ok(item.to_owned()) } else { Err(refused()) }
    }

    fn tag(&self, item: &str) -> Result<Vec<u8>, Problem> {
        let filters =
            serde_json::to_vec(self.filters).map_err(|error| Problem::internal(&error))?;
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.bytes())
            .map_err(|error| Problem::internal(&error))?;
        mac.update(DOMAIN);
        for part in [self.name.as_bytes(), &filters, item.as_bytes()] {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            mac.update(&length.to_be_bytes());
            mac.update(part);
        }
        let mut tag = mac.finalize().into_bytes().to_vec();
        tag.truncate(TAG_LEN);
        Ok(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_163_forged_and_foreign_cursors_are_refused() {
        let secret = FingerprintKey::new([1; 32]);
        let list = List { secret: &secret, name: "accounts", filters: &("owner", "asha") };
        let cursor = list.seal("wallet:a:INR").unwrap();
        assert_eq!(list.open(&cursor).unwrap(), "wallet:a:INR");

        let other_filters = List { secret: &secret, name: "accounts", filters: &("owner", "x") };
        let other_list = List { secret: &secret, name: "holds", filters: &("owner", "asha") };
        assert!(other_filters.open(&cursor).is_err() && other_list.open(&cursor).is_err());
        let flipped =
            format!("{}{}", if cursor.starts_with('A') { 'B' } else { 'A' }, &cursor[1..]);
        for bad in ["", "x", "' or 1=1 --", "AAAA", &flipped, &format!("{cursor}A")] {
            let problem = list.open(bad).unwrap_err();
            assert_eq!((problem.status(), problem.code()), (400, "cursor_invalid"), "{bad}");
        }
    }
}

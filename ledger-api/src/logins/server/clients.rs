//! The frontends that an operator registered.

use ledger_core::clock::Timestamp;
use openidconnect::url::Url;
use sqlx::{PgPool, Row as _, postgres::PgRow};

use super::super::{
    config::is_loopback,
    secrets::{NoRandom, fresh},
};

const PREFIX: &str = "app_";
const NAME_CHARS_MAX: usize = 60;
const PLACES_MAX: usize = 20;
const PLACE_CHARS_MAX: usize = 500;

/// Why a client was not registered, listed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A name that is none.
    #[error("a client's name has 1 to 60 printable characters")]
    Name,
    /// An address that browsers must not be sent back to.
    #[error(
        "{0:?} is no redirect URI: https://HOST/PATH, or http on this machine, without a fragment"
    )]
    RedirectUri(String),
    /// An origin that is none.
    #[error("{0:?} is no origin: https://HOST, or http on this machine, without a path")]
    Origin(String),
    /// None, or too many.
    #[error("a client has 1 to 20 redirect URIs and at most 20 origins")]
    Count,
    /// There is none of this id.
    #[error("there is no client {0:?} in force")]
    NoSuchClient(String),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] NoRandom),
    /// The database said no.
    #[error("the clients could not be asked for")]
    Database(#[from] sqlx::Error),
}

/// A client to register.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// What people are shown.
    pub name: String,
    /// Where browsers may be sent back to, to the letter.
    pub redirect_uris: Vec<String>,
    /// Which origins may call the API from a browser.
    pub origins: Vec<String>,
}

/// A registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id, `app_…`; no secret.
    pub id: String,
    /// What people are shown.
    pub name: String,
    /// Where browsers may be sent back to.
    pub redirect_uris: Vec<String>,
    /// Which origins may call the API from a browser.
    pub origins: Vec<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when it was in force.
    pub revoked_at: Option<Timestamp>,
}

/// The table; cheap to clone.
#[derive(Debug, Clone)]
pub struct Clients(PgPool);

impl Clients {
    /// Those of a database.
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Registers one; its id.
    ///
    /// # Errors
    /// [`ClientError`] with what is wrong with it.
    pub async fn add(&self, new: &NewClient, now: Timestamp) -> Result<String, ClientError> {
        let printable = !new.name.chars().any(char::is_control);
        if !(1..=NAME_CHARS_MAX).contains(&new.name.chars().count()) || !printable {
            return Err(ClientError::Name);
        }
        let counts = (new.redirect_uris.len(), new.origins.len());
        if !(1..=PLACES_MAX).contains(&counts.0) || counts.1 > PLACES_MAX {
            return Err(ClientError::Count);
        }
        if let Some(bad) = new.redirect_uris.iter().find(|uri| !is_redirect_uri(uri)) {
            return Err(ClientError::RedirectUri(bad.clone()));
        }
        if let Some(bad) = new.origins.iter().find(|origin| !is_origin(origin)) {
            return Err(ClientError::Origin(bad.clone()));
        }
        let random: String = fresh()?
            .reveal()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .take(20)
            .collect();
        let id = format!("{PREFIX}{random}");
        sqlx::query(
            "insert into oauth_clients (id, name, redirect_uris, origins, created_at)
             values ($1, $2, $3, $4, $5)",
        )
        .bind(&id)
        .bind(&new.name)
        .bind(&new.redirect_uris)
        .bind(&new.origins)
        .bind(now)
        .execute(&self.0)
        .await?;
        Ok(id)
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// [`ClientError::Database`].
    pub async fn list(&self) -> Result<Vec<Client>, ClientError> {
        let rows = sqlx::query("select * from oauth_clients order by created_at, id")
            .fetch_all(&self.0)
            .await?;
        Ok(rows.iter().map(client).collect::<Result<_, _>>()?)
    }

    /// Ends one, and with it every token that it got.
    ///
    /// # Errors
    /// [`ClientError::NoSuchClient`] if there is none in force.
    pub async fn revoke(&self, id: &str, now: Timestamp) -> Result<(), ClientError> {
        let revoked = sqlx::query(
            "update oauth_clients set revoked_at = $2 where id = $1 and revoked_at is null",
        )
        .bind(id)
        .bind(now)
        .execute(&self.0)
        .await?;
        if revoked.rows_affected() == 0 {
            return Err(ClientError::NoSuchClient(id.to_owned()));
        }
        Ok(())
    }

    /// One in force.
    pub(crate) async fn find(&self, id: &str) -> sqlx::Result<Option<Client>> {
        let row = sqlx::query("select * from oauth_clients where id = $1 and revoked_at is null")
            .bind(id)
            .fetch_optional(&self.0)
            .await?;
        row.as_ref().map(client).transpose()
    }

    /// The origins of all in force.
    pub(super) async fn origins(&self) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar(
            "select distinct unnest(origins) from oauth_clients where revoked_at is null",
        )
        .fetch_all(&self.0)
        .await
    }
}

fn client(row: &PgRow) -> sqlx::Result<Client> {
    Ok(Client {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        redirect_uris: row.try_get("redirect_uris")?,
        origins: row.try_get("origins")?,
        created_at: row.try_get("created_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}

/// Over TLS, or to this machine: a code in the clear is anybody's.
fn is_redirect_uri(text: &str) -> bool {
    let Some(url) = place(text) else { return false };
    url.fragment().is_none() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

/// As browsers write it.
fn is_origin(text: &str) -> bool {
    place(text).is_some_and(|url| url.origin().ascii_serialization() == text)
}

fn place(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok().filter(|_| text.len() <= PLACE_CHARS_MAX)?;
    let safe = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _other => false,
    };
    let plain = url.username().is_empty() && url.password().is_none();
    Some(url).filter(|_| safe && plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_places_are_registered() {
        for good in
            ["https://a.example/back", "http://127.0.0.1:3000/", "http://localhost:3000/b?x=1"]
        {
            assert!(is_redirect_uri(good), "{good}");
        }
        for bad in [
            "http://a.example/back",
            "javascript:alert(1)",
            "https://a.example/#x",
            "/back",
            "",
            "https://u:p@a.example/",
            "data:text/html,x",
            "https://a.example/\\b",
            "*",
        ] {
            assert!(!is_redirect_uri(bad), "{bad}");
        }
        assert!(is_origin("https://a.example") && is_origin("http://localhost:3000"));
        for bad in ["https://a.example/", "*", "null", "https://A.example", "a.example", ""] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}

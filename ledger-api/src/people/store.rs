//! The tables of people: finding and making. What changes later is in `changes`.
//!
//! The only code, with its neighbours here, that reads and writes names, addresses and numbers.
//! They are sealed under each person's own key; what is found by them is found by keyed hashes.

use std::collections::HashMap;

use ledger_core::ids::Owner;
use sqlx::{PgPool, Row as _, postgres::PgRow, types::Uuid};

use super::{
    Email, Handle, NewPerson, PasswordHash, PeopleKey, Person, PersonId, PublicFace, Recipient,
    Status,
};
use crate::vault::{SubjectKeys, VaultError};

/// The fields that are sealed, by the names that they are sealed under.
pub(super) const NAME: &str = "name";
pub(super) const EMAIL: &str = "email";
pub(super) const PHONE: &str = "phone";

const SELECT: &str = "select p.id, p.handle, p.status, p.email_verified_at, p.phone_verified_at, \
    p.kyc_at, p.created_at, p.wallet_opened_at, p.wallet_tier, \
    n.sealed as name, e.sealed as email, f.sealed as phone from people p \
    left join person_details n on n.person_id = p.id and n.field = 'name' \
    left join person_details e on e.person_id = p.id and e.field = 'email' \
    left join person_details f on f.person_id = p.id and f.field = 'phone'";

/// Why people were not read or written.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// Somebody else has the handle.
    #[error("somebody has this handle already")]
    HandleTaken,
    /// Somebody has an account with the address.
    #[error("there is an account with this e-mail address already")]
    EmailTaken,
    /// There is no such person, or no more.
    #[error("there is no such person")]
    Gone,
    /// What is stored is not what was sealed.
    #[error("the details of a person could not be opened or sealed")]
    Vault(#[source] VaultError),
    /// A row that this program does not understand.
    #[error("the row of a person is malformed: {0}")]
    Malformed(&'static str),
    /// The database said no.
    #[error("the people could not be asked for")]
    Database(#[from] sqlx::Error),
}

impl From<VaultError> for PeopleError {
    fn from(error: VaultError) -> Self {
        error.sorted(Self::Gone, Self::Database, Self::Vault)
    }
}

/// All people; cheap to clone.
#[derive(Debug, Clone)]
pub struct People {
    pub(super) pool: PgPool,
    pub(super) key: PeopleKey,
    pub(super) vault: SubjectKeys,
}

/// What a login looks at: who it would be, and the password that they have.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Who.
    pub id: PersonId,
    /// Where they stand.
    pub status: Status,
    /// Their password as it is stored, if they have one.
    pub password: Option<PasswordHash>,
}

impl People {
    /// Those of a database, of the installation with this secret.
    pub fn new(pool: PgPool, secret: &[u8; 32]) -> Self {
        let vault = SubjectKeys::new(pool.clone(), secret);
        Self { pool, key: PeopleKey::derive(secret), vault }
    }

    /// The key that hashes about people are made with.
    pub const fn key(&self) -> &PeopleKey {
        &self.key
    }

    /// One who was not erased.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn by_id(&self, id: PersonId) -> Result<Option<Person>, PeopleError> {
        let sql = format!("{SELECT} where p.id = $1 and p.status <> 'erased'");
        let row = sqlx::query(&sql).bind(id.uuid()).fetch_optional(&self.pool).await?;
        match row {
            None => Ok(None),
            Some(row) => match self.person(&row).await {
                // Erased between the two looks.
                Err(PeopleError::Gone) => Ok(None),
                other => other.map(Some),
            },
        }
    }

    /// What others may know of some people; who is not there was erased, or never was.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn faces(
        &self,
        ids: &[PersonId],
    ) -> Result<HashMap<PersonId, PublicFace>, PeopleError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query(
            "select p.id, p.handle, d.sealed from people p
             join person_details d on d.person_id = p.id and d.field = 'name'
             where p.id = any($1) and p.status <> 'erased'",
        )
        .bind(&ids)
        .fetch_all(&self.pool)
        .await?;
        let faces = self.opened_faces(&rows).await?;
        Ok(faces.into_iter().map(|face| (face.id, face)).collect())
    }

    /// Whom a sender means; nothing unless they are there and use the service. A number finds who
    /// has proved that it is theirs.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn find(&self, recipient: &Recipient) -> Result<Option<PublicFace>, PeopleError> {
        let (handle, phone, id) = match recipient {
            Recipient::Handle(handle) => (Some(handle.as_str()), None, None),
            Recipient::Phone(phone) => (None, Some(self.key.phone(phone)), None),
            Recipient::Id(id) => (None, None, Some(id.uuid())),
        };
        let rows = sqlx::query(
            "select p.id, p.handle, d.sealed from people p
             join person_details d on d.person_id = p.id and d.field = 'name'
             where p.status = 'active' and (p.handle = $1 or p.id = $3
                 or (p.phone_hash = $2 and p.phone_verified_at is not null))",
        )
        .bind(handle)
        .bind(phone.as_ref().map(<[u8; 32]>::as_slice))
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        Ok(self.opened_faces(&rows).await?.pop())
    }

    /// Who logs in with a handle or an address.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn credential(&self, login: &str) -> Result<Option<Credential>, PeopleError> {
        let email = login.parse().ok().map(|email| self.key.email(&email));
        let handle = login.parse::<Handle>().ok();
        self.credential_where(
            "p.handle = $1 or p.email_hash = $2",
            handle.as_ref().map(Handle::as_str),
            email,
            None,
        )
        .await
    }

    /// How a person logs in.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn credential_of(&self, id: PersonId) -> Result<Option<Credential>, PeopleError> {
        self.credential_where("p.id = $3", None, None, Some(id)).await
    }

    async fn credential_where(
        &self,
        condition: &str,
        handle: Option<&str>,
        email: Option<[u8; 32]>,
        id: Option<PersonId>,
    ) -> Result<Option<Credential>, PeopleError> {
        let sql = format!(
            "select p.id, p.status, c.phc from people p
             left join credentials c on c.person_id = p.id
             where ($1::text is not null or $2::bytea is not null or $3::uuid is not null)
               and ({condition})"
        );
        let row = sqlx::query(&sql)
            .bind(handle)
            .bind(email.as_ref().map(<[u8; 32]>::as_slice))
            .bind(id.map(PersonId::uuid))
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let phc: Option<String> = row.try_get("phc")?;
        Ok(Some(Credential {
            id: PersonId::from_uuid(row.try_get("id")?),
            status: status(&row)?,
            password: phc.map(PasswordHash::stored),
        }))
    }

    /// Whether nobody has the handle or the address now. Somebody may be faster all the same.
    ///
    /// # Errors
    /// [`PeopleError::HandleTaken`], [`PeopleError::EmailTaken`], or what else went wrong.
    pub async fn check_free(&self, handle: &Handle, email: &Email) -> Result<(), PeopleError> {
        let taken: Option<bool> = sqlx::query_scalar(
            "select coalesce(p.handle = $1, false) from people p
             where p.handle = $1 or p.email_hash = $2
             order by 1 desc limit 1",
        )
        .bind(handle.as_str())
        .bind(self.key.email(email).as_slice())
        .fetch_optional(&self.pool)
        .await?;
        match taken {
            Some(true) => Err(PeopleError::HandleTaken),
            Some(false) => Err(PeopleError::EmailTaken),
            None => Ok(()),
        }
    }

    /// Makes a person, in one statement: nobody is there in part.
    ///
    /// # Errors
    /// [`PeopleError::HandleTaken`], [`PeopleError::EmailTaken`], or what else went wrong.
    pub async fn create(&self, new: &NewPerson) -> Result<(), PeopleError> {
        // A key that was made for nobody stays for ever, so the usual clash is looked for first.
        self.check_free(&new.handle, &new.email).await?;
        let owner = owner(new.id)?;
        let mut fields = vec![(NAME, new.name.expose()), (EMAIL, new.email.expose())];
        fields.extend(new.phone.as_ref().map(|phone| (PHONE, phone.expose())));
        let (mut names, mut sealed) = (Vec::new(), Vec::new());
        for (field, text) in fields {
            names.push(field);
            sealed.push(self.vault.seal(&owner, field, text.as_bytes()).await?);
        }
        let made = sqlx::query(
            "with made as (
                 insert into people (id, handle, email_hash, phone_hash, created_at,
                     email_verified_at)
                 values ($1, $2, $3, $4, $5, case when $6 then $5 end)
             ), said as (
                 insert into person_details (person_id, field, sealed)
                 select $1, field, sealed from unnest($7::text[], $8::bytea[]) d (field, sealed)
             )
             insert into credentials (person_id, phc, changed_at)
             select $1, $9, $5 where $9 is not null",
        )
        .bind(new.id.uuid())
        .bind(new.handle.as_str())
        .bind(self.key.email(&new.email).as_slice())
        .bind(new.phone.as_ref().map(|phone| self.key.phone(phone).to_vec()))
        .bind(new.at)
        .bind(new.email_is_proved)
        .bind(&names)
        .bind(&sealed)
        .bind(new.password.as_ref().map(PasswordHash::expose))
        .execute(&self.pool)
        .await;
        made.map(drop).map_err(taken_or)
    }

    async fn person(&self, row: &PgRow) -> Result<Person, PeopleError> {
        let id = PersonId::from_uuid(row.try_get("id")?);
        let owner = owner(id)?;
        let (name, email): (Vec<u8>, Vec<u8>) = (row.try_get(NAME)?, row.try_get(EMAIL)?);
        let phone: Option<Vec<u8>> = row.try_get(PHONE)?;
        let mut sealed = vec![(&owner, NAME, &*name), (&owner, EMAIL, &*email)];
        sealed.extend(phone.as_ref().map(|phone| (&owner, PHONE, phone.as_slice())));
        let mut opened = self.vault.open_all(&sealed).await?.into_iter();
        let mut next = || opened.next().unwrap_or(Err(VaultError::Tampered));
        let tier: Option<String> = row.try_get("wallet_tier")?;
        Ok(Person {
            id,
            name: parsed(next(), NAME)?,
            email: parsed(next(), EMAIL)?,
            phone: phone.is_some().then(|| parsed(next(), PHONE)).transpose()?,
            handle: handle(row)?,
            status: status(row)?,
            email_verified_at: row.try_get("email_verified_at")?,
            phone_verified_at: row.try_get("phone_verified_at")?,
            kyc_at: row.try_get("kyc_at")?,
            created_at: row.try_get("created_at")?,
            wallet_opened_at: row.try_get("wallet_opened_at")?,
            wallet_tier: tier
                .map(|tier| tier.parse().map_err(|_| PeopleError::Malformed("wallet_tier")))
                .transpose()?,
        })
    }

    async fn opened_faces(&self, rows: &[PgRow]) -> Result<Vec<PublicFace>, PeopleError> {
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let id = PersonId::from_uuid(row.try_get("id")?);
            let sealed: Vec<u8> = row.try_get("sealed")?;
            found.push((id, owner(id)?, handle(row)?, sealed));
        }
        let sealed: Vec<(&Owner, &str, &[u8])> =
            found.iter().map(|(_, owner, _, sealed)| (owner, NAME, sealed.as_slice())).collect();
        let opened = self.vault.open_all(&sealed).await?;
        let mut faces = Vec::with_capacity(found.len());
        for ((id, _, handle, _), name) in found.into_iter().zip(opened) {
            match parsed(name, NAME) {
                Ok(name) => faces.push(PublicFace { id, handle, name }),
                Err(PeopleError::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(faces)
    }
}

/// A clash of names, by the constraint that found it.
pub(super) fn taken_or(error: sqlx::Error) -> PeopleError {
    match error.as_database_error().and_then(|error| error.constraint()) {
        Some("people_handle_key") => PeopleError::HandleTaken,
        Some("people_email_key") => PeopleError::EmailTaken,
        _ => error.into(),
    }
}

pub(super) fn owner(id: PersonId) -> Result<Owner, PeopleError> {
    id.owner().map_err(|_| PeopleError::Malformed("id"))
}

fn handle(row: &PgRow) -> Result<Handle, PeopleError> {
    let handle: &str = row.try_get("handle")?;
    // Words that are reserved later stay with those who have them.
    Handle::stored(handle).ok_or(PeopleError::Malformed("handle"))
}

fn status(row: &PgRow) -> Result<Status, PeopleError> {
    Status::parse(row.try_get("status")?).ok_or(PeopleError::Malformed("status"))
}

fn parsed<T: std::str::FromStr>(
    opened: Result<Vec<u8>, VaultError>,
    field: &'static str,
) -> Result<T, PeopleError> {
    let text = String::from_utf8(opened?).map_err(|_| PeopleError::Malformed(field))?;
    text.parse().map_err(|_| PeopleError::Malformed(field))
}

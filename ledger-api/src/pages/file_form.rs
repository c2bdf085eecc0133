//! A form with a file, from somebody who is signed in: checked as every form is, and bounded.

use axum::{
    extract::{
        DefaultBodyLimit, FromRequest, FromRequestParts, Multipart, Request, multipart::Field,
    },
    response::{IntoResponse as _, Response},
};
use bytes::{Bytes, BytesMut};
use tokio::time::timeout;

use super::Visitor;
use crate::{
    http::{
        ApiState, Problem, codes,
        json::BODY_TIMEOUT,
        session::{SignedIn, check_csrf},
    },
    sessions::csrf,
};

/// The longest of the other fields.
const FIELD_BYTES_MAX: usize = 4_096;
/// A form that is larger than its file may be is read to its end, up to so many times: only who has
/// sent all of it reads what is answered.
const READ_TIMES: usize = 5;

/// Who can send one.
pub(crate) trait Sender: FromRequestParts<ApiState, Rejection = Response> + Send {
    /// Who it is.
    fn who(&self) -> &SignedIn;
}

impl Sender for Visitor {
    fn who(&self) -> &SignedIn {
        &self.who
    }
}

/// A form with one file of at most `BYTES_MAX` bytes.
pub(crate) struct FileForm<V, const BYTES_MAX: usize> {
    /// Who sent it.
    pub(crate) visitor: V,
    /// The fields, without the token.
    fields: Vec<(String, String)>,
    /// The file; empty if none was chosen, nothing if it is larger.
    pub(crate) file: Option<Bytes>,
}

impl<V, const BYTES_MAX: usize> FileForm<V, BYTES_MAX> {
    /// The value of a field; empty if there is none.
    pub(crate) fn of(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(field, _)| field == name);
        field.map_or("", |(_, value)| value.trim())
    }
}

impl<V: Sender, const BYTES_MAX: usize> FromRequest<ApiState> for FileForm<V, BYTES_MAX> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = V::from_request_parts(&mut parts, state).await?;
        let headers = parts.headers.clone();
        let mut request = Request::from_parts(parts, body);
        let most = BYTES_MAX.saturating_mul(READ_TIMES).saturating_add(FIELD_BYTES_MAX * 8);
        DefaultBodyLimit::max(most).apply(&mut request);
        let read = timeout(BODY_TIMEOUT, read(request, state, BYTES_MAX)).await;
        let read = read.map_err(|_| too_slow()).flatten();
        let Read { mut fields, file } = read.map_err(Problem::into_response)?;
        let tokens = fields.iter().filter(|(name, _)| name == csrf::FIELD);
        let tokens: Vec<&str> = tokens.map(|(_, value)| value.as_str()).collect();
        // Two of them are none: it would be a guess which one counts.
        let token = if let [one] = tokens.as_slice() { *one } else { "" };
        check_csrf(&headers, state, &visitor.who().session, Some(token))
            .map_err(Problem::into_response)?;
        fields.retain(|(name, _)| name != csrf::FIELD);
        Ok(Self { visitor, fields, file })
    }
}

struct Read {
    fields: Vec<(String, String)>,
    file: Option<Bytes>,
}

fn too_slow() -> Problem {
    Problem::new(codes::REQUEST_TIMEOUT, "The file did not arrive in time.")
}

fn broken(text: &str) -> Problem {
    Problem::new(codes::INVALID, format!("The form is not valid: {text}."))
}

async fn read(request: Request, state: &ApiState, bytes_max: usize) -> Result<Read, Problem> {
    let form = Multipart::from_request(request, state).await;
    let mut form = form.map_err(|error| broken(&error.body_text()))?;
    let mut read = Read { fields: Vec::new(), file: Some(Bytes::new()) };
    while let Some(field) = form.next_field().await.map_err(|e| broken(&e.body_text()))? {
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_some() {
            read.file = at_most(field, bytes_max).await?;
            continue;
        }
        let value = at_most(field, FIELD_BYTES_MAX).await?;
        let value = value.ok_or_else(|| broken(&format!("{name} is too long")))?;
        let text = String::from_utf8(value.to_vec());
        read.fields.push((name, text.map_err(|_| broken("text that is none"))?));
    }
    Ok(read)
}

/// The bytes of a field; nothing if there are more. All of it is read, and no more than that kept.
async fn at_most(mut field: Field<'_>, bytes_max: usize) -> Result<Option<Bytes>, Problem> {
    let mut kept = Some(BytesMut::new());
    while let Some(chunk) = field.chunk().await.map_err(|e| broken(&e.body_text()))? {
        kept = kept.filter(|kept| kept.len().saturating_add(chunk.len()) <= bytes_max);
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(&chunk);
        }
    }
    Ok(kept.map(BytesMut::freeze))
}

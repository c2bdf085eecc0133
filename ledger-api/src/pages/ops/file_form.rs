//! A form with a file, from somebody at the desk: checked as every form is, and bounded.

use axum::{
    extract::{FromRequest, FromRequestParts as _, Multipart, Request},
    response::{IntoResponse as _, Response},
};

use super::OpsVisitor;
use crate::{
    http::{ApiState, Problem, codes, session::check_csrf},
    sessions::csrf,
    statements::FILE_BYTES_MAX,
};

/// The longest of the other fields.
const FIELD_BYTES_MAX: usize = 4_096;

/// A form with one file.
pub(super) struct FileForm {
    /// Who sent it.
    pub(super) visitor: OpsVisitor,
    /// The fields, without the token.
    fields: Vec<(String, String)>,
    /// The file.
    pub(super) bytes: Vec<u8>,
}

impl FileForm {
    /// The value of a field; empty if there is none.
    pub(super) fn of(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(field, _)| field == name);
        field.map_or("", |(_, value)| value.trim())
    }
}

impl FromRequest<ApiState> for FileForm {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = OpsVisitor::from_request_parts(&mut parts, state).await?;
        let headers = parts.headers.clone();
        let mut request = Request::from_parts(parts, body);
        let limit = axum::extract::DefaultBodyLimit::max(FILE_BYTES_MAX + FIELD_BYTES_MAX * 8);
        limit.apply(&mut request);
        let read = read(request, state).await.map_err(Problem::into_response)?;
        let (mut fields, bytes) = read;
        let tokens = fields.iter().filter(|(name, _)| name == csrf::FIELD);
        let tokens: Vec<&str> = tokens.map(|(_, value)| value.as_str()).collect();
        // Two of them are none: it would be a guess which one counts.
        let token = if let [one] = tokens.as_slice() { *one } else { "" };
        check_csrf(&headers, state, &visitor.who.session, Some(token))
            .map_err(Problem::into_response)?;
        fields.retain(|(name, _)| name != csrf::FIELD);
        Ok(Self { visitor, fields, bytes })
    }
}

type Fields = (Vec<(String, String)>, Vec<u8>);

async fn read(request: Request, state: &ApiState) -> Result<Fields, Problem> {
    let broken =
        |text: String| Problem::new(codes::INVALID, format!("The form is not valid: {text}."));
    let form = Multipart::from_request(request, state).await;
    let mut form = form.map_err(|error| broken(error.body_text()))?;
    let (mut fields, mut bytes) = (Vec::new(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(|e| broken(e.body_text()))? {
        let name = field.name().unwrap_or_default().to_owned();
        let is_file = field.file_name().is_some();
        let read = field.bytes().await.map_err(|error| broken(error.body_text()))?;
        if is_file {
            bytes = read.to_vec();
        } else if read.len() > FIELD_BYTES_MAX {
            return Err(broken(format!("{name} is too long")));
        } else {
            let text = String::from_utf8(read.to_vec());
            fields.push((name, text.map_err(|_| broken("text that is none".to_owned()))?));
        }
    }
    Ok((fields, bytes))
}

//! `/app/scan`: from a picture of a QR code to where it leads: the page where shops are paid, or
//! sending to whoever it is of. The server reads the picture, so it takes no script and no browser
//! of a kind; a script may read it first, and then sends what it says instead.

use askama::Template;
use axum::{http::StatusCode, response::Response};

use super::send;
use crate::{
    entry::throttle,
    http::{Problem, problem::sentence},
    pages::{FormErrors, Layout, Nav, Visitor, file_form::FileForm, respond},
    people::Rate,
    qr::{PICTURE_BYTES_MAX, QrError},
};

/// The name of the field with the picture.
pub(super) const FIELD: &str = "picture";

#[derive(Template)]
#[template(path = "app/scan.html")]
struct ScanView {
    layout: Layout,
    errors: FormErrors,
}

/// The form.
pub(super) async fn page(visitor: Visitor) -> Response {
    show(&visitor, FormErrors::none())
}

fn show(visitor: &Visitor, errors: FormErrors) -> Response {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = ScanView { layout: visitor.layout("Scan a code", Nav::Move), errors };
    respond::page_with(status, &view)
}

/// Reads the picture and goes on from what it says, as if that had been pasted.
pub(super) async fn read(form: FileForm<Visitor, PICTURE_BYTES_MAX>) -> Result<Response, Problem> {
    let visitor = &form.visitor;
    throttle(&visitor.state, Rate::PICTURE, visitor.who.person.id.uuid().as_bytes()).await?;
    let said = match form.file {
        Some(picture) if picture.is_empty() => Err("Choose a picture of a QR code.".to_owned()),
        Some(picture) => visitor.state.qr.read(picture).await.map_err(words),
        None => Err(words(QrError::TooManyBytes)),
    };
    let said = match said {
        Ok(said) => said,
        Err(text) => return Ok(show(visitor, FormErrors::one(FIELD, text))),
    };
    let gone_on = send::scanned(visitor, said).await?;
    Ok(gone_on.unwrap_or_else(|errors| show(visitor, errors)))
}

fn words(error: QrError) -> String {
    sentence(&error.to_string())
}

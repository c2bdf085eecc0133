//! `/v1/qr-codes/read`: what a code says and what that means here, from a picture or from its text.

use axum::{
    extract::{FromRequest as _, Request},
    http::header,
};
use bytes::Bytes;
use ledger_core::ids::PaymentRequestId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    entry::throttle,
    http::{
        Problem, codes,
        json::{Payload, collect},
        problem::sentence,
        reach::Reaching as _,
        reply::Reply,
        wire::Amount,
        writer::Writer,
    },
    links::{OurLink, PAY_PAGE},
    people::{Rate, Recipient},
    qr::{Meaning, PICTURE_BYTES_MAX, QrError},
    transfers::RecipientIn,
};

/// What a code says, where whoever asks has read it themselves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QrCodeInput)]
struct TextIn {
    /// The text.
    #[schema(example = "upi://pay?pa=chai@bahi&am=120.00&cu=INR")]
    text: String,
}

/// What a code leads to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// To a shop: `link` goes to `POST /v1/payments`.
    Shop,
    /// To what a shop asks for: `request` goes there.
    PaymentRequest,
    /// To somebody: `to` goes to `POST /v1/transfers`, after `GET /v1/recipients/lookup`.
    Person,
    /// Nowhere from here: a payee of another bank, or no code of payments at all.
    Other,
}

/// What a code says and what that means here.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QrCode)]
pub(super) struct CodeOut {
    /// Always `qr_code`.
    #[schema(example = "qr_code")]
    object: &'static str,
    /// What the code says, to the letter.
    text: String,
    /// `shop`, `payment_request`, `person` or `other`.
    kind: Kind,
    /// Of a shop: what to pay by.
    link: Option<String>,
    /// Of what a shop asks for: its id.
    #[schema(value_type = Option<String>)]
    request: Option<PaymentRequestId>,
    /// Of a person: whom to send to.
    to: Option<RecipientIn>,
    /// How much, if the code says so.
    amount: Option<Amount>,
    /// What for, if the code of a person says so.
    note: Option<String>,
    /// Of `other`: why nothing can be paid by it here.
    detail: Option<String>,
}

impl CodeOut {
    fn of(text: String, page: &str) -> Self {
        let mut code = Self {
            object: "qr_code",
            kind: Kind::Other,
            link: None,
            request: None,
            to: None,
            amount: None,
            note: None,
            detail: None,
            text,
        };
        match Meaning::of(&code.text, page) {
            Ok(Meaning::Shop { link, amount }) => {
                code.kind = Kind::Shop;
                code.link = Some(link);
                code.amount = amount.map(Amount::from);
            }
            Ok(Meaning::Request(id)) => {
                code.kind = Kind::PaymentRequest;
                code.request = Some(id);
            }
            Ok(Meaning::Person(OurLink { to, amount, note })) => {
                code.kind = Kind::Person;
                code.to = Some(named(to));
                code.amount = amount.map(Amount::from);
                code.note = note;
            }
            Ok(Meaning::Elsewhere) => {
                code.detail = Some("This is a UPI code of another bank.".to_owned());
            }
            Err(error) => code.detail = Some(sentence(&error.to_string())),
        }
        code
    }
}

fn named(to: Recipient) -> RecipientIn {
    let mut named = RecipientIn::default();
    match to {
        Recipient::Handle(handle) => named.handle = Some(handle.to_string()),
        Recipient::Phone(phone) => named.phone = Some(phone.expose().to_owned()),
        Recipient::Id(id) => named.id = Some(id.to_string()),
    }
    named
}

/// Read a QR code
///
/// Of a picture (`image/png` or `image/jpeg`, at most 5 MB) or of the text that a code is known to
/// say (`application/json`): what it says, and what can be paid by it here. Nothing is moved and no
/// picture kept. A code of ours that is damaged, one of another bank and one of no payment are
/// `other`, with the reason in `detail`.
#[utoipa::path(
    post,
    path = "/v1/qr-codes/read",
    tag = "Wallet",
    request_body(content(
        (TextIn = "application/json", example = json!({
            "text": "upi://pay?pa=chai@bahi&pn=Chai%20Point&am=120.00&cu=INR"})),
        (String = "image/png"),
        (String = "image/jpeg"),
    )),
    responses((status = 200, description = "What it says and means.", body = CodeOut,
        example = json!({
            "object": "qr_code", "kind": "shop",
            "text": "upi://pay?pa=chai@bahi&pn=Chai%20Point&am=120.00&cu=INR",
            "link": "upi://pay?pa=chai@bahi&pn=Chai%20Point&am=120.00&cu=INR", "request": null,
            "to": null, "amount": {"value": "120.00", "currency": "INR"}, "note": null,
            "detail": null}))),
)]
pub(super) async fn read(writer: Writer, request: Request) -> Result<Reply<CodeOut>, Problem> {
    let person = writer.caller.person(crate::transfers::WRITE)?;
    throttle(&writer.state, Rate::PICTURE, person.uuid().as_bytes()).await?;
    let stated = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = stated.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let text = match essence.as_str() {
        "image/png" | "image/jpeg" => {
            let picture: Bytes = collect(request, PICTURE_BYTES_MAX).await?;
            writer.state.qr.read(picture).await?
        }
        "application/json" => {
            let payload: Payload = Payload::from_request(request, &writer.state).await?;
            payload.parse::<TextIn>()?.text
        }
        _ => {
            let detail = "Send a picture as image/png or image/jpeg, or its text as \
                          application/json.";
            return Err(Problem::new(codes::UNSUPPORTED_MEDIA_TYPE, detail));
        }
    };
    let page = writer.state.people_settings.link(PAY_PAGE);
    Ok(Reply::ok(CodeOut::of(text, &page)))
}

impl From<QrError> for Problem {
    fn from(error: QrError) -> Self {
        let code = match error {
            QrError::TooManyBytes => codes::TOO_LARGE,
            QrError::NotAPicture | QrError::Damaged | QrError::TooManyPixels => {
                codes::PICTURE_INVALID
            }
            QrError::NoCode => codes::QR_CODE_NOT_FOUND,
            QrError::Several => codes::QR_CODES_SEVERAL,
            QrError::Busy => codes::OVERLOADED,
        };
        let problem = Self::new(code, sentence(&error.to_string()));
        if error == QrError::Busy { problem.retry_after(1) } else { problem }
    }
}

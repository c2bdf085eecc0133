//! Making, changing and ending endpoints.

use axum::http::{HeaderMap, header};

use super::{
    body::{EndpointChange, EndpointIn, EndpointOut, Wanted},
    whose::{Whose, own, whose, whose_to_read},
};
use crate::{
    hooks_out::{
        Change, CreateError, Created, EndpointId, EventTypes, NewEndpoint, Opened, RotateError,
        guard::Outreach,
    },
    http::{
        ApiState, Problem, codes,
        idempotency::{self, Key},
        json::Payload,
        path::Id,
        problem::sentence,
        reply::Reply,
        writer::Writer,
    },
};

const DESCRIPTION_CHARS_MAX: usize = 200;

/// Create a webhook endpoint
///
/// It gets what happens from now on. Its secret is in this answer and in no other: keep it. It also
/// needs the scope `ledger:read`, since what is sent shows what may be read.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints",
    tag = "Webhooks",
    request_body(content = EndpointIn, example = json!({
        "url": "https://shop.example/bahi", "event_types": ["withdrawal.completed"]})),
    responses((status = 201, description = "It was made.", body = EndpointOut)),
)]
pub(super) async fn create(
    writer: Writer,
    Key(key): Key,
    payload: Payload,
) -> Result<Reply<EndpointOut>, Problem> {
    let whose = whose_to_read(&writer.caller)?;
    let body: EndpointIn = payload.parse()?;
    let created = make(&writer.state, whose, Key(key), &body).await?;
    let location = format!("/v1/webhook-endpoints/{}", created.endpoint.id);
    let out = EndpointOut::of(created.endpoint, created.secret.as_ref());
    Ok(Reply::created(out, &location).replayed(created.replayed))
}

/// Makes an endpoint.
pub(crate) async fn make(
    state: &ApiState,
    Whose { owner, account_prefix }: Whose,
    Key(key): Key,
    body: &EndpointIn,
) -> Result<Created, Problem> {
    let (url, event_types) = (checked_url(state, &body.url)?, types(&body.event_types)?);
    check_description(&body.description)?;
    let secret = &state.fingerprint_key;
    let new = NewEndpoint {
        id: EndpointId::from_uuid(state.ids.fresh()),
        secret_id: state.ids.fresh(),
        owner,
        account_prefix,
        url,
        description: body.description.clone(),
        event_types,
        position: state.ledger.status().borrow().head.position,
        at: state.clock.now(),
        idempotency: idempotency::bind(secret, key, "create_webhook_endpoint", &[], body)?,
    };
    state.webhook_endpoints.create(&new).await.map_err(|error| match error {
        CreateError::KeyReused => {
            Problem::new(codes::IDEMPOTENCY_KEY_REUSED, "The key came with another request.")
        }
        CreateError::Seal(error) => Problem::internal(&error),
        CreateError::Database(error) => error.into(),
    })
}

/// Change a webhook endpoint
///
/// What is left out stays. Enabling it sends all that did not arrive, from the beginning of the
/// schedule.
#[utoipa::path(
    patch,
    path = "/v1/webhook-endpoints/{id}",
    tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint")),
    request_body(content = EndpointChange, example = json!({
        "description": "The till", "status": "enabled"})),
    responses((status = 200, description = "As it is now.", body = EndpointOut)),
)]
pub(super) async fn change(
    writer: Writer,
    Id(id): Id<EndpointId>,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Reply<EndpointOut>, Problem> {
    let whose = whose_to_read(&writer.caller)?;
    let body: EndpointChange = payload.parse()?;
    let state = &writer.state;
    let known = own(state, &whose, id).await?;
    let wanted = headers.get(header::IF_MATCH).filter(|wanted| *wanted != "*");
    if wanted.is_some_and(|wanted| *wanted != known.tag()) {
        return Err(changed_meanwhile());
    }
    check_description(body.description.as_deref().unwrap_or_default())?;
    let change = Change {
        url: body.url.as_deref().map(|url| checked_url(state, url)).transpose()?,
        description: body.description,
        event_types: body.event_types.as_deref().map(types).transpose()?,
        enabled: body.status.map(|status| status == Wanted::Enabled),
    };
    let change = (&change, wanted.map(|_| &known));
    if !state.webhook_endpoints.change(id, change, state.clock.now()).await? {
        return Err(changed_meanwhile());
    }
    let endpoint = own(state, &whose, id).await?;
    let tag = endpoint.tag();
    Ok(Reply::ok(EndpointOut::of(endpoint, None)).tagged(&tag))
}

fn changed_meanwhile() -> Problem {
    Problem::new(codes::PRECONDITION_FAILED, "Read the endpoint again: it is another one by now.")
}

/// Delete a webhook endpoint
///
/// Nothing more is sent to it; its secrets and its deliveries are gone.
#[utoipa::path(
    delete,
    path = "/v1/webhook-endpoints/{id}",
    tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint")),
    responses((status = 200, description = "As it was.", body = EndpointOut)),
)]
pub(super) async fn delete(
    writer: Writer,
    Id(id): Id<EndpointId>,
) -> Result<Reply<EndpointOut>, Problem> {
    let whose = whose(&writer.caller)?;
    let mut endpoint = own(&writer.state, &whose, id).await?;
    writer.state.webhook_endpoints.delete(id).await?;
    endpoint.status = crate::hooks_out::EndpointStatus::Deleted;
    endpoint.public_key = None;
    Ok(Reply::ok(EndpointOut::of(endpoint, None)))
}

/// Rotate the secret of a webhook endpoint
///
/// The new secret is in this answer and in no other. For 24 hours everything is signed with the
/// secret before as well; so change it in the receiver within that time, and nothing is refused.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/rotate",
    tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint")),
    responses((status = 200, description = "With its new secret.", body = EndpointOut)),
)]
pub(super) async fn rotate(
    writer: Writer,
    Id(id): Id<EndpointId>,
) -> Result<Reply<EndpointOut>, Problem> {
    let whose = whose_to_read(&writer.caller)?;
    let state = &writer.state;
    own(state, &whose, id).await?;
    let secret = rotated(state, id).await?;
    Ok(Reply::ok(EndpointOut::of(own(state, &whose, id).await?, Some(&secret))))
}

/// Gives an endpoint a new secret.
pub(crate) async fn rotated(state: &ApiState, id: EndpointId) -> Result<Opened, Problem> {
    let rotated = state.webhook_endpoints.rotate(id, state.ids.fresh(), state.clock.now()).await;
    rotated.map_err(|error| match error {
        RotateError::TooMany => {
            Problem::new(codes::WEBHOOK_SECRETS_TOO_MANY, sentence(&error.to_string()))
        }
        RotateError::Seal(error) => Problem::internal(&error),
        RotateError::Database(error) => error.into(),
    })
}

fn checked_url(state: &ApiState, url: &str) -> Result<String, Problem> {
    let outreach = if state.demo { Outreach::PublicAndLoopback } else { Outreach::Public };
    let checked = outreach.check(url);
    checked
        .map(String::from)
        .map_err(|error| Problem::field(codes::WEBHOOK_URL_REFUSED, "/url", error.to_string()))
}

fn types(names: &[String]) -> Result<EventTypes, Problem> {
    EventTypes::of(names).map_err(|error| {
        let detail = sentence(&error.to_string());
        Problem::field(codes::EVENT_TYPE_UNKNOWN, "/event_types", detail)
    })
}

fn check_description(text: &str) -> Result<(), Problem> {
    let fits = text.chars().count() <= DESCRIPTION_CHARS_MAX;
    if fits && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let detail = format!("At most {DESCRIPTION_CHARS_MAX} characters, and no control characters.");
    Err(Problem::field(codes::INVALID, "/description", detail))
}

//! Going to a provider.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{RATE, browser, remember, said};
use crate::{
    entry::{Arrival, throttle},
    http::{ApiState, Problem, query::Params, return_to::local},
    logins::{Aim, BrowserSecret, Provider},
    pages::PageContext,
};

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    return_to: Option<String>,
}

/// Sends the browser to the provider.
pub(super) async fn start(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    Params(asked): Params<Asked>,
    headers: HeaderMap,
    arrival: Arrival,
    context: PageContext,
) -> Result<Response, Problem> {
    let provider = state.logins.provider(&name).ok_or_else(said::no_provider)?;
    throttle(&state, RATE, &arrival.client.counted()).await?;
    let return_to = local(asked.return_to.as_deref().unwrap_or_default());
    Ok(sent(&state, provider, &headers, (return_to, Aim::SignIn), &context).await)
}

/// 303 to the provider, with what must come back from there.
pub(super) async fn sent(
    state: &ApiState,
    provider: &Provider,
    headers: &HeaderMap,
    wanted: (&str, Aim),
    context: &PageContext,
) -> Response {
    // Logins in several tabs share the cookie; each has a state of its own.
    let browser = match browser(headers).map_or_else(BrowserSecret::fresh, Ok) {
        Ok(browser) => browser,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let now = state.sessions.now();
    let begun = state.logins.begin(provider, &browser, wanted, now).await;
    let location = begun.map(HeaderValue::try_from);
    match location {
        Ok(Ok(location)) => {
            let mut response =
                (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
            remember(&mut response, &browser);
            response
        }
        Ok(Err(error)) => Problem::internal(&error).into_response(),
        Err(error) => said::failed(context, provider, &error),
    }
}

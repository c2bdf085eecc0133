//! Query parameters: typed, and an unknown one is an error, since a filter that is silently
//! ignored shows somebody more than they asked for.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::{Deserialize, de::DeserializeOwned};

use super::{ApiState, Problem, json::named_field};

/// The query of a request as a `T`.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

/// A query without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

impl<T: DeserializeOwned + Send> FromRequestParts<ApiState> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let deserializer = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let message = error.inner().to_string();
        let path = error.path().to_string();
        let name = named_field(&message).unwrap_or(path.trim_matches('.'));
        Problem::parameter(name, format!("{message}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Eq)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        limit: Option<u32>,
        owner: Option<String>,
    }

    #[test]
    fn case_164_unknown_twice_given_and_ill_typed_parameters_are_refused() {
        let good: Filter = parse("limit=3&owner=a%20b").unwrap();
        assert_eq!(good.owner.as_deref(), Some("a b"));
        for (bad, pointer) in [
            ("limit=-1", "?limit"),
            ("limit=1e9", "?limit"),
            ("limit=", "?limit"),
            ("nope=1", "?nope"),
            ("limit=1&limit=2", "?limit"),
        ] {
            let problem = parse::<Filter>(bad).unwrap_err();
            assert_eq!(problem.status(), 422, "{bad}");
            assert_eq!(problem.body().errors[0].pointer, pointer, "{bad}");
        }
    }
}

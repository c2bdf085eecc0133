//! The OpenAPI document: made from the handlers, completed by what all of them share.
//!
//! `docs/openapi.json` is the committed snapshot; a test compares it with this, so that a change
//! of the contract is seen in a review.

use std::collections::BTreeMap;

use utoipa::{
    OpenApi as _,
    openapi::{
        HttpMethod, OpenApi, PathItem, RefOr, Required,
        content::ContentBuilder,
        header::HeaderBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        response::ResponseBuilder,
        schema::{ObjectBuilder, Ref, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::http::problem::ProblemBody;

/// What the operations answered when their examples were executed, by `operation status`. Written
/// and checked by the integration test that executes them.
const EXAMPLES: &str = include_str!("examples.json");
/// What the operations answer that take a session; held against their answers by the tests of
/// people.
const EXAMPLES_OF_PEOPLE: &str = include_str!("people/examples.json");
/// The same of what people see of their wallets.
const EXAMPLES_OF_WALLETS: &str = include_str!("wallet/examples.json");
/// The same of payments to shops.
const EXAMPLES_OF_PAYMENTS: &str = include_str!("payments/examples.json");

const DESCRIPTION: &str = "An event-sourced double-entry ledger. docs/api.md has the conventions: \
    idempotency keys, money, positions, errors, scopes.";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Bahi", description = DESCRIPTION, license(name = "Apache-2.0")),
    components(schemas(ProblemBody)),
    tags(
        (name = "Accounts", description = "Who has what."),
        (name = "Transactions", description = "Balanced sets of legs."),
        (name = "Holds", description = "Amounts that cannot be spent for now."),
        (name = "Deposits", description = "Money on its way in from a bank."),
        (name = "Withdrawals", description = "Money on its way out to a bank account."),
        (name = "Bank accounts", description = "Whom money may be sent to."),
        (name = "Payments", description = "Money from wallets to shops, and back."),
        (name = "Banks", description = "Who sends money."),
        (name = "Wallet", description = "What people see of their own."),
        (name = "Operators", description = "What people who run the service see and decide."),
        (name = "Reconciliation", description = "What banks state, beside our books."),
        (name = "People", description = "Who signs up, logs in and leaves, by their session."),
        (name = "Book", description = "Currencies, periods and the trial balance."),
        (name = "Audit", description = "What auditors and accountants read."),
        (name = "Log", description = "What happened, in order, for ever."),
        (name = "Operation", description = "Health and metrics."),
    )
)]
struct Frame;

/// The document as JSON, as it is served and committed.
pub(crate) fn document() -> Result<String, serde_json::Error> {
    let mut text = build().to_pretty_json()?;
    text.push('\n');
    Ok(text)
}

/// The document.
pub(super) fn build() -> OpenApi {
    let (_, handlers) = super::documented().split_for_parts();
    let mut api = Frame::openapi();
    api.merge(handlers);
    if let Some(components) = &mut api.components {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("bahi_…");
        let scheme = SecurityScheme::Http(bearer.build());
        components.add_security_scheme("key", scheme);
    }
    let mut examples: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(EXAMPLES).unwrap_or_default();
    for more in [EXAMPLES_OF_PEOPLE, EXAMPLES_OF_WALLETS, EXAMPLES_OF_PAYMENTS] {
        let more: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(more).unwrap_or_default();
        examples.extend(more);
    }
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            complete(path, &method, operation);
            put_examples(operation, &examples);
        }
    }
    api
}

/// Puts the examples of answers where they belong.
fn put_examples(operation: &mut Operation, examples: &BTreeMap<String, serde_json::Value>) {
    let Some(id) = &operation.operation_id else {
        return;
    };
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && let Some(example) = examples.get(&format!("{id} {status}"))
            && let Some(RefOr::T(content)) = response.content.get_mut("application/json")
        {
            content.example = Some(example.clone());
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let all = [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Patch, item.patch.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation?)))
}

/// What every operation of a kind has: the key, the headers, the problems.
fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    operation.operation_id = Some(operation_id(path, method));
    if !path.starts_with("/v1/") {
        return;
    }
    let security = SecurityRequirement::new::<_, [&str; 0], &str>("key", []);
    operation.security = Some(vec![security]);
    let reads = *method == HttpMethod::Get;
    // What is the same done twice needs no key.
    let keyless = is_about_oneself(path)
        || path == "/v1/withdrawal-quotes"
        || path == "/v1/statement-files"
        || path == "/v1/qr-codes/read"
        || path == "/v1/audit/openings"
        || path.starts_with("/v1/bank-accounts/{id}")
        || path.starts_with("/v1/ops/banks/")
        || path.starts_with("/v1/ops/inbound/")
        || path.ends_with("/reports")
        || path.starts_with("/v1/ops/reports/")
        || path.starts_with("/v1/ops/withdrawals/{id}/resolutions/")
        || path == "/v1/ops/withdrawals/{id}/unblock";
    if !reads && !keyless {
        let parameters = operation.parameters.get_or_insert_default();
        parameters.push(RefOr::T(header_parameter(
            "Idempotency-Key",
            "1 to 255 visible ASCII characters. The same key with the same request gives the \
             same answer, however often it is sent.",
            path != "/v1/transactions",
        )));
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with('2')
        {
            let schema = ObjectBuilder::new().schema_type(Type::Integer);
            let header = HeaderBuilder::new()
                .schema(Some(schema.build()))
                .description(Some("The position of the log that the answer reflects."));
            response.headers.insert("Ledger-Position".to_owned(), header.build().into());
        }
    }
    let read_problems: &[&str] = &["400", "401", "403", "404", "422", "503"];
    let write_problems: &[&str] = &["400", "401", "403", "404", "413", "415", "422", "503"];
    for status in if reads { read_problems } else { write_problems } {
        let responses = &mut operation.responses.responses;
        if !responses.contains_key(*status) {
            responses.insert((*status).to_owned(), RefOr::T(problem(status)));
        }
    }
}

/// What people do with themselves (`people`): by their session, and nothing of it moves money.
fn is_about_oneself(path: &str) -> bool {
    ["/v1/signup", "/v1/login", "/v1/logout", "/v1/password", "/v1/sessions", "/v1/verifications"]
        .iter()
        .any(|start| path.starts_with(start))
        || path.starts_with("/v1/me/apps")
        || path.starts_with("/v1/me/logins")
        || ["/v1/me", "/v1/me/email", "/v1/me/phone", "/v1/me/close", "/v1/me/papers"]
            .contains(&path)
}

fn problem(status: &str) -> utoipa::openapi::Response {
    let said = match status {
        "400" => "The request is malformed: JSON, idempotency key or cursor.",
        "401" => "No valid API key.",
        "403" => "The key may not do this.",
        "404" => "There is nothing of this id.",
        "413" => "The body is too large.",
        "415" => "The body is not application/json.",
        "422" => "A field is not valid, or a rule of the ledger says no.",
        _ => "Not now; `retry` says how.",
    };
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemBody")));
    ResponseBuilder::new()
        .description(said)
        .content("application/problem+json", content.build())
        .build()
}

fn header_parameter(name: &str, description: &str, required: bool) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .description(Some(description))
        .required(if required { Required::True } else { Required::False })
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}

/// A stable name: `post_v1_holds_id_capture`.
fn operation_id(path: &str, method: &HttpMethod) -> String {
    let verb = if *method == HttpMethod::Post {
        "post"
    } else if *method == HttpMethod::Patch {
        "patch"
    } else if *method == HttpMethod::Delete {
        "delete"
    } else {
        "get"
    };
    let name = path.replace(['{', '}'], "").replace(['/', '-', '.'], "_");
    format!("{verb}{name}")
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_operation_has_examples() {
        let document: serde_json::Value = serde_json::from_str(&document().unwrap()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = format!("{method} {path}");
                let content = |of: &serde_json::Value| of["content"]["application/json"].clone();
                let body = &operation["requestBody"];
                assert!(body.is_null() || !content(body)["example"].is_null(), "{name}: request");
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let content = content(response);
                    let is_told = content.is_null() || !content["example"].is_null();
                    assert!(is_told || !status.starts_with('2'), "{name}: {status}");
                }
            }
        }
    }

    #[test]
    fn money_is_written_with_the_decimals_of_its_currency_in_every_example() {
        let document: serde_json::Value = serde_json::from_str(&document().unwrap()).unwrap();
        let mut seen = 0;
        let mut rest = vec![(String::new(), &document)];
        while let Some((path, value)) = rest.pop() {
            if let (Some(amount), Some(currency)) =
                (value["value"].as_str(), value["currency"].as_str())
            {
                let decimals = amount.split_once('.').map_or(0, |(_, decimals)| decimals.len());
                let scale = match currency {
                    "INR" | "USD" => 2,
                    "USDT" => 6,
                    other => panic!("{path}: what scale has {other}?"),
                };
                assert_eq!(decimals, scale, "{path}: {amount} {currency}");
                seen += 1;
            }
            let inside: Vec<_> = match value {
                serde_json::Value::Object(fields) => {
                    fields.iter().map(|(name, inner)| (format!("{path}/{name}"), inner)).collect()
                }
                serde_json::Value::Array(items) => {
                    items.iter().map(|inner| (format!("{path}/-"), inner)).collect()
                }
                serde_json::Value::Null
                | serde_json::Value::Bool(_)
                | serde_json::Value::Number(_)
                | serde_json::Value::String(_) => Vec::new(),
            };
            rest.extend(inside);
        }
        assert!(seen > 200, "{seen} amounts");
    }

    #[test]
    fn case_185_the_committed_document_is_what_the_code_serves() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
        let made = document().unwrap();
        if std::env::var_os("BAHI_UPDATE_SNAPSHOTS").is_some() {
            fs::write(&path, &made).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == made,
            "docs/openapi.json is not what the code serves; if the change is meant, run the test \
             with BAHI_UPDATE_SNAPSHOTS=1 and commit the file"
        );
    }
}

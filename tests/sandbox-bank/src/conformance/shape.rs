//! Checks of form: what is answered to questions, and to nonsense.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Checked, Stop,
    client::{Client, paise},
    money_out::order,
    require,
};

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str, Stop> {
    value
        .get(field)
        .and_then(Value::as_str)
        .ok_or_else(|| Stop::Fail(format!("expected text in {field}, saw {value}")))
}

fn list<'a>(value: &'a Value, field: &str) -> Result<&'a [Value], Stop> {
    value
        .get(field)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| Stop::Fail(format!("expected a list in {field}, saw {value}")))
}

pub(super) async fn health(bank: &Client) -> Checked {
    let health = bank.asked("v1/health").await?.ok()?;
    let status = text(&health, "status")?;
    require(["up", "degraded"].contains(&status), "up or degraded", status)
}

pub(super) async fn contract(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    require(text(&contract, "protocol")? == "1", "protocol 1", &contract)?;
    require(text(&contract, "currency")? == "INR", "currency INR", &contract)?;
    for field in ["bank", "name", "time_zone", "reference_pattern"] {
        text(&contract, field)?;
    }
    let field = text(&contract, "idempotency_field")?;
    require(field == "reference", "the idempotency field reference", field)?;
    let answers = text(&contract, "answers")?;
    require(["at_once", "later"].contains(&answers), "at_once or later", answers)?;
    for field in ["reference_unique_for_days", "rate_per_second"] {
        let number = contract.get(field).and_then(Value::as_u64).unwrap_or_default();
        require(number > 0, &format!("a number above zero in {field}"), &contract)?;
    }
    let enquiry = contract.get("enquiry").cloned().unwrap_or_default();
    for field in ["first_after_seconds", "at_most", "within_seconds"] {
        let holds = enquiry.get(field).is_some_and(Value::is_u64);
        require(holds, &format!("a number in enquiry.{field}"), &enquiry)?;
    }
    accounts(&contract)?;
    rails(&contract)?;
    codes(&contract)?;
    list(&contract, "simulates")?;
    Ok(())
}

fn accounts(contract: &Value) -> Checked {
    let accounts = list(contract, "accounts")?;
    for account in accounts {
        for field in ["name", "account_number", "ifsc"] {
            text(account, field)?;
        }
    }
    let has_escrow = accounts.iter().any(|a| a.get("name") == Some(&json!("escrow")));
    require(has_escrow, "an account named escrow", contract)
}

fn rails(contract: &Value) -> Checked {
    let rails = list(contract, "rails")?;
    require(!rails.is_empty(), "a rail", contract)?;
    for rail in rails {
        let name = text(rail, "rail")?;
        require(["imps", "neft", "rtgs", "upi"].contains(&name), "a known rail", name)?;
        for field in ["minimum", "maximum"] {
            match rail.get(field) {
                None => require(false, &format!("{field}, if only null"), rail)?,
                Some(Value::Null) => {}
                limit => drop(paise(limit)?),
            }
        }
        match rail.get("hours") {
            None => require(false, "hours, if only null", rail)?,
            Some(Value::Null) => {}
            Some(hours) => {
                for field in ["opens", "closes"] {
                    text(hours, field)?;
                }
            }
        }
        let certain = rail.get("final_within_seconds").is_some_and(Value::is_u64);
        require(certain, "a number in final_within_seconds", rail)?;
    }
    Ok(())
}

fn codes(contract: &Value) -> Checked {
    let mut seen = BTreeSet::new();
    for field in ["final_codes", "retryable_codes"] {
        for code in list(contract, field)? {
            let code = code.as_str().unwrap_or_default();
            require(!code.is_empty() && seen.insert(code), "each code once, in one list", code)?;
        }
    }
    Ok(())
}

pub(super) async fn token(bank: &Client) -> Checked {
    if !bank.has_token() {
        return Err(Stop::Skip("no token was given (--token)".to_owned()));
    }
    for (method, path) in [(Method::GET, "v1/contract"), (Method::POST, "v1/transfers")] {
        for shown in [None, Some("not-the-token"), Some("")] {
            let request = bank.plain(method.clone(), path).json(&json!({}));
            let request = match shown {
                Some(token) => request.bearer_auth(token),
                None => request,
            };
            let answer = bank.send(request, 65_536).await;
            let answer = answer.ok_or_else(|| Stop::Fail(format!("no answer from {path}")))?;
            require(answer.status == 401, "401", answer.told())?;
        }
    }
    Ok(())
}

pub(super) async fn unknown(bank: &Client) -> Checked {
    let answer = bank.enquire(&bank.reference("unknown")).await?;
    answer.is_problem(404, Some("not_found"))
}

/// Sends a body that must be refused with one of these, and not be remembered.
async fn refuses(bank: &Client, body: &Value, reference: &str, statuses: &[u16]) -> Checked {
    let answer = bank.given("v1/transfers", body).await?;
    require(statuses.contains(&answer.status), &format!("{statuses:?} for {body}"), answer.told())?;
    bank.enquire(reference).await?.is_problem(404, Some("not_found"))
}

pub(super) async fn malformed(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference("malformed");
    let good = order(&contract, &reference, "00")?;
    for field in ["reference", "amount", "rail", "beneficiary"] {
        for bad in [None, Some(Value::Null), Some(json!(7)), Some(json!(""))] {
            let mut body = good.clone();
            match (body.as_object_mut(), bad) {
                (Some(fields), None) => drop(fields.remove(field)),
                (Some(fields), Some(bad)) => drop(fields.insert(field.to_owned(), bad)),
                (None, _) => {}
            }
            refuses(bank, &body, &reference, &[422]).await?;
        }
    }
    let mut body = good.clone();
    body["surprise"] = json!(true);
    refuses(bank, &body, &reference, &[422]).await?;
    let twice = good.to_string().replacen('{', "{\"reference\":\"twice\",", 1);
    let request = bank.request(Method::POST, "v1/transfers");
    let request = request.header("content-type", "application/json").body(twice);
    let answer = bank.send(request, 65_536).await;
    answer
        .ok_or_else(|| Stop::Fail("no answer to a field twice".to_owned()))?
        .is_problem(422, None)?;
    for wrong in ["", "{", "[]x", "\u{0}"] {
        let request = bank.request(Method::POST, "v1/transfers");
        let request = request.header("content-type", "application/json").body(wrong);
        let answer = bank.send(request, 65_536).await;
        let answer = answer.ok_or_else(|| Stop::Fail("no answer to nonsense".to_owned()))?;
        answer.is_problem(400, None)?;
    }
    let request = bank.request(Method::POST, "v1/transfers");
    let request = request.header("content-type", "text/plain").body(good.to_string());
    let answer = bank.send(request, 65_536).await;
    answer.ok_or_else(|| Stop::Fail("no answer to text".to_owned()))?.is_problem(415, None)?;
    bank.enquire(&reference).await?.is_problem(404, Some("not_found"))
}

pub(super) async fn amounts(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference("amounts");
    let wrong = [
        "0",
        "0.00",
        "-1",
        "+1",
        "-0",
        "00",
        "01",
        "1.",
        ".1",
        "1e3",
        "1_000",
        "1,000",
        "0x10",
        "NaN",
        "Infinity",
        "",
        " 1",
        "1.234",
        "99999999999999999999999999",
    ];
    let wrong = wrong.map(|value| json!({ "value": value, "currency": "INR" }));
    let others = [
        json!({ "value": 1, "currency": "INR" }),
        json!({ "value": 1.0, "currency": "INR" }),
        json!({ "value": "1.00", "currency": "inr" }),
        json!({ "value": "1.00", "currency": "USD" }),
        json!({ "value": "1.00" }),
        json!("1.00"),
        json!(["1.00", "INR"]),
    ];
    for amount in wrong.iter().chain(&others) {
        let mut body = order(&contract, &reference, "00")?;
        body["amount"] = amount.clone();
        refuses(bank, &body, &reference, &[422]).await?;
    }
    Ok(())
}

pub(super) async fn too_large(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let mut body = order(&contract, &bank.reference("large"), "00")?;
    body["beneficiary"]["name"] = json!("A".repeat(100_000));
    // It may answer, or close the connection while we still send.
    if let Some(answer) = bank.post("v1/transfers", &body).await {
        require([413, 422].contains(&answer.status), "413", answer.told())?;
    }
    bank.asked("v1/health").await?.ok()?;
    bank.enquire(&bank.reference("large")).await?.is_problem(404, Some("not_found"))
}

pub(super) async fn name_check(bank: &Client) -> Checked {
    let asked = json!({
        "account_number": "001234567890", "ifsc": "TEST0000001", "name": "Asha Rao",
    });
    let answer = bank.given("v1/name-checks", &asked).await?.ok()?;
    let status = text(&answer, "status")?;
    require(["found", "closed", "not_found"].contains(&status), "a known status", &answer)?;
    let is_found = status == "found";
    let name = answer.get("registered_name").is_some_and(Value::is_string);
    require(name == is_found, "a name just if it is found", &answer)?;
    let matches = answer.get("match").and_then(Value::as_str);
    let known = matches.is_some_and(|m| ["exact", "close", "none"].contains(&m));
    require(known == is_found, "a match just if it is found", &answer)?;
    let answer = bank.given("v1/name-checks", &json!({ "ifsc": "TEST0000001" })).await?;
    answer.is_problem(422, None)
}

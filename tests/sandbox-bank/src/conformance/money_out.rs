//! Checks of payments: that what is asked happens once, and is told the same everywhere.

use serde_json::{Value, json};

use super::{
    Checked, Receiver, Stop,
    client::{Client, paise},
    require,
};

/// A transfer of some rupees and these paise, over a rail that takes it now.
pub(super) fn order(contract: &Value, reference: &str, hundredths: &str) -> Result<Value, Stop> {
    let rails = contract.get("rails").and_then(Value::as_array).map(Vec::as_slice);
    let awake = |rail: &&Value| rail.get("hours").is_some_and(Value::is_null);
    let Some(rail) = rails.unwrap_or_default().iter().find(awake) else {
        return Err(Stop::Skip("no rail is open day and night".to_owned()));
    };
    let minimum = rail.get("minimum").filter(|minimum| !minimum.is_null());
    let minimum = minimum.map_or(Ok(0), |minimum| paise(Some(minimum)))?;
    let rupees = (minimum / 100).saturating_add(7);
    Ok(json!({
        "reference": reference,
        "amount": { "value": format!("{rupees}.{hundredths}"), "currency": "INR" },
        "rail": rail.get("rail"),
        "beneficiary": {
            "account_number": "001234567890", "ifsc": "TEST0000001", "name": "ASHA RAO",
        },
    }))
}

/// An order that a test bank fails at in the way of these paise.
fn failing(contract: &Value, reference: &str, hundredths: &str) -> Result<Value, Stop> {
    let simulates = contract.get("simulates").and_then(Value::as_array);
    if simulates.is_none_or(|simulates| !simulates.contains(&json!(hundredths))) {
        return Err(Stop::Skip(format!("the bank does not simulate .{hundredths}")));
    }
    order(contract, reference, hundredths)
}

/// Whether it has the fields of a transfer, and is the one that was ordered.
fn is_of(transfer: &Value, order: &Value) -> Checked {
    let field = |name: &str| transfer.get(name);
    let same = field("reference") == order.get("reference") && field("rail") == order.get("rail");
    require(same, "the transfer that was ordered", transfer)?;
    let amounts = (paise(field("amount"))?, paise(order.get("amount"))?);
    require(amounts.0 == amounts.1, "the amount that was ordered", transfer)?;
    let status = field("status").and_then(Value::as_str).unwrap_or_default();
    let is_set = |name| field(name).is_some_and(Value::is_string);
    let paid = match status {
        "accepted" | "refused" => false,
        "paid" | "returned" => true,
        _ => return require(false, "a known status", transfer),
    };
    require(is_set("utr") == paid, "a utr just if it is paid", transfer)?;
    let has_id = is_set("bank_transaction_id");
    require(has_id == paid, "a bank_transaction_id just if it is paid", transfer)?;
    require(is_set("code") == (status == "refused"), "a code just if it is refused", transfer)?;
    require(is_set("accepted_at"), "accepted_at", transfer)?;
    require(is_set("settled_at") == (status != "accepted"), "settled_at once it is", transfer)?;
    let returned = field("returned").is_some_and(Value::is_object);
    require(returned == (status == "returned"), "returned just if it is", transfer)
}

/// Whether the statements have exactly one debit for the order, the one that the transfer names.
async fn is_booked_once(bank: &Client, transfer: &Value, order: &Value) -> Checked {
    let reference = order.get("reference").and_then(Value::as_str).unwrap_or_default();
    let lines = bank.lines(reference).await?;
    let debits: Vec<&Value> =
        lines.iter().filter(|line| line.get("direction") == Some(&json!("debit"))).collect();
    let [line] = debits.as_slice() else {
        let seen = format!("{} debits of {reference}", debits.len());
        return require(false, "one debit on the statement", seen);
    };
    for field in ["bank_transaction_id", "utr"] {
        let same = line.get(field) == transfer.get(field);
        require(same, &format!("the {field} of {transfer}"), line)?;
    }
    let same = paise(line.get("amount"))? == paise(order.get("amount"))?;
    require(same, "the amount that was ordered", line)
}

async fn submitted(bank: &Client, order: &Value) -> Result<Value, Stop> {
    let transfer = bank.given("v1/transfers", order).await?.ok()?;
    is_of(&transfer, order)?;
    Ok(transfer)
}

pub(super) async fn pays(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference("pays");
    let order = order(&contract, &reference, "00")?;
    let first = submitted(bank, &order).await?;
    let at_once = contract.get("answers") == Some(&json!("at_once"));
    let status = first.get("status").and_then(Value::as_str).unwrap_or_default();
    require(status == "paid" || !at_once, "an outcome at once, as the contract says", &first)?;
    let paid = bank.becomes(&reference, &["paid"]).await?;
    is_of(&paid, &order)?;
    is_booked_once(bank, &paid, &order).await
}

pub(super) async fn once(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference("once");
    let order = order(&contract, &reference, "00")?;
    submitted(bank, &order).await?;
    submitted(bank, &order).await?;
    let paid = bank.becomes(&reference, &["paid"]).await?;
    let again = submitted(bank, &order).await?;
    require(again == paid, "the same transfer again", &again)?;
    is_booked_once(bank, &paid, &order).await
}

pub(super) async fn at_once(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference("at-once");
    let order = order(&contract, &reference, "00")?;
    let calls = (0..8).map(|_| bank.post("v1/transfers", &order));
    for answer in futures::future::join_all(calls).await {
        // Whoever came too fast was told so; nobody was told anything else.
        let answer = answer.ok_or_else(|| Stop::Fail("no answer to one of eight".to_owned()))?;
        require([200, 429].contains(&answer.status), "200", answer.told())?;
        if answer.status == 200 {
            is_of(&answer.body, &order)?;
        }
    }
    let paid = bank.becomes(&reference, &["paid"]).await?;
    is_booked_once(bank, &paid, &order).await
}

pub(super) async fn reused(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference("reused");
    let order = order(&contract, &reference, "00")?;
    submitted(bank, &order).await?;
    let mut others = [order.clone(), order.clone(), order.clone()];
    others[0]["amount"]["value"] = json!("9999.00");
    others[1]["beneficiary"]["account_number"] = json!("001234567891");
    others[2]["beneficiary"]["name"] = json!("ASHA RAO JR");
    for other in &others {
        let answer = bank.given("v1/transfers", other).await?;
        answer.is_problem(409, Some("reference_reused"))?;
    }
    let paid = bank.becomes(&reference, &["paid"]).await?;
    is_of(&paid, &order)?;
    is_booked_once(bank, &paid, &order).await
}

/// A refusal: its code is in `list`, it stays, and nothing is booked.
async fn is_refused(bank: &Client, hundredths: &str, list: &str) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference(&format!("refused-{hundredths}"));
    let order = failing(&contract, &reference, hundredths)?;
    submitted(bank, &order).await?;
    let refused = bank.becomes(&reference, &["refused"]).await?;
    is_of(&refused, &order)?;
    let codes = contract.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    let code = refused.get("code").cloned().unwrap_or_default();
    require(codes.contains(&code), &format!("a code of {list}"), &code)?;
    let again = submitted(bank, &order).await?;
    require(again == refused, "the same refusal again", &again)?;
    let lines = bank.lines(&reference).await?;
    require(lines.is_empty(), "nothing on the statement", lines.len())
}

pub(super) async fn refused(bank: &Client) -> Checked {
    is_refused(bank, "21", "final_codes").await
}

pub(super) async fn offline(bank: &Client) -> Checked {
    is_refused(bank, "23", "retryable_codes").await
}

/// A submission that says nothing: no answer in time, or a `5xx`.
async fn is_silent(bank: &Client, order: &Value) -> Checked {
    match bank.post("v1/transfers", order).await {
        None => Ok(()),
        Some(answer) => require(answer.status >= 500, "no answer, or 5xx", answer.told()),
    }
}

pub(super) async fn silent_but_paid(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference("silent-paid");
    let order = failing(&contract, &reference, "13")?;
    is_silent(bank, &order).await?;
    let paid = bank.becomes(&reference, &["paid"]).await?;
    is_of(&paid, &order)?;
    // Sent again all the same, it is not paid again.
    bank.post("v1/transfers", &order).await;
    is_booked_once(bank, &paid, &order).await
}

pub(super) async fn silent_and_unpaid(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference("silent-lost");
    let order = failing(&contract, &reference, "14")?;
    is_silent(bank, &order).await?;
    bank.enquire(&reference).await?.is_problem(404, Some("not_found"))?;
    let lines = bank.lines(&reference).await?;
    require(lines.is_empty(), "nothing on the statement", lines.len())
}

pub(super) async fn returned(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference("returned");
    let order = failing(&contract, &reference, "31")?;
    submitted(bank, &order).await?;
    bank.becomes(&reference, &["paid", "returned"]).await?;
    let Ok(returned) = bank.becomes(&reference, &["returned"]).await else {
        let why = "the bank takes longer to return it than was waited (--outcome-within)";
        return Err(Stop::Skip(why.to_owned()));
    };
    is_of(&returned, &order)?;
    is_booked_once(bank, &returned, &order).await?;
    let bounce = returned.get("returned").cloned().unwrap_or_default();
    let lines = bank.lines(&reference).await?;
    let is_back = |line: &&Value| {
        line.get("direction") == Some(&json!("credit"))
            && line.get("bank_transaction_id") == bounce.get("bank_transaction_id")
    };
    let credits = lines.iter().filter(is_back).count();
    require(credits == 1 && lines.len() == 2, "one debit and one credit", lines.len())
}

pub(super) async fn told(bank: &Client, receiver: &Receiver) -> Checked {
    let contract = bank.contract().await?;
    let reference = bank.reference("told");
    let order = order(&contract, &reference, "00")?;
    submitted(bank, &order).await?;
    let is_it = |data: &Value| data.get("reference") == Some(&json!(reference));
    let heard = receiver.heard("transfer.paid", 2, bank.outcome_within, is_it).await;
    let [first, second, ..] = heard.as_slice() else {
        let seen = format!("{} deliveries", heard.len());
        return require(false, "transfer.paid, and once more after a 500", seen);
    };
    for delivery in [first, second] {
        let seen = delivery.objection.unwrap_or_default();
        require(delivery.objection.is_none(), "a delivery as Standard Webhooks has it", seen)?;
    }
    let same = first.id == second.id && first.body == second.body;
    require(same, "the same id and the same bytes again", &second.id)?;
    let data = first.json().get("data").cloned().unwrap_or_default();
    is_of(&data, &order)
}

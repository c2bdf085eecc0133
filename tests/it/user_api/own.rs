//! One's own: balances, days, activity, one thing, its receipt, whom to send to.

use serde_json::{Value, json};

use super::person::{Person, Scene};

fn money(value: &str) -> Value {
    json!({"value": value, "currency": "INR"})
}

async fn balances(person: &Person) -> [String; 5] {
    let found = person.get("/v1/balances").await.made();
    ["available", "on_its_way_in", "on_its_way_out", "held", "total"]
        .map(|name| found[name]["value"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_balance_and_what_is_under_way() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1000.00").await;
    assert_eq!(balances(&asha).await, ["1000.00", "0.00", "0.00", "0.00", "1000.00"]);
    // What nobody has paid yet is not on its way.
    asha.post("/v1/deposits", &json!({"amount": money("50.00")})).await.made();
    // What waits to be claimed is held, and only that.
    let waiting = json!({"to": {"phone": "+919000000001"}, "amount": money("100.00")});
    let sent = asha.post("/v1/transfers", &waiting).await.made();
    scene.projected().await;
    assert_eq!(balances(&asha).await, ["900.00", "0.00", "0.00", "100.00", "1000.00"]);
    let list = asha.get("/v1/activity").await.made();
    let kinds: Vec<&str> =
        list["data"].as_array().unwrap().iter().map(|a| a["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["transfer", "deposit", "deposit"]);
    assert_eq!(list["counts"], json!({"waiting": 2, "done": 1}));
    let held = asha.get(&format!("/v1/activity/{}", sent["id"].as_str().unwrap())).await.made();
    assert_eq!((&held["status"], &held["final"]), (&json!("waiting"), &json!(false)));
    assert!(held["next"].is_string());
    assert_eq!(held["timeline"][0]["event"], "held");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_seen_from_both_sides_with_names_and_nothing_else() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1000.00").await;
    let ravi = scene.person("ravi", "1.00").await;
    let body = json!({"to": {"handle": "ravi"}, "amount": money("12.50"), "note": "=Lunch()"});
    let sent = asha.post("/v1/transfers", &body).await.made();
    let path = format!("/v1/activity/{}", sent["id"].as_str().unwrap());
    scene.projected().await;
    let (out, got) = (asha.get(&path).await.made(), ravi.get(&path).await.made());
    assert_eq!((&out["direction"], &got["direction"]), (&json!("out"), &json!("in")));
    assert_eq!(out["counterparty"]["handle"], "ravi");
    assert_eq!(got["counterparty"]["name"], "asha Rao");
    assert_eq!((&out["note"], &out["status"]), (&json!("=Lunch()"), &json!("done")));
    let legs = got["entries"][0]["legs"].as_array().unwrap();
    let told: Vec<(&str, bool)> = legs
        .iter()
        .map(|leg| (leg["account"].as_str().unwrap(), leg["balance_after"].is_object()))
        .collect();
    assert_eq!(told, [("Another wallet", false), ("Your wallet", true)]);
    assert_eq!(legs[1]["balance_after"], money("13.50"));
    let receipt = ravi.get(&format!("{path}/receipt")).await.made();
    assert_eq!((&receipt["owner"]["handle"], &receipt["total"]), (&json!("ravi"), &money("12.50")));
    // What is not done has no receipt.
    let deposit = asha.post("/v1/deposits", &json!({"amount": money("5.00")})).await.made();
    let path = format!("/v1/activity/{}/receipt", deposit["id"].as_str().unwrap());
    scene.projected().await;
    assert_eq!(asha.get(&path).await.code(), "receipt_not_ready");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_searched_and_turned_both_ways() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1000.00").await;
    scene.person("ravi", "1.00").await;
    for value in ["1.00", "2.00", "3.00", "4.00"] {
        let body = json!({"to": {"handle": "ravi"}, "amount": money(value)});
        asha.post("/v1/transfers", &body).await.made();
    }
    scene.projected().await;
    let amounts = async |query: &str| {
        let found = asha.get(&format!("/v1/activity?{query}")).await.made();
        let shown: Vec<String> = found["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["amount"]["value"].as_str().unwrap().to_owned())
            .collect();
        (shown, found)
    };
    assert_eq!(amounts("kind=transfer&amount_min=2&amount_max=3.00").await.0, ["3.00", "2.00"]);
    assert_eq!(amounts("counterparty=%40ravi").await.0.len(), 4);
    assert_eq!(amounts("counterparty=nobody_here").await.0, [""; 0]);
    assert_eq!(amounts("direction=in").await.0, ["1000.00"]);
    assert_eq!(amounts("status=waiting").await.0, [""; 0]);
    assert_eq!(amounts("before=2020-01-01T00:00:00Z").await.0, [""; 0]);
    let (first, page) = amounts("limit=2").await;
    assert_eq!(first, ["4.00", "3.00"]);
    assert!(page["previous_cursor"].is_null());
    let older = page["next_cursor"].as_str().unwrap();
    let (second, page) = amounts(&format!("limit=2&cursor={older}")).await;
    assert_eq!(second, ["2.00", "1.00"]);
    let newer = page["previous_cursor"].as_str().unwrap();
    assert_eq!(amounts(&format!("limit=2&cursor={newer}")).await.0, ["4.00", "3.00"]);
    let id = page["data"][0]["id"].as_str().unwrap();
    assert_eq!(amounts(&format!("q={id}")).await.0, ["2.00"]);
    // Cursors are of one person and one list.
    let ravi = scene.person("mira", "1.00").await;
    let foreign = ravi.get(&format!("/v1/activity?limit=2&cursor={older}")).await;
    assert_eq!(foreign.code(), "cursor_invalid");
    for bad in ["amount_min=-1", "amount_max=1e5", "status=nope", "nope=1", "kind=a%00b"] {
        assert_eq!(asha.get(&format!("/v1/activity?{bad}")).await.status, 422, "{bad}");
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_before_the_wallet_are_not_zero() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1000.00").await;
    let found = asha.get("/v1/balances/history?days=7").await.made();
    let days = found["data"].as_array().unwrap();
    assert_eq!(days.len(), 7);
    assert_eq!(days[6]["in"], money("1000.00"));
    assert_eq!(days[6]["out"], money("0.00"));
    assert!(days[5]["in"].is_null() && days[0]["out"].is_null());
    assert_eq!(found["total_in"], money("1000.00"));
    assert_eq!(asha.get("/v1/balances/history?days=8").await.status, 422);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_are_found_by_name_and_counted() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1.00").await;
    let ravi = scene.person("ravi", "1.00").await;
    let found = asha.get("/v1/recipients/lookup?handle=Ravi").await.made();
    assert_eq!((&found["id"], &found["name"]), (&json!(ravi.id), &json!("ravi Rao")));
    assert_eq!((&found["object"], &found["is_self"]), (&json!("recipient"), &json!(false)));
    assert!(found.get("email").is_none() && found.get("phone").is_none());
    let own = asha.get(&format!("/v1/recipients/lookup?id={}", asha.id)).await.made();
    assert_eq!(own["is_self"], true);
    assert_eq!(asha.get("/v1/recipients/lookup?handle=nobody_here").await.status, 404);
    assert_eq!(asha.get("/v1/recipients/lookup?handle=a&id=b").await.status, 422);
    let mut last = 0;
    for _ in 0..40 {
        last = asha.get("/v1/recipients/lookup?handle=nobody_here").await.status.as_u16();
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429, "it is not counted");
    scene.finish().await;
}

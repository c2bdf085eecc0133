//! Statements: the same in each form, and checked against the log.

use reqwest::Method;
use serde_json::json;

use super::person::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_adds_up_and_names_its_place_in_the_log() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1000.00").await;
    scene.person("ravi", "1.00").await;
    let body = json!({"to": {"handle": "ravi"}, "note": "=cmd|' /C calc'!A0",
        "amount": {"value": "12.50", "currency": "INR"}});
    asha.post("/v1/transfers", &body).await.made();
    let found = asha.get("/v1/statements?month=2026-11").await;
    let statement = found.made();
    let value = |name: &str| statement[name]["value"].as_str().unwrap().to_owned();
    assert_eq!(
        [value("opening"), value("total_in"), value("total_out"), value("closing")],
        ["0.00", "1000.00", "12.50", "987.50"]
    );
    let lines = statement["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["balance"]["value"], "987.50");
    assert_eq!(lines[1]["words"], "Sent to ravi Rao");
    let position = statement["position"].as_u64().unwrap();
    assert_eq!(found.position(), position);
    let events = format!("/v1/events?after_position={}&limit=1", position - 1);
    let event = scene.admin.get(&events).await.made();
    assert_eq!(event["data"][0]["hash"], statement["hash"]);

    let csv = asha.get("/v1/statements?month=2026-11&format=csv").await;
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert!(csv.header("content-disposition").starts_with("attachment"));
    assert!(csv.text.contains("\"'=cmd|' /C calc'!A0\""), "{}", csv.text);
    assert_eq!(csv.text.lines().count(), 5);
    assert!(csv.text.contains("987.50") && csv.text.contains("closing,2026-11-30"));

    let request = asha.request(Method::GET, "/v1/statements?month=2026-11&format=pdf");
    let pdf = request.send().await.unwrap();
    assert_eq!(pdf.headers()["content-type"], "application/pdf");
    assert!(pdf.bytes().await.unwrap().starts_with(b"%PDF-"));

    let empty = asha.get("/v1/statements?from=2025-01-01&to=2025-01-31").await.made();
    assert_eq!((&empty["lines"], &empty["closing"]["value"]), (&json!([]), &json!("0.00")));
    for bad in [
        "",
        "month=2026-13",
        "from=2026-11-02&to=2026-11-01",
        "month=2026-11&to=2026-11-01",
        "from=2024-01-01&to=2026-01-01",
        "month=2026-11&format=xml",
    ] {
        assert_eq!(asha.get(&format!("/v1/statements?{bad}")).await.status, 422, "{bad}");
    }
    scene.finish().await;
}

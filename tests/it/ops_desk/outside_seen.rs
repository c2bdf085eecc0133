//! What a shop sees and its server hears of payers with apps of other banks: what comes, and what
//! it cannot have.

use serde_json::{Value, json};

use super::{
    BOTH, Operator, PASSWORD,
    outside::{ask, list, pay, ravi, text},
    shops::open_shop,
};
use crate::{
    audit_engine::verified,
    support::{bahi::PATIENCE, browser::Browser, town::Town},
};

/// Has a server hear of payments from here on, which never answers.
async fn hear(town: &Town) {
    let body = json!({"url": "https://shop.invalid/hooks",
        "event_types": ["payment.processing", "payment.completed", "payment.failed"]});
    town.admin.post("/v1/webhook-endpoints", &body).await.made();
}

/// So many messages, in the order of the log: what each is about, and its text.
async fn heard(town: &Town, count: usize) -> Vec<(String, Value)> {
    let sql = "select object_id, convert_from(body, 'UTF8') from webhook_deliveries
               order by position";
    let pool = town.database.pool().await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let told: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&pool).await.unwrap();
        if told.len() >= count {
            let read = |text: String| serde_json::from_str(&text).unwrap();
            return told.into_iter().map(|(id, text)| (id, read(text))).collect();
        }
        assert!(tokio::time::Instant::now() < deadline, "{told:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Somebody at the shop's own pages.
async fn at_the_shop(town: &Town, handle: &str) -> Browser {
    let mut browser = Browser::new(&town.address);
    let fields = [("login", handle), ("password", PASSWORD), ("return_to", "")];
    let page = browser.post("/merchant/login", &fields).await;
    assert_eq!(page.status, 303, "{}", page.text);
    browser
}

/// What a bank has told of and does not confirm, as its message leaves it.
async fn told_only(town: &Town, request: &str) {
    let told = "insert into outside_credits
                    (deposit_id, account_id, bank, request_id, merchant, amount, payment_id,
                     noted_at)
                select '00000000-0000-8000-8000-000000000001', 'wallet:upi-1:INR', 'hdfc',
                       request_id, merchant, 77, '00000000-0000-8000-8000-000000000002', now()
                from outside_credits where request_id = $1 limit 1";
    let id = request.strip_prefix("pr_").unwrap().parse::<sqlx::types::Uuid>().unwrap();
    sqlx::query(told).bind(id).execute(&town.database.pool().await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shops_server_hears_that_a_payment_comes_and_whether_it_became_the_shops() {
    let town = Town::start().await;
    let omar = Operator::hire(&town, "omar", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await.to_string();
    hear(&town).await;
    let request = ask(&town, &shop, "120.00").await;
    pay(&town, &request, "120.00", ravi()).await;
    let paid = list(&town, &format!("/v1/payments?merchant={shop}"), 1).await.remove(0);
    heard(&town, 2).await;
    // The code takes one payment.
    pay(&town, &request, "120.00", ravi()).await;
    let all = heard(&town, 4).await;
    let kinds: Vec<(&str, &str)> =
        all.iter().map(|(_, told)| (text(told, "type"), text(&told["data"], "status"))).collect();
    assert_eq!(
        kinds,
        [
            ("payment.processing", "processing"),
            ("payment.completed", "completed"),
            ("payment.processing", "processing"),
            ("payment.failed", "failed"),
        ]
    );
    let data: Vec<&Value> = all.iter().map(|(_, told)| &told["data"]).collect();
    let is_of = |number: usize, id: &Value| data[number]["id"] == *id && all[number].0 == *id;
    assert!(is_of(0, &paid["id"]) && is_of(1, &paid["id"]), "{all:#?}");
    assert_eq!(data[2]["id"], data[3]["id"]);
    let failed = list(&town, &format!("/v1/payments?merchant={shop}&status=failed"), 1).await;
    assert!(is_of(2, &failed[0]["id"]) && is_of(3, &failed[0]["id"]), "{all:#?}");
    for (number, told) in data.iter().enumerate() {
        assert_eq!(told["seq"], told["position"], "{number}: grows over several streams");
        assert_eq!(told["amount"], json!({"value": "120.00", "currency": "INR"}), "{number}");
        assert_eq!((&told["merchant"], &told["request"]), (&json!(shop), &json!(request)));
        assert_eq!(told["account"], data[number / 2 * 2]["account"], "{number}");
    }
    assert_eq!(text(data[3], "reason"), "payment_request_not_payable");
    let sent = list(&town, "/v1/withdrawals", 1).await.remove(0);
    assert_eq!(data[3]["returned_by"], sent["id"]);
    // As the API shows it, at that event.
    let mut shown = town.admin.get(&format!("/v1/payments/{}", text(data[3], "id"))).await.made();
    let fields = shown.as_object_mut().unwrap();
    for own in ["seq", "position", "recorded_at"] {
        fields.insert(own.to_owned(), data[3][own].clone());
    }
    assert_eq!(*data[3], shown);
    verified(&town.stop().await).await;
}

async fn filters_them_as_the_others(town: &Town, failed: &str) {
    for (filter, count) in [
        ("order_id=A-7", 1),
        ("order_id=A-8", 0),
        ("until=2020-01-01T00:00:00Z", 0),
        ("disputed=true", 0),
        ("account=wallet:a:INR", 0),
        ("limit=1", 1),
    ] {
        list(town, &format!("{failed}&{filter}"), count).await;
    }
}

/// The file says what is received with its fees, and of the others only what was to be paid.
fn has_a_line_of_each(file: &str, ids: &[String; 3]) {
    let line = |id: &str| file.lines().find(|line| line.contains(id)).unwrap();
    assert_eq!(file.trim().lines().count(), 4, "{file}");
    assert!(line(&ids[0]).contains(",completed,120.00,2.03,0.37,117.60,0.00,"), "{file}");
    assert!(line(&ids[1]).contains(",processing,77.00,,,,,"), "{file}");
    assert!(line(&ids[2]).starts_with("PAYMENT,A-7,"), "{file}");
    assert!(line(&ids[2]).contains(",failed,120.00,,,,,"), "{file}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_lists_what_comes_and_what_failed_beside_its_payments_and_adds_up_neither() {
    let town = Town::start().await;
    let omar = Operator::hire(&town, "omar", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await.to_string();
    let body = json!({"merchant": shop, "amount": {"value": "120.00", "currency": "INR"},
        "order_id": "A-7"});
    let request = town.admin.post("/v1/payment-requests", &body).await.made();
    let request = text(&request, "id").to_owned();
    pay(&town, &request, "120.00", ravi()).await;
    let paid = list(&town, &format!("/v1/payments?merchant={shop}"), 1).await.remove(0);
    pay(&town, &request, "120.00", ravi()).await;
    let of = |status: &str| format!("/v1/payments?merchant={shop}&status={status}");
    let failed = list(&town, &of("failed"), 1).await.remove(0);
    told_only(&town, &request).await;
    let comes = list(&town, &of("processing"), 1).await.remove(0);
    // As it is noted where it was not made up.
    let noted = "update outside_credits set payment_id = $1 where account_id = 'wallet:upi-1:INR'";
    let id = text(&comes, "id").strip_prefix("pay_").unwrap().parse::<sqlx::types::Uuid>().unwrap();
    sqlx::query(noted).bind(id).execute(&town.database.pool().await).await.unwrap();
    let ids = [&paid, &comes, &failed].map(|one| text(one, "id").to_owned());

    filters_them_as_the_others(&town, &of("failed")).await;

    let mut browser = at_the_shop(&town, "omar").await;
    let mut shown = async |query: &str| -> String {
        let page = browser.get(&format!("/merchant/payments{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        page.text
    };
    let has = |text: &str, which: [bool; 3]| {
        for (id, there) in ids.iter().zip(which) {
            assert_eq!(text.contains(&format!("/merchant/payments/{id}")), there, "{id}: {text}");
        }
    };
    let all = shown("").await;
    has(&all, [true, true, true]);
    for words in ["On its way from the payer’s bank", "Goes back to the payer’s bank"] {
        assert!(all.contains(words), "{words}: {all}");
    }
    // One payment is received, and no other is added up.
    let sums = all.split("All that match").nth(1).unwrap();
    assert!(sums.contains("₹120.00") && !sums.contains("₹240.00"), "{sums}");
    has(&shown("?status=processing").await, [false, true, false]);
    has(&shown("?status=failed").await, [false, false, true]);
    has(&shown("?status=completed").await, [true, false, false]);
    has(&shown("?status=disputed").await, [false, false, false]);
    has(&shown("?order=A-7").await, [true, true, true]);
    has(&shown("?order=A-8").await, [false, false, false]);
    has(&shown("?find=77").await, [false, true, false]);
    has(&shown(&format!("?find={}", ids[2])).await, [false, false, true]);
    has(&shown("?to=2020-01-01").await, [false, false, false]);

    has_a_line_of_each(&shown(".csv").await.replace('"', ""), &ids);
    let file = shown(".csv?status=failed").await;
    assert_eq!(file.trim().lines().count(), 2, "{file}");

    let one = shown(&format!("/{}", ids[1])).await;
    assert!(
        one.contains("On its way from the payer’s bank") && one.contains("value=\"77.00\""),
        "{one}"
    );
    let one = shown(&format!("/{}", ids[2])).await;
    for words in ["paid already", "payer’s bank", "none of your totals", "A-7"] {
        assert!(one.contains(words), "{words}: {one}");
    }
    // Another shop has none of it.
    let other = open_shop(&town, &Operator::hire(&town, "tara", &BOTH).await, "tea").await;
    list(&town, &format!("/v1/payments?merchant={other}&status=failed"), 0).await;
    let mut browser = at_the_shop(&town, "tara").await;
    assert_eq!(browser.get(&format!("/merchant/payments/{}", ids[2])).await.status, 404);
    assert!(!browser.get("/merchant/payments?status=failed").await.text.contains(&ids[2]));
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_on_a_wall_is_paid_from_another_banks_app_by_the_shops_address() {
    let town = Town::start().await;
    let omar = Operator::hire(&town, "omar", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await.to_string();
    pay(&town, "Chai@bahi", "35.00", ravi()).await;
    let paid = list(&town, &format!("/v1/payments?merchant={shop}"), 1).await.remove(0);
    assert_eq!((&paid["amount"]["value"], &paid["request"]), (&json!("35.00"), &Value::Null));
    // The line of the day's statement says the same address, and makes no second payment.
    town.sandbox.advance(86_400).await;
    list(&town, &format!("/v1/payments?merchant={shop}"), 1).await;
    pay(&town, "tea@bahi", "10.00", ravi()).await;
    town.wait_for_unsolicited("in_review").await;
    verified(&town.stop().await).await;
}

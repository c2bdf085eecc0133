//! Money moved by forms alone.

use super::reader::{deposit, hidden, link, page, press};
use crate::{
    support::bahi::Reply,
    user_api::person::{Person, Scene},
};

async fn available(person: &Person) -> String {
    let said = person.get("/v1/balances").await.made();
    said["data"][0]["available"]["value"]
        .as_str()
        .or_else(|| said["available"]["value"].as_str())
        .unwrap_or_else(|| panic!("{said}"))
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_click_pays_once_and_another_amount_is_another_payment() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "5000.00").await;
    let ravi = scene.person("ravi", "10.00").await;
    let typed = [("to", "@Ravi "), ("amount", "₹1,250.50"), ("note", "Rent")];
    let sheet = press(&asha, "/app/move/send/check", &typed).await;
    assert_eq!(sheet.status, 200, "{}", sheet.text);
    for shown in ["ravi Rao", "@ravi", "₹1,250", "You will have", "₹3,749.50", "Rent"] {
        assert!(sheet.text.contains(shown), "{shown}: {}", sheet.text);
    }
    let fields = ["to", "amount", "note", "nonce"].map(|name| (name, hidden(&sheet, name)));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    for _ in 0..3 {
        let done = press(&asha, "/app/move/send", &fields).await;
        assert_eq!(done.status, 200, "{}", done.text);
        assert!(done.text.contains("Receipt"), "{}", done.text);
    }
    scene.projected().await;
    assert_eq!(available(&asha).await, "3749.50");
    assert_eq!(available(&ravi).await, "1260.50");
    let mut other = fields.clone();
    other[1] = ("amount", "20");
    press(&asha, "/app/move/send", &other).await;
    scene.projected().await;
    assert_eq!(available(&asha).await, "3729.50");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_has_an_address_that_is_its_owners_and_says_nothing() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "5000.00").await;
    let ravi = scene.person("ravi", "10.00").await;
    let typed = [("to", "@ravi"), ("amount", "12.50"), ("note", "Rent of a room")];
    let sheet = press(&asha, "/app/move/send/check", &typed).await;
    let address = hidden(&sheet, "return_to");
    assert!(address.starts_with("/app/move/send/check?draft="), "{address}");
    for hidden in ["ravi", "12.50", "Rent"] {
        assert!(!address.contains(hidden), "{address}");
    }
    let again = page(&asha, &address).await;
    assert!(again.text.contains("Rent of a room"), "{}", again.text);
    assert!(again.text.contains("card sheet"), "{}", again.text);
    assert_eq!(hidden(&again, "nonce"), hidden(&sheet, "nonce"));
    // Another person, another form, and what is not whole: the empty form.
    let (start, end) = address.split_at(address.len() - 4);
    let changed = format!("{start}{}", if end == "AAAA" { "BBBB" } else { "AAAA" });
    let elsewhere = address.replace("/send/", "/withdraw/");
    for (who, address) in [(&ravi, &address), (&asha, &changed), (&asha, &elsewhere)] {
        let form = page(who, address).await;
        assert_eq!(form.status, 200, "{}", form.text);
        assert!(!form.text.contains("Rent of a room"), "{}", form.text);
        assert!(!form.text.contains("card sheet"), "{}", form.text);
    }
    // What would be too long for an address does not come to one.
    let long = "x".repeat(5_000);
    let typed = [("to", "@ravi"), ("amount", "12.50"), ("note", &long)];
    let refused = press(&asha, "/app/move/send/check", &typed).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("At most 200 characters"), "{}", refused.text);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_that_was_refused_works_once_the_reason_is_gone_and_pays_once() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let ravi = scene.person("ravi", "100.00").await;
    let sheet_of = async |person: &Person, to: &str, amount: &str| {
        let typed = [("to", to), ("amount", amount)];
        press(person, "/app/move/send/check", &typed).await
    };
    let sent = async |person: &Person, sheet: &Reply| {
        let fields = ["to", "amount", "note", "nonce"].map(|name| (name, hidden(sheet, name)));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let done = press(person, "/app/move/send", &fields).await;
        scene.projected().await;
        done
    };
    let most = sheet_of(&asha, "@ravi", "80").await;
    assert!(sent(&asha, &sheet_of(&asha, "@ravi", "50").await).await.text.contains("Receipt"));
    for _ in 0..2 {
        let refused = sent(&asha, &most).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains("You have ₹50.00."), "{}", refused.text);
        assert!(refused.text.contains("value=\"@ravi\""), "{}", refused.text);
    }
    assert!(sent(&ravi, &sheet_of(&ravi, "@asha", "60").await).await.text.contains("Receipt"));
    for _ in 0..3 {
        // Gone back to: nearly all the money is spent, and the sheet is still what was pressed.
        let address = hidden(&most, "return_to");
        let again = page(&asha, &address).await;
        assert!(again.text.contains("Send ₹80.00"), "{}", again.text);
        let done = sent(&asha, &again).await;
        assert!(done.text.contains("Receipt"), "{}", done.text);
        assert_eq!(available(&asha).await, "30.00");
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_said_beside_its_field() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let send = "/app/move/send/check";
    for (path, fields, text) in [
        (send, [("to", "@ravi"), ("amount", "5")], "find @ravi"),
        (send, [("to", "@asha"), ("amount", "5")], "That is you."),
        (send, [("to", ""), ("amount", "5")], "Say whom to send to"),
        (send, [("to", "9812345678"), ("amount", "5.001")], "two decimals"),
        (send, [("to", "9812345678"), ("amount", "500")], "You have ₹100.00."),
        ("/app/move/add/check", [("amount", "0"), ("bank", "")], "above zero"),
        ("/app/move/add/check", [("amount", "5"), ("bank", "nope")], "one of the banks"),
        ("/app/move/withdraw/check", [("amount", "5"), ("bank_account", "ba_1")], "Choose a bank"),
    ] {
        let page = press(&asha, path, &fields).await;
        assert_eq!(page.status, 422, "{path} {fields:?}: {}", page.text);
        assert!(page.text.contains(text), "{text}: {}", page.text);
        assert!(page.text.contains("Please look at this again"));
    }
    assert_eq!(available(&asha).await, "100.00");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_for_a_number_waits_and_can_be_taken_back() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let typed = [("to", "9812345678"), ("amount", "40")];
    let sheet = press(&asha, "/app/move/send/check", &typed).await;
    assert!(sheet.text.contains("hold the money for 7 days"), "{}", sheet.text);
    let fields = ["to", "amount", "note", "nonce"].map(|name| (name, hidden(&sheet, name)));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let made = press(&asha, "/app/move/send", &fields).await;
    assert!(made.text.contains("Take it back"), "{}", made.text);
    assert!(made.text.contains("then it comes back to you."), "{}", made.text);
    let path = made.text.split("action=\"").find(|rest| rest.contains("/cancel\"")).unwrap();
    let path = path.split('"').next().unwrap().to_owned();
    let nonce = hidden(&made, "nonce");
    let back = press(&asha, &path, &[("nonce", &nonce)]).await;
    assert_eq!(back.status, 200, "{}", back.text);
    assert!(back.text.contains("Cancelled"), "{}", back.text);
    scene.projected().await;
    assert_eq!(available(&asha).await, "100.00");
    let late = press(&asha, &path, &[("nonce", "another")]).await;
    // Cancelling what is cancelled changes nothing and says what is.
    assert!(late.text.contains("Cancelled"), "{}", late.text);
    assert_eq!(available(&asha).await, "100.00");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_added_from_the_banks_own_page() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let sheet = press(&asha, "/app/move/add/check", &[("amount", "500"), ("bank", "hdfc")]).await;
    assert!(sheet.text.contains("From HDFC") && sheet.text.contains("₹600.00"), "{}", sheet.text);
    let nonce = hidden(&sheet, "nonce");
    let fields = [("amount", "500.00"), ("bank", "hdfc"), ("nonce", nonce.as_str())];
    let waiting = press(&asha, "/app/move/add", &fields).await;
    assert_eq!(waiting.status, 200, "{}", waiting.text);
    assert!(waiting.text.contains("Continue to your bank"), "{}", waiting.text);
    assert!(waiting.text.contains("Waiting"), "{}", waiting.text);
    let again = press(&asha, "/app/move/add", &fields).await;
    assert_eq!(
        link(&waiting, "http://"),
        link(&again, "http://"),
        "a second click is the same deposit"
    );
    scene.projected().await;
    // The bank's page leads back to this deposit, and to nothing of anybody else.
    let id = deposit(&waiting);
    let back = page(&asha, &format!("/app/move/added?deposit={id}")).await;
    assert!(back.text.contains("Continue to your bank"), "{}", back.text);
    for nothing in ["", "?deposit=dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "?deposit=%3Cb%3E"] {
        let list = page(&asha, &format!("/app/move/added{nothing}")).await;
        assert!(list.text.contains("<h1>Activity</h1>"), "{nothing}: {}", list.text);
    }
    let home = page(&asha, "/app").await;
    assert!(home.text.contains("On its way") && home.text.contains("+₹500.00"), "{}", home.text);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_account_counts_once_its_bank_said_whose_it_is() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let mut fields = [
        ("ifsc", "test0000001"),
        ("account_number", "001234567890"),
        ("account_number_again", "001234567891"),
        ("name", "Asha Rao"),
        ("nonce", "n1"),
    ];
    let none = ["ifsc", "account_number", "account_number_again", "name"]
        .map(|name| (name, if name == "account_number_again" { "1" } else { "" }));
    let none = press(&asha, "/app/banks", &[&none[..], &[("nonce", "n0")]].concat()).await;
    assert_eq!(none.status, 422);
    for field in ["ifsc", "account_number", "account_number_again", "name"] {
        assert!(none.text.contains(&format!("id=\"{field}-error\"")), "{field}: {}", none.text);
    }
    let wrong = press(&asha, "/app/banks", &fields).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("not the same") && !wrong.text.contains("001234567890"));
    fields[2].1 = "0012 3456 7890";
    fields[1].1 = "001234567890";
    let kept = press(&asha, "/app/banks", &fields).await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    assert!(kept.text.contains("TEST ••7890"), "{}", kept.text);
    assert!(kept.text.contains("The bank agrees: Asha Rao"), "{}", kept.text);
    assert!(kept.text.contains("Withdraw to it"), "{}", kept.text);
    let form = page(&asha, "/app/move?tab=withdraw").await;
    assert!(form.text.contains("TEST ••7890") && form.text.contains("All: ₹90.00"));
    let id = form.text.split("name=\"bank_account\" value=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap().to_owned();
    let typed = [("amount", "50"), ("bank_account", id.as_str())];
    let sheet = press(&asha, "/app/move/withdraw/check", &typed).await;
    for shown in ["To TEST ••7890", "₹10.00", "₹60.00", "₹40.00"] {
        assert!(sheet.text.contains(shown), "{shown}: {}", sheet.text);
    }
    let too_much = press(
        &asha,
        "/app/move/withdraw/check",
        &[("amount", "95"), ("bank_account", id.as_str())],
    )
    .await;
    assert_eq!(too_much.status, 422);
    assert!(too_much.text.contains("Not enough available. You have ₹100.00."));
    scene.finish().await;
}

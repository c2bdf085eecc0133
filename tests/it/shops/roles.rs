//! What each role sees and does, and that nobody sees another shop.

use reqwest::Method;

use super::clerk::{Clerk, found};
use crate::{support::bahi::send, user_api::person::Scene};

/// Each page, and whether an owner, an accountant and a cashier see it.
const PAGES: [(&str, [bool; 3]); 12] = [
    ("/merchant", [true, true, true]),
    ("/merchant/accept", [true, false, true]),
    ("/merchant/poster", [true, false, true]),
    ("/merchant/counter", [true, true, true]),
    ("/merchant/payments", [true, true, true]),
    ("/merchant/settlements", [true, true, false]),
    ("/merchant/payouts", [true, true, false]),
    ("/merchant/withdraw", [true, false, false]),
    ("/merchant/banks", [true, true, false]),
    ("/merchant/stores", [true, true, true]),
    ("/merchant/team", [true, true, false]),
    ("/merchant/settings", [true, true, false]),
];

/// Each form, with fields that an owner could send.
const FORMS: [(&str, &[(&str, &str)]); 9] = [
    (
        "/merchant/payments/pay_01935c3a5e7c7d3e8f00a1b2c3d4e5f6/refund",
        &[("amount", "1"), ("nonce", "n")],
    ),
    ("/merchant/stores", &[("name", "Station")]),
    ("/merchant/team/invite", &[("email", "x@example.com"), ("role", "owner")]),
    ("/merchant/team/uninvite", &[("email", "x@example.com")]),
    ("/merchant/settings/shop", &[("display_name", "Mine"), ("category", "5814")]),
    ("/merchant/settings/payouts", &[("every", "0")]),
    (
        "/merchant/banks",
        &[
            ("ifsc", "TEST0000001"),
            ("account_number", "001234567890"),
            ("account_number_again", "001234567890"),
            ("name", "Asha Rao"),
            ("nonce", "n"),
        ],
    ),
    ("/merchant/withdraw/check", &[("amount", "1")]),
    ("/merchant/withdraw", &[("amount", "1"), ("bank_account", "x"), ("nonce", "n")]),
];

#[tokio::test(flavor = "multi_thread")]
async fn case_142_and_143_each_page_and_form_is_opened_to_the_roles_that_it_names() {
    let scene = Scene::start().await;
    let (mut owner, _) = Clerk::with_shop(&scene, "kamala").await;
    let accountant = owner.hire(&scene, "deepa", "accountant").await;
    let cashier = owner.hire(&scene, "suresh", "cashier").await;
    scene.projected().await;
    let mut people = [owner, accountant, cashier];
    for (path, admitted) in PAGES {
        for (who, is_admitted) in people.iter().zip(admitted) {
            let status = who.get(path).await.status.as_u16();
            assert_eq!(status, if is_admitted { 200 } else { 403 }, "{path} {}", who.email);
        }
    }
    // A cashier's pages say nothing of money, and their rail leads nowhere that is closed.
    for path in ["/merchant", "/merchant/stores"] {
        let page = people[2].get(path).await;
        for hidden in ["Available", "Settling", "₹", "/merchant/payouts", "/merchant/settings"] {
            assert!(!page.text.contains(hidden), "{path} {hidden}: {}", page.text);
        }
    }
    for clerk in &mut people[1..] {
        for (path, fields) in FORMS {
            let refused = clerk.form(path, fields).await;
            assert_eq!(refused.status, 403, "{path} {}: {}", clerk.email, refused.text);
        }
    }
    assert_eq!(people[2].get("/merchant/events").await.status, 403);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_142_no_spelling_of_a_page_s_address_opens_it() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "10.00").await;
    let (mut owner, _) = Clerk::with_shop(&scene, "kamala").await;
    let cashier = owner.hire(&scene, "suresh", "cashier").await;
    for (method, path) in [
        (Method::GET, "/merchant/payouts"),
        (Method::GET, "/merchant/payouts/"),
        (Method::GET, "/merchant//payouts"),
        (Method::GET, "/Merchant/payouts"),
        (Method::GET, "/merchant/%70ayouts"),
        (Method::GET, "/merchant%2Fpayouts"),
        (Method::GET, "/merchant/payouts;x"),
        (Method::GET, "/merchant/payouts.csv"),
        (Method::POST, "/merchant/payouts"),
        (Method::PUT, "/merchant/team/invite"),
        (Method::DELETE, "/merchant/team"),
        (Method::GET, "/merchant/developers"),
    ] {
        let request = cashier.request(method.clone(), path).header("x-http-method-override", "GET");
        let status = send(request).await.status.as_u16();
        assert!([403, 404, 405].contains(&status), "{method} {path}: {status}");
        // Whoever is signed in for the wallet alone gets to the shops' login at best.
        let request = asha.bare(method.clone(), path).header("x-http-method-override", "GET");
        let answer = send(request.header("accept", "text/html")).await;
        let status = answer.status.as_u16();
        let is_sent_away = status == 200 && answer.text.contains("Log in for your shop");
        assert!(is_sent_away || [403, 404, 405].contains(&status), "{method} {path}: {status}");
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_144_a_role_that_is_taken_away_is_gone_with_the_next_request() {
    let scene = Scene::start().await;
    let (mut owner, _) = Clerk::with_shop(&scene, "kamala").await;
    let deepa = owner.hire(&scene, "deepa", "accountant").await;
    assert_eq!(deepa.get("/merchant/payouts").await.status, 200);
    let team = owner.get("/merchant/team").await;
    let row = team.text.split("@deepa").next().unwrap();
    // Hers is the last one before her name's end; the owner's stands above it.
    let rest = team.text.split("@deepa").nth(1).unwrap();
    let id = found(rest, "usr_");
    assert!(!row.is_empty());
    let to = format!("/merchant/team/{id}/role");
    assert_eq!(owner.form(&to, &[("role", "cashier")]).await.status, 303);
    assert_eq!(deepa.get("/merchant/payouts").await.status, 403);
    let away = format!("/merchant/team/{id}/remove");
    assert_eq!(owner.form(&away, &[]).await.status, 303);
    let gone = deepa.get("/merchant/stores").await;
    assert_eq!(gone.header("location"), "/merchant/new");

    // The last owner stays one.
    let own = found(team.text.split("(you)").nth(1).unwrap(), "usr_");
    for (path, fields) in [
        (format!("/merchant/team/{own}/remove"), vec![]),
        (format!("/merchant/team/{own}/role"), vec![("role", "cashier")]),
    ] {
        let kept = owner.form(&path, &fields).await;
        assert_eq!(kept.status, 422, "{}", kept.text);
        assert!(kept.text.contains("at least one owner"), "{}", kept.text);
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_141_fields_that_no_form_has_are_refused() {
    let scene = Scene::start().await;
    let (mut owner, _) = Clerk::with_shop(&scene, "kamala").await;
    for (path, fields) in [
        ("/merchant/settings/shop", vec![("display_name", "Mine"), ("category", "5814")]),
        ("/merchant/stores", vec![("name", "Station")]),
        ("/merchant/settings/payouts", vec![("every", "0")]),
    ] {
        for extra in ["role", "merchant", "settlement_lag", "terms_version", "status", "fee"] {
            let mut fields = fields.clone();
            fields.push((extra, "0"));
            let refused = owner.form(path, &fields).await;
            assert_eq!(refused.status, 422, "{path} {extra}: {}", refused.text);
        }
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_25_nobody_sees_or_changes_another_shop() {
    let scene = Scene::start().await;
    let (mut kamala, chai) = Clerk::with_shop(&scene, "kamala").await;
    let (mut harish, books) = Clerk::with_shop(&scene, "harish").await;
    assert_eq!(kamala.form("/merchant/stores", &[("name", "Station")]).await.status, 303);
    let page = kamala.get("/merchant/stores").await;
    let store = found(&page.text.replace("action=\"/merchant/stores/", ""), "sto_");
    assert!(!harish.get("/merchant/stores").await.text.contains("Station"));
    for path in [
        format!("/merchant/stores/{store}/close"),
        format!("/merchant/terminals/{}/close", store.replace("sto_", "trm_")),
    ] {
        assert_eq!(harish.form(&path, &[]).await.status, 404, "{path}");
    }
    let to = format!("/merchant/stores/{store}/terminals");
    assert_eq!(harish.form(&to, &[("name", "Till")]).await.status, 404);
    assert_eq!(harish.form("/merchant/shops", &[("merchant", &chai)]).await.status, 404);
    let settings = harish.get("/merchant/settings").await;
    assert!(settings.text.contains(&books) && !settings.text.contains(&chai));
    assert!(!harish.get("/merchant/team").await.text.contains("@kamala"));
    scene.finish().await;
}

//! Opening a shop, and that neither login opens the other.

use reqwest::Method;

use super::clerk::{COOKIE, Clerk, PASSWORD, code, sent};
use crate::{support::bahi::send, user_api::person::Scene};

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_opened_with_its_accounts_by_somebody_who_proved_their_address() {
    let scene = Scene::start().await;
    let mut kamala = Clerk::sign_up(&scene, "kamala").await;
    let home = kamala.get("/merchant").await;
    assert_eq!((home.status.as_u16(), home.header("location")), (303, "/merchant/new"));
    let early = kamala.open_shop("chai").await;
    assert_eq!(early.status, 403, "{}", early.text);
    assert!(early.text.contains("Confirm your e-mail address first"), "{}", early.text);

    kamala.prove_address(&scene).await;
    let opened = kamala.open_shop("chai").await;
    assert_eq!(opened.status, 303, "{}", opened.text);
    scene.projected().await;
    let home = kamala.get("/merchant").await;
    assert_eq!(home.status, 200, "{}", home.text);
    for shown in ["Available", "Settling", "On its way to the bank", "Held", "chai@bahi", "<svg"] {
        assert!(home.text.contains(shown), "{shown}: {}", home.text);
    }
    let settings = kamala.get("/merchant/settings").await;
    let id = super::clerk::found(&settings.text, "mer_");
    let hex = id.strip_prefix("mer_").unwrap();
    for room in ["unsettled", "available"] {
        let path = format!("/v1/accounts/merchant:{hex}:{room}:INR");
        let account = scene.admin.get(&path).await.made();
        assert_eq!(account["owner"], id.as_str(), "{account}");
    }

    let (mut other, _) = Clerk::with_shop(&scene, "books").await;
    other.read_csrf("/merchant/new").await;
    let taken = other.open_shop("chai").await;
    assert_eq!(taken.status, 422, "{}", taken.text);
    assert!(taken.text.contains("Another shop has this handle"), "{}", taken.text);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_shop_and_its_accounts_is_made_good() {
    let scene = Scene::start().await;
    let (_, id) = Clerk::with_shop(&scene, "chai").await;
    // As if the process had ended before it noted that the accounts are open.
    let pool = scene.bahi.database.pool().await;
    sqlx::query("update merchants set opened_at = null").execute(&pool).await.unwrap();
    scene.bahi.keeper.round().await.unwrap();
    let open: bool = sqlx::query_scalar("select opened_at is not null from merchants")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(open, "{id}");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_the_wallet_opens_no_shop_and_one_of_a_shop_no_wallet() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "10.00").await;
    let (kamala, _) = Clerk::with_shop(&scene, "kamala").await;
    let token = |cookie: &str| cookie.split_once('=').unwrap().1.to_owned();
    let ask = async |path: &str, cookie: String| {
        send(kamala.bare(Method::GET, path).header("cookie", cookie)).await
    };
    let plain = kamala.without_a_cookie();
    let as_plain = async |path: &str, cookie: String| {
        send(plain.bare(Method::GET, path).header("cookie", cookie)).await
    };
    // The wallet's token, be it in the shops' cookie or in its own.
    for cookie in [format!("{COOKIE}={}", token(&asha.cookie)), asha.cookie.clone()] {
        let answer = as_plain("/merchant/payouts", cookie).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert!(answer.header("location").starts_with("/merchant/login"), "{:?}", answer.headers);
    }
    // The shop's token, be it in the wallet's cookie or in its own.
    let in_wallets = format!("__Host-bahi_session={}", token(&kamala.cookie));
    for cookie in [in_wallets.clone(), kamala.cookie.clone()] {
        let answer = as_plain("/app", cookie).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert!(answer.header("location").starts_with("/login"), "{:?}", answer.headers);
    }
    assert_eq!(as_plain("/v1/balances", in_wallets).await.status, 401);
    assert_eq!(as_plain("/v1/balances", kamala.cookie.clone()).await.status, 403);
    // Two cookies of one name are nobody's.
    assert_eq!(ask("/merchant/payouts", kamala.cookie.clone()).await.status, 303);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_human_holds_both_and_each_ends_alone() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "10.00").await;
    let mut clerk = Clerk::sign_up(&scene, "helper").await;
    clerk.cookie.clear();
    let fields = [("login", "asha"), ("password", PASSWORD)];
    let entered = clerk.form("/merchant/login", &fields).await;
    assert_eq!(entered.status, 303, "{}", entered.text);
    clerk.read_csrf("/merchant/new").await;
    let out = clerk.form("/merchant/logout", &[]).await;
    assert_eq!(out.header("location"), "/merchant/login");
    asha.get("/v1/me").await.made();
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_answered_by_its_address_with_its_code_in_five_tries() {
    let scene = Scene::start().await;
    let (mut kamala, id) = Clerk::with_shop(&scene, "kamala").await;
    let mut suresh = Clerk::sign_up(&scene, "suresh").await;
    let mut other = Clerk::sign_up(&scene, "other").await;
    let email = suresh.email.clone();
    let form = [("email", email.as_str()), ("role", "cashier")];
    assert_eq!(kamala.form("/merchant/team/invite", &form).await.status, 303);
    let code = code(&sent(&scene, &email, "Work with a shop").await);
    // Who has the code and not the address.
    let stolen = other.form("/merchant/join", &[("merchant", &id), ("code", &code)]).await;
    assert_eq!(stolen.status, 422, "{}", stolen.text);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let tried = suresh.form("/merchant/join", &[("merchant", &id), ("code", wrong)]).await;
        assert_eq!(tried.status, 422, "{}", tried.text);
    }
    let late = suresh.form("/merchant/join", &[("merchant", &id), ("code", &code)]).await;
    assert_eq!(late.status, 422, "{}", late.text);
    scene.finish().await;
}

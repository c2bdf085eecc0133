//! As it should go, with both kinds of provider.

use super::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_signs_up_by_google_and_comes_back_as_the_same() {
    let scene = Scene::start().await;
    let mut browser = scene.sign_up("google", "asha", "asha").await;
    let logins = scene.read(&mut browser, "/v1/me/logins").await;
    assert_eq!(logins["data"][1]["provider"], "google", "{logins}");
    assert_eq!(logins["data"][1]["linked"], true, "{logins}");
    assert_eq!(logins["data"][0]["linked"], false, "{logins}");
    let wallet: bool = sqlx::query_scalar("select wallet_opened_at is not null from people")
        .fetch_one(&scene.pool)
        .await
        .unwrap();
    assert!(wallet, "no wallet");

    let mut later = scene.browser();
    assert_eq!(scene.log_in(&mut later, "google", "asha").await.location(), "/app");
    assert!(later.is_signed_in());
    assert!(!later.cookies.contains_key("__Host-bahi_login"));
    assert_eq!(scene.counted().await, (1, 1, 2));
    let away = later.get("/login/google?return_to=/app/activity").await.location();
    let back = scene.idp.consent(&mut later, &away, "asha").await;
    assert_eq!(later.get(&back).await.location(), "/app/activity");
    // The session that the browser had ended with the new one.
    assert_eq!(scene.counted().await, (1, 1, 2));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_signs_up_by_github_and_comes_back_as_the_same() {
    let scene = Scene::start().await;
    let first = scene.sign_up("github", "ravi", "ravi").await;
    assert!(first.is_signed_in());
    let mut later = scene.browser();
    assert_eq!(scene.log_in(&mut later, "github", "ravi").await.location(), "/app");
    let subject: String = sqlx::query_scalar("select subject from login_identities")
        .fetch_one(&scene.pool)
        .await
        .unwrap();
    assert_eq!(subject, "4102", "the number, not the name");
    scene.finish().await;
}

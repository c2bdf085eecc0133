//! The pages of people, as a browser without a script uses them.

use super::visitor::{PASSWORD, Visitor, code, sent};
use crate::support::bahi::{Reply, TestBahi};

/// The value of the hidden field `csrf` of a page.
fn csrf(page: &Reply) -> String {
    let (_, rest) = page.text.split_once("name=\"csrf\" value=\"").expect("a form of a session");
    rest.split('"').next().unwrap().to_owned()
}

#[track_caller]
fn is_page(page: &Reply, title: &str) {
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(page.text.matches("<h1").count(), 1, "{title}");
    assert!(page.text.contains(title), "{title}");
    for inline in ["<style", " style=", " onclick=", "javascript:"] {
        assert!(!page.text.contains(inline), "{title}: {inline}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_signs_up_proves_changes_and_leaves_by_forms_alone() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    is_page(&asha.get("/signup").await, "Open your wallet");
    let form = [
        ("name", "Asha <b>Rao"),
        ("handle", "@Asha"),
        ("email", "nobody"),
        ("phone", "9812345678"),
        ("password", PASSWORD),
        ("return_to", "/app/settings"),
    ];
    let again = asha.form("/signup", &form).await;
    assert_eq!(again.status, 422);
    assert!(again.text.contains("This is not an e-mail address."), "{}", again.text);
    assert!(again.text.contains("Asha &#60;b&#62;Rao"), "what was typed is there, escaped");
    assert!(!again.text.contains(PASSWORD));
    let mut form = form;
    form[2] = ("email", "asha@example.com");
    let entered = asha.form("/signup", &form).await;
    assert_eq!(entered.status, 303, "{}", entered.text);
    let verify = entered.header("location").to_owned();
    assert!(verify.starts_with("/verify?return_to="), "{verify}");

    let page = asha.get(&verify).await;
    is_page(&page, "Confirm it is you");
    asha.csrf = csrf(&page);
    // Both codes were sent by themselves.
    assert!(page.text.contains("Your codes are on their way"), "{}", page.text);
    sent(&bahi, "asha@example.com", "your code is").await;
    let digits = code(&sent(&bahi, "+919812345678", "Bahi code").await);
    assert_eq!(asha.form("/verify/send", &[("kind", "email")]).await.status, 303);
    let wrong = asha.form("/verify/confirm", &[("kind", "phone"), ("code", "1")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("id=\"code-phone-error\""), "{}", wrong.text);
    assert!(!wrong.text.contains("id=\"code-email-error\""), "{}", wrong.text);
    let right = asha.form("/verify/confirm", &[("kind", "phone"), ("code", &digits)]).await;
    assert_eq!(right.status, 303);
    assert_eq!(asha.form("/verify/papers", &[]).await.status, 303);
    is_page(&asha.get("/dev/outbox").await, "Outbox");

    for (path, title) in [
        ("/app/settings", "Settings"),
        ("/app/security", "Security"),
        ("/app/confirm", "Is it still you?"),
        ("/app/settings/close", "Close your account"),
    ] {
        is_page(&asha.get(path).await, title);
    }
    let settings = asha.get("/app/settings").await.text;
    let name = "Asha &#60;b&#62;Rao";
    for (field, value) in [("name", name), ("handle", "asha"), ("email", "asha@example.com")] {
        let shown = format!("name=\"{field}\" type=");
        let (_, rest) = settings.split_once(&shown).expect(field);
        assert!(rest.split('>').next().unwrap().contains(&format!("value=\"{value}\"")), "{rest}");
    }
    let profile = [("name", "Asha Rao"), ("handle", "admin")];
    let taken = asha.form("/app/settings/profile", &profile).await;
    assert_eq!(taken.status, 422);
    assert!(taken.text.contains("reserved"), "{}", taken.text);
    let profile = [("name", "Asha Rao"), ("handle", "asha_rao")];
    assert_eq!(asha.form("/app/settings/profile", &profile).await.status, 303);
    let closed = asha.form("/app/settings/close", &[]).await;
    assert_eq!((closed.status.as_u16(), closed.header("location")), (303, "/"));
    assert_eq!(asha.get("/app/settings").await.status, 303);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_138_a_login_leads_back_to_pages_of_ours_alone() {
    let bahi = TestBahi::spawn().await;
    Visitor::of(&bahi).sign_up("asha").await;
    let mut asha = Visitor::of(&bahi);
    let sent = asha.get("/app/security?x=1").await;
    let login = sent.header("location").to_owned();
    assert_eq!(
        (sent.status.as_u16(), &*login),
        (303, "/login?return_to=%2Fapp%2Fsecurity%3Fx%3D1")
    );
    is_page(&asha.get(&login).await, "Log in");
    let wrong = asha.form("/login", &[("login", "asha"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text.contains("There is no account with this"), "{}", wrong.text);
    for (back, to) in [
        ("/app/security?x=1", "/app/security?x=1"),
        ("//evil.example", "/app"),
        ("/\\evil.example", "/app"),
        ("javascript:alert(1)", "/app"),
        ("https://evil.example", "/app"),
    ] {
        let form = [("login", "asha"), ("password", PASSWORD), ("return_to", back)];
        let entered = asha.form("/login", &form).await;
        assert_eq!((entered.status.as_u16(), entered.header("location")), (303, to), "{back}");
    }
    bahi.finish().await;
}

//! What other sites can make a browser send.

use reqwest::{Method, RequestBuilder, header};
use serde_json::json;

use super::visitor::{PASSWORD, Visitor};
use crate::support::bahi::{TestBahi, send};

async fn status(request: RequestBuilder) -> u16 {
    send(request).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_129_a_form_of_another_site_moves_nothing() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    asha.sign_up("asha").await;
    let paths = [
        "/v1/withdrawals",
        "/v1/deposits",
        "/v1/bank-accounts",
        "/v1/password",
        "/v1/logout",
        "/v1/me/close",
    ];
    let kinds = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];
    for path in paths {
        for kind in kinds {
            let forged = asha
                .bare(Method::POST, path)
                .header("origin", "https://evil.example")
                .header("idempotency-key", "k")
                .header(header::CONTENT_TYPE, kind)
                .body("{}");
            let status = status(forged).await;
            assert!([403, 415].contains(&status), "{path} {kind}: {status}");
        }
    }
    for page in ["/app/security/password", "/app/settings/close", "/logout", "/verify/send"] {
        for kind in kinds {
            let forged = asha
                .bare(Method::POST, page)
                .header("origin", "https://evil.example")
                .header(header::CONTENT_TYPE, kind)
                .body(format!("csrf={}&password=x", asha.csrf));
            let status = status(forged).await;
            assert!([403, 415].contains(&status), "{page} {kind}: {status}");
        }
    }
    asha.get("/v1/me").await.made();
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_130_a_request_is_ours_by_its_origin_and_the_token_of_its_session() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    asha.sign_up("asha").await;
    let mut ravi = Visitor::of(&bahi);
    ravi.sign_up("ravi").await;
    let before = asha.csrf.clone();
    asha.log_in("asha", PASSWORD).await.made();
    let request = || asha.bare(Method::PATCH, "/v1/me").json(&json!({"name": "Asha R Rao"}));
    let ours = |origin: &str, token: &str| {
        request().header("origin", origin).header("x-csrf-token", token)
    };
    let (here, token) = (bahi.address.as_str(), asha.csrf.as_str());
    let sub_domain = here.replace("http://", "http://a.");
    for (what, forged) in [
        ("no token", request().header("origin", here)),
        ("another session's", ours(here, &ravi.csrf)),
        ("of before the login", ours(here, &before)),
        ("no origin", request().header("x-csrf-token", token)),
        ("a null origin", ours("null", token)),
        ("a sub-domain", ours(&sub_domain, token)),
        ("another port", ours("http://127.0.0.1:1", token)),
        ("another site's", ours(here, token).header("sec-fetch-site", "cross-site")),
        ("a sibling's", ours(here, token).header("sec-fetch-site", "same-site")),
    ] {
        let reply = send(forged).await;
        assert_eq!((reply.status.as_u16(), &*reply.code()), (403, "csrf_refused"), "{what}");
    }
    assert_eq!(status(ours(here, token)).await, 200);
    let fetch = request().header("x-csrf-token", token).header("sec-fetch-site", "same-origin");
    assert_eq!(status(fetch).await, 200);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_in_by_another_site() {
    let bahi = TestBahi::spawn().await;
    Visitor::of(&bahi).sign_up("asha").await;
    let visitor = Visitor::of(&bahi);
    let body = json!({"login": "asha", "password": PASSWORD});
    let forged = visitor.bare(Method::POST, "/v1/login").json(&body);
    assert_eq!(status(forged.header("origin", "https://evil.example")).await, 403);
    // A program says nothing of where it comes from, and need not.
    assert_eq!(status(visitor.bare(Method::POST, "/v1/login").json(&body)).await, 200);
    let form = format!("login=asha&password={}", super::visitor::encoded(PASSWORD));
    let forms = |origin: Option<&str>| {
        let request = visitor
            .bare(Method::POST, "/login")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.clone());
        match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        }
    };
    assert_eq!(status(forms(None)).await, 403);
    assert_eq!(status(forms(Some("null"))).await, 403);
    assert_eq!(status(forms(Some(&bahi.address))).await, 303);
    bahi.finish().await;
}

//! What holds for every page.

use std::{collections::BTreeSet, path::Path};

use super::reader::{link, page, press};
use crate::{
    support::bahi::Reply,
    user_api::person::{Person, Scene},
};

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                   font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
                   object-src 'none'; frame-ancestors 'none'";
/// The most bytes of a first load without fonts.
const FIRST_LOAD_MAX: usize = 100_000;

/// A page that browsers take as it is: one heading, nothing that runs or styles in its text,
/// nothing from elsewhere, a token in every form that changes something.
#[track_caller]
fn is_sound(path: &str, page: &Reply) {
    let text = &page.text;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
    assert_eq!(page.header("content-security-policy"), CSP, "{path}");
    assert_eq!(page.header("cache-control"), "no-store", "{path}");
    assert_eq!(text.matches("<h1").count(), 1, "{path}: {text}");
    assert!(text.contains("<html lang=\"en\""), "{path}");
    for inline in ["<style", " style=\"", " onclick=", " onload=", "javascript:"] {
        assert!(!text.contains(inline), "{path} has {inline}");
    }
    let scripts = text.matches("<script").count();
    assert_eq!((scripts, text.matches("<script src=\"/static/").count()), (1, 1), "{path}");
    for attribute in ["src=\"", "href=\"", "action=\""] {
        for value in text.split(attribute).skip(1) {
            let value = value.split('"').next().unwrap();
            let local = value.starts_with('/') && !value.starts_with("//");
            assert!(local || value.starts_with('#'), "{path} leads to {value}");
        }
    }
    for form in text.split("<form ").skip(1) {
        let form = form.split("</form>").next().unwrap();
        let changes = form.split('>').next().unwrap().contains("method=\"post\"");
        let is_theme = form.contains("action=\"/theme\"");
        assert!(!changes || is_theme || form.contains("name=\"csrf\""), "{path}: {form}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_sound_for_who_is_new_and_for_who_has_history() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "5000.00").await;
    let ravi = scene.person("ravi", "10.00").await;
    let fields = [("to", "@ravi"), ("amount", "250"), ("note", "<b>=1+1"), ("nonce", "n1")];
    let sent = press(&asha, "/app/move/send", &fields).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    scene.projected().await;

    let list = page(&asha, "/app/activity").await;
    let one = link(&list, "/app/activity/t");
    for who in [&asha, &ravi] {
        for path in [
            "/",
            "/app",
            "/app?days=7",
            "/app?days=90",
            "/app/move",
            "/app/move?tab=send&to=@asha",
            "/app/move?tab=withdraw",
            "/app/activity",
            "/app/activity?status=done&kind=transfer&q=nothing&from=soon&min=x",
            "/app/statements",
            "/app/banks",
            "/app/settings/close",
            "/problems/statement_preparing",
            "/dev/components",
        ] {
            let found = page(who, path).await;
            assert_eq!(found.status, 200, "{path}: {}", found.text);
            is_sound(path, &found);
        }
    }
    let found = page(&asha, &one).await;
    is_sound(&one, &found);
    for shown in ["₹250.00", "Ravi Rao", "Debits", "Credits", "&#60;b&#62;=1+1"] {
        let shown = shown.replace("Ravi", "ravi");
        assert!(found.text.contains(&shown), "{shown}: {}", found.text);
    }
    let file = page(&asha, "/app/activity.csv?kind=transfer").await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.text.lines().count(), 2, "{}", file.text);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_a_wallet_that_is_not_theirs() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "5000.00").await;
    let ravi = scene.person("ravi", "10.00").await;
    let mira = scene.person("mira", "10.00").await;
    let fields = [("to", "@ravi"), ("amount", "250"), ("nonce", "n1")];
    press(&asha, "/app/move/send", &fields).await;
    scene.projected().await;
    let one = link(&page(&asha, "/app/activity").await, "/app/activity/t");
    assert_eq!(page(&ravi, &one).await.status, 200);
    for path in [one.as_str(), "/app/activity/wd_1", "/app/nothing"] {
        let found = page(&mira, path).await;
        assert_eq!(found.status, 404, "{path}");
        is_sound(path, &found);
        assert!(!found.text.contains("250.00"));
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_is_small_and_what_it_loads_may_be_kept() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "5000.00").await;
    let ravi = scene.person("ravi", "10.00").await;
    for n in 0..30 {
        let fields = [("to", "@ravi"), ("amount", "1.25"), ("nonce", &*format!("n{n}"))];
        press(&asha, "/app/move/send", &fields).await;
    }
    scene.projected().await;
    for path in ["/", "/app?days=90", "/app/activity", "/app/activity?balance=1"] {
        let bytes = first_load(&asha, path).await;
        assert!(bytes < FIRST_LOAD_MAX, "{path}: {bytes} bytes");
        // The other side has as much to see.
        let bytes = first_load(&ravi, path).await;
        assert!(bytes < FIRST_LOAD_MAX, "{path}: {bytes} bytes");
    }
    scene.finish().await;
}

/// The bytes of a page and of all that it names, but for fonts.
async fn first_load(person: &Person, path: &str) -> usize {
    let found = page(person, path).await;
    assert_eq!(found.status, 200, "{path}: {}", found.text);
    let mut bytes = found.text.len();
    let named = found.text.split('"').filter(|text| text.starts_with("/static/"));
    let is_of = |kind: &str, file: &str| Path::new(file).extension().is_some_and(|of| of == kind);
    let files: BTreeSet<&str> = named.filter(|file| !is_of("woff2", file)).collect();
    for kind in ["css", "js"] {
        assert!(files.iter().any(|file| is_of(kind, file)), "{path} has no {kind}: {files:?}");
    }
    for file in files {
        let loaded = page(person, file).await;
        assert_eq!(loaded.status, 200, "{file}");
        assert!(loaded.header("cache-control").contains("immutable"), "{file}");
        bytes += loaded.text.len();
    }
    bytes
}

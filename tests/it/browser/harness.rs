//! The checks, checked: on pages made for it, each with one fault.

use axum::{Router, response::Html, routing::get};
use tokio::net::TcpListener;

use super::session::browse;
use crate::support::bahi::TestBahi;

const GOOD: &str = "<main><h1>Good</h1><p>Fine.</p></main>";

const FORM: &str = "<main><h1>Form</h1><form action=/good><label for=n>Your name</label>
    <input id=n name=name value=old><button>Go on</button></form></main>";

/// A page, and a word of the fault that must be found in it; none in the first.
const PAGES: [(&str, &str, &str); 9] = [
    ("/good", GOOD, ""),
    ("/form", FORM, ""),
    ("/wide", "<main><h1>Wide</h1><p class=wide>Wide.</p></main>", "wider than the window"),
    ("/two", "<main><h1>One</h1><h1>Two</h1></main>", "2 headings"),
    ("/pale", "<main><h1>Pale</h1><p class=pale>Hardly seen.</p></main>", "color-contrast"),
    ("/shadow", "<main><h1>Shadow</h1><p class=shadow>Unseen at night.</p></main>", "Dark: color"),
    ("/script", "<main><h1>Script</h1><script>nothing.at_all</script></main>", "console: "),
    ("/lost", "<main><h1>Lost</h1><img alt='' src=/nowhere></main>", "404 of"),
    ("/out", "<main><h1>Out</h1><img alt='' src=http://example.org/></main>", "asks outside"),
];
const STYLE: &str = "
    body { background: #fff; color: #111 } .wide { width: 2000px } .pale { color: #ddd }
    @media (prefers-color-scheme: dark) {
        body { background: #111; color: #eee } .shadow { color: #333 }
    }";

async fn serve() -> String {
    let mut router = Router::new().route("/favicon.ico", get(async || ""));
    for (path, body, _) in PAGES {
        let page = format!(
            "<!doctype html><html lang=en><title>A page</title>
             <meta name=viewport content='width=device-width'>
             <style>{STYLE}</style><body>{body}"
        );
        router = router.route(path, get(async || Html(page)));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn each_check_finds_what_it_is_for() {
    let address = serve().await;
    browse(&[&address], async |browser| {
        for (path, _, word) in PAGES {
            let faults = browser.faults_of(&format!("{address}{path}"), 1280).await;
            if word.is_empty() {
                assert_eq!(faults, Vec::<String>::new(), "{path}");
            } else {
                assert!(faults.iter().any(|fault| fault.contains(word)), "{path}: {faults:#?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_telephone_is_as_narrow_as_it_says_and_runs_no_script_when_told() {
    let address = serve().await;
    browse(&[&address], async |browser| {
        browser.width(360).await;
        browser.open(&format!("{address}/good")).await;
        assert_eq!(browser.ask("return [innerWidth, screen.width]").await.to_string(), "[360,360]");
        browser.without_scripts().await;
        browser.open(&format!("{address}/script")).await;
        browser.sees("Script").await;
        assert_eq!(browser.faults_of_loading().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn forms_are_filled_in_by_their_labels_and_sent_by_their_words() {
    let address = serve().await;
    for scripts in [true, false] {
        browse(&[&address], async |browser| {
            if !scripts {
                browser.without_scripts().await;
            }
            browser.open(&format!("{address}/form")).await;
            browser.fill("Your name", "Asha").await;
            browser.press("Go on").await;
            browser.at("/good?name=Asha").await;
            browser.check().await;
        })
        .await;
    }
}

#[tokio::test]
async fn the_documentation_asks_nobody_outside() {
    let service = TestBahi::spawn().await;
    let address = service.address.clone();
    browse(&[&address], async |browser| {
        browser.open(&format!("{address}/docs/")).await;
        browser.sees("Bahi").await;
        assert_eq!(browser.faults_of_loading().await, Vec::<String>::new());
    })
    .await;
    service.finish().await;
}

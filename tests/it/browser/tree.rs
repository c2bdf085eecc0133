//! What a screen reader is told: the tree that the browser makes of a page for it.
//!
//! axe reads the page's own text and knows many rules; this is the browser's answer, whatever the
//! rules: everything that can be acted on has a name, figures have a name and tables have heads,
//! and where a page changes by itself something says so.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::session::{Browser, browse};

/// What can be acted on.
const ACTED_ON: [&str; 14] = [
    "button",
    "checkbox",
    "combobox",
    "DisclosureTriangle",
    "link",
    "listbox",
    "menuitem",
    "radio",
    "searchbox",
    "slider",
    "spinbutton",
    "switch",
    "tab",
    "textbox",
];
/// What is looked at as a whole, and so is called something.
const CALLED: [&str; 3] = ["image", "dialog", "navigation"];
/// The heads of rows and columns.
const HEADS: [&str; 2] = ["columnheader", "rowheader"];

impl Browser {
    /// What is wrong with the tree of the page as it stands.
    pub(super) async fn faults_told(&self) -> Vec<String> {
        self.cdp("Accessibility.enable", json!({})).await;
        let tree = self.cdp("Accessibility.getFullAXTree", json!({})).await;
        // Left on, it makes all that follows in this window slow.
        self.cdp("Accessibility.disable", json!({})).await;
        let nodes = tree["nodes"].as_array().expect("nodes");
        let mut faults = faults_of(nodes);
        // A page that follows what happens says so to who cannot see it change.
        let follows = self.ask("return 'stream' in document.body.dataset").await == true;
        let says = |node: &Value| {
            let about = node["properties"].as_array();
            about.is_some_and(|about| about.iter().any(|one| one["name"] == "live"))
        };
        if follows && !nodes.iter().any(says) {
            faults.push("the page changes by itself and nothing says so".to_owned());
        }
        faults
    }
}

fn role(node: &Value) -> &str {
    node["role"]["value"].as_str().unwrap_or_default()
}

fn faults_of(nodes: &[Value]) -> Vec<String> {
    let by_id: BTreeMap<&str, &Value> =
        nodes.iter().filter_map(|node| Some((node["nodeId"].as_str()?, node))).collect();
    let mut faults = Vec::new();
    for node in nodes.iter().filter(|node| node["ignored"] != true) {
        let (role, name) = (role(node), node["name"]["value"].as_str().unwrap_or_default());
        let nameless = name.trim().is_empty();
        if nameless && (ACTED_ON.contains(&role) || CALLED.contains(&role)) {
            faults.push(format!("a {role} has no name ({})", node["backendDOMNodeId"]));
        }
        if role == "table" && !has_heads(node, &by_id) {
            faults.push(format!("the table \"{name}\" has no heads"));
        }
    }
    faults
}

/// Whether there is a head anywhere below a node.
fn has_heads(node: &Value, by_id: &BTreeMap<&str, &Value>) -> bool {
    let below = node["childIds"].as_array().into_iter().flatten();
    let mut below = below.filter_map(|id| by_id.get(id.as_str()?));
    below.any(|child| HEADS.contains(&role(child)) || has_heads(child, by_id))
}

/// A page with a fault of each kind.
const FAULTY: &str = "<!doctype html><html lang=en><title>Tree</title>
    <body data-stream=/events><main><h1>Tree</h1><button></button><input>
    <svg role=img width=9 height=9></svg><nav><a href=/>Home</a></nav>
    <table><caption>Sums</caption><tr><td>One</td><td>1</td></tr><tr><td>Two</td><td>2</td></tr>
    </table></main>";

#[tokio::test]
async fn each_fault_of_a_tree_is_found() {
    use axum::{Router, response::Html, routing::get};
    let router = Router::new()
        .route("/", get(async || Html(FAULTY)))
        .route("/favicon.ico", get(async || ""));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    browse(&[&address], async |browser| {
        browser.open(&address).await;
        let faults = browser.faults_told().await;
        for said in [
            "a button has no name",
            "a textbox has no name",
            "a image has no name",
            "a navigation has no name",
            "the table \"Sums\" has no heads",
            "nothing says so",
        ] {
            assert!(faults.iter().any(|fault| fault.contains(said)), "{said}: {faults:#?}");
        }
    })
    .await;
}

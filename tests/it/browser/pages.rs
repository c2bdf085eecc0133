//! Every page, from the width of a telephone to that of a desk, by day and by night.

use super::{session::Browser, wallet::on_the_demo};
use crate::support::demo::{Demo, PASSWORD};

/// What anybody sees.
const PUBLIC: [&str; 13] = [
    "/",
    "/login",
    "/signup",
    "/forgot",
    "/reset?token=used-long-ago",
    "/problems/insufficient_funds",
    "/dev/outbox",
    "/dev/components",
    "/merchant",
    "/merchant/login",
    "/merchant/signup",
    "/audit/login",
    "/ops/login",
];
/// What somebody sees who is signed in.
const OWN: [&str; 16] = [
    "/app/pay",
    "/app",
    "/app/confirm?return_to=/app/security",
    "/app/confirm-code?return_to=/app/security",
    "/app/receive",
    "/app/scan",
    "/app/move?tab=add",
    "/app/move?tab=send",
    "/app/move?tab=withdraw",
    "/app/activity",
    "/app/statements",
    "/app/banks",
    "/app/security",
    "/app/settings",
    "/app/settings/close",
    "/verify",
];
/// What an owner of a shop sees.
const OF_A_SHOP: [&str; 23] = [
    "/merchant",
    "/merchant/payouts",
    "/merchant/payouts?find=nothing",
    "/merchant/confirm-code",
    "/merchant/withdraw",
    "/merchant/banks",
    "/merchant/stores",
    "/merchant/team",
    "/merchant/settings",
    "/merchant/shops",
    "/merchant/new",
    "/merchant/join",
    "/merchant/confirm",
    "/merchant/accept",
    "/merchant/poster",
    "/merchant/counter",
    "/merchant/payments",
    "/merchant/payments?status=nope&from=soon",
    "/merchant/settlements",
    "/merchant/reports",
    "/merchant/settlements?status=available&amount=x",
    "/merchant/developers",
    "/merchant/developers/requests",
];
/// What somebody sees at the operators' desk.
const OF_THE_DESK: [&str; 20] = [
    "/ops",
    "/ops/login",
    "/ops/confirm",
    "/ops/withdrawals",
    "/ops/withdrawals?tab=review",
    "/ops/withdrawals?tab=completed&bank=hdfc",
    "/ops/suspense",
    "/ops/reconciliation",
    "/ops/inbound",
    "/ops/banks",
    "/ops/treasury",
    "/ops/disputes",
    "/ops/outside",
    "/ops/debts",
    "/ops/limits",
    "/ops/periods",
    "/ops/people",
    "/ops/reports",
    "/ops/approvals",
    "/ops/sandbox",
];
/// What an auditor sees.
const OF_AUDITORS: [&str; 17] = [
    "/audit",
    "/audit/events",
    "/audit/events?as_of=200&show=180",
    "/audit/events?type=nothing",
    "/audit/accounts",
    "/audit/accounts?branch=wallet&as_of=300",
    "/audit/trial-balance",
    "/audit/trial-balance?as_of=400&compare=200",
    "/audit/trial-balance?as_of=2026-11-22&by=date",
    "/audit/balance-sheet?compare=200",
    "/audit/profit-and-loss",
    "/audit/checkpoints",
    "/audit/checkpoints?before=1",
    "/audit/reconciliation",
    "/audit/replay",
    "/audit/access",
    "/audit/confirm",
];
/// Its lists, each with the beginning of what it leads to: the first of each is looked at.
const LISTS_OF_A_SHOP: [(&str, &str); 5] = [
    ("/merchant/payments", "/merchant/payments/pay_"),
    ("/merchant/payments?status=disputed&days=all", "/merchant/payments/pay_"),
    ("/merchant/settlements", "/merchant/settlements/set_"),
    ("/merchant/payouts", "/merchant/payouts/wd_"),
    ("/merchant/accept", "/merchant/accept/pr_"),
];
/// Pages of one thing each, which the tests below find where something leads to them; and the last
/// step behind a provider, which the test of the providers looks at.
const LED_TO: [&str; 16] = [
    "/app/activity/{id}",
    "/app/statements/files/{id}",
    "/merchant/payments/{id}",
    "/merchant/settlements/{id}",
    "/merchant/payouts/{id}",
    "/merchant/payouts/{id}/parts",
    "/merchant/accept/{id}",
    "/merchant/developers/endpoints/{id}",
    "/ops/withdrawals/{id}",
    "/ops/disputes/{payment}",
    "/ops/inbound/{id}",
    "/ops/suspense/{item}",
    "/ops/people/{id}",
    "/audit/accounts/{id}",
    "/audit/transactions/{id}",
    "/login/finish",
];

/// Every page that is looked at: by its address, or by its route where it is led to.
pub(super) fn opened() -> impl Iterator<Item = &'static str> {
    let lists: [&[&str]; 6] = [&PUBLIC, &OWN, &OF_A_SHOP, &OF_THE_DESK, &OF_AUDITORS, &LED_TO];
    lists.into_iter().flatten().copied()
}

/// So many things that happened are looked at, each on its own page.
const THINGS: usize = 4;
/// The widths that each page is opened at, each with those that it is made to from there: what is
/// loaded once is only measured again.
const WIDTHS: [(u32, &[u32]); 2] = [(360, &[480]), (1280, &[768, 1024, 1600])];

impl Browser {
    /// The path of the first link on a page that begins like this.
    async fn first(&self, demo: &Demo, page: &str, begins: &str) -> String {
        self.open(&format!("{}{page}", demo.address)).await;
        let link = format!("document.querySelector('main a[href^=\"{begins}\"]')");
        let path = self.ask(&format!("return {link} && {link}.getAttribute('href')")).await;
        path.as_str().unwrap_or_else(|| panic!("{page} leads to no {begins}")).to_owned()
    }
}

/// A page of one endpoint: of one that is added for it, for nobody listens there.
async fn of_an_endpoint(browser: &Browser, demo: &Demo) -> String {
    browser.open(&format!("{}/merchant/developers", demo.address)).await;
    browser.fill("URL", "http://127.0.0.1:9/told").await;
    browser.press("Add the endpoint").await;
    browser.sees("whsec_").await;
    browser.first(demo, "/merchant/developers", "/merchant/developers/endpoints/").await
}

/// The page of a statement that is prepared: asked for by the API, since nobody of the
/// demonstration has so many lines that their page would offer it.
async fn of_a_statement(browser: &Browser, demo: &Demo) -> String {
    browser.open(&format!("{}/app/statements", demo.address)).await;
    let ask = "const csrf = document.querySelector('input[name=csrf]').value;
        return fetch('/v1/statement-files', {method: 'POST',
            headers: {'content-type': 'application/json', 'x-csrf-token': csrf},
            body: JSON.stringify({from: '2026-01-01', to: '2026-12-31', format: 'pdf'})})
            .then(answer => answer.json()).then(file => file.id)";
    let id = browser.ask(ask).await;
    format!("/app/statements/files/{}", id.as_str().expect("a file"))
}

/// The sheet behind a form, by the address that it has.
async fn of_a_sheet(browser: &Browser, demo: &Demo) -> String {
    browser.prepare_to_send(demo, "@ravi", "1", "Looked at").await;
    browser.sees("Check and send").await;
    let path = browser.ask("return location.pathname + location.search").await;
    path.as_str().expect("an address").to_owned()
}

/// The page of somebody, found at the desk.
async fn of_somebody(browser: &Browser, demo: &Demo) -> String {
    browser.open(&format!("{}/ops/people", demo.address)).await;
    browser.fill("Handle, phone", "asha").await;
    browser.fill("Why", "her page is looked at").await;
    browser.press("Find").await;
    browser.sees("Signed up").await;
    let form = "return document.querySelector('form[action$=\"/freeze\"]').getAttribute('action')";
    let action = browser.ask(form).await;
    action.as_str().and_then(|action| action.strip_suffix("/freeze")).expect("a page").to_owned()
}

async fn look_at(browser: &Browser, demo: &Demo, pages: &[String]) {
    let mut faults = Vec::new();
    for page in pages {
        for (width, further) in WIDTHS {
            let mut found = browser.faults_of(&format!("{}{page}", demo.address), width).await;
            found.extend(browser.faults_told().await);
            found.extend(browser.faults_at(further).await);
            faults.extend(found.into_iter().map(|fault| format!("{page} {fault}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn every_page_that_anybody_sees_is_in_order() {
    on_the_demo(async |browser, demo| {
        look_at(browser, demo, &PUBLIC.map(str::to_owned)).await;
    })
    .await;
}

#[tokio::test]
async fn every_page_of_ones_own_is_in_order() {
    on_the_demo(async |browser, demo| {
        browser.log_in(demo, "asha", PASSWORD).await;
        browser.open(&format!("{}/app/activity", demo.address)).await;
        let links =
            "return [...new Set([...document.querySelectorAll('a[href*=\"/app/activity/\"]')]
            .map(a => new URL(a.href).pathname))]";
        let things = browser.ask(links).await;
        let things = things.as_array().unwrap().iter().map(|link| link.as_str().unwrap());
        let mut pages = OWN.map(str::to_owned).to_vec();
        pages.extend(things.take(THINGS).map(str::to_owned));
        assert_eq!(pages.len(), OWN.len() + THINGS, "Asha's days have passed");
        pages.push(of_a_statement(browser, demo).await);
        pages.push(of_a_sheet(browser, demo).await);
        look_at(browser, demo, &pages).await;
    })
    .await;
}

#[tokio::test]
async fn every_page_of_a_shop_is_in_order() {
    on_the_demo(async |browser, demo| {
        browser.open(&format!("{}/merchant/login", demo.address)).await;
        browser.log_in_here("kamala", PASSWORD).await;
        browser.at("/merchant").await;
        let mut pages = OF_A_SHOP.map(str::to_owned).to_vec();
        for (list, of) in LISTS_OF_A_SHOP {
            pages.push(browser.first(demo, list, of).await);
        }
        let payout = browser.first(demo, "/merchant/payouts", "/merchant/payouts/wd_").await;
        pages.push(format!("{payout}/parts"));
        let endpoint = of_an_endpoint(browser, demo).await;
        pages.push(endpoint.clone());
        look_at(browser, demo, &pages).await;
        browser.open(&format!("{}{endpoint}", demo.address)).await;
        browser.press("Delete").await;
    })
    .await;
}

#[tokio::test]
async fn every_page_of_the_desk_is_in_order() {
    on_the_demo(async |browser, demo| {
        browser.open(&format!("{}/ops/login", demo.address)).await;
        browser.log_in_here("omar", PASSWORD).await;
        browser.at("/ops").await;
        browser.sees("Operator – sandbox").await;
        let mut pages = OF_THE_DESK.map(str::to_owned).to_vec();
        for (list, below) in [
            ("/ops/withdrawals?tab=completed", "/ops/withdrawals/wd_"),
            ("/ops/inbound", "/ops/inbound/"),
            ("/ops/suspense", "/ops/suspense/"),
            ("/ops/disputes", "/ops/disputes/pay_"),
        ] {
            browser.open(&format!("{}{list}", demo.address)).await;
            let first = format!(
                "return [...document.querySelectorAll('a[href*=\"{below}\"]')]
                 .map(a => new URL(a.href).pathname)[0] || ''"
            );
            let found = browser.ask(&first).await;
            let found = found.as_str().unwrap().to_owned();
            assert!(!found.is_empty(), "{list} leads to one");
            pages.push(found);
        }
        pages.push(of_somebody(browser, demo).await);
        look_at(browser, demo, &pages).await;
    })
    .await;
}

#[tokio::test]
async fn every_page_of_an_auditor_is_in_order() {
    on_the_demo(async |browser, demo| {
        browser.audits(demo).await;
        // Pages say more once something was checked, and more again once it was checked twice.
        for _ in 0..2 {
            browser.replays(demo).await;
        }
        let link = "const a = document.querySelector('a[href*=\"/audit/transactions/\"]');
            return a && new URL(a.href).pathname";
        browser.open(&format!("{}/audit/accounts?branch=bank:hdfc", demo.address)).await;
        let account = "const a = document.querySelector('#accounts td a');
            return a && new URL(a.href).pathname";
        let account = browser.ask(account).await.as_str().expect("an account").to_owned();
        browser.open(&format!("{}{account}", demo.address)).await;
        let transaction = browser.ask(link).await.as_str().expect("a transaction").to_owned();
        let mut pages = OF_AUDITORS.map(str::to_owned).to_vec();
        pages.extend([account, transaction]);
        look_at(browser, demo, &pages).await;
    })
    .await;
}

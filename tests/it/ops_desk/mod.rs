//! The operators' desk against the real service with its banks: what one person proposes and
//! another agrees to, by the pages' own forms.

mod banks;
mod by_key;
mod exchanges;
mod fees;
mod lumps;
mod money;
mod outside;
mod outside_seen;
mod periods;
mod rules;
mod shops;
mod treasury;
mod who_decides;

use chrono::TimeDelta;
use ledger_api::{
    people::{NewPerson, Password, PersonId},
    staff::{NewAppointment, StaffRole},
};
use ledger_core::clock::{Ids as _, System};
use reqwest::StatusCode;

use crate::support::{
    browser::{Browser, Page},
    town::Town,
};

const PASSWORD: &str = "a long sentence is best";
const EVIDENCE: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const BOTH: [StaffRole; 2] = [StaffRole::Operator, StaffRole::Approver];

/// Somebody at the desk.
struct Operator {
    browser: Browser,
    id: String,
}

impl Operator {
    /// Somebody new, appointed to these roles and signed in.
    async fn hire(town: &Town, handle: &str, roles: &[StaffRole]) -> Self {
        let state = town.state();
        let password: Password = PASSWORD.parse().unwrap();
        let new = NewPerson {
            id: PersonId::from_uuid(System.fresh()),
            handle: handle.parse().unwrap(),
            name: format!("{handle} Rao").parse().unwrap(),
            email: format!("{handle}@example.com").parse().unwrap(),
            phone: None,
            password: Some(state.passwords.hash(password).await.unwrap()),
            email_is_proved: true,
            at: state.clock.now(),
        };
        state.people.create(&new).await.unwrap();
        let person = state.people.by_id(new.id).await.unwrap().unwrap();
        state.wallets.settle(&person).await.unwrap();
        for role in roles {
            let at = state.sessions.now();
            let appointment = NewAppointment {
                id: System.fresh(),
                person: new.id,
                role: *role,
                by: "the tests",
                at,
                until: at + TimeDelta::days(30),
            };
            state.staff.appoint(&appointment).await.unwrap();
        }
        let mut browser = Browser::new(&town.address);
        let fields = [("login", handle), ("password", PASSWORD), ("return_to", "")];
        let page = browser.post("/ops/login", &fields).await;
        assert_eq!(page.location(), "/ops");
        Self { browser, id: new.id.to_string() }
    }

    /// A page, which must be there.
    async fn open(&mut self, path: &str) -> Page {
        let page = self.browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        page
    }

    /// Sends a form of a page.
    async fn act(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        assert!(page.text.contains(&format!("action=\"{action}\"")), "{action}: {}", page.text);
        self.send(page, action, fields).await
    }

    /// The same, though no page offers it.
    async fn send(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let (csrf, nonce) = (page.field("csrf"), page.field("nonce"));
        let mut all = vec![("csrf", csrf.as_str()), ("nonce", nonce.as_str())];
        all.extend_from_slice(fields);
        self.browser.post(action, &all).await
    }
}

/// What the access log says that somebody did: what, about what, why.
async fn logged(town: &Town, who: &str) -> Vec<(String, String, String)> {
    let sql = "select what, subject, reason from access_log where who = $1 order by number";
    let pool = town.database.pool().await;
    sqlx::query_as(sql).bind(who).fetch_all(&pool).await.unwrap()
}

/// The number of the only proposal that waits, on the page that lists it.
async fn waiting(operator: &mut Operator) -> (Page, String) {
    let page = operator.open("/ops/approvals").await;
    let number = between(&page.text, "/ops/approvals/", "/").to_owned();
    (page, number)
}

/// The text between the first of these and the next of those.
#[track_caller]
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start}: {text}"));
    rest.split(end).next().unwrap()
}

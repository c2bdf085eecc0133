//! Staff against the real service: who gets to which desk, what the auditors' role of the database
//! can do, what is written down when somebody looks or is turned away, and what checks find.

mod access;
mod api;
mod checkpoints;
mod desk;
mod pages;
mod rebuild;
mod role;

use std::sync::Arc;

use chrono::TimeDelta;
use ledger_api::staff::{NewAppointment, StaffRole, StaffStore};
use ledger_core::clock::{Clock as _, Ids as _, System};

use crate::{support::browser::Browser, user_api::person::Scene};

/// What people of a scene sign up with.
const PASSWORD: &str = "a long sentence is best";
const BY: &str = "the tests";

/// Appoints somebody of a scene for a day.
async fn appoint(scene: &Scene, person: &str, role: StaffRole) {
    let staff = StaffStore::new(scene.bahi.database.pool().await);
    let at = scene.clock.now();
    let until = at + TimeDelta::days(1);
    let person = person.parse().unwrap();
    let new = NewAppointment { id: System.fresh(), person, role, by: BY, at, until };
    staff.appoint(&new).await.unwrap();
}

/// A browser in which somebody has tried to log in at a desk; where that led, if anywhere.
async fn log_in(scene: &Scene, desk: &str, login: &str) -> (Browser, Option<String>) {
    let mut browser = Browser::new(&scene.bahi.address);
    let fields = [("login", login), ("password", PASSWORD), ("return_to", "")];
    let page = browser.post(&format!("{desk}/login"), &fields).await;
    let led = (page.status == 303).then(|| page.location());
    (browser, led)
}

/// An auditor at their desk.
async fn auditor(scene: &Scene) -> Browser {
    let usha = scene.person("usha", "1.00").await;
    appoint(scene, &usha.id, StaffRole::Auditor).await;
    let (browser, led) = log_in(scene, "/audit", "usha").await;
    assert_eq!(led.as_deref(), Some("/audit"));
    browser
}

/// What is in the access log: who, what, about whom, why.
async fn logged(scene: &Scene) -> Vec<(String, String, String, String)> {
    let pool = scene.bahi.database.pool().await;
    let sql = "select who, what, subject, reason from access_log order by number";
    sqlx::query_as(sql).fetch_all(&pool).await.unwrap()
}

/// A clock as the workers take it.
fn clock(scene: &Scene) -> Arc<dyn ledger_core::clock::Clock> {
    scene.clock.clone()
}

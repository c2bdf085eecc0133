//! `/`: what this is, for who is not signed in; with the figures of the books as proof.
//!
//! Anybody may load it as often as they like, so the figures are read once every few seconds and
//! not for every visitor. If they cannot be read the page does without.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use askama::Template;
use axum::{Extension, Router, extract::State, response::Response, routing::get};
use tokio::sync::Mutex;

use super::{
    Layout, Nav, PageContext, respond,
    ui::{Face, MoneyView, MoveRow, Status, When},
};
use crate::http::{ApiState, Problem, session::MaybeSignedIn};

/// For how long the figures are shown before they are read again.
const FRESH: Duration = Duration::from_secs(10);

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/", get(landing)).layer(Extension(Figures::default()))
}

/// The figures, as they were read last.
#[derive(Clone, Default)]
struct Figures(Arc<Mutex<Option<(Instant, Books)>>>);

/// How the books stand.
#[derive(Debug, Clone, Copy)]
struct Books {
    position: u64,
    accounts: u64,
    balanced: bool,
}

#[derive(Template)]
#[template(path = "landing.html")]
struct LandingView {
    layout: Layout,
    signed_in: bool,
    books: Option<ShownBooks>,
    sample: Option<Vec<MoveRow>>,
}

/// The figures as they are written.
struct ShownBooks {
    event: String,
    events: String,
    accounts: String,
    balanced: bool,
}

async fn landing(
    State(api): State<ApiState>,
    Extension(figures): Extension<Figures>,
    MaybeSignedIn(who): MaybeSignedIn,
    context: PageContext,
) -> Result<Response, Problem> {
    let books = figures.read(&api).await.map(|books| ShownBooks {
        event: grouped(books.position),
        events: grouped(books.position),
        accounts: grouped(books.accounts),
        balanced: books.balanced,
    });
    let view = LandingView {
        layout: context.layout("Money you can check", Nav::None, None),
        signed_in: who.is_some(),
        books,
        sample: sample(&api),
    };
    Ok(respond::page(&view))
}

impl Figures {
    async fn read(&self, api: &ApiState) -> Option<Books> {
        let mut last = self.0.lock().await;
        if let Some((at, books)) = *last
            && at.elapsed() < FRESH
        {
            return Some(books);
        }
        let found = match api.read_models.trial_balance().await {
            Ok(found) => found,
            Err(error) => {
                let error = projections::describe(&error);
                tracing::warn!(%error, "the front page has no figures");
                return None;
            }
        };
        let currencies = &found.value.currencies;
        let lines = currencies.iter().flat_map(|currency| &currency.lines);
        let books = Books {
            position: found.position,
            accounts: lines.map(|line| line.accounts).sum(),
            balanced: currencies.iter().all(|currency| currency.balanced),
        };
        *last = Some((Instant::now(), books));
        Some(books)
    }
}

/// A number with Indian grouping, as everywhere here.
pub(super) fn grouped(number: u64) -> String {
    super::ui::grouped(&number.to_string())
}

/// What the wallet looks like, with made-up people; said to be an example beside it.
fn sample(api: &ApiState) -> Option<Vec<MoveRow>> {
    use ledger_core::money::{Currency, Money};

    let currency = Currency { code: "INR".parse().ok()?, scale: 2 };
    let rupees = |text| Money::parse(text, currency).ok();
    let now = api.clock.now();
    let ago = |minutes| {
        let at = now - chrono::TimeDelta::minutes(minutes);
        When::new(at, now, chrono_tz::Tz::Asia__Kolkata)
    };
    let row = |face, who: &str, what: &str, amount, status, minutes| MoveRow {
        id: String::new(),
        href: String::new(),
        face,
        who: who.to_owned(),
        what: what.to_owned(),
        amount,
        status,
        when: ago(minutes),
        balance: None,
    };
    let (sent, came) = (MoneyView::outgoing(rupees("250")?), MoneyView::incoming(rupees("1000")?));
    let bank = MoneyView::outgoing(rupees("5000")?);
    Some(vec![
        row(Face::of("Asha Rao"), "Asha Rao", "Sent", sent, Status::Done, 2),
        row(Face::icon("bank"), "HDFC ••4321", "Withdrawal", bank, Status::Unknown, 9),
        row(Face::incoming("in"), "Added from HDFC", "Money added", came, Status::Done, 61),
    ])
}

//! `/dev/components`: every component in every state, for who builds pages. Only in the
//! demonstration; elsewhere there is nothing at this address.

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use ledger_core::money::{Currency, Money};

use super::{
    FormErrors, Layout, Nav, PageContext, Viewer, respond,
    ui::{
        BalanceSplit, BarChart, Cell, Column, ConfirmSheet, CopyId, Countdown, DataTable, DayFlow,
        EmptyState, Face, LedgerLegs, Leg, LiveDot, MoneyView, MoveRow, Pair, Pairs, QrCard,
        Status, Step, StepState, Timeline, When,
    },
};
use crate::http::{ApiState, Problem};

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/dev/components", get(components))
}

#[derive(Template)]
#[template(path = "dev/components.html")]
struct ComponentsView {
    layout: Layout,
    errors: FormErrors,
    none: FormErrors,
    moneys: Vec<MoneyView>,
    chips: [Status; 11],
    timelines: Vec<Timeline>,
    balances: Vec<BalanceSplit>,
    charts: Vec<BarChart>,
    rows: Vec<MoveRow>,
    table: DataTable,
    confirm: ConfirmSheet,
    empties: Vec<EmptyState>,
    id: CopyId,
    qr: Option<QrCard>,
    legs: LedgerLegs,
    countdowns: Vec<Countdown>,
    whens: Vec<When>,
    live: LiveDot,
    receipt: Pairs,
}

async fn components(
    State(api): State<ApiState>,
    context: PageContext,
) -> Result<Response, Problem> {
    if !api.demo {
        return Err(Problem::not_found("There is nothing at this address."));
    }
    let samples = Samples { now: api.clock.now() };
    Ok(respond::page(&samples.view(&context)?))
}

/// What the components are shown with.
struct Samples {
    now: DateTime<Utc>,
}

impl Samples {
    fn view(&self, context: &PageContext) -> Result<ComponentsView, Problem> {
        let viewer = Viewer {
            name: "Asha Rao".to_owned(),
            handle: "asha".to_owned(),
            csrf: "sample".to_owned(),
        };
        let mut errors = FormErrors::one("sample-wrong", "Enter an amount such as 250 or 99.50.");
        errors.add("", "Not enough available. You have ₹1,200.00; ₹5,000.00 is on its way out.");
        Ok(ComponentsView {
            layout: context.layout("Components", Nav::None, Some(viewer)),
            errors,
            none: FormErrors::none(),
            moneys: moneys()?,
            chips: Status::ALL,
            timelines: self.timelines(),
            balances: balances()?,
            charts: self.charts()?,
            rows: self.rows()?,
            table: self.table()?,
            confirm: confirm()?,
            empties: empties(),
            id: CopyId::new("wd_019ab3c4d5e67f8091a2b3c4d5e6f708"),
            qr: QrCard::new("bahi:@asha", "Asha Rao", "@asha"),
            legs: legs()?,
            countdowns: [-1, 42, 480, 9_000, 700_000].map(|s| self.countdown(s)).to_vec(),
            whens: [60, 90_000, 4_000_000, 40_000_000].map(|s| self.ago(s)).to_vec(),
            live: LiveDot::new("/dev/components"),
            receipt: self.receipt()?,
        })
    }

    fn ago(&self, seconds: i64) -> When {
        When::new(self.now - TimeDelta::seconds(seconds), self.now, Tz::Asia__Kolkata)
    }

    fn countdown(&self, seconds: i64) -> Countdown {
        Countdown::new(self.now + TimeDelta::seconds(seconds), self.now)
    }

    fn timelines(&self) -> Vec<Timeline> {
        let begin = || {
            vec![
                Step::new(StepState::Done, "Requested").at(self.ago(95)).facts("by you"),
                Step::new(StepState::Done, "Set aside").at(self.ago(95)),
            ]
        };
        let sent = || Step::new(StepState::Done, "Sent to HDFC").at(self.ago(90));
        let mut queued = begin();
        queued.push(
            Step::new(StepState::Now, "Queued")
                .at(self.ago(94))
                .facts("position 3 of 41")
                .text("HDFC takes transfers one after another. You can still cancel."),
        );
        queued.push(Step::new(StepState::Todo, "Sent to HDFC"));
        queued.push(Step::new(StepState::Todo, "Paid to your bank"));
        let mut unknown = begin();
        unknown.push(sent().facts("reference KH7Q2M"));
        unknown.push(
            Step::new(StepState::Unknown, "HDFC did not answer in time").at(self.ago(30)).text(
                "Your ₹5,000.00 is safe: it is either with HDFC or coming back here, never both. \
                 Next check in 60 s, 1 of 3.",
            ),
        );
        unknown.push(Step::new(StepState::Todo, "Paid to your bank"));
        let mut failed = begin();
        failed.push(sent());
        failed.push(
            Step::new(StepState::Failed, "HDFC refused: the account is closed")
                .at(self.ago(20))
                .text("The whole amount, fee included, is back in your wallet."),
        );
        [queued, unknown, failed].map(Timeline::new).into()
    }

    fn charts(&self) -> Result<Vec<BarChart>, Problem> {
        let today = self.now.with_timezone(&Tz::Asia__Kolkata).date_naive();
        let mut charts = Vec::new();
        for (title, days) in [("7 days", 7), ("30 days", 30), ("90 days", 90)] {
            charts.push(BarChart::new(title, &flows(today, days)?));
        }
        let zero = rupees("0")?;
        let empty =
            flows(today, 7)?.into_iter().map(|day| DayFlow { flow: Some((zero, zero)), ..day });
        charts.push(BarChart::new("Nothing yet", &empty.collect::<Vec<_>>()));
        Ok(charts)
    }

    fn rows(&self) -> Result<Vec<MoveRow>, Problem> {
        let row = |who: &str, what: &str, face, amount, status, ago| MoveRow {
            id: "txn_sample".to_owned(),
            href: "/dev/components".to_owned(),
            face,
            who: who.to_owned(),
            what: what.to_owned(),
            amount,
            status,
            when: self.ago(ago),
            balance: None,
        };
        let evil = "<script>alert(1)</script> \u{202e}evil";
        let (out, into) =
            (MoneyView::outgoing(rupees("250")?), MoneyView::incoming(rupees("1000")?));
        let bank = MoneyView::outgoing(rupees("5000.13")?);
        let many = MoneyView::incoming(rupees("12345678.90")?);
        Ok(vec![
            row("Asha Rao", "Sent", Face::of("Asha Rao"), out, Status::Done, 60),
            row("HDFC Bank", "Added", Face::incoming("in"), into, Status::Waiting, 4_000),
            row("HDFC ••4321", "Withdrawn", Face::icon("bank"), bank, Status::Unknown, 90_000),
            row(evil, "Received", Face::of("Evil"), many, Status::InReview, 4_000_000),
        ])
    }

    fn table(&self) -> Result<DataTable, Problem> {
        let columns = [
            Column::words("When"),
            Column::words("What"),
            Column::words("Status"),
            Column::numbers("Amount"),
        ];
        let row = |what: &str, status, money| -> Vec<Cell> {
            vec![self.ago(500).into(), what.into(), Cell::Status(status), Cell::Money(money)]
        };
        let rows = vec![
            row("Sent to Ravi Iyer", Status::Done, MoneyView::outgoing(rupees("250")?)),
            row("Withdrawn to HDFC ••4321", Status::Queued, MoneyView::outgoing(rupees("5010")?)),
        ];
        Ok(DataTable::new("Two movements", &columns, rows))
    }

    fn receipt(&self) -> Result<Pairs, Problem> {
        Ok(Pairs::new(vec![
            Pair::new("To", "HDFC Bank ••4321"),
            Pair::new("When", self.ago(95)),
            Pair::new("Bank reference", CopyId::new("UTR HDFC0000000001")),
            Pair::new("Amount", MoneyView::plain(rupees("5000")?)),
            Pair::new("Fee", MoneyView::plain(rupees("10")?)),
            Pair::new("Total", MoneyView::plain(rupees("5010")?)).total(),
        ]))
    }
}

fn rupees(text: &str) -> Result<Money, Problem> {
    let code = "INR".parse().map_err(|error| Problem::internal(&error))?;
    Money::parse_signed(text, Currency { code, scale: 2 })
        .map_err(|error| Problem::internal(&error))
}

fn moneys() -> Result<Vec<MoneyView>, Problem> {
    Ok(vec![
        MoneyView::plain(rupees("1234567.80")?).hero(),
        MoneyView::plain(rupees("5000")?).big(),
        MoneyView::incoming(rupees("1000")?),
        MoneyView::outgoing(rupees("250")?),
        MoneyView::plain(rupees("-18.50")?),
        MoneyView::plain(rupees("0")?),
    ])
}

fn balances() -> Result<Vec<BalanceSplit>, Problem> {
    let zero = rupees("0")?;
    Ok(vec![
        BalanceSplit::new(rupees("1229567.80")?, rupees("1000")?, rupees("5000")?, rupees("750")?),
        BalanceSplit::new(zero, zero, zero, zero),
    ])
}

/// Days with believable figures, the third last of which is not known.
fn flows(today: NaiveDate, days: u32) -> Result<Vec<DayFlow>, Problem> {
    let mut flows = Vec::new();
    for back in (0..days).rev() {
        let date = today - TimeDelta::days(i64::from(back));
        let incoming = rupees(&format!("{}", (back * 7_919 + 300) % 5_200))?;
        let outgoing = rupees(&format!("{}", (back * 3_571 + 100) % 3_100))?;
        flows.push(DayFlow { date, flow: (back != 2).then_some((incoming, outgoing)) });
    }
    Ok(flows)
}

fn confirm() -> Result<ConfirmSheet, Problem> {
    Ok(ConfirmSheet {
        face: Face::of("Asha Rao"),
        headline: "To Asha Rao".to_owned(),
        verified: "Verified: @asha".to_owned(),
        amount: MoneyView::plain(rupees("250")?).hero(),
        pairs: Pairs::new(vec![
            Pair::new("Fee", "Free"),
            Pair::new("Arrives", "At once"),
            Pair::new("You will have", MoneyView::plain(rupees("950")?)).total(),
        ]),
    })
}

fn empties() -> Vec<EmptyState> {
    vec![
        EmptyState::new("list", "No withdrawals yet", "What you send to your bank appears here.")
            .action("Withdraw to your bank", "/app/move?tab=withdraw"),
        EmptyState::new("search", "Nothing matches", "Try fewer filters, or look further back.")
            .action("Clear filters", "/app/activity"),
    ]
}

fn legs() -> Result<LedgerLegs, Problem> {
    let leg = |words: &str, account: &str, amount: &str| -> Result<Leg, Problem> {
        let amount = MoneyView::plain(rupees(amount)?);
        Ok(Leg { words: words.to_owned(), account: account.to_owned(), amount })
    };
    Ok(LedgerLegs {
        debits: vec![leg("Your wallet", "wallet:asha:INR", "5010")?],
        credits: vec![
            leg("Promised to your bank", "withdrawals:reserved:INR", "5000")?,
            leg("Fee, kept aside until it is paid", "fees:held:INR", "10")?,
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_is_shown_and_nothing_in_the_page_runs_or_styles() {
        let samples = Samples { now: "2026-11-22T12:00:00Z".parse().unwrap() };
        let context = PageContext { demo: true, ..PageContext::default() };
        let html = samples.view(&context).unwrap().render().unwrap();
        assert_eq!(html.matches("<h1").count(), 1);
        for component in [
            "money hero",
            "chip unknown",
            "timeline",
            "split-bar",
            "class=\"chart\"",
            "table-wrap",
            "sheet-head",
            "class=\"empty\"",
            "copy-id",
            "class=\"qr\"",
            "class=\"legs\"",
            "data-countdown",
            "data-live",
            "banner failed",
            "class=\"pairs\"",
            "aria-invalid",
        ] {
            assert!(html.contains(component), "{component}");
        }
        assert!(!html.contains("style="), "the policy forbids it");
        assert!(!html.contains("<style") && !html.contains("onclick"), "the policy forbids it");
        assert_eq!(html.matches("<script").count(), 1, "and that one has an address");
        assert!(html.contains("&#60;script&#62;alert(1)"), "case 162");
    }
}

//! The read models and the auditor's replay come to the same figures, at every place and for all
//! days; and controls hold until a table is changed.

use projections::{
    AsOf,
    audit::{self, Code, Days, Options, Until},
    reports::{self, Report},
};
use sqlx::Executor as _;

use super::scene::{Scene, date};

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_comes_to_what_the_read_models_have_at_every_place() {
    let scene = Scene::full().await;
    let head = scene.caught_up().await;
    let options = Options::default();
    for position in (0..=head).rev().step_by(3).chain([1, 2, 3]) {
        let until = Until::Position(i64::try_from(position).unwrap());
        let replay = audit::replay_database(&scene.pool, &options, Some((until, None)), |_| ());
        let replay = replay.await.unwrap();
        assert!(replay.report.verified, "{}", replay.report);
        let sheet = scene.models.sheet(AsOf::Position(position)).await.unwrap();
        assert_eq!(replay.sheet, sheet.value, "at {position}");
        // Amid a transaction both go on to its end.
        assert_eq!(u64::try_from(replay.position).unwrap(), sheet.position);
        assert!(sheet.position >= position && sheet.position < position + 20, "{position}");
        let statements = reports::statements(Report::TrialBalance, &replay.sheet, None).unwrap();
        assert!(statements.iter().all(|statement| statement.balanced), "at {position}");
    }
    let past = scene.models.sheet(AsOf::Position(head + 1)).await;
    assert!(past.is_err(), "the log has not come there");
    for day in ["2025-12-31", "2026-01-15", "2026-03-31", "2026-11-20", "2027-01-01"] {
        let days = Days { from: None, to: date(day), without_closings: false };
        let question = Some((Until::End, Some(days)));
        let replay = audit::replay_database(&scene.pool, &options, question, |_| ()).await.unwrap();
        let sheet = scene.models.sheet(AsOf::Day(date(day))).await.unwrap().value;
        // A replay also knows accounts that nothing moved by then.
        assert_eq!(moved(&replay.sheet), moved(&sheet), "{day}");
    }
}

/// What lines there are that moved, without how many accounts each has.
fn moved(sheet: &reports::Sheet) -> Vec<String> {
    let lines = sheet.lines().filter(|line| !line.debits.is_zero() || !line.credits.is_zero());
    lines.map(|l| format!("{} {} {} {}", l.currency, l.heading, l.debits, l.credits)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_year_still_has_its_profit_and_its_balance_sheet_has_it_in_equity() {
    let scene = Scene::full().await;
    let year = (date("2025-04-01"), date("2026-03-31"));
    let result = |sheet: &reports::Sheet, report| {
        let statements = reports::statements(report, sheet, None).unwrap();
        let inr = statements.into_iter().find(|s| s.currency.to_string() == "INR").unwrap();
        assert!(inr.balanced);
        inr
    };
    let earned = scene.models.earnings(year.0, year.1).await.unwrap().value;
    assert_eq!(result(&earned, Report::ProfitAndLoss).result.to_string(), "1.50");
    let days = Days { from: Some(year.0), to: year.1, without_closings: true };
    let question = Some((Until::End, Some(days)));
    let replay =
        audit::replay_database(&scene.pool, &Options::default(), question, |_| ()).await.unwrap();
    assert_eq!(result(&replay.sheet, Report::ProfitAndLoss).result.to_string(), "1.50");
    let sheet = scene.models.sheet(AsOf::Day(year.1)).await.unwrap().value;
    let balance = result(&sheet, Report::BalanceSheet);
    assert_eq!(balance.result.to_string(), "0.00");
    let totals: Vec<_> = balance.sections.iter().map(|s| s.total.to_string()).collect();
    assert_eq!(totals, ["12345.17", "12343.67", "1.50"]);
    // What came after the close is the next year's.
    let sheet = scene.models.sheet(AsOf::Now).await.unwrap().value;
    assert_eq!(result(&sheet, Report::BalanceSheet).result.to_string(), "1.18");
}

#[tokio::test(flavor = "multi_thread")]
async fn controls_hold_until_a_table_is_changed_and_then_name_it() {
    let scene = Scene::full().await;
    let controls = scene.models.controls().await.unwrap().value;
    let names: std::collections::BTreeSet<_> = controls.iter().map(|c| &*c.control).collect();
    let expected = ["daily_flows", "open_holds", "open_items", "unsettled_payments"];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
    assert!(controls.iter().all(reports::Control::holds), "{controls:#?}");
    let changes = [
        ("update read.open_items set net_debits = net_debits + 1 where item = 'old'", "open_items"),
        (
            "update read.flows set debits = debits + 1 where account_id = 'till:main:INR'",
            "daily_flows",
        ),
        ("update read.holds set amount = amount + 1", "open_holds"),
    ];
    for (change, control) in changes {
        let mut superuser = scene.ledger.database.superuser().await;
        superuser.execute(change).await.unwrap();
        let found = scene.models.controls().await.unwrap().value;
        let differing = found.iter().filter(|c| !c.holds() && c.control == control).count();
        assert_eq!(differing, 1, "{change}");
    }
    let report = audit::verify_database(&scene.pool, &Options::default(), |_| ()).await.unwrap();
    assert_eq!(report.controls.map(|c| c.differing), Some(3));
    let found = report.findings.iter().filter(|f| f.code == Code::ControlDiffers).count();
    assert_eq!(found, 3);
}

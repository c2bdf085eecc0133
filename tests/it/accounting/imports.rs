//! The balances of an older system come in once, and end at zero.

use ledger_api::import::{self, Checked, Format, Imported, Refused};
use projections::audit::{self, Options};

use super::scene::{Scene, date};

const FILE: &str = "account,currency,balance,owner,type,item\n\
    bank:hdfc:escrow,INR,1500.00,,,\n\
    wallet:asha,INR,1000.00,p_1,,\n\
    wallet:ravi,INR,470.50,p_2,,\n\
    wallet:empty,INR,0,p_3,,\n\
    suspense:credits,INR,20.00,,,old-17\n\
    suspense:credits,INR,9.50,,,old-18\n\
    till:old,JPY,700,p_9,asset,\n\
    equity:capital,JPY,700,,,\n";

fn checked(scene: &Scene, text: &str) -> Checked {
    let book = scene.ledger.engine.status().borrow().book.clone();
    import::check(&import::read(text, Format::Csv).unwrap(), &book).unwrap()
}

async fn post(scene: &Scene, text: &str) -> Result<Imported, Refused> {
    let checked = checked(scene, text);
    let (who, on) = ("import".parse().unwrap(), Some(date("2026-03-31")));
    import::post(&scene.ledger.engine, &who, (&checked, on), |_| ()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_ends_at_zero_and_happens_once() {
    let scene = Scene::empty().await;
    let done = post(&scene, FILE).await.unwrap();
    let (accounts, balances) = (9, 7);
    let expected = Imported { accounts, balances, ..Imported::default() };
    assert_eq!(done, expected);
    for (account, balance) in [
        ("migration:opening:INR", "0.00"),
        ("migration:opening:JPY", "0"),
        ("wallet:asha:INR", "1000.00"),
        ("suspense:credits:INR", "29.50"),
        ("bank:hdfc:escrow:INR", "1500.00"),
    ] {
        assert_eq!(scene.ledger.balance(account).await, balance, "{account}");
    }
    let head = scene.caught_up().await;
    let again = post(&scene, FILE).await.unwrap();
    let before =
        Imported { accounts_before: accounts, balances_before: balances, ..Imported::default() };
    assert_eq!(again, before);
    assert_eq!(scene.caught_up().await, head, "nothing happened twice");
    let report = audit::verify_database(&scene.pool, &Options::default(), |_| ()).await.unwrap();
    assert!(report.verified, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_broke_off_goes_on_and_another_balance_is_refused() {
    let scene = Scene::empty().await;
    // Only the first rows came through.
    let first: Vec<&str> = FILE.lines().take(2).collect();
    let half = format!("{}\nfloat,INR,1500.00,x,liability,\n", first.join("\n"));
    post(&scene, &half).await.unwrap();
    let done = post(&scene, FILE).await.unwrap();
    assert_eq!((done.balances, done.balances_before), (6, 1));
    let other = FILE.replace("wallet:asha,INR,1000.00", "wallet:asha,INR,999.00");
    let other = other.replace("wallet:ravi,INR,470.50", "wallet:ravi,INR,471.50");
    let refused = post(&scene, &other).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "line 3: wallet:asha:INR was imported before, otherwise than here"
    );
    assert_eq!(scene.ledger.balance("wallet:asha:INR").await, "1000.00");
}

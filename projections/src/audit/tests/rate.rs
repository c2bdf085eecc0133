//! How fast a log is checked. Ignored, for it says something in a release build only:
//! `cargo test --release -p projections rate -- --ignored --nocapture`.

use super::{
    super::{Options, verify_database},
    check, database,
    log::Log,
    maker::{Maker, leg},
    server::Database,
};

/// A million events: wallets, transfers of two legs among them, a hundred to a batch.
fn million() -> Log {
    const WALLETS: usize = 20_000;
    let mut maker = Maker::new(1);
    maker.found();
    let first = maker.accounts.len();
    for number in 0..WALLETS {
        let code = format!("wallet:c{number:05}");
        maker.open_account(&code, "INR", 2, "liability", false, None);
    }
    maker.append();
    while maker.log.rows.len() < 1_000_000 {
        for _ in 0..100 {
            let from = first + maker.pick(WALLETS);
            let to = first + maker.pick(WALLETS);
            if from != to {
                let id = maker.fresh("txn_");
                let legs = [leg(from, true, 125, None), leg(to, false, 125, None)];
                maker.transaction_as(&id, "transfer", &legs, None);
            }
        }
        maker.append();
    }
    maker.finish()
}

#[test]
#[ignore = "a measurement, in a release build only"]
fn rate_of_an_export() {
    let text = million().text();
    for _ in 0..3 {
        let report = check(&text);
        assert!(report.verified, "{report}");
        println!("{} bytes\n{report}", text.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, in a release build only"]
async fn rate_of_a_database() {
    let database = Database::new().await;
    database::store(&database.pool, &million()).await;
    for _ in 0..3 {
        let report = verify_database(&database.pool, &Options::default(), |_| {}).await.unwrap();
        assert!(report.verified, "{report}");
        println!("{report}");
    }
}

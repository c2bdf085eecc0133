//! What is certified at the close of a bank's day, and that nobody can make it say something else.

use ledger_api::statements::{CertificateKey, certify};
use projections::audit::{self, Certificate, Code, Options, Signed};

use super::{moves::on, *};

impl Stand {
    async fn certify(&self) -> Vec<Certificate> {
        self.book().await;
        certify(&self.pool, &CertificateKey::of(&[7; 32])).await.unwrap()
    }

    async fn certificates(&self) -> Vec<(Signed, Vec<String>)> {
        let pool = PgPool::connect_with(self.ledger.database.options(APP)).await.unwrap();
        audit::safeguarding(&pool, None).await.unwrap()
    }

    async fn open_day(&self, date: u32, opening: &str, closing: &str, lines: &[Value]) {
        let mut open = statement(date, opening, closing, lines);
        open["closed"] = json!(false);
        self.import(&open).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_day_is_certified_once_and_again_when_the_bank_corrects_it() {
    let stand = Stand::start().await;
    let paid = stand.sent("BH-1").await;
    stand.paid(paid, "UTR-S1").await;
    let sent = stand.sent("BH-2").await;
    stand.paid(sent, "UTR-S2").await;
    let out = line("S1", "-100.00", Some("BH-1"), "IMPS OUT");
    stand.open_day(22, "1000.00", "900.00", std::slice::from_ref(&out)).await;
    assert_eq!(stand.certify().await, [], "the day is not over");
    stand.import(&statement(22, "1000.00", "900.00", std::slice::from_ref(&out))).await.unwrap();
    assert_eq!(certify(&stand.pool, &CertificateKey::of(&[7; 32])).await.unwrap().len(), 1);

    // 900.00 at the bank, of which 100.00 is paid and on no statement, and 800.00 on the wallet.
    let [(signed, faults)] = &stand.certificates().await[..] else { panic!("one certificate") };
    let certificate = signed.certificate.as_ref().unwrap();
    let figures = [certificate.escrow_stated, certificate.clearing_out, certificate.liabilities];
    assert_eq!(figures.map(|figure| figure.to_string()), ["900.00", "100.00", "800.00"]);
    assert!(!certificate.is_short() && signed.is_signed() && faults.is_empty(), "{faults:?}");
    assert_eq!(stand.certify().await, [], "once");

    // What happens afterwards is not of that day; a correction is, and its day falls short.
    stand.ledger.wallet("wallet:b:INR", "50.00").await;
    let charged = line("S2", "-1.00", None, "CHG");
    stand.import(&statement(22, "1000.00", "899.00", &[out, charged])).await.unwrap();
    let corrected = stand.certify().await;
    assert_eq!(corrected.len(), 1);
    assert!(corrected[0].is_short(), "{corrected:?}");
    assert_eq!(corrected[0].headroom().to_string(), "-51.00");
    let both = stand.certificates().await;
    assert!(
        both.iter().all(|(signed, faults)| signed.is_signed() && faults.is_empty()),
        "{both:?}"
    );
    assert_eq!(both.len(), 2);
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_the_next_day_that_are_booked_already_do_not_make_a_day_look_better() {
    let stand = Stand::start().await;
    let paid = stand.sent("BH-1").await;
    stand.paid(paid, "UTR-S1").await;
    stand.import(&statement(22, "1000.00", "1000.00", &[])).await.unwrap();
    // The next day has begun, and the bank shows on it what it paid: nothing is owed for it any
    // more, and the closed day still states the money.
    let out = on(23, line("S1", "-100.00", Some("BH-1"), "IMPS OUT"));
    stand.open_day(23, "1000.00", "900.00", &[out]).await;
    let [certificate] = &stand.certify().await[..] else { panic!("one certificate") };
    let figures = [
        certificate.escrow_stated,
        certificate.later,
        certificate.clearing_out,
        certificate.liabilities,
        certificate.headroom(),
    ];
    let figures = figures.map(|figure| figure.to_string());
    assert_eq!(figures, ["1000.00", "-100.00", "0.00", "900.00", "0.00"]);
    let [(signed, faults)] = &stand.certificates().await[..] else { panic!("one certificate") };
    assert!(signed.is_signed() && faults.is_empty(), "{faults:?}");
    stand.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_somebody_changed_is_found_by_every_check() {
    let stand = Stand::start().await;
    stand.import(&statement(22, "1000.00", "1000.00", &[])).await.unwrap();
    assert_eq!(stand.certify().await.len(), 1);
    let refused = sqlx::query("update safeguarding_certificates set body = body");
    assert!(refused.execute(&stand.pool).await.is_err(), "the application must not");
    let mut superuser = stand.ledger.database.superuser().await;
    let lie = "alter table safeguarding_certificates disable trigger user;
        update safeguarding_certificates
        set body = replace(body, '\"liabilities\":\"1000.00\"', '\"liabilities\":\"999.00\"')";
    sqlx::raw_sql(lie).execute(&mut superuser).await.unwrap();
    let [(signed, faults)] = &stand.certificates().await[..] else { panic!("one certificate") };
    assert!(!signed.is_signed());
    assert_eq!(
        faults[..],
        [
            "the words are not those that were signed".to_owned(),
            "liabilities: says 999.00, and it is 1000.00".to_owned(),
        ]
    );
    let report = audit::verify_database(&stand.pool, &Options::default(), |_| {}).await.unwrap();
    assert!(!report.verified);
    assert!(report.findings.iter().all(|found| found.code == Code::SafeguardingDiffers));
    stand.projector.abort();
}

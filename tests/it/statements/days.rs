//! Days that somebody closed: only what is stated and booked is, nothing changes it, and whoever
//! opens it again needs a second person.

use chrono::Utc;
use ledger_api::statements::{DayError, DaySaid, close_days, day_changes, open_days};
use ledger_core::ids::{BankCode, Principal};

use super::*;

async fn close(stand: &Stand, until: u32) -> Result<(), DayError> {
    let (bank, by): (BankCode, Principal) = (word("hdfc"), word("asha"));
    let said = DaySaid { by: &by, approved_by: None, reason: "looked at", at: Utc::now() };
    close_days(&stand.pool, &bank, day(until), said).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_day_stays_as_it_is_until_two_open_it_again() {
    let stand = Stand::start().await;
    let bank: BankCode = word("hdfc");
    let first = statement(22, "0.00", "9.00", &[line("S1", "+9.00", None, "IN")]);
    let mut open = first.clone();
    open["closed"] = json!(false);
    stand.import(&open).await.unwrap();
    assert!(matches!(close(&stand, 22).await, Err(DayError::NotStated { .. })), "still open");
    stand.import(&first).await.unwrap();
    assert!(matches!(close(&stand, 22).await, Err(DayError::NotBooked { lines: 1 })));
    stand.book().await;
    assert!(matches!(close(&stand, 23).await, Err(DayError::NotStated { .. })), "not stated");
    close(&stand, 22).await.unwrap();
    close(&stand, 22).await.unwrap();
    assert!(matches!(close(&stand, 21).await, Err(DayError::ClosedLater { .. })));
    assert_eq!(day_changes(&stand.pool, Some(&bank)).await.unwrap().len(), 1, "closed once");

    // The bank corrects the day: not by itself. The same file again is what it was.
    let lines = [line("S1", "+9.00", None, "IN"), line("S2", "+1.00", None, "IN")];
    let corrected = statement(22, "0.00", "10.00", &lines);
    assert_eq!(stand.refused(&corrected).await, "bank_day_closed");
    assert!(stand.import(&first).await.unwrap().duplicate);

    let (by, second): (Principal, Principal) = (word("asha"), word("ravi"));
    let said = |approved_by| DaySaid { by: &by, approved_by, reason: "corrected", at: Utc::now() };
    // The last guard: nobody is their own second person.
    assert!(open_days(&stand.pool, &bank, day(22), said(Some(&by))).await.is_err());
    assert_eq!(stand.refused(&corrected).await, "bank_day_closed");
    open_days(&stand.pool, &bank, day(22), said(Some(&second))).await.unwrap();
    open_days(&stand.pool, &bank, day(22), said(Some(&second))).await.unwrap();
    let changes = day_changes(&stand.pool, Some(&bank)).await.unwrap();
    assert_eq!((changes.len(), changes[0].closed_until), (2, Some(day(21))));
    assert_eq!(changes[0].approved_by.as_deref(), Some("ravi"));
    assert_eq!(stand.import(&corrected).await.unwrap().new_lines, 1);
    stand.book().await;
    close(&stand, 22).await.unwrap();
    stand.import(&statement(23, "10.00", "10.00", &[])).await.unwrap();
    let sql = "delete from bank_day_closes";
    assert!(sqlx::query(sql).execute(&stand.pool).await.is_err(), "nobody forgets a close");
    stand.end().await;
}

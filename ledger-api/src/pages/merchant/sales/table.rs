//! Payments as a table, for every page that shows some.

use ledger_core::payment::PaymentStatus;
use projections::PaymentRow;

use super::{found::Found, names::Payers, short};
use crate::{
    deposits::{Incoming, IncomingState},
    http::Problem,
    pages::{
        Visitor,
        ui::{Cell, Column, DataTable, MoneyView, Status},
    },
};

const PATH: &str = "/merchant/payments";

/// A payment's status as a chip. A dispute that is open goes before.
pub(super) fn status(row: &PaymentRow) -> Status {
    if row.dispute.as_deref() == Some("open") {
        return Status::InReview;
    }
    match row.status {
        PaymentStatus::Completed | PaymentStatus::PartiallyRefunded => Status::Done,
        PaymentStatus::Refunded => Status::Returned,
    }
}

/// The chip of one that the shop does not have.
pub(super) const fn status_of_coming(state: IncomingState) -> Status {
    match state {
        IncomingState::Processing => Status::Processing,
        IncomingState::Paid => Status::Done,
        IncomingState::Failed => Status::Failed,
    }
}

/// Where it is, in words.
pub(super) const fn words_of_coming(state: IncomingState) -> &'static str {
    match state {
        IncomingState::Processing => "On its way from the payer’s bank",
        IncomingState::Paid => "Paid",
        IncomingState::Failed => "Goes back to the payer’s bank",
    }
}

/// Payments that the shop has. Whoever sees no balance sees what payers paid and got back, and
/// nothing of what the shop has of it.
pub(super) async fn table(visitor: &Visitor, rows: &[PaymentRow]) -> Result<DataTable, Problem> {
    let cells = Cells::of(visitor, rows).await?;
    let rows = rows.iter().map(|row| cells.paid(row)).collect::<Result<_, _>>()?;
    Ok(cells.table(rows))
}

/// The same, with those that come or go back.
pub(super) async fn table_of_all(visitor: &Visitor, all: &[Found]) -> Result<DataTable, Problem> {
    let paid = all.iter().filter_map(|one| match one {
        Found::Paid(row) => Some(row.clone()),
        Found::Coming(_) => None,
    });
    let cells = Cells::of(visitor, &paid.collect::<Vec<_>>()).await?;
    let rows = all.iter().map(|one| match one {
        Found::Paid(row) => cells.paid(row),
        Found::Coming(one) => cells.coming(one),
    });
    let rows = rows.collect::<Result<_, _>>()?;
    Ok(cells.table(rows))
}

/// Makes the cells of a row.
struct Cells<'a> {
    visitor: &'a Visitor,
    payers: Payers,
    sees_money: bool,
}

impl<'a> Cells<'a> {
    async fn of(visitor: &'a Visitor, rows: &[PaymentRow]) -> Result<Self, Problem> {
        let payers = Payers::of(visitor, rows).await?;
        let sees_money = visitor.shop.as_ref().is_some_and(|at| at.role.sees_money());
        Ok(Self { visitor, payers, sees_money })
    }

    fn table(&self, rows: Vec<Vec<Cell>>) -> DataTable {
        let mut columns = vec![
            Column::words("When"),
            Column::words("From"),
            Column::words("Payment"),
            Column::words("Order"),
            Column::words("Status"),
            Column::numbers("Gross"),
            Column::numbers("Refunded"),
        ];
        if self.sees_money {
            columns.extend(["Fee", "Tax", "Net"].map(Column::numbers));
            columns.push(Column::words("Settlement"));
        }
        DataTable::new("Payments", &columns, rows)
    }

    fn paid(&self, row: &PaymentRow) -> Result<Vec<Cell>, Problem> {
        let money = |amount| self.visitor.money(amount, row.currency).map(MoneyView::plain);
        let id = row.id.to_string();
        let mut cells = vec![
            self.visitor.when(row.paid_at).into(),
            self.payers.name(&row.payer).into(),
            Cell::Link(short(&id), format!("{PATH}/{id}")),
            row.order_id.clone().unwrap_or_else(|| "–".to_owned()).into(),
            status(row).into(),
            money(row.gross)?.into(),
            money(row.refunded)?.into(),
        ];
        if self.sees_money {
            for amount in [row.fee, row.tax, row.net] {
                cells.push(money(amount)?.into());
            }
            cells.push(settlement(row));
        }
        Ok(cells)
    }

    /// Of one that the shop does not have there is no fee, no net and nothing refunded.
    fn coming(&self, one: &Incoming) -> Result<Vec<Cell>, Problem> {
        let account = &one.credit.account;
        let currency = account.currency().map_err(|error| Problem::internal(&error))?;
        let nothing = || Cell::from("–");
        let id = one.payment.to_string();
        let amount = one.amount.map(|amount| self.visitor.money(amount, currency)).transpose()?;
        let mut cells = vec![
            self.visitor.when(one.told_at).into(),
            self.payers.name(account).into(),
            Cell::Link(short(&id), format!("{PATH}/{id}")),
            one.order_id.clone().unwrap_or_else(|| "–".to_owned()).into(),
            status_of_coming(one.state).into(),
            amount.map_or_else(nothing, |amount| MoneyView::plain(amount).into()),
            nothing(),
        ];
        if self.sees_money {
            cells.extend([nothing(), nothing(), nothing(), words_of_coming(one.state).into()]);
        }
        Ok(cells)
    }
}

fn settlement(row: &PaymentRow) -> Cell {
    match row.settlement {
        Some(id) => {
            let id = id.to_string();
            Cell::Link(short(&id), format!("/merchant/settlements/{id}"))
        }
        None => format!("on {}", row.settles_on.format("%-d %b")).into(),
    }
}

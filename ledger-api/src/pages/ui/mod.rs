//! The components that pages are made of: values that write themselves as HTML.
//!
//! Each is a struct with a template (or a `Display`) of its own and counts as HTML where a page's
//! template names it: `{{ amount }}`. What people wrote goes through askama's escaping inside.
//! A component knows neither the request nor the stores; the time that it speaks of, and the zone,
//! come in with it.

mod balance;
mod chart;
mod details;
mod money;
mod moves;
mod qr;
mod status;
mod table;
mod timeline;
mod when;

pub(crate) use balance::BalanceSplit;
pub(crate) use chart::{BarChart, DayFlow, HourSales};
pub(crate) use details::{ConfirmSheet, CopyId, EmptyState, Face, LiveDot, Pair, Pairs};
pub(crate) use money::{MoneyView, indian as grouped, text as money_text};
pub(crate) use moves::{LedgerLegs, Leg, MoveRow};
pub(crate) use qr::QrCard;
pub(crate) use status::Status;
pub(crate) use table::{Cell, Column, DataTable};
pub(crate) use timeline::{Step, StepState, Timeline};
pub(crate) use when::{Countdown, When};

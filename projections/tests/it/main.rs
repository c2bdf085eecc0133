//! The read models on a real PostgreSQL, as the application's own role.

mod accounts;
mod support;
mod transactions;

//! The pages that people see.
//!
//! A handler asks the stores and the wallet for what it shows, fills a view (a struct with an
//! askama template) and answers with [`respond::page`]. Neither handlers nor templates hold SQL,
//! and no page has a rule of its own about money: what it does is what the API does.
//!
//! Every page works without a script, carries no script or style in its text (the policy that is
//! sent with it forbids both) and asks nothing of any other host.

mod act;
mod activity;
mod address;
pub(crate) mod assets;
mod audit;
mod codes;
mod coming;
pub(crate) mod context;
mod disputes;
mod draft;
mod file_form;
pub(crate) mod forms;
mod home;
mod landing;
pub(crate) mod layout;
pub(crate) mod merchant;
mod moving;
mod names;
mod ops;
mod pay;
mod people;
mod problem;
pub(crate) mod respond;
mod samples;
mod spreadsheet;
mod statement_files;
mod statements;
mod theme;
pub(crate) mod ui;
mod visitor;

pub(crate) use context::PageContext;
pub(crate) use forms::FormErrors;
pub(crate) use layout::{Layout, Nav, Viewer};
pub(crate) use problem::{render as problem_page, wants_page};
pub(crate) use visitor::Visitor;

use axum::Router;

use crate::http::ApiState;

/// The pages' routes.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .merge(assets::routes())
        .merge(theme::routes())
        .merge(samples::routes())
        .merge(coming::routes())
        .merge(people::routes())
        .merge(codes::routes())
        .merge(landing::routes())
        .merge(home::routes())
        .merge(statements::routes())
        .merge(statement_files::routes())
        .merge(activity::routes())
        .merge(moving::routes())
        .merge(pay::routes())
        .merge(merchant::routes())
        .merge(ops::routes())
        .merge(audit::routes())
}

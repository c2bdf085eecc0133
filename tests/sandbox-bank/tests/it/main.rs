//! The sandbox bank over HTTP, as somebody else's program meets it.

mod adapters;
mod kills;
mod pages;
mod protocol;
mod support;
mod webhooks;

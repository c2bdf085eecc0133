//! Logins by other providers, on the real service and the sandbox's providers.

mod again;
mod attacks;
mod frontends;
mod happy;
mod linking;
mod of_shops;
mod scene;

//! Logins by other providers, on the real service and the sandbox's providers.

mod happy;
mod scene;

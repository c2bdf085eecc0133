//! The sandbox bank over HTTP.

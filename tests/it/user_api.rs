//! The API as people use it: with a session, for what is theirs.

mod forgery;
mod live;
mod own;
mod person;
mod reach;
mod statements;

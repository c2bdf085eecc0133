//! People against the real service: how they come in, what a session is worth, what others cannot
//! make a browser do, how they prove who they are, how they leave.

mod coming_in;
mod examples;
mod forgery;
mod leaving;
mod logins;
mod pages;
mod proofs;
mod visitor;

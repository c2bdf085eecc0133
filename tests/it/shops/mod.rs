//! Shops against the real service: how they are opened, who works for them and what each role sees,
//! that nobody sees another shop, and that neither login opens the other.

pub(crate) mod clerk;
mod coming;
mod keys;
mod money;
mod proofs;
mod reach;
mod roles;
mod sales;

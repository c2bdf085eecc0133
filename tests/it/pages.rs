//! The pages of the wallet, as a browser without a script gets them.

mod looks;
mod moves;
mod reader;
mod wallet_more;

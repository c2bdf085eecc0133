//! The pages of the wallet, as a browser without a script gets them.

mod long_statements;
mod looks;
mod moves;
mod reader;
mod scans;
mod waits;
mod wallet_more;

//! Bank accounts to withdraw to, made the way a frontend makes them: over HTTP.

use serde_json::json;

use super::caller::{Caller, text};

/// Whose, the number of the account, and the name that the bank is asked about.
pub(super) struct Payee<'a> {
    pub(super) owner: &'a str,
    pub(super) number: &'a str,
    pub(super) name: &'a str,
    /// Where: at a bank whose code begins with `TEST` the paise of an amount say what goes wrong.
    pub(super) ifsc: &'a str,
}

/// A bank of those where the paise say what goes wrong.
pub(super) const TEST_IFSC: &str = "TEST0000001";

/// Asha's of the API's demo accounts.
pub(super) const ASHA: Payee<'_> =
    Payee { owner: "asha", number: "001234567890", name: "Asha Rao", ifsc: TEST_IFSC };

/// A bank account, checked by its bank; its id. Made once, and found again by its key.
pub(super) async fn bank_account(caller: &Caller, payee: &Payee<'_>) -> anyhow::Result<String> {
    let Payee { owner, number, name, ifsc } = payee;
    let body = json!({"owner": owner, "account_number": number, "ifsc": ifsc,
                      "name": name});
    let once = if *owner == ASHA.owner { "asha".to_owned() } else { format!("{owner}-{number}") };
    let key = format!("demo-bank-account-{once}");
    let made = caller.post("/bank-accounts", &key, &body).await?;
    let id = text(&made, "id")?;
    let path = format!("/bank-accounts/{id}/verify");
    caller.post(&path, &format!("demo-verify-{once}"), &json!({"bank": "hdfc"})).await?;
    Ok(id.to_owned())
}

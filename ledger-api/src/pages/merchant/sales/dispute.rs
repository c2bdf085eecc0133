//! What a shop says about a dispute.

use axum::{extract::Path, response::Response};

use super::{one, own_payment, refund::RefundForm};
use crate::{
    http::{Problem, session::see_other},
    pages::{
        act,
        activity::dispute::{SayForm, refused},
        merchant::{Owners, ShopSent},
    },
    payments::{self, EvidenceIn},
};

/// Says something, once for the form.
pub(super) async fn say(
    Path(id): Path<String>,
    ShopSent { visitor, form }: ShopSent<Owners, SayForm>,
) -> Result<Response, Problem> {
    let (row, _) = own_payment(&visitor, &id).await?;
    let key = act::key("evidence", &form.nonce, &[&id, &form.words])?;
    let body = EvidenceIn { words: form.words };
    match payments::say(&visitor.writer()?, row.id, &key, &body).await {
        Ok(()) => Ok(see_other(&format!("/merchant/payments/{}#dispute", row.id))),
        Err(problem) => {
            let errors = refused(problem)?;
            one::show(&visitor, &id, RefundForm::default(), errors).await
        }
    }
}

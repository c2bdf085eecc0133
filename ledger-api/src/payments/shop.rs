//! Which shop a request is about, and the shop as it is now.

use ledger_core::ids::{MerchantCode, Reference};

use crate::{
    http::{
        ApiState, Problem, codes,
        reach::{Reach, missing_field, nothing},
    },
    shops::{Merchant, MerchantId, ShopError, StoreId, TerminalId},
};

/// A shop as the ledger names it.
///
/// # Errors
/// Never: the segment has the form.
pub(crate) fn code_of(shop: MerchantId) -> Result<MerchantCode, Problem> {
    shop.segment().parse().map_err(|error| Problem::internal(&error))
}

/// The shop that the ledger names; nothing for a name that was never a shop's here.
pub(crate) fn shop_of(code: &MerchantCode) -> Option<MerchantId> {
    format!("mer_{}", code.as_str()).parse().ok()
}

/// The shop that a request is about: the one that it names, or the caller's own. Somebody else's is
/// not there.
pub(crate) fn own_shop(reach: Reach, named: Option<MerchantId>) -> Result<MerchantId, Problem> {
    match (reach, named) {
        (Reach::OfMerchant(own, _), None) => Ok(own),
        (Reach::OfMerchant(own, _), Some(named)) if named == own => Ok(own),
        (Reach::OfMerchant(..), Some(_)) => Err(nothing()),
        (Reach::Everything, Some(named)) => Ok(named),
        (Reach::Everything, None) => Err(missing_field("/merchant")),
        (Reach::Of(_), _) => Err(not_for_people()),
    }
}

/// The shop whose things a list shows: the one that it names, or the caller's own; nothing for all.
pub(crate) fn listed_shop(
    reach: Reach,
    named: Option<MerchantId>,
) -> Result<Option<MerchantId>, Problem> {
    match (reach, named) {
        (Reach::Everything, None) => Ok(None),
        (reach, named) => own_shop(reach, named).map(Some),
    }
}

/// Goes on only if the shop's things are within reach.
pub(crate) fn check_shop(reach: Reach, code: &MerchantCode) -> Result<(), Problem> {
    match reach {
        Reach::Everything => Ok(()),
        Reach::OfMerchant(own, _) if own.segment() == code.as_str() => Ok(()),
        Reach::OfMerchant(..) | Reach::Of(_) => Err(nothing()),
    }
}

/// What only shops do.
fn not_for_people() -> Problem {
    Problem::new(codes::FORBIDDEN, "This is for shops: sign in at /merchant, or use a shop's key.")
}

/// A shop that takes payments.
pub(crate) async fn open_shop(state: &ApiState, id: MerchantId) -> Result<Merchant, Problem> {
    let shop = state.shops.by_id(id).await.map_err(unasked)?.ok_or_else(unknown)?;
    if shop.is_active { Ok(shop) } else { Err(unknown()) }
}

/// A shop, whether it takes payments or not.
pub(crate) async fn any_shop(state: &ApiState, id: MerchantId) -> Result<Merchant, Problem> {
    state.shops.by_id(id).await.map_err(unasked)?.ok_or_else(unknown)
}

fn unknown() -> Problem {
    let detail = "There is no such shop, or it takes no payments any more.";
    Problem::field(codes::SHOP_UNKNOWN, "/merchant", detail)
}

/// The tables of shops could not be asked.
pub(crate) fn unasked(error: ShopError) -> Problem {
    if let ShopError::Database(error) = error {
        return Problem::from(projections::ReadError::from(error));
    }
    Problem::internal(&projections::describe(&error))
}

/// Where in a shop something is paid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// In which store.
    pub(crate) store: Option<Reference>,
    /// At which terminal.
    pub(crate) terminal: Option<Reference>,
}

/// The place that a request names, if it is the shop's own and open. A terminal says its store.
pub(crate) async fn place(
    state: &ApiState,
    shop: MerchantId,
    (store, terminal): (Option<StoreId>, Option<TerminalId>),
) -> Result<Place, Problem> {
    if store.is_none() && terminal.is_none() {
        return Ok(Place::default());
    }
    let stores = state.shops.stores(shop).await.map_err(unasked)?;
    let here = match terminal {
        Some(terminal) => {
            let has = |t: &crate::shops::Terminal| t.id == terminal;
            let stands = stores.iter().find(|store| store.terminals.iter().any(has));
            stands.ok_or_else(|| nowhere("/terminal"))?.id
        }
        None => store.ok_or_else(|| nowhere("/store"))?,
    };
    if !stores.iter().any(|known| known.id == here) || store.is_some_and(|store| store != here) {
        return Err(nowhere("/store"));
    }
    let named = |text: String| text.parse().map_err(|error| Problem::internal(&error));
    Ok(Place {
        store: Some(named(here.to_string())?),
        terminal: terminal.map(|terminal| named(terminal.to_string())).transpose()?,
    })
}

fn nowhere(pointer: &'static str) -> Problem {
    Problem::field(codes::INVALID, pointer, "The shop has no such place, or not any more.")
}

/// A shop, if it is there.
pub(crate) async fn shop_or_none(
    state: &ApiState,
    id: MerchantId,
) -> Result<Option<Merchant>, Problem> {
    state.shops.by_id(id).await.map_err(unasked)
}

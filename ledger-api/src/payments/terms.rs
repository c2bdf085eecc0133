//! What a shop may owe us: its version of the terms says it, and which version that is stands in
//! the shop's row.

use ledger_core::{
    book::{Book, ShopTerms},
    ids::MerchantCode,
};
use rust_decimal::Decimal;
use sqlx::PgPool;

use super::shop_of;

/// The most that a shop may owe us for refunds. Nothing for what was never a shop here, and nothing
/// by a version that the book has not: then a refund that the shop is short of waits.
///
/// # Errors
/// What the database says.
pub(crate) async fn debt_limit(
    pool: &PgPool,
    book: &Book,
    shop: &MerchantCode,
) -> sqlx::Result<Decimal> {
    let Some(id) = shop_of(shop) else { return Ok(Decimal::ZERO) };
    let agreed: Option<i32> =
        sqlx::query_scalar("select terms_version from merchants where id = $1")
            .bind(id.uuid())
            .fetch_optional(pool)
            .await?;
    let agreed = agreed.and_then(|version| u32::try_from(version).ok());
    let terms = agreed.and_then(|version| book.terms(version));
    Ok(terms.map(ShopTerms::debt_limit).unwrap_or_default())
}

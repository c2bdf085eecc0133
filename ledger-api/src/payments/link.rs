//! What a QR code of a shop says: `upi://pay?pa=…`, as the country's apps write and read it.
//!
//! The shop's address is its handle at this service; the payment request is the reference (`tr`),
//! by which a payment is known again. The apps of other banks read the code too; their money comes
//! in by a bank, with that reference ([`crate::deposits::Outside`]).

use ledger_core::{ids::PaymentRequestId, money::Money};
use qrcode::{EcLevel, QrCode, render::svg};

use crate::links::{Link, UpiLink};

/// What stands behind the @ in the addresses of shops.
const BANK: &str = crate::shops::Merchant::BANK;
/// The most characters of words in a code.
pub(super) const WORDS_MAX: usize = 80;

/// Who is paid, as a code says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payee<'a> {
    /// The shop's handle.
    pub(super) handle: &'a str,
    /// The name over its door.
    pub(super) name: &'a str,
    /// What kind of shop it is, in four digits.
    pub(super) category: &'a str,
}

/// The address of a shop: `chai@bahi`.
pub(super) fn address(handle: &str) -> String {
    format!("{handle}@{BANK}")
}

/// The handle of an address, if it is one of ours.
pub(crate) fn handle_of(address: &str) -> Option<&str> {
    let (handle, bank) = address.split_once('@')?;
    bank.eq_ignore_ascii_case(BANK).then_some(handle)
}

/// Whether an address is of one of our shops.
pub(crate) fn is_ours(address: &str) -> bool {
    handle_of(address).is_some()
}

/// The link of a payment request.
pub(super) fn link(
    payee: &Payee<'_>,
    request: PaymentRequestId,
    amount: Option<Money>,
    note: Option<&str>,
) -> Link {
    Link::Upi(UpiLink {
        payee: address(payee.handle),
        name: Some(payee.name.to_owned()),
        amount,
        note: note.map(str::to_owned),
        reference: Some(request.to_string()),
        category: Some(payee.category.to_owned()),
    })
}

/// A QR code as a drawing of its own; nothing if the text is too long for one. Always dark on
/// white: readers need that.
pub(crate) fn drawing(content: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(content, EcLevel::M).ok()?;
    let mut drawing = code.render::<svg::Color<'_>>();
    drawing.quiet_zone(true).min_dimensions(240, 240);
    Some(drawing.dark_color(svg::Color("#111827")).light_color(svg::Color("#ffffff")).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAI: Payee<'_> = Payee { handle: "chai", name: "Chai & Co", category: "5814" };

    #[test]
    fn a_code_says_what_the_standard_says_and_is_read_again() {
        let request: PaymentRequestId = "pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6".parse().unwrap();
        let rupees = ledger_core::money::Currency { code: "INR".parse().unwrap(), scale: 2 };
        let amount = Some(Money::parse("120", rupees).unwrap());
        let text = link(&CHAI, request, amount, Some("2 teas")).to_string();
        assert_eq!(
            text,
            "upi://pay?pa=chai@bahi&pn=Chai%20%26%20Co&mc=5814\
             &tr=pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6&am=120.00&cu=INR&tn=2%20teas"
        );
        assert_eq!(text.parse::<Link>(), Ok(link(&CHAI, request, amount, Some("2 teas"))));
        let open = link(&CHAI, request, None, None).to_string();
        assert!(!open.contains("am=") && open.parse::<Link>().is_ok(), "{open}");
        assert!(drawing(&text).unwrap().contains("<svg"));
        assert_eq!(drawing(&"x".repeat(4_000)), None);
    }

    #[test]
    fn only_addresses_of_ours_are_of_our_shops() {
        assert_eq!(handle_of("chai@bahi"), Some("chai"));
        assert_eq!(handle_of("chai@BAHI"), Some("chai"));
        assert_eq!(handle_of("chai@hdfc"), None);
        assert_eq!(handle_of("chai"), None);
    }
}

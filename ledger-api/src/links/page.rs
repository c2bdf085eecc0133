//! The address of the page where shops are paid, as shops send it to payers and payers paste it.
//!
//! It is read and never followed. What counts is whether it is ours to the letter: another host, a
//! path that would lead to ours by a detour, a name before an `@` are other addresses, whatever a
//! browser would make of them. So nothing is mended before it is compared, but for the case of
//! scheme and host.

use ledger_core::ids::PaymentRequestId;

use super::{BYTES_MAX, Link, LinkError, query::Query};

/// Where the page is, in our own addresses.
pub const PAY_PAGE: &str = "/app/pay";

/// What an address of the page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayPage {
    /// Which request is to be paid.
    Request(PaymentRequestId),
    /// What the code of a shop says.
    Code(String),
}

impl PayPage {
    /// Reads an address; `page` is ours, as we write it. Nothing if the text is no address at all.
    ///
    /// # Errors
    /// [`LinkError`] if it is another address, or does not say what is to be paid.
    pub fn read(text: &str, page: &str) -> Result<Option<Self>, LinkError> {
        let text = text.trim();
        if !is_address(text) {
            return Ok(None);
        }
        if text.len() > BYTES_MAX {
            return Err(LinkError::Malformed);
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        if !is_same(place, page) {
            return Err(LinkError::Elsewhere);
        }
        let query = Query::parse(query)?;
        query.only(&["request", "link"])?;
        match (query.get("request"), query.get("link")) {
            (Some(id), None) => id.parse().map(Self::Request).map_err(|_| LinkError::Malformed),
            (None, Some(code)) => match code.parse()? {
                Link::Upi(_) => Ok(Self::Code(code.to_owned())),
                Link::Ours(_) => Err(LinkError::Payee),
            },
            (Some(_), Some(_)) => Err(LinkError::Repeated),
            (None, None) => Err(LinkError::Payee),
        }
        .map(Some)
    }
}

/// Whether it is the address of a page, be it of this service without its host.
fn is_address(text: &str) -> bool {
    let begins = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    };
    begins("https:") || begins("http:") || text.starts_with('/')
}

/// Whether two addresses are one: paths to the letter, what stands before them whatever its case.
fn is_same(place: &str, page: &str) -> bool {
    match (place.strip_suffix(PAY_PAGE), page.strip_suffix(PAY_PAGE)) {
        (Some(host), Some(ours)) => host.eq_ignore_ascii_case(ours),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://wallet.example/app/pay";
    const ID: &str = "pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";

    fn read(text: &str) -> Result<Option<PayPage>, LinkError> {
        PayPage::read(text, OURS)
    }

    #[test]
    fn what_shops_send_says_which_request_or_code_is_paid() {
        let request = Ok(Some(PayPage::Request(ID.parse().unwrap())));
        assert_eq!(read(&format!("{OURS}?request={ID}")), request);
        assert_eq!(read(&format!("  HTTPS://Wallet.Example/app/pay?request={ID}\n")), request);
        let code = "upi://pay?pa=chai@bahi&pn=Chai%20Point&am=1.50";
        let pasted = "?link=upi%3A%2F%2Fpay%3Fpa%3Dchai%40bahi%26pn%3DChai%2520Point%26am%3D1.50";
        assert_eq!(read(&format!("{OURS}{pasted}")), Ok(Some(PayPage::Code(code.to_owned()))));
        // A service that was told no address of its own writes paths.
        let path = format!("/app/pay?request={ID}");
        assert_eq!(PayPage::read(&path, "/app/pay"), request);
        assert_eq!(read(&path), Err(LinkError::Elsewhere));
    }

    #[test]
    fn what_is_no_address_is_left_to_others() {
        for text in ["", "@ravi", "upi://pay?pa=chai@bahi", "bahi:pay?to=@ravi", "pay?request=x"] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn other_hosts_schemes_and_detours_are_other_addresses() {
        for place in [
            "http://wallet.example/app/pay",
            "https://wallet.example.evil.example/app/pay",
            "https://evil.example/app/pay",
            "https://wallet.example@evil.example/app/pay",
            "https://asha:secret@wallet.example/app/pay",
            "https://wallet.example:8443/app/pay",
            "https://wallet.example:443/app/pay",
            "https://evil.example#@wallet.example/app/pay",
            "https://evil.example\\@wallet.example/app/pay",
            "https:/wallet.example/app/pay",
            "https:wallet.example/app/pay",
            "https://wallet.example//app/pay",
            "https://wallet.example/x/../app/pay",
            "https://wallet.example/%2e/app/pay",
            "https://wallet.example/app/%70ay",
            "https://wallet.example/App/pay",
            "https://wallet.example/app/pay/",
            "https://wallet.example/app/pay/check",
            "https://wallet.example/app/pay;x",
            "https://wallet.example./app/pay",
            "https://wal\u{200b}let.example/app/pay",
            "https://w\u{430}llet.example/app/pay",
            "//wallet.example/app/pay",
            "/app/pay",
        ] {
            let text = format!("{place}?request={ID}");
            assert_eq!(read(&text), Err(LinkError::Elsewhere), "{text}");
        }
    }

    #[test]
    fn an_address_of_ours_says_one_thing() {
        for (query, error) in [
            ("", LinkError::Payee),
            ("?", LinkError::Payee),
            ("?request=", LinkError::Malformed),
            ("?request=pr_1", LinkError::Malformed),
            ("?request=pay_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", LinkError::Malformed),
            ("?request=pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6#x", LinkError::Malformed),
            ("?request=pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6%00", LinkError::Malformed),
            ("?request=a&request=b", LinkError::Repeated),
            ("?request=a&link=b", LinkError::Repeated),
            ("?request=a&amount=1", LinkError::Unknown),
            ("?link=javascript%3Aalert(1)", LinkError::NotALink),
            ("?link=https%3A%2F%2Fwallet.example%2Fapp%2Fpay", LinkError::NotALink),
            ("?link=bahi%3Apay%3Fto%3D%40ravi", LinkError::Payee),
        ] {
            assert_eq!(read(&format!("{OURS}{query}")), Err(error), "{query}");
        }
        let long = format!("{OURS}?request={}", "x".repeat(BYTES_MAX));
        assert_eq!(read(&long), Err(LinkError::Malformed));
    }
}

//! What a text means here that somebody scanned or pasted.

use ledger_core::{ids::PaymentRequestId, money::Money};

use crate::{
    links::{Link, LinkError, OurLink, PayPage},
    payments,
    people::Recipient,
};

/// What it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// To a shop of ours: what its code says.
    Shop {
        /// The code, as `POST /v1/payments` takes it.
        link: String,
        /// How much, if it says so.
        amount: Option<Money>,
    },
    /// To what a shop of ours asks for, by the address of the page where it is paid.
    Request(PaymentRequestId),
    /// To somebody of this service, and how much and what for, if it says so.
    Person(OurLink),
    /// To a payee of another bank, whom nothing can be sent to from here.
    Elsewhere,
}

impl Meaning {
    /// Reads a text; `page` is the address where shops are paid, as we write it.
    ///
    /// # Errors
    /// [`LinkError`] if it is nothing that money could be sent by, or is damaged.
    pub(crate) fn of(text: &str, page: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        match PayPage::read(text, page)? {
            Some(PayPage::Request(id)) => return Ok(Self::Request(id)),
            Some(PayPage::Code(link)) => return Self::of_link(&link),
            None => {}
        }
        match Self::of_link(text) {
            Err(LinkError::NotALink) if is_name(text) => {
                let to = text.parse::<Recipient>().map_err(|_| LinkError::NotALink)?;
                Ok(Self::Person(OurLink { to, amount: None, note: None }))
            }
            read => read,
        }
    }

    fn of_link(text: &str) -> Result<Self, LinkError> {
        Ok(match text.parse()? {
            Link::Ours(link) => Self::Person(link),
            Link::Upi(upi) if payments::is_ours(&upi.payee) => {
                Self::Shop { link: text.to_owned(), amount: upi.amount }
            }
            Link::Upi(_) => Self::Elsewhere,
        })
    }
}

/// Whether a text looks like the name of somebody: any word could be a handle, so a bare one is
/// none. An `@`, a number or an id is.
fn is_name(text: &str) -> bool {
    let begins = |start: &str| text.starts_with(start);
    begins("@") || begins("usr_") || begins("+") || text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://wallet.example/app/pay";

    fn of(text: &str) -> Result<Meaning, LinkError> {
        Meaning::of(text, PAGE)
    }

    #[test]
    fn codes_links_and_names_lead_where_they_say() {
        let link = "upi://pay?pa=chai@bahi&pn=Chai%20Point&am=1.50&cu=INR".to_owned();
        let Ok(Meaning::Shop { link: said, amount: Some(amount) }) = of(&format!(" {link}\n"))
        else {
            panic!("no shop");
        };
        assert_eq!((said, amount.amount().to_string()), (link, "1.50".to_owned()));
        let id = "pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
        assert_eq!(of(&format!("{PAGE}?request={id}")), Ok(Meaning::Request(id.parse().unwrap())));
        let pasted = format!("{PAGE}?link=upi%3A%2F%2Fpay%3Fpa%3Dchai%40bahi");
        let shop = Meaning::Shop { link: "upi://pay?pa=chai@bahi".to_owned(), amount: None };
        assert_eq!(of(&pasted), Ok(shop));
        let ravi = "bahi:pay?to=@ravi&am=2.00&tn=Tea";
        assert_eq!(
            of(ravi),
            Ok(Meaning::Person(match ravi.parse().unwrap() {
                Link::Ours(link) => link,
                Link::Upi(_) => panic!("a code of a bank"),
            }))
        );
        for name in ["@ravi", "usr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "+919812345678", "9812345678"]
        {
            let to = name.parse().unwrap();
            let person = OurLink { to, amount: None, note: None };
            assert_eq!(of(name), Ok(Meaning::Person(person)), "{name}");
        }
        assert_eq!(of("upi://pay?pa=asha@hdfc&am=1.00"), Ok(Meaning::Elsewhere));
    }

    #[test]
    fn what_is_no_code_of_payments_is_said_to_be_none() {
        for (text, error) in [
            ("", LinkError::NotALink),
            ("hello", LinkError::NotALink),
            ("WIFI:S:cafe;T:WPA;P:secret;;", LinkError::NotALink),
            ("@", LinkError::NotALink),
            ("99", LinkError::NotALink),
            ("https://example.org/", LinkError::Elsewhere),
            ("upi://pay?pa=chai@bahi&pa=tea@bahi", LinkError::Repeated),
            ("bahi:pay?to=+919812345678", LinkError::Payee),
            ("javascript:alert(1)", LinkError::NotALink),
        ] {
            assert_eq!(of(text), Err(error), "{text}");
        }
    }
}

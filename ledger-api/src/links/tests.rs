//! Links as people scan and paste them, and as somebody forges them.

use super::*;

fn parse(text: &str) -> Result<Link, LinkError> {
    text.parse()
}

#[track_caller]
fn upi(text: &str) -> UpiLink {
    let Ok(Link::Upi(link)) = parse(text) else { panic!("no link of UPI: {:?}", parse(text)) };
    link
}

fn value(amount: Option<Money>) -> String {
    amount.map_or_else(|| "open".to_owned(), |amount| amount.amount().to_string())
}

#[test]
fn a_shops_code_is_read_and_written_the_same() {
    let text = "upi://pay?pa=shop@hdfc&pn=Ravi%20Tea%20%26%20Co&mc=5411&tr=INV7&am=120.00&cu=INR\
                &tn=2%20teas";
    let link = upi(text);
    assert_eq!((link.payee.as_str(), link.name.as_deref()), ("shop@hdfc", Some("Ravi Tea & Co")));
    assert_eq!((value(link.amount), link.note.as_deref()), ("120.00".to_owned(), Some("2 teas")));
    assert_eq!((link.reference.as_deref(), link.category.as_deref()), (Some("INV7"), Some("5411")));
    assert_eq!(link.to_string(), text);
    // What we do not know of UPI is passed over, and case does not matter where it has none.
    let more = upi("UPI://PAY?PA=Shop@HDFC&mode=02&orgid=159761&am=7");
    assert_eq!((more.payee.as_str(), value(more.amount)), ("shop@hdfc", "7.00".to_owned()));
}

#[test]
fn our_own_links_name_a_person() {
    let mut link = OurLink::to_handle("ravi".parse().unwrap());
    assert_eq!(link.to_string(), "bahi:pay?to=@ravi");
    assert_eq!(parse("bahi:pay?to=@ravi"), Ok(Link::Ours(link.clone())));
    let rupees = Currency { code: "INR".parse().unwrap(), scale: 2 };
    link.amount = Some(Money::parse("120.5", rupees).unwrap());
    link.note = Some("चाय + 1 %".to_owned());
    let text = link.to_string();
    assert!(text.starts_with("bahi:pay?to=@ravi&am=120.50&tn=%E0%A4%9A"), "{text}");
    assert!(text.ends_with("%20%2B%201%20%25"), "{text}");
    assert_eq!(parse(&text), Ok(Link::Ours(link)));
    let id: PersonId = "usr_00000000000000000000000000000007".parse().unwrap();
    let by_id = OurLink::to_person(id);
    assert_eq!(parse(&by_id.to_string()), Ok(Link::Ours(by_id)));
}

#[test]
fn an_amount_has_one_form_and_an_open_one_says_nothing() {
    for (text, expected) in [
        ("am=0.01", "0.01"),
        ("am=120", "120.00"),
        ("am=120.5&cu=inr", "120.50"),
        ("am=", "open"),
        ("am=0", "open"),
        ("am=0.00", "open"),
        ("cu=INR", "open"),
    ] {
        assert_eq!(value(upi(&format!("upi://pay?pa=a.b@ok&{text}")).amount), expected, "{text}");
    }
    for bad in ["1.001", "-1", "+1", "1e3", "1,000", "1.", ".5", " 1", "०", "0x1", "1 0", "NaN"] {
        let text = format!("upi://pay?pa=ab@ok&am={}", bad.replace('०', "%E0%A5%A6"));
        assert_eq!(parse(&text), Err(LinkError::Amount), "{bad}");
    }
    assert_eq!(parse("upi://pay?pa=ab@ok&am=1&cu=USD"), Err(LinkError::Currency));
}

#[test]
fn what_is_no_link_or_a_damaged_one_is_refused() {
    let long = format!("upi://pay?pa=ab@ok&x={}", "y".repeat(BYTES_MAX));
    let table = [
        ("", LinkError::NotALink),
        ("https://example.com/?pa=ab@ok", LinkError::NotALink),
        ("javascript:pay?to=@ravi", LinkError::NotALink),
        ("upi://mandate?pa=ab@ok", LinkError::NotALink),
        ("upi://pay", LinkError::NotALink),
        (long.as_str(), LinkError::Malformed),
        ("upi://pay?pa", LinkError::Malformed),
        ("upi://pay?pa=ab@ok&tn=%2", LinkError::Malformed),
        ("upi://pay?pa=ab@ok&tn=%zz", LinkError::Malformed),
        ("upi://pay?pa=ab@ok&tn=%FF", LinkError::Malformed),
        ("upi://pay?pa=ab@ok&tn=é", LinkError::Malformed),
        ("upi://pay?pa=ab@ok&mc=54x1", LinkError::Malformed),
        ("upi://pay?pa=ab@ok&tr=a%20b", LinkError::Malformed),
        ("upi://pay?pa=ab@ok&pa=cd@ok", LinkError::Repeated),
        ("upi://pay?am=1&pa=ab@ok&AM=2", LinkError::Repeated),
        ("bahi:pay?to=@ravi&fee=0", LinkError::Unknown),
        ("bahi:pay?am=1", LinkError::Payee),
        ("bahi:pay?to=", LinkError::Payee),
        ("bahi:pay?to=%2B919812345678", LinkError::Payee),
        ("upi://pay?pn=Ravi", LinkError::Payee),
        ("upi://pay?pa=ravi", LinkError::Payee),
        ("upi://pay?pa=a@ok", LinkError::Payee),
        ("upi://pay?pa=a%20b@ok", LinkError::Payee),
        ("upi://pay?pa=ab@ok@ok", LinkError::Payee),
        ("upi://pay?pa=ab@ok&tn=a%00b", LinkError::Words),
        ("upi://pay?pa=ab@ok&pn=%E2%80%AEkcab", LinkError::Words),
    ];
    for (text, error) in table {
        assert_eq!(parse(text), Err(error), "{text}");
    }
    let words = |count: usize| parse(&format!("upi://pay?pa=ab@ok&tn={}", "x".repeat(count)));
    assert!(words(WORDS_MAX).is_ok() && words(WORDS_MAX + 1) == Err(LinkError::Words));
}

#[test]
fn a_plus_is_a_plus() {
    assert_eq!(upi("upi://pay?pa=ab@ok&tn=1+1").note.as_deref(), Some("1+1"));
}

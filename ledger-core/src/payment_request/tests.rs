//! Payment requests alone: what each command comes to, and every refusal.

use super::*;
use crate::{
    clock::Timestamp,
    testing::{account, assert_every_variant, currency, dec, inr, minute, payment, request},
};

const EXPIRY: i64 = 60;

fn creating(single_use: bool) -> CreatePaymentRequest {
    CreatePaymentRequest {
        request_id: request(1),
        merchant: "tea".parse().unwrap(),
        currency: currency("INR").code,
        amount: Some(inr("100")),
        order: "order-7".parse().ok(),
        store: None,
        terminal: None,
        single_use,
        expires_at: Some(minute(EXPIRY)),
        description: None,
    }
}

fn create(single_use: bool) -> PaymentRequestAsk {
    PaymentRequestAsk::Operation(PaymentRequestOperation::Create(creating(single_use)))
}

fn paying() -> PayRequest {
    PayRequest {
        payment_id: payment(1),
        payer: account("wallet:a:INR"),
        merchant: "tea".parse().unwrap(),
        amount: dec("100.00"),
    }
}

fn pay() -> PaymentRequestAsk {
    PaymentRequestAsk::Pay(paying())
}

fn close() -> PaymentRequestAsk {
    PaymentRequestAsk::Operation(PaymentRequestOperation::Close(request(1)))
}

fn expire() -> PaymentRequestAsk {
    PaymentRequestAsk::Operation(PaymentRequestOperation::Expire(request(1)))
}

/// What comes of the last of these asks, the ones before it accepted.
fn after(
    asks: &[PaymentRequestAsk],
    now: Timestamp,
) -> Result<Vec<&'static str>, PaymentRequestError> {
    let (last, before) = asks.split_last().unwrap();
    let mut state = PaymentRequest::default();
    for ask in before {
        // Expiry is possible at its time only; the others come before it.
        let now = if *ask == expire() { minute(EXPIRY) } else { minute(0) };
        for event in state.decide(&PaymentRequestCommand { ask: ask.clone(), now }).unwrap() {
            state.apply(event);
        }
    }
    let events = state.decide(&PaymentRequestCommand { ask: last.clone(), now })?;
    Ok(events.iter().map(PaymentRequestEvent::name).collect())
}

#[test]
fn one_for_a_single_payment_has_exactly_one_end() {
    let one = create(true);
    assert_eq!(after(&[one.clone(), pay()], minute(59)), Ok(vec!["paid"]));
    assert_eq!(after(&[one.clone(), close()], minute(0)), Ok(vec!["closed"]));
    assert_eq!(after(&[one.clone(), expire()], minute(60)), Ok(vec!["expired"]));
    for end in [pay(), close(), expire()] {
        let again = after(&[one.clone(), end.clone(), pay()], minute(0));
        assert!(matches!(again, Err(PaymentRequestError::NotPayable { .. })), "{again:?}");
        // The sweeper comes late: that changes nothing.
        assert_eq!(after(&[one.clone(), end, expire()], minute(60)), Ok(vec![]));
    }
    assert_eq!(after(&[one, close(), close()], minute(0)), Ok(vec![]));
}

#[test]
fn one_for_many_stays_open_and_does_not_grow() {
    let many = create(false);
    assert_eq!(after(&[many.clone(), pay(), pay()], minute(0)), Ok(vec![]));
    assert_eq!(after(&[many, pay(), close()], minute(0)), Ok(vec!["closed"]));
}

#[test]
fn every_refusal() {
    let with = |change: fn(&mut PayRequest)| {
        let mut asked = paying();
        change(&mut asked);
        PaymentRequestAsk::Pay(asked)
    };
    let one = create(true);
    let table: [(&[PaymentRequestAsk], i64, &str); 10] = [
        (&[pay()], 0, "payment_request_not_found"),
        (&[one.clone(), one.clone()], 0, "payment_request_exists"),
        (std::slice::from_ref(&one), 60, "payment_request_expiry_past"),
        (
            &[one.clone(), with(|ask| ask.merchant = "tee".parse().unwrap())],
            0,
            "payment_request_of_another",
        ),
        (
            &[one.clone(), with(|ask| ask.payer = account("wallet:a:JPY"))],
            0,
            "payment_request_of_another",
        ),
        (&[one.clone(), close(), pay()], 0, "payment_request_not_payable"),
        (&[one.clone(), pay(), close()], 0, "payment_request_not_closable"),
        // The sweeper was not there yet.
        (&[one.clone(), pay()], 60, "qr_expired"),
        (&[one.clone(), expire()], 59, "payment_request_not_expired"),
        (&[one.clone(), with(|ask| ask.amount = dec("99.99"))], 0, "payment_request_amount"),
    ];
    let mut seen = Vec::new();
    for (asks, at, code) in table {
        let error = after(asks, minute(at)).unwrap_err();
        assert_eq!(error.code(), code, "{asks:?}");
        seen.push(error);
    }
    assert_every_variant!(
        PaymentRequestError,
        seen,
        PaymentRequestError::NotFound,
        PaymentRequestError::Exists,
        PaymentRequestError::ExpiryPast,
        PaymentRequestError::AnotherMerchant,
        PaymentRequestError::NotPayable { .. },
        PaymentRequestError::NotClosable { .. },
        PaymentRequestError::Expired,
        PaymentRequestError::NotExpired,
        PaymentRequestError::AmountDiffers { .. },
    );
}

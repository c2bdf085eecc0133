//! The specification's vectors, our own, and what must be refused.

use axum::http::HeaderValue;
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

use super::*;

/// What a bank sends, as docs/banks.md shows it.
const BODY: &[u8] = b"{\"type\":\"bank.credit.received\",\"timestamp\":\"2026-11-22T14:02:15Z\",\
                      \"data\":{\"utr\":\"HDFC0000000001\"}}";
const SECRET: &str = "whsec_ZGV2LXNlY3JldC1kZXYtc2VjcmV0LWRldi0x";
const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: i64 = 1_795_356_135;
/// A private key that everybody knows.
const SEED: &[u8; 32] = b"TESTSIGNINGKEYDONOTUSETHISFORANY";

fn keys(text: &str) -> Keys {
    text.parse().unwrap()
}

fn headers(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [(ID, id), (TIMESTAMP, timestamp), (SIGNATURE, signature)] {
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// The headers of a sound delivery.
fn sound() -> HeaderMap {
    headers("msg_01", &NOW.to_string(), &keys(SECRET).sign("msg_01", NOW, BODY))
}

/// What a delivery is refused for that differs from a sound one in one header.
fn refused_with(name: &HeaderName, value: &[u8]) -> Option<Refusal> {
    let mut headers = sound();
    headers.insert(name, HeaderValue::from_bytes(value).unwrap());
    verify(&headers, BODY, &keys(SECRET), NOW).err()
}

fn public_key() -> String {
    let key = SigningKey::from_bytes(SEED).verifying_key();
    format!("whpk_{}", STANDARD.encode(key.as_bytes()))
}

fn signed_v1a(id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let mut message = format!("{id}.{timestamp_s}.").into_bytes();
    message.extend_from_slice(body);
    let signature = SigningKey::from_bytes(SEED).sign(&message);
    format!("v1a,{}", STANDARD.encode(signature.to_bytes()))
}

#[test]
fn the_vectors_of_the_specification_and_ours() {
    let vectors = [
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            &br#"{"email":"test@example.com","username":"test_user"}"#[..],
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            OTHER,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (SECRET, "msg_01", NOW, BODY, "v1,qFTsF8lfw0hRTOPDiy6hPMiMJH+bOL0M1ZpgiQjR8iY="),
    ];
    for (secret, id, at, body, signature) in vectors {
        assert_eq!(keys(secret).sign(id, at, body), signature);
        let headers = headers(id, &at.to_string(), signature);
        let verified = verify(&headers, body, &keys(secret), at);
        assert_eq!(verified, Ok(Verified { id, sent_at_s: at }));
    }
}

#[test]
fn the_vector_of_the_asymmetric_scheme() {
    let (id, at, body) =
        ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    let signature = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7Ka\
                     aBRdM5WqyeFiL8Ag==";
    assert_eq!(signed_v1a(id, at, body), signature);
    let headers = headers(id, &at.to_string(), signature);
    assert!(verify(&headers, body, &keys(&public_key()), at).is_ok());
    let other = br#"{"test": 2432232315}"#;
    assert_eq!(verify(&headers, other, &keys(&public_key()), at), Err(Refusal::Signature));
}

#[test]
fn case_89_signatures_that_are_none() {
    let good = keys(SECRET).sign("msg_01", NOW, BODY);
    let hex = hex::encode_upper(STANDARD.decode(&good[3..]).unwrap());
    let unpadded = good.trim_end_matches('=').to_owned();
    for bad in [
        "",
        " ",
        "v1",
        "v1,",
        ",",
        "nonsense",
        &good[3..],
        &good[..good.len() - 4],
        &good.replacen("v1,", "v2,", 1),
        &good.replacen("v1,", "v1a,", 1),
        &good.replacen("v1,", "V1,", 1),
        &good.replacen("v1,", "v1, ", 1),
        &format!("v1,{hex}"),
        &unpadded,
        &format!("{good}="),
        &format!("{good},{good}"),
    ] {
        assert_eq!(refused_with(&SIGNATURE, bad.as_bytes()), Some(Refusal::Signature), "{bad}");
    }
    assert_eq!(refused_with(&SIGNATURE, b"\xff"), Some(Refusal::Signature));
    assert_eq!(refused_with(&SIGNATURE, good.as_bytes()), None);
}

#[test]
fn case_90_one_good_signature_among_several_and_never_too_many() {
    let good = keys(SECRET).sign("msg_01", NOW, BODY);
    let wrong = keys(OTHER).sign("msg_01", NOW, BODY);
    let rotated = format!("v2,AAAA {wrong} {good} {wrong}");
    assert_eq!(refused_with(&SIGNATURE, rotated.as_bytes()), None);
    let last = format!("{}{good}", format!("{wrong} ").repeat(SIGNATURES_MAX - 1));
    assert_eq!(refused_with(&SIGNATURE, last.as_bytes()), None);
    let many = format!("{good} {}", format!("{wrong} ").repeat(1_000));
    assert_eq!(refused_with(&SIGNATURE, many.as_bytes()), Some(Refusal::Signature));
}

#[test]
fn case_91_another_body_is_refused() {
    let reserialised = br#"{"data":{"utr":"HDFC0000000001"},"type":"bank.credit.received"}"#;
    let newline = [BODY, b"\n"].concat();
    for body in [&b""[..], &BODY[1..], reserialised, &newline] {
        assert_eq!(verify(&sound(), body, &keys(SECRET), NOW), Err(Refusal::Signature));
    }
}

#[test]
fn case_92_five_minutes_either_way_and_no_second_more() {
    for (now, expected) in [
        (NOW - 301, Err(Refusal::Stale)),
        (NOW - 300, Ok(())),
        (NOW + 300, Ok(())),
        (NOW + 301, Err(Refusal::Stale)),
        (i64::MAX, Err(Refusal::Stale)),
        (i64::MIN, Err(Refusal::Stale)),
    ] {
        assert_eq!(verify(&sound(), BODY, &keys(SECRET), now).map(drop), expected, "{now}");
    }
}

#[test]
fn a_time_has_one_form() {
    for bad in [
        "",
        "-1",
        "+1795356135",
        "01795356135",
        " 1795356135",
        "1795356135.0",
        "1.7e9",
        "0x6b",
        "-9223372036854775808",
        "9223372036854775807",
        "179535613500",
        "\u{661}",
    ] {
        assert_eq!(refused_with(&TIMESTAMP, bad.as_bytes()), Some(Refusal::Timestamp), "{bad}");
    }
    assert_eq!(refused_with(&TIMESTAMP, b"0"), Some(Refusal::Timestamp));
    assert_eq!(refused_with(&TIMESTAMP, b"1"), Some(Refusal::Stale));
}

#[test]
fn case_94_an_id_has_no_delimiter_and_no_more_than_it_may() {
    let (most, more) = ("a".repeat(ID_BYTES_MAX), "a".repeat(10_000));
    for bad in ["", ".", "msg.01", "msg 01", "msg\t01", "é", &more, &format!("{most}a")] {
        assert_eq!(refused_with(&ID, bad.as_bytes()), Some(Refusal::Id), "{bad:.20}");
    }
    // A header can't even be made of it.
    assert!(HeaderValue::from_bytes(b"msg\0").is_err());
    let headers = headers(&most, &NOW.to_string(), &keys(SECRET).sign(&most, NOW, BODY));
    assert!(verify(&headers, BODY, &keys(SECRET), NOW).is_ok());
}

#[test]
fn the_same_bytes_never_sign_two_deliveries() {
    let signature = keys(SECRET).sign("a", 1, b"2.x");
    assert_eq!(signature, keys(SECRET).sign("a.1", 2, b"x"), "the scheme's own ambiguity");
    let other = headers("a.1", "2", &signature);
    assert_eq!(verify(&other, b"x", &keys(SECRET), 2), Err(Refusal::Id));
}

#[test]
fn each_header_is_there_once() {
    for (name, refusal) in
        [(ID, Refusal::Id), (TIMESTAMP, Refusal::Timestamp), (SIGNATURE, Refusal::Signature)]
    {
        let mut missing = sound();
        let value = missing.remove(&name).unwrap();
        assert_eq!(verify(&missing, BODY, &keys(SECRET), NOW), Err(refusal));
        let mut twice = sound();
        twice.append(&name, value);
        assert_eq!(verify(&twice, BODY, &keys(SECRET), NOW), Err(refusal));
    }
}

#[test]
fn case_120_two_keys_are_in_force_while_a_bank_changes_from_one_to_the_other() {
    let both = keys(&format!("{SECRET} {OTHER} {}", public_key()));
    for secret in [SECRET, OTHER] {
        let signature = keys(secret).sign("msg_01", NOW, BODY);
        let headers = headers("msg_01", &NOW.to_string(), &signature);
        assert!(verify(&headers, BODY, &both, NOW).is_ok());
    }
    let signature = signed_v1a("msg_01", NOW, BODY);
    let asymmetric = headers("msg_01", &NOW.to_string(), &signature);
    assert!(verify(&asymmetric, BODY, &both, NOW).is_ok());
    // Afterwards only the new one is.
    assert_eq!(verify(&sound(), BODY, &keys(OTHER), NOW), Err(Refusal::Signature));
    assert_eq!(verify(&asymmetric, BODY, &keys(OTHER), NOW), Err(Refusal::Signature));
    assert_eq!(both.sign("a", 1, b"").split(' ').count(), 2, "the shared ones sign");
}

#[test]
fn a_public_key_is_no_shared_secret() {
    // Who knows the public key, which is everybody, could otherwise sign with it.
    let known = STANDARD.decode(&public_key()[5..]).unwrap();
    let as_secret = format!("whsec_{}", STANDARD.encode(known));
    let signature = keys(&as_secret).sign("msg_01", NOW, BODY);
    for signature in [signature.clone(), signature.replacen("v1,", "v1a,", 1)] {
        let headers = headers("msg_01", &NOW.to_string(), &signature);
        let verified = verify(&headers, BODY, &keys(&public_key()), NOW);
        assert_eq!(verified, Err(Refusal::Signature));
    }
}

#[test]
fn keys_are_bounded_in_number_and_length() {
    let key = |number: usize| {
        let secret = format!("a secret of twenty-four bytes, number {number:02}");
        format!("whsec_{}", STANDARD.encode(secret))
    };
    let some = |count: usize| (0..count).map(key).collect::<Vec<_>>().join(" ").parse::<Keys>();
    assert!(some(KEYS_MAX).is_ok());
    assert_eq!(some(KEYS_MAX + 1).unwrap_err(), KeyError::TooMany);
    assert_eq!("  ".parse::<Keys>().unwrap_err(), KeyError::Missing);
    for (length, is_one) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
        let secret: Vec<u8> = (0..length).collect();
        let parsed = format!("whsec_{}", STANDARD.encode(secret)).parse::<Keys>();
        assert_eq!(parsed.is_ok(), is_one, "{length} bytes");
    }
}

proptest! {
    #[test]
    fn what_is_signed_is_accepted(
        id in "[!-\\-/-~]{1,40}",
        at in 1_i64..99_999_999_999,
        off in -300_i64..=300,
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let v1 = headers(&id, &at.to_string(), &keys(SECRET).sign(&id, at, &body));
        prop_assert!(verify(&v1, &body, &keys(SECRET), at + off).is_ok());
        let v1a = headers(&id, &at.to_string(), &signed_v1a(&id, at, &body));
        prop_assert!(verify(&v1a, &body, &keys(&public_key()), at + off).is_ok());
    }

    #[test]
    fn one_flipped_bit_anywhere_is_refused(place in 0_usize..4, at in any::<usize>(), bit in 0..8) {
        for asymmetric in [false, true] {
            let (keys, signature) = if asymmetric {
                (keys(&public_key()), signed_v1a("msg_01", NOW, BODY))
            } else {
                (keys(SECRET), keys(SECRET).sign("msg_01", NOW, BODY))
            };
            let mut parts = [
                b"msg_01".to_vec(),
                NOW.to_string().into_bytes(),
                signature.into_bytes(),
                BODY.to_vec(),
            ];
            let length = parts[place].len();
            parts[place][at % length] ^= 1_u8 << bit;
            let mut headers = HeaderMap::new();
            // Some can't be in a header at all: refused even before.
            for (name, value) in [ID, TIMESTAMP, SIGNATURE].into_iter().zip(&parts) {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    headers.insert(name, value);
                }
            }
            prop_assert!(verify(&headers, &parts[3], &keys, NOW).is_err());
        }
    }

    #[test]
    fn nothing_makes_it_panic(
        id in proptest::collection::vec(any::<u8>(), 0..40),
        timestamp in "[-+0-9.]{0,25}",
        signature in "(v1|v1a|v2)?,?[A-Za-z0-9+/= ,]{0,120}",
        body in proptest::collection::vec(any::<u8>(), 0..50),
        now in any::<i64>(),
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [(ID, &id[..]), (TIMESTAMP, timestamp.as_bytes()), (SIGNATURE, signature.as_bytes())]
        {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(name, value);
            }
        }
        let keys = keys(&format!("{SECRET} {}", public_key()));
        prop_assert!(verify(&headers, &body, &keys, now).is_err());
    }
}

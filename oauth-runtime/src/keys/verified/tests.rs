use std::sync::Arc;

use super::*;
use crate::model::secret::{Secret, Secrets};
use crate::seal::Sealer;

const NOW: Timestamp = Timestamp::from_seconds(1_000);
const ISSUER: &str = "https://a.example";

fn read(payload: &str) -> Result<Verified, Reason> {
    let sealer = Sealer::new(&Secrets::new(Secret::from("secret"), []), ISSUER).expect("keys derive");
    Verified::read(payload, &Opener::new(&Arc::new(sealer)), &Expected::own(ISSUER, ISSUER), NOW)
}

fn claims(change: Value) -> Map<String, Value> {
    let mut claims = json!({
        "iss": ISSUER, "aud": ISSUER, "sub": "alice", "client_id": "spa", "iat": 900, "exp": 1100, "jti": "1",
        "as_of": "AAAAAAAAAAc.7", "gid": "g", "sid": "s", "auth_time": 800, "renewable": true, "scope": "a b",
        "acr": "mfa", "amr": ["pwd"], "role": "admin", "deep": { "role": ["admin"] }
    });
    for (name, value) in change.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims.as_object().expect("an object").clone()
}

#[test]
fn every_claim_is_what_the_token_says_whatever_its_type() {
    for change in [
        json!({}),
        json!({ "aud": [ISSUER] }),
        json!({ "aud": ["https://b.example", 7, ISSUER] }),
        json!({ "gid": 7, "sid": null, "auth_time": "long ago", "as_of": "x", "renewable": { "no": false } }),
        json!({ "gid": ["g"], "sid": 1.5, "auth_time": -1, "as_of": 7, "renewable": false }),
    ] {
        let claims = claims(change);
        for verified in [
            read(&Value::from(claims.clone()).to_string()).expect("good"),
            Verified::parse(claims.clone(), &Expected::own(ISSUER, ISSUER), NOW).expect("good"),
        ] {
            for (name, value) in &claims {
                assert_eq!(verified.claimed().get(&[name]).as_deref(), Some(value), "{name}");
            }
            assert_eq!(verified.all_claims(), claims);
            assert_eq!(verified.claimed().get(&["deep", "role"]).as_deref(), Some(&json!(["admin"])));
            for absent in [&["nbf"] as &[_], &["sub", "role"], &["deep", "other"], &[]] {
                assert_eq!(verified.claimed().get(absent), None, "{absent:?}");
            }
            // It is there, and so the grant has refresh tokens, which end it.
            assert!(verified.registered.is_renewable);
        }
    }
}

/// The reader in one pass agrees with `serde_json`, and refuses what that refuses.
#[test]
fn claims_that_are_written_plainly_are_read_as_any_json() {
    let told = |read: Read<'_>| format!("{:?}", (read.checked(&Expected::own(ISSUER, ISSUER), NOW)));
    let compare = |payload: &str| {
        let plain = Read::of_plain(payload);
        let is_plain = plain.is_ok();
        if let Ok(plain) = plain {
            let read: Read<'_> = serde_json::from_str(payload).unwrap_or_else(|why| panic!("{payload}: {why}"));
            assert_eq!((plain.has_rules, plain.seen), (read.has_rules, read.seen), "{payload}");
            assert_eq!(told(plain), told(read), "{payload}");
        }
        is_plain
    };
    let some = json!({
        "iss": ISSUER, "aud": [ISSUER, "b"], "sub": "älice", "client_id": "", "iat": 0, "exp": 1100, "jti": "1",
        "as_of": "AAAAAAAAAAc.7", "renewable": true, "scope": "a", "level": -3, "deep": { "a": [1.5, null, "\"}"] }, "no": []
    });
    for good in [&Value::from(claims(json!({}))), &some] {
        let good = good.to_string();
        assert!(compare(&good) && compare("{}"));
        for at in good.char_indices().map(|(at, _)| at) {
            compare(&good[..at]);
            let (before, rest) = good.split_at(at);
            let after: String = rest.chars().skip(1).collect();
            for other in "\"\\{}[],:.-+eE0179atu \n\t\0\u{1f}\u{7f}é".chars() {
                compare(&format!("{before}{other}{after}"));
                compare(&format!("{before}{other}{rest}"));
            }
            compare(&format!("{before}{after}"));
        }
    }
    for number in
        ["0", "00", "01", "1e3", "1.0", "-0", "999999999999999999", "18446744073709551615", "18446744073709551616"]
    {
        compare(&format!("{{\"exp\":{number},\"a\":{number}}}"));
    }
    // Each byte of a text, wherever in a word it falls.
    for length in 0..24 {
        for other in 0..=0x7f_u8 {
            compare(&format!("{{\"a\":\"{}{}\"}}", "x".repeat(length), char::from(other)));
        }
    }
}

#[test]
fn what_is_cut_is_cut_for_policies_as_well() {
    let of_two = claims(json!({ "aud": [ISSUER, "https://b.example"] }));
    for claims in [claims(json!({})), of_two] {
        let verified = read(&Value::from(claims).to_string()).expect("good");
        let expected = Expected::own(ISSUER, ISSUER);
        let cut = verified.cut("a".parse().expect("a scope"), vec![ISSUER.to_owned()], &expected).expect("for it");
        assert_eq!(cut.claimed().get(&["scope"]).as_deref(), Some(&json!("a")));
        assert_eq!(cut.claimed().get(&["aud"]).as_deref(), Some(&json!(ISSUER)));
        let cut = cut.cut(Scope::default(), vec![ISSUER.to_owned()], &expected).expect("for it");
        assert_eq!(cut.claimed().get(&["scope"]), None);
    }
}

/// Only what a request asks for is bounded.
#[test]
fn a_scope_is_read_at_any_length_that_can_be_granted() {
    let many = (0..300).map(|number| format!("notes:{number}")).collect::<Vec<_>>().join(" ");
    assert!(many.len() > 2 * Scope::MAX_BYTES);
    let good = Value::from(claims(json!({ "scope": many })));
    assert_eq!(read(&good.to_string()).expect("good").registered.scope.iter().count(), 300);
    let wrong = Value::from(claims(json!({ "scope": "a \u{e4}" })));
    assert_eq!(read(&wrong.to_string()).err(), Some(Reason::TokenMalformed));
}

#[test]
fn a_claim_that_comes_twice_is_refused_and_so_is_what_is_no_object() {
    let good = Value::from(claims(json!({}))).to_string();
    let with = |more: &str| format!("{},{more}}}", good.strip_suffix('}').expect("an object"));
    assert!(read(&with(r#""other":1"#)).is_ok(), "the control");
    for twice in [r#""sub":"bob""#, r#""exp":9999"#, r#""exp":"x""#, r#""role":"admin""#, r#""\u0073ub":"bob""#] {
        assert_eq!(read(&with(twice)).err(), Some(Reason::TokenMalformed), "{twice}");
    }
    for other in ["", "[]", "7", "null", "{", &format!("{good}{good}"), &format!("{good}x")] {
        assert_eq!(read(other).err(), Some(Reason::TokenMalformed), "{other}");
    }
}

/// RFC 7519 §2: a time may have a fraction, which makes no token valid earlier or longer.
#[test]
fn c26_a_fraction_of_a_second_is_never_in_favour_of_a_token() {
    for (name, time, refused) in [
        ("exp", json!(1_000.9), Some(Reason::TokenExpired)),
        ("exp", json!(1_001.0), None),
        ("nbf", json!(1_000.1), Some(Reason::TokenMalformed)),
        ("nbf", json!(1_000.0), None),
    ] {
        let claims = Value::from(claims(json!({ name: time })));
        assert_eq!(read(&claims.to_string()).err(), refused, "{name} {time}");
    }
}

/// RFC 7800 §3.1: a confirmation that is not understood may be the one that a thief cannot give.
#[test]
fn c49_a_token_that_is_bound_to_more_than_a_key_of_dpop_is_refused() {
    let jkt = Thumbprint::of([0; 32]);
    assert_eq!(read(&with_cnf(json!({ "jkt": jkt }))).expect("good").registered.bound_to, Some(jkt.clone()));
    for cnf in [
        json!({ "jkt": jkt, "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
        json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
        json!({ "jkt": "short" }),
        json!({}),
        json!(jkt),
        json!(null),
    ] {
        assert_eq!(read(&with_cnf(cnf.clone())).err(), Some(Reason::TokenBound), "{cnf}");
    }
}

fn with_cnf(cnf: Value) -> String {
    Value::from(claims(json!({ "cnf": cnf }))).to_string()
}

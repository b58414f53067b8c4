//! What may be registered, and what counts as equal.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

fn registered(text: &str) -> RedirectUri {
    parsed(text).expect(text)
}

fn parsed(text: &str) -> Result<RedirectUri, InvalidRedirectUri> {
    RedirectUri::parse(text, Besides::default())
}

#[test]
fn c07_registered_whole_and_compared_as_strings() {
    let uri = registered("https://notes.example/callback?a=b");
    assert!(uri.matches("https://notes.example/callback?a=b"));
    for other in [
        "https://notes.example/callback",
        "https://notes.example/callback?a=b&c=d",
        "https://notes.example/callback/../callback?a=b",
        "https://NOTES.example/callback?a=b",
        "https://notes.example:443/callback?a=b",
        "https://notes.example.evil.example/callback?a=b",
        "",
    ] {
        assert!(!uri.matches(other), "{other}");
    }
    assert_eq!(parsed("https://notes.example/#a").expect_err("a fragment"), InvalidRedirectUri::Fragment);
}

#[test]
fn c08_loopback_any_port_and_nothing_else() {
    let uri = registered("http://127.0.0.1/callback");
    for good in ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"] {
        assert!(uri.matches(good), "{good}");
    }
    for bad in [
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:008000/callback",
        "http://127.0.0.1:+80/callback",
        "http://127.0.0.1:80:80/callback",
        "http://127.0.0.1:8000@evil.example/callback",
        "http://evil@127.0.0.1:8000/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:8000/callback/",
        "http://127.0.0.1:8000/callback?x",
        "http://127.0.0.2:8000/callback",
        "http://localhost:8000/callback",
        "https://127.0.0.1:8000/callback",
        "http://[::1]:8000/callback",
    ] {
        assert!(!uri.matches(bad), "{bad}");
    }
    assert!(registered("http://127.0.0.1:8000/").matches("http://127.0.0.1:9/"));
    assert!(registered("http://[::1]/cb").matches("http://[::1]:9/cb"));
    let local = registered("http://localhost:3000/cb");
    assert!(local.matches("http://localhost:3000/cb") && !local.matches("http://localhost:3001/cb"));
    let local = registered("http://localhost/cb");
    for good in ["http://localhost/cb", "http://localhost:1/cb", "http://localhost:3001/cb"] {
        assert!(local.matches(good), "{good}");
    }
    for bad in [
        "http://localhost:3001/cb/",
        "http://localhost.evil.example:3001/cb",
        "http://localhost:3001@evil.example/cb",
        "http://127.0.0.1:3001/cb",
        "https://localhost:3001/cb",
    ] {
        assert!(!local.matches(bad), "{bad}");
    }
}

#[test]
fn c08_c09_names_on_loopback_and_private_schemes_without_a_dot_are_for_those_who_name_them() {
    let schemes = ["cursor".to_owned()];
    let all = Besides { schemes: &schemes, names_on_loopback: true };
    for uri in ["cursor://app.cursor/oauth/callback", "http://notes.localhost:3000/cb", "http://notes.localhost/cb"] {
        assert!(parsed(uri).is_err(), "{uri}");
        assert!(RedirectUri::parse(uri, all).expect(uri).matches(uri), "{uri}");
    }
    for bad in ["cursors:/cb", "CURSOR:/cb", "http://notes.localhost.example/cb", "http://evil-localhost/cb"] {
        assert!(RedirectUri::parse(bad, all).is_err(), "{bad}");
    }
    let anywhere = RedirectUri::parse("http://notes.localhost/cb", all).expect("a name on loopback");
    assert!(anywhere.matches("http://notes.localhost:3000/cb") && !anywhere.matches("http://a.localhost:3000/cb"));
    let app = RedirectUri::parse("cursor://app/cb", all).expect("a private scheme").destination("cursor://app/cb");
    assert_eq!((app.source.as_str(), app.shown.as_str(), app.is_vouched_for), ("cursor:", "cursor:", false));
    assert!(is_private_scheme("cursor") && is_private_scheme("vscode-insiders"));
    for bad in ["", "Cursor", "7z", "a:b", "a b", "http", "javascript", "data", "é"] {
        assert!(!is_private_scheme(bad), "{bad}");
    }
}

#[test]
fn c09_plain_http_is_for_loopback_and_a_private_scheme_has_a_dot() {
    for (bad, why) in [
        ("http://notes.example/cb", InvalidRedirectUri::PlainHttp),
        ("http://127.0.0.1.nip.example/cb", InvalidRedirectUri::PlainHttp),
        ("myapp:/cb", InvalidRedirectUri::Scheme),
        ("javascript:alert(1)", InvalidRedirectUri::Scheme),
        ("data:text/html,x", InvalidRedirectUri::Scheme),
        ("/callback", InvalidRedirectUri::NotAUri),
        ("https://notes.example\\@evil.example/", InvalidRedirectUri::NotAUri),
        ("https://notes.example/ cb", InvalidRedirectUri::NotAUri),
        ("https://Notes.example/cb", InvalidRedirectUri::NotAUri),
        ("HTTPS://notes.example/cb", InvalidRedirectUri::NotAUri),
        ("Com.Example.app:/cb", InvalidRedirectUri::NotAUri),
        ("https:notes.example/cb", InvalidRedirectUri::NotAUri),
        ("https://notes.example:443/cb", InvalidRedirectUri::NotAUri),
        ("https://notes.example:99999/cb", InvalidRedirectUri::NotAUri),
        ("https://notes.example:0/cb", InvalidRedirectUri::NotAUri),
        ("http://127.0.0.1:0/cb", InvalidRedirectUri::NotAUri),
        ("http://localhost:0/cb", InvalidRedirectUri::NotAUri),
        ("http://localhost.evil.example/cb", InvalidRedirectUri::PlainHttp),
        ("https://notes..example/cb", InvalidRedirectUri::NotAUri),
        ("https://*.notes.example/cb", InvalidRedirectUri::Wildcard),
        ("https://notes.example/*", InvalidRedirectUri::Wildcard),
        ("http://localhost:*/cb", InvalidRedirectUri::Wildcard),
        ("com.example.app:/*", InvalidRedirectUri::Wildcard),
        ("https://notes.example/a/../cb", InvalidRedirectUri::NotAUri),
        ("https://notes.example/%2e%2E/cb", InvalidRedirectUri::NotAUri),
        ("https://notes.example/.", InvalidRedirectUri::NotAUri),
        ("https://user:secret@notes.example/cb", InvalidRedirectUri::UserInfo),
        ("com.example.app://user@host/cb", InvalidRedirectUri::UserInfo),
        ("com.example.app://host:99999/cb", InvalidRedirectUri::NotAUri),
        ("com.example.app://:80/cb", InvalidRedirectUri::NotAUri),
        ("1com.example:/cb", InvalidRedirectUri::NotAUri),
        ("http://127.1/cb", InvalidRedirectUri::NotAUri),
        ("https://user@notes.example/", InvalidRedirectUri::UserInfo),
        ("https://:@notes.example/", InvalidRedirectUri::UserInfo),
    ] {
        assert_eq!(parsed(bad).expect_err(bad), why, "{bad}");
    }
    for good in [
        "com.example.app:/cb",
        "com.example.app://callback",
        "com.example.app://host:80/cb",
        "https://notes.example/cb?any=*&up=/../",
        "https://notes.example/.well-known/..a/...",
        "https://notes.example:80/cb",
        "https://a_b.example./cb",
    ] {
        assert!(registered(good).matches(good), "{good}");
    }
}

/// A URI that `redirect_uri!` accepts is refused at start-up only because of its client or the issuer.
#[test]
fn what_compiles_is_refused_for_the_configuration_alone() {
    let pieces = [
        "https",
        "http",
        "com.example.app",
        "myapp",
        "javascript",
        "HTTPS",
        "Com.b",
        "1a.b",
        ":",
        ":",
        "://",
        "://",
        "//",
        "/",
        "/cb",
        "notes.example",
        "localhost",
        "app.localhost",
        "127.0.0.1",
        "[::1]",
        "[",
        "a.1",
        "@",
        "user@",
        ":8000",
        ":443",
        ":80",
        ":0",
        ":99999",
        ":",
        "?",
        "?a=b",
        "#a",
        "*",
        "%2e",
        "%",
        "..",
        "/../",
        "/.",
        ".",
        "~",
        "'",
        "|",
        " ",
        "\\",
        "\u{e9}",
        "+",
        "-",
    ];
    let mut random = StdRng::seed_from_u64(13);
    let (mut taken, mut refused) = (0, 0);
    for round in 0..50_000 {
        let begins = ["", "https://", "http://", "com.example.app:", "com.example.app://", "myapp:"][round % 6];
        let rest = (0..random.random_range(1..6)).map(|_| pieces[random.random_range(0..pieces.len())]);
        let text = begins.to_owned() + &rest.collect::<String>();
        let scheme = [text.split(':').next().unwrap_or_default().to_owned()];
        // No scheme is named that `.allow_scheme(..)` would refuse.
        let schemes: &[String] = if is_private_scheme(&scheme[0]) { &scheme } else { &[] };
        let all = RedirectUri::parse(&text, Besides { schemes, names_on_loopback: true });
        match broken_rule(&text) {
            None => {
                assert!(all.is_ok(), "{text}: it compiles, and no configuration has room for it");
                let by_default = parsed(&text).err();
                let of_the_configuration =
                    [None, Some(InvalidRedirectUri::Scheme), Some(InvalidRedirectUri::PlainHttp)];
                assert!(of_the_configuration.contains(&by_default), "{text}: {by_default:?}");
                taken += 1;
            }
            Some(why) => {
                assert_eq!(all.err(), Some(why), "{text}");
                refused += 1;
            }
        }
    }
    assert!(taken > 2_000 && refused > 2_000, "{taken} and {refused}");
}

#[test]
fn its_query_has_nothing_that_an_answer_brings() {
    for (uri, name) in [
        ("https://a.example/cb?code=1", Some("code")),
        ("https://a.example/cb?a=1&state", Some("state")),
        ("https://a.example/cb?%69ss=1", Some("iss")),
        ("http://127.0.0.1/cb?error=", Some("error")),
        ("com.example.app:/cb?error_uri=1", Some("error_uri")),
        ("https://a.example/cb?error_description=1", Some("error_description")),
        ("https://a.example/cb?session_state=1", Some("session_state")),
        ("https://a.example/code?codes=code&Code=1;state", None),
    ] {
        let left = name.map_or(Ok(()), |name| Err(InvalidRedirectUri::OfAnswers(name)));
        assert_eq!(registered(uri).leaves(&OF_ANSWERS), left, "{uri}");
    }
    assert_eq!(registered("https://a.example/bye?code=1").leaves(&AFTER_SIGN_OUT), Ok(()));
}

/// Which pages may read answers (CORS): an origin is compared whole.
#[test]
fn c35_an_origin_that_begins_or_ends_like_a_registered_one_is_another() {
    for (uri, origins) in [
        ("https://a.example/cb", &["https://a.example"][..]),
        ("https://a.example:8443/cb", &["https://a.example:8443"]),
        ("http://127.0.0.1/cb", &["http://127.0.0.1", "http://127.0.0.1:1", "http://127.0.0.1:65535"]),
        ("com.example.app:/cb", &[]),
    ] {
        for origin in [
            "https://a.example",
            "https://a.example:8443",
            "https://a.example:443",
            "https://a.example.evil.example",
            "https://a.example@evil.example",
            "https://a.example/",
            "https://evil-a.example",
            "http://a.example",
            "https://A.example",
            "http://127.0.0.1",
            "http://127.0.0.1:1",
            "http://127.0.0.1:65535",
            "http://127.0.0.1:0",
            "http://127.0.0.1:65536",
            "http://127.0.0.1:80@evil.example",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.11",
            "https://127.0.0.1",
            "com.example.app:",
            "com.example.app://",
            "null",
            "",
        ] {
            assert_eq!(registered(uri).allows_origin(origin), origins.contains(&origin), "{uri} {origin}");
        }
    }
}

#[test]
fn destinations_name_what_a_browser_and_a_person_need() {
    let of = |text: &str, requested: &str| {
        let destination = registered(text).destination(requested);
        (destination.source, destination.shown)
    };
    assert_eq!(
        of("https://a.example:8443/cb", "https://a.example:8443/cb"),
        ("https://a.example:8443".into(), "a.example:8443".into())
    );
    assert_eq!(
        of("http://127.0.0.1/cb", "http://127.0.0.1:90/cb"),
        ("http://127.0.0.1:90".into(), "127.0.0.1:90".into())
    );
    assert_eq!(of("http://[::1]/cb", "http://[::1]:90/cb"), ("http:".into(), "[::1]:90".into()));
    assert_eq!(
        of("com.example.app:/cb", "com.example.app:/cb"),
        ("com.example.app:".into(), "com.example.app:".into())
    );
    // A scheme can be spelled like a host.
    assert_eq!(of("accounts.bank.example:/cb", "accounts.bank.example:/cb").1, "accounts.bank.example:");
}

#[test]
fn parameters_join_the_query_that_is_there() {
    let with = |uri: &str| registered(uri).destination(uri).with(&[("code", "a b"), ("state", "&=")]);
    assert_eq!(with("https://a.example/cb"), "https://a.example/cb?code=a+b&state=%26%3D");
    assert_eq!(with("https://a.example/cb?x=1"), "https://a.example/cb?x=1&code=a+b&state=%26%3D");
    assert_eq!(with("com.example.app:/cb"), "com.example.app:/cb?code=a+b&state=%26%3D");
}

#[test]
fn c51_no_name_and_no_address_of_the_user_s_own_machine_is_vouched_for() {
    let is_vouched_for = |uri: &str| registered(uri).destination(uri).is_vouched_for;
    for here in [
        "http://localhost:3000/cb",
        "https://localhost/cb",
        "https://localhost:8443/cb",
        "https://localhost./cb",
        "https://app.localhost/cb",
        "https://127.0.0.1/cb",
        "https://127.1.2.3:1/cb",
        "https://0.0.0.0/cb",
        "https://[::1]/cb",
        "https://[::]/cb",
        "https://[::ffff:7f00:1]/cb",
        "com.example.app:/cb",
    ] {
        assert!(!is_vouched_for(here), "{here}");
    }
    for elsewhere in ["https://notes.example/cb", "https://localhost.example/cb", "https://198.51.100.1/cb"] {
        assert!(is_vouched_for(elsewhere), "{elsewhere}");
    }
}

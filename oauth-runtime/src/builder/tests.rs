use std::time::Duration;

use serde_json::json;

use crate::builder::client_address::x_forwarded_for;
use crate::builder::error::BuildError;
use crate::builder::state::WithReload;
use crate::builder::{Builder, Settings};
use crate::keys::Keys;
use crate::model::jwk::{InvalidJwk, SignatureAlgorithm};
use crate::model::lifetime::{DAY, Lifetimes};
use crate::model::{Client, GrantType, Secret};
use crate::server::SignInBy;
use crate::server::paths::Endpoint;
use crate::store::About;
use crate::store::silent::Silent;

const CALLBACK: &str = "https://app.example/callback";
const SECRET: &str = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";

const RAW: [u8; 32] = *b"\x80\xd6\x10\xf0e5e\xa8\x9f\x14\xcf\xb8\xe4J}@\x01j\xafA\x98\xd1\xbfC\xa2l\xc7\xe8d#.\xd4";

fn spa() -> Client {
    spa_named("spa")
}

fn spa_named(id: &str) -> Client {
    Client::public(id).redirect_uri(CALLBACK)
}

fn nameless() -> Builder {
    Builder::new().secret(SECRET).authenticate_blocking(|_| Some(json!({})))
}

fn bare() -> Builder {
    nameless().issuer("https://notes.example").direct_peers()
}

fn good() -> Builder {
    bare().client(spa())
}

/// A client whose ID tokens are signed like this.
fn spa_of(id: &str, algorithm: SignatureAlgorithm) -> Client {
    Client::public(id).redirect_uri("https://rs.example/cb").id_token_algorithm(algorithm)
}

fn secretless() -> Builder {
    let builder = Builder::new().issuer("https://notes.example").direct_peers().client(spa());
    builder.authenticate_blocking(|_| Some(json!({})))
}

/// With a page of the author's own at this path.
fn elsewhere(path: &str) -> Builder {
    Builder::new().secret(SECRET).issuer("https://notes.example").direct_peers().client(spa()).sign_in_at(path)
}

/// What causes an error, which one, and what its text says to write or change.
#[test]
fn each_mistake_has_an_error_that_says_what_to_write() {
    type Is = fn(&BuildError) -> bool;
    macro_rules! is {
        ($pattern:pat) => {
            (|error| matches!(error, $pattern)) as Is
        };
    }
    let zero = Duration::ZERO;
    let table: Vec<(Builder, Is, &str)> = vec![
        (nameless().client(spa()), is!(BuildError::NoIssuer), ".issuer("),
        (good().issuer("notes.example"), is!(BuildError::Issuer { .. }), "https://notes.example"),
        (good().issuer("http://notes.example"), is!(BuildError::Issuer { .. }), "https"),
        (
            Builder::new().issuer("https://notes.example").client(spa()),
            is!(BuildError::NoAuthenticate),
            ".authenticate_blocking(fn)",
        ),
        (good().secret([0x80; 31].as_slice()), is!(BuildError::ShortSecret { bytes: 31 }), "openssl rand -base64 32"),
        (good().secret("ab".repeat(31)), is!(BuildError::ShortSecret { bytes: 31 }), "after decoding"),
        (good().danger_passphrase("a phrase"), is!(BuildError::ShortSecret { bytes: 8 }), "at least 32"),
        (good().secret("x".repeat(99)), is!(BuildError::PlainSecret), "openssl rand -base64 32"),
        (good().secret([0x80; 32]), is!(BuildError::PredictableSecret), "openssl rand -base64 32"),
        (good().previous_secret("61".repeat(32)), is!(BuildError::PredictableSecret), "repeats itself"),
        (
            good().client(Client::confidential("job").secret("change-me-to-32-bytes-that-are-random")),
            is!(BuildError::PredictableClientSecret { .. }),
            "\"job\"",
        ),
        (good().previous_secret("short"), is!(BuildError::PlainSecret), ".danger_passphrase(..)"),
        (good().next_secret("short"), is!(BuildError::PlainSecret), "base64url or hex"),
        (secretless().previous_secret(SECRET), is!(BuildError::NoCurrentSecret), "add .secret(..)"),
        (secretless().next_secret(SECRET), is!(BuildError::NoCurrentSecret), "add .secret(..)"),
        (
            secretless().store(Silent(About { engine: "a file", schema: Some(1), has_clock: false })),
            is!(BuildError::StoreWithoutSecret { engine: "a file" }),
            "the same in every process",
        ),
        (good().resource("api"), is!(BuildError::Resource { .. }), "https://api.example"),
        (good().resource("https://api.example/#a"), is!(BuildError::Resource { .. }), "without a fragment"),
        (
            good().resource("https://api.example").own_resource("https://API.example:443/"),
            is!(BuildError::ResourceTwice { .. }),
            "keep the one",
        ),
        (good().resource("https://notes.example/"), is!(BuildError::ResourceTwice { .. }), "\"https://notes.example\""),
        (good().audience(""), is!(BuildError::EmptyAudience), "leave .audience(..) out"),
        (
            good().access_token_lifetime(Duration::from_secs(86_401)),
            is!(BuildError::Lifetime { what: "access_token_lifetime", .. }),
            "between 1 second and 86400 seconds",
        ),
        (
            good().code_lifetime(Duration::from_secs(601)),
            is!(BuildError::Lifetime { what: "code_lifetime", .. }),
            "between 1 second and 600 seconds",
        ),
        (
            good().code_lifetime(Duration::from_millis(1500)),
            is!(BuildError::Lifetime { what: "code_lifetime", .. }),
            "in whole seconds",
        ),
        (good().code_lifetime(zero), is!(BuildError::Lifetime { .. }), "code_lifetime"),
        (good().scope("offline_access", "Stay signed in"), is!(BuildError::NoReload), "leave the scope out"),
        (
            good().client(spa_of("rs", SignatureAlgorithm::Rs256)).keys(Keys::generate().expect("a key")),
            is!(BuildError::IdTokenAlgorithm { .. }),
            ".also(key)",
        ),
        (
            good().client(spa_of("rs", SignatureAlgorithm::Rs256)),
            is!(BuildError::IdTokenAlgorithm { .. }),
            ".also(key)",
        ),
        (elsewhere("welcome"), is!(BuildError::SignInAt { .. }), "/segments"),
        (elsewhere(""), is!(BuildError::SignInAt { .. }), "/segments"),
        (elsewhere("/login"), is!(BuildError::SignInAtOwnPath { .. }), "move the server's with .path(..)"),
        (elsewhere("/oauth/pages.css"), is!(BuildError::SignInAtOwnPath { .. }), "the server's own"),
        (
            elsewhere("/welcome").authenticate_blocking(|_| Some(json!({}))),
            is!(BuildError::SignInTwice { function: "authenticate" }),
            "leave it or .sign_in_at(..) out",
        ),
        (
            elsewhere("/welcome").second_factor_blocking(|_| Some(json!({}))),
            is!(BuildError::SignInTwice { function: "second_factor" }),
            ".second_factor(..) is for the built-in one",
        ),
        (good().blocking_at_once(0), is!(BuildError::NeverAnswers(_)), "blocking_at_once must be above zero"),
        (
            good().authenticate_timeout(zero),
            is!(BuildError::NeverAnswers(_)),
            "authenticate_timeout must be above zero",
        ),
        (good().store_deadline(zero), is!(BuildError::NeverAnswers(_)), "store_deadline must be above zero"),
        (good().scope("two words", ""), is!(BuildError::Scope { .. }), "one word"),
        (good().scope("s".repeat(1025), ""), is!(BuildError::Scope { .. }), "at most 1024 bytes"),
        (good().scope("a", "").scope("a", ""), is!(BuildError::Scope { .. }), "there twice"),
        (good().acr_values(["two factors"]), is!(BuildError::AcrValue { .. }), ".acr_values("),
        (good().default_scope("notes"), is!(BuildError::DefaultScope(_)), ".scope(..)"),
        (good().scope("notes", "").default_scope("note"), is!(BuildError::DefaultScope(_)), "exists, \"notes\""),
        (good().path(Endpoint::Token, "token"), is!(BuildError::Path { .. }), "/segments"),
        (good().path(Endpoint::Token, "/login"), is!(BuildError::Path { .. }), "is taken"),
        (bare(), is!(BuildError::NoClient), ".redirect_uri(..)), .clients(..) for those"),
        (
            good().client(Client::public("a b").redirect_uri(CALLBACK)),
            is!(BuildError::ClientId { .. }),
            "without spaces",
        ),
        (good().client(spa()), is!(BuildError::ClientTwice { .. }), "\"spa\" is there twice"),
        (
            good().client(Client::public("app").redirect_uris([""; 0])),
            is!(BuildError::NoRedirectUri { .. }),
            ".redirect_uris(..)",
        ),
        (
            good().client(Client::public("app").redirect_uri("http://app.example/")),
            is!(BuildError::RedirectUri { .. }),
            "https",
        ),
        (
            good().client(spa_named("app").allow_scheme("cursor://")),
            is!(BuildError::ClientScheme { .. }),
            "without \"://\"",
        ),
        (
            good().client(spa_named("app").allow_scheme("javascript")),
            is!(BuildError::ClientScheme { .. }),
            "a private one",
        ),
        (
            good().client(spa_named("app").redirect_uri("cursor:/cb")),
            is!(BuildError::RedirectUri { .. }),
            ".allow_scheme(..)",
        ),
        (
            good().client(spa_named("app").redirect_uri("http://app.localhost/cb")),
            is!(BuildError::RedirectUri { .. }),
            "https",
        ),
        (
            good().client(spa_named("app").redirect_uri("https://*.app.example/cb")),
            is!(BuildError::RedirectUri { .. }),
            "register each one whole",
        ),
        (
            good().client(spa_named("app").redirect_uri("https://app.example/cb?error=1")),
            is!(BuildError::RedirectUri { .. }),
            "must not have \"error\"",
        ),
        (
            good().client(spa_named("app").post_logout_redirect_uri("https://app.example/bye?state=1")),
            is!(BuildError::RedirectUri { .. }),
            "must not have \"state\"",
        ),
        (
            good().client(spa_named("app").danger_without_pkce()),
            is!(BuildError::PublicWithoutPkce { .. }),
            "remove .danger_without_pkce()",
        ),
        (good().client(Client::confidential("job")), is!(BuildError::NoCredentials { .. }), ".secret(..)"),
        (
            good().client(Client::confidential("job").secret("x".repeat(31))),
            is!(BuildError::ClientSecret { .. }),
            "31 bytes",
        ),
        (
            good().client(Client::confidential("job").secret(format!("{}\n", "x".repeat(31)))),
            is!(BuildError::ClientSecret { .. }),
            "31 bytes",
        ),
        (
            good().client(Client::confidential("job").secret(format!("{SECRET}\n{SECRET}\n"))),
            is!(BuildError::ClientSecretLine(_)),
            "or has a line break in it",
        ),
        (good().client(Client::confidential("job").jwks("{}")), is!(BuildError::ClientJwk { .. }), "P-256"),
        (
            good().client(Client::confidential("job").jwks(json!({
                "kty": "EC", "crv": "P-256", "x": "A".repeat(43), "y": "A".repeat(43)
            }))),
            is!(BuildError::ClientJwk { why: InvalidJwk::Numbers, .. }),
            "on its curve",
        ),
        (
            good().client(Client::confidential("job").secret(SECRET).scope("none")),
            is!(BuildError::ClientScope { .. }),
            ".scope(..)",
        ),
        (
            good().client(spa_named("app").allow_scopes("none")),
            is!(BuildError::ClientScope { .. }),
            "add .scope(\"none\", \"what it allows\") to the builder",
        ),
        (
            good().scope("a", "").scope("b", "").client(spa_named("app").allow_scopes("a,b")),
            is!(BuildError::ClientScope { .. }),
            "no commas: write \"a b\"",
        ),
        (
            good().scope("a", "").scope("notes:read", "").client(spa_named("app").allow_scopes("a notes:raed")),
            is!(BuildError::ClientScope { .. }),
            "\"notes:raed\", which no .scope(..) of the builder describes: one with a similar name exists, \"notes:read\"",
        ),
        (
            good().client(spa_named("app").allow_scopes("\"a\"")),
            is!(BuildError::ClientScope { .. }),
            "with spaces between them",
        ),
        (
            good().client(spa_named("app").allow_resources(["https://files.example"])),
            is!(BuildError::ClientResource { .. }),
            ".resource(..)",
        ),
        (good().releases(["role"]), is!(BuildError::ReleasesWithoutScope), ".releases([\"role\"])"),
        (good().scope("a", "").releases(["exp"]), is!(BuildError::ReleasedClaim { .. }), "leave it out"),
        (
            good().client(Client::confidential("api").secret(SECRET).resource_server("https://x.example")),
            is!(BuildError::ClientResource { .. }),
            "nor its audience",
        ),
        (
            good().client(spa_named("app").resource_server("https://notes.example")),
            is!(BuildError::PublicClient { .. }),
            "Client::confidential(\"app\")",
        ),
        (good().client(spa_named("app").grants([])), is!(BuildError::ClientGrants { .. }), "it has none"),
        (
            good().client(spa_named("app").grants(GrantType::ALL.iter().copied())),
            is!(BuildError::ClientGrants { .. }),
            "cannot have client_credentials",
        ),
        (
            good().client(Client::confidential("job").secret(SECRET).grants([GrantType::AuthorizationCode])),
            is!(BuildError::ClientGrants { .. }),
            "redirect URIs belong together",
        ),
        (
            good().client(
                Client::confidential("job")
                    .secret(SECRET)
                    .grants([GrantType::RefreshToken, GrantType::ClientCredentials]),
            ),
            is!(BuildError::ClientGrants { .. }),
            "refresh_token needs authorization_code",
        ),
        (
            good().client(
                Client::confidential("web")
                    .secret(SECRET)
                    .redirect_uri("https://web.example/cb")
                    .claims(json!({ "role": "job" })),
            ),
            is!(BuildError::ClientGrants { .. }),
            "name all that it may use in .grants(..)",
        ),
        (
            good().audience("https://notes.example/userinfo"),
            is!(BuildError::UserInfoAudience { .. }),
            "choose another name",
        ),
        (
            good().resource("https://notes.example/userinfo"),
            is!(BuildError::UserInfoAudience { .. }),
            "only for /userinfo",
        ),
        (
            good().client(Client::confidential("job").secret(SECRET).claims(json!({ "iss": 1 }))),
            is!(BuildError::ClientClaims { .. }),
            "`iss`",
        ),
        (
            good().client(Client::confidential("job").secret(SECRET).claims(json!({ "sub": "admin" }))),
            is!(BuildError::ClientClaims { .. }),
            "`sub`",
        ),
        (
            good().client(spa_named("job").secret(SECRET)),
            is!(BuildError::PublicClient { .. }),
            "Client::confidential(\"job\")",
        ),
        (good().origin("https://*.app.example"), is!(BuildError::Origin { .. }), "https://app.example"),
        (good().origin("https://app.example:443"), is!(BuildError::Origin { .. }), "https://app.example"),
        (good().origin("https://app.example/"), is!(BuildError::Origin { .. }), "https://app.example"),
        (good().accent("blue"), is!(BuildError::Accent(_)), "#"),
        (
            nameless().issuer("https://notes.example").client(spa()),
            is!(BuildError::NoClientAddress),
            "x_forwarded_for(1)",
        ),
        (nameless().issuer("https://notes.example").client(spa()), is!(BuildError::NoClientAddress), ".direct_peers()"),
    ];
    for (builder, is, text) in table {
        let error = builder.build().expect_err(text);
        assert!(is(&error), "{error:?}");
        assert!(error.to_string().contains(text), "{error} does not say {text}");
    }
    let phrase = Secret::danger_passphrase("a phrase of the tests, and long enough");
    assert!(good().secret(phrase.clone()).previous_secret(phrase).next_secret(RAW).build().is_ok());
    assert!(good().build().is_ok() && elsewhere("/welcome").build().is_ok());
    let (one, other) = ("a".repeat(1024), "b".repeat(1024));
    let both = format!("{one} {other}");
    let client = Client::public("long").redirect_uri(CALLBACK).allow_scopes(&both);
    assert!(good().scope(one, "").scope(other, "").default_scope(both).client(client).build().is_ok());
    let behind = nameless().issuer("https://notes.example").client(spa()).client_address(x_forwarded_for(1));
    assert!(behind.build().is_ok() && nameless().issuer("http://127.0.0.1").client(spa()).build().is_ok());
}

#[test]
fn what_reload_turns_on_has_bounds_and_one_type_of_claims() {
    let reloading = || good().reload_blocking(|_| Some(json!({})));
    let why = |builder: Builder<WithReload>| builder.build().expect_err("a mistake").to_string();
    let seconds = Duration::from_secs;
    for (builder, text) in [
        (reloading().refresh_token_idle(Duration::ZERO), "refresh_token_idle must be between 1 second"),
        (reloading().refresh_token_lifetime(seconds(401 * 24 * 3600)), "and 34560000 seconds"),
        (reloading().refresh_token_grace(seconds(61)), "60 seconds"),
        (reloading().refresh_token_grace(Duration::from_millis(1500)), "in whole seconds"),
        (
            reloading().refresh_token_idle(seconds(91 * 24 * 3600)),
            "refresh_token_idle is 7862400 seconds, and refresh_token_lifetime, of 7776000, ends first: lengthen",
        ),
        (reloading().session_idle(seconds(61)).session_lifetime(seconds(60)), "session_idle is 61 seconds"),
        (reloading().refresh_token_lifetime(seconds(3599)), "or shorten access_token_lifetime"),
        (
            reloading().refresh_token_idle(seconds(60)).access_token_lifetime(seconds(61)),
            "access_token_lifetime is 61 seconds, and refresh_token_idle, of 60, ends first",
        ),
        (
            reloading()
                .access_token_lifetime(seconds(9))
                .code_lifetime(seconds(11))
                .refresh_token_lifetime(seconds(10)),
            "code_lifetime is 11 seconds, and refresh_token_lifetime, of 10, ends first",
        ),
        (reloading().sessions(false).account_page(), "leave .account_page() out"),
        (good().authenticate_blocking(|_| Some([1_u8])).reload_blocking(|_| Some([1_u16])), "use one type"),
    ] {
        let why = why(builder);
        assert!(why.contains(text), "{why} does not say {text}");
    }
    // A default is not what the author wrote, what is not issued ends nothing, and equals may be.
    for good in [
        reloading().session_lifetime(seconds(60)).refresh_token_lifetime(seconds(3600)),
        reloading().refresh_token_lifetime(seconds(60)).refresh_tokens(false),
        reloading().session_idle(seconds(60)).session_lifetime(seconds(60)),
        reloading().session_idle(seconds(61)).session_lifetime(seconds(60)).sessions(false),
    ] {
        assert!(good.build().is_ok());
    }
}

#[test]
fn the_defaults_reach_the_service() {
    let oauth = good().build().expect("a good configuration");
    let server = oauth.server();
    assert_eq!(server.access_token_lifetime(), Duration::from_secs(3600));
    assert_eq!(server.code_lifetime(), Duration::from_secs(60));
    assert!(server.refreshing().is_none());
    let day = Duration::from_secs(24 * 3600);
    let reloading = good().reload_blocking(|_| Some(json!({}))).build().expect("a good configuration");
    let lifetimes = reloading.server().refreshing().map(|refreshing| refreshing.lifetimes);
    assert_eq!(lifetimes, Some(Lifetimes { idle: 14 * day, absolute: 90 * day }));
    let SignInBy::Function(authenticator) = server.sign_in() else { panic!("a function was given") };
    assert_eq!(authenticator.timeout, Duration::from_secs(10));
    assert!((2..=16).contains(&authenticator.places.free()));
    assert_eq!(server.audience(), "https://notes.example");
    assert_eq!(server.brand().name, "notes.example");
}

/// Each setting has a row in the guide, and a place in the list on the builder's page.
#[test]
fn the_guide_has_every_setting() {
    let sources = [
        include_str!("../builder.rs"),
        include_str!("appearance.rs"),
        include_str!("implied.rs"),
        include_str!("lifetimes.rs"),
        include_str!("operation.rs"),
        include_str!("proofs.rs"),
        include_str!("requests.rs"),
        include_str!("secrets.rs"),
        include_str!("told.rs"),
        include_str!("typing.rs"),
        include_str!("unlisted.rs"),
        include_str!("users.rs"),
    ];
    let (list, _) = sources[0].split_once("/// # Refresh tokens and sessions").expect("the list");
    let methods: Vec<&str> = sources
        .iter()
        .flat_map(|source| source.split("\n}"))
        .filter_map(|part| part.split_once("\nimpl<S> Builder<S> {"))
        .flat_map(|(_, block)| block.split("\n    pub fn ").skip(1))
        .filter_map(|method| method.split(['(', '<']).next())
        .collect();
    assert!(methods.len() > 70, "{methods:?}");
    for method in methods {
        assert!(GUIDE.contains(&format!("`{method}(")), "the guide has no `{method}`");
        assert!(list.contains(&format!("`{method}`")), "the list has no `{method}`");
    }
}

#[test]
fn the_defaults_are_those_of_the_guide() {
    let Settings {
        patience,
        authenticate_timeout,
        refresh_token_grace,
        access_token_lifetime,
        code_lifetime,
        token_cache,
        ..
    } = Builder::new().settings;
    let Lifetimes { idle: session_idle, absolute: session_lifetime } = Lifetimes::OF_SESSIONS;
    let Lifetimes { idle: refresh_token_idle, absolute: refresh_token_lifetime } = Lifetimes::OF_REFRESH_TOKENS;
    let days = |days: u64| Duration::from_secs(days * DAY);
    for (row, default, written) in [
        ("refresh_token_idle(Duration)", refresh_token_idle, ("14 days", days(14))),
        ("refresh_token_lifetime(Duration)", refresh_token_lifetime, ("90 days", days(90))),
        ("refresh_token_grace(Duration)", refresh_token_grace, ("10 s", Duration::from_secs(10))),
        ("session_idle(Duration)", session_idle, ("a day", days(1))),
        ("session_lifetime(Duration)", session_lifetime, ("14 days", days(14))),
        ("authenticate_timeout(Duration)", authenticate_timeout, ("10 s", Duration::from_secs(10))),
        ("access_token_lifetime(Duration)", access_token_lifetime, ("3600 s", Duration::from_secs(3600))),
        ("code_lifetime(Duration)", code_lifetime, ("60 s", Duration::from_secs(60))),
        ("revocation_lag(Duration)", patience.revocation_lag, ("2 s", Duration::from_secs(2))),
        ("outage_tolerance(Duration)", patience.outage_tolerance, ("30 s", Duration::from_secs(30))),
        ("store_deadline(Duration)", patience.deadline, ("5 s", Duration::from_secs(5))),
    ] {
        let (text, value) = written;
        assert!(default == value && GUIDE.contains(&format!("| `{row}` | {text} |")), "{row} is {default:?}");
    }
    assert!(token_cache == 16 << 20 && GUIDE.contains("| `token_cache(bytes)` | 16 MiB |"), "{token_cache}");
}

const GUIDE: &str = include_str!("../../docs/configuration.md");

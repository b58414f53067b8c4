//! What was ended stays refused for as long as anything of it can be presented, whatever the lifetimes are set to when it
//! is issued, ended and presented (c42).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::header;
use actix_web::rt::System;
use actix_web::{App, test as wire};
use oauth_runtime::testing::{self, FaultyStore, Verb};
use oauth_runtime::{Client, Clock, Login, OAuthService};
use oauth_tests::{CHALLENGE, REDIRECT, SECRET, VERIFIER, changed, handlers, watched};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The parts of a configuration on which it depends how long something is good.
#[derive(Clone, Copy, Debug)]
struct Lifetimes {
    sessions: Option<(u64, u64)>,
    refresh: Option<(u64, u64)>,
    access: u64,
    code: u64,
}

/// Nothing is ever ended by these.
const LONG: Lifetimes =
    Lifetimes { sessions: Some((400 * DAY, 400 * DAY)), refresh: Some((400 * DAY, 400 * DAY)), access: DAY, code: 600 };
const DAY: u64 = 24 * 3600;

/// One user with a browser and a client; the store and the clock outlive every configuration.
struct World {
    clock: Clock,
    store: FaultyStore,
    /// By name.
    cookies: BTreeMap<String, String>,
    code: String,
    access: String,
    refresh: Option<String>,
    used_refresh: Option<String>,
    redeemed: String,
}

/// How something is ended.
#[derive(Clone, Copy, Debug)]
enum Ending {
    SignOut,
    Logout,
    RevokeRefreshToken,
    RevokeAccessToken,
    CodeReplay,
    RefreshTokenReuse,
}

impl World {
    async fn new(lifetimes: Lifetimes) -> World {
        let clock = Clock::by_hand();
        let store = watched(clock.clone());
        clock.advance(Duration::from_secs(2));
        let empty = String::new;
        let mut world = World {
            clock,
            store,
            cookies: BTreeMap::new(),
            code: empty(),
            access: empty(),
            refresh: None,
            used_refresh: None,
            redeemed: empty(),
        };
        world.code = world.signed_in_code(lifetimes).await;
        world.redeemed = world.signed_in_code(lifetimes).await;
        let redeem = world.token_form("authorization_code", &[("code", &world.redeemed), ("code_verifier", VERIFIER)]);
        let (status, issued) = world.post(lifetimes, "/token", redeem).await;
        assert_eq!(status, 200, "{issued}");
        world.access = issued["access_token"].as_str().unwrap().to_owned();
        world.used_refresh = issued["refresh_token"].as_str().map(str::to_owned);
        if let Some(first) = &world.used_refresh {
            let refresh = world.token_form("refresh_token", &[("refresh_token", first)]);
            let (status, issued) = world.post(lifetimes, "/token", refresh).await;
            assert_eq!(status, 200, "{issued}");
            world.refresh = issued["refresh_token"].as_str().map(str::to_owned);
        }
        world
    }

    fn service(&self, lifetimes: Lifetimes) -> OAuthService {
        let seconds = Duration::from_secs;
        let mut builder = OAuthService::builder()
            .untyped_claims()
            .issuer("http://127.0.0.1:1")
            .secret(SECRET)
            .client(Client::public("demo").redirect_uri(REDIRECT))
            .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
            .reload(async |subject: &str| Some(json!({ "sub": subject })))
            .store(self.store.clone())
            .clock(self.clock.clone())
            .sessions(lifetimes.sessions.is_some())
            .refresh_tokens(lifetimes.refresh.is_some())
            .access_token_lifetime(seconds(lifetimes.access))
            .code_lifetime(seconds(lifetimes.code));
        if let Some((idle, absolute)) = lifetimes.sessions {
            builder = builder.session_idle(seconds(idle)).session_lifetime(seconds(absolute));
        }
        if let Some((idle, absolute)) = lifetimes.refresh {
            builder = builder.refresh_token_idle(seconds(idle)).refresh_token_lifetime(seconds(absolute));
        }
        builder.build().unwrap()
    }

    /// Sends a request to a service of this configuration; status, `Location` and body.
    async fn send(&mut self, lifetimes: Lifetimes, request: wire::TestRequest) -> (u16, String, String) {
        let oauth = self.service(lifetimes);
        let app = wire::init_service(App::new().configure(oauth.routes()).configure(handlers)).await;
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let request = request.insert_header((header::COOKIE, cookies)).insert_header(("sec-fetch-site", "same-origin"));
        let response = wire::call_service(&app, request.to_request()).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = response.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = String::from_utf8(wire::read_body(response).await.to_vec()).unwrap();
        (status, location.unwrap_or_default(), body)
    }

    async fn post(&mut self, lifetimes: Lifetimes, path: &str, form: String) -> (u16, Value) {
        let request = wire::TestRequest::post()
            .uri(path)
            .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(form);
        let (status, _, body) = self.send(lifetimes, request).await;
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    fn token_form(&self, grant_type: &str, more: &[(&str, &str)]) -> String {
        changed(&[&[("grant_type", grant_type), ("client_id", "demo"), ("redirect_uri", REDIRECT)], more].concat(), &[])
    }

    fn authorize(more: &[(&str, &str)]) -> wire::TestRequest {
        let usual = [
            ("response_type", "code"),
            ("client_id", "demo"),
            ("redirect_uri", REDIRECT),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        wire::TestRequest::get().uri(&format!("/authorize?{}", changed(&[&usual, more].concat(), &[])))
    }

    async fn signed_in_code(&mut self, lifetimes: Lifetimes) -> String {
        let (_, _, page) = self.send(lifetimes, World::authorize(&[("prompt", "login")])).await;
        let form = [("request", hidden(&page)), ("username", "ada".into()), ("password", "x".into())];
        let request = wire::TestRequest::post().uri("/login").set_form(form);
        let (status, location, body) = self.send(lifetimes, request).await;
        assert_eq!(status, 303, "{body}");
        url::Url::parse(&location).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    }

    async fn end(&mut self, how: Ending, lifetimes: Lifetimes) {
        match how {
            Ending::SignOut => self.service(lifetimes).sign_out("ada").await.unwrap(),
            Ending::Logout => {
                // Without sessions there is nothing to sign out of.
                let (status, _, page) = self.send(lifetimes, wire::TestRequest::get().uri("/logout")).await;
                if status == 200 && page.contains("name=\"request\"") {
                    let kept = self.cookies.clone();
                    let request = wire::TestRequest::post()
                        .uri("/logout")
                        .set_form([("request", hidden(&page)), ("decision", "sign_out".into())]);
                    assert_eq!(self.send(lifetimes, request).await.0, 200);
                    // A thief has a copy.
                    self.cookies = kept;
                }
            }
            Ending::RevokeRefreshToken => {
                let token = self.refresh.clone().unwrap_or_default();
                self.revoke(lifetimes, &token).await;
            }
            Ending::RevokeAccessToken => {
                let token = self.access.clone();
                self.revoke(lifetimes, &token).await;
            }
            Ending::CodeReplay => {
                let form =
                    self.token_form("authorization_code", &[("code", &self.redeemed), ("code_verifier", VERIFIER)]);
                assert_eq!(self.post(lifetimes, "/token", form).await.0, 400);
            }
            Ending::RefreshTokenReuse => {
                self.clock.advance(Duration::from_secs(11));
                let used = self.used_refresh.clone().unwrap_or_default();
                let form = self.token_form("refresh_token", &[("refresh_token", &used)]);
                assert_eq!(self.post(lifetimes, "/token", form).await.0, 400);
            }
        }
    }

    async fn revoke(&mut self, lifetimes: Lifetimes, token: &str) {
        let form = changed(&[("client_id", "demo"), ("token", token)], &[]);
        self.post(lifetimes, "/revoke", form).await;
    }

    async fn takes_access_token(&mut self, lifetimes: Lifetimes) -> bool {
        let authorization = (header::AUTHORIZATION, format!("Bearer {}", self.access));
        let request = wire::TestRequest::get().uri("/me").insert_header(authorization);
        self.send(lifetimes, request).await.0 == 200
    }

    async fn takes_refresh_token(&mut self, lifetimes: Lifetimes) -> bool {
        let Some(token) = self.refresh.clone() else { return false };
        let form = self.token_form("refresh_token", &[("refresh_token", &token)]);
        self.post(lifetimes, "/token", form).await.0 == 200
    }

    async fn takes_code(&mut self, lifetimes: Lifetimes) -> bool {
        let form = self.token_form("authorization_code", &[("code", &self.code), ("code_verifier", VERIFIER)]);
        self.post(lifetimes, "/token", form).await.0 == 200
    }

    async fn takes_session(&mut self, lifetimes: Lifetimes) -> bool {
        let kept = self.cookies.clone();
        let (_, location, _) = self.send(lifetimes, World::authorize(&[("prompt", "none"), ("scope", "")])).await;
        self.cookies = kept;
        // A command line is not let in by a session without being asked: that it would be asked is as good as a code.
        location.contains("code=") || location.contains("consent_required")
    }

    /// What of the ended is accepted, if anything is.
    async fn revived(&mut self, how: Ending, lifetimes: Lifetimes) -> Option<&'static str> {
        if self.takes_access_token(lifetimes).await {
            return Some("access token");
        }
        if self.takes_refresh_token(lifetimes).await {
            return Some("refresh token");
        }
        let ends_all = matches!(how, Ending::SignOut | Ending::Logout);
        if ends_all && self.takes_code(lifetimes).await {
            return Some("code");
        }
        if ends_all && self.takes_session(lifetimes).await {
            return Some("session");
        }
        None
    }
}

fn hidden(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"request\" value=\"").unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap().to_owned()
}

fn lifetimes() -> impl Strategy<Value = Lifetimes> {
    let length = || prop::sample::select(vec![60, 3600, DAY, 7 * DAY, 30 * DAY, 200 * DAY, 400 * DAY]);
    let in_order = |(idle, absolute): (u64, u64)| (idle.min(absolute), absolute);
    let both = || prop::option::weighted(0.8, (length(), length()).prop_map(in_order));
    let access = prop::sample::select(vec![60, 3600, DAY]);
    let code = prop::sample::select(vec![60, 600]);
    (both(), both(), access, code).prop_map(|(sessions, refresh, access, code)| Lifetimes {
        sessions,
        refresh,
        // The builder refuses what outlives refresh tokens.
        access: refresh.map_or(access, |(idle, _)| access.min(idle)),
        code: refresh.map_or(code, |(_, absolute)| code.min(absolute)),
    })
}

fn ending() -> impl Strategy<Value = Ending> {
    prop::sample::select(vec![
        Ending::SignOut,
        Ending::Logout,
        Ending::RevokeRefreshToken,
        Ending::RevokeAccessToken,
        Ending::CodeReplay,
        Ending::RefreshTokenReuse,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn c42_what_was_ended_is_never_accepted_again(
        issuing in lifetimes(),
        between in prop::sample::select(vec![0, 30, 1800, DAY / 2]),
        how in ending(),
        ending in lifetimes(),
        presenting in prop::collection::vec(
            (prop::sample::select(vec![0, 59, 3600, DAY, 3 * DAY, 20 * DAY, 100 * DAY]), lifetimes()), 1..5,
        ),
    ) {
        let revived = System::new().block_on(async {
            let mut world = World::new(issuing).await;
            world.clock.advance(Duration::from_secs(between));
            let had_session = issuing.sessions.is_some() && ending.sessions.is_some() && world.takes_session(ending).await;
            let before = world.store.calls(&[Verb::Swap]);
            world.end(how, ending).await;
            // What had expired by then, or is not there in this configuration, could not be ended.
            let ended = world.store.calls(&[Verb::Swap]) > before && (had_session || !matches!(how, Ending::Logout));
            if !ended {
                return None;
            }
            for (later, lifetimes) in presenting {
                world.clock.advance(Duration::from_secs(later));
                for lifetimes in [lifetimes, LONG] {
                    if let Some(what) = world.revived(how, lifetimes).await {
                        return Some((what, later, lifetimes));
                    }
                }
            }
            None
        });
        prop_assert_eq!(revived.map(|(what, ..)| what), None, "{:?}", revived);
    }
}

/// The control: without an ending each of them is accepted, so that a refusal above means something.
#[test]
fn c42_nothing_is_refused_that_was_not_ended() {
    System::new().block_on(async {
        let mut world = World::new(LONG).await;
        assert!(world.takes_session(LONG).await);
        assert!(world.takes_access_token(LONG).await);
        assert!(world.takes_code(LONG).await);
        assert!(world.takes_refresh_token(LONG).await);
        let mut world = World::new(LONG).await;
        world.clock.advance(Duration::from_secs(390 * DAY));
        assert!(world.takes_session(LONG).await);
        assert!(world.takes_refresh_token(LONG).await);
    });
}

/// A sign-out was remembered for a day where no refresh tokens are issued, and a session may live for longer.
#[test]
fn c42_a_stolen_cookie_does_not_sign_in_once_the_sign_out_would_be_forgotten() {
    System::new().block_on(async {
        let configured = Lifetimes { sessions: Some((7 * DAY, 14 * DAY)), refresh: None, access: 3600, code: 60 };
        let mut world = World::new(configured).await;
        assert!(world.takes_session(configured).await);
        world.service(configured).sign_out("ada").await.unwrap();
        for days in 1..7 {
            world.clock.advance(Duration::from_secs(DAY));
            assert!(!world.takes_session(configured).await, "after {days} days");
        }
    });
}

/// What counts is what the store had seen when a token was made, whatever times it says.
#[test]
fn c42_a_token_from_before_a_sign_out_is_refused_whatever_the_clocks_said() {
    System::new().block_on(async {
        let mut world = World::new(LONG).await;
        let service = world.service(LONG);
        let ahead = world.clock.now().seconds() + 30;
        let of = |at: u64| {
            testing::token(&service, &json!({})).subject("ada").claim("auth_time", at).claim("iat", at).mint()
        };
        let before = [of(ahead), of(ahead - 60)];
        service.sign_out("ada").await.unwrap();
        let after = [of(ahead), of(ahead - 60)];
        for (tokens, accepted) in [(before, false), (after, true)] {
            for token in tokens {
                world.access = token;
                assert_eq!(world.takes_access_token(LONG).await, accepted);
            }
        }
    });
}

/// What a session gave may live for longer than the session itself: its end is remembered for as long.
#[test]
fn c42_the_end_of_a_session_is_remembered_for_as_long_as_its_refresh_tokens_live() {
    System::new().block_on(async {
        let configured =
            Lifetimes { sessions: Some((DAY, DAY)), refresh: Some((90 * DAY, 90 * DAY)), access: 3600, code: 60 };
        let mut world = World::new(configured).await;
        world.end(Ending::Logout, configured).await;
        for days in 1..89 {
            world.clock.advance(Duration::from_secs(DAY));
            assert!(!world.takes_refresh_token(configured).await, "after {days} days");
        }
    });
}

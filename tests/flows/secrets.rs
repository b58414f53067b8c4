//! The secret of a service, and how it is changed while the service runs.

use std::time::Duration;

use oauth_runtime::{Builder, Clock};
use oauth_tests::{Browser, Server, start, watched};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const OLD: &str = oauth_tests::SECRET;
const NEW: &str = oauth_tests::NEW_SECRET;

/// All processes have this issuer, though they listen elsewhere.
const NAME: &str = "http://127.0.0.1:9";
const DAY: u64 = 24 * 3600;

/// What runs before the change, and the three deployments of it.
const DEPLOYMENTS: [fn(Builder) -> Builder; 4] = [
    |builder| builder.secret(OLD),
    |builder| builder.secret(OLD).next_secret(NEW),
    |builder| builder.secret(NEW).previous_secret(OLD),
    |builder| builder.secret(NEW),
];

/// Which of them run at the same time, one after another.
const STAGES: [[usize; 2]; 7] = [[0, 0], [0, 1], [1, 1], [1, 2], [2, 2], [2, 3], [3, 3]];

fn process(deployment: fn(Builder) -> Builder, clock: &Clock, store: &oauth_runtime::testing::FaultyStore) -> Server {
    let long = Duration::from_secs(400 * DAY);
    start(|builder| {
        deployment(builder)
            .issuer(NAME)
            .clock(clock.clone())
            .store(store.clone())
            .scope("openid", "Know who you are")
            .access_token_lifetime(Duration::from_secs(DAY))
            .reload(async |_: &str| Some(json!({ "role": "admin" })))
            .session_idle(long)
            .session_lifetime(long)
            .refresh_token_idle(long)
            .refresh_token_lifetime(long)
    })
}

/// Which process each request of a stage goes to, how many seconds pass before it, and how many before the stage.
#[derive(Clone, Debug)]
struct Stage {
    hops: Vec<(bool, u64)>,
    pause: Pause,
}

#[derive(Clone, Debug)]
enum Pause {
    Seconds(u64),
    /// Until this long before the keys of the next 30 days sign.
    UntilBefore(u64),
}

fn stages() -> impl Strategy<Value = Vec<Stage>> {
    let pause = prop_oneof![(0..29 * DAY).prop_map(Pause::Seconds), (0..100_u64).prop_map(Pause::UntilBefore)];
    let stage = (vec((any::<bool>(), 0..20_u64), 16), pause).prop_map(|(hops, pause)| Stage { hops, pause });
    vec(stage, STAGES.len())
}

/// One user's browser and client, whose requests go to any of the processes.
struct Visitor<'a> {
    browser: Browser,
    clock: &'a Clock,
    processes: &'a [Server; 4],
    running: [usize; 2],
    hops: std::vec::IntoIter<(bool, u64)>,
    /// Of the stage before: an access token and when it was issued, a refresh token, and an ID token.
    holds: Option<(String, u64, String, String)>,
}

const OTHER: [(&str, Option<&str>); 3] = [
    ("client_id", Some("other")),
    ("redirect_uri", Some("https://other.example/cb")),
    ("scope", Some("openid notes:read")),
];

impl Visitor<'_> {
    /// For the next request, after some time.
    fn hop(&mut self) -> Browser {
        let (which, seconds) = self.hops.next().expect("as many as there are requests");
        self.clock.advance(Duration::from_secs(seconds));
        self.at(usize::from(which))
    }

    fn at(&self, which: usize) -> Browser {
        Browser { http: self.browser.http.clone(), base: self.processes[self.running[which]].base.clone() }
    }

    /// Each process accepts the token, and publishes the key that it was signed with.
    async fn is_accepted(&self, access_token: &str) {
        for which in 0..2 {
            let browser = self.at(which);
            let answer = browser.call("/me", Some(access_token)).await;
            assert_eq!(answer.status, 200, "{:?} {which} {answer:?}", self.running);
            self.is_published(&browser, access_token).await;
        }
    }

    async fn is_published(&self, browser: &Browser, token: &str) {
        let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let published = browser.call("/.well-known/jwks.json", None).await.json();
        let is_there = published["keys"].as_array().unwrap().iter().any(|key| key["kid"] == kid);
        assert!(is_there, "{:?} {kid} {published}", self.running);
    }

    async fn visit(&mut self) {
        let held = self.holds.take();
        let code = match &held {
            // A new browser: the page, the form and the session.
            None => {
                let form = self.hop().authorize(&OTHER).await.form();
                self.hop().login(&form, "admin", "admin123").await.redirect()
            }
            // One that is signed in, and shows by an ID token as whom.
            Some((access, issued_at, refresh, id_token)) => {
                if self.clock.now().seconds() < issued_at + DAY {
                    self.is_accepted(access).await;
                }
                let answer = self.hop().refresh(refresh, &OTHER[..1]).await;
                assert_eq!(answer.status, 200, "{:?} {answer:?}", self.running);
                self.is_accepted(answer.json()["access_token"].as_str().unwrap()).await;
                let more = [("prompt", Some("none")), ("id_token_hint", Some(id_token.as_str()))];
                self.hop().authorize(&[&OTHER[..], &more].concat()).await.redirect()
            }
        };
        assert!(code.contains_key("code"), "{:?} {code:?}", self.running);
        let answer = self.hop().redeem(&code["code"], &OTHER[..2]).await;
        assert_eq!(answer.status, 200, "{:?} {answer:?}", self.running);
        let issued = answer.json();
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        let (access, id_token, at) = (text("access_token"), text("id_token"), self.clock.now().seconds());
        self.is_accepted(&access).await;
        for which in 0..2 {
            self.is_published(&self.at(which), &id_token).await;
        }
        assert_eq!(self.hop().call("/userinfo", Some(&access)).await.json()["sub"], "admin");
        let refreshed = self.hop().refresh(&text("refresh_token"), &OTHER[..1]).await;
        assert_eq!(refreshed.status, 200, "{:?} {refreshed:?}", self.running);
        let refresh = refreshed.json()["refresh_token"].as_str().unwrap().to_owned();
        self.holds = Some((access, at, refresh, id_token));
    }
}

/// Until the stage begins. Before the last deployment all that was made under the old secret is renewed or has expired.
fn wait(clock: &Clock, pause: &Pause, running: [usize; 2]) {
    let seconds = match pause {
        Pause::Seconds(seconds) => *seconds,
        Pause::UntilBefore(seconds) => {
            let period = 30 * DAY;
            (period - (clock.now().seconds() + seconds) % period).min(29 * DAY)
        }
    };
    clock.advance(Duration::from_secs(if running == [2, 3] { seconds.max(DAY) } else { seconds }));
}

/// `docs/secrets.md`: whatever process a request goes to, before, during and after each of the three deployments.
#[test]
fn c15_three_deployments_change_the_secret_without_a_failed_call() {
    let clock = Clock::by_hand();
    let store = watched(clock.clone());
    let processes = DEPLOYMENTS.map(|deployment| process(deployment, &clock, &store));
    let runtime = Runtime::new().unwrap();
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(stages in stages())| {
        let browser = Browser::new(&processes[0]);
        let none = Vec::new().into_iter();
        let mut visitor =
            Visitor { browser, clock: &clock, processes: &processes, running: [0, 0], hops: none, holds: None };
        for (stage, running) in stages.into_iter().zip(STAGES) {
            wait(&clock, &stage.pause, running);
            (visitor.running, visitor.hops) = (running, stage.hops.into_iter());
            runtime.block_on(visitor.visit());
        }
    });
}

/// Why it takes three: with fewer, the processes that are not restarted yet do not know the new secret.
#[tokio::test]
async fn c15_without_the_next_secret_the_others_refuse_what_the_new_one_issues() {
    let clock = Clock::by_hand();
    let store = watched(clock.clone());
    let [before, _, after, last] = DEPLOYMENTS.map(|deployment| process(deployment, &clock, &store));
    let [before, after, last] = [&before, &after, &last].map(Browser::new);
    let (old, new) = (before.token().await, after.token().await);
    let statuses = async |browser: &Browser| {
        [browser.call("/me", Some(&old)).await.status, browser.call("/me", Some(&new)).await.status]
    };
    assert_eq!(statuses(&before).await, [200, 401]);
    assert_eq!(statuses(&after).await, [200, 200]);
    // A secret that leaked is replaced at once: all that was made under it ends.
    assert_eq!(statuses(&last).await, [401, 200]);
    let keys = async |browser: &Browser| -> Vec<Value> {
        browser.call("/.well-known/jwks.json", None).await.json()["keys"].as_array().unwrap().clone()
    };
    let (old, new) = (keys(&before).await, keys(&last).await);
    assert!((old.len(), new.len()) == (3, 3) && !old.iter().any(|key| new.contains(key)));
    assert_eq!(keys(&after).await, [new, old].concat(), "the key that signs first");
}

//! Two or three requests at once, in every order of their steps, or in some where there are thousands: at most one succeeds, and
//! what was ended stays so.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauth_runtime::{Client, Holder, OAuthService, Secret};
use oauth_tests::Answer;
use oauth_tests::proofs::ProofKey;
use oauth_tests::turns::{Asked, Orders, Turns};
use parking_lot::Mutex;
use serde_json::json;

use crate::site::{Coded as _, ISSUER, PARTNER, Person, Site, Tokens, here};

/// Runs what someone new asks for, in these orders: the result must be right in each.
async fn in_each<S>(
    orders: Orders,
    (site, name): (&Site, &str),
    ask: impl AsyncFnMut(&Person) -> (S, Vec<Asked<Answer>>),
    is_right: impl AsyncFnMut(&Person, S, &[Answer]) -> bool,
) {
    if let Some(wrong) = first_wrong(orders, (site, name), ask, is_right).await {
        panic!("{wrong}");
    }
}

async fn first_wrong<S>(
    mut orders: Orders,
    (site, name): (&Site, &str),
    mut ask: impl AsyncFnMut(&Person) -> (S, Vec<Asked<Answer>>),
    mut is_right: impl AsyncFnMut(&Person, S, &[Answer]) -> bool,
) -> Option<String> {
    while orders.has_next() {
        let person = site.person(name);
        let (known, asked) = ask(&person).await;
        let answers = orders.run(&site.turns, asked).await;
        if !is_right(&person, known, &answers).await {
            return Some(format!("in the order {}: {answers:?}", orders.shown()));
        }
    }
    None
}

fn good(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

async fn have_ended(person: &Person, client: &str, answers: &[Answer]) -> bool {
    for answer in answers.iter().filter(|answer| answer.status == 200) {
        if !person.has_ended(client, &Tokens::of(answer)).await {
            return false;
        }
    }
    true
}

/// Asks the same twice.
fn twice(ask: impl Fn() -> Asked<Answer>) -> Vec<Asked<Answer>> {
    vec![ask(), ask()]
}

async fn code_twice(site: &Site) -> Option<String> {
    let ask = async |ada: &Person| {
        let code = ada.code().await;
        ((), twice(|| ada.redeems(&code, &[])))
    };
    let is_right =
        async |ada: &Person, (), answers: &[Answer]| good(answers) == 1 && have_ended(ada, "demo", answers).await;
    first_wrong(Orders::all(), (site, "ada"), ask, is_right).await
}

#[test]
fn c11_a_code_that_comes_twice_at_once_gives_one_grant_which_ends() {
    here(async {
        assert_eq!(code_twice(&Site::new().await).await, None);
        let broken = Site::with(Turns::split, |builder| builder).await;
        assert!(code_twice(&broken).await.is_some(), "a store whose swap is two steps is found");
    });
}

#[test]
fn c42_what_is_ended_while_its_code_is_redeemed_has_ended() {
    here(async {
        let site = Site::new().await;
        let is_right = async |ada: &Person, (), answers: &[Answer]| have_ended(ada, "demo", &answers[..1]).await;
        let ask = async |ada: &Person| {
            let code = ada.code().await;
            ((), vec![ada.redeems(&code, &[]), site.signs_out(ada)])
        };
        in_each(Orders::all(), (&site, "ada"), ask, is_right).await;
        let ask = async |ada: &Person| {
            let code = ada.code().await;
            let form = ada.get("/logout").await.form();
            let leaves = ada.post("/logout", &[("request", &form), ("decision", "sign_out")]);
            ((), vec![ada.redeems(&code, &[]), leaves])
        };
        in_each(Orders::all(), (&site, "ada"), ask, is_right).await;
    });
}

#[test]
fn c23_what_is_revoked_while_it_is_refreshed_has_ended() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let tokens = ada.tokens().await;
            let asked = vec![ada.refreshes("demo", &tokens), ada.revokes(&tokens), ada.refreshes("demo", &tokens)];
            (tokens, asked)
        };
        let is_right = async |ada: &Person, tokens: Tokens, answers: &[Answer]| {
            let [one, revoked, other] = answers else { panic!("three") };
            let gave = [one, other].into_iter().filter(|answer| answer.status == 200).map(Tokens::of);
            for tokens in gave.chain([tokens]) {
                if !ada.has_ended("demo", &tokens).await {
                    return false;
                }
            }
            revoked.status == 200
        };
        in_each(Orders::at_random(60), (&site, "ada"), ask, is_right).await;
    });
}

#[test]
fn c23_a_refresh_token_that_comes_twice_at_once_moves_its_family_by_one() {
    here(async {
        let ask = async |ada: &Person| {
            let tokens = ada.tokens().await;
            ((), twice(|| ada.refreshes("demo", &tokens)))
        };
        let site = Site::new().await;
        let is_right = async |ada: &Person, (), answers: &[Answer]| {
            let mut are_equals = good(answers) == 2;
            for answer in answers {
                are_equals &= ada.refreshes("demo", &Tokens::of(answer)).await.status == 200;
            }
            are_equals
        };
        in_each(Orders::at_random(40), (&site, "ada"), ask, is_right).await;

        let without = Site::with(Turns::new, |builder| builder.refresh_token_grace(Duration::ZERO)).await;
        let is_right =
            async |ada: &Person, (), answers: &[Answer]| good(answers) == 1 && have_ended(ada, "demo", answers).await;
        in_each(Orders::at_random(40), (&without, "ada"), ask, is_right).await;
    });
}

/// The author removes the user between two refreshes.
#[test]
fn c23_a_user_who_is_gone_for_one_refresh_is_gone_for_the_other() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let tokens = ada.tokens().await;
            let (removes, refreshes) = (site.removes(ada), ada.refreshes("demo", &tokens));
            let then: Asked<Answer> = Box::pin(async move {
                removes();
                refreshes.await
            });
            ((), vec![ada.refreshes("demo", &tokens), then])
        };
        let is_right = async |ada: &Person, (), answers: &[Answer]| {
            answers[1].status == 400 && have_ended(ada, "demo", answers).await
        };
        in_each(Orders::at_random(60), (&site, "ada"), ask, is_right).await;
    });
}

#[test]
fn c42_a_guard_that_is_asking_meanwhile_keeps_nothing_of_what_ended() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let tokens = ada.tokens().await;
            // So that guards ask again.
            site.clock.advance(Duration::from_secs(3));
            let asked = vec![ada.calls(&tokens.access), site.signs_out(ada), ada.calls(&tokens.access)];
            (tokens, asked)
        };
        let is_right = async |ada: &Person, tokens: Tokens, _: &[Answer]| ada.calls(&tokens.access).await.status == 401;
        in_each(Orders::at_random(60), (&site, "ada"), ask, is_right).await;
    });
}

#[test]
fn c41_a_sign_in_form_that_is_sent_twice_at_once_is_one_sign_in() {
    here(async {
        let site = Site::new().await;
        let is_right = async |ada: &Person, (), answers: &[Answer]| {
            let [one, other] = [0, 1].map(|number| answers[number].code().unwrap());
            let redeemed = ada.redeems(&one, &[]).await.status == 200 && ada.redeems(&other, &[]).await.status == 400;
            redeemed && site.oauth.grants(&ada.name).await.unwrap().len() == 1
        };
        let ask = async |ada: &Person| {
            let form = ada.authorize(&[]).await.form();
            ((), twice(|| ada.login(&form, "right")))
        };
        in_each(Orders::at_random(40), (&site, "ada"), ask, is_right).await;
        // A code is right only once.
        let ask = async |ada: &Person| {
            let form = ada.signs_in(&[]).await.form();
            ((), twice(|| ada.answers(&form, "right")))
        };
        in_each(Orders::at_random(40), (&site, "two"), ask, is_right).await;
    });
}

#[test]
fn c42_a_sign_in_that_is_under_way_ends_with_a_sign_out() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let form = ada.authorize(&[]).await.form();
            ((), vec![ada.login(&form, "right"), site.signs_out(ada)])
        };
        let is_right = async |ada: &Person, (), answers: &[Answer]| {
            let is_refused = match answers[0].code() {
                Some(code) => ada.redeems(&code, &[]).await.status == 400,
                None => true,
            };
            is_refused && site.oauth.grants(&ada.name).await.unwrap().is_empty()
        };
        in_each(Orders::at_random(60), (&site, "ada"), ask, is_right).await;
    });
}

#[test]
fn c40_who_allows_and_denies_at_once_has_denied() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let form = ada.signs_in(&PARTNER).await.form();
            ((), ["allow", "deny"].map(|decision| ada.decides(&form, decision)).into())
        };
        let is_right = async |ada: &Person, (), answers: &[Answer]| {
            let is_dead = match answers[0].code() {
                Some(code) => ada.redeems(&code, &PARTNER).await.status == 400,
                None => answers[0].status == 400,
            };
            let kept = site.oauth.grants(&ada.name).await.unwrap();
            is_dead
                && answers[1].redirect()["error"] == "access_denied"
                && kept.iter().all(|grant| grant.holder == Holder::Session)
        };
        in_each(Orders::all(), (&site, "ada"), ask, is_right).await;
    });
}

#[test]
fn c53_a_device_gets_nothing_that_its_user_denies_and_nothing_twice() {
    here(async {
        let site = Site::new().await;
        let waits = async |ada: &Person| {
            let device = ada.post("/device_authorization", &[("client_id", "tv")]).await.json();
            let [code, shown] = ["device_code", "user_code"].map(|name| device[name].as_str().unwrap().to_owned());
            let form = ada.get("/device").await.form();
            let page = ada.post("/device", &[("request", &form), ("user_code", &shown)]).await;
            let form = ada.login(&page.form(), "right").await.form();
            site.clock.advance(Duration::from_secs(6));
            (code, form)
        };
        let ask = async |ada: &Person| {
            let (code, form) = waits(ada).await;
            let asked = vec![ada.decides(&form, "allow"), ada.decides(&form, "deny"), ada.polls(&code)];
            (code, asked)
        };
        let is_right = async |ada: &Person, code: String, answers: &[Answer]| {
            let late = ada.polls(&code).await;
            answers[1].status == 200
                && have_ended(ada, "tv", &answers[2..]).await
                && have_ended(ada, "tv", &[late]).await
        };
        in_each(Orders::at_random(60), (&site, "ada"), ask, is_right).await;
        let ask = async |ada: &Person| {
            let (code, form) = waits(ada).await;
            assert_eq!(ada.decides(&form, "allow").await.status, 200);
            ((), twice(|| ada.polls(&code)))
        };
        let is_right =
            async |ada: &Person, (), answers: &[Answer]| good(answers) == 1 && have_ended(ada, "tv", answers).await;
        in_each(Orders::at_random(40), (&site, "ada"), ask, is_right).await;
    });
}

#[test]
fn a_pushed_request_leads_two_people_at_once_to_one_code() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let (url, bob) = (ada.pushes().await, site.person("bob"));
            let (first, second) = (ada.get(&url).await.form(), bob.get(&url).await.form());
            ((), vec![ada.login(&first, "right"), bob.login(&second, "right")])
        };
        let is_right = async |_: &Person, (), answers: &[Answer]| {
            answers.iter().filter(|answer| answer.code().is_some()).count() == 1
        };
        in_each(Orders::at_random(40), (&site, "ada"), ask, is_right).await;
    });
}

#[test]
fn c17_c52_what_a_client_signs_is_accepted_once_of_two_at_once() {
    here(async {
        let key = ProofKey::new();
        let mut public = key.public();
        public["alg"] = json!("ES256");
        let signer = Client::confidential("signer").jwks(json!({ "keys": [public] }));
        let site = Site::with(Turns::new, |builder| builder.client(signer)).await;
        let now = || site.clock.now().seconds();
        let is_right = async |_: &Person, (), answers: &[Answer]| good(answers) == 1;

        let ask = async |job: &Person| {
            let assertion = key.for_request("POST", "").header("typ", json!("jwt")).header("jwk", json!(null));
            let claims = [("iss", json!("signer")), ("sub", json!("signer")), ("aud", json!(ISSUER))];
            let claims = claims.into_iter().chain([("iat", json!(now())), ("exp", json!(now() + 60))]);
            let assertion = claims.fold(assertion, |assertion, (name, value)| assertion.claim(name, value)).sign();
            let of_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            let form = [("client_assertion_type", of_type), ("client_assertion", &*assertion)];
            let form = [&[("grant_type", "client_credentials")], &form[..]].concat();
            ((), twice(|| job.post("/token", &form)))
        };
        in_each(Orders::at_random(40), (&site, "job"), ask, is_right).await;

        let proof = |method, path| key.for_request(method, &format!("{ISSUER}{path}")).claim("iat", json!(now()));
        let ask = async |ada: &Person| {
            let (bob, proof) = (site.person("bob"), proof("POST", "/token").sign());
            let codes = [(ada, ada.code().await), (&bob, bob.code().await)];
            ((), codes.map(|(who, code)| who.redeems_with(&code, &[], &[("dpop", &*proof)])).into())
        };
        in_each(Orders::at_random(40), (&site, "ada"), ask, is_right).await;

        let ask = async |ada: &Person| {
            let (code, bound) = (ada.code().await, proof("POST", "/token").sign());
            let tokens = Tokens::of(&ada.redeems_with(&code, &[], &[("dpop", &*bound)]).await);
            let shown = proof("GET", "/me").token(&tokens.access).sign();
            ((), twice(|| ada.calls_with_proof(&tokens.access, &shown)))
        };
        in_each(Orders::at_random(40), (&site, "ada"), ask, is_right).await;
    });
}

/// Ten are free, one passes the gate, and a right one does not count.
#[test]
fn c46_at_once_no_more_guesses_are_looked_at_than_one_after_another() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let form = ada.authorize(&[]).await.form();
            let tries = (0..14).map(|number| ada.login(&form, if number == 13 { "right" } else { "wrong" }));
            (site.looked(), tries.collect())
        };
        let is_right = async |_: &Person, before: usize, _: &[Answer]| (11..=12).contains(&(site.looked() - before));
        in_each(Orders::at_random(10), (&site, "ada"), ask, is_right).await;
        // Five of an answer to a question.
        let ask = async |ada: &Person| {
            let form = ada.signs_in(&[]).await.form();
            ((), (0..9).map(|number| ada.answers(&form, &format!("wrong {number}"))).collect())
        };
        let is_right = async |_: &Person, (), answers: &[Answer]| {
            answers.iter().filter(|answer| answer.status == 401).count() == 6
        };
        in_each(Orders::at_random(10), (&site, "two"), ask, is_right).await;
    });
}

/// The function of the author's answers with what it read before it had to wait.
#[test]
fn a_client_that_has_changed_is_not_known_as_it_was() {
    here(async {
        let secret = |number: u8| STANDARD.encode([number; 32]);
        let row = Arc::new(Mutex::new(secret(0)));
        let (read, turns) = (Arc::clone(&row), Arc::new(OnceLock::<Turns>::new()));
        let waits = Arc::clone(&turns);
        let clients = async move |id: &str| {
            let secret = Secret::from(read.lock().as_str());
            if let Some(turns) = waits.get() {
                turns.turn().await;
            }
            (id == "row").then(|| Client::confidential("row").secret(secret))
        };
        let site = Site::with(Turns::new, |builder| builder.clients(clients)).await;
        turns.set(site.turns.clone()).unwrap_or_default();
        let grants = |ada: &Person, secret: &str| {
            let form = [("grant_type", "client_credentials"), ("client_id", "row"), ("client_secret", secret)];
            ada.post("/token", &form)
        };
        let mut number = 0;
        let ask = async |ada: &Person| {
            number += 1;
            let (old, new) = (secret(number - 1), secret(number));
            let (row, then) = (Arc::clone(&row), new.clone());
            let changes = async move |oauth: OAuthService, _| {
                *row.lock() = then;
                oauth.client_changed("row");
                Ok(())
            };
            let asked = vec![grants(ada, &old), site.does(changes, ada), grants(ada, &old)];
            ((old, new), asked)
        };
        let is_right = async |ada: &Person, (old, new): (String, String), _: &[Answer]| {
            grants(ada, &old).await.status == 400 && grants(ada, &new).await.status == 200
        };
        in_each(Orders::at_random(40), (&site, "ada"), ask, is_right).await;
    });
}

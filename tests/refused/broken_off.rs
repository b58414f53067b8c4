//! A request that is broken off at each of its steps: its client goes away, or the store fails. What its honest client does then
//! works, nothing is done twice, and what was done is reported.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use oauth_runtime::{EventKind, Holder};
use oauth_tests::Answer;
use oauth_tests::turns::{Asked, Break};

use crate::site::{Coded as _, PARTNER, Person, Site, Tokens, here};

const DROPPED: fn(usize) -> Break = |after| Break::Dropped { after };
const REFUSED: fn(usize) -> Break = |after| Break::Refused { after };
const LOST: fn(usize) -> Break = |after| Break::Lost { after };

/// Breaks what someone new asks for, at each step, and looks at the result.
async fn at_each<S>(
    hows: &[fn(usize) -> Break],
    (site, name): (&Site, &str),
    mut ask: impl AsyncFnMut(&Person) -> (S, Asked<Answer>),
    mut then: impl AsyncFnMut(&Person, S, Break),
) {
    for how in hows {
        let mut steps = 0;
        loop {
            let (person, how) = (site.person(name), how(steps));
            let (known, asked) = ask(&person).await;
            let (answer, was_broken) = site.turns.broken(how, asked).await;
            if !was_broken {
                break;
            }
            let is_told = answer.as_ref().is_none_or(|answer| answer.status == 503);
            assert!(is_told, "{how:?}: {answer:?}");
            then(&person, known, how).await;
            steps += 1;
        }
        assert!(steps > 0, "it asks the store for something");
    }
}

#[test]
fn c23_a_refresh_that_was_broken_off_is_repeated_and_ends_no_family() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let tokens = ada.tokens().await;
            let refreshes = ada.refreshes("demo", &tokens);
            (tokens, refreshes)
        };
        at_each(&[DROPPED, REFUSED, LOST], (&site, "ada"), ask, async |ada, tokens, how| {
            let next = Tokens::of(&ada.refreshes("demo", &tokens).await);
            assert_eq!(ada.calls(&next.access).await.status, 200, "{how:?}");
            assert_eq!(ada.refreshes("demo", &next).await.status, 200, "{how:?}");
        })
        .await;
    });
}

#[test]
fn c11_a_code_that_was_broken_off_gives_what_it_gives_or_nothing_is_left_of_it() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let code = ada.code().await;
            let redeems = ada.redeems(&code, &[]);
            (code, redeems)
        };
        at_each(&[DROPPED, REFUSED, LOST], (&site, "ada"), ask, async |ada, code, how| {
            let is_given = ada.redeems(&code, &[]).await.status == 200;
            let grants = site.oauth.grants(&ada.name).await.unwrap();
            assert_eq!(grants.iter().any(|grant| grant.holder != Holder::Session), is_given, "{how:?}: {grants:?}");
        })
        .await;
    });
}

#[test]
fn c41_c46_a_sign_in_that_was_broken_off_is_repeated_by_the_same_form_and_counts_once_at_most() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let form = ada.authorize(&[]).await.form();
            let login = ada.login(&form, "right");
            (form, login)
        };
        at_each(&[DROPPED, REFUSED, LOST], (&site, "ada"), ask, async |ada, form, how| {
            assert!(ada.login(&form, "right").await.code().is_some(), "{how:?}");
            assert_eq!(site.oauth.grants(&ada.name).await.unwrap().len(), 1, "{how:?}: one session");
            let stranger = ada.elsewhere();
            let form = stranger.authorize(&[]).await.form();
            // Ten are free, and one passes the gate.
            let free = stranger.wrong_ones(|| stranger.login(&form, "wrong")).await;
            assert!((10..=11).contains(&free), "{how:?}: {free}");
        })
        .await;
    });
}

/// The author's function has used the code up by then.
#[test]
fn c41_an_answer_that_was_broken_off_is_repeated_by_the_same_form() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let form = ada.signs_in(&[]).await.form();
            let answers = ada.answers(&form, "right");
            (form, answers)
        };
        at_each(&[DROPPED, REFUSED, LOST], (&site, "two"), ask, async |ada, form, how| {
            let again = ada.answers(&form, "right").await;
            assert!(again.code().is_some(), "{how:?}: {again:?}");
        })
        .await;
    });
}

#[test]
fn c40_who_denies_after_an_allowance_that_was_broken_off_has_denied() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let form = ada.signs_in(&PARTNER).await.form();
            let allows = ada.decides(&form, "allow");
            (form, allows)
        };
        at_each(&[DROPPED, REFUSED, LOST], (&site, "ada"), ask, async |ada, form, how| {
            assert_eq!(ada.decides(&form, "deny").await.redirect()["error"], "access_denied", "{how:?}");
            let kept = site.oauth.grants(&ada.name).await.unwrap();
            assert!(kept.iter().all(|grant| grant.holder == Holder::Session), "{how:?}: {kept:?}");
        })
        .await;
    });
}

#[test]
fn the_user_before_is_signed_out_by_who_repeats_a_sign_in_that_was_broken_off() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let (tokens, bob) = (ada.tokens().await, ada.as_other("bob"));
            let form = bob.authorize(&[("prompt", Some("login"))]).await.form();
            let login = bob.login(&form, "right");
            ((tokens, bob, form), login)
        };
        at_each(&[DROPPED, REFUSED, LOST], (&site, "ada"), ask, async |ada, (tokens, bob, form), how| {
            assert!(bob.login(&form, "right").await.code().is_some(), "{how:?}");
            assert!(ada.has_ended("demo", &tokens).await, "{how:?}");
        })
        .await;
    });
}

/// What the store could not look up was no wrong try of the user's.
#[test]
fn c46_an_attempt_that_the_store_did_not_let_be_made_does_not_count() {
    here(async {
        let site = Site::new().await;
        let ada = site.person("ada");
        ada.signs_in(&[]).await;
        let form = ada.authorize(&[("prompt", Some("login"))]).await.form();
        // Whether the browser is still known.
        let (answer, was_broken) = site.turns.broken(REFUSED(0), ada.login(&form, "right")).await;
        assert!(was_broken && answer.is_some_and(|answer| answer.status == 503));
        assert_eq!(ada.wrong_ones(|| ada.login(&form, "wrong")).await, 11);

        let bob = site.person("bob");
        let device = bob.post("/device_authorization", &[("client_id", "tv")]).await.json();
        let form = bob.get("/device").await.form();
        let types = |code: &str| bob.post("/device", &[("request", &form), ("user_code", code)]);
        // Which device shows the code.
        let (answer, was_broken) = site.turns.broken(REFUSED(1), types(device["user_code"].as_str().unwrap())).await;
        assert!(was_broken && answer.is_some_and(|answer| answer.status == 503));
        assert_eq!(bob.wrong_ones(|| types("BBBB-BBBB")).await, 11);
    });
}

type Ends = fn(&Site, &Person, String) -> Asked<Answer>;

/// In a handler of the application's, which actix drops as it drops our own.
#[test]
fn what_the_application_ends_is_reported_though_its_client_goes_away() {
    here(async {
        let site = Site::new().await;
        let ways: [(EventKind, Ends); 4] = [
            (EventKind::SignedOutEverywhere, |site, ada, _| site.signs_out(ada)),
            (EventKind::Forgotten, |site, ada, _| site.does(async |oauth, name| oauth.forget(&name).await, ada)),
            (EventKind::Revoked, |site, ada, _| {
                site.does(async |oauth, name| oauth.revoke_client(&name, "demo").await, ada)
            }),
            (EventKind::Revoked, |site, ada, session| {
                site.does(async move |oauth, name| oauth.revoke_grant(&name, &session).await.map(drop), ada)
            }),
        ];
        for (kind, ends) in ways {
            let ask = async |ada: &Person| {
                let tokens = ada.tokens().await;
                let grants = site.oauth.grants(&ada.name).await.unwrap();
                let session = grants.into_iter().find(|grant| grant.holder == Holder::Session).unwrap().id;
                (tokens, ends(&site, ada, session))
            };
            at_each(&[DROPPED], (&site, "ada"), ask, async |ada, tokens, how| {
                let is_begun = !matches!(how, Break::Dropped { after: 0 });
                assert_eq!(ada.has_ended("demo", &tokens).await, is_begun, "{kind:?} {how:?}");
                if is_begun {
                    site.hears(kind);
                }
            })
            .await;
        }
    });
}

#[test]
fn a_user_whom_a_page_finds_gone_is_reported_though_its_browser_goes_away() {
    here(async {
        let site = Site::new().await;
        let ask = async |ada: &Person| {
            let tokens = ada.tokens().await;
            site.removes(ada)();
            (tokens, ada.page())
        };
        let mut ended = 0;
        at_each(&[DROPPED], (&site, "ada"), ask, async |ada, tokens, _| {
            // So that guards ask the store.
            site.clock.advance(Duration::from_secs(3));
            if ada.has_ended("demo", &tokens).await {
                ended += 1;
                site.hears(EventKind::SignedOut);
            }
        })
        .await;
        assert!(ended > 1, "what was written goes on, and nothing else: {ended}");
    });
}

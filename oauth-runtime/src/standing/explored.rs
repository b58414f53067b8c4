//! The rules of records and the ledger, in every order that small bounds allow: two processes over one store, requests
//! that are interrupted at any call, answers that are lost, a store that forgets or is restored.
//!
//! It runs the code of the server. Each run is one sequence of actions from the start; a depth-first search tries all
//! of them, and goes on from no state twice.

mod bounds;
mod desk;
mod requests;
mod world;

use std::collections::HashSet;

use self::bounds::{Action, Bounds};
use self::desk::Fault;
use self::requests::Slip;
use self::world::World;

/// A violation, and what led to it.
#[derive(Debug)]
struct Found {
    what: String,
    path: Vec<Action>,
}

/// Tries everything, and returns the number of states.
fn explore(bounds: &Bounds, fault: Option<Fault>, slip: Option<Slip>) -> Result<usize, Found> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    let mut world = World::new(fault, slip);
    let mut seen = HashSet::new();
    let mut paths = vec![Vec::new()];
    while let Some(mut path) = paths.pop() {
        world.begin(bounds);
        path.iter().for_each(|action| world.act(*action));
        loop {
            world.look();
            if let Some(what) = world.is_wrong() {
                return Err(Found { what: what.to_owned(), path });
            }
            if !seen.insert(world.fingerprint()) {
                break;
            }
            let actions = world.actions();
            let Some((first, others)) = actions.split_first() else { break };
            paths.extend(others.iter().map(|other| [&path[..], &[*other]].concat()));
            world.act(*first);
            path.push(*first);
        }
    }
    Ok(seen.len())
}

/// A code that comes twice, the store's answers late or lost, until it has expired.
fn codes() -> Bounds {
    Bounds { signed_in: 1, redemptions: 2, at_once: 2, delays: 1, faults: 1, passing: vec![60], ..Bounds::default() }
}

/// A code that comes twice, while everything is ended.
fn codes_and_sign_out() -> Bounds {
    Bounds { signed_in: 1, redemptions: 2, sign_outs: 1, at_once: 2, faults: 1, ..Bounds::default() }
}

/// A code and a token, while the grant is ended.
fn revocations() -> Bounds {
    let before = Bounds { signed_in: 1, redeemed: 1, ..Bounds::default() };
    Bounds { redemptions: 1, refreshes: 1, revocations: 1, at_once: 2, ..before }
}

/// A code and a token, while the session is ended, by a client that asks again.
fn ends_of_sessions() -> Bounds {
    let before = Bounds { signed_in: 1, redeemed: 1, ..Bounds::default() };
    Bounds { refreshes: 1, session_ends: 2, at_once: 2, faults: 1, ..before }
}

/// A code while its session is ended.
fn codes_and_ends_of_sessions() -> Bounds {
    Bounds { signed_in: 1, redemptions: 1, session_ends: 1, at_once: 2, delays: 1, faults: 1, ..Bounds::default() }
}

/// Refresh tokens at once, the answers lost, within the grace and after it.
fn refreshes_at_once() -> Bounds {
    Bounds { signed_in: 1, redeemed: 1, refreshes: 2, at_once: 2, faults: 1, passing: vec![10], ..Bounds::default() }
}

/// Refresh tokens of all generations, one after another.
fn refreshes_in_turn() -> Bounds {
    Bounds { signed_in: 1, redeemed: 1, refreshes: 4, at_once: 1, passing: vec![10], ..Bounds::default() }
}

/// Tokens while everything is ended.
fn refreshes_and_sign_out() -> Bounds {
    Bounds { signed_in: 1, redeemed: 1, refreshes: 2, sign_outs: 1, at_once: 2, ..Bounds::default() }
}

/// A sign-in while everything is ended.
fn sign_ins() -> Bounds {
    Bounds { sign_ins: 1, redemptions: 1, sign_outs: 1, at_once: 2, delays: 1, ..Bounds::default() }
}

/// A store that loses everything at any moment.
fn losses() -> Bounds {
    Bounds { signed_in: 1, redemptions: 2, refreshes: 1, losses: 1, at_once: 2, ..Bounds::default() }
}

/// A store that is restored to an earlier state at any moment.
fn put_backs() -> Bounds {
    Bounds { sign_ins: 1, redemptions: 2, checks: 1, put_backs: 1, others: 1, at_once: 1, ..Bounds::default() }
}

/// A test for each exploration, and the least number of states that it has.
macro_rules! explorations {
    ($($test:ident, $bounds:expr, $states:expr;)+) => {$(
        #[test]
        fn $test() {
            let begun = std::time::Instant::now();
            match explore(&$bounds, None, None) {
                Ok(states) => {
                    assert!(states >= $states, "there are only {states} states");
                    eprintln!("{states} states in {:?}", begun.elapsed());
                }
                Err(Found { what, path }) => panic!("{what}, by\n{path:#?}"),
            }
        }
    )+};
}

explorations! {
    c11_a_code_gives_one_grant_in_every_order, codes(), 1_300;
    c42_a_code_ends_with_a_sign_out_in_every_order, codes_and_sign_out(), 3_600;
    c42_a_code_ends_with_its_session_in_every_order, codes_and_ends_of_sessions(), 500;
    c23_a_revocation_holds_in_every_order, revocations(), 900;
    c42_the_end_of_a_session_holds_in_every_order, ends_of_sessions(), 3_300;
    c23_a_refresh_in_its_grace_ends_no_family_in_any_order, refreshes_at_once(), 900;
    c23_an_old_refresh_token_ends_its_family_in_every_order, refreshes_in_turn(), 2_000;
    c42_a_family_ends_with_a_sign_out_in_every_order, refreshes_and_sign_out(), 800;
    c42_a_sign_in_that_began_before_a_sign_out_is_ended_in_every_order, sign_ins(), 4_000;
    c42_of_a_lost_memory_nothing_is_accepted_in_any_order, losses(), 1_000;
    c42_a_memory_that_was_put_back_is_found_out_in_every_order, put_backs(), 1_000;
}

/// What is broken, and the exploration that finds it.
type Broken = (Option<Fault>, Option<Slip>, fn() -> Bounds);

#[test]
fn what_is_broken_is_found() {
    let broken: [Broken; 13] = [
        (Some(Fault::SinceIgnored), None, codes),
        (Some(Fault::IncarnationIgnored), None, || Bounds { others: 2, ..losses() }),
        (Some(Fault::ReplicaLags), None, refreshes_and_sign_out),
        (Some(Fault::NotRaised), None, codes_and_sign_out),
        (Some(Fault::NotWritten), None, codes),
        (Some(Fault::NotRenewed), None, put_backs),
        // Of each record, what was spent, what was ended, the sign-out.
        (Some(Fault::Loses("c")), None, codes),
        (Some(Fault::Loses("e")), None, codes_and_ends_of_sessions),
        (Some(Fault::Loses("o")), None, codes_and_sign_out),
        (None, Some(Slip::CodeNotJudged), codes_and_sign_out),
        (None, Some(Slip::NoGrace), refreshes_in_turn),
        (None, Some(Slip::CodeHasGrace), codes),
        (None, Some(Slip::GrantsLeft), refreshes_and_sign_out),
    ];
    for (fault, slip, bounds) in broken {
        let found = explore(&bounds(), fault, slip);
        assert!(found.is_err(), "{fault:?} {slip:?} is not found");
    }
}

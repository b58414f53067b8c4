use std::time::Duration;

use super::*;
use crate::model::lifetime::{DAY, LONGEST, LONGEST_ACCESS_TOKEN};
use crate::model::resource::Resources;
use crate::model::scope::Scope;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
const GRACE: Duration = Duration::from_secs(10);
const DAYS_30: Duration = Duration::from_secs(30 * DAY);

fn after(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

fn grant(id: &str, client: &str) -> Grant {
    Grant {
        id: id.to_owned(),
        client: client.to_owned(),
        name: None,
        session: Some("session".to_owned()),
        scope: Scope::default(),
        resources: Resources::default(),
        begun: NOW,
        used: NOW,
        family: Family { generation: 0, since: NOW, until: NOW + DAYS_30 },
    }
}

fn of(id: &'static str) -> HandedOut<'static> {
    let grant = Some(HandedOutGrant { id, client: "demo", has_family: true });
    HandedOut { sequence: 5, session: Some("session"), grant }
}

fn redeemed(record: &mut Record, id: &str, client: &str, now: Timestamp) -> Result<Redeemed, Full> {
    let family = Grant { family: Family { since: now, ..grant(id, client).family }, ..grant(id, client) };
    record.redeem(id, client, now + Duration::from_secs(60), Some(family), now)
}

/// As a store returns it, written at this sequence.
fn stored(record: &Record, sequence: u64) -> Record {
    Record::decode(&record.encode().expect("it is data"), sequence).expect("it is its own text")
}

#[test]
fn c11_a_code_is_redeemed_once_and_a_replay_ends_what_it_gave() {
    let mut record = Record::default();
    assert_eq!(redeemed(&mut record, "a", "demo", NOW), Ok(Redeemed::First));
    assert_eq!(record.judge(&of("a"), NOW), Ok(()));
    assert_eq!(redeemed(&mut record, "a", "demo", NOW), Ok(Redeemed::Replayed));
    assert_eq!(record.judge(&of("a"), NOW), Err(Ended::Revoked));
    let without = HandedOutGrant { id: "a", client: "demo", has_family: false };
    let without = HandedOut { grant: Some(without), ..of("a") };
    assert_eq!(record.judge(&without, NOW), Err(Ended::Revoked), "nor what has no family");
    // A code that came too late to be remembered is too late.
    assert_eq!(record.redeem("b", "demo", NOW, None, NOW), Ok(Redeemed::Expired));
}

#[test]
fn c23_a_family_moves_on_and_ends_with_a_reuse() {
    let mut record = Record::default();
    assert_eq!(record.rotate("a", 0, GRACE, after(100), NOW), Rotated::Ended, "an absent family has ended");
    redeemed(&mut record, "a", "demo", NOW).expect("room");
    let until = NOW + DAYS_30;
    assert_eq!(record.rotate("a", 0, GRACE, until, NOW), Rotated::Next(1));
    for later in [0, 5, 9] {
        assert_eq!(record.rotate("a", 0, GRACE, until, after(later)), Rotated::Grace(1), "{later}");
    }
    assert_eq!(
        record.clone().rotate("a", 0, GRACE, until, after(10)),
        Rotated::Reused,
        "grace is not prolonged by use"
    );
    assert_eq!(record.rotate("a", 1, GRACE, until, after(9)), Rotated::Next(2));
    assert_eq!(record.clone().rotate("a", 0, GRACE, until, after(9)), Rotated::Reused, "grace is for the last but one");
    for from in [3, u64::MAX] {
        let mut record = record.clone();
        assert_eq!(record.rotate("a", from, GRACE, until, after(9)), Rotated::Reused, "{from} was never given out");
        assert_eq!(record.judge(&of("a"), after(9)), Err(Ended::Revoked));
        assert_eq!(record.rotate("a", 2, GRACE, until, after(9)), Rotated::Ended);
    }
}

#[test]
fn c24_a_family_lives_until_it_was_not_used_for_too_long() {
    let mut record = Record::default();
    redeemed(&mut record, "a", "demo", NOW).expect("room");
    assert_eq!(record.rotate("a", 0, GRACE, after(100), NOW), Rotated::Next(1));
    assert_eq!(record.rotate("a", 1, GRACE, after(190), after(99)), Rotated::Next(2));
    assert_eq!(record.judge(&of("a"), after(189)), Ok(()));
    assert_eq!(record.judge(&of("a"), after(190)), Err(Ended::Revoked));
    assert_eq!(record.rotate("a", 2, GRACE, after(290), after(190)), Rotated::Ended);
}

#[test]
fn c42_a_sign_out_ends_what_is_older_by_the_sequence_alone() {
    let mut record = Record::default();
    redeemed(&mut record, "a", "demo", NOW).expect("room");
    record.begin_session("session", after(1_000), after(1_000), NOW);
    record.sign_out(NOW);
    assert_eq!(record.judge(&of("a"), NOW), Err(Ended::SignedOut), "before it is written, too");
    let record = stored(&record, 7);
    for (sequence, stands) in [(0, false), (6, false), (7, true), (8, true)] {
        let handed = HandedOut { sequence, session: None, grant: None };
        assert_eq!(record.judge(&handed, NOW).is_ok(), stands, "{sequence}");
    }
    assert!(!record.has_session("session", NOW));
    assert_eq!(
        record.judge_sign_in(NOW, None, Duration::ZERO, NOW),
        Err(Ended::SignedOut),
        "a sign-in that was under way"
    );
    assert_eq!(record.judge_sign_in(after(1), None, Duration::ZERO, after(1)), Ok(()));
    assert_eq!(
        record.judge_sign_in(after(1), None, Duration::from_secs(2), after(1)),
        Err(Ended::SignedOut),
        "another clock"
    );
    // What may have been before a sign-out that is forgotten is refused as well.
    let (now, remembered) = (after(2 * DAY), record.keep(NOW).expect("it counts"));
    for (began, born, judged) in [
        (now.before(LONGEST_ACCESS_TOKEN), None, Ok(())),
        (now.before(remembered), None, Err(Ended::Forgotten)),
        (now.before(Duration::from_secs(60)), Some(now.before(Duration::from_secs(61))), Ok(())),
        (now.before(Duration::from_secs(60)), Some(now.before(Duration::from_secs(60))), Err(Ended::Forgotten)),
    ] {
        assert_eq!(Record::default().judge_sign_in(began, born, Duration::ZERO, now), judged, "{began:?} {born:?}");
    }
    // Later writes leave the bound where it was.
    let again = stored(&record, 9);
    assert_eq!(again.judge(&HandedOut { sequence: 7, session: None, grant: None }, NOW), Ok(()));
}

#[test]
fn c42_a_session_ends_with_all_that_clients_got_by_it() {
    let mut record = Record::default();
    record.begin_session("session", NOW + DAYS_30, NOW + DAYS_30, NOW);
    redeemed(&mut record, "a", "demo", NOW).expect("room");
    redeemed(&mut record, "b", "other", NOW).expect("room");
    record.grants[1].session = Some("another".to_owned());
    record.end_session("session", NOW);
    assert_eq!(record.judge(&of("a"), NOW), Err(Ended::SignedOut));
    let other = HandedOutGrant { id: "b", client: "other", has_family: true };
    assert_eq!(record.judge(&HandedOut { sequence: 5, session: Some("another"), grant: Some(other) }, NOW), Ok(()));
}

/// An application is used for months after a sign-in whose browser is not: it does not make room for others.
#[test]
fn c42_c47_a_session_that_makes_room_ends_with_all_that_it_gave() {
    let mut record = Record::default();
    let begin = |record: &mut Record, id: &str, at: Timestamp| record.begin_session(id, at + DAYS_30, at + DAYS_30, at);
    begin(&mut record, "session", NOW);
    redeemed(&mut record, "a", "demo", NOW).expect("room");
    let handed = |session, sequence| HandedOut { sequence, session: Some(session), grant: None };
    let names: Vec<String> = (0..300).map(|number| format!("s{number}")).collect();
    for (number, name) in (0..).zip(&names) {
        begin(&mut record, name, after(3600 * number));
        record = stored(&record, 10 + number);
    }
    let now = after(3600 * 300);
    assert_eq!(record.judge(&of("a"), now), Ok(()), "there are refresh tokens by it");
    for (number, name) in (0..).zip(&names) {
        let ended = if number < 201 { Err(Ended::SignedOut) } else { Ok(()) };
        assert_eq!(record.judge(&handed(name, 10 + number), now), ended, "{name}");
    }
    assert!(record.encode().expect("it is data").len() < 16 * 1024, "no list of what made room");
    // If each has some, the least recently used one ends, and its refresh tokens with it.
    for (number, name) in (0..).zip(&names[201..]) {
        let family = Grant { session: Some(name.clone()), ..grant(name, &format!("client{number}")) };
        record.redeem(name, "client", now + Duration::from_secs(60), Some(family), now).expect("room");
    }
    begin(&mut record, "last", now);
    assert_eq!(record.judge(&of("a"), now), Err(Ended::SignedOut));
    assert!(record.family("a", now).is_none() && record.family("s299", now).is_some());
    assert_eq!(record.judge(&handed("s299", 5), now), Ok(()));
    // Another sign-in with the browser of one keeps it.
    begin(&mut record, "s299", now);
    assert_eq!(record.judge(&handed("s298", 5), now), Ok(()));
}

#[test]
fn c47_an_ending_is_forgotten_when_nothing_of_it_can_come() {
    let mut record = Record::default();
    record.end_grant("a", "demo", NOW);
    let keep = record.keep(NOW).expect("it counts");
    assert!(keep > LONGEST_ACCESS_TOKEN && keep < LONGEST_ACCESS_TOKEN + Duration::from_secs(3600), "{keep:?}");
    assert_eq!(record.keep(NOW + keep), None);
    let mut record = Record::default();
    record.sign_out(NOW);
    assert_eq!(record.keep(NOW), Some(keep));
    assert!(keep < LONGEST);
}

#[test]
fn c47_a_loop_of_one_client_ends_what_that_client_holds_and_nothing_else() {
    let mut record = Record::default();
    redeemed(&mut record, "theirs", "other", NOW).expect("room");
    for number in 0..1_000_u64 {
        let at = after(number);
        assert_eq!(redeemed(&mut record, &format!("a{number}"), "demo", at), Ok(Redeemed::First));
        assert!(record.grants(at).count() <= 11);
    }
    assert!(record.family("theirs", after(1_000)).is_some());
    assert!(record.family("a999", after(1_000)).is_some() && record.family("a989", after(1_000)).is_none());
    // One that is used stays, whenever it began.
    assert_eq!(record.rotate("a990", 0, GRACE, NOW + DAYS_30, after(1_001)), Rotated::Next(1));
    redeemed(&mut record, "next", "demo", after(1_002)).expect("room");
    assert!(record.family("a990", after(1_002)).is_some() && record.family("a991", after(1_002)).is_none());
}

#[test]
fn c47_a_client_more_than_there_may_be_is_refused_and_ends_nothing() {
    let mut record = Record::default();
    for number in 0..100 {
        assert_eq!(redeemed(&mut record, &format!("a{number}"), &format!("client{number}"), NOW), Ok(Redeemed::First));
    }
    assert_eq!(redeemed(&mut record, "more", "new", NOW), Err(Full));
    assert_eq!(record.grants(NOW).count(), 100);
    // If the client has one already, the new one replaces it.
    assert_eq!(redeemed(&mut record, "again", "client7", NOW), Ok(Redeemed::First));
    assert!(record.family("a7", NOW).is_none());
    record.sign_out(NOW);
    assert_eq!(record.grants(NOW).count(), 0, "there is always room for a sign-out");
}

#[test]
fn c47_what_ended_takes_bounded_room_and_stays_ended() {
    let mut record = Record::default();
    redeemed(&mut record, "theirs", "other", NOW).expect("room");
    for number in 0..1_000 {
        record.end_grant(&format!("a{number}"), "demo", NOW);
        record = stored(&record, 10 + number);
    }
    assert!(record.encode().expect("it is data").len() < 16 * 1024);
    for number in 0..1_000 {
        let id = format!("a{number}");
        let grant = Some(HandedOutGrant { id: &id, client: "demo", has_family: false });
        assert_eq!(record.judge(&HandedOut { sequence: 9, session: None, grant }, NOW), Err(Ended::Revoked), "{id}");
    }
    let theirs = HandedOutGrant { id: "theirs", client: "other", has_family: true };
    assert_eq!(record.judge(&HandedOut { sequence: 9, session: None, grant: Some(theirs) }, NOW), Ok(()));
}

/// A client that names sessions without an end, made up or not, ends what it holds itself.
#[test]
fn c38_c47_a_client_that_names_many_sessions_ends_nothing_but_its_own() {
    let mut record = Record::default();
    record.begin_session("session", after(1_000), after(1_000), NOW);
    redeemed(&mut record, "theirs", "other", NOW).expect("room");
    redeemed(&mut record, "own", "demo", NOW).expect("room");
    for number in 0..1_000 {
        record.sign_out_of_client("demo", Some(&format!("session {number}")), NOW);
        record = stored(&record, 10 + number);
    }
    let judged = |id, client| {
        let grant = Some(HandedOutGrant { id, client, has_family: true });
        record.judge(&HandedOut { sequence: 9, session: Some("session"), grant }, NOW)
    };
    assert_eq!((judged("own", "demo"), judged("theirs", "other")), (Err(Ended::Revoked), Ok(())));
    assert!(!record.is_signed_out() && record.has_session("session", NOW));
    assert!(record.encode().expect("it is data").len() < 16 * 1024);
}

#[test]
fn c46_c47_a_browser_is_known_for_a_time_and_few_are() {
    let mut record = Record::default();
    record.note_device("0", "ada", NOW);
    assert!(record.has_device("0", "ada", NOW) && !record.has_device("0", "eve", NOW));
    assert!(!record.has_device("0", "ada", NOW + LONGEST), "not for ever");
    for number in 1..=8 {
        record.note_device(&number.to_string(), "ada", after(number));
    }
    assert!(!record.has_device("0", "ada", after(9)), "the one that was used longest ago makes room");
    assert!((1..=8).all(|number: u64| record.has_device(&number.to_string(), "ada", after(9))));
}

#[test]
fn c47_what_one_user_spends_at_once_takes_bounded_room() {
    let mut record = Record::default();
    let until = after(60);
    let spent = (0..10_000).take_while(|number| record.spend(&number.to_string(), until, NOW).is_ok()).count();
    assert_eq!(spent, 2_000);
    assert_eq!(record.spend("0", until, NOW), Ok(Spending::Already), "what was spent stays so");
    assert_eq!(record.spend("more", after(10_000), after(9_000)), Ok(Spending::First), "there is room again");
}

#[test]
fn c47_a_session_names_few_clients_to_be_told_of_its_end() {
    let mut record = Record::default();
    record.begin_session("session", after(1_000), after(1_000), NOW);
    let told = (0..100).take_while(|number| record.tell_at_end("session", &number.to_string())).count();
    assert_eq!(told, 16);
    assert!(record.tell_at_end("session", "7"), "it is named already");
}

/// What was allowed at two resources is joined only where it is the same at both.
#[test]
fn c40_c43_lasting_access_to_one_resource_is_none_to_another() {
    let scope: Scope = "read".parse().expect("a scope");
    let [files, mail] =
        ["https://files.example", "https://mail.example"].map(|it| [it].into_iter().collect::<Resources>());
    for (first, then) in [(true, false), (false, true)] {
        let mut record = Record::default();
        record.allow("guest", "bound", &scope, &files, first, NOW);
        record.allow("guest", "bound", &scope, &mail, then, NOW);
        assert!(record.allows("guest", "bound", &scope, &mail, then, NOW));
        assert_eq!(record.allows("guest", "bound", &scope, &mail, true, NOW), then, "lasting, {first} before");
        assert!(!record.allows("guest", "bound", &scope, &files, first, NOW), "it is the latest that is remembered");
    }
    let more: Scope = "write".parse().expect("a scope");
    let mut record = Record::default();
    record.allow("guest", "bound", &scope, &files, false, NOW);
    record.allow("guest", "bound", &more, &mail, false, NOW);
    assert!(record.allows("guest", "bound", &more, &mail, false, NOW));
    assert!(!record.allows("guest", "bound", &more, &files, false, NOW), "nor is a scope");
    let mut record = Record::default();
    record.allow("guest", "bound", &scope, &files, true, NOW);
    record.allow("guest", "bound", &scope, &mail, true, NOW);
    let mut both = files;
    both.join(&mail);
    assert!(record.allows("guest", "bound", &scope, &both, true, NOW));
}

#[test]
fn c40_a_consent_holds_for_what_was_allowed_until_it_is_withdrawn() {
    let scope = |text: &str| text.parse::<Scope>().expect("a scope");
    let none = Resources::default();
    let mut record = Record::default();
    record.allow("guest", "bound", &scope("read"), &none, false, NOW);
    record.allow("guest", "bound", &scope("write"), &none, false, NOW);
    assert!(record.allows("guest", "bound", &scope("read write"), &none, false, NOW));
    assert!(!record.allows("guest", "bound", &scope("read more"), &none, false, NOW));
    assert!(!record.allows("guest", "elsewhere", &scope("read"), &none, false, NOW), "another address, or other keys");
    assert!(!record.allows("other", "bound", &scope("read"), &none, false, NOW));
    assert!(!record.allows("guest", "bound", &scope("read"), &none, false, NOW + LONGEST));
    assert!(!record.allows("guest", "bound", &scope("read"), &none, true, NOW), "it is to last");
    record.allow("guest", "bound", &scope("read"), &none, true, NOW);
    assert!(record.allows("guest", "bound", &scope("read"), &none, true, NOW));
    assert!(record.allows("guest", "bound", &scope("write"), &none, false, NOW), "the rest is remembered as well");
    record.sign_out(NOW);
    assert!(record.allows("guest", "bound", &scope("read"), &none, false, NOW), "a sign-out takes back no consent");
    assert!(record.withdraw("guest") && !record.withdraw("guest"));
    assert!(!record.allows("guest", "bound", &scope("read"), &none, false, NOW));
}

#[test]
fn a_subject_sees_and_ends_what_they_gave() {
    let mut record = Record::default();
    record.begin_session("session", NOW + DAYS_30, NOW + DAYS_30, NOW);
    redeemed(&mut record, "a", "demo", NOW).expect("room");
    record.allow("guest", "bound", &Scope::default(), &Resources::default(), false, NOW);
    let consent = record.consents(NOW).next().map(Consent::id).expect("one");
    for id in ["a", consent.as_str(), "session"] {
        assert!(record.end(id, NOW), "{id}");
        assert!(!record.end(id, NOW), "{id} has ended");
    }
    record.forget(NOW);
    assert_eq!(record.consents(NOW).count() + record.sessions(NOW).count() + record.grants(NOW).count(), 0);
}

#[test]
fn a_record_is_no_longer_than_it_is_reckoned_and_not_much_shorter() {
    let scope = "read write admin".parse::<Scope>().expect("a scope");
    let resources: Resources = ["https://a.example/\"", "https://b.example/"].into_iter().collect();
    let mut record = Record::default();
    for number in 0..200 {
        let (id, client) = (format!("id {number} \u{1}\u{e4}\\"), format!("\u{7}client {}", number % 7));
        record.begin_session(&id, NOW + DAYS_30, NOW + DAYS_30, NOW);
        record.tell_at_end(&id, &client);
        let (name, session) = (Some(client.clone()), Some(id.clone()));
        let family = Grant { name, session, scope: scope.clone(), resources: resources.clone(), ..grant(&id, &client) };
        record.redeem(&id, &client, after(60), Some(family), NOW).expect("room");
        record.end_grant(&format!("ended {id}"), &client, NOW);
        record.allow(&client, &id, &scope, &resources, true, NOW);
        record.note_device(&id, &client, NOW);
        record.end_client_of_session(&client, &format!("another {id}"), NOW);
        let bytes = record.encode().expect("it is data").len();
        let most = record.most_bytes();
        assert!(bytes <= most && most <= 1024 + 8 * bytes, "{bytes} {most}");
    }
    record.later = serde_json::from_str(r#"{ "later": { "of": ["\u0001", 1.5e300, null, {}] } }"#).expect("JSON");
    assert!(record.encode().expect("it is data").len() <= record.most_bytes());
}

#[test]
fn what_a_later_release_wrote_stays_there() {
    let later = br#"{"s":[{"id":"x","b":1,"l":2,"u":2000000}],"later":{"of":"it"}}"#;
    let mut record = Record::decode(later, 1).expect("it is read");
    record.begin_session("y", NOW + DAYS_30, NOW + DAYS_30, NOW);
    let text = String::from_utf8(record.encode().expect("it is data")).expect("JSON");
    assert!(text.contains(r#""later":{"of":"it"}"#) && text.contains(r#""id":"x""#), "{text}");
}

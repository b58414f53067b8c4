//! The forms that a subject sent. Each works once, and for a moment a repeat gets the same answer: a double click sends
//! a form twice, and the browser shows the second answer.

use std::time::Duration;

use super::parts::{Form, FormsBefore, Record};
use crate::model::Timestamp;
use crate::model::lifetime::SLOWEST_ANSWER;

/// A form that is being sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sending<'a> {
    pub(crate) id: &'a str,
    /// When it was first made, whatever page it comes from.
    pub(crate) made: Timestamp,
    /// After this time it can no longer come.
    pub(crate) until: Timestamp,
    /// The grant of the code that may follow.
    pub(crate) grant: &'a str,
    pub(crate) client: &'a str,
    /// The session that it belongs to, or begins.
    pub(crate) session: Option<&'a str>,
    /// Whether a code follows, or else a refusal.
    pub(crate) is_allowed: bool,
}

/// The outcome of sending a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    First,
    /// It was sent a moment ago, and its code was not used yet: it gets the same answer.
    Again {
        grant: String,
        session: Option<String>,
        age: Duration,
    },
    /// It was allowed before and is no longer: this call has ended its result.
    TakenBack,
    /// It was sent before.
    Spent,
    /// It came too late, by the store's clock: whether it was sent is forgotten.
    Expired,
}

impl Record {
    /// Accepts a form. `young` is how long the same answer is given again.
    pub(crate) fn send(&mut self, sending: &Sending<'_>, young: Duration, now: Timestamp) -> Sent {
        self.prune(now);
        if sending.until <= now {
            return Sent::Expired;
        }
        let Some(index) = self.forms.iter().position(|form| form.id == sending.id) else {
            return self.send_first(sending, now);
        };
        if !sending.is_allowed && self.take_back(sending.id, now) {
            return Sent::TakenBack;
        }
        let Some(form) = self.forms.get(index).cloned() else { return Sent::Spent };
        let is_same = form.is_allowed == sending.is_allowed;
        let session_lives = form.session.as_ref().is_none_or(|session| self.has_session(session, now));
        let age = now.since(form.at);
        if is_same && !form.is_over && session_lives && age < young {
            Sent::Again { grant: form.grant, session: form.session, age }
        } else {
            Sent::Spent
        }
    }

    /// Whether a form was sent, whatever its result.
    pub(crate) fn was_sent(&self, id: &str) -> bool {
        self.forms.iter().any(|form| form.id == id)
    }

    /// Ends the result of a form that was allowed. `false` if there was nothing.
    pub(crate) fn take_back(&mut self, id: &str, now: Timestamp) -> bool {
        let Some(form) = self.forms.iter_mut().find(|form| form.id == id && form.is_allowed) else { return false };
        form.is_allowed = false;
        let (grant, client) = (form.grant.clone(), form.client.clone());
        self.end_grant(&grant, &client, now);
        true
    }

    /// Two pages may ask the same: the outcome of one holds for the other.
    fn send_first(&mut self, sending: &Sending<'_>, now: Timestamp) -> Sent {
        let Sending { id, made, until, grant, client, session, is_allowed } = *sending;
        if self.forms_before.is_some_and(|before| made <= before.made) {
            if is_allowed {
                return Sent::Spent;
            }
            self.end_grant(grant, client, now);
            return Sent::TakenBack;
        }
        let mut others = self.forms.iter().filter(|form| form.grant == grant);
        if is_allowed && others.clone().any(|form| form.is_over || !form.is_allowed) {
            return Sent::Spent;
        }
        if !is_allowed && others.any(|form| form.is_allowed) {
            // A code may have been made, and must not be of use any more.
            self.end_grant(grant, client, now);
        }
        self.forms.push(Form {
            id: id.to_owned(),
            grant: grant.to_owned(),
            client: client.to_owned(),
            session: session.map(str::to_owned),
            is_allowed,
            is_over: false,
            made,
            at: now,
            // A process whose clock is behind the store's may accept it a little longer.
            until: until + SLOWEST_ANSWER,
        });
        if self.forms.len() > MAX_FORMS {
            self.forget_the_oldest_form();
        }
        Sent::First
    }

    /// It is no longer known which one it was: all forms that were made until then count as sent.
    fn forget_the_oldest_form(&mut self) {
        let Some(oldest) = (0..self.forms.len()).min_by_key(|index| self.forms[*index].made) else { return };
        let Form { made, until, .. } = self.forms.remove(oldest);
        let before = self.forms_before.unwrap_or(FormsBefore { made, until });
        self.forms_before = Some(FormsBefore { made: before.made.max(made), until: before.until.max(until) });
    }

    /// A repeat of these forms gets no answer again.
    pub(super) fn forms_are_over(&mut self, of: impl Fn(&Form) -> bool) {
        self.forms.iter_mut().filter(|form| of(form)).for_each(|form| form.is_over = true);
    }
}

/// How many forms of one subject are remembered, each.
const MAX_FORMS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const YOUNG: Duration = Duration::from_secs(60);

    fn form<'a>(id: &'a str, grant: &'a str) -> Sending<'a> {
        let until = NOW + Duration::from_secs(600);
        Sending { id, made: NOW, until, grant, client: "spa", session: Some("s"), is_allowed: true }
    }

    fn record() -> Record {
        let mut record = Record::default();
        record.begin_session("s", NOW + Duration::from_secs(3600), NOW + Duration::from_secs(3600), NOW);
        record
    }

    #[test]
    fn c41_whatever_ends_what_came_of_a_form_ends_its_answer() {
        type Ending = fn(&mut Record);
        let endings: [(&str, Ending); 6] = [
            ("redeemed", |record| {
                let until = NOW + Duration::from_secs(60);
                record.redeem("g", "spa", until, None, NOW).expect("there is room");
            }),
            ("revoked", |record| record.end_grant("g", "spa", NOW)),
            ("the client's", |record| record.revoke_client("spa", NOW)),
            ("the client's, of the session", |record| record.sign_out_of_client("spa", Some("s"), NOW)),
            ("the session", |record| record.end_session("s", NOW)),
            ("everything", |record| record.sign_out(NOW)),
        ];
        for (how, end) in endings {
            let mut record = record();
            assert_eq!(record.send(&form("f", "g"), YOUNG, NOW), Sent::First, "{how}");
            let again = record.send(&form("f", "other"), YOUNG, NOW);
            assert_eq!(
                again,
                Sent::Again { grant: "g".into(), session: Some("s".into()), age: Duration::ZERO },
                "{how}"
            );
            end(&mut record);
            assert_eq!(record.send(&form("f", "other"), YOUNG, NOW), Sent::Spent, "{how}");
            // What was written is read back as it was.
            let bytes = record.encode().expect("JSON");
            let mut record = Record::decode(&bytes, 7).expect("a record");
            assert_eq!(record.send(&form("f", "other"), YOUNG, NOW), Sent::Spent, "{how}");
            assert!(record.keep(NOW).is_some_and(|keep| keep >= Duration::from_secs(600)), "{how}");
        }
    }

    #[test]
    fn c40_c41_what_was_denied_in_one_tab_is_not_allowed_in_another() {
        let mut record = record();
        let denies = Sending { is_allowed: false, ..form("f", "g") };
        assert_eq!(record.send(&denies, YOUNG, NOW), Sent::First);
        assert_eq!(record.send(&form("of the other tab", "g"), YOUNG, NOW), Sent::Spent);
        assert_eq!(record.send(&form("of another request", "h"), YOUNG, NOW), Sent::First);
    }

    #[test]
    fn c40_c41_a_denial_ends_what_an_answer_to_the_same_question_gave() {
        let denies = |id, grant| Sending { is_allowed: false, ..form(id, grant) };
        let ended = |record: &Record| ["g", "h"].map(|grant| record.has_ended(grant, NOW));

        let mut record = record();
        assert_eq!(record.send(&form("f", "g"), YOUNG, NOW), Sent::First);
        assert_eq!(record.send(&form("of the other tab", "g"), YOUNG, NOW), Sent::First);
        assert_eq!(record.send(&form("of another request", "h"), YOUNG, NOW), Sent::First);
        assert_eq!(ended(&record), [false, false]);
        // A form that was allowed, in one tab or the other, and one of a tab that gave no answer yet: of that grant alone
        for (id, grant, sent, now_ended) in [
            ("f", "g", Sent::TakenBack, [true, false]),
            ("of the other tab", "g", Sent::TakenBack, [true, false]),
            ("of a third tab", "g", Sent::First, [true, false]),
            ("of another request", "h", Sent::TakenBack, [false, true]),
        ] {
            let mut record = record.clone();
            assert_eq!(record.send(&denies(id, grant), YOUNG, NOW), sent, "{id}");
            assert_eq!(ended(&record), now_ended, "{id}");
            for tab in [id, "of a fourth tab"] {
                assert_eq!(record.send(&form(tab, grant), YOUNG, NOW), Sent::Spent, "{id}, {tab}");
            }
            for (other, of) in [("f", "g"), ("of another request", "h")] {
                let again = record.send(&form(other, of), YOUNG, NOW);
                assert_eq!(matches!(again, Sent::Again { .. }), of != grant, "{id}, {other}: {again:?}");
            }
        }
        // What is over is so in each tab
        record.end_grant("g", "spa", NOW);
        assert_eq!(record.send(&form("of a fourth tab", "g"), YOUNG, NOW), Sent::Spent);
        assert_eq!(record.send(&denies("of a fifth tab", "g"), YOUNG, NOW), Sent::First);
    }

    #[test]
    fn c41_a_form_answers_again_while_it_is_young() {
        let mut record = record();
        assert_eq!(record.send(&form("f", "g"), YOUNG, NOW), Sent::First);
        for (seconds, is_young) in [(59, true), (60, false)] {
            let again = record.send(&form("f", "g"), YOUNG, NOW + Duration::from_secs(seconds));
            assert_eq!(matches!(again, Sent::Again { .. }), is_young, "{seconds}: {again:?}");
        }
    }

    #[test]
    fn c41_a_form_answers_no_longer_than_its_session_lives() {
        let mut record = Record::default();
        let at = |seconds| NOW + Duration::from_secs(seconds);
        record.begin_session("s", at(10), at(10), NOW);
        assert_eq!(record.send(&form("f", "g"), YOUNG, NOW), Sent::First);
        assert!(matches!(record.clone().send(&form("f", "other"), YOUNG, at(9)), Sent::Again { .. }));
        assert_eq!(record.send(&form("f", "other"), YOUNG, at(10)), Sent::Spent);
    }

    #[test]
    fn c41_c47_forms_take_bounded_room_and_one_that_is_forgotten_stays_spent() {
        let mut record = record();
        let send = |record: &mut Record, number: usize, now: Timestamp| {
            let (id, grant) = (format!("f{number}"), format!("g{number}"));
            let made = NOW + Duration::from_secs(number as u64);
            record.send(&Sending { made, until: NOW + Duration::from_secs(5_000), ..form(&id, &grant) }, YOUNG, now)
        };
        // They come in another order than they were made in, one of them last.
        let order = (0..3 * MAX_FORMS).map(|number| number ^ 1).filter(|number| *number != 7).chain([7]);
        let mut accepted = Vec::new();
        for number in order {
            match send(&mut record, number, NOW) {
                Sent::First => accepted.push(number),
                other => assert_eq!((number, other), (7, Sent::Spent), "older than some that are forgotten"),
            }
            assert!(record.forms.len() <= MAX_FORMS);
        }
        assert_eq!(accepted.len(), 3 * MAX_FORMS - 1, "no one is refused a form that is new");
        // What is written is read back as it was, and a sign-out forgets none of it.
        let mut stored = Record::decode(&record.encode().expect("JSON"), 7).expect("a record");
        assert_eq!(stored, record);
        stored.sign_out(NOW);
        let late = NOW + Duration::from_secs(4_999);
        for number in accepted {
            assert_ne!(send(&mut record.clone(), number, NOW), Sent::First, "{number}");
            assert_eq!(send(&mut stored.clone(), number, late), Sent::Spent, "{number}");
        }
        assert!(record.keep(late).is_some_and(|keep| keep >= SLOWEST_ANSWER));
        // A denial of one that may be among those forgotten ends what may have come of it.
        let (denied, allowed) = (Sending { is_allowed: false, ..form("f0", "g0") }, form("f0", "g0"));
        assert_eq!(record.send(&allowed, YOUNG, NOW), Sent::Spent);
        assert!(!record.has_ended("g0", NOW));
        assert_eq!(record.send(&denied, YOUNG, NOW), Sent::TakenBack);
        assert!(record.has_ended("g0", NOW));
        let late = Sending { until: NOW, ..form("late", "g") };
        assert_eq!(record.send(&late, YOUNG, NOW), Sent::Expired);
    }
}

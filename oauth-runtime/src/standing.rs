//! Whether what was handed out still stands, and how long it has to be remembered that something ended: one rule each,
//! which every caller goes through.

use crate::model::Timestamp;
use crate::model::lifetime::{GRACE, LONGEST, LONGEST_ACCESS_TOKEN, SLOWEST_ANSWER};
use crate::model::session::Authentication;
use crate::store::{Store, StoreError};

/// Something that was handed out, by what the store can know of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandedOut<'a> {
    /// When it was signed or sealed.
    pub(crate) issued_at: Timestamp,
    /// Whose it is, and when they were authenticated. None where that is not known yet.
    pub(crate) of: Option<(&'a str, Timestamp)>,
    /// The session that it came of.
    pub(crate) session: Option<&'a str>,
    /// The grant that it belongs to.
    pub(crate) grant: Option<&'a str>,
}

impl<'a> HandedOut<'a> {
    /// Something that came of a sign-in.
    pub(crate) fn of_sign_in(
        issued_at: Timestamp,
        subject: &'a str,
        authentication: &'a Authentication,
        grant: Option<&'a str>,
    ) -> Self {
        HandedOut {
            issued_at,
            of: Some((subject, authentication.at)),
            session: authentication.session.as_deref(),
            grant,
        }
    }
}

/// Why something does not stand any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is from before the store's memory: that it was spent or ended may have been forgotten.
    Forgotten,
    /// Its user was signed out since, or its session was ended.
    SignedOut,
    /// Its grant was revoked.
    Revoked,
}

/// Whether it stands.
pub(crate) async fn check(store: &dyn Store, handed: HandedOut<'_>) -> Result<Result<(), Ended>, StoreError> {
    let facts = Facts {
        birth: store.birth().await?,
        session_ended: match handed.session {
            Some(session) => store.is_revoked(session).await?,
            None => false,
        },
        grant_revoked: match handed.grant {
            Some(grant) => store.is_revoked(grant).await?,
            None => false,
        },
        not_before: match handed.of {
            Some((subject, _)) => store.not_before(subject).await?,
            None => None,
        },
    };
    Ok(judge(handed, &facts))
}

/// The same, where the store knows without waiting; nothing is allocated.
pub(crate) fn check_now(store: &dyn Store, handed: HandedOut<'_>) -> Option<Result<Result<(), Ended>, StoreError>> {
    let birth = store.birth().if_now()?;
    let is_revoked = |id: Option<&str>| id.map_or(Some(Ok(false)), |id| store.is_revoked(id).if_now());
    let (session_ended, grant_revoked) = (is_revoked(handed.session)?, is_revoked(handed.grant)?);
    let not_before = handed.of.map_or(Some(Ok(None)), |(subject, _)| store.not_before(subject).if_now())?;
    let facts = || {
        Ok(Facts {
            birth: birth?,
            session_ended: session_ended?,
            grant_revoked: grant_revoked?,
            not_before: not_before?,
        })
    };
    Some(facts().map(|facts| judge(handed, &facts)))
}

/// What the store knows of something.
struct Facts {
    birth: Timestamp,
    session_ended: bool,
    grant_revoked: bool,
    not_before: Option<Timestamp>,
}

/// Times are whole seconds, so what happened within one second is taken to have come first.
fn judge(handed: HandedOut<'_>, facts: &Facts) -> Result<(), Ended> {
    if handed.issued_at <= facts.birth {
        return Err(Ended::Forgotten);
    }
    let signed_out = match (handed.of, facts.not_before) {
        (Some((_, authenticated_at)), Some(not_before)) => authenticated_at <= not_before,
        (None, _) | (_, None) => false,
    };
    if facts.session_ended || signed_out {
        return Err(Ended::SignedOut);
    }
    if facts.grant_revoked { Err(Ended::Revoked) } else { Ok(()) }
}

/// Until when it has to be remembered that something ended: for as long as anything of it can be presented, whatever the
/// lifetimes are set to meanwhile. `end` is the end that is sealed inside it; where there is none, as for all that a user
/// holds, it is the longest lifetime that the builder accepts.
pub(crate) fn remembered_until(now: Timestamp, end: Option<Timestamp>) -> Timestamp {
    // What was issued last lives on for the longest lifetime of an access token; an answer in grace, or of a slow
    // store, comes a little later.
    end.unwrap_or(now + LONGEST).max(now) + LONGEST_ACCESS_TOKEN + GRACE + SLOWEST_ANSWER
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Clock;
    use crate::store::MemoryStore;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn facts() -> Facts {
        Facts { birth: at(10), session_ended: false, grant_revoked: false, not_before: None }
    }

    fn handed(issued_at: u64, authenticated_at: u64) -> HandedOut<'static> {
        HandedOut { issued_at: at(issued_at), of: Some(("a", at(authenticated_at))), session: None, grant: None }
    }

    #[test]
    fn what_happened_in_the_same_second_came_first() {
        assert_eq!(judge(handed(10, 5), &facts()), Err(Ended::Forgotten));
        assert_eq!(judge(handed(11, 5), &facts()), Ok(()));
        let signed_out = Facts { not_before: Some(at(20)), ..facts() };
        assert_eq!(judge(handed(30, 20), &signed_out), Err(Ended::SignedOut));
        assert_eq!(judge(handed(30, 21), &signed_out), Ok(()));
    }

    #[test]
    fn each_fact_ends_what_it_is_of() {
        assert_eq!(judge(handed(11, 11), &Facts { session_ended: true, ..facts() }), Err(Ended::SignedOut));
        assert_eq!(judge(handed(11, 11), &Facts { grant_revoked: true, ..facts() }), Err(Ended::Revoked));
    }

    #[tokio::test]
    async fn both_ways_of_asking_say_the_same() {
        let store = MemoryStore::with(100, Clock::system());
        let (later, hour) = (Clock::system().now() + Duration::from_secs(1), Duration::from_secs(3600));
        store.revoke("grant", later + hour).await.expect("room");
        store.revoke("session", later + hour).await.expect("room");
        store.set_not_before("user", later, later + hour).await.expect("room");
        for (subject, session, grant, ended) in [
            ("other", None, None, Ok(())),
            ("user", None, None, Err(Ended::SignedOut)),
            ("other", Some("session"), None, Err(Ended::SignedOut)),
            ("other", None, Some("grant"), Err(Ended::Revoked)),
            ("other", Some("other"), Some("another"), Ok(())),
        ] {
            let handed = HandedOut { issued_at: later, of: Some((subject, later)), session, grant };
            assert_eq!(check(&store, handed).await.expect("an answer"), ended);
            assert_eq!(check_now(&store, handed).expect("at once").expect("an answer"), ended);
        }
    }

    #[test]
    fn an_ending_is_remembered_until_nothing_of_it_can_come() {
        let tail = LONGEST_ACCESS_TOKEN + GRACE + SLOWEST_ANSWER;
        assert_eq!(remembered_until(at(5), Some(at(100))), at(100) + tail);
        assert_eq!(remembered_until(at(500), Some(at(100))), at(500) + tail);
        assert_eq!(remembered_until(at(5), None), at(5) + LONGEST + tail);
    }
}

//! The contract finds every store that breaks it, and says which clause.
#![allow(clippy::unwrap_used)]

use oauth_runtime::store::contract::{self, Clause};
use oauth_tests::wrong_store::{Defect, WrongStore};

/// The clauses that a defect breaks.
fn breaks(defect: Defect) -> &'static [Clause] {
    use Clause as C;
    use Defect as D;
    match defect {
        D::ValueCut | D::ValueTooLong | D::ValueParsed | D::ValueLatin => &[C::Values],
        D::KeyIgnoresCase | D::KeyTextIgnoresCase | D::KeyCut => &[C::Keys],
        D::KeyEndsAtNul | D::KeyTrimmed | D::KeyLossy => &[C::Keys],
        D::SinceIgnoredByRemoval | D::LateToldNothing | D::LateToldItsOwn => &[C::Since],
        // What was gone or expired is replaced, and each of a hundred writes is done.
        D::SinceIgnored => &[C::Since, C::Sequence, C::OneWriter, C::Expiry],
        // So is each of a hundred that were made from nothing.
        D::AbsentOverwrites => &[C::Since, C::OneWriter],
        // A version from before a renewal comes again after it.
        D::OtherIncarnationWritten => &[C::OtherIncarnation, C::Renewal],
        D::OtherIncarnationTaken | D::OtherIncarnationLeft => &[C::OtherIncarnation],
        D::RemovalLeavesEmpty | D::RemovalForGood | D::RemovalTakesAll => &[C::Removal],
        // The value that a removal left can be replaced by a late write.
        D::RemovalNotDone => &[C::Removal, C::Sequence],
        D::IncarnationPerKey | D::IncarnationDrawnByWrite | D::IncarnationDrawnTwice => &[C::OneIncarnation],
        D::BornPerKey | D::BornNow | D::BornWhenAsked => &[C::OneIncarnation],
        D::RemovalRaisesNothing | D::ReadRaises | D::LateRaises | D::RaisedByTwo => &[C::Sequence],
        D::RaisesNextBucket | D::SequencePerKey | D::VersionPerKey => &[C::Sequence],
        D::NeverExpires | D::ExpiresEarly | D::ExpiryResetsSequence => &[C::Expiry],
        D::ExpiredBlocks | D::ExpiredReplaced => &[C::Expiry],
        // What never ends cannot be shortened.
        D::NothingExpires => &[C::Expiry, C::Lifetime],
        D::LifetimeFixed | D::LifetimeNotExtended | D::LifetimeNotShortened => &[C::Lifetime],
        D::ReadThenWrite | D::OvertakenDone | D::OvertakenWritten => &[C::OneWriter],
        // Whatever writes and then looks does not see what it wrote.
        D::WriteNotDone | D::ReplicaLags | D::ReplicaLagsAtTimes => ALL_THAT_WRITE,
        D::CounterBelowZero | D::CountsSorted | D::SlotCut => &[C::Counters],
        // To add nothing is how a window is looked at.
        D::NothingAddsOne => &[C::Counters, C::Window],
        D::CountThenWrite | D::SumReadLate | D::CountersLockEachOther => &[C::CountersAtOnce],
        D::WindowSlides | D::NothingBeginsWindow | D::LessBeginsWindow => &[C::Window],
        D::WindowNeverEnds | D::WindowEndsEarly | D::WindowAnsweredWhole => &[C::Window],
        D::WindowOnlyOnce | D::LessAnswersEnded | D::WindowAnsweredShort => &[C::Window],
        D::RenewalNotDone | D::RenewalKeepsValues | D::RenewalKeepsSequence | D::RenewalTwice => &[C::Renewal],
        D::RenewalKeepsBirth | D::RenewalThenDraws | D::RenewalAnswersOld => &[C::Renewal],
        D::RenewalOfNeighbour => &[C::Renewal],
    }
}

const ALL_THAT_WRITE: &[Clause] = &[
    Clause::Values,
    Clause::Keys,
    Clause::Since,
    Clause::Removal,
    Clause::Sequence,
    Clause::OneWriter,
    Clause::Expiry,
    Clause::Lifetime,
];

#[tokio::test]
async fn each_wrong_store_breaks_the_clauses_that_it_should() {
    let stores = Defect::ALL.map(|defect| (defect, WrongStore::new(Some(defect))));
    let checks = stores.iter().map(|(defect, store)| async { (*defect, contract::broken(store).await) });
    let mut wrong = String::new();
    for (defect, broken) in futures_util::future::join_all(checks).await {
        let clauses: Vec<Clause> = broken.iter().map(|it| it.clause).collect();
        // Which reads lag hangs on what else is read.
        let is_found = match defect {
            Defect::ReplicaLagsAtTimes => !clauses.is_empty(),
            // Whether the version comes again hangs on what else was written in that bucket, which is drawn.
            Defect::OtherIncarnationWritten => {
                clauses.contains(&Clause::OtherIncarnation) && clauses.iter().all(|it| breaks(defect).contains(it))
            }
            _ => clauses == breaks(defect),
        };
        if !is_found {
            let how: Vec<String> = broken.iter().map(ToString::to_string).collect();
            wrong += &format!("\n{defect:?} should break {:?}:\n    {}", breaks(defect), how.join("\n    "));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[tokio::test]
async fn without_a_defect_that_store_keeps_the_contract() {
    contract::check(WrongStore::new(None)).await;
}

#[test]
fn every_clause_is_broken_by_a_store_that_breaks_it_alone() {
    for &clause in Clause::ALL {
        assert!(Defect::ALL.iter().any(|defect| breaks(*defect) == [clause]), "{clause:?} has no store of its own");
    }
}

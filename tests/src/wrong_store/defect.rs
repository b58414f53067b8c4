//! What can be wrong with a store.

/// The enum and the list of its variants.
macro_rules! defects {
    ($($(#[$doc:meta])+ $defect:ident,)+) => {
        /// What a [`WrongStore`](super::WrongStore) does wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Defect {
            $($(#[$doc])+ $defect,)+
        }

        impl Defect {
            /// Every defect.
            pub const ALL: [Defect; [$(stringify!($defect)),+].len()] = [$(Defect::$defect),+];
        }
    };
}

defects! {
    /// A value is cut to 64 KiB.
    ValueCut,
    /// A value above 64 KiB is refused.
    ValueTooLong,
    /// A value is kept as JSON in a form that has no NUL.
    ValueParsed,
    /// A value is kept in an encoding of one byte a character.
    ValueLatin,
    /// Keys are compared without regard to case.
    KeyIgnoresCase,
    /// Keys are compared as base64url without regard to case.
    KeyTextIgnoresCase,
    /// The last byte of a key is cut off.
    KeyCut,
    /// A key ends at a NUL.
    KeyEndsAtNul,
    /// Spaces and NULs at the end of a key do not count.
    KeyTrimmed,
    /// Keys are read as UTF-8, and bytes that are none are all the same.
    KeyLossy,
    /// A write does not ask whether the value is still the one that it was made from.
    SinceIgnored,
    /// A removal does not ask that.
    SinceIgnoredByRemoval,
    /// A write that was made from nothing replaces the current value.
    AbsentOverwrites,
    /// A write that came too late learns that there is nothing.
    LateToldNothing,
    /// A write that came too late gets its own value.
    LateToldItsOwn,
    /// A write is done whatever its incarnation is.
    OtherIncarnationWritten,
    /// A write of another incarnation is not done, and the bucket takes that incarnation.
    OtherIncarnationTaken,
    /// A write of another incarnation is said to be not done, and leaves its value.
    OtherIncarnationLeft,
    /// A removal leaves an empty value.
    RemovalLeavesEmpty,
    /// A removal is said to be done, and takes nothing away.
    RemovalNotDone,
    /// What was taken away cannot be written again.
    RemovalForGood,
    /// A removal takes away all that its bucket has.
    RemovalTakesAll,
    /// Each key has an incarnation of its own.
    IncarnationPerKey,
    /// A write draws a new incarnation.
    IncarnationDrawnByWrite,
    /// Two who ask for a bucket first both draw its incarnation.
    IncarnationDrawnTwice,
    /// Each key says for itself when the bucket was born.
    BornPerKey,
    /// A bucket is born whenever it is asked for.
    BornNow,
    /// A bucket is born when it is first asked for.
    BornWhenAsked,
    /// A removal does not raise the sequence.
    RemovalRaisesNothing,
    /// Reading a value raises the sequence.
    ReadRaises,
    /// A write that is not done raises the sequence.
    LateRaises,
    /// The sequence is raised by two, but for the first time.
    RaisedByTwo,
    /// A write raises the sequence of the next bucket as well.
    RaisesNextBucket,
    /// Each key has a sequence of its own.
    SequencePerKey,
    /// The version of a value is the number of writes of its key.
    VersionPerKey,
    /// A value that was written once never expires.
    NeverExpires,
    /// No value ever expires.
    NothingExpires,
    /// A value expires a second early.
    ExpiresEarly,
    /// The sequence begins again when a value has expired.
    ExpiryResetsSequence,
    /// What has expired cannot be written anew.
    ExpiredBlocks,
    /// What has expired can be replaced as if it were there.
    ExpiredReplaced,
    /// A value keeps the time of its first write.
    LifetimeFixed,
    /// A write does not prolong the time of a value.
    LifetimeNotExtended,
    /// A write does not shorten the time of a value.
    LifetimeNotShortened,
    /// A write reads first and writes then, and others come between.
    ReadThenWrite,
    /// A write that was overtaken is said to be done.
    OvertakenDone,
    /// A write that was overtaken is said to be not done, and replaces the value.
    OvertakenWritten,
    /// A write is said to be done, and is not.
    WriteNotDone,
    /// Reads come from a copy that lags one write behind.
    ReplicaLags,
    /// Every third read comes from such a copy.
    ReplicaLagsAtTimes,
    /// A counter goes below zero, and answers zero.
    CounterBelowZero,
    /// Answers come in the order of the counters' numbers.
    CountsSorted,
    /// A counter's number is cut to 16 bits.
    SlotCut,
    /// To add nothing adds one where there is something.
    NothingAddsOne,
    /// An addition reads first and writes then, and others come between.
    CountThenWrite,
    /// The sum is read some time after the addition.
    SumReadLate,
    /// Counters are locked one by one, and a lock that is taken is an error.
    CountersLockEachOther,
    /// Each addition begins the window anew.
    WindowSlides,
    /// To add nothing begins a window.
    NothingBeginsWindow,
    /// To take away begins a window.
    LessBeginsWindow,
    /// A window never ends.
    WindowNeverEnds,
    /// A window that has ended is not begun again.
    WindowOnlyOnce,
    /// To take away from a counter whose window has ended answers what it was.
    LessAnswersEnded,
    /// What is left of a window is answered in another unit.
    WindowAnsweredShort,
    /// A window ends a second early.
    WindowEndsEarly,
    /// What is left of a window is answered as the length that was asked for.
    WindowAnsweredWhole,
    /// To renew does nothing.
    RenewalNotDone,
    /// To renew keeps the values.
    RenewalKeepsValues,
    /// To renew keeps the sequence.
    RenewalKeepsSequence,
    /// To renew keeps the time at which the bucket was born.
    RenewalKeepsBirth,
    /// To renew draws anew whatever the incarnation is.
    RenewalTwice,
    /// To renew compares first and draws then, and others come between.
    RenewalThenDraws,
    /// To renew answers what it was.
    RenewalAnswersOld,
    /// To renew renews the next bucket as well.
    RenewalOfNeighbour,
}

//! What can happen, and how often.

use super::requests::Request;

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// A request comes to a process.
    Ask(Request, usize),
    /// A call reaches the store, and its answer comes back.
    Answer(usize),
    /// It reaches the store; the answer is still on its way.
    Reach(usize),
    /// That answer comes back.
    Deliver(usize),
    /// It reaches the store; the answer is lost.
    LoseAnswer(usize),
    /// Its caller gives up; the call is still on its way.
    GiveUp(usize),
    /// A process crashes, and starts again.
    Crash(usize),
    /// Time passes, in seconds.
    Pass(u64),
    /// The store loses everything.
    LoseAll,
    /// The store is copied.
    Copy,
    /// The store is restored from its copy.
    PutBack,
    /// Another subject of the bucket is written.
    WriteOther,
}

/// How often each thing may happen.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Bounds {
    /// Sign-ins that are done first.
    pub(super) signed_in: usize,
    /// Codes that are redeemed first.
    pub(super) redeemed: usize,
    pub(super) sign_ins: u8,
    pub(super) redemptions: u8,
    pub(super) refreshes: u8,
    pub(super) checks: u8,
    pub(super) revocations: u8,
    pub(super) session_ends: u8,
    pub(super) sign_outs: u8,
    /// Requests at once.
    pub(super) at_once: usize,
    /// Answers that are on their way for a while.
    pub(super) delays: u8,
    /// Answers that are lost, calls that are given up, and crashes.
    pub(super) faults: u8,
    pub(super) losses: u8,
    pub(super) put_backs: u8,
    pub(super) others: u8,
    /// Seconds that may pass, each once.
    pub(super) passing: Vec<u64>,
}

//! What was said of proofs of possession.

/// What was said of proofs.
#[derive(Default)]
pub(super) struct ProofSettings {
    pub(super) are_taken: bool,
    pub(super) have_nonces: bool,
    pub(super) are_spent_in_the_store: bool,
    /// Resources.
    pub(super) required_at: Vec<String>,
}

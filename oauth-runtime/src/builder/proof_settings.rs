//! The settings for proofs of possession.

/// The settings for proofs.
#[derive(Default)]
pub(super) struct ProofSettings {
    pub(super) are_taken: bool,
    pub(super) have_nonces: bool,
    pub(super) are_spent_in_the_store: bool,
    /// The resources for which a proof is required.
    pub(super) required_at: Vec<String>,
}

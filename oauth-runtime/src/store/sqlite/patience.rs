//! How long is too long.

use std::time::Duration;

/// For how long a call waits: for its turn, and for other processes to let it write. What is older is refused undone.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

//! How long is too long.

use std::time::Duration;

/// How long a call waits for its turn, and for other processes to let it write. Older calls are refused, and nothing is
/// done.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

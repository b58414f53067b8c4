//! The scripts, and a call of one.

use std::sync::LazyLock;

use redis::Cmd;

/// One script each, and no more than one in a call: a script is atomic, two are not.
///
/// The first line asks for the rules of Redis 7. Without `no-writes` a replica refuses the script (`READONLY`), so that
/// none answers with outdated data, not even a server that was made a replica since the connection was made. With
/// `allow-oom` it runs even when the memory is full: what it writes is bounded (the state of a bucket, a counter) or
/// replaces what is there. Users must be signed out and codes spent even then.
pub(super) struct Scripts {
    pub(super) read: Script,
    /// A swap that writes a key which held nothing: refused (`OOM`) when the memory is used up.
    pub(super) add: Script,
    /// A swap of what is there.
    pub(super) replace: Script,
    pub(super) renew: Script,
    pub(super) count: Script,
    pub(super) schema: Script,
}

pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
    read: Script::new(concat!("#!lua flags=allow-oom\n", include_str!("bucket.lua"), include_str!("read.lua"))),
    add: Script::new(concat!("#!lua\n", include_str!("bucket.lua"), include_str!("swap.lua"))),
    replace: Script::new(concat!("#!lua flags=allow-oom\n", include_str!("bucket.lua"), include_str!("swap.lua"))),
    renew: Script::new(concat!("#!lua flags=allow-oom\n", include_str!("renew.lua"))),
    count: Script::new(concat!("#!lua flags=allow-oom\n", include_str!("count.lua"))),
    schema: Script::new(concat!("#!lua flags=allow-oom\n", include_str!("schema.lua"))),
});

pub(super) struct Script {
    source: &'static str,
    sha1: String,
}

impl Script {
    fn new(source: &'static str) -> Self {
        Script { source, sha1: redis::Script::new(source).get_hash().to_owned() }
    }
}

/// A call of a script.
pub(super) struct Call {
    script: &'static Script,
    /// The bucket that its keys are of.
    pub(super) bucket: u16,
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
    /// Whether the replicas acknowledge it before we do.
    pub(super) to_replicas: bool,
}

impl Call {
    pub(super) fn new(script: &'static Script, bucket: u16, keys: Vec<String>, arguments: Vec<Vec<u8>>) -> Self {
        Call { script, bucket, keys, arguments, to_replicas: false }
    }

    pub(super) fn and_replicas(self) -> Self {
        Call { to_replicas: true, ..self }
    }

    /// Calls the script by its name, which the server may not know it (`NOSCRIPT`), after a restart, a failover, SCRIPT
    /// FLUSH.
    pub(super) fn by_name(&self) -> Cmd {
        self.command("EVALSHA", &self.script.sha1)
    }

    /// Sends the script as well, which the server keeps from then on.
    pub(super) fn in_full(&self) -> Cmd {
        self.command("EVAL", self.script.source)
    }

    fn command(&self, verb: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(verb);
        command.arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.arguments);
        command
    }
}

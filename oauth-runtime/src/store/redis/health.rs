//! What is required of a server.

use redis::aio::MultiplexedConnection;

/// What a server says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Health {
    major: u32,
    is_replica: bool,
    policy: String,
    pub(super) in_cluster: bool,
    /// Whether it writes down each change, rather than a snapshot now and then.
    pub(super) appends: bool,
}

impl Health {
    /// Uses INFO rather than CONFIG GET: it says the same, and hosted servers permit it.
    pub(super) async fn ask(connection: &mut MultiplexedConnection) -> Result<Self, String> {
        match redis::cmd("INFO").query_async::<String>(connection).await {
            Ok(info) => Ok(Health::read(&info)),
            Err(why) if why.code() == Some("NOPERM") => Err(format!("its user must be allowed to ask INFO: {why}")),
            Err(why) => Err(why.to_string()),
        }
    }

    fn read(info: &str) -> Self {
        let of = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.unwrap_or_default().trim()
        };
        Health {
            major: of("redis_version").split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0),
            is_replica: matches!(of("role"), "slave" | "replica"),
            policy: of("maxmemory_policy").to_owned(),
            in_cluster: of("cluster_enabled") == "1",
            appends: of("aof_enabled") == "1",
        }
    }

    /// Whether it may be used at all; it is asked at every connection, since a server may have been replaced.
    pub(super) fn check(&self, in_cluster: Option<bool>) -> Result<(), String> {
        if self.major < 7 {
            return Err(format!("its version is {}: the scripts need Redis 7 or Valkey", self.major));
        }
        if self.is_replica {
            return Err("it is a replica, which may not know yet what was revoked: name its master".to_owned());
        }
        if self.policy != "noeviction" {
            return Err(format!(
                "maxmemory-policy is {:?}, which forgets what was revoked when memory runs out: set it to noeviction \
                 (CONFIG SET maxmemory-policy noeviction, and in redis.conf)",
                self.policy,
            ));
        }
        if in_cluster.is_some_and(|expected| expected != self.in_cluster) {
            return Err("it is not a server of a Cluster, and the others are".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_forgets_is_refused() {
        let info = |version: &str, role: &str, policy: &str| {
            let info =
                format!("redis_version:{version}\r\nrole:{role}\r\nmaxmemory_policy:{policy}\r\ncluster_enabled:0\r\n");
            Health::read(&info).check(None)
        };
        assert_eq!(info("7.0.15", "master", "noeviction"), Ok(()));
        assert_eq!(info("8.2.1", "master", "noeviction"), Ok(()));
        for (refused, cure) in [
            (info("7.0.15", "master", "allkeys-lru"), "set it to noeviction"),
            (info("7.0.15", "master", ""), "set it to noeviction"),
            (info("6.2.7", "master", "noeviction"), "need Redis 7"),
            (info("7.0.15", "slave", "noeviction"), "name its master"),
        ] {
            assert!(refused.as_ref().is_err_and(|why| why.contains(cure)), "{refused:?}");
        }
        let clustered = "redis_version:7.0.0\r\nmaxmemory_policy:noeviction\r\ncluster_enabled:1\r\n";
        assert!(Health::read(clustered).check(Some(false)).is_err());
        assert!(Health::read(clustered).check(Some(true)).is_ok());
    }
}

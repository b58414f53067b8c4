//! A Redis cluster.

use super::{Redis, wait_until};

/// How many nodes have slots.
const MASTERS: usize = 3;
/// The slots of a cluster.
const SLOTS: usize = 16_384;

/// A Redis cluster of three masters, with a replica of each or without. The masters are first in the order of its nodes.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts an empty one without replicas, whose nodes are [`Redis::DURABLE`].
    pub fn start() -> RedisCluster {
        RedisCluster::of(MASTERS)
    }

    /// As [`RedisCluster::start`], with a replica of each master: node 3 is that of node 0 and so on.
    pub fn with_replicas() -> RedisCluster {
        RedisCluster::of(2 * MASTERS)
    }

    /// A URL of each node, whether it runs or not.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// What `redis-cli` answers to a command, which a node redirects to the one that has the slot.
    pub fn ask(&self, node: usize, command: &[&str]) -> String {
        self.nodes[node].ask(command)
    }

    /// Whether a node takes itself for a master.
    pub fn is_master(&self, node: usize) -> bool {
        self.ask(node, &["ROLE"]).starts_with("master")
    }

    /// Moves this many slots from one master to another, one after the other, while they are in use.
    pub fn move_slots(&self, from: usize, to: usize, slots: usize) {
        let id = |node: usize| self.ask(node, &["CLUSTER", "MYID"]);
        let entry = format!("127.0.0.1:{}", self.nodes[from].port());
        let ends = ["--cluster-from", &id(from), "--cluster-to", &id(to)];
        let move_them = ["--cluster", "reshard", &entry, "--cluster-slots", &slots.to_string(), "--cluster-yes"];
        self.ask(from, &[&move_them[..], &ends].concat());
    }

    /// Kills a node. That its replica has taken over, [`RedisCluster::wait_until_ok`] waits for.
    pub fn kill(&mut self, node: usize) {
        self.nodes[node].kill();
    }

    /// Starts a node with the same data on the same port. Where no other is down, the cluster is well afterwards.
    pub fn start_again(&mut self, node: usize) {
        self.nodes[node].start_again();
        if self.nodes.iter().all(Redis::is_running) {
            self.wait_until_ok();
        }
    }

    /// Waits until each slot has a master that runs, and each node that runs knows that.
    pub fn wait_until_ok(&self) {
        wait_until("the state of the cluster is ok", || {
            let running = || (0..self.nodes.len()).filter(|node| self.nodes[*node].is_running());
            running().all(|node| self.ask(node, &["CLUSTER", "INFO"]).contains("cluster_state:ok"))
                && running().filter(|node| self.is_master(*node)).count() == MASTERS
        });
    }

    fn of(nodes: usize) -> RedisCluster {
        let more = [
            ("cluster-enabled", "yes"),
            ("cluster-announce-ip", "127.0.0.1"),
            // On a busy machine, a node that is slow is not dead.
            ("cluster-node-timeout", "5000"),
            ("repl-diskless-sync-delay", "0"),
        ];
        let settings = [Redis::DURABLE, &more].concat();
        let cluster = RedisCluster { nodes: (0..nodes).map(|_| Redis::start_with(&settings)).collect() };
        cluster.share_out();
        cluster.meet();
        cluster.replicate();
        cluster.wait_until_ok();
        cluster
    }

    /// Gives each master its slots, and each node an epoch: two of the same would have to be told apart first.
    fn share_out(&self) {
        for (node, redis) in self.nodes.iter().enumerate() {
            redis.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(node + 1).to_string()]);
            if node < MASTERS {
                let (first, end) = (node * SLOTS / MASTERS, (node + 1) * SLOTS / MASTERS);
                redis.ask(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &(end - 1).to_string()]);
            }
        }
    }

    /// Makes each node known to each.
    fn meet(&self) {
        let known = |node: &Redis| {
            let nodes = node.ask(&["CLUSTER", "NODES"]);
            let known = |line: &&str| line.contains(" connected") && !line.contains("handshake");
            nodes.lines().filter(known).count()
        };
        wait_until("the nodes know each other", || {
            let all = self.nodes.iter().all(|node| known(node) == self.nodes.len());
            if !all {
                // A handshake may fail on a busy machine; another does no harm.
                for other in &self.nodes[1..] {
                    self.ask(0, &["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string()]);
                }
                std::thread::sleep(std::time::Duration::from_millis(500));
            }
            all
        });
    }

    /// Makes the nodes after the masters their replicas.
    fn replicate(&self) {
        for (replica, master) in self.nodes[MASTERS..].iter().zip(&self.nodes) {
            let id = master.ask(&["CLUSTER", "MYID"]);
            replica.ask(&["CLUSTER", "REPLICATE", &id]);
        }
        let replicas = self.nodes.len() - MASTERS;
        wait_until("the replicas are up", || {
            let told = |node: &Redis| {
                let nodes = node.ask(&["CLUSTER", "NODES"]);
                nodes.lines().filter(|line| line.contains("slave ")).count() == replicas
            };
            let linked = |node: &Redis| node.ask(&["INFO", "replication"]).contains("master_link_status:up");
            self.nodes.iter().all(told) && self.nodes[MASTERS..].iter().all(linked)
        });
    }
}

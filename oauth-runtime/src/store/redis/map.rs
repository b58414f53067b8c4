//! Which server of a Cluster has which bucket.

use std::collections::HashMap;
use std::sync::Arc;

use redis::Value;

use crate::store::BUCKETS;
use crate::store::redis::node::Node;

/// The known servers, and what they have. Only the slots of our buckets are of interest.
#[derive(Default)]
pub(super) struct Map {
    owners: Vec<Option<Arc<Node>>>,
    /// By host and port, so that a server keeps its connections when the map is read again.
    nodes: HashMap<(String, u16), Arc<Node>>,
}

impl Map {
    pub(super) fn owner(&self, bucket: u16) -> Option<Arc<Node>> {
        self.owners.get(usize::from(bucket)).cloned().flatten()
    }

    pub(super) fn nodes(&self) -> Vec<Arc<Node>> {
        self.nodes.values().cloned().collect()
    }

    pub(super) fn node(&mut self, host: &str, port: u16, new: impl FnOnce() -> Node) -> Arc<Node> {
        let node = self.nodes.entry((host.to_owned(), port)).or_insert_with(|| Arc::new(new()));
        Arc::clone(node)
    }

    pub(super) fn moved(&mut self, bucket: u16, to: &Arc<Node>) {
        if let Some(owner) = self.owners.get_mut(usize::from(bucket)) {
            *owner = Some(Arc::clone(to));
        }
    }

    /// Uses what was read, and forgets servers without buckets. Calls under way keep theirs.
    pub(super) fn replace(&mut self, owners: Vec<Option<Arc<Node>>>) {
        self.nodes.retain(|_, node| owners.iter().flatten().any(|owner| Arc::ptr_eq(owner, node)));
        self.owners = owners;
    }
}

/// Slots that follow each other, and the master that has them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Range {
    slots: std::ops::RangeInclusive<u16>,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Range {
    /// Reads the answer to CLUSTER SLOTS; a server that does not know its own name is at `host`.
    pub(super) fn read(slots: &Value, host: &str) -> Option<Vec<Self>> {
        let Value::Array(ranges) = slots else { return None };
        let read = |range: &Value| {
            let Value::Array(range) = range else { return None };
            // The first of the servers is the master.
            let [Value::Int(from), Value::Int(to), Value::Array(master), ..] = &range[..] else { return None };
            let [name, Value::Int(port), ..] = &master[..] else { return None };
            let name = redis::from_redis_value_ref::<Option<String>>(name).ok()?;
            let name = name.filter(|name| !name.is_empty() && name != "?");
            Some(Range {
                slots: u16::try_from(*from).ok()?..=u16::try_from(*to).ok()?,
                host: name.unwrap_or_else(|| host.to_owned()),
                port: u16::try_from(*port).ok()?,
            })
        };
        ranges.iter().map(read).collect()
    }

    /// The buckets in these slots.
    pub(super) fn buckets(&self) -> impl Iterator<Item = u16> {
        (0..BUCKETS).filter(|bucket| self.slots.contains(&slot(*bucket)))
    }
}

/// The slot of a bucket: its number as decimal text is the hash tag of all its names.
fn slot(bucket: u16) -> u16 {
    crc16(bucket.to_string().as_bytes()) % SLOTS
}

/// CRC16 as in the Cluster specification (XMODEM).
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 })
    })
}

const SLOTS: u16 = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_cluster() {
        // The value of the specification, and what CLUSTER KEYSLOT answers.
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!((slot(0), slot(7), slot(1023)), (13907, 1716, 14911));
    }

    #[test]
    fn a_map_is_read() {
        let text = |text: &str| Value::BulkString(text.into());
        let range = |from, to, host, port| {
            let master = Value::Array(vec![host, Value::Int(port), text("id"), Value::Array(vec![])]);
            let replica = Value::Array(vec![text("10.0.0.9"), Value::Int(1), text("id"), Value::Array(vec![])]);
            Value::Array(vec![Value::Int(from), Value::Int(to), master, replica])
        };
        let slots = Value::Array(vec![range(0, 8191, text("10.0.0.1"), 6379), range(8192, 16383, Value::Nil, 7000)]);
        let ranges = Range::read(&slots, "localhost").expect("an answer of a server");
        assert_eq!(ranges[0], Range { slots: 0..=8191, host: "10.0.0.1".to_owned(), port: 6379 });
        assert_eq!(ranges[1], Range { slots: 8192..=16383, host: "localhost".to_owned(), port: 7000 });
        assert_eq!(ranges.iter().flat_map(Range::buckets).count(), usize::from(BUCKETS));
        assert_eq!(Range::read(&Value::Array(vec![range(0, 70_000, Value::Nil, 1)]), "localhost"), None);
        assert_eq!(Range::read(&Value::Nil, "localhost"), None);
    }
}

//! Public documents: each is written once, and again when its source has changed.

use std::sync::Arc;

use actix_web::web::Bytes;
use parking_lot::RwLock;
use serde_json::Value;

use crate::model::jwk::Algorithm;

/// A document, with its source.
pub(crate) struct Prepared<K>(RwLock<Option<Arc<(K, Bytes)>>>);

impl<K> Default for Prepared<K> {
    fn default() -> Self {
        Prepared(RwLock::new(None))
    }
}

impl<K: PartialEq> Prepared<K> {
    /// The document for this source. `written` returns the source it used, which may have changed in between.
    pub(super) fn of(&self, of: K, written: impl FnOnce(K) -> Option<(K, Value)>) -> Option<Bytes> {
        let held = self.0.read().clone();
        if let Some(held) = held.filter(|held| held.0 == of) {
            return Some(held.1.clone());
        }
        let (of, document) = written(of)?;
        let bytes = Bytes::from(serde_json::to_vec(&document).ok()?);
        *self.0.write() = Some(Arc::new((of, bytes.clone())));
        Some(bytes)
    }
}

/// All prepared documents. The rest of their content is configuration, and stays.
#[derive(Default)]
pub(crate) struct Documents {
    pub(super) metadata: Prepared<()>,
    /// By the algorithms of the author's own keys, which it names.
    pub(super) openid: Prepared<Vec<Algorithm>>,
    /// By the ids of the keys, each a hash of one.
    pub(super) keys: Prepared<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_written_again_only_where_what_it_is_of_has_changed() {
        let prepared = Prepared::default();
        let mut times = 0;
        let mut written = |of: u32| {
            prepared.of(of, |of| {
                times += 1;
                Some((of, json!({ "of": of })))
            })
        };
        for (of, text) in [(1, r#"{"of":1}"#), (1, r#"{"of":1}"#), (2, r#"{"of":2}"#), (1, r#"{"of":1}"#)] {
            assert_eq!(written(of).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(times, 3);
        assert_eq!(prepared.of(3, |_| None), None);
        // It changed while it was written, and must not be kept for the earlier source.
        assert!(prepared.of(3, |_| Some((4, json!({ "of": 4 })))).is_some());
        assert_eq!(prepared.of(3, |of| Some((of, json!({ "of": of })))).as_deref(), Some(&br#"{"of":3}"#[..]));
    }
}

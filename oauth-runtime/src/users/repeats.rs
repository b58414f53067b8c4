//! Answers that come twice.
//!
//! The code of an app is right only once. When its form is sent twice, by a double click, the author's function would
//! refuse the second, and the browser shows the answer to the second. So the answer to the first is given to the second
//! as well.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::Value;

use crate::event::request;
use crate::model::hash::sha256;
use crate::users::{NoAnswer, Outcome, SignIn};

/// What the author's function answered to the forms of the last minute, in this process.
#[derive(Default)]
pub(crate) struct Repeats(Mutex<HashMap<[u8; 32], Kept>>);

struct Kept {
    since: Instant,
    /// Held while the function is asked, so that a second one waits for its answer.
    outcome: Arc<tokio::sync::Mutex<Option<SignIn<Value>>>>,
}

impl Repeats {
    /// Asks the function, unless it gave a good answer to the same form with the same answer of the person's.
    pub(crate) async fn once(
        &self,
        form: &str,
        answer: &str,
        ask: impl Future<Output = Result<SignIn<Value>, NoAnswer>>,
    ) -> Result<SignIn<Value>, NoAnswer> {
        let Some(kept) = self.kept(form, answer) else { return ask.await };
        let mut kept = kept.lock().await;
        if let Some(outcome) = &*kept {
            return Ok(outcome.clone());
        }
        // A code may be used up by this: if its browser goes away, by a double click, the second form gets the answer.
        request::writes();
        let outcome = ask.await?;
        match &outcome.0 {
            Outcome::Done(_) | Outcome::Ask(_) => *kept = Some(outcome.clone()),
            // Each wrong try counts.
            Outcome::Refused(_) => {}
        }
        Ok(outcome)
    }

    /// `None` if there is no room: then the function is called each time.
    fn kept(&self, form: &str, answer: &str) -> Option<Arc<tokio::sync::Mutex<Option<SignIn<Value>>>>> {
        let key = sha256(&[form.as_bytes(), b"\0", answer.as_bytes()].concat());
        let now = Instant::now();
        let is_old = |kept: &Kept| now.duration_since(kept.since) >= REMEMBERED;
        let mut all = self.0.lock();
        let old: Vec<_> = if all.len() >= MOST { all.extract_if(|_, kept| is_old(kept)).collect() } else { Vec::new() };
        if all.len() >= MOST && !all.contains_key(&key) {
            return None;
        }
        let kept = all.entry(key).or_insert_with(|| Kept { since: now, outcome: Arc::default() });
        if is_old(kept) {
            *kept = Kept { since: now, outcome: Arc::default() };
        }
        let outcome = Arc::clone(&kept.outcome);
        drop(all);
        // Without the lock: so many answers take a while.
        drop(old);
        Some(outcome)
    }
}

/// How long a form may be answered again.
const REMEMBERED: Duration = Duration::from_secs(60);
const MOST: usize = 1_000;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn c41_the_same_answer_to_the_same_form_asks_once() {
        let (repeats, asked) = (Repeats::default(), AtomicUsize::new(0));
        // Right once, as a code of an app is.
        let ask = async || {
            let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            tokio::task::yield_now().await;
            Ok(if is_first { SignIn::done(json!({ "sub": "ada" })) } else { SignIn::refused() })
        };
        let both = join(repeats.once("form", "1", ask()), repeats.once("form", "1", ask())).await;
        for outcome in [both.0, both.1, repeats.once("form", "1", ask()).await] {
            assert!(matches!(outcome, Ok(SignIn(Outcome::Done(_)))));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        for (form, answer) in [("form", "2"), ("other", "1"), ("form", "2")] {
            let outcome = repeats.once(form, answer, ask()).await;
            assert!(matches!(outcome, Ok(SignIn(Outcome::Refused(_)))), "{form} {answer}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 4, "what was wrong is asked again");
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded_and_where_it_is_full_each_is_asked() {
        let repeats = Repeats::default();
        for form in 0..2 * MOST {
            let ask = async { Ok(SignIn::done(json!({}))) };
            assert!(repeats.once(&form.to_string(), "1", ask).await.is_ok());
        }
        assert_eq!(repeats.0.lock().len(), MOST);
    }
}

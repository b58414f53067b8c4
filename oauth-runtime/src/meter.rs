//! Numbers for a dashboard, through the facade [`metrics`](https://docs.rs/metrics): they go to the recorder that the
//! author installs. Without the feature `metrics` this file compiles to nothing.
//!
//! A label has few values, whatever the network sends: never a subject or a client.

#[cfg(feature = "metrics")]
use std::time::Instant;

/// The outcome of a call of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreOutcome {
    Answered,
    Full,
    Error,
    Timeout,
}

/// A method of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreVerb {
    Read,
    Swap,
    Count,
    Renew,
}

/// Describes each number to the recorder, if one is installed by now.
#[cfg(feature = "metrics")]
pub(crate) fn describe() {
    use metrics::Unit;
    for Row { name, text, .. } in NUMBERS {
        if name.ends_with("_seconds") {
            metrics::describe_histogram!(*name, Unit::Seconds, *text);
        } else {
            metrics::describe_counter!(*name, Unit::Count, *text);
        }
    }
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn describe() {}

/// Measures how long something takes.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(#[cfg(feature = "metrics")] Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Stopwatch(
            #[cfg(feature = "metrics")]
            Instant::now(),
        )
    }
}

/// Each label is a literal, so that measuring a guard costs no allocation.
#[cfg(feature = "metrics")]
impl Stopwatch {
    pub(crate) fn store_called(self, verb: StoreVerb, outcome: StoreOutcome) {
        macro_rules! histogram {
            ($verb:literal) => {
                match outcome {
                    StoreOutcome::Answered => histogram!($verb, "answered"),
                    StoreOutcome::Full => histogram!($verb, "full"),
                    StoreOutcome::Error => histogram!($verb, "error"),
                    StoreOutcome::Timeout => histogram!($verb, "timeout"),
                }
            };
            ($verb:literal, $outcome:literal) => {
                metrics::histogram!("oauth_store_call_duration_seconds", "verb" => $verb, "outcome" => $outcome)
            };
        }
        let histogram = match verb {
            StoreVerb::Read => histogram!("read"),
            StoreVerb::Swap => histogram!("swap"),
            StoreVerb::Count => histogram!("count"),
            StoreVerb::Renew => histogram!("renew"),
        };
        histogram.record(self.0.elapsed());
    }

    /// A request at one of the server's own URLs, whose path is configured.
    pub(crate) fn answered(self, path: &str, status: u16) {
        let endpoint = path.to_owned();
        metrics::counter!("oauth_requests_total", "endpoint" => endpoint.clone(), "status" => status.to_string())
            .increment(1);
        metrics::histogram!("oauth_request_duration_seconds", "endpoint" => endpoint).record(self.0.elapsed());
    }
}

#[cfg(not(feature = "metrics"))]
impl Stopwatch {
    pub(crate) fn store_called(self, _: StoreVerb, _: StoreOutcome) {}

    pub(crate) fn answered(self, _: &str, _: u16) {}
}

/// A guard decided; `refused_with` is the status of a refusal.
#[cfg(feature = "metrics")]
pub(crate) fn guard_decided(refused_with: impl FnOnce() -> Option<u16>) {
    macro_rules! count {
        ($outcome:literal) => {
            metrics::counter!("oauth_guard_decisions_total", "outcome" => $outcome).increment(1)
        };
    }
    match refused_with() {
        None => count!("admitted"),
        Some(400) => count!("malformed"),
        Some(401 | 429) => count!("unauthenticated"),
        Some(403) => count!("denied"),
        Some(_) => count!("failed"),
    }
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn guard_decided(_: impl FnOnce() -> Option<u16>) {}

/// An event was reported.
#[cfg(feature = "metrics")]
pub(crate) fn event_told(kind: &'static str, reason: Option<&'static str>) {
    metrics::counter!("oauth_events_total", "event" => kind).increment(1);
    let reason = reason.unwrap_or_default();
    match kind {
        "signed_in" | "second_factor_asked" | "second_factor_refused" => {
            metrics::counter!("oauth_sign_ins_total", "outcome" => kind).increment(1);
        }
        "sign_in_refused" => metrics::counter!("oauth_sign_ins_total", "outcome" => reason).increment(1),
        "token_issued" => metrics::counter!("oauth_tokens_issued_total", "grant" => reason).increment(1),
        "refreshed" => metrics::counter!("oauth_tokens_issued_total", "grant" => "refresh_token").increment(1),
        "throttled" => metrics::counter!("oauth_throttled_total", "limit" => reason).increment(1),
        _ => {}
    }
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn event_told(_: &'static str, _: Option<&'static str>) {}

/// The author's functions did not keep up.
#[cfg(feature = "metrics")]
pub(crate) fn event_dropped() {
    metrics::counter!("oauth_events_dropped_total").increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn event_dropped() {}

/// A number that exists.
#[cfg(feature = "metrics")]
struct Row {
    name: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "the page has them"))]
    labels: &'static [&'static str],
    text: &'static str,
}

#[cfg(feature = "metrics")]
const NUMBERS: &[Row] = &[
    Row { name: "oauth_requests_total", labels: &["endpoint", "status"], text: "Requests at the server's own URLs" },
    Row {
        name: "oauth_request_duration_seconds",
        labels: &["endpoint"],
        text: "How long a request at one of the server's own URLs took",
    },
    Row { name: "oauth_sign_ins_total", labels: &["outcome"], text: "What sign-ins came to" },
    Row { name: "oauth_tokens_issued_total", labels: &["grant"], text: "Access tokens, by the grant type" },
    Row { name: "oauth_guard_decisions_total", labels: &["outcome"], text: "What guards decided" },
    Row { name: "oauth_throttled_total", labels: &["limit"], text: "What a limit held up" },
    Row {
        name: "oauth_store_call_duration_seconds",
        labels: &["verb", "outcome"],
        text: "How long a call of the store took",
    },
    Row { name: "oauth_events_total", labels: &["event"], text: "Events, by their kind" },
    Row { name: "oauth_events_dropped_total", labels: &[], text: "Events that the functions of on_event did not get" },
];

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_number() {
        let page = include_str!("../docs/events.md");
        for Row { name, labels, text } in NUMBERS {
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            let row = format!("| `{name}` | {} | {text} |", labels.join(", "));
            assert!(page.contains(&row), "docs/events.md should say\n{row}");
        }
    }
}

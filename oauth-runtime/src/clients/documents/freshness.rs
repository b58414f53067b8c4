//! For how long a document may be kept (RFC 9111 §4.2.1).

use std::time::{Duration, SystemTime};

use reqwest::header::{self, HeaderMap};

/// What an answer says about how long it may be kept.
#[derive(Default)]
pub(super) struct Said<'a> {
    cache_control: Vec<&'a str>,
    age: Option<&'a str>,
    expires: Option<&'a str>,
    date: Option<&'a str>,
}

impl<'a> Said<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let one = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Said {
            cache_control: headers.get_all(header::CACHE_CONTROL).iter().filter_map(|it| it.to_str().ok()).collect(),
            age: one(header::AGE),
            expires: one(header::EXPIRES),
            date: one(header::DATE),
        }
    }
}

/// For how long a document is fresh, by its headers (RFC 9111 §4.2.1).
pub(super) fn freshness(said: &Said<'_>) -> Duration {
    let directives: Vec<String> = said
        .cache_control
        .iter()
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    if directives.iter().any(|directive| matches!(directive.as_str(), "no-store" | "no-cache")) {
        return SHORTEST;
    }
    let max_age = directives.iter().find_map(|directive| directive.strip_prefix("max-age="));
    let seconds = |text: &str| text.trim_matches('"').parse().map(Duration::from_secs).unwrap_or_default();
    let lifetime = match (max_age, said.expires) {
        (Some(max_age), _) => seconds(max_age),
        // RFC 9111 §5.3: an invalid date counts as past
        (None, Some(expires)) => match (http_date(expires), said.date.and_then(http_date)) {
            (Some(expires), date) => expires.duration_since(date.unwrap_or_else(SystemTime::now)).unwrap_or_default(),
            (None, _) => Duration::ZERO,
        },
        (None, None) => USUAL,
    };
    lifetime.saturating_sub(said.age.map(seconds).unwrap_or_default()).clamp(SHORTEST, LONGEST)
}

fn http_date(text: &str) -> Option<SystemTime> {
    text.parse::<actix_web::http::header::HttpDate>().ok().map(SystemTime::from)
}

/// So that a document that must not be kept costs one request for a sign-in, and not one for each of its steps.
pub(super) const SHORTEST: Duration = Duration::from_secs(60);
/// For this long the operators of a client cannot withdraw what their document says.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// If nothing is said.
const USUAL: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_kept_by_its_headers_between_a_minute_and_a_day() {
        let control = |text: &'static str| freshness(&Said { cache_control: vec![text], ..Said::default() }).as_secs();
        for (text, seconds) in [
            ("max-age=600", 600),
            ("public, Max-Age=\"7200\"", 7200),
            ("max-age=5", 60),
            ("max-age=99999999", 86_400),
            ("max-age=99999999999999999999999", 60),
            ("max-age=-1", 60),
            ("no-store", 60),
            ("max-age=600, no-cache", 60),
            ("s-maxage=10", 3600),
        ] {
            assert_eq!(control(text), seconds, "{text}");
        }
        let aged = Said { cache_control: vec!["max-age=600"], age: Some("500"), ..Said::default() };
        assert_eq!(freshness(&aged).as_secs(), 100);
        let date = Some("Thu, 26 Nov 2026 08:00:00 GMT");
        let expires = |text| freshness(&Said { expires: Some(text), date, ..Said::default() }).as_secs();
        assert_eq!(expires("Thu, 26 Nov 2026 08:10:00 GMT"), 600);
        assert_eq!(expires("0"), 60);
        assert_eq!(expires("Thu, 26 Nov 2020 08:10:00 GMT"), 60);
        assert_eq!(freshness(&Said::default()).as_secs(), 3600);
    }
}

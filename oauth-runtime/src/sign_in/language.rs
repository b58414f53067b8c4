//! The language of the pages: what the client asks for, else what the browser prefers, else English.

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::model::form::{BadParameter, Parameters};
use crate::pages::Texts;
use crate::server::Server;

/// The language that the browser prefers among the available ones.
pub(crate) fn of<'a>(request: &HttpRequest, server: &'a Server) -> &'a Texts {
    server.texts(preferred(request, server).as_deref())
}

/// What an authorization request says of it, at any length: a browser may have many languages, and OpenID Connect Core
/// §3.1.2.1 has no error for those that are not here.
pub(crate) fn named<'a>(parameters: &'a Parameters<'_>) -> Result<Option<&'a str>, BadParameter> {
    parameters.get("ui_locales", usize::MAX)
}

/// The language for an authorization request (`ui_locales`, OpenID Connect Core §3.1.2.1).
pub(crate) fn asked(request: &HttpRequest, server: &Server, ui_locales: Option<&str>) -> Option<String> {
    let asked = ui_locales.unwrap_or_default().split(' ').filter(|tag| !tag.is_empty());
    best(asked, server).or_else(|| preferred(request, server))
}

fn preferred(request: &HttpRequest, server: &Server) -> Option<String> {
    let header = request.headers().get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut ranges: Vec<(&str, f32)> = header
        .split(',')
        .take(MOST_RANGES)
        .filter_map(|range| {
            let (tag, quality) = range.split_once(';').unwrap_or((range, "q=1"));
            let quality = quality.trim().strip_prefix("q=")?.parse::<f32>().ok()?;
            (quality > 0.0).then(|| (tag.trim(), quality))
        })
        .collect();
    // RFC 9110 §12.4.2; the sort is stable, so that equals keep their order
    ranges.sort_by(|a, b| b.1.total_cmp(&a.1));
    best(ranges.into_iter().map(|(tag, _)| tag), server)
}

/// RFC 4647 §3.4: each in turn, shortened from its end until one matches.
fn best<'t>(tags: impl Iterator<Item = &'t str>, server: &Server) -> Option<String> {
    for mut tag in tags.take(MOST_RANGES) {
        loop {
            if let Some(texts) = server.languages().find(|texts| texts.language.eq_ignore_ascii_case(tag)) {
                return Some(texts.language.to_string());
            }
            match tag.rsplit_once('-') {
                Some((shorter, _)) => tag = shorter,
                None => break,
            }
        }
    }
    None
}

const MOST_RANGES: usize = 16;

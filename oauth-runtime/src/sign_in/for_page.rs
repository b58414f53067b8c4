//! A sign-in for a page of the application itself, without a client: the browser goes back to that page.

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::code::{AuthorizationRequest, Prompt, Requirements};
use crate::model::form::Parameters;
use crate::model::own_page::PageRequest;
use crate::model::session::{By, Session};
use crate::response::see_other;
use crate::seal::{NotOpened, NotSealed, Sealable as _};
use crate::server::Server;
use crate::server::paths::Url;
use crate::sign_in::begin::{Presented, begin};
use crate::sign_in::language;
use crate::sign_in::request::{Authorization, signed_in_since};

/// The URL at which a browser signs in for this page. It is sealed, so that no one else can choose where it leads back
/// to.
pub(crate) fn url(server: &Server, request: &PageRequest) -> Result<String, Reason> {
    let now = server.now();
    let sealed = server.sealer().seal(request, now, now + PageRequest::LIFETIME);
    let sealed = sealed.map_err(|(NotSealed::TooLarge | NotSealed::Failed)| Reason::Internal)?;
    Ok(format!("{}?{PAGE}={sealed}", server.path(Url::Login)))
}

/// Sends the browser back if its session is enough, and else shows the sign-in page. Without a page, the root is meant.
pub(crate) async fn asked(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    // A form must be posted: a URL, with a password in it, would be in histories and logs.
    if parameters.get("request", usize::MAX)?.is_some() {
        return Err(Reason::FormForged);
    }
    // Without sessions this would have no effect.
    if server.sessions().is_none() {
        return Err(Reason::NotSignedIn);
    }
    let PageRequest { page, anew, acr } = match parameters.get(PAGE, PageRequest::MAX_BYTES)? {
        None => PageRequest::default(),
        Some(sealed) => match server.sealer().open::<PageRequest>(sealed, server.now()) {
            Ok(opened) => opened.value,
            Err(NotOpened::Forged) => return Err(Reason::FormForged),
            Err(NotOpened::Expired) => {
                let late = server.sealer().open_at_any_age::<PageRequest>(sealed).map_err(|_| Reason::FormForged)?;
                return Ok(see_other(late.page.as_str().to_owned()));
            }
        },
    };
    let prompt = if anew { vec![Prompt::Login] } else { Vec::new() };
    let mut requirements =
        Requirements { prompt, acr, language: language::asked(http, server, None), ..Requirements::default() };
    requirements.signed_in_since = signed_in_since(server, &requirements);
    let request = AuthorizationRequest {
        without_refresh: true,
        page: Some(page),
        ..AuthorizationRequest::of_own_page(server.issuer().origin().to_owned(), requirements)
    };
    let authorization = Authorization::of(server, request).await?;
    let session = Presented { shown: Session::of(http, server).await?, may_speak: true };
    begin(server, http, authorization, session, By::Session).await
}

/// The parameter of the URL.
const PAGE: &str = "page";

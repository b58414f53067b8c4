//! What the guards demand, in the OpenAPI document that the crate `utoipa` makes of an application.
//!
//! Guards and handlers are written by different macros, and neither sees the other: the policy map and the document are brought
//! together here.

mod demand;
pub(crate) mod operations;
pub(crate) mod requirement;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::security::{
    AuthorizationCode, Flow, OAuth2, OpenIdConnect, Scopes, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, OpenApi, Response};

use crate::openapi::operations::{operations_mut, paired, template};
use crate::openapi::requirement::{OAUTH2, Requirements};
use crate::policy::{Policy, Rule};
use crate::server::OAuthService;
use crate::server::paths::Url;

const OPENID_CONNECT: &str = "openIdConnect";

impl OAuthService {
    /// Adds to an OpenAPI document how clients get a token, and what each guarded operation demands of it.
    ///
    /// - The security scheme `oauth2`: the authorization code flow with its URLs and the scopes of [`Builder::scope`](crate::Builder::scope).
    ///   With the scope `openid` the scheme `openIdConnect`, too. Schemes of these names are replaced.
    /// - For each guarded operation: `oauth2` with the scopes that the guard demands, and the responses 401 and 403
    ///   (403 if the guard demands more than a token). What you wrote yourself is kept: responses stay as they are, and
    ///   your `security` is demanded together with the guard's.
    ///
    /// The guard of an operation is found by method and path, before which a scope around the handler may add a prefix.
    /// If several fit, the `operationId` decides, for which `#[utoipa::path]` uses the name of the handler: if two
    /// handlers share a name, give each an `operation_id` with its module, such as `notes_list`. A policy around a
    /// scope has no path: add it with [`OAuthService::document_below`]. To test that nothing differs, use
    /// `testing::coverage(app).await.assert_documented(&openapi)`.
    ///
    /// ```standalone_crate
    /// use actix_web::{App, get};
    /// use oauth_runtime::{Client, Login, OAuthService, require_claim};
    /// use utoipa_actix_web::{AppExt, scope};
    ///
    /// #[utoipa::path(responses((status = 200, description = "A note")))]
    /// #[require_claim(scope = "notes:read", sub = path.owner)]
    /// #[get("/notes/{owner}")]
    /// async fn note() -> &'static str { "a note" }
    ///
    /// # fn main() {
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .scope("notes:read", "Read notes")
    ///     .authenticate_blocking(|login: Login| Some(serde_json::json!({ "sub": login.username })))
    ///     .build()
    ///     .unwrap();
    /// let app = App::new().configure(oauth.routes()).into_utoipa_app();
    /// let (app, openapi) = app.service(scope("/api").service(note)).split_for_parts();
    /// # let _ = app;
    ///
    /// let document = serde_json::to_value(oauth.document(openapi)).unwrap();
    /// let operation = &document["paths"]["/api/notes/{owner}"]["get"];
    /// assert_eq!(operation["security"], serde_json::json!([{ "oauth2": ["notes:read"] }]));
    /// assert_eq!(operation["responses"].as_object().unwrap().len(), 3);
    /// # }
    /// ```
    #[must_use]
    pub fn document(&self, mut openapi: OpenApi) -> OpenApi {
        self.add_schemes(&mut openapi);
        let everywhere = openapi.security.take();
        for (place, guards) in paired(&openapi) {
            let rules: Vec<&Rule> = guards.iter().map(|guard| &guard.rule).collect();
            let found = operations_mut(&mut openapi).find(|(path, method, _)| place.is(path, method));
            if let Some((_, _, operation)) = found {
                demand(operation, everywhere.as_deref(), &rules);
            }
        }
        openapi.security = everywhere;
        openapi
    }

    /// The same for a policy that is wrapped around a scope: every operation of the document whose path begins with that of the scope
    /// demands it, in addition to what [`OAuthService::document`] found.
    ///
    /// ```standalone_crate
    /// use actix_web::get;
    /// use oauth_runtime::{Policy, policy};
    /// use utoipa::OpenApi;
    ///
    /// const AUDITORS: Policy = policy!(role = "auditor", scope = "audit");
    ///
    /// #[utoipa::path(path = "/audit/log", responses((status = 200, description = "Who did what")))]
    /// #[get("/log")] // in `web::scope("/audit").service(log).wrap(oauth.require(AUDITORS))`
    /// async fn log() -> &'static str { "who did what" }
    ///
    /// #[derive(OpenApi)]
    /// #[openapi(paths(log))]
    /// struct Api;
    ///
    /// # #[cfg(feature = "testing")]
    /// # fn main() {
    /// # let oauth = oauth_runtime::testing::service();
    /// let document = oauth.document_below("/audit", AUDITORS, oauth.document(Api::openapi()));
    /// let document = serde_json::to_value(document).unwrap();
    /// assert_eq!(document["paths"]["/audit/log"]["get"]["security"], serde_json::json!([{ "oauth2": ["audit"] }]));
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn document_below(&self, scope: &str, policy: Policy, mut openapi: OpenApi) -> OpenApi {
        self.add_schemes(&mut openapi);
        let everywhere = openapi.security.take();
        let scope = template(scope.trim_end_matches('/'));
        for (path, _, operation) in operations_mut(&mut openapi) {
            let below = template(path).strip_prefix(&scope).map(str::to_owned);
            if below.is_some_and(|below| below.is_empty() || below.starts_with('/')) {
                demand(operation, everywhere.as_deref(), &[policy.rule()]);
            }
        }
        openapi.security = everywhere;
        openapi
    }

    fn add_schemes(&self, openapi: &mut OpenApi) {
        let server = self.server();
        let url = |url: Url| format!("{}{}", server.issuer().origin(), server.path(url));
        let described = |scope| server.described_one(scope, server.texts(None)).unwrap_or_default();
        let scopes = Scopes::from_iter(server.scopes().map(|scope| (scope, described(scope))));
        let mut flow = AuthorizationCode::new(url(Url::Authorize), url(Url::Token), scopes);
        // OpenAPI 3.1, OAuth Flow Object: the URL that refreshes tokens is the one that issues them (RFC 6749 §6).
        flow.refresh_url = server.refreshing().map(|_| url(Url::Token));
        let components = openapi.components.get_or_insert_with(Components::new);
        let flow = Flow::AuthorizationCode(flow);
        components.add_security_scheme(OAUTH2, SecurityScheme::OAuth2(OAuth2::new([flow])));
        if server.paths().registered().any(|placed| placed.row.url == Url::OpenId) {
            let discovery = format!("{}/.well-known/openid-configuration", server.issuer().as_str());
            let scheme = SecurityScheme::OpenIdConnect(OpenIdConnect::new(discovery));
            components.add_security_scheme(OPENID_CONNECT, scheme);
        }
    }
}

/// Adds what these rules demand, and the answers of a guard, to an operation.
fn demand(operation: &mut Operation, everywhere: Option<&[SecurityRequirement]>, rules: &[&Rule]) {
    let rules: Vec<&Rule> = rules.iter().copied().filter(|rule| !matches!(rule, Rule::Public)).collect();
    if rules.is_empty() {
        return;
    }
    // The document's `security` applies only to operations without their own.
    let written = Requirements::read(operation.security.as_deref().or(everywhere));
    operation.security = Some(written.and(&Requirements::of(&rules)).write());
    let responses = &mut operation.responses.responses;
    // RFC 6750 §3.1, and RFC 9470 §3
    let unauthorized = "No valid access token, or one of a sign-in that is too old or too weak";
    responses.entry("401".to_owned()).or_insert_with(|| refusal(unauthorized).into());
    if rules.iter().any(|rule| !matches!(rule, Rule::Token)) {
        responses.entry("403".to_owned()).or_insert_with(|| refusal("The token does not permit this").into());
    }
}

/// Without a body, which the author may choose ([`Builder::refusal_body`](crate::Builder::refusal_body)).
fn refusal(description: &str) -> Response {
    let challenge = HeaderBuilder::new()
        .schema(Some(Object::with_type(Type::String)))
        .description(Some("What to change: the error, and the scope to ask for (RFC 6750)"))
        .build();
    ResponseBuilder::new().description(description).header("WWW-Authenticate", challenge).build()
}

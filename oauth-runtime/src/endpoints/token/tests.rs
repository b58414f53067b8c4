//! Second looks at what an earlier step has decided: over HTTP that step answers first.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};

use crate::endpoints::token::access_token::{Access, IssuedBy};
use crate::endpoints::token::caller::Caller;
use crate::endpoints::token::refresh_token;
use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::as_of::AsOf;
use crate::model::ceiling::Wanted;
use crate::model::client::RegisteredClient;
use crate::model::code::{AuthorizationCode, uri_digest};
use crate::model::refresh::RefreshToken;
use crate::model::resource::Resources;
use crate::model::session::Authentication;
use crate::model::{Scope, Timestamp};
use crate::seal::NotOpened;
use crate::server::Server;
use crate::server::granting::InTheNameOf;
use crate::store::Key;
use crate::{Client, Login, OAuthService};

const BACK: &str = "https://spa.example/cb";

fn service() -> OAuthService {
    let builder = OAuthService::builder().untyped_claims().issuer("https://here.example").direct_peers();
    builder
        .secret("6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=")
        .client(Client::public("spa").redirect_uri(BACK))
        .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
        .reload(async |_: &str| Some(json!({})))
        .build()
        .expect("a service")
}

async fn spa(server: &Server) -> Arc<RegisteredClient> {
    server.clients().find("spa").await.expect("an answer").expect("it is listed")
}

async fn as_of(server: &Server) -> AsOf {
    server.ledger().view(Key::of_subject("ada")).await.expect("an answer").as_of()
}

fn signed_in(server: &Server, as_of: AsOf, until: Option<Timestamp>) -> Authentication {
    Authentication { at: server.now(), amr: Vec::new(), acr: None, session: None, until, as_of }
}

fn code(authentication: Authentication) -> AuthorizationCode {
    AuthorizationCode {
        grant: "grant".to_owned(),
        client_id: "spa".to_owned(),
        redirect_uri: uri_digest(BACK),
        scope: Scope::default(),
        resources: Resources::default(),
        nonce: None,
        in_id_token: Vec::new(),
        challenge: None,
        key: None,
        subject: "ada".to_owned(),
        claims: Map::new(),
        without_refresh: false,
        authentication,
    }
}

/// The end of a session is remembered until then, and what would outlive that could be valid again.
#[tokio::test]
async fn c42_no_refresh_token_outlives_its_sign_in() {
    let oauth = service();
    let (server, client) = (oauth.server(), spa(oauth.server()).await);
    let (as_of, now) = (as_of(server).await, server.now());
    let family = |code: &AuthorizationCode| refresh_token::family(server, &client, code, true, now);
    for until in [now + Duration::from_secs(1), now + Duration::from_secs(60)] {
        let code = code(signed_in(server, as_of, Some(until)));
        let begun = family(&code).expect("a family");
        let caller = Caller { client: &client, proof: None };
        let issued = IssuedBy { as_of, at: now };
        let token = refresh_token::first(server, caller, &code, &begun, issued).expect("a token");
        let opened = server.sealer().open::<RefreshToken>(&token, now).expect("it is valid");
        assert_eq!((opened.expires_at, opened.value.ends_at), (until, until));
        let late = server.sealer().open::<RefreshToken>(&token, until).map(drop);
        assert_eq!(late, Err(NotOpened::Expired));
    }
    assert!(family(&code(signed_in(server, as_of, None))).is_some(), "until its own lifetime is over");
    assert!(family(&code(signed_in(server, as_of, Some(now)))).is_none(), "nothing is left of the sign-in");
}

/// RFC 9700 §4.15.1
#[tokio::test]
async fn c22_no_token_of_a_user_names_a_client_as_its_subject() {
    let oauth = service();
    let (server, client) = (oauth.server(), spa(oauth.server()).await);
    let authentication = signed_in(server, as_of(server).await, None);
    for (subject, expected) in [("ada", Ok(())), ("spa", Err(Reason::ClaimsUnusable))] {
        let (claims, resources) = (Map::new(), Resources::default());
        let user = InTheNameOf::User { subject: "ada", claims: &claims };
        let granted = server.grant(&client, &Scope::default(), Wanted::Asked(&resources), user).expect("it is granted");
        let access = Access {
            told: Fact::of(EventKind::TokenIssued),
            grant: "grant",
            client: &client,
            proof: None,
            subject,
            granted,
            // Since the sign-in a client of this name may have been registered.
            authentication: Some(&authentication),
            is_renewable: false,
            claims,
            nonce: None,
            in_id_token: &[],
        };
        assert_eq!(access.checked(server).await.map(drop), expected);
    }
}

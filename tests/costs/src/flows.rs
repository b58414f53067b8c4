//! What takes several requests, and what clients ask of the server: a whole sign-in, a refresh, an introspection. Each over
//! HTTP, on one connection.

use actix_web::web::{Data, ServiceConfig};
use oauth_runtime::{Builder, Client, Keys, OAuthService, SigningKey};
use serde_json::Value;

use crate::oxide;
use crate::rows::{PATH, admin, service, user};
use crate::wire::{Answer, Connection, form};
use crate::{CHALLENGE, MARK, REDIRECT, SECRET, VERIFIER, keys};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Four requests: the sign-in page, the password, the code, and a guarded handler.
    SignIn,
    /// Two requests: a browser with a session is sent on with a code, and the code.
    Session,
    /// One request; each uses the refresh token of the one before.
    Refresh,
    /// A resource server asks about a token that a guard here has seen, and proves itself by a secret.
    Introspect,
    /// Likewise of a client that gives its own token back; all but the first find its grant ended.
    Revoke,
    Metadata,
    Jwks,
}

/// By which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Ours, with keys of this kind.
    Hs256,
    Es256,
    EdDsa,
    Rs256,
    /// By ES256, and an ID token as well.
    OpenId,
    /// The tokens of `oxide-auth-actix` are random, and one that refreshes comes with each.
    Oxide,
}

/// From the table below: what is measured, its name on the command line, what is done, and by which server.
macro_rules! flows {
    ($($flow:ident, $name:literal, $what:ident, $by:ident;)+) => {
        /// What is measured.
        #[allow(missing_docs, reason = "the table says it")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Flow { $($flow),+ }

        impl Flow {
            /// All of them, in the order of a table.
            pub const ALL: &[Flow] = &[$(Flow::$flow),+];

            /// One word, for command lines.
            pub fn name(self) -> &'static str {
                match self { $(Flow::$flow => $name),+ }
            }

            fn what(self) -> What {
                match self { $(Flow::$flow => What::$what),+ }
            }

            fn by(self) -> By {
                match self { $(Flow::$flow => By::$by),+ }
            }
        }
    };
}

flows! {
    SignIn, "flow", SignIn, Hs256;
    SignInEs256, "flow-es256", SignIn, Es256;
    SignInEdDsa, "flow-eddsa", SignIn, EdDsa;
    SignInRs256, "flow-rs256", SignIn, Rs256;
    SignInOpenId, "flow-openid", SignIn, OpenId;
    SignInOxide, "flow-oxide", SignIn, Oxide;
    Session, "session", Session, Hs256;
    SessionEs256, "session-es256", Session, Es256;
    Refresh, "refresh", Refresh, Hs256;
    RefreshEs256, "refresh-es256", Refresh, Es256;
    RefreshOxide, "refresh-oxide", Refresh, Oxide;
    Introspect, "introspect", Introspect, Hs256;
    IntrospectEs256, "introspect-es256", Introspect, Es256;
    Revoke, "revoke", Revoke, Hs256;
    RevokeEs256, "revoke-es256", Revoke, Es256;
    Metadata, "metadata", Metadata, Hs256;
    Jwks, "jwks", Jwks, Es256;
}

impl Flow {
    /// That of this name.
    pub fn named(name: &str) -> Option<Flow> {
        Flow::ALL.iter().copied().find(|flow| flow.name() == name)
    }

    /// Whether all of it is of one user, who is held up after some thousand times in a minute.
    pub fn is_of_one_user(self) -> bool {
        self.what() == What::Session
    }

    /// The server that it is measured at.
    pub fn site(self) -> Site {
        let key = match self.by() {
            By::Oxide => return Site::Oxide(oxide::state()),
            // Derived from the secret.
            By::Hs256 | By::OpenId => None,
            By::Es256 => Some(SigningKey::generate().unwrap()),
            By::EdDsa => Some(SigningKey::from_jwk(ED25519).unwrap()),
            By::Rs256 => Some(keys::rsa()),
        };
        let issuer = self.issuer();
        Site::Ours(match self.what() {
            What::Session | What::Refresh => {
                service(&issuer, |builder| self.configured(builder, key).reload(async |name: &str| Some(user(name))))
            }
            What::SignIn | What::Introspect | What::Revoke | What::Metadata | What::Jwks => {
                service(&issuer, |builder| self.configured(builder, key))
            }
        })
    }

    fn configured(self, builder: Builder, key: Option<SigningKey>) -> Builder {
        let web = Client::confidential("web").secret(SECRET).redirect_uri("http://127.0.0.1/callback");
        let builder = builder.client(web.resource_server(self.issuer()));
        let builder = if self.by() == By::OpenId { builder.scope(OPENID, "Know who you are") } else { builder };
        match key {
            Some(key) => builder.keys(Keys::new(key)),
            None => builder,
        }
    }

    /// Two services of one issuer in a process log an error.
    fn issuer(self) -> String {
        format!("http://127.0.0.1:{}", 8100 + self as u16)
    }
}

/// A server, ours or another.
#[derive(Clone)]
pub enum Site {
    /// One of this project.
    Ours(OAuthService),
    /// One of oxide-auth-actix.
    Oxide(Data<oxide::State>),
}

impl Site {
    /// What it puts into its `App`, with a guarded handler.
    pub fn configure(&self) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static + use<> {
        let site = self.clone();
        move |app| match &site {
            Site::Ours(oauth) => {
                app.configure(oauth.routes()).service(admin);
            }
            Site::Oxide(state) => oxide::configure(app, state),
        }
    }
}

/// A browser and a client, whose own work costs the server nothing.
pub struct Caller {
    flow: Flow,
    connection: Connection,
    /// What was issued last.
    issued: Value,
    /// The header that the browser sends once it has signed in.
    cookies: String,
    /// How often it signed in: each time as another user, since no one signs in a hundred times in an hour.
    times: u32,
}

impl Caller {
    /// Connects, and signs in where a token is needed.
    pub fn new(flow: Flow, base: &str) -> Caller {
        let mut caller =
            Caller { flow, connection: Connection::new(base), issued: Value::Null, cookies: String::new(), times: 0 };
        match flow.what() {
            What::Session | What::Refresh => caller.sign_in(),
            What::Introspect | What::Revoke => {
                caller.sign_in();
                caller.use_token();
            }
            What::SignIn | What::Metadata | What::Jwks => {}
        }
        caller
    }

    /// Does once what is measured.
    pub fn once(&mut self) {
        match self.flow.what() {
            What::SignIn => {
                self.sign_in();
                self.use_token();
            }
            What::Session => self.go_on(),
            What::Refresh => self.refresh(),
            What::Introspect => {
                let answer = self.about_token("/introspect");
                assert!(answer.body.contains("\"active\":true"), "{}", answer.body);
            }
            What::Revoke => {
                self.about_token("/revoke");
            }
            What::Metadata => self.look_up("/.well-known/oauth-authorization-server"),
            What::Jwks => self.look_up("/.well-known/jwks.json"),
        }
    }

    /// From the authorization request to the tokens.
    fn sign_in(&mut self) {
        let query = self.query();
        let user = format!("alice{:06}", self.times);
        self.times += 1;
        let page = self.connection.get(&format!("/authorize?{query}"), "").expect(200);
        let sent_on = match self.flow.by() {
            By::Oxide => {
                let login = form(&[("username", &user), ("password", "x")]);
                self.connection.post(&format!("/authorize?{query}"), "", &login).expect(302)
            }
            By::Hs256 | By::Es256 | By::EdDsa | By::Rs256 | By::OpenId => {
                let sealed = page.body.split_once("name=\"request\" value=\"").unwrap().1.split('"').next().unwrap();
                let cookie = page.header("set-cookie").split(';').next().unwrap();
                let login = form(&[("request", sealed), ("username", &user), ("password", "x")]);
                let headers = format!("Cookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n");
                self.connection.post("/login", &headers, &login).expect(303)
            }
        };
        self.cookies = format!("Cookie: {}\r\n", sent_on.cookies().join("; "));
        self.redeem(&sent_on);
    }

    /// The same in a browser with a session.
    fn go_on(&mut self) {
        let sent_on = self.connection.get(&format!("/authorize?{}", self.query()), &self.cookies).expect(303);
        self.redeem(&sent_on);
    }

    fn query(&self) -> String {
        let mut query = form(&[
            ("response_type", "code"),
            ("client_id", self.client()),
            ("redirect_uri", REDIRECT),
            ("state", "xyz"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        if self.flow.by() == By::OpenId {
            query += "&scope=openid";
        }
        query
    }

    /// The code in this answer.
    fn redeem(&mut self, sent_on: &Answer) {
        let location = url::Url::parse(sent_on.header("location")).unwrap();
        let code = location.query_pairs().find(|(name, _)| name == "code").unwrap().1;
        self.ask_for_tokens(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("redirect_uri", REDIRECT),
                ("code", &code),
                ("code_verifier", VERIFIER),
            ],
        );
    }

    fn refresh(&mut self) {
        let token = self.issued["refresh_token"].as_str().unwrap().to_owned();
        let path = if self.flow.by() == By::Oxide { "/refresh" } else { "/token" };
        self.ask_for_tokens(path, &[("grant_type", "refresh_token"), ("refresh_token", &token)]);
    }

    fn ask_for_tokens(&mut self, path: &str, parameters: &[(&str, &str)]) {
        let answer = self.connection.post(path, "", &self.proven(parameters)).expect(200);
        self.issued = serde_json::from_str(&answer.body).unwrap();
    }

    /// Asks a guarded handler.
    fn use_token(&mut self) {
        let authorization = format!("Authorization: Bearer {}\r\n", self.access_token());
        self.connection.get(PATH, &authorization).expect(200);
    }

    fn about_token(&mut self, path: &str) -> Answer {
        let body = self.proven(&[("token", self.access_token())]);
        self.connection.post(path, "", &body).expect(200)
    }

    /// Asks for a mark in the profile of the server's worker.
    pub(crate) fn mark(&mut self) {
        self.look_up(MARK);
    }

    fn look_up(&mut self, path: &str) {
        self.connection.get(path, "").expect(200);
    }

    fn access_token(&self) -> &str {
        self.issued["access_token"].as_str().unwrap()
    }

    fn client(&self) -> &'static str {
        match self.flow.what() {
            What::Session | What::Introspect | What::Revoke => "web",
            What::SignIn | What::Refresh | What::Metadata | What::Jwks => "demo",
        }
    }

    /// A form that says which client it is from.
    fn proven(&self, parameters: &[(&str, &str)]) -> String {
        let client = self.client();
        let proof = [("client_id", client), ("client_secret", SECRET)];
        form(&[parameters, if client == "web" { &proof } else { &proof[..1] }].concat())
    }
}

const OPENID: &str = "openid";
/// RFC 8037, appendix A.1.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

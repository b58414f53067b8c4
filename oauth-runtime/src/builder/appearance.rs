//! What the pages look like and say.

use std::sync::Arc;

use crate::builder::error::BuildError;
use crate::builder::state::Reloads;
use crate::builder::{Builder, Settings};
use crate::model::issuer::{Issuer, is_plain_path};
use crate::pages::{Brand, Logo, Pages, Texts, stylesheet};
use crate::server::Appearance;
use crate::server::paths::{Paths, Url};

/// # Pages
impl<S> Builder<S> {
    /// A further language of the pages, besides English: call it once for each. A client asks for it with `ui_locales`,
    /// else the browser's preference counts.
    ///
    /// ```
    /// use oauth_runtime::{OAuthService, Texts};
    ///
    /// let oauth = OAuthService::builder().language(Texts::german()).language(Texts {
    ///     language: "nl".into(),
    ///     sign_in: "Inloggen".into(),
    ///     // .. whatever is left out stays English ..
    ///     ..Texts::english()
    /// });
    /// # let _ = oauth;
    /// ```
    pub fn language(mut self, texts: Texts) -> Self {
        self.settings.languages.push(texts);
        self
    }

    /// What the pages call this service. Default: the issuer's host.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// The colour of the pages, as `#rrggbb`. Text on it stays legible, whatever the colour. Default: `#2b59c3`.
    ///
    /// ```
    /// # use oauth_runtime::{BuildError, Client, Login, OAuthService};
    /// # use serde_json::json;
    /// # let builder = OAuthService::builder().issuer("http://127.0.0.1:8000");
    /// # let builder = builder.client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"));
    /// # let builder = builder.authenticate(async |login: Login| Some(json!({ "sub": login.username })));
    /// assert!(matches!(builder.accent("blue").build(), Err(BuildError::Accent(_))));
    /// ```
    pub fn accent(mut self, colour: impl Into<String>) -> Self {
        self.settings.accent = Some(colour.into());
        self
    }

    /// The image on the pages.
    pub fn logo(mut self, logo: Logo) -> Self {
        self.settings.look.logo = Some(logo);
        self
    }

    /// Adds a page, `/account`, on which users see where they are signed in and which applications have access, and can
    /// end either. The session opens it, so it needs [sessions](Builder::sessions). Link to it from your pages.
    pub fn account_page(mut self) -> Self
    where
        S: Reloads,
    {
        self.settings.account_page = true;
        self
    }

    /// A link on the sign-in page to a page of yours, such as "Forgot password?" or "Create an account": call it once for
    /// each. The path is on this origin.
    ///
    /// The browser requests it as `/path?request=..`. [`OAuthService::pending`](crate::OAuthService::pending) opens
    /// that request, and [`PendingAuthorization::finish`](crate::PendingAuthorization::finish) completes it with the
    /// user that your page created or found, who goes on to the application that they came from.
    ///
    /// ```
    /// use oauth_runtime::{OAuthService, Texts};
    ///
    /// let oauth = OAuthService::builder()
    ///     .link("Forgot password?", "/forgot")
    ///     .link("Create an account", "/sign-up")
    ///     .language(Texts::german().describe("/forgot", "Passwort vergessen?").describe("/sign-up", "Konto anlegen"));
    /// # let _ = oauth;
    /// ```
    pub fn link(mut self, label: impl Into<String>, path: impl Into<String>) -> Self {
        self.settings.links.push((label.into(), path.into()));
        self
    }

    /// The address of the terms of use, to which every page links: an https URL, or a path on this origin.
    ///
    /// ```
    /// # use actix_web::{App, test};
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # use serde_json::json;
    /// # #[actix_web::main]
    /// # async fn main() {
    /// # let builder = OAuthService::builder().issuer("http://127.0.0.1:8000");
    /// # let builder = builder.client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"));
    /// # let builder = builder.authenticate(async |login: Login| Some(json!({ "sub": login.username })));
    /// let oauth = builder.terms("/terms").build().unwrap();
    /// let app = test::init_service(App::new().configure(oauth.routes())).await;
    ///
    /// let page = test::call_and_read_body(&app, test::TestRequest::get().uri("/authorize").to_request()).await;
    /// assert!(str::from_utf8(&page).unwrap().contains("<a href=\"/terms\""));
    /// # }
    /// ```
    pub fn terms(mut self, address: impl Into<String>) -> Self {
        self.settings.terms = Some(address.into());
        self
    }

    /// The address of the privacy policy, to which every page links: an https URL, or a path on this origin.
    ///
    /// ```
    /// # use oauth_runtime::{BuildError, Client, Login, OAuthService};
    /// # use serde_json::json;
    /// # let builder = || {
    /// #     let builder = OAuthService::builder().issuer("http://127.0.0.1:8000");
    /// #     let builder = builder.client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"));
    /// #     builder.authenticate(async |login: Login| Some(json!({ "sub": login.username })))
    /// # };
    /// assert!(builder().privacy("https://www.notes.example/privacy").build().is_ok());
    /// assert!(matches!(builder().privacy("notes.example/privacy").build(), Err(BuildError::Link { .. })));
    /// ```
    pub fn privacy(mut self, address: impl Into<String>) -> Self {
        self.settings.privacy = Some(address.into());
        self
    }

    /// Renders the pages with something other than the built-in templates.
    pub fn pages(mut self, pages: impl Pages) -> Self {
        self.settings.pages = Arc::new(pages);
        self
    }
}

impl Settings {
    /// The name that users see: the host, if none is set.
    pub(super) fn known_as(&self, issuer: &Issuer) -> String {
        self.name.clone().unwrap_or_else(|| issuer.host().to_owned())
    }

    pub(super) fn appearance(self, issuer: &Issuer, paths: &Paths) -> Result<Appearance, BuildError> {
        let name = self.known_as(issuer);
        let mut look = self.look;
        if let Some(accent) = self.accent {
            look.accent = accent.parse()?;
        }
        let is_bad = |(label, path): &&(String, String)| label.is_empty() || path.is_empty() || !is_plain_path(path);
        if let Some((label, path)) = self.links.iter().find(is_bad) {
            return Err(BuildError::SignInLink { label: label.clone(), path: path.clone() });
        }
        let (english, languages) = languages(self.languages)?;
        Ok(Appearance {
            brand: Brand {
                name,
                logo: look.logo.is_some().then(|| paths.of(Url::Logo).to_owned()),
                stylesheet: paths.of(Url::Stylesheet).to_owned(),
                terms: self.terms.map(|address| elsewhere("terms", address)).transpose()?,
                privacy: self.privacy.map(|address| elsewhere("privacy", address)).transpose()?,
            },
            stylesheet: stylesheet(&look),
            logo: look.logo,
            links: self.links,
            pages: self.pages,
            english,
            languages,
        })
    }
}

/// English, and the other languages. An author's own English replaces ours.
fn languages(chosen: Vec<Texts>) -> Result<(Texts, Vec<Texts>), BuildError> {
    let mut english = Texts::english();
    let mut languages: Vec<Texts> = Vec::new();
    for texts in chosen {
        if let Err(why) = texts.check() {
            return Err(BuildError::Language { language: texts.language.into_owned(), why });
        }
        if texts.language.eq_ignore_ascii_case(&english.language) {
            english = texts;
            continue;
        }
        languages.retain(|other| !other.language.eq_ignore_ascii_case(&texts.language));
        languages.push(texts);
    }
    Ok((english, languages))
}

/// The address of a page that is not part of a sign-in.
fn elsewhere(what: &'static str, address: String) -> Result<String, BuildError> {
    let is_own = !address.is_empty() && is_plain_path(&address);
    let is_https = || url::Url::parse(&address).is_ok_and(|url| url.scheme() == "https");
    if is_own || is_https() { Ok(address) } else { Err(BuildError::Link { what, address }) }
}

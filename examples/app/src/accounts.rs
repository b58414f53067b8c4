//! Sign-up and forgotten passwords are one: a form for the address, a link in a mail, and a form for the password. No page says
//! whether an address has an account. A link is sealed, expires and is good once, and nothing is kept of it but that it was used.

use std::{fmt::Display, time::Duration};

use actix_web::web::{Data, Form, Query, block};
use actix_web::{Error, HttpRequest, HttpResponse, error, get, http::header::ContentType, post};
use argon2::{Argon2, PasswordHasher as _};
use oauth_runtime::{AuthTime, OAuthService, SignIn, public};
use serde::Deserialize;

use crate::database::{Database, NO_PASSWORD, normalised};

/// Here to the log. Give them to a queue.
fn mail(to: &str, text: &str) {
    tracing::info!("a mail to {to}: {text}");
}

/// What is sealed (by the sign-in page for its browser, or in a mail), and what a user types beside it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    request: String,
    text: String,
}

#[public]
#[get("/account/new")]
pub async fn address_form(began: Query<Typed>, http: HttpRequest, oauth: OAuthService) -> Result<HttpResponse, Error> {
    oauth.pending(&http, &began.request).await?;
    let field = r#"<label>Your address<input name="text" type="email" autocomplete="email" required></label>"#;
    Ok(page("Your account", &form("/account/new", &began.request, field)))
}

#[public]
#[post("/account/new")]
pub async fn send_link(
    (began, http): (Form<Typed>, HttpRequest),
    (oauth, database): (OAuthService, Data<Database>),
) -> Result<HttpResponse, Error> {
    // So that only a browser which came from the sign-in page makes us send mails.
    oauth.pending(&http, &began.request).await?;
    let address = normalised(&began.text).ok_or_else(|| error::ErrorBadRequest("this is not an address"))?;
    // Nor more of them than a few to one address.
    if database.may_mail(&address).await.map_err(broken)? {
        let token = oauth.one_time("password", &address, Duration::from_secs(3600)).with(&began.request).seal().await?;
        mail(&address, &format!("Choose your password: {}/account/password?request={token}", oauth.issuer()));
    }
    Ok(page("Look into your mail", "<p>We sent you a link.</p>"))
}

/// Mail scanners open links: this page changes nothing.
#[public]
#[get("/account/password")]
pub async fn password_form(link: Query<Typed>, oauth: OAuthService) -> Result<HttpResponse, Error> {
    let address = oauth.open_one_time::<String>("password", &link.request).await?.subject.replace('&', "&amp;");
    let fields = format!(
        r#"<label>Your address<input value="{address}" autocomplete="username" readonly></label><label>Your new password, of 8 characters or more<input name="text" type="password" autocomplete="new-password" minlength="8" required></label>"#
    );
    Ok(page("Choose your password", &form("/account/password", &link.request, &fields)))
}

#[public]
#[post("/account/password")]
pub async fn set_password(
    (link, http): (Form<Typed>, HttpRequest),
    (oauth, database): (OAuthService, Data<Database>),
) -> Result<HttpResponse, Error> {
    let Typed { request: token, text: password } = link.into_inner();
    if password.chars().count() < 8 || password.len() > 1024 {
        return Err(error::ErrorBadRequest("a password has 8 to 1024 characters"));
    }
    // Before a hash costs anything: one link is one hash, however often it is sent.
    let link = oauth.redeem_one_time::<String>("password", &token).await?;
    let hash = block(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()));
    let hash = hash.await?.map_err(broken)?;
    // Other links to this address are over.
    oauth.sign_out(&link.subject).await.map_err(broken)?;
    if let Some(user) = database.add_user(&link.subject, &hash).await.map_err(broken)? {
        let user = SignIn::done(user).amr("pwd").shown_as(&link.subject);
        // In the browser that began it, the application gets its answer. The mail may be on another device.
        return match oauth.pending(&http, &link.payload).await {
            Ok(pending) => pending.finish(&http, user, AuthTime::Now).await,
            Err(_) => Ok(page("Your account is there", "<p>Go back to the application, and sign in.</p>")),
        };
    }
    // The old password ends, then all that it gave, then the new one is there: never a new one beside a thief's session.
    let sub = database.set_hash(&link.subject, NO_PASSWORD).await.map_err(broken)?;
    oauth.sign_out(&sub).await.map_err(broken)?;
    database.set_hash(&link.subject, &hash).await.map_err(broken)?;
    Ok(page("Your password is new", "<p>Go back to the application, and sign in.</p>"))
}

/// What went wrong is for the log.
pub fn broken(why: impl Display) -> Error {
    tracing::error!("{why}");
    error::ErrorInternalServerError("something is broken here: try again later")
}

fn form(action: &str, sealed: &str, fields: &str) -> String {
    format!(
        r#"<form method="post" action="{action}"><input type="hidden" name="request" value="{sealed}">{fields}<button>Continue</button></form>"# // what was opened as sealed has no character that means something in HTML
    )
}

/// The token is in the address of these pages: they tell it to no other site, and no cache keeps them.
fn page(title: &str, body: &str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("X-Frame-Options", "DENY"))
        .insert_header(("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'"))
        .body(format!(r#"<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} · Notes</title><link rel="stylesheet" href="/oauth/pages.css"><main><h1>{title}</h1>{body}"#))
}

//! A `policy!(..)` speaks of a parameter of a route.
//!
//! A policy has no route. If it were taken for a claim or a text, no owner would get in, or every user.
// caught: compiler
// says: has no route

use actix_web::web::{self, ServiceConfig};
use oauth_runtime::{OAuthService, policy};

fn notes(oauth: &OAuthService, app: &mut ServiceConfig) {
    // right: let owners = policy!(role = "admin");
    let owners = policy!(sub = path.owner);
    app.service(web::scope("/notes/{owner}").wrap(oauth.require(owners)));
}

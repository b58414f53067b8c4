use actix_web::{App, web};
use oauth_runtime::OAuthService;

fn app(oauth: &OAuthService) {
    let _ = App::new().service(web::scope("/staff").wrap(oauth.require("admin")));
}

fn main() {}

use actix_web::App;
use oauth_runtime::OAuthService;

fn app(oauth: &OAuthService) {
    let _ = App::new().service(oauth.routes());
}

fn main() {}

use oauth_runtime::OAuthService;
use serde_json::json;

fn main() {
    let _ = OAuthService::builder().authenticate(|login| async move { Some(json!({ "sub": login.username })) });
}

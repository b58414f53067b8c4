//! oidcc-config-certification-test-plan

use serde_json::json;

use crate::party::{Party, start};

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let certified = start();
    let party = Party::new(&certified);
    let discovery = party.discovery().await;
    assert_eq!(discovery["issuer"], party.browser.base);
    for endpoint in
        ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"]
    {
        let address = discovery[endpoint].as_str().unwrap_or_else(|| panic!("{endpoint}"));
        assert!(address.starts_with(&party.browser.base), "{address}");
    }
    for (list, has) in [
        ("response_types_supported", "code"),
        ("subject_types_supported", "public"),
        ("scopes_supported", "openid"),
        ("claims_supported", "sub"),
        ("grant_types_supported", "authorization_code"),
        ("token_endpoint_auth_methods_supported", "client_secret_basic"),
    ] {
        assert!(discovery[list].as_array().is_some_and(|list| list.contains(&json!(has))), "{list}: {discovery}");
    }
    let keys = party.browser.call("/.well-known/jwks.json", None).await;
    let keys = if keys.status == 200 {
        keys
    } else {
        let path = discovery["jwks_uri"].as_str().unwrap().strip_prefix(&party.browser.base).unwrap();
        party.browser.call(path, None).await
    };
    let keys = keys.json()["keys"].as_array().unwrap().clone();
    assert!(!keys.is_empty());
    for key in keys {
        assert!(key["kid"].is_string() && key["d"].is_null(), "{key}");
    }
}

//! A test makes a token with one claim, and no others.
//!
//! It is refused since it has no role, whatever the guard says of suspended users: the test can never fail.
// caught: compiler
// says: /* claims */

use oauth_runtime::testing;

#[allow(unused_imports)]
use crate::{User, service, user};

/// A suspended user is refused, says the test.
fn suspended() -> (&'static str, String) {
    let (oauth, ada) = (service(), user("ada").expect("a user"));
    // right: let token = testing::token(&oauth, &User { suspended: true, ..ada });
    let token = testing::token(&oauth).claim("suspended", true);
    token.header()
}

//! Which claims a scope releases: the one table for `/userinfo`, ID tokens and what a third party reads in an access
//! token.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::scope::Scope;

/// For each scope of a service, the claims that it releases to a client.
#[derive(Debug, Default)]
pub(crate) struct Releases(BTreeMap<String, BTreeSet<String>>);

impl Releases {
    /// For these scopes; those of OpenID Connect have their claims already.
    pub(crate) fn of<'a>(scopes: impl Iterator<Item = &'a str>) -> Self {
        let standard =
            |scope: &str| STANDARD.iter().find(|(name, _)| *name == scope).map_or(&[][..], |(_, claims)| *claims);
        let row = |scope: &'a str| (scope.to_owned(), standard(scope).iter().map(|name| (*name).to_owned()).collect());
        Releases(scopes.map(row).collect())
    }

    /// Adds claims to a scope.
    pub(crate) fn add(&mut self, scope: &str, claims: impl IntoIterator<Item = String>) {
        self.0.entry(scope.to_owned()).or_default().extend(claims);
    }

    /// The claims for a client that was granted this scope.
    pub(crate) fn to<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(|(name, _)| scope.contains(name)).flat_map(|(_, claims)| claims.iter().map(String::as_str))
    }

    /// Whether this scope releases this claim.
    pub(crate) fn has(&self, scope: &Scope, claim: &str) -> bool {
        self.to(scope).any(|released| released == claim)
    }

    /// All of them, each once.
    pub(crate) fn all(&self) -> BTreeSet<&str> {
        self.0.values().flatten().map(String::as_str).collect()
    }
}

/// Whether OpenID Connect has a meaning for this claim.
pub(crate) fn is_standard(claim: &str) -> bool {
    STANDARD.iter().any(|(_, claims)| claims.contains(&claim))
}

/// OpenID Connect Core §5.4: the claims of its scopes.
const STANDARD: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

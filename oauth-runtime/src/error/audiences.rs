//! A token for another audience (RFC 9068 §4), and what to change in the two services.

use crate::model::resource::Resource;

/// The audience that a token has, and the one that it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audiences {
    pub(crate) of_the_token: Vec<String>,
    pub(crate) expected: String,
}

impl Audiences {
    /// Whether the token is for its issuer, which is what a client gets that names no resource (RFC 8707 §2.2).
    pub(crate) fn is_for_issuer(&self, issuer: &str) -> bool {
        let issuer = Resource::from(issuer);
        self.of_the_token.iter().any(|audience| Resource::from(audience.as_str()) == issuer)
    }
}

/// What to change then. To expect the issuer's audience here too would let each service use the other's tokens.
pub(crate) const FOR_ITS_ISSUER: &str = "it is for its issuer: the client has to ask for a token for this server, by the \
     parameter `resource` of its requests (RFC 8707), and an OAuthService has to name this server in .own_resource(..); do not \
     write the issuer in .audience(..) here, as each would then take what is meant for the other";

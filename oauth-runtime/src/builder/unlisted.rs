//! Clients that the author did not list, and what is opened to them.

use std::sync::Arc;

use crate::builder::clients::{Whole, known_resources, known_scopes};
use crate::builder::error::BuildError;
use crate::builder::{Builder, Settings};
use crate::guard::refusal::Resource;
use crate::model::ceiling::{Ceiling, Unlisted};
use crate::model::claims::{OFFLINE_ACCESS, OPENID};
use crate::model::issuer::Issuer;
use crate::model::resource::Resources;
use crate::model::{GrantType, Scope};

impl<S> Builder<S> {
    /// A resource of this very `App`, such as an MCP server (Model Context Protocol), and its URL: what is guarded below its path takes
    /// tokens for it alone, it is described at its well-known address (RFC 9728), which every challenge there names, and
    /// tokens for it are open to clients that are not listed. Call it once for each.
    ///
    /// A [`Builder::resource`] of the issuer's own origin is one of this `App` as well; this one may have another host. Where a
    /// client that is not listed names no resource, the only one is meant.
    pub fn mcp(mut self, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        self.settings.openings.served.push(resource.clone());
        self.resource(resource)
    }

    /// What clients that are not listed may be granted by their users, as in `"notes:read notes:write"`: call it again for
    /// more. They are third parties, so the user is asked each time. Default: nothing beyond who signed in, and that it lasts
    /// (`openid`, `offline_access`).
    pub fn open_scopes(mut self, scopes: impl Into<String>) -> Self {
        self.settings.openings.scopes.push(scopes.into());
        self
    }

    /// What the tokens of clients that are not listed may be for: resources of the service, and its own audience. Call it again
    /// for more. Default: those of [`Builder::mcp`].
    pub fn open_resources<R: Into<String>>(mut self, resources: impl IntoIterator<Item = R>) -> Self {
        self.settings.openings.resources.extend(resources.into_iter().map(Into::into));
        self
    }
}

impl Settings {
    /// The resources of this `App`, those with the longest path first.
    pub(super) fn served(&self, issuer: &Issuer, audience: &str) -> Result<Vec<Resource>, BuildError> {
        let mut served: Vec<Resource> = Vec::new();
        for resource in self.resources.iter().filter(|resource| *resource != audience) {
            if self.openings.served.contains(resource) {
                served.push(Resource::here(resource).ok_or(BuildError::McpResource { resource: resource.clone() })?);
            } else {
                served.extend(Resource::new(resource, issuer));
            }
        }
        served.sort_by_key(|resource| std::cmp::Reverse(resource.handlers.len()));
        match served.windows(2).find(|pair| pair[0].handlers == pair[1].handlers) {
            Some([_, other]) => Err(BuildError::McpResource { resource: other.identifier.clone() }),
            _ => Ok(served),
        }
    }

    /// How clients may come that are not listed, and the most that they may be given.
    pub(super) fn unlisted(&self, whole: &Whole<'_>) -> Result<Vec<(Unlisted, Arc<Ceiling>)>, BuildError> {
        let open = Arc::new(self.open(whole)?);
        Ok(self.openings.ways.iter().map(|way| (*way, Arc::clone(&open))).collect())
    }

    fn open(&self, whole: &Whole<'_>) -> Result<Ceiling, BuildError> {
        let openings = &self.openings;
        let mut of_users = known_scopes(&openings.scopes.join(" "), whole).map_err(BuildError::OpenScope)?;
        of_users.extend([OPENID, OFFLINE_ACCESS].into_iter().filter(|scope| whole.scopes.contains_key(*scope)));
        let named = openings.resources.iter().chain(&openings.served);
        let mut resources = known_resources(named.map(String::as_str), whole)
            .map_err(|resource| BuildError::OpenResource { resource })?;
        let default_resource = match resources.iter().collect::<Vec<_>>().as_slice() {
            [only] => Some((*only).to_owned()),
            [] | [_, _, ..] => None,
        };
        let userinfo: Resources = [whole.userinfo].into_iter().collect();
        resources.join(&userinfo);
        let grants = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        Ok(Ceiling { grants, of_users, of_its_own: Scope::default(), resources, default_resource })
    }
}

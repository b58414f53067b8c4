//! What the claims of a service are known to be, for what reads or writes them by name.

use std::any::TypeId;
use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::model::claims::REGISTERED;
use crate::policy::bound::BoundType;
use crate::policy::fit::unknown_claim;
#[cfg(feature = "testing")]
use crate::policy::said::near;

/// The types that the claims of a service are.
#[derive(Debug, Default)]
pub(crate) struct KnownClaims {
    /// Empty if they are JSON, or not of one type.
    types: Vec<&'static BoundType>,
    /// Empty if none is declared, or they are not compared.
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "only tests say the scope of a token"))]
    scopes: BTreeSet<String>,
    /// The names that were warned of.
    told: Mutex<BTreeSet<String>>,
}

impl KnownClaims {
    /// Each once.
    pub(crate) fn of(types: impl IntoIterator<Item = &'static BoundType>, scopes: BTreeSet<String>) -> Self {
        let mut seen = BTreeSet::new();
        let types = types.into_iter().filter(|of| seen.insert((of.named)().0)).collect();
        KnownClaims { types, scopes, told: Mutex::default() }
    }

    /// Whether a token may be made of this type; else the names of those of which it may.
    pub(crate) fn issues(&self, claims: TypeId) -> Result<(), String> {
        let mut known = self.types.iter().map(|of| (of.named)());
        if self.types.is_empty() || known.any(|(id, _)| id == claims) {
            return Ok(());
        }
        Err(self.types.iter().map(|of| (of.named)().1).collect::<Vec<_>>().join(" or "))
    }

    /// What is wrong with the scope of a token, where scopes are declared.
    #[cfg(feature = "testing")]
    pub(crate) fn undeclared_scope(&self, scope: &str) -> Option<String> {
        let mut words = scope.split(' ').filter(|word| !word.is_empty());
        let unknown = words.find(|word| !self.scopes.is_empty() && !self.scopes.contains(*word))?;
        let known: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let meant = match near(unknown, &known) {
            Some(meant) => format!("one with a similar name exists, {meant:?}"),
            None => format!("there are {}", known.join(" ")),
        };
        Some(format!(
            "no .scope(..) of the service and no claims!(..) declares the scope {unknown:?}: {meant}; scopes have spaces between \
             them, and for one that no client can have, use .claim(\"scope\", ..)"
        ))
    }

    /// `narrow_scopes` asks for a claim that this user does not have. If no user has it, the log says so, once for each
    /// name.
    pub(super) fn read(&self, name: &str) {
        let why = match name {
            "sub" => "it is `Granting::subject`".to_owned(),
            _ if REGISTERED.contains(&name) => "the server sets it, and no user's claims have it".to_owned(),
            _ => match unknown_claim(&self.types, name) {
                Some(misfit) => {
                    format!("{misfit}; `Granting::claims` reads them as their type, whose fields the compiler knows")
                }
                None => return,
            },
        };
        let mut told = self.told.lock();
        if told.len() < MOST_TOLD && told.insert(name.to_owned()) {
            tracing::warn!(target: "oauth", claim = name, "narrow_scopes asks for the claim `{name}`, which no user has: {why}");
        }
    }
}

const MOST_TOLD: usize = 64;

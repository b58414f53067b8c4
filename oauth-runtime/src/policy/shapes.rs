//! Claims as types of the application.

use std::any::{Any, type_name};
use std::cell::RefCell;

use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;

use crate::model::claims::{REGISTERED, SEALED};
use crate::policy::{Claimed, Decision};

/// The claims of one request as the application's types: parsed when they are first needed.
#[derive(Default)]
pub(crate) struct Shapes {
    parsed: RefCell<Option<Box<dyn Any>>>,
    /// Why they could not be parsed.
    pub(crate) misfit: RefCell<Option<String>>,
}

impl Shapes {
    /// Passes on what an earlier guard has parsed.
    pub(crate) fn of(parsed: Option<Box<dyn Any>>) -> Self {
        Shapes { parsed: RefCell::new(parsed), misfit: RefCell::new(None) }
    }

    pub(crate) fn into_parsed(self) -> Option<Box<dyn Any>> {
        self.parsed.into_inner()
    }

    pub(super) fn matches<T: DeserializeOwned + 'static>(
        &self,
        claims: Claimed<'_>,
        matches: fn(&T) -> bool,
    ) -> Decision {
        let mut parsed = self.parsed.borrow_mut();
        if let Some(earlier) = parsed.as_ref().and_then(|parsed| parsed.downcast_ref::<T>()) {
            return Decision::of(matches(earlier));
        }
        match read::<T>(claims) {
            Ok(fresh) => {
                let decision = Decision::of(matches(&fresh));
                *parsed = Some(Box::new(fresh));
                decision
            }
            Err(misfit) => {
                *self.misfit.borrow_mut() = Some(misfit);
                Decision::Unknown
            }
        }
    }
}

/// The custom claims and `sub` as a `T`, or the place where they are something else.
pub(crate) fn read<T: DeserializeOwned>(claimed: Claimed<'_>) -> Result<T, String> {
    // A default in place of a sealed claim could admit a user whom the claim excludes.
    if claimed.claims.contains_key(SEALED) {
        return Err(format!(
            "{}: claims are sealed: name this server at the issuer by .own_resource(..)",
            type_name::<T>()
        ));
    }
    // If it is beside them, it is not among them.
    let subject = claimed.beside.and_then(|beside| beside.claim("sub"));
    let custom = || {
        let custom = claimed.claims.iter().filter(|(name, _)| !REGISTERED.contains(&name.as_str()));
        let custom = custom.map(|(name, value)| (name.as_str(), value));
        let all = custom.chain(subject.as_ref().map(|subject| ("sub", subject)));
        MapDeserializer::<_, serde_json::Error>::new(all)
    };
    // Tracking the place costs time, so it is done only for claims that fail.
    T::deserialize(custom()).or_else(|_| {
        serde_path_to_error::deserialize(custom()).map_err(|error| match error.path().to_string().as_str() {
            "." => format!("{}: {}", type_name::<T>(), error.inner()),
            path => format!("{}.{path}: {}", type_name::<T>(), error.inner()),
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Deserialize;
    use serde_json::{Map, Value as Json, json};

    use super::*;

    fn alone(claims: &Json) -> Claimed<'_> {
        Claimed { claims: claims.as_object().expect("an object"), beside: None }
    }

    #[derive(Deserialize)]
    struct User {
        sub: String,
        home: Home,
        #[serde(default)]
        level: Option<u8>,
    }

    #[derive(Deserialize)]
    struct Home {
        floor: u8,
    }

    #[test]
    fn claims_become_the_type_without_what_is_registered() {
        let claims = json!({ "sub": "alice", "home": { "floor": 2 }, "level": 3, "iss": "x", "exp": 1 });
        let user: User = read(alone(&claims)).expect("a user");
        assert_eq!((user.sub.as_str(), user.home.floor, user.level), ("alice", 2, Some(3)));
        let all: Map<String, Json> = read(alone(&claims)).expect("a map");
        let names: BTreeSet<&str> = all.keys().map(String::as_str).collect();
        assert_eq!(names, ["home", "level", "sub"].into());
    }

    #[test]
    fn a_misfit_is_told_with_its_place() {
        for (claims, place) in [
            (json!({ "sub": "alice", "home": { "floor": "2" } }), "User.home.floor: invalid type: string"),
            (
                json!({ "sub": "alice", "home": { "floor": 2 }, "level": 256 }),
                "User.level: invalid value: integer `256`",
            ),
            (json!({ "sub": "alice" }), "User: missing field `home`"),
        ] {
            let Err(misfit) = read::<User>(alone(&claims)) else { panic!("{claims} fits") };
            assert!(misfit.contains(place), "{misfit}");
        }
    }
}

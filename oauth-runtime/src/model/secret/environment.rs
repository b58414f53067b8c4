//! Secrets from the environment, or from files that it names.

use std::env::VarError;

use crate::model::Secret;

/// Why there is no secret in the environment. `Display` and `Debug` print the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Neither variable is set, or each is empty.
    #[error(
        "neither the environment variable {variable} is set nor {variable}_FILE, the path of a file: \
         `openssl rand -base64 32` makes a secret"
    )]
    NotSet {
        /// The name of the variable.
        variable: String,
    },
    /// Both variables are set, so it is unclear which of the two counts.
    #[error("the environment variables {variable} and {variable}_FILE are both set: remove one of them")]
    SetTwice {
        /// The name of the variable.
        variable: String,
    },
    /// The file cannot be read, or a variable is not UTF-8.
    #[error("the secret of the environment variable {variable} cannot be read: {why}")]
    Unreadable {
        /// The name of the variable.
        variable: String,
        /// What is wrong.
        why: String,
    },
}

crate::model::debug_as_text!(SecretError);

impl Secret {
    /// The secret in the environment variable of this name, or in the file whose path is in the variable `NAME_FILE`,
    /// as containers and systemd provide it. So one program runs with either.
    ///
    /// ```no_run
    /// use oauth_runtime::{OAuthService, Secret};
    ///
    /// # fn main() -> Result<(), oauth_runtime::SecretError> {
    /// // OAUTH_SECRET, or the file that OAUTH_SECRET_FILE names
    /// let builder = OAuthService::builder().secret(Secret::from_env("OAUTH_SECRET")?);
    /// # let _ = builder;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Neither is set, both are, or the file cannot be read. The secret itself is checked when the service is built.
    pub fn from_env(variable: &str) -> Result<Secret, SecretError> {
        Secret::from_env_if_set(variable)?.ok_or_else(|| SecretError::NotSet { variable: variable.to_owned() })
    }

    /// Like [`from_env`](Secret::from_env), but `None` if neither variable is set: for a temporary secret, such as that
    /// of [`Builder::next_secret`](crate::Builder::next_secret).
    ///
    /// # Errors
    /// Both are set, or the file cannot be read.
    pub fn from_env_if_set(variable: &str) -> Result<Option<Secret>, SecretError> {
        found(variable, |name| std::env::var(name))
    }
}

fn found(variable: &str, read: impl Fn(&str) -> Result<String, VarError>) -> Result<Option<Secret>, SecretError> {
    let unreadable = |why: String| SecretError::Unreadable { variable: variable.to_owned(), why };
    let set = |name: &str| match read(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        // The error of the standard library shows the value.
        Err(VarError::NotUnicode(_)) => Err(unreadable(format!("{name} is not UTF-8"))),
    };
    match (set(variable)?, set(&format!("{variable}_FILE"))?) {
        (None, None) => Ok(None),
        (Some(text), None) => Ok(Some(Secret::from(text))),
        (None, Some(path)) => {
            // The path is not shown: it may be the secret, in the wrong variable.
            let bytes =
                std::fs::read(path).map_err(|why| unreadable(format!("the file that {variable}_FILE names: {why}")))?;
            Ok(Some(String::from_utf8(bytes).map_or_else(|raw| Secret::from(raw.into_bytes()), Secret::from)))
        }
        (Some(_), Some(_)) => Err(SecretError::SetTwice { variable: variable.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";

    /// Reads the bytes of the secret with these variables.
    fn with(variables: &[(&str, &str)]) -> Result<Option<Vec<u8>>, SecretError> {
        let read = |name: &str| {
            let value = variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
            value.ok_or(VarError::NotPresent)
        };
        found("S", read).map(|secret| secret.map(|secret| secret.bytes().to_vec()))
    }

    #[test]
    fn a_secret_is_in_a_variable_or_in_the_file_that_another_names() {
        let file = std::env::temp_dir().join(format!("oauth-secret-{:016x}", rand::random::<u64>()));
        let path = file.to_str().expect("a temporary folder in UTF-8");
        for (content, secret) in [
            (format!("{TEXT}\n").into_bytes(), TEXT.as_bytes()),
            (TEXT.into(), TEXT.as_bytes()),
            (vec![0xff; 32], &[0xff; 32]),
        ] {
            std::fs::write(&file, content).expect("a file");
            assert_eq!(with(&[("S_FILE", path)]), Ok(Some(secret.to_vec())));
            assert_eq!(with(&[("S", ""), ("S_FILE", path)]), Ok(Some(secret.to_vec())));
        }
        let twice = Err(SecretError::SetTwice { variable: "S".to_owned() });
        assert_eq!(with(&[("S", TEXT), ("S_FILE", path)]), twice);
        std::fs::remove_file(&file).expect("it is there");
        assert_eq!(with(&[("S", TEXT)]), Ok(Some(TEXT.as_bytes().to_vec())));
        assert_eq!(with(&[("S", TEXT), ("S_FILE", "")]), Ok(Some(TEXT.as_bytes().to_vec())));
        assert_eq!((with(&[]), with(&[("S", "")])), (Ok(None), Ok(None)));
        let gone = with(&[("S_FILE", path)]).expect_err("no file").to_string();
        assert!(gone.contains("the file that S_FILE names: ") && !gone.contains(path), "{gone}");
    }

    #[test]
    fn an_error_says_what_to_set_and_shows_no_value() {
        let missing = Secret::from_env("OAUTH_SECRET_THAT_NO_ONE_SETS").expect_err("none").to_string();
        assert!(
            missing.contains("OAUTH_SECRET_THAT_NO_ONE_SETS_FILE") && missing.contains("openssl rand"),
            "{missing}"
        );
        let twice = with(&[("S", TEXT), ("S_FILE", TEXT)]).expect_err("two");
        assert!(!format!("{twice} {twice:?}").contains(TEXT));
        let broken = found("S", |_| Err(VarError::NotUnicode(TEXT.into()))).expect_err("not UTF-8");
        assert!(!format!("{broken} {broken:?}").contains(TEXT));
    }
}

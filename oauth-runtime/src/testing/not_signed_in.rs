//! Why a sign-in of a test failed, and what to change.

/// Why a user is not signed in.
///
/// `Display` and `Debug` print the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSignedIn {
    /// The `App` has no server.
    #[error("the App has no OAuthService: add .configure(oauth.routes()) to it")]
    NoService,
    /// No client of this name has the code grant.
    #[error("no client {client:?} signs users in: say .client(..), with one that has a redirect URI")]
    NoClient {
        /// The id as given, or empty.
        client: String,
    },
    /// Several clients have the code grant, and none was chosen.
    #[error("several clients sign users in: say .client(..) with one of {}", .known.join(", "))]
    SeveralClients {
        /// Their ids.
        known: Vec<String>,
    },
    /// The page shows the sign-in form again.
    #[error("the sign-in page says: {problem}")]
    Problem {
        /// What the page says, in English.
        problem: String,
    },
    /// The user is asked another question.
    #[error("the user is asked {question:?}: say .answer(..), once for each question")]
    Asked {
        /// The text of the question.
        question: String,
    },
    /// The user is asked whether they allow it.
    #[error("the user is asked to allow {client:?} the scope {scope:?}: say .allow()")]
    ConsentAsked {
        /// The client's id.
        client: String,
        /// What it would be granted.
        scope: String,
    },
    /// Users sign in at a page of the author's own, or a middleware sends the browser elsewhere.
    #[error(
        "the browser is sent to {location}, which is not a page of the server: go through it yourself, or use testing::token(..)"
    )]
    Elsewhere {
        /// Where to.
        location: String,
    },
    /// The answer to the client is an error.
    #[error("the client gets the error {error}: {description}")]
    Refused {
        /// The code, such as `invalid_scope`.
        error: String,
        /// What to change.
        description: String,
    },
    /// An answer that no step of the flow expects, such as an error page.
    #[error("{method} {path} answered {status}: {text}")]
    Unexpected {
        /// The method of the request.
        method: &'static str,
        /// Its path, without the query.
        path: String,
        /// The status of the answer.
        status: u16,
        /// What its page says, or the beginning of the body if it is not a page of the server.
        text: String,
    },
}

crate::model::debug_as_text!(NotSignedIn);

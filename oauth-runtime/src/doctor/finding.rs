//! What a check can find: each a sentence of the problem, and one of what to change.

/// Something that keeps clients from connecting. `Display` and `Debug` print the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// There is no answer.
    #[error("{url} cannot be reached: {why}. Start the service, and let the name of the issuer lead to it")]
    Unreachable {
        /// The URL that was asked for.
        url: String,
        /// The error of the HTTP client.
        why: String,
    },
    /// A proxy finds nothing behind it, or the service fails.
    #[error(
        "{url} answers {status}: a proxy does not reach the service, or the service fails. The log of one of them says why"
    )]
    Failing {
        /// The URL that was asked for.
        url: String,
        /// The status of the answer: 500 or above.
        status: u16,
    },
    /// An address sends its callers to itself.
    #[error(
        "{url} answers {status} and leads to itself again: what redirects to https does not see that the request came by https. \
         Leave that redirect to the proxy in front, which sees it"
    )]
    RedirectLoop {
        /// The URL that was asked for.
        url: String,
        /// Of the answer.
        status: u16,
    },
    /// An address sends its callers on.
    #[error(
        "{url} answers {status} and leads to {to}, where many clients do not follow. Answer at the first URL itself, or write \
         the second into .issuer(..) or .mcp(..)"
    )]
    Redirected {
        /// The URL that was asked for.
        url: String,
        /// Of the answer.
        status: u16,
        /// Where it leads.
        to: String,
    },
    /// None of the server's URLs is there.
    #[error(
        "{url} answers {status}, and no other URL of the server is there either. Add .configure(oauth.routes()) to the App, or \
         correct .issuer(..), and let the proxy, if there is one, send {origin} to it"
    )]
    NoRoutes {
        /// The URL that was asked for.
        url: String,
        /// Of the answer.
        status: u16,
        /// That of the issuer.
        origin: String,
    },
    /// One of the server's URLs does not exist, or something else answers.
    #[error(
        "{url} answers {status} and not as the server does, while others of its URLs are there. Let the proxy pass this path on \
         as it is, and leave it to the server in the App"
    )]
    OtherAnswer {
        /// The URL that was asked for.
        url: String,
        /// Of the answer.
        status: u16,
    },
    /// The metadata is that of another issuer.
    #[error(
        "the metadata at {url} names the issuer \"{named}\", and this is {issuer:?}: clients compare the two byte for byte. Write \
         into .issuer(..) exactly what is public, with or without a trailing slash, let the proxy lead to this service, and check \
         that this configuration is the one that runs"
    )]
    OtherIssuer {
        /// The URL of the document.
        url: String,
        /// What it says: the first 200 characters, with control characters escaped, as for all texts of others.
        named: String,
        /// What is configured.
        issuer: String,
    },
    /// Something in a document is not what the server writes.
    #[error(
        "{url} says that {member} is {found}, but it is {expected}. Let the proxy leave the document as it is, and check that \
         this configuration is the one that runs"
    )]
    OtherValue {
        /// The URL of the document.
        url: String,
        /// The name of the value.
        member: String,
        /// As JSON; `null` if it is missing.
        found: String,
        /// As JSON.
        expected: String,
    },
    /// A cache kept an answer that it must not keep.
    #[error("{url} was answered from a cache ({told}). Let the proxy keep nothing that has Cache-Control: no-store")]
    Cached {
        /// The URL that was asked for.
        url: String,
        /// The header by which it shows.
        told: String,
    },
    /// Two clocks differ.
    #[error(
        "the clock of {url} is {seconds} s {} that of this machine: tokens and assertions are refused where clocks differ by more \
         than 30 s. Set both by NTP",
        if *is_ahead { "ahead of" } else { "behind" }
    )]
    Clock {
        /// The URL that was asked for.
        url: String,
        /// By how much.
        seconds: u64,
        /// Whether the service's clock is ahead.
        is_ahead: bool,
    },
    /// A proxy answers, and the builder says that there is none.
    #[error(
        "{url} is answered through a proxy ({told}), and .direct_peers() says that there is none: all users share one count of \
         failed sign-ins. Write .client_address(x_forwarded_for(1)) instead, with the number of your proxies"
    )]
    Proxy {
        /// The URL that was asked for.
        url: String,
        /// The header by which it shows.
        told: String,
    },
    /// A page of another origin may not call a URL.
    #[error(
        "a page of {origin} may not call {url}: the answer to its {method} has no Access-Control-Allow-Origin. Let the proxy pass \
         OPTIONS and the header Origin on, and leave the answer as it is"
    )]
    NoCors {
        /// The URL that was asked for.
        url: String,
        /// The method of the request.
        method: String,
        /// The origin of the page.
        origin: String,
    },
    /// Both the server and something in front of it say who may call a URL.
    #[error(
        "{url} has Access-Control-Allow-Origin twice ({found}), which browsers refuse. Remove the proxy's, or that of a CORS \
         middleware, from the URLs of the server, which answers by itself"
    )]
    CorsTwice {
        /// The URL that was asked for.
        url: String,
        /// What the answer has.
        found: String,
    },
    /// There is nothing at the URL of a resource.
    #[error(
        "{url} answers {status}: there is nothing that a client could call. Mount its handlers at this path in the App, and let \
         the proxy send it there"
    )]
    NoHandler {
        /// The URL of the resource.
        url: String,
        /// Of the answer.
        status: u16,
    },
    /// A resource answers without a token.
    #[error(
        "{url} answers {status} to a request without a token: it has no guard. Put one around it, as in \
         .wrap(oauth.require(policy!(sub)))"
    )]
    Open {
        /// The URL of the resource.
        url: String,
        /// Of the answer.
        status: u16,
    },
    /// A refusal does not say where tokens come from.
    #[error(
        "{url} answers 401 without the challenge of a guard (WWW-Authenticate: Bearer), so that a client does not learn where \
         tokens come from. Let the guard refuse, and let the proxy pass this header on"
    )]
    NoChallenge {
        /// The URL of the resource.
        url: String,
    },
    /// A refusal leads to the metadata of another resource, or to none.
    #[error(
        "the challenge of {url} names {found} as its resource_metadata, which is at {expected}. Let the proxy leave the path of \
         requests and this header as they are, and the guard be one of this service"
    )]
    OtherChallenge {
        /// The URL of the resource.
        url: String,
        /// What it says; `nothing` if that is missing.
        found: String,
        /// Where the document is.
        expected: String,
    },
    /// Tokens do not reach the guard.
    #[error(
        "{url} answers a bad token as if there were none: the header Authorization does not reach the guard. Let the proxy pass it \
         on (Apache: CGIPassAuth On; an access control of the proxy itself removes it)"
    )]
    AuthorizationLost {
        /// The URL of the resource.
        url: String,
    },
    /// Clients that are not listed cannot get the scopes that guards ask for.
    #[error(
        "guards of this program ask for the scope {scopes}, and clients that are not listed get no scope: each such guard always refuses \
         them. Add .open_scopes({scopes:?}), or .open_scopes(\"\") where those guards are not for them"
    )]
    NoOpenScopes {
        /// The scopes that guards ask for and that the service has, with spaces between them.
        scopes: String,
    },
    /// The sign-in page comes without its cookie.
    #[error(
        "the sign-in page {url} comes without its cookie, so that no one can sign in. Let the proxy pass Set-Cookie on, and no \
         middleware remove it"
    )]
    NoCookie {
        /// The URL that was asked for.
        url: String,
    },
    /// The cookie of the sign-in page was changed on its way.
    #[error(
        "the cookie of the sign-in page {url} has \"{found}\" after its value, and was sent with {expected:?}: browsers drop it, or \
         send it where it does not belong. Let the proxy leave it as it is (nginx: proxy_cookie_path, proxy_cookie_flags)"
    )]
    OtherCookie {
        /// The URL that was asked for.
        url: String,
        /// Its attributes, as they came.
        found: String,
        /// As the server writes them.
        expected: String,
    },
    /// The headers of an answer are longer than proxies accept.
    #[error(
        "the answer of {url} has {bytes} bytes of headers: nginx accepts 4096 by default (proxy_buffer_size), and answers \
         502 beyond. Let the application and the proxies add less to each answer"
    )]
    LongHeaders {
        /// The URL that was asked for.
        url: String,
        /// The status line and all headers.
        bytes: usize,
    },
}

crate::model::debug_as_text!(Finding);

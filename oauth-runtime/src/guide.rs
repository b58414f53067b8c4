//! The guide: an application with this crate, from the first sign-in to its operation.
//!
//! Its pages can be read in this order, or one by one. The code in them is compiled and run, and what they say goes over the wire
//! was written there by a test.
//!
//! To begin with
//!
//! 1. [`start`]: a program that runs, its features, and what happens when a user signs in
//! 2. [`configuration`]: every setting of the builder, its default and its limits
//! 3. [`sign_in`]: the authorization code flow, the built-in pages, pages of your own, guessing
//!
//! Guards
//!
//! 4. [`policies`]: the language of `#[require_claim(..)]`
//! 5. [`testing`]: tokens and a clock for your tests, every route that is open, a suite for each policy
//! 6. [`openapi`]: what the guards demand, in your OpenAPI document
//! 7. [`mistakes`]: sixty that teams make, and where each is found
//! 8. [`pages`]: pages of the application that a browser's session opens
//! 9. [`resource_servers`]: guards over the tokens of another issuer
//!
//! Users
//!
//! 10. [`second_factor`]: one more thing to ask, `amr`, `acr`, step-up
//! 11. [`sessions`]: who is asked again, consent, signing out
//! 12. [`refresh`]: refresh tokens
//!
//! Clients
//!
//! 13. [`clients`]: public and confidential ones, devices, and the most that each may be given
//! 14. [`client_spa`], [`client_mobile`], [`client_cli`], [`client_server`]: the code of each kind of client
//! 15. [`dpop`]: tokens that are bound to a key
//! 16. [`openid`]: signing keys, ID tokens, `/userinfo`
//! 17. [`client_documents`]: clients that are known by the URL of a document
//! 18. [`mcp`]: MCP servers, and clients that register themselves
//!
//! Operation
//!
//! 19. [`stores`]: memory, SQLite, PostgreSQL or Redis
//! 20. [`secrets`]: the secret, and how to change it
//! 21. [`deployment`]: nginx, Caddy, systemd, containers, several processes, backup, upgrades
//! 22. [`migrating`]: users with their passwords, and clients, from other servers
//! 23. [`events`]: the audit trail, the log and the metrics
//! 24. [`capacity`]: how many users a store carries
//! 25. [`runbook`]: what to do when something is wrong
//! 26. [`limits`]: what this crate does not do
//!
//! Reference
//!
//! 27. [`errors`]: each error code, and when it is sent
//! 28. [`messages`]: each text and each reason in the log, and the mistake that it mostly is
//! 29. [`threats`]: the attacks, and what stops each
//! 30. [`checklist`]: the demands of OAuth 2.1 and RFC 9700, and the test of each
//! 31. [`certification`], [`fapi`], [`oauch`]: the suites that test authorization servers, case by case

/// A page. Its links are to files, as a reader of the repository needs them; the first definition of a link counts, and `links.md`
/// defines each as a page of this module.
macro_rules! pages {
    ($($(#[$when:meta])? $page:ident, $file:literal;)+) => {$(
        #[doc = include_str!("guide/links.md")]
        #[doc = include_str!(concat!("../docs/", $file))]
        $(#[$when])?
        pub mod $page {}
    )+};
}

pages! {
    start, "start.md";
    configuration, "configuration.md";
    sign_in, "sign-in.md";
    policies, "policies.md";
    #[cfg(any(not(doctest), feature = "testing"))]
    testing, "testing.md";
    #[cfg(any(not(doctest), all(feature = "utoipa", feature = "testing")))]
    openapi, "openapi.md";
    mistakes, "mistakes.md";
    pages, "pages.md";
    #[cfg(any(not(doctest), feature = "resource-server"))]
    resource_servers, "resource-servers.md";
    second_factor, "second-factor.md";
    #[cfg(any(not(doctest), feature = "backchannel-logout"))]
    sessions, "sessions.md";
    refresh, "refresh.md";
    clients, "clients.md";
    client_spa, "client-spa.md";
    client_mobile, "client-mobile.md";
    client_cli, "client-cli.md";
    client_server, "client-server.md";
    dpop, "dpop.md";
    openid, "openid.md";
    #[cfg(any(not(doctest), feature = "mcp"))]
    client_documents, "client-documents.md";
    #[cfg(any(not(doctest), feature = "doctor"))]
    mcp, "mcp.md";
    #[cfg(any(not(doctest), all(feature = "sqlite", feature = "postgres", feature = "redis")))]
    stores, "stores.md";
    secrets, "secrets.md";
    #[cfg(any(not(doctest), feature = "sqlite"))]
    deployment, "deployment.md";
    migrating, "migrating.md";
    events, "events.md";
    capacity, "capacity.md";
    runbook, "runbook.md";
    limits, "limits.md";
    errors, "errors.md";
    messages, "messages.md";
    threats, "threats.md";
    checklist, "checklist.md";
    certification, "certification.md";
    fapi, "fapi.md";
    oauch, "oauch.md";
}

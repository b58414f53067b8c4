//! What `oauth.doctor()` says, of what it did not visit too: nothing of a stranger's can spoil the report.

use actix_web::web;
use oauth_runtime::{Builder, Client, OAuthService, Policy, policy};
use oauth_tests::{free_port, serve};
use serde_json::json;

use crate::doctor::{AS_IT_IS, ISSUER, MCP, NOTHING, Spoils, builder, found, guarded, proxy, start, told};

const READERS: Policy = policy!(scope = "notes:read");

async fn report(builder: Builder) -> String {
    let oauth = builder.build().unwrap();
    let server = start(&oauth, guarded);
    oauth.doctor().at(&server.base).await.to_string()
}

#[tokio::test]
async fn each_resource_of_this_app_is_visited() {
    let oauth = builder().resource("https://api.example/money").audience("https://api.example/own").build().unwrap();
    let with = |money: bool, own: bool| {
        let service = oauth.clone();
        serve(free_port().0, move |app| {
            let place = |path: &str, is_guarded: bool| {
                let handler = web::resource("").route(web::get().to(async || "here"));
                let guard = service.require(policy!(sub));
                web::scope(path).wrap(actix_web::middleware::Condition::new(is_guarded, guard)).service(handler)
            };
            app.service(place("/money", money)).service(place("/own", own));
            guarded(&service, app);
        })
    };
    let sentence = |path: &str| {
        format!(
            "https://api.example/{path} answers 200 to a request without a token: it has no guard. Put one around it, as in \
             .wrap(oauth.require(policy!(sub)))"
        )
    };
    assert_eq!(told(&oauth, &with(true, true).base).await, [""; 0]);
    assert_eq!(told(&oauth, &with(false, true).base).await, [sentence("money")]);
    assert_eq!(told(&oauth, &with(true, false).base).await, [sentence("own")]);
    // The tokens are taken away on their way.
    let server = with(true, true);
    let proxy = proxy(&server, |passed| passed.headers.retain(|(name, _)| name != "authorization"), AS_IT_IS);
    let found = told(&oauth, &proxy.base).await;
    let lost = |path: &str| {
        let start = format!("https://api.example/{path} answers a bad token as if there were none");
        found.iter().filter(|sentence| sentence.starts_with(&start)).count()
    };
    assert_eq!((lost("mcp"), lost("money"), lost("own"), found.len()), (1, 1, 1, 3), "{found:#?}");
}

#[tokio::test]
async fn what_only_has_handlers_below_it_is_a_line_and_no_finding() {
    let oauth = builder().resource("https://api.example/files").build().unwrap();
    let server = start(&oauth, guarded);
    let report = oauth.doctor().at(&server.base).await;
    report.assert_healthy();
    let lines = report.to_string();
    assert!(
        lines.ends_with(
            "\nnot visited: what is below https://api.example/files, which itself answers 404: the doctor knows no other URL of it"
        ),
        "{lines}"
    );
    // What is asked by POST is asked of an MCP server alone: another handler would do what it is for.
    let served = oauth.clone();
    let posts = serve(free_port().0, move |app| {
        app.route("/files", web::post().to(async || -> &str { panic!("no one asked for this") }));
        guarded(&served, app);
    });
    let lines = oauth.doctor().at(&posts.base).await.to_string();
    assert!(lines.contains("a client can connect") && lines.contains("not visited: what is below"), "{lines}");
}

#[tokio::test]
async fn scopes_that_no_unlisted_client_can_get_are_told() {
    let _ = READERS;
    let with_scopes = || builder().scope("notes:read", "Read your notes");
    let oauth = with_scopes().build().unwrap();
    let server = start(&oauth, guarded);
    assert_eq!(
        told(&oauth, &server.base).await,
        [
            "guards of this program ask for the scope notes:read, and clients that are not listed get no scope: each such guard always refuses them. Add .open_scopes(\"notes:read\"), or .open_scopes(\"\") where those guards are not for them"
        ]
    );
    for healthy in [
        with_scopes().open_scopes("notes:read"),
        with_scopes().open_scopes(""),
        // No guard asks for it.
        builder().scope("a scope of no guard's".replace(' ', "-"), "Nothing"),
    ] {
        let lines = report(healthy).await;
        assert!(lines.contains("a client can connect"), "{lines}");
    }
}

#[tokio::test]
async fn what_was_not_visited_is_said() {
    let client = || Client::public("demo").redirect_uri("https://app.example/callback");
    let listed = || {
        let builder = OAuthService::builder().untyped_claims().issuer(ISSUER).direct_peers();
        builder.authenticate(async |login: oauth_runtime::Login| Some(json!({ "sub": login.username })))
    };
    let elsewhere = OAuthService::builder().untyped_claims().issuer(ISSUER).mcp(MCP).direct_peers();
    for (report, line) in [
        (report(builder()).await, ""),
        (report(listed().client(client())).await, ""),
        (
            report(listed().client(client()).require_pushed_requests()).await,
            "\nnot visited: the sign-in page, since requests have to be pushed",
        ),
        (
            report(listed().client(client().require_pushed_requests())).await,
            "\nnot visited: the sign-in page, since no listed client can ask for it without credentials, and no client can register itself",
        ),
        (
            report(listed().clients(async |_: &str| None::<Client>)).await,
            "\nnot visited: the sign-in page, since no listed client can ask for it without credentials, and no client can register itself",
        ),
        (
            report(elsewhere.sign_in_at("/welcome")).await,
            "\nnot visited: the sign-in page, which is your own, at /welcome",
        ),
    ] {
        let (first, rest) = report.split_at(report.find('\n').unwrap_or(report.len()));
        assert!(first.contains("a client can connect"), "{report}");
        assert_eq!(rest, line, "{report}");
    }
}

#[tokio::test]
async fn values_of_a_hostile_document_are_cut_and_escaped() {
    let long = "x".repeat(200_000);
    let rows: [(Spoils, &str); 5] = [
        (
            |_, answered| {
                answered.rewrite("\"https://api.example/token\"", &json!("\u{9b}31m\u{202e}evil").to_string())
            },
            "token_endpoint is \"\\u{9b}31m\\u{202e}evil\", but it is",
        ),
        (
            |_, answered| answered.rewrite("https://api.example/token", &"x".repeat(200_000)),
            "xxx.. (200002 characters), but it is",
        ),
        (
            |_, answered| answered.rewrite("\"https://api.example\"", &json!("\u{9b}\u{202e}").to_string()),
            "names the issuer \"\\u{9b}\\u{202e}\", and",
        ),
        (
            |_, answered| answered.rewrite("\"https://api.example\"", &json!("y".repeat(200_000)).to_string()),
            "yyy.. (200000 characters)\", and",
        ),
        (
            |_, answered| {
                answered
                    .replace("set-cookie", |set| set.replace("; Secure", &format!("; Padding={}", "z".repeat(3000))))
            },
            "zzz.. (",
        ),
    ];
    for (spoils, part) in rows {
        let found = found(NOTHING, spoils).await;
        let of = found.iter().find(|sentence| sentence.contains(part));
        assert!(of.is_some(), "{part}: {found:.2000?}");
        let whole = found.join("\n");
        assert!(
            !whole.contains(&long[..300]) && !whole.chars().any(|it| it.is_control() && it != '\n'),
            "{whole:.2000}"
        );
        assert!(!whole.contains('\u{202e}') && whole.len() < 5_000, "{whole:.2000}");
    }
    // Where a redirect leads to is a stranger's word too.
    let led = found(NOTHING, |_, answered| {
        answered.status = 302;
        answered.add("location", &format!("https://elsewhere.example/{}", "w".repeat(3000)));
    });
    let led = led.await.join("\n");
    assert!(led.contains("leads to https://elsewhere.example/www") && led.contains("www.. (30"), "{led}");
}

#[tokio::test]
async fn no_password_of_an_address_is_printed() {
    let oauth = builder().build().unwrap();
    for at in ["http://ops:s3cret@[::1", "http://ops:s3/cr@et@host:port/", "ops:s3cret@host:port"] {
        let doctor = oauth.doctor().at(at);
        let debugged = format!("{doctor:?}");
        let report = doctor.await.to_string();
        for text in [debugged, report] {
            assert!(!text.contains("s3") && !text.contains("ops") && !text.contains("et@"), "{text}");
        }
    }
}

#[tokio::test]
async fn one_wrong_issuer_is_one_finding() {
    let running = builder().build().unwrap();
    let server = start(&running, guarded);
    let of =
        |issuer: &str| builder().issuer(issuer).scope("notes:write", "Write notes").open_scopes("").build().unwrap();
    for (issuer, start, cure) in [
        ("https://api.example/", "the metadata at ", "exactly what is public, with or without a trailing slash"),
        ("http://localhost:8000", "the metadata at ", "check that this configuration is the one that runs"),
        (
            "https://api.example/tenant",
            "https://api.example/",
            "Add .configure(oauth.routes()) to the App, or correct .issuer(..)",
        ),
    ] {
        let found = told(&of(issuer), &server.base).await;
        let [sentence] = found.as_slice() else { panic!("{issuer}: {found:#?}") };
        assert!(sentence.starts_with(start) && sentence.contains(cure), "{sentence}");
        let lines = of(issuer).doctor().at(&server.base).await.to_string();
        assert!(lines.ends_with("\nnot visited: everything else, which depends on this: run it again"), "{lines}");
    }
    // An application's own 404 may be JSON with an error.
    let (oauth, served) = (of("https://api.example/tenant"), running.clone());
    let json = serve(free_port().0, move |app| {
        guarded(&served, app);
        let not_found = async || actix_web::HttpResponse::NotFound().json(json!({ "error": "not found" }));
        app.default_service(web::to(not_found));
    });
    let found = told(&oauth, &json.base).await;
    assert!(found.len() == 1 && found[0].contains("no other URL of the server is there either"), "{found:#?}");
}

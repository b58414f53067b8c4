//! Numbers for Prometheus: `cargo run --example metrics`.
//!
//! The page that has them is guarded like any other. Prometheus gets a token for it in its own name:
//!
//! ```yaml
//! scrape_configs:
//!   - job_name: notes
//!     static_configs: [{ targets: ["127.0.0.1:8000"] }]
//!     oauth2:
//!       client_id: prometheus
//!       client_secret: 2QyP6cYVUBoxwVm4y0kM4cNTbZ1o7a8yFhFf3lqv0tM=
//!       token_url: http://127.0.0.1:8000/token
//!       scopes: ["metrics"]
//! ```

use actix_web::{App, HttpServer, Responder, get, web};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use oauth_runtime::{Client, Login, OAuthService, require_claim};
use serde_json::json;

/// An example's. For yours: `openssl rand -base64 32`, and not in the source.
const SECRET_OF_PROMETHEUS: &str = "2QyP6cYVUBoxwVm4y0kM4cNTbZ1o7a8yFhFf3lqv0tM=";

#[require_claim(scope = "metrics")]
#[get("/metrics")]
async fn numbers(prometheus: web::Data<PrometheusHandle>) -> impl Responder {
    // What was measured since the last time is added up here: there is no other task for it.
    prometheus.run_upkeep();
    prometheus.render()
}

/// Installs the recorder. First of all, so that the service can tell it what its numbers are.
fn recorder() -> Result<PrometheusHandle, BuildError> {
    let seconds = [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0];
    PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)?.install_recorder()
}

fn service() -> Result<OAuthService, oauth_runtime::BuildError> {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .scope("metrics", "Read the numbers of this service")
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .client(Client::confidential("prometheus").secret(SECRET_OF_PROMETHEUS).scope("metrics"))
        .authenticate_blocking(|login: Login| {
            (login.username == "admin" && &*login.password == "admin123")
                .then(|| json!({ "sub": "admin", "role": "admin" }))
        })
        .build()
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let (prometheus, oauth) = (recorder()?, service()?);
    HttpServer::new(move || {
        App::new().app_data(web::Data::new(prometheus.clone())).configure(oauth.routes()).service(numbers)
    })
    .bind(("127.0.0.1", 8000))?
    .run()
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_and_read_body, call_service, init_service};
    use serde_json::Value;

    use super::*;

    #[actix_web::test]
    async fn prometheus_reads_what_happened() {
        let (prometheus, oauth) = (recorder().expect("the only one"), service().expect("a whole configuration"));
        let data = web::Data::new(prometheus);
        let app = init_service(App::new().app_data(data).configure(oauth.routes()).service(numbers)).await;
        let stranger = TestRequest::get().uri("/metrics").to_request();
        assert_eq!(call_service(&app, stranger).await.status(), StatusCode::UNAUTHORIZED);

        let ask = |secret| {
            let form = [("grant_type", "client_credentials"), ("client_id", "prometheus"), ("client_secret", secret)];
            TestRequest::post().uri("/token").set_form(form).to_request()
        };
        assert_eq!(call_service(&app, ask("wrong")).await.status(), StatusCode::BAD_REQUEST);
        let answer: Value =
            serde_json::from_slice(&call_and_read_body(&app, ask(SECRET_OF_PROMETHEUS)).await).expect("JSON");
        let authorization = format!("Bearer {}", answer["access_token"].as_str().expect("a token"));
        let read = || {
            let request = TestRequest::get().uri("/metrics").insert_header(("authorization", authorization.as_str()));
            call_and_read_body(&app, request.to_request())
        };
        read().await;
        let text = String::from_utf8(read().await.to_vec()).expect("text");
        for line in [
            "# HELP oauth_requests_total Requests at the server's own URLs",
            "# TYPE oauth_requests_total counter",
            r#"oauth_requests_total{endpoint="/token",status="200"} 1"#,
            r#"oauth_requests_total{endpoint="/token",status="400"} 1"#,
            r#"oauth_request_duration_seconds_count{endpoint="/token"} 2"#,
            r#"oauth_tokens_issued_total{grant="client_credentials"} 1"#,
            r#"oauth_events_total{event="token_issued"} 1"#,
            r#"oauth_guard_decisions_total{outcome="unauthenticated"} 1"#,
            r#"oauth_guard_decisions_total{outcome="admitted"} 2"#,
            "# TYPE oauth_store_call_duration_seconds histogram",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
        }
        for verb in ["read", "count"] {
            let begin = format!("oauth_store_call_duration_seconds_count{{verb=\"{verb}\",outcome=\"answered\"}} ");
            assert!(text.lines().any(|line| line.starts_with(&begin)), "{begin} is not in\n{text}");
        }
        assert!(!text.contains("prometheus\""), "no client is a label: {text}");
    }
}

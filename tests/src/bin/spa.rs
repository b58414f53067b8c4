//! An application whose single page is served by the server that signs its users in: for the tests in a browser.
//!
//! `PORT` is where, and `CLIENT_LIBRARY` the file of the client library that the page loads.
#![allow(clippy::unwrap_used)]

use actix_cors::Cors;
use actix_web::http::header::{self, ContentType};
use actix_web::{App, HttpResponse, HttpServer, Responder, get, web};
use oauth_runtime::{
    Claims, Client, Login, OAuthService, Question, Remember, SecondFactor, SignIn, Texts, require_claim, require_token,
};
use serde_json::{Value, json};

const PAGE: &str = "<!doctype html><title>App</title><script src=\"/app/library.js\"></script><h1>App</h1>";

#[get("/app/{page:.*}")]
async fn page(path: web::Path<String>) -> impl Responder {
    match path.as_str() {
        "library.js" => {
            let library = std::fs::read_to_string(std::env::var("CLIENT_LIBRARY").unwrap()).unwrap();
            HttpResponse::Ok().insert_header(("content-type", "text/javascript")).body(library)
        }
        _ => HttpResponse::Ok().insert_header(ContentType::html()).body(PAGE),
    }
}

#[require_token]
#[get("/me")]
async fn me(Claims(claims): Claims) -> impl Responder {
    web::Json(claims)
}

/// The same for pages of other origins, such as documentation that tries it out.
#[require_claim(scope = "notes:write")]
#[get("/notes")]
async fn notes(Claims(claims): Claims) -> impl Responder {
    web::Json(json!({ "by": claims["name"] }))
}

fn for_other_origins() -> Cors {
    Cors::default()
        .allowed_origin_fn(|origin, _| origin.as_bytes().starts_with(b"http://127.0.0.1:"))
        .allowed_methods(["GET"])
        .allowed_headers([header::AUTHORIZATION])
}

fn authenticate(login: Login) -> SignIn<Value> {
    match (login.username.as_str(), &*login.password) {
        ("ada", "ada123") => SignIn::done(user("ada")).amr("pwd"),
        ("tabs", "tabs123") => SignIn::done(user("tabs")).amr("pwd"),
        (name, "eve123") if name.starts_with("eve") => SignIn::ask(Question::choice(
            if login.language.as_deref() == Some("de") { "Wohin soll der Code?" } else { "Where shall the code go?" },
            [("sms", "Text message to ...42"), ("mail", "Mail to e...@example.com")],
        )),
        _ => SignIn::refused(),
    }
}

fn second_factor(factor: SecondFactor) -> SignIn<Value> {
    match factor.remembered.as_str() {
        None => SignIn::ask(
            Question::code("Enter the code that we sent")
                .digits()
                .remember(&*factor.answer)
                .or("Use a recovery code", Question::code("Enter a recovery code").remember("recovery")),
        ),
        Some(_) if &*factor.answer == "314159" => SignIn::done(user(&factor.username)).amr("pwd").amr("otp"),
        Some(_) => SignIn::refused(),
    }
}

fn german() -> Texts {
    Texts::german()
        .describe("notes:write", "Notizen in Ihrem Namen schreiben")
        .describe("/app/forgot", "Passwort vergessen?")
        .describe("/app/sign-up", "Konto anlegen")
}

/// An author's own language, which runs from right to left.
fn arabic() -> Texts {
    Texts {
        language: "ar".into(),
        sign_in: "تسجيل الدخول".into(),
        to_continue: "للمتابعة إلى {client}".into(),
        able_to: "سيتمكن {client} من:".into(),
        valid_at: "هذا الوصول صالح لدى:".into(),
        lasting_access: "الاحتفاظ بهذا الوصول في غيابك حتى تنهيه".into(),
        username: "اسم المستخدم".into(),
        password: "كلمة المرور".into(),
        returns_to: "سيتم نقلك بعد ذلك إلى {host}".into(),
        cancel: "إلغاء".into(),
        wrong: "اسم المستخدم أو كلمة المرور غير صحيحة.".into(),
        question: "خطوة أخرى".into(),
        signing_in_as: "تسجيل الدخول باسم {account}".into(),
        go_on: "متابعة".into(),
        answer_wrong: "هذا غير صحيح.".into(),
        consent: "السماح بالوصول؟".into(),
        wants_access: "يريد {client} الوصول إلى حسابك {account}".into(),
        allow: "سماح".into(),
        deny: "رفض".into(),
        sign_out: "تسجيل الخروج".into(),
        sign_out_question: "تسجيل الخروج؟".into(),
        signed_in_as: "أنت مسجل الدخول باسم {account}.".into(),
        signed_out: "تم تسجيل خروجك".into(),
        close_window: "يمكنك إغلاق هذه النافذة.".into(),
        cannot_go_on: "لا يمكن متابعة تسجيل الدخول هذا".into(),
        request_unusable: "أرسل التطبيق طلباً لا يمكن الرد عليه. عد إليه وحاول مرة أخرى.".into(),
        nothing_was_sent: "الخطأ {status}. لم يُرسل شيء إلى التطبيق.".into(),
        back_to: "العودة إلى {client}".into(),
        terms: "الشروط".into(),
        privacy: "الخصوصية".into(),
        ..Texts::english()
    }
    .describe("openid", "معرفة من أنت")
    .describe("notes:write", "كتابة الملاحظات باسمك")
}

fn user(name: &str) -> Value {
    json!({ "sub": name, "name": name.to_uppercase() })
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    let origin = format!("http://127.0.0.1:{port}");
    let app = |id: &str| {
        Client::public(id)
            .name("The App")
            .redirect_uri(format!("{origin}/app/callback"))
            .post_logout_redirect_uri(format!("{origin}/app/gone"))
    };
    let oauth = OAuthService::builder()
        .untyped_claims()
        .issuer(&origin)
        .name("Notes")
        .scope("openid", "Know who you are")
        .scope("profile", "Know your name")
        .scope("notes:write", "Write notes in your name")
        .client(app("app"))
        .client(app("framed").without_refresh_tokens())
        .client(
            Client::public("partner")
                .name("Partner Ltd")
                .redirect_uri("http://127.0.0.1/partner")
                .third_party()
                .allow_scopes("openid notes:write")
                .allow_resources(["https://files.example"]),
        )
        .client(Client::public("tv").name("Notes for TV").device())
        .client(
            Client::public("documentation").name("Documentation").redirect_uri("http://127.0.0.1/oauth2-redirect.html"),
        )
        .language(german())
        .language(Texts::french())
        .language(Texts::spanish())
        .language(Texts::japanese())
        .language(arabic())
        .resource("https://files.example")
        .link("Forgot password?", "/app/forgot")
        .link("Create an account", "/app/sign-up")
        .terms("/app/terms")
        .privacy("https://notes.example/privacy")
        .authenticate_blocking(authenticate)
        .second_factor_blocking(second_factor)
        .reload(async |subject: &str| Some(user(subject)))
        .account_page()
        .remember_sessions(Remember::Asked)
        .build()
        .unwrap();
    HttpServer::new(move || {
        let api = web::scope("/api").wrap(for_other_origins()).service(notes);
        App::new().configure(oauth.routes()).service((page, me, api))
    })
    .workers(2)
    .bind(("127.0.0.1", port))?
    .run()
    .await
}

//! One type for the claims. `#[derive(Claims)]` against what serde writes: no term that the compiler refuses may hold for a
//! value of the type, and none that it calls empty may fail. And what the builder compares, in a program without `claims!(..)`.

#![allow(clippy::unwrap_used, reason = "not production code")]
#![allow(dead_code, reason = "each type is written, and not read")]

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{self, Query};
use actix_web::{App, HttpRequest, Responder, get};
use oauth_runtime::__private::{Bound, BoundType, check_claims, check_rule};
use oauth_runtime::rule::{Decision, Facts, Order, Rule, Shape, Shaped, Test, Value};
use oauth_runtime::{
    AuthTime, BuildError, Builder, Claims, Client, Login, OAuthService, SignIn, require_claim, require_token,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

#[derive(Clone, Serialize, Claims)]
enum Plain {
    Reader,
    HttpAdmin,
}

macro_rules! styled {
    ($($name:ident $style:literal),+) => {
        $(#[derive(Clone, Serialize, Claims)]
        #[serde(rename_all = $style)]
        enum $name {
            Reader,
            HttpAdmin,
        })+

        /// A struct whose fields are styled too, of variants of each style.
        fn styled() -> Vec<(&'static str, Shape, Vec<Json>)> {
            vec![$({
                #[derive(Serialize, Claims)]
                #[serde(rename_all = $style)]
                struct User {
                    sub: String,
                    user_role: $name,
                    a2_b: bool,
                }
                let user = |user_role, a2_b| written(&User { sub: "ada".to_owned(), user_role, a2_b });
                ($style, User::SHAPE, vec![user($name::Reader, true), user($name::HttpAdmin, false)])
            }),+]
        }
    };
}

styled! {
    Lower "lowercase", Upper "UPPERCASE", Pascal "PascalCase", Camel "camelCase", Snake "snake_case",
    ScreamingSnake "SCREAMING_SNAKE_CASE", Kebab "kebab-case", ScreamingKebab "SCREAMING-KEBAB-CASE"
}

#[derive(Clone, Serialize, Claims)]
struct Address {
    city: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    zip: Option<u32>,
}

#[derive(Clone, Serialize, Claims)]
struct Plan {
    plan: Plain,
    #[serde(flatten)]
    limits: Limits,
}

#[derive(Clone, Serialize, Claims)]
struct Limits {
    seats: u16,
}

#[derive(Clone, Serialize, Claims)]
struct Id(String);

/// Flattened, and left out as a whole.
#[derive(Clone, Serialize, Claims)]
struct Guild {
    guild: u8,
}

impl Guild {
    fn is_none(&self) -> bool {
        self.guild == 0
    }
}

#[derive(Clone, Serialize, Claims)]
#[serde(transparent)]
struct Wrapped {
    inner: i8,
}

#[derive(Clone, Serialize, Claims)]
struct Pair(u8, String);

#[derive(Clone, Serialize, Claims)]
struct Nothing;

#[derive(Clone, Serialize, Claims)]
#[serde(into = "String")]
struct Shown(u8);

impl From<Shown> for String {
    fn from(shown: Shown) -> Self {
        format!("no. {}", shown.0)
    }
}

/// Of another crate, as it were.
#[derive(Clone, Serialize)]
struct Foreign(String);

#[derive(Clone, Serialize, Claims)]
struct User<T> {
    sub: Id,
    #[serde(rename = "org")]
    organization: String,
    level: u8,
    signed: Wrapped,
    score: f64,
    suspended: bool,
    boss: Option<Box<str>>,
    teams: Vec<Plain>,
    pair: Pair,
    nothing: Nothing,
    shown: Shown,
    #[serde(default)]
    nick: String,
    #[serde(rename(serialize = "written", deserialize = "read"))]
    renamed: bool,
    address: Option<Address>,
    #[serde(flatten)]
    plan: Plan,
    #[serde(flatten, skip_serializing_if = "Guild::is_none")]
    guild: Guild,
    #[serde(skip)]
    password: String,
    #[serde(serialize_with = "as_text")]
    #[claims(as = String)]
    number: u8,
    #[claims(as = String)]
    foreign: Foreign,
    other: T,
    r#type: &'static str,
    map: BTreeMap<String, u8>,
    triple: (u8, String, bool),
    positive: std::num::NonZeroU8,
    kept: Kept,
    key: Key<Marker>,
    tagged: Tagged,
}

/// Nothing is written of its parameter, which needs no shape.
#[derive(Clone, Serialize, Claims)]
#[serde(transparent)]
struct Key<M> {
    marker: std::marker::PhantomData<M>,
    key: String,
}

#[derive(Clone)]
struct Marker;

trait Lives {
    type Home;
}

impl Lives for Marker {
    type Home = Address;
}

/// What is written of its parameters has a shape, and they need none.
#[derive(Serialize, Claims)]
struct Lodger<T, L: Lives> {
    #[serde(skip)]
    skipped: T,
    #[claims(as = String)]
    foreign: T,
    home: L::Home,
}

#[derive(Clone, Serialize, Claims)]
#[serde(tag = "type")]
struct Tagged {
    level: u8,
}

/// Claims from before it had a field are read as well.
#[derive(Clone, Serialize, Deserialize, Default, Claims)]
#[serde(default)]
struct Kept {
    since: u16,
}

fn as_text<S: serde::Serializer>(number: &u8, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&number.to_string())
}

fn user() -> User<Option<i64>> {
    User {
        sub: Id("ada".to_owned()),
        organization: "acme".to_owned(),
        level: 0,
        signed: Wrapped { inner: -128 },
        score: 2.5,
        suspended: false,
        boss: None,
        teams: Vec::new(),
        pair: Pair(1, "a".to_owned()),
        nothing: Nothing,
        shown: Shown(1),
        nick: String::new(),
        renamed: true,
        address: None,
        plan: Plan { plan: Plain::Reader, limits: Limits { seats: 0 } },
        guild: Guild { guild: 0 },
        password: "secret".to_owned(),
        number: 3,
        foreign: Foreign("x".to_owned()),
        other: None,
        r#type: "person",
        map: BTreeMap::new(),
        triple: (1, "a".to_owned(), false),
        positive: std::num::NonZeroU8::MIN,
        kept: Kept::default(),
        key: Key { marker: std::marker::PhantomData, key: "a".to_owned() },
        tagged: Tagged { level: 0 },
    }
}

fn other_user() -> User<Option<i64>> {
    User {
        sub: Id("bob".to_owned()),
        organization: "other".to_owned(),
        level: 255,
        signed: Wrapped { inner: 127 },
        score: 3.0,
        suspended: true,
        boss: Some("ada".into()),
        teams: vec![Plain::HttpAdmin, Plain::Reader],
        pair: Pair(2, "b".to_owned()),
        shown: Shown(2),
        nick: "b".to_owned(),
        renamed: false,
        address: Some(Address { city: "Nice".to_owned(), zip: Some(3) }),
        plan: Plan { plan: Plain::HttpAdmin, limits: Limits { seats: 65535 } },
        guild: Guild { guild: 3 },
        number: 4,
        foreign: Foreign("y".to_owned()),
        other: Some(3),
        r#type: "robot",
        map: BTreeMap::from([("a".to_owned(), 3)]),
        triple: (2, "b".to_owned(), true),
        positive: std::num::NonZeroU8::MAX,
        kept: Kept { since: 3 },
        key: Key { marker: std::marker::PhantomData, key: "b".to_owned() },
        tagged: Tagged { level: 255 },
        ..user()
    }
}

#[derive(Clone, Serialize, Claims)]
#[serde(rename_all = "lowercase", rename_all_fields = "camelCase")]
enum External {
    Admin,
    #[serde(rename = "visitor")]
    Guest,
    Member {
        since_year: u16,
    },
    Robot(u8),
    /// Nothing of it is written but its name.
    Nameless(#[serde(skip)] u8),
    #[serde(skip)]
    Internal,
}

#[derive(Clone, Serialize, Claims)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Internal {
    Person {
        sub: String,
        level: u8,
    },
    #[serde(rename_all = "UPPERCASE")]
    Robot {
        serial: u8,
    },
    Home(Address),
    Nameless(#[serde(skip)] u8),
    Unknown,
}

#[derive(Clone, Serialize, Claims)]
#[serde(tag = "kind", content = "of")]
enum Adjacent {
    Person { level: u8 },
    Number(u8),
    Unknown,
}

#[derive(Clone, Serialize, Claims)]
#[serde(untagged)]
enum Untagged {
    Text(String),
    Number(u8),
    Home(Address),
}

#[derive(Clone, Serialize, Claims)]
enum PartlyUntagged {
    Reader,
    Team(u8),
    #[serde(untagged)]
    Home(Address),
    #[serde(untagged)]
    Text(String),
}

/// Some variants have the tag and some do not.
#[derive(Clone, Serialize, Claims)]
#[serde(tag = "kind")]
enum Mixed {
    Person {
        level: u8,
    },
    #[serde(untagged)]
    Number(u8),
}

#[derive(Serialize, Claims)]
struct Has<T> {
    sub: String,
    it: T,
    #[serde(flatten)]
    rest: BTreeMap<String, Json>,
}

fn has<T: Serialize>(it: T, rest: Json) -> Json {
    let Json::Object(rest) = rest else { panic!("an object") };
    written(&Has { sub: "ada".to_owned(), it, rest: rest.into_iter().collect() })
}

fn written(value: &impl Serialize) -> Json {
    serde_json::to_value(value).unwrap()
}

/// Types, and values of them that differ wherever they can.
fn cases() -> Vec<(&'static str, Shape, Vec<Json>)> {
    let home = |zip| Address { city: "Nice".to_owned(), zip };
    let mut cases = styled();
    cases.push(("user", User::<Option<i64>>::SHAPE, vec![written(&user()), written(&other_user())]));
    let external = [
        External::Admin,
        External::Guest,
        External::Member { since_year: 3 },
        External::Robot(3),
        External::Nameless(3),
    ];
    cases.push((
        "external",
        Has::<External>::SHAPE,
        external.into_iter().map(|it| has(it, json!({ "extra": 3 }))).collect(),
    ));
    cases.push((
        "internal",
        Internal::SHAPE,
        [
            Internal::Person { sub: "ada".to_owned(), level: 3 },
            Internal::Robot { serial: 3 },
            Internal::Home(home(Some(3))),
            Internal::Home(home(None)),
            Internal::Nameless(3),
            Internal::Unknown,
        ]
        .iter()
        .map(written)
        .collect(),
    ));
    let adjacent = [Adjacent::Person { level: 3 }, Adjacent::Number(3), Adjacent::Unknown];
    cases.push(("adjacent", Has::<Adjacent>::SHAPE, adjacent.into_iter().map(|it| has(it, json!({}))).collect()));
    let untagged = [Untagged::Text("a".to_owned()), Untagged::Number(3), Untagged::Home(home(Some(3)))];
    cases.push(("untagged", Has::<Untagged>::SHAPE, untagged.into_iter().map(|it| has(it, json!({}))).collect()));
    let partly = [PartlyUntagged::Reader, PartlyUntagged::Team(3), PartlyUntagged::Home(home(Some(3)))];
    let partly = partly.into_iter().chain([PartlyUntagged::Text("a".to_owned())]);
    cases.push(("partly", Has::<PartlyUntagged>::SHAPE, partly.map(|it| has(it, json!({}))).collect()));
    let mixed = [Mixed::Person { level: 3 }, Mixed::Number(3)];
    cases.push(("mixed", Has::<Mixed>::SHAPE, mixed.into_iter().map(|it| has(it, json!({}))).collect()));
    cases
}

#[test]
fn what_the_compiler_refuses_cannot_be_and_what_is_there_is_known() {
    std::panic::set_hook(Box::new(|_| {}));
    let (mut asked, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for (name, shape, values) in cases() {
        let bound = bound_to(shape);
        let mut paths = BTreeSet::new();
        values.iter().for_each(|value| paths_of(value, &mut Vec::new(), &mut paths));
        for path in &paths {
            let path: Vec<&'static str> = path.iter().map(|name| &*name.clone().leak()).collect();
            let path: &'static [&'static str] = path.leak();
            for test in tests(&values, path) {
                asked += 1;
                let rule = Rule::Claim(path, test);
                let said = catch_unwind(|| check_rule(&bound, &rule)).err();
                let said = said.map(|said| said.downcast_ref::<String>().cloned().unwrap_or_default());
                let decisions: Vec<Decision> = values.iter().map(|value| decide(&rule, value)).collect();
                let holds = |decision: &Decision| *decision == Decision::True;
                let is_right = match said.as_deref() {
                    None => true,
                    Some(said) if said.contains("no field") || said.contains("nothing is below") => {
                        !decisions.iter().any(|it| *it != Decision::Unknown) && !matches!(test, Test::Present)
                    }
                    Some(said) if said.contains("asks nothing") => decisions.iter().all(holds),
                    Some(_) => matches!(test, Test::Differs(_)) || !decisions.iter().any(holds),
                };
                refused += usize::from(said.is_some());
                if !is_right {
                    wrong.push(format!("{name}: {rule}: {said:?}, and it is {decisions:?}"));
                }
            }
        }
        // And a claim that no type has is named.
        let rule = Rule::Claim(&["surely_not_there"], Test::Present);
        let knows_all = !values.iter().any(|value| value.get("it").is_some());
        if knows_all && catch_unwind(|| check_rule(&bound, &rule)).is_ok() {
            wrong.push(format!("{name}: {rule} passes"));
        }
    }
    let _ = std::panic::take_hook();
    assert!(wrong.is_empty(), "{} of {asked}\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 1_000 && refused > asked / 4, "{refused} of {asked}");
}

fn bound_to(shape: Shape) -> Bound {
    let bound = BoundType { shape, is_issued: true, named: || (TypeId::of::<Json>(), "Json") };
    Bound { types: Box::leak(Box::new([bound])), scopes: None, acr: None }
}

fn decide(rule: &Rule, claims: &Json) -> Decision {
    rule.decide(&Facts::new(claims.as_object().unwrap()))
}

fn paths_of(value: &Json, above: &mut Vec<String>, paths: &mut BTreeSet<Vec<String>>) {
    let Json::Object(fields) = value else { return };
    for (name, value) in fields {
        above.push(name.clone());
        paths.insert(above.clone());
        paths_of(value, above, paths);
        above.pop();
    }
}

/// What could be asked of a claim: by values that it has, and by others.
fn tests(values: &[Json], path: &[&str]) -> Vec<Test> {
    let mut known: Vec<Value> =
        vec![Value::Str("x"), Value::Str("reader"), Value::Int(-3), Value::Int(300), Value::Float(0.5)];
    known.extend([Value::Bool(true), Value::Bool(false), Value::Int(0)]);
    for value in values {
        let found = path.iter().try_fold(value, |value, name| value.get(name));
        let leaves = match found {
            Some(Json::Array(items)) => items.iter().collect(),
            Some(value) => vec![value],
            None => Vec::new(),
        };
        known.extend(leaves.into_iter().filter_map(literal));
    }
    let orders = [Order::Below, Order::AtMost, Order::Above, Order::AtLeast];
    let mut tests = vec![Test::Present];
    for value in &known {
        tests.extend([Test::Equals(*value), Test::Differs(*value)]);
        if matches!(value, Value::Int(_) | Value::Float(_)) {
            tests.extend(orders.map(|order| Test::Orders(order, *value)));
        }
    }
    tests.push(Test::OneOf(
        known.iter().filter(|value| matches!(value, Value::Bool(_))).copied().collect::<Vec<_>>().leak(),
    ));
    tests.push(Test::OneOf(known[8..].to_vec().leak()));
    tests
}

fn literal(value: &Json) -> Option<Value> {
    match value {
        Json::String(text) => Some(Value::Str(text.clone().leak())),
        Json::Bool(truth) => Some(Value::Bool(*truth)),
        Json::Number(number) => number.as_i128().map(Value::Int).or_else(|| number.as_f64().map(Value::Float)),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

#[test]
fn a_parameter_needs_a_shape_only_where_it_is_written() {
    let lodger = Lodger::<Foreign, Marker> {
        skipped: Foreign("x".to_owned()),
        foreign: Foreign("y".to_owned()),
        home: Address { city: "Nice".to_owned(), zip: None },
    };
    assert_eq!(written(&lodger), json!({ "foreign": "y", "home": { "city": "Nice" } }));
    assert_eq!(Lodger::<Foreign, Marker>::SHAPE.to_string(), "an object with `foreign`, `home`");
}

#[test]
fn what_has_no_shape_of_its_own_is_anything() {
    const JSON: Shape = <Map<String, Json>>::SHAPE;
    for shape in [JSON, Json::SHAPE] {
        check_rule(&bound_to(shape), &Rule::Claim(&["any", "thing"], Test::Present));
    }
}

#[derive(Clone, Serialize, Deserialize, Claims)]
struct Account {
    sub: String,
    role: String,
    level: u8,
}

#[derive(Clone, Serialize, Deserialize, Claims)]
struct Other {
    sub: String,
    role: String,
}

#[require_claim(Account { level: 3.., .. })]
#[get("/pattern")]
async fn pattern() -> impl Responder {
    "pattern"
}

/// Other than by this, nothing tells that it is not read.
#[require_token]
#[get("/me")]
async fn me(account: Option<Claims<Account>>) -> impl Responder {
    account.map(|Claims(account)| account.sub)
}

#[require_claim(any(all(role = "owner", paid), scope = "notes:delete", acr = "mfa", dyn partner = "x"))]
#[get("/terms")]
async fn terms() -> impl Responder {
    "terms"
}

fn service() -> Builder {
    OAuthService::builder()
        .issuer("http://127.0.0.1:9")
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
}

/// Who may have claims that no sign-in answers.
fn job() -> Client {
    Client::confidential("job").secret("eyf3Vjq8Jc0vYTPRkwBkY0ieVS0SjAn9s1BG3Ih6Hbw").claims(json!({ "paid": true }))
}

fn account(_: Login) -> Option<Account> {
    Some(account_of("ada"))
}

#[test]
fn what_no_token_can_pass_is_an_error_of_the_builder() {
    let other = service().authenticate(async |_| Some(Other { sub: "ada".into(), role: "admin".into() })).build();
    let Err(BuildError::ForeignClaims { handler, guard_type, claims_type }) = other else { panic!("{other:?}") };
    assert!(["claims::pattern", "claims::me"].contains(&handler.as_str()), "{handler}");
    assert_eq!((guard_type, claims_type), ("claims::Account", "claims::Other"));
    let json = service().authenticate(async |_| None::<Json>).build();
    assert!(matches!(json, Err(BuildError::ForeignClaims { claims_type: "serde_json::value::Value", .. })), "{json:?}");

    let misfit = service().authenticate_blocking(account).build();
    let Err(BuildError::GuardMisfit { guard, misfit }) = misfit else { panic!("{misfit:?}") };
    let expected = "no field `paid` in the claims: `Account` has `sub`, `role`, `level`";
    assert_eq!((guard.as_str(), misfit.as_str()), ("claims::terms", expected));

    let scope = service().client(job()).authenticate_blocking(account).build();
    let Err(BuildError::GuardScope { guard, scope: "notes:delete" }) = scope else { panic!("{scope:?}") };
    assert_eq!(guard, "claims::terms");
    let fits = || service().client(job()).scope("notes:delete", "Delete notes").authenticate_blocking(account);
    assert!(fits().build().is_ok());

    let acr = fits().acr_values(["pwd", "otp"]).build();
    let Err(BuildError::GuardMisfit { misfit, .. }) = acr else { panic!("{acr:?}") };
    assert!(misfit.starts_with("acr = \"mfa\" is none of .acr_values(..), which has pwd, otp: add it"), "{misfit}");
    assert!(fits().acr_values(["pwd", "mfa"]).build().is_ok());
    assert!(fits().acr_values(["pwd", "otp"]).untyped_claims().build().is_ok());
    assert!(service().untyped_claims().authenticate(async |_| None::<Json>).build().is_ok());
}

/// Each has a `sub` in every variant: where serde writes that depends on the tag.
#[test]
fn a_sign_in_answers_an_enum_whose_fields_are_claims() {
    #[derive(Serialize, Claims)]
    #[serde(tag = "role")]
    enum Within {
        Admin { sub: String },
        Guest { sub: String },
    }
    #[derive(Serialize, Claims)]
    #[serde(untagged)]
    enum Without {
        Admin { sub: String, rights: u8 },
        Guest { sub: String },
    }
    #[derive(Serialize, Claims)]
    enum Around {
        Admin { sub: String },
        Guest { sub: String },
    }
    #[derive(Serialize, Claims)]
    #[serde(tag = "role", content = "of")]
    enum Beside {
        Admin { sub: String },
        Guest { sub: String },
    }
    #[derive(Serialize, Claims)]
    #[serde(tag = "role")]
    enum OfSome {
        Admin { sub: String },
        Guest,
    }
    for (of, shape, is_known, value) in [
        ("Within", &Within::SHAPE, true, written(&Within::Admin { sub: "ada".to_owned() })),
        ("Without", &Without::SHAPE, true, written(&Without::Guest { sub: "ada".to_owned() })),
        ("Around", &Around::SHAPE, false, written(&Around::Admin { sub: "ada".to_owned() })),
        ("Beside", &Beside::SHAPE, false, written(&Beside::Admin { sub: "ada".to_owned() })),
        ("OfSome", &OfSome::SHAPE, false, written(&OfSome::Guest)),
    ] {
        assert_eq!(value["sub"] == "ada", is_known, "{of}");
        assert_eq!(catch_unwind(|| check_claims(of, shape, true)).is_ok(), is_known, "{of}");
    }
}

#[test]
fn all_that_signs_in_answers_one_type() {
    let fits = || service().client(job()).scope("notes:delete", "Delete notes").authenticate_blocking(account);
    let other = fits().reload(async |_: &str| Some(Other { sub: "ada".into(), role: "admin".into() })).build();
    let Err(BuildError::OtherClaims { authenticate, function: "reload", other }) = other else { panic!("{other:?}") };
    assert_eq!((authenticate, other), ("claims::Account", "claims::Other"));
    let json = fits().second_factor(async |_| SignIn::<Json>::refused()).build();
    assert!(matches!(json, Err(BuildError::OtherClaims { function: "second_factor", .. })), "{json:?}");
    let same = fits().reload_blocking(|_: &str| None::<Account>).second_factor(async |_| SignIn::<Account>::refused());
    assert!(same.build().is_ok());
    let json = fits().untyped_claims().reload(async |_: &str| None::<Map<String, Json>>);
    assert!(json.build().is_ok());
}

/// A page of the author's own says who it is only when a user signs in.
#[actix_web::test]
async fn a_sign_in_of_ones_own_answers_the_same_type() {
    let page = |claims: fn() -> Finished| {
        move |http: HttpRequest, oauth: OAuthService, Query(asked): Query<BTreeMap<String, String>>| async move {
            let pending = oauth.pending(&http, &asked["request"]).await?;
            match claims() {
                Finished::Account(user) => pending.finish(&http, user, AuthTime::Now).await,
                Finished::Json(user) => pending.finish(&http, user, AuthTime::Now).await,
            }
        }
    };
    let typed: fn() -> Finished = || Finished::Account(SignIn::done(account_of("ada")));
    let json: fn() -> Finished = || Finished::Json(SignIn::done(written(&account_of("ada"))));
    let oauth = service().client(job()).scope("notes:delete", "Delete notes").sign_in_at("/own");
    let oauth = oauth.reload(async move |_: &str| Some(account_of("ada"))).build().unwrap();
    let app = App::new().configure(oauth.routes()).route("/own", web::get().to(page(typed)));
    let app = init_service(app.route("/json", web::get().to(page(json)))).await;
    let authorize = "/authorize?response_type=code&client_id=demo&redirect_uri=http://127.0.0.1/callback&state=s\
                     &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    // Of a public client the user is asked next.
    for (path, status) in [("/own", 200), ("/json", 500)] {
        let first = call_service(&app, TestRequest::get().uri(authorize).to_request()).await;
        let text = |name: &str| first.headers().get(name).unwrap().to_str().unwrap();
        let cookie = text("set-cookie").split(';').next().unwrap();
        let request = TestRequest::get().uri(&text("location").replace("/own", path)).insert_header(("cookie", cookie));
        assert_eq!(call_service(&app, request.to_request()).await.status().as_u16(), status, "{path}");
    }
}

enum Finished {
    Account(SignIn<Account>),
    Json(SignIn<Json>),
}

fn account_of(name: &str) -> Account {
    Account { sub: name.to_owned(), role: "admin".into(), level: 3 }
}

//! What `docs/policies.md` says, asked of the real runtime: its tables are decided cell by cell. And that what the pages
//! name is there: tests, files, links.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::{Responder, get};
use oauth_runtime::rule::{Decision, Facts, Rule, Test, Value};
use oauth_runtime::{Clock, Timestamp, policy, require_claim};
use oauth_tests::{Browser, start_with};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

const GUIDE: &str = include_str!("../oauth-runtime/docs/policies.md");

/// Terms as a reader would write them, and the rules that the macro makes of them.
macro_rules! terms {
    ($(($($term:tt)*)),* $(,)?) => { vec![$((format!("`{}`", stringify!($($term)*)), *policy!($($term)*).rule())),*] };
}

/// A table of the guide: what its columns are, and its rows.
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// The table below a mark.
    fn read(mark: &str) -> Table {
        let (_, table) = GUIDE.split_once(&format!("<!-- checked: {mark} -->\n\n")).unwrap();
        let (table, _) = table.split_once("\n\n").unwrap();
        let cells = |line: &str| -> Vec<String> {
            let line = line.strip_prefix("| ").unwrap().strip_suffix(" |").unwrap();
            line.split(" | ").map(str::to_owned).collect()
        };
        let mut lines = table.lines();
        let columns = cells(lines.next().unwrap());
        Table { columns, rows: lines.skip(1).map(cells).collect() }
    }

    /// Decides every cell anew. A table that says something else is printed as it should be.
    fn check(&self, given: usize, decide: impl Fn(&[String], usize) -> Decision) {
        assert!(self.rows.len() > 2);
        let decided: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                let results = (given..self.columns.len()).map(|column| format!("{:?}", decide(&row[..given], column)));
                row[..given].iter().cloned().chain(results).collect()
            })
            .collect();
        let lines: Vec<String> = decided.iter().map(|row| format!("| {} |", row.join(" | "))).collect();
        assert_eq!(self.rows, decided, "the guide should say\n{}\n", lines.join("\n"));
    }
}

/// What a cell says that a claim is: nothing, or JSON in backticks.
fn claims(name: &str, cell: &str) -> Json {
    if cell == "absent" {
        return json!({});
    }
    let text = cell.strip_prefix('`').unwrap().strip_suffix('`').unwrap();
    json!({ name: serde_json::from_str::<Json>(text).unwrap() })
}

#[test]
fn absence_types_and_arrays() {
    let table = Table::read("claims");
    let mut terms = terms![(c), (c = "a"), (c != "a"), (c = ["a", "b"]), (c = 3), (c != 3), (c >= 3), (c = true),];
    for parameter in ["a", "3"] {
        terms.push((format!("`c = path.p`, `p` is `{parameter}`"), parameter_rule(parameter)));
    }
    let titles: Vec<&String> = terms.iter().map(|(title, _)| title).collect();
    assert_eq!(table.columns[1..].iter().collect::<Vec<_>>(), titles);
    table.check(1, |given, column| {
        let claims = claims("c", &given[0]);
        let parameter = |name: &str| Some(Cow::Owned(name.to_owned()));
        terms[column - 1].1.decide(&Facts::new(claims.as_object().unwrap()).with_parameters(&parameter))
    });
}

/// `c = path.p`, where the parameter's name is also its value.
fn parameter_rule(parameter: &'static str) -> Rule {
    Rule::Claim(&["c"], Test::Equals(Value::Parameter(parameter)))
}

#[test]
fn the_words_read_claims_of_their_own() {
    let table = Table::read("words");
    let terms = terms![(scope = "a"), (acr = "a"), (fresh = "5m")];
    for (column, (title, _)) in table.columns[1..].iter().zip(&terms) {
        assert!(column.starts_with(title), "{column} {title}");
    }
    table.check(1, |given, column| {
        let claims = claims(["scope", "acr", "auth_time"][column - 1], &given[0]);
        terms[column - 1].1.decide(&Facts::new(claims.as_object().unwrap()).at(Timestamp::from_seconds(1000)))
    });
}

#[test]
fn conditions() {
    let table = Table::read("conditions");
    assert_eq!(table.columns, ["`a`", "`b`", "`all(a, b)`", "`any(a, b)`", "`not(a)`"]);
    let outcomes = [Decision::True, Decision::False, Decision::Unknown].map(|outcome| format!("{outcome:?}"));
    let all: Vec<[&String; 2]> =
        outcomes.iter().flat_map(|one| outcomes.iter().map(move |other| [one, other])).collect();
    assert_eq!(table.rows.iter().map(|row| [&row[0], &row[1]]).collect::<Vec<_>>(), all, "every pair, in this order");

    let none = serde_json::Map::new();
    let facts = Facts::new(&none);
    let rule = |outcome: &str| match outcome {
        "True" => *policy!(not(absent)).rule(),
        "False" => *policy!(absent).rule(),
        _ => *policy!(absent = 1).rule(),
    };
    table.check(2, |given, column| {
        let (one, other) = (rule(&given[0]), rule(&given[1]));
        assert_eq!(format!("{:?}{:?}", one.decide(&facts), other.decide(&facts)), given.concat());
        let both: &'static [Rule] = Box::leak(Box::new([one, other]));
        [Rule::All(both), Rule::Any(both), Rule::Not(&both[0])][column - 2].decide(&facts)
    });
}

#[require_claim(c = path.owner)]
#[get("/notes/{owner}")]
async fn note() -> impl Responder {
    "a note"
}

#[tokio::test]
async fn parameters_of_the_route() {
    let table = Table::read("path");
    // Who signs in as `7` has the claim 7.
    let server = start_with(
        |builder| {
            builder.danger_explain_refusals().authenticate(async |login| {
                serde_json::from_str(&login.username).ok().map(|c: Json| json!({ "sub": login.username, "c": c }))
            })
        },
        |app| {
            app.service(note);
        },
    );
    let browser = Browser::new(&server);
    let bare = |cell: &str| cell.trim_matches('`').to_owned();
    let mut outcomes = Vec::new();
    for row in &table.rows {
        let token = browser.token_for(&bare(&row[0])).await;
        for column in &table.columns[1..] {
            let answer = browser.call(&bare(column), Some(&token)).await;
            outcomes.push(match answer.status {
                200 => Decision::True,
                403 if answer.json()["decided"] == "c = path.owner is false" => Decision::False,
                403 if answer.json()["decided"]
                    .as_str()
                    .is_some_and(|it| it.starts_with("c = path.owner is unknown")) =>
                {
                    Decision::Unknown
                }
                _ => panic!("{answer:?}"),
            });
        }
    }
    table.check(1, |given, column| {
        let row = table.rows.iter().position(|row| row[0] == given[0]).unwrap();
        outcomes[row * (table.columns.len() - 1) + column - 1]
    });
}

#[require_claim(any(role = "root", scope = "notes:read notes:write"), not(suspended))]
#[get("/scope")]
async fn by_scope() -> impl Responder {
    "by scope"
}

#[require_claim(role = "admin", scope = "notes:read", fresh = "5m")]
#[get("/fresh")]
async fn by_freshness() -> impl Responder {
    "by freshness"
}

#[require_claim(acr = ["mfa", "hwk"])]
#[get("/acr")]
async fn by_strength() -> impl Responder {
    "by strength"
}

#[require_claim(User { level: 3.., .. })]
#[get("/typed")]
async fn typed() -> impl Responder {
    "typed"
}

#[derive(Serialize, Deserialize)]
struct User {
    level: u8,
}

#[tokio::test]
async fn what_the_client_is_told() {
    let clock = Clock::by_hand();
    let server = start_with(
        |builder| builder.clock(clock.clone()),
        |app| {
            app.service((by_scope, by_freshness, by_strength, typed));
        },
    );
    let browser = Browser::new(&server);
    let old = browser.token().await;
    // What is issued in a store's first second is dated to the next one.
    clock.advance(Duration::from_secs(302));
    let (admin, user) = (browser.token().await, browser.token_for("user").await);
    let (step_up, refused) = ("insufficient_user_authentication", "insufficient_scope");
    type Row<'a> = (&'a str, Option<&'a str>, u16, Option<&'a str>, &'a [(&'a str, &'a str)]);
    let rows: [Row<'_>; 9] = [
        ("/scope", None, 401, None, &[("scope", "notes:read notes:write")]),
        ("/acr", None, 401, None, &[]),
        ("/scope", Some("a.b.c"), 401, Some("invalid_token"), &[("scope", "notes:read notes:write")]),
        ("/scope", Some(&admin), 403, Some(refused), &[("scope", "notes:read notes:write")]),
        ("/fresh", Some(&admin), 403, Some(refused), &[("scope", "notes:read")]),
        ("/fresh", Some(&old), 401, Some(step_up), &[("scope", "notes:read"), ("max_age", "300")]),
        ("/fresh", Some(&user), 403, Some(refused), &[]),
        ("/acr", Some(&admin), 401, Some(step_up), &[("acr_values", "mfa hwk")]),
        ("/typed", Some(&admin), 403, Some(refused), &[]),
    ];
    for (path, token, status, error, more) in rows {
        let answer = browser.call(path, token).await;
        let mut challenge = answer.challenge();
        assert!(answer.json().get("policy").is_none() && answer.json().get("decided").is_none(), "{answer:?}");
        let resource = format!("{}/.well-known/oauth-protected-resource", server.base);
        assert_eq!(challenge.remove("resource_metadata"), Some(resource));
        assert_eq!(challenge.remove("realm").as_ref(), Some(&server.base));
        assert_eq!((answer.status, challenge.remove("error").as_deref()), (status, error), "{answer:?}");
        drop(challenge.remove("error_description"));
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        assert_eq!(challenge, more.collect(), "{path} {answer:?}");
        if let Some(error) = error {
            assert!(GUIDE.contains(&format!("| {status} | `{error}` |")), "{status} {error}");
        }
    }
}

/// The pages that a reader meets, each with its path below the repository.
fn pages() -> Vec<(String, String)> {
    let root = root();
    let docs = std::fs::read_dir(root.join("oauth-runtime/docs")).unwrap().map(|page| page.unwrap().file_name());
    let docs =
        docs.map(|page| format!("oauth-runtime/docs/{}", page.to_str().unwrap())).filter(|it| it.ends_with(".md"));
    let pages =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(str::to_owned).into_iter().chain(docs);
    let read = |page: String| (page.clone(), std::fs::read_to_string(root.join(page)).unwrap());
    pages.map(read).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A page without its blocks of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

#[test]
fn what_the_pages_link_to_is_there() {
    let anchors = |text: &str| -> Vec<String> {
        let text = prose(text);
        let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
        let kept = |it: &char| it.is_alphanumeric() || *it == '-';
        titles.map(|title| title.to_lowercase().replace(' ', "-").chars().filter(kept).collect()).collect()
    };
    let mut links = 0;
    for (page, text) in pages() {
        let text = prose(&text);
        let written = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for link in written.chain(definitions(&text)) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let path =
                if file.is_empty() { root().join(&page) } else { root().join(&page).parent().unwrap().join(file) };
            assert!(path.exists(), "{page}: {link}");
            if let Some(anchor) = anchor {
                let text = std::fs::read_to_string(path).unwrap();
                assert!(anchors(&text).contains(&anchor.to_owned()), "{page}: {link}");
            }
            links += 1;
        }
    }
    assert!(links > 150, "{links}");
}

/// What the links of a page are defined as, each by itself.
fn definitions(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (link, target) = line.strip_prefix('[')?.split_once("]: ")?;
        assert_eq!(link, target);
        Some(target)
    })
}

/// A link of the guide is to a file, and in rustdoc to a page of the module.
#[test]
fn what_the_guide_links_to_is_a_page_of_it() {
    let guide = std::fs::read_to_string(root().join("oauth-runtime/src/guide.rs")).unwrap();
    let mut links = BTreeSet::new();
    for (page, text) in pages() {
        let Some(file) = page.strip_prefix("oauth-runtime/docs/") else { continue };
        let module = file.trim_end_matches(".md").replace('-', "_");
        assert!(guide.contains(&format!("    {module}, \"{file}\";\n")), "the guide has no page {module}");
        assert!(guide.contains(&format!("[`{module}`]")), "the list of the guide has no page {module}");
        let text = prose(&text);
        let used: BTreeSet<&str> = text.split("][").skip(1).map(|rest| rest.split(']').next().unwrap()).collect();
        assert_eq!(used, definitions(&text).collect(), "{page}: links, and what they are defined as");
        let inline = text.split("](").skip(1).find(|rest| !rest.starts_with('#') && !rest.starts_with("https://"));
        assert_eq!(inline, None, "{page}: a link to a file has a definition");
        links.extend(used.into_iter().map(str::to_owned));
    }
    let in_rustdoc: String = links
        .iter()
        .map(|link| {
            let (file, anchor) = link.split_once(".md").unwrap();
            format!("[{link}]: crate::guide::{}{anchor}\n", file.replace('-', "_"))
        })
        .collect();
    oauth_tests::pages::hold_file("oauth-runtime/src/guide/links.md", &in_rustdoc);
}

/// rustdoc hides a line that begins with `# `, and everywhere else where a page is read it stands there.
#[test]
fn the_pages_hide_no_code() {
    for (page, text) in pages() {
        for block in text.split("```").skip(1).step_by(2).filter(|block| block.starts_with("rust")) {
            let hidden = block.lines().find(|line| line.trim_start().starts_with("# "));
            assert_eq!(hidden, None, "{page}");
        }
    }
}

/// A template is read before it is copied.
#[test]
fn each_table_says_what_its_columns_are() {
    for (page, text) in pages() {
        let is_bare = |line: &str| line.starts_with('|') && line.chars().all(|it| it == '|' || it == ' ');
        assert_eq!(text.lines().find(|line| is_bare(line)), None, "{page} has a table without a head");
    }
}

#[test]
fn the_template_is_short() {
    fn lines(folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        // What running it leaves there is no part of it.
        let entries = entries.filter(|path| !path.ends_with("data") && !path.ends_with("target"));
        entries
            .map(
                |path| {
                    if path.is_dir() { lines(&path) } else { std::fs::read_to_string(path).unwrap().lines().count() }
                },
            )
            .sum()
    }
    let lines = lines(&root().join("examples/app"));
    assert!((200..=500).contains(&lines), "{lines} lines");
}

/// The program that the README, the crate's front page and the guide begin with is an example that runs.
#[test]
fn the_first_program_is_the_example() {
    let (_, program) = include_str!("../examples/hello.rs").split_once("\n\n").unwrap();
    let root = root();
    let read = |page: &str| std::fs::read_to_string(root.join(page)).unwrap();
    assert!(read("README.md").lines().count() <= 120);
    for page in ["README.md", "oauth-runtime/docs/start.md"] {
        assert!(read(page).contains(&format!("```rust,no_run\n{program}```")), "{page}");
    }
    let front: String = read("oauth-runtime/src/lib.rs")
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    assert!(front.contains(&format!("```no_run\n{program}```")), "{front}");
}

/// The crate's front page and the guide have a row for each feature.
#[test]
fn the_features_are_in_both_tables() {
    let manifest = include_str!("../oauth-runtime/Cargo.toml");
    let (features, _) = manifest.split_once("[features]\n").unwrap().1.split_once("\n[").unwrap();
    let names: Vec<&str> = features.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    assert!(names.len() > 5, "{names:?}");
    let [front, start] = [include_str!("../oauth-runtime/src/lib.rs"), include_str!("../oauth-runtime/docs/start.md")];
    for name in names {
        for (page, text) in [("lib.rs", front), ("start.md", start)] {
            let has_row =
                |line: &str| line.starts_with("| `") && line.split('|').nth(1).unwrap().contains(&format!("`{name}`"));
            assert!(text.lines().any(|line| has_row(line.trim_start_matches("//! "))), "{page} has no row for {name}");
        }
    }
}

/// The macro's documentation has what the parser knows, by a test of its own: the guide has as much.
#[test]
fn the_guide_has_the_language_that_the_macro_documents() {
    let source = std::fs::read_to_string(root().join("oauth-macros/src/lib.rs")).unwrap();
    let (_, table) = source.split_once("pub fn require_claim").unwrap().0.split_once("/// # What to write").unwrap();
    let (table, _) = table.split_once("/// # What holds").unwrap();
    let (language, _) = GUIDE.split_once("## The language").unwrap().1.split_once("\n## ").unwrap();
    let is_operator = |word: &&str| !word.is_empty() && word.chars().all(|it| "=!<>".contains(it));
    let terms = |text: &str| -> BTreeSet<String> {
        let terms = text.split('`').skip(1).step_by(2);
        let parts = terms.flat_map(|term| term.split_inclusive('(').flat_map(|part| part.split(' ')));
        parts.filter(|part| is_operator(part) || part.ends_with('(')).map(str::to_owned).collect()
    };
    let documented = terms(table);
    assert!(documented.len() > 8, "{documented:?}");
    let missing: Vec<&String> = documented.iter().filter(|term| !language.contains(*term)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Where a page's paths may begin.
const ROOTS: [&str; 7] =
    [".", "oauth-runtime/src", "oauth-macros/src", "tests", "tests/flows", "tests/refused", "examples"];

#[test]
fn the_files_that_the_pages_name_are_there() {
    let mut named = 0;
    for (page, text) in pages() {
        for name in prose(&text).split('`').skip(1).step_by(2).filter(|name| is_path(name)) {
            assert!(ROOTS.iter().any(|start| root().join(start).join(name).exists()), "{page}: there is no {name}");
            named += 1;
        }
    }
    assert!(named > 100, "{named}");
}

/// Whether a word in backticks looks like a source file or a folder of the repository.
fn is_path(word: &str) -> bool {
    let is_one_word = word.chars().all(|it| it.is_ascii_alphanumeric() || "_-./".contains(it));
    let is_source = [".rs", ".md", ".js", ".py", ".sh", ".toml", ".txt"].iter().any(|ending| word.ends_with(ending));
    let first = word.split('/').next().unwrap();
    let is_below = word.contains('/') && ROOTS.iter().any(|start| root().join(start).join(first).is_dir());
    is_one_word && !word.starts_with('/') && (is_source || is_below)
}

#[test]
fn contributing_says_what_each_test_is_for() {
    let contributing = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let (_, table) = contributing.split_once("| Where | What |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    for entry in std::fs::read_dir(root().join("tests")).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        let end = if entry.path().is_dir() { "/" } else { "" };
        assert!(table.contains(&format!("`tests/{name}{end}`")), "the table of tests has no row for tests/{name}");
    }
}

/// A page that names a test which is not there would promise more than is proven.
#[test]
fn the_tests_that_the_threats_name_are_there() {
    let sources = sources_of_tests();
    let rows = include_str!("../oauth-runtime/docs/threats.md").lines().filter(|line| line.starts_with("| "));
    let attacks: Vec<&str> = rows.filter(|row| !row.ends_with("| Proof |")).collect();
    assert!(attacks.len() > 100, "{}", attacks.len());
    for row in attacks {
        assert!(proofs(row, &sources) > 0, "no test is named: {row}");
    }
}

/// OAuch has 179 cases.
#[test]
fn each_case_of_oauch_has_a_row_and_each_that_passes_a_test() {
    let (sources, page) = (sources_of_tests(), include_str!("../oauth-runtime/docs/oauch.md"));
    let (mut passes, mut warned, mut not_offered) = (0, 0, 0);
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let named = proofs(row, &sources);
        match row.split(" | ").nth(2).unwrap() {
            outcome if outcome.starts_with("passes") && named > 0 => passes += 1,
            outcome if outcome.starts_with("warning allowed: ") && named > 0 => warned += 1,
            outcome if outcome.starts_with("not offered: ") => not_offered += 1,
            outcome => panic!("{outcome}: {row}"),
        }
    }
    assert_eq!(passes + warned + not_offered, 179);
    let sum = format!("{passes} pass, {warned} are warnings that are allowed, and {not_offered} are not offered.");
    assert!(page.contains(&sum), "{sum}");
    for group in page.split("\n## ").skip(1) {
        let mut names: Vec<&str> = group.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "a case is there twice: {group}");
    }
}

/// How many tests the last cell of a row names. Each is there.
fn proofs(row: &str, sources: &str) -> usize {
    let proof = row.trim_end_matches('|').rsplit('|').next().unwrap();
    let names = proof.split('`').skip(1).step_by(2);
    names.inspect(|name| assert!(sources.contains(&format!("fn {name}(")), "there is no test {name}")).count()
}

/// Where a test in Rust may stand.
fn sources_of_tests() -> String {
    let mut sources = String::new();
    read(&root().join("tests"), false, &mut sources);
    for folder in ["flows", "refused", "several", "stores", "testing"] {
        read(&root().join("tests").join(folder), true, &mut sources);
    }
    read(&root().join("oauth-runtime/src"), true, &mut sources);
    sources
}

/// A module that is restated is in the table under its own name, and what the table names is restated.
#[test]
fn each_module_of_the_certification_is_in_its_table() {
    let mut sources = String::new();
    read(&root().join("tests/certification"), true, &mut sources);
    let restated: BTreeSet<&str> =
        sources.split("async fn oidcc_").skip(1).map(|rest| rest.split('(').next().unwrap()).collect();
    let rows = include_str!("../oauth-runtime/docs/certification.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `oidcc-"));
    let mut listed = BTreeSet::new();
    for row in rows {
        let (module, rest) = row.split_once("` | ").unwrap();
        let test = rest.rsplit('`').nth(1).unwrap().strip_prefix("oidcc_").unwrap();
        assert_eq!(module.replace('-', "_"), test);
        listed.insert(test);
    }
    assert_eq!(listed, restated);
    assert_eq!(listed.len(), 38 + 1 + 11);
}

/// Each demand of the checklist has a test whose name has its number, and each test that the page names is there.
#[test]
fn every_line_of_the_checklist_is_proven_by_a_test_of_its_number() {
    let checklist = include_str!("../oauth-runtime/docs/checklist.md");
    let mut sources = sources_of_tests();
    for file in ["sign_in", "sessions", "swagger_ui", "device"] {
        let path = root().join(format!("tests/browser/{file}.test.js"));
        sources.push_str(&std::fs::read_to_string(path).unwrap());
    }
    let mut numbers = Vec::new();
    for row in checklist.lines().filter(|line| line.starts_with("| ")) {
        let Ok(number) = row.split('|').nth(1).unwrap().trim().parse::<u8>() else { continue };
        assert!(row.split('|').nth(3).unwrap().trim().starts_with("now"), "{row}");
        let proof = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap();
        let is_test =
            |name: &&str| name.strip_prefix('c').is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()));
        let names: Vec<&str> = proof.split('`').skip(1).step_by(2).filter(is_test).collect();
        for name in &names {
            let is_there = match name.strip_suffix(" ..") {
                Some(begin) => sources.contains(&format!("test('{begin}")),
                None => sources.contains(&format!("fn {name}(")),
            };
            assert!(is_there, "there is no test {name}");
        }
        // What follows the name of a file is in it.
        let mut files = Vec::new();
        for word in proof.split('`').skip(1).step_by(2).filter(|word| !word.ends_with(" ..")) {
            if word.ends_with(".rs") {
                let paths = ROOTS.map(|start| root().join(start).join(word));
                files = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
            } else if is_test(&word) && !files.is_empty() {
                let is_in_it = files.iter().any(|file| file.contains(&format!("fn {word}(")));
                assert!(is_in_it, "{word} is not in the file that is named before it");
            }
        }
        let own = format!("c{number:02}");
        let is_proven = names.iter().any(|name| name.split(['_', ' ']).any(|part| part == own));
        assert!(is_proven, "no test of {own}: {proof}");
        numbers.push(number);
    }
    assert_eq!(numbers, (1..=53).collect::<Vec<u8>>());
}

/// Each entry of the runbook says which tests show it, and what it quotes of the log is what the code says.
#[test]
fn what_the_runbook_and_the_stores_name_is_there() {
    let (mut tests, mut code) = (String::new(), String::new());
    read(&root().join("tests"), false, &mut tests);
    for folder in ["flows", "logs", "refused", "several", "stores"] {
        read(&root().join("tests").join(folder), true, &mut tests);
    }
    read(&root().join("oauth-runtime/src"), true, &mut code);
    let written: String = code.split("\\\n").map(str::trim_start).collect();
    let quoted = |text: &str| -> Vec<String> {
        text.split('`')
            .skip(1)
            .step_by(2)
            .map(|quoted| quoted.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    let is_test = |name: &str| tests.contains(&format!("fn {name}(")) || code.contains(&format!("fn {name}("));
    let mut named = 0;
    for section in include_str!("../oauth-runtime/docs/runbook.md").split("\n## ").skip(1) {
        let title = section.lines().next().unwrap();
        let items: Vec<&str> = section.split("\n- ").collect();
        assert!(items.iter().any(|item| item.starts_with("Proof: ")), "{title} has no proof");
        for item in items {
            let item = item.split("\n\n").next().unwrap();
            for name in quoted(item.strip_prefix("Proof: ").unwrap_or_default()) {
                assert!(is_test(&name), "{title}: there is no test {name}");
                named += 1;
            }
            for text in quoted(item.strip_prefix("Log: ").unwrap_or_default()) {
                assert!(text == "appendonly" || written.contains(&text), "{title}: the log never says {text}");
            }
        }
    }
    // The only words of this form on the page of stores are tests.
    let is_name =
        |name: &&String| name.matches('_').count() >= 4 && name.chars().all(|it| it.is_alphanumeric() || it == '_');
    for name in quoted(&prose(include_str!("../oauth-runtime/docs/stores.md"))).iter().filter(is_name) {
        assert!(is_test(name), "there is no test {name}");
        named += 1;
    }
    assert!(named > 30, "{named}");
}

/// What pages quote of other programs.
const SAID_BY_OTHERS: [&str; 15] = [
    "blocked by CORS policy",
    "blocked by CORS policy: No 'Access-Control-Allow-Origin' header",
    "checks.state argument is missing",
    "did not match the issuer returned",
    "does not match the client's OIDC_RP_SIGN_ALGO",
    "IFrame timed out without a response",
    "Incompatible auth server: does not support dynamic client registration",
    "No matching state found in storage",
    "PKCE code_verifier cookie was missing",
    "Requested application data is not configured correctly",
    "is not valid JSON",
    "No matching key found",
    "signature could not be verified",
    "unexpected JWT alg received",
    "upstream sent too big header",
];

/// A text that a page of the guide quotes, of an error, a log or a page, is one that the code has.
#[test]
fn what_the_pages_quote_is_what_the_code_says() {
    let mut code = String::new();
    for folder in ["oauth-runtime/src", "oauth-macros/src", "examples", "tests/how_to/shown"] {
        read(&root().join(folder), true, &mut code);
    }
    // As on the pages, without the breaks of its lines.
    let whole = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let code: String = code.split("\\\n").map(str::trim_start).collect();
    let is_text = |text: &String| {
        let is_of_text = |it: char| it.is_alphabetic() || " ,.:;'_".contains(it);
        text.split(' ').count() >= 4 && text.chars().all(is_of_text) && !text.ends_with("..")
    };
    let mut quoted = 0;
    // The table of mistakes has bars and backticks in code, and is written by a test.
    for (page, text) in pages().into_iter().filter(|(page, _)| !page.ends_with("/mistakes.md")) {
        for text in prose(&text).split('`').skip(1).step_by(2).map(whole).filter(is_text) {
            let is_said = code.contains(&text) || SAID_BY_OTHERS.contains(&text.as_str());
            assert!(is_said, "{page} quotes a text that is not in the code: {text}");
            quoted += 1;
        }
    }
    assert!(quoted > 20, "{quoted}");
}

/// The sources of a folder, and of those in it where that is asked for.
fn read(folder: &Path, deep: bool, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && deep {
            read(&entry, deep, into);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(entry).unwrap());
        }
    }
}

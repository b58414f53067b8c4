//! Writes policies at random, each as a `policy!(..)` and as a tree for the reference of `language.rs`: the same ones in
//! every build. And writes what `tests/mistakes/` runs.

#[allow(dead_code, reason = "the test reads more of it")]
#[path = "../mistakes/program.rs"]
mod program;

use std::fmt::Write as _;
use std::path::Path;

use program::Program;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=tests/src/build.rs");
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut source = String::from("[\n");
    let mut written = 0;
    while written < POLICIES {
        let depth = random.below(4);
        let Some(term) = term(&mut random, depth) else { continue };
        writeln!(source, "(policy!({}), {}),", term.text, term.tree)?;
        written += 1;
    }
    source.push_str("]\n");
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("policies.rs"), source)?;
    write_mistakes(Path::new(&out))?;
    Ok(())
}

/// The programs of `tests/mistakes/` that the compiler takes, each as it is and as it would be right.
fn write_mistakes(out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=tests/mistakes");
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("tests/mistakes");
    let (mut wrong, mut right, mut rows) = (String::new(), String::new(), String::new());
    std::fs::create_dir_all(out.join("right"))?;
    for program in Program::all(&folder).iter().filter(|program| program.caught != "compiler") {
        let (name, module, file) = (&program.name, program.module(), format!("{}.rs", program.name));
        std::fs::write(out.join("right").join(&file), &program.right)?;
        writeln!(wrong, "#[path = {:?}] pub mod {module};", folder.join(&file))?;
        writeln!(right, "#[path = {:?}] pub mod {module};", out.join("right").join(&file))?;
        let run = |variant: &str| match program.caught.as_str() {
            "build" => format!("run::Run::Build({variant}::{module}::program)"),
            place => {
                let place = format!("{}{}", place[..1].to_uppercase(), &place[1..]);
                format!("run::Run::{place}(|| Box::pin({variant}::{module}::program()))")
            }
        };
        writeln!(rows, "({name:?}, {}, {}),", run("wrong"), run("right"))?;
    }
    let programs = format!("const PROGRAMS: &[(&str, run::Run, run::Run)] = &[\n{rows}];\n");
    let text = format!("pub mod wrong {{\n{wrong}}}\npub mod right {{\n{right}}}\n{programs}");
    Ok(std::fs::write(out.join("mistakes.rs"), text)?)
}

const POLICIES: usize = 400;

/// Values that are near one another, across the types of JSON and the edges of its integers.
const VALUES: [&str; 16] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "9007199254740993",
    "9007199254740992.0",
    "18446744073709551615",
    "-9223372036854775808",
    "1.5",
    "2.0",
    "-0.5",
    "1e300",
    "\"x\"",
    "\"1\"",
    "true",
];
const NUMBERS: usize = 13;
const NAMES: [&str; 5] = ["a", "b", "c", "o.a", "o.\"b c\""];
const ORDERS: [&str; 4] = ["<", "<=", ">", ">="];
const SCOPES: [&str; 4] = ["r", "w", "r w", "w x"];

struct Term {
    text: String,
    tree: String,
    /// The claims of which it demands something within `all(..)`, and within `any(..)`.
    in_all: Vec<String>,
    in_any: Vec<String>,
}

/// A term; none where the language would rightly refuse it.
fn term(random: &mut Random, depth: usize) -> Option<Term> {
    if depth == 0 {
        let (text, tree) = leaf(random);
        let claim: Vec<String> = text.split(' ').next().map(str::to_owned).into_iter().collect();
        return Some(Term { text, tree, in_all: claim.clone(), in_any: claim });
    }
    if random.below(4) == 0 {
        let inner = term(random, depth - 1)?;
        if inner.text.starts_with("not(") {
            return None;
        }
        let (text, tree) = (format!("not({})", inner.text), format!("Not(&{})", inner.tree));
        return Some(Term { text, tree, in_all: inner.in_any, in_any: inner.in_all });
    }
    let mut inner = Vec::new();
    for _ in 0..=random.below(3) {
        let depth = random.below(depth);
        inner.push(term(random, depth)?);
    }
    // Of a claim that is there twice within a list, also by way of conditions of its sort, the compiler may say that it never
    // holds, or always does: here every claim comes once.
    let is_all = random.below(2) == 0;
    let (word, node) = if is_all { ("all", "All") } else { ("any", "Any") };
    let claims: Vec<String> =
        inner.iter().flat_map(|term| if is_all { &term.in_all } else { &term.in_any }).cloned().collect();
    if (1..claims.len()).any(|index| claims[..index].contains(&claims[index]))
        || (1..inner.len()).any(|index| inner[..index].iter().any(|other| other.text == inner[index].text))
    {
        return None;
    }
    let join = |part: fn(&Term) -> &str| inner.iter().map(part).collect::<Vec<_>>().join(", ");
    let (text, tree) =
        (format!("{word}({})", join(|term| &term.text)), format!("{node}(&[{}])", join(|term| &term.tree)));
    // About one claim alone, it is a term like others.
    let only = if claims.len() == 1 && inner.len() == 1 { claims.clone() } else { Vec::new() };
    let (in_all, in_any) = if is_all { (claims, only) } else { (only, claims) };
    Some(Term { text, tree, in_all, in_any })
}

/// One term, and its tree.
fn leaf(random: &mut Random) -> (String, String) {
    let name = NAMES[random.below(NAMES.len())];
    let path = format!("{:?}", name.replace('"', ""));
    let value = VALUES[random.below(VALUES.len())];
    match random.below(10) {
        0..3 => (format!("{name} = {value}"), format!("Equals({path}, {value:?})")),
        3 => (format!("{name} != {value}"), format!("Differs({path}, {value:?})")),
        4 | 5 => {
            let (order, number) = (ORDERS[random.below(ORDERS.len())], VALUES[random.below(NUMBERS)]);
            (format!("{name} {order} {number}"), format!("Orders({path}, {order:?}, {number:?})"))
        }
        6 => {
            let first = random.below(VALUES.len());
            // Two numbers that are one are refused.
            let second = if first == 2 { 0 } else { (first + 1) % VALUES.len() };
            let (first, second) = (VALUES[first], VALUES[second]);
            (
                format!("{name} = [{first}, {second}]"),
                format!("Any(&[Equals({path}, {first:?}), Equals({path}, {second:?})])"),
            )
        }
        7 => (name.to_owned(), format!("Present({path})")),
        8 => {
            let scope = SCOPES[random.below(SCOPES.len())];
            (format!("scope = {scope:?}"), format!("Scope({scope:?})"))
        }
        _ if random.below(2) == 0 => ("fresh = \"5m\"".to_owned(), "Fresh(300)".to_owned()),
        _ => ("acr = [\"x\", \"y\"]".to_owned(), "Acr(&[\"x\", \"y\"])".to_owned()),
    }
}

struct Random(u64);

impl Random {
    /// A number smaller than `bound`, which is not zero.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).unwrap_or_default() % bound
    }
}

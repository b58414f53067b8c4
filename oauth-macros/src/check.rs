//! What a rule may mean: from the syntax of a policy to the rule that the handler carries.

mod called;

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Error, Expr, ExprLit, ExprPath, Ident, Lit, LitStr, Member, Meta, Pat, PatIdent, PatStruct,
    PatTupleStruct, Path, Result,
};

use crate::handler::Argument;
use crate::mistakes::Mistakes;
use crate::near::near;
use crate::rule::{Literal, Order, Parameter, Rule, Test};
use crate::syntax::{self, ACR, Condition, FRESH, Name, Operand, Operator, PATH, Pattern, SCOPE, Term};
use called::called;

/// The rule of an attribute, and the parameters of the route that it speaks of.
pub(crate) fn rule(terms: &[Term]) -> Result<(Rule, Vec<Parameter>)> {
    let mut checker = Checker { parameters: Vec::new() };
    let mut rules = checker.rules(terms, Condition::All)?;
    let rule = if rules.len() == 1 { rules.swap_remove(0) } else { Rule::All(rules) };
    Ok((rule, checker.parameters))
}

/// Refuses a parameter that the route does not have, where a route is in sight.
pub(crate) fn parameters(parameters: &[Parameter], attributes: &[Attribute]) -> Result<()> {
    let mut mistakes = Mistakes::default();
    for (pattern, there) in attributes.iter().filter_map(route_parameters) {
        for Parameter { name, tokens } in parameters {
            if !there.contains(name) {
                mistakes.add(Error::new_spanned(tokens, unknown_parameter(name, &pattern, &there)));
            }
        }
    }
    mistakes.or(())
}

fn unknown_parameter(name: &str, pattern: &str, there: &[String]) -> String {
    let meant = near(name, there.iter().map(String::as_str));
    let list: Vec<String> = there.iter().map(|name| format!("`{PATH}.{name}`")).collect();
    let what = match (meant, list.as_slice()) {
        (Some(meant), [_]) => format!("no parameter `{name}`, did you mean `{PATH}.{meant}`?"),
        (Some(meant), _) => {
            format!("no parameter `{name}`, did you mean `{PATH}.{meant}`? It has {}", list.join(", "))
        }
        (None, []) => format!("no parameters: write `{{{name}}}` in it"),
        (None, _) => format!("no parameter `{name}`: it has {}", list.join(", ")),
    };
    let otherwise = if what.ends_with('?') { " Where" } else { "; where" };
    format!(
        "the route \"{pattern}\" has {what}{otherwise} a scope around it has this one, write the guard below the \
         route's attribute"
    )
}

/// The pattern of `#[get("/report/{owner}")]`, and the names in it.
fn route_parameters(attribute: &Attribute) -> Option<(String, Vec<String>)> {
    const ROUTES: [&str; 10] =
        ["get", "post", "put", "delete", "head", "connect", "options", "trace", "patch", "route"];
    let name = &attribute.path().segments.last()?.ident;
    let Meta::List(list) = &attribute.meta else { return None };
    if !ROUTES.iter().any(|route| name == route) {
        return None;
    }
    let pattern = list.parse_args_with(|input: syn::parse::ParseStream<'_>| {
        let pattern: LitStr = input.parse()?;
        input.parse::<TokenStream>()?;
        Ok(pattern.value())
    });
    let pattern = pattern.ok()?;
    let mut names = Vec::new();
    let (mut name, mut depth) = (String::new(), 0_usize);
    for character in pattern.chars() {
        match character {
            '{' => depth += 1,
            // `{id:\d{3}}`: a regular expression may have braces of its own.
            '}' if depth > 1 => depth -= 1,
            '}' if depth == 1 => {
                depth = 0;
                let whole = std::mem::take(&mut name);
                names.push(whole.split(':').next().unwrap_or_default().trim().to_owned());
            }
            other if depth > 0 => name.push(other),
            _ => {}
        }
    }
    Some((pattern, names))
}

/// Refuses a pattern that could never be what it seems to be. Whether it can fail is for the compiler to say.
pub(crate) fn pattern(Pattern { pattern, condition }: &Pattern) -> Result<()> {
    let mut patterns = Patterns { has_condition: condition.is_some(), ..Patterns::default() };
    patterns.visit_pat(pattern);
    patterns.mistakes.or(())?;
    match condition {
        Some(Expr::Lit(ExprLit { lit: Lit::Bool(truth), .. })) => {
            let message = if truth.value {
                "this is always true, and would admit everybody: ask something of a field, as in `if *level > 3`"
            } else {
                "this is never true, and would admit nobody: ask something of a field, as in `if *level > 3`"
            };
            Err(Error::new(truth.span, message))
        }
        Some(_) | None => Ok(()),
    }
}

#[derive(Default)]
struct Patterns {
    mistakes: Mistakes,
    has_condition: bool,
    /// How to bind what stands in the place that is looked at, and its name.
    place: Option<(String, String)>,
}

impl Patterns {
    fn field(&mut self, bound: String, name: String, pattern: &Pat) {
        let around = self.place.replace((bound, name));
        self.visit_pat(pattern);
        self.place = around;
    }
}

impl<'ast> Visit<'ast> for Patterns {
    fn visit_pat_struct(&mut self, found: &'ast PatStruct) {
        let ty = path_text(&found.path);
        for field in &found.fields {
            if let Member::Named(name) = &field.member {
                self.field(format!("{ty} {{ {name}, .. }}"), name.to_string(), &field.pat);
            }
        }
    }

    fn visit_pat_tuple_struct(&mut self, found: &'ast PatTupleStruct) {
        let ty = path_text(&found.path);
        for (index, pattern) in found.elems.iter().enumerate() {
            let before = "_, ".repeat(index);
            let after = if index + 1 < found.elems.len() { ", .." } else { "" };
            self.field(format!("{ty}({before}text{after})"), "text".to_owned(), pattern);
        }
    }

    fn visit_expr_lit(&mut self, ExprLit { lit, .. }: &'ast ExprLit) {
        if let Lit::Str(text) = lit {
            let example = ("User { name, .. }".to_owned(), "name".to_owned());
            let (bound, name) = self.place.as_ref().unwrap_or(&example);
            let message = format!(
                "a `String` is not matched by a literal: bind it and compare, as in `{bound} if {name} == {:?}`",
                text.value()
            );
            self.mistakes.add(Error::new(text.span(), message));
        }
    }

    /// Without a condition nobody looks at what is bound, and it reads as if somebody did.
    fn visit_pat_ident(&mut self, found: &'ast PatIdent) {
        let name = found.ident.unraw().to_string();
        // In capitals it is a constant, or a variant.
        if !self.has_condition && name.starts_with(|first: char| first.is_lowercase()) {
            let message = match &found.subpat {
                Some(_) => format!(
                    "`{name}` is bound, and nothing asks for it: leave `{name} @` out, or write `if` and a condition"
                ),
                None => format!(
                    "`{name}` is bound, and nothing asks for it: write what it must be, as in `{name}: 3..`, or `if` and a \
                     condition"
                ),
            };
            self.mistakes.add(Error::new(found.ident.span(), message));
            return;
        }
        visit::visit_pat_ident(self, found);
    }
}

fn path_text(path: &Path) -> String {
    let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    segments.join("::")
}

/// Refuses a condition that asks for an argument of the handler: it is read after the decision.
pub(crate) fn arguments(Pattern { pattern, condition }: &Pattern, arguments: &[Argument]) -> Result<()> {
    #[derive(Default)]
    struct Names {
        bound: Vec<String>,
        asked: Vec<Ident>,
    }

    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, found: &'ast PatIdent) {
            self.bound.push(found.ident.to_string());
            visit::visit_pat_ident(self, found);
        }

        fn visit_expr_path(&mut self, found: &'ast ExprPath) {
            self.asked.extend(found.path.get_ident().cloned());
        }
    }

    let Some(condition) = condition else { return Ok(()) };
    let mut names = Names::default();
    names.visit_pat(pattern);
    names.visit_expr(condition);
    let mut taken = Names::default();
    for argument in arguments {
        taken.visit_pat(&argument.pattern);
    }
    let mut mistakes = Mistakes::default();
    for asked in &names.asked {
        let name = asked.to_string();
        if taken.bound.contains(&name) && !names.bound.contains(&name) {
            let message = format!(
                "`{name}` is an argument of the handler, which is read after the decision: compare it in the handler, or \
                 write a guard such as `sub = {PATH}.{name}` for a parameter of the route"
            );
            mistakes.add(Error::new(asked.span(), message));
        }
    }
    mistakes.or(())
}

struct Checker {
    parameters: Vec<Parameter>,
}

impl Checker {
    fn rules(&mut self, terms: &[Term], within: Condition) -> Result<Vec<Rule>> {
        let mut mistakes = Mistakes::default();
        let mut rules: Vec<Rule> = Vec::new();
        for (index, term) in terms.iter().enumerate() {
            let checked = if within == Condition::All { refuse_repetition(&terms[..index], term) } else { Ok(()) };
            match checked.and_then(|()| self.term(term)) {
                Ok(rule) if rules.contains(&rule) => {
                    mistakes.add(term_error(term, "this term is there already: leave one out"));
                }
                Ok(rule) => rules.push(rule),
                Err(mistake) => mistakes.add(mistake),
            }
        }
        mistakes.or(rules)
    }

    fn term(&mut self, term: &Term) -> Result<Rule> {
        match term {
            Term::Claim { name, test } => self.claim(name, test),
            Term::Condition { condition, span, parentheses, terms } => {
                self.condition(*condition, *span, *parentheses, terms)
            }
        }
    }

    fn condition(&mut self, condition: Condition, span: Span, parentheses: Span, terms: &[Term]) -> Result<Rule> {
        let word = condition.word();
        if terms.is_empty() {
            let example = condition.example();
            let message = format!(
                "`{word}()` has no term in it: write `{example}`, or a claim of this name in quotes, `\"{word}\"`"
            );
            return Err(Error::new(span, message));
        }
        match condition {
            Condition::All => Ok(Rule::All(self.rules(terms, condition)?)),
            Condition::Any => Ok(Rule::Any(self.rules(terms, condition)?)),
            Condition::Not => match terms {
                [Term::Condition { condition: Condition::Not, span, .. }] => {
                    Err(Error::new(*span, "`not(not(..))` is the term itself: leave both out"))
                }
                [term] => Ok(Rule::Not(Box::new(self.term(term)?))),
                _ => Err(Error::new(
                    parentheses,
                    "`not` takes one term: write `not(any(..))` for none of them, or `not(all(..))` for not all of them",
                )),
            },
        }
    }

    fn claim(&mut self, name: &Name, test: &syntax::Test) -> Result<Rule> {
        if name.segments.iter().any(|segment| segment.text.is_empty()) {
            return Err(name.error("a claim's name is empty: write it between the quotes"));
        }
        if let syntax::Test::Called(inside) = test {
            return Err(called(name, inside));
        }
        refuse_words(name)?;
        if name.is(SCOPE) {
            return scope(name, test);
        }
        if name.is(FRESH) {
            return fresh(name, test);
        }
        if name.is(ACR) {
            return acr(name, test);
        }
        Ok(Rule::Claim(name.texts(), self.test(name, test)?))
    }

    fn test(&mut self, name: &Name, test: &syntax::Test) -> Result<Test> {
        let shown = name.shown();
        match test {
            syntax::Test::Present => match quoted_term(name) {
                Some(mistake) => Err(mistake),
                None => Ok(Test::Present),
            },
            syntax::Test::Called(inside) => Err(called(name, inside)),
            syntax::Test::Compares(Operator::Equals, _, syntax::Value::Any(bracket, operands)) => {
                if operands.is_empty() {
                    let message = format!(
                        "an empty list lets nobody in: write the values, as in `{shown} = [\"one\", \"other\"]`, \
                         or `{shown}` alone where any value is enough"
                    );
                    return Err(Error::new(bracket.span.join(), message));
                }
                self.distinct(operands).map(Test::OneOf)
            }
            syntax::Test::Compares(Operator::Equals, _, syntax::Value::One(operand)) => {
                self.operand(operand).map(Test::Equals)
            }
            syntax::Test::Compares(Operator::Differs, _, syntax::Value::One(operand)) => {
                self.operand(operand).map(Test::Differs)
            }
            syntax::Test::Compares(Operator::Differs, _, syntax::Value::Any(bracket, operands)) => {
                let list: Vec<String> = operands.iter().map(Operand::shown).collect();
                let list = if list.is_empty() { "\"one\", \"other\"".to_owned() } else { list.join(", ") };
                let message = format!("`!=` takes one value: for none of several, write `not({shown} = [{list}])`");
                Err(Error::new(bracket.span.join(), message))
            }
            syntax::Test::Compares(Operator::Below, _, value) => self.orders(name, "<", Order::Below, value),
            syntax::Test::Compares(Operator::AtMost, _, value) => self.orders(name, "<=", Order::AtMost, value),
            syntax::Test::Compares(Operator::Above, _, value) => self.orders(name, ">", Order::Above, value),
            syntax::Test::Compares(Operator::AtLeast, _, value) => self.orders(name, ">=", Order::AtLeast, value),
        }
    }

    fn orders(&mut self, name: &Name, written: &str, order: Order, value: &syntax::Value) -> Result<Test> {
        let shown = name.shown();
        match value {
            syntax::Value::Any(bracket, _) => {
                let message = format!("`{written}` takes one number: write `{shown} {written} 3`");
                Err(Error::new(bracket.span.join(), message))
            }
            syntax::Value::One(operand) => match self.operand(operand)? {
                number @ (Literal::Int(_) | Literal::Float(_)) => Ok(Test::Orders(order, number)),
                Literal::Str(text) => {
                    let number = text.trim().parse::<f64>().map_or("3", |_| text.trim());
                    Err(operand.error(format!("`{written}` compares numbers: write `{shown} {written} {number}`")))
                }
                Literal::Bool(truth) => Err(operand.error(format!(
                    "`{written}` compares numbers: write `{shown} {written} 3`, or `{shown} = {truth}`"
                ))),
                Literal::Parameter(parameter) => Err(operand.error(format!(
                    "`{written}` compares numbers, and a parameter is text: write `{shown} {written} 3`, or \
                     `{shown} = {PATH}.{parameter}`"
                ))),
            },
        }
    }

    fn operand(&mut self, operand: &Operand) -> Result<Literal> {
        match operand {
            Operand::Literal(value) => literal(value),
            Operand::Parameter { name, tokens } => {
                if name.is_empty() {
                    return Err(operand.error("a parameter's name is empty: write it between the quotes".to_owned()));
                }
                if self.parameters.iter().all(|known| known.name != *name) {
                    self.parameters.push(Parameter { name: name.clone(), tokens: tokens.clone() });
                }
                Ok(Literal::Parameter(name.clone()))
            }
        }
    }

    fn distinct(&mut self, operands: &[Operand]) -> Result<Vec<Literal>> {
        let mut mistakes = Mistakes::default();
        let mut literals: Vec<Literal> = Vec::new();
        for operand in operands {
            match self.operand(operand) {
                Ok(literal) if literals.iter().any(|earlier| earlier.matches(&literal)) => {
                    mistakes.add(operand.error(format!("`{}` is in this list already: leave it out", operand.shown())));
                }
                Ok(literal) => literals.push(literal),
                Err(mistake) => mistakes.add(mistake),
            }
        }
        mistakes.or(literals)
    }
}

fn term_error(term: &Term, message: &str) -> Error {
    match term {
        Term::Claim { name, .. } => name.error(message),
        Term::Condition { span, .. } => Error::new(*span, message),
    }
}

/// Two terms about one claim say either the same or, as every term must hold, what is rarely meant. Two orderings are a
/// range.
fn refuse_repetition(before: &[Term], term: &Term) -> Result<()> {
    use syntax::Test::{Compares, Present};

    let Term::Claim { name, test } = term else { return Ok(()) };
    let earlier = before.iter().find_map(|earlier| match earlier {
        Term::Claim { name: other, test } if other.texts() == name.texts() && other.is(SCOPE) == name.is(SCOPE) => {
            Some(test)
        }
        Term::Claim { .. } | Term::Condition { .. } => None,
    });
    let Some(earlier) = earlier else { return Ok(()) };
    let shown = name.shown();
    let message = if name.is(SCOPE) {
        "`scope` is asked twice: write every scope into one, as in `scope = \"read write\"`".to_owned()
    } else if name.is(FRESH) || name.is(ACR) {
        format!("`{shown}` is asked twice: leave one out")
    } else {
        match (earlier, test) {
            (Compares(Operator::Equals, ..), Compares(Operator::Equals, ..)) => format!(
                "`{shown}` is asked twice, and both would have to hold: for either, write `{shown} = [\"one\", \"other\"]`; \
                 for an array that has both, a second `#[require_claim({shown} = ..)]`"
            ),
            (Present, Present) => format!("`{shown}` is asked twice: leave one out"),
            (Present, Compares(operator, ..)) | (Compares(operator, ..), Present) => format!(
                "`{shown}` is asked twice: leave out the bare `{shown}`, since `{shown} {} ..` wants it there too",
                operator.written()
            ),
            (_, _) => return Ok(()),
        }
    };
    Err(name.error(message))
}

/// `"role = \"admin\""`: nobody names a claim so.
fn quoted_term(name: &Name) -> Option<Error> {
    let [only] = name.segments.as_slice() else { return None };
    let is_term = match syn::parse_str::<Term>(&only.text).ok()? {
        Term::Claim { test: syntax::Test::Compares(..), .. } | Term::Condition { .. } => true,
        Term::Claim { .. } => false,
    };
    let message = format!("in quotes this is the name of a claim: write `{}` without them", only.text);
    (only.quoted && is_term).then(|| name.error(message))
}

/// A word of the language that is used as a claim's name.
fn refuse_words(name: &Name) -> Result<()> {
    let Some(first) = name.segments.first().filter(|first| !first.quoted) else { return Ok(()) };
    let word = first.text.as_str();
    let dotted = name.segments.len() > 1;
    let quoted = format!("a claim of this name is written in quotes, `\"{word}\"`");
    let message = if let Some((.., example)) = syntax::CONDITIONS.iter().find(|(known, ..)| *known == word) {
        format!("`{word}` is followed by terms in parentheses, as in `{example}`; {quoted}")
    } else if word == PATH {
        let example = name.segments.get(1).map_or("owner", |parameter| parameter.text.as_str());
        format!(
            "`{PATH}` is where a route's parameters are, and stands on the right, as in `sub = {PATH}.{example}`; {quoted}"
        )
    } else if dotted && [SCOPE, FRESH, ACR].contains(&word) {
        let below: Vec<String> = name.segments.iter().skip(1).map(syntax::Segment::shown).collect();
        format!("nothing is below `{word}`: write the name of a claim in quotes, `\"{word}\".{}`", below.join("."))
    } else {
        return Ok(());
    };
    Err(name.error(message))
}

/// The one string of `scope`, `fresh` or `acr`.
fn only_string<'a>(name: &Name, test: &'a syntax::Test, cure: &str) -> Result<&'a LitStr> {
    let shown = name.shown();
    let operand = match test {
        syntax::Test::Compares(Operator::Equals, _, syntax::Value::One(operand)) => operand,
        syntax::Test::Compares(Operator::Equals, _, syntax::Value::Any(bracket, _)) => {
            return Err(Error::new(bracket.span.join(), format!("`{shown}` takes one string, not a list: {cure}")));
        }
        syntax::Test::Compares(Operator::Differs, tokens, _) => {
            return Err(Error::new_spanned(
                tokens,
                format!("`{shown}` is not compared by `!=`: write `not({shown} = \"..\")`"),
            ));
        }
        syntax::Test::Compares(operator, tokens, _) => {
            let message = format!("`{shown}` is not compared by `{}`: {cure}", operator.written());
            return Err(Error::new_spanned(tokens, message));
        }
        syntax::Test::Present | syntax::Test::Called(_) => {
            return Err(name.error(format!("`{shown}` does not say which: {cure}")));
        }
    };
    match operand {
        Operand::Literal(syntax::Literal { lit: Lit::Str(text), .. }) => Ok(text),
        other => Err(other.error(format!("`{shown}` takes a string: {cure}"))),
    }
}

/// `scope = "a b"`
fn scope(name: &Name, test: &syntax::Test) -> Result<Rule> {
    const CURE: &str = "write `scope = \"read write\"`, which wants every scope in it";
    let text = only_string(name, test, CURE)?;
    let refused = |message: String| Err(Error::new(text.span(), message));

    let written = text.value();
    if let Some(character) = written.chars().find(|character| !is_scope_character(*character)) {
        return refused(format!(
            "a scope cannot have the character {character:?} in it (RFC 6749 section 3.3): \
             write printable ASCII without `\"` and `\\`, and one space between two scopes"
        ));
    }
    let mut tokens: Vec<String> = Vec::new();
    for token in written.split(' ').filter(|token| !token.is_empty()) {
        if tokens.iter().any(|earlier| earlier == token) {
            return refused(format!("the scope `{token}` is asked twice: leave one out"));
        }
        tokens.push(token.to_owned());
    }
    if tokens.is_empty() {
        return refused(format!("no scope is in this string: {CURE}"));
    }
    Ok(Rule::Scope(tokens))
}

/// The space separates; the rest is RFC 6749's `scope-token`.
fn is_scope_character(character: char) -> bool {
    matches!(character, ' ' | '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E')
}

/// What a duration may be counted in, and how many seconds that is.
const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

/// `fresh = "5m"`
fn fresh(name: &Name, test: &syntax::Test) -> Result<Rule> {
    const CURE: &str = "write the time since the person signed in, as in `fresh = \"5m\"`";
    let text = only_string(name, test, CURE)?;
    let written = text.value();
    let digits = written.find(|character: char| !character.is_ascii_digit()).unwrap_or(written.len());
    let (number, unit) = written.split_at(digits);
    let seconds = UNITS.iter().find(|(known, _)| *known == unit).map(|(_, seconds)| *seconds);
    let seconds = seconds.zip(number.parse::<u64>().ok()).and_then(|(seconds, number)| seconds.checked_mul(number));
    match seconds {
        Some(0) => Err(Error::new(text.span(), "nobody has signed in within no time: write at least `\"1s\"`")),
        Some(seconds) => Ok(Rule::Fresh(seconds)),
        None => Err(Error::new(text.span(), no_duration(&written, number, unit))),
    }
}

fn no_duration(written: &str, number: &str, unit: &str) -> String {
    let whole = number.parse::<u32>().ok();
    let with = |number: &str| {
        let examples: Vec<String> = UNITS.iter().map(|(unit, _)| format!("`\"{number}{unit}\"`")).collect();
        examples.join(", ")
    };
    let first = unit.trim().chars().next().map(|first| first.to_ascii_lowercase().to_string());
    let meant = UNITS.iter().find(|(known, _)| first.as_deref() == Some(*known)).filter(|_| whole.is_some());
    match (whole, meant) {
        (Some(_), Some((meant, _))) => format!("`{written:?}` is no duration, did you mean `\"{number}{meant}\"`?"),
        (Some(_), None) if unit.is_empty() => format!("`{written:?}` has no unit: write one of {}", with(number)),
        (None, _) if number.len() > 9 => {
            format!("`{written:?}` is longer than anybody waits: write a shorter duration")
        }
        (_, None) | (None, _) => {
            format!("`{written:?}` is no duration: write a whole number and its unit, as in {}", with("90"))
        }
    }
}

/// `acr = "urn:example:mfa"`
fn acr(name: &Name, test: &syntax::Test) -> Result<Rule> {
    const CURE: &str = "write `acr = \"urn:example:mfa\"`, or a list of such strings";
    let one = |text: &LitStr| {
        let acr = text.value();
        // RFC 9470 section 3: several are separated by spaces, within quotes.
        if acr.is_empty() || acr.contains(' ') || !acr.chars().all(is_scope_character) {
            let message = format!("no way to sign in has this name: {CURE}, of printable ASCII without spaces");
            return Err(Error::new(text.span(), message));
        }
        Ok(acr)
    };
    let syntax::Test::Compares(Operator::Equals, _, syntax::Value::Any(bracket, operands)) = test else {
        return Ok(Rule::Acr(vec![one(only_string(name, test, CURE)?)?]));
    };
    if operands.is_empty() {
        return Err(Error::new(bracket.span.join(), format!("an empty list lets nobody in: {CURE}")));
    }
    let mut mistakes = Mistakes::default();
    let mut wanted: Vec<String> = Vec::new();
    for operand in operands {
        let acr = match operand {
            Operand::Literal(syntax::Literal { lit: Lit::Str(text), .. }) => one(text),
            other => Err(other.error(format!("`acr` takes strings: {CURE}"))),
        };
        match acr {
            Ok(acr) if wanted.contains(&acr) => {
                mistakes.add(operand.error(format!("`{}` is in this list already: leave it out", operand.shown())));
            }
            Ok(acr) => wanted.push(acr),
            Err(mistake) => mistakes.add(mistake),
        }
    }
    mistakes.or(Rule::Acr(wanted))
}

fn literal(value: &syntax::Literal) -> Result<Literal> {
    let wrong = |message: String| Err(value.error(message));
    let negative = value.minus.is_some();
    match &value.lit {
        Lit::Str(text) => Ok(Literal::Str(text.value())),
        Lit::Bool(truth) => Ok(Literal::Bool(truth.value)),
        Lit::Int(digits) => {
            let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
            match digits.base10_parse::<i128>().map(|int| if negative { -int } else { int }) {
                Ok(int) if range.contains(&int) => Ok(Literal::Int(int)),
                Ok(_) | Err(_) => wrong(format!(
                    "`{}` is beyond what a claim can hold: write an integer from {} to {}",
                    value.shown(),
                    i64::MIN,
                    u64::MAX
                )),
            }
        }
        Lit::Float(digits) => match digits.base10_parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Literal::Float(if negative { -float } else { float })),
            Ok(_) | Err(_) => wrong(format!(
                "`{}` is beyond what a claim can hold: write a number smaller than 1.8e308",
                value.shown()
            )),
        },
        Lit::ByteStr(_) | Lit::CStr(_) | Lit::Byte(_) | Lit::Char(_) => {
            let written = value.shown();
            let inner = written.trim_start_matches(['b', 'c', 'r', '#']).trim_matches(['\'', '"', '#']);
            wrong(format!("a claim is JSON, which has no such literal as `{written}`: write the string `\"{inner}\"`"))
        }
        Lit::Verbatim(_) | _ => {
            wrong(format!("`{}` is no literal that a claim can hold: write a string or a number", value.shown()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Rule> {
        let policy: syntax::Policy = syn::parse_str(text)?;
        match policy.demand {
            syntax::Demand::Terms(terms) => rule(&terms).map(|(rule, _)| rule),
            syntax::Demand::Typed(_) => panic!("{text} is a pattern"),
        }
    }

    fn accepted(policy: &str) -> Rule {
        read(policy).unwrap_or_else(|mistake| panic!("{policy}: {mistake}"))
    }

    fn claim(name: &str, test: Test) -> Rule {
        Rule::Claim(name.split('.').map(str::to_owned).collect(), test)
    }

    #[test]
    fn terms_become_rules() {
        let text = |text: &str| Literal::Str(text.to_owned());
        for (policy, expected) in [
            ("role = \"admin\"", claim("role", Test::Equals(text("admin")))),
            ("role", claim("role", Test::Present)),
            ("\"scope\" = \"a b\"", claim("scope", Test::Equals(text("a b")))),
            ("r#type = -0x10,", claim("type", Test::Equals(Literal::Int(-16)))),
            ("level = 18446744073709551615", claim("level", Test::Equals(Literal::Int(u64::MAX.into())))),
            ("level = -9223372036854775808", claim("level", Test::Equals(Literal::Int(i64::MIN.into())))),
            ("level = -2.5e1", claim("level", Test::Equals(Literal::Float(-25.0)))),
            ("a = [true, 1]", claim("a", Test::OneOf(vec![Literal::Bool(true), Literal::Int(1)]))),
            ("realm_access.roles", claim("realm_access.roles", Test::Present)),
            ("a.\"all\".type = 1", claim("a.all.type", Test::Equals(Literal::Int(1)))),
            ("role != \"admin\"", claim("role", Test::Differs(text("admin")))),
            ("level >= -3", claim("level", Test::Orders(Order::AtLeast, Literal::Int(-3)))),
            ("level < 1.5", claim("level", Test::Orders(Order::Below, Literal::Float(1.5)))),
            (
                "level > 3, level < 9",
                Rule::All(vec![
                    claim("level", Test::Orders(Order::Above, Literal::Int(3))),
                    claim("level", Test::Orders(Order::Below, Literal::Int(9))),
                ]),
            ),
            ("sub = path.owner", claim("sub", Test::Equals(Literal::Parameter("owner".to_owned())))),
            (
                "sub = [path.\"a b\", \"x\"]",
                claim("sub", Test::OneOf(vec![Literal::Parameter("a b".to_owned()), text("x")])),
            ),
            (
                "any(all(a, b), not(c),)",
                Rule::Any(vec![
                    Rule::All(vec![claim("a", Test::Present), claim("b", Test::Present)]),
                    Rule::Not(Box::new(claim("c", Test::Present))),
                ]),
            ),
            ("\"all\"", claim("all", Test::Present)),
            ("fresh = \"5m\"", Rule::Fresh(300)),
            ("fresh = \"2d\"", Rule::Fresh(172_800)),
            ("acr = [\"a\", \"b\"]", Rule::Acr(vec!["a".to_owned(), "b".to_owned()])),
            ("scope = \" b  a \"", Rule::Scope(vec!["b".to_owned(), "a".to_owned()])),
            ("a, \"b\"", Rule::All(vec![claim("a", Test::Present), claim("b", Test::Present)])),
            ("crate = \"x::y\", a", claim("a", Test::Present)),
            // Two terms, since a quoted `scope` is a claim like others.
            (
                "scope = \"a\", \"scope\" = \"a\"",
                Rule::All(vec![Rule::Scope(vec!["a".to_owned()]), claim("scope", Test::Equals(text("a")))]),
            ),
        ] {
            assert_eq!(accepted(policy), expected, "{policy}");
        }
    }

    #[test]
    fn independent_mistakes_are_reported_together() {
        let mistakes = |policy: &str| read(policy).err().map_or(0, |mistake| mistake.into_iter().count());
        assert_eq!(mistakes("role == 3, level << 4, ok, x = y"), 3);
        assert_eq!(mistakes("acr, a = [1, 1, 'c'], scope, any(b, not(any(c, c))), fresh = \"5\""), 6);
        assert_eq!(mistakes("role = \"admin\""), 0);
    }

    #[test]
    fn equal_numbers_repeat_however_written() {
        for list in ["[3, 3]", "[3, 3.0]", "[0x3, 3]", "[1_0, 10]", "[-0.0, 0]", "[2.50, 2.5]"] {
            assert!(read(&format!("a = {list}")).is_err(), "{list}");
        }
        accepted("a = [3, \"3\", true, 3.5]");
        accepted("a = [18446744073709551615, 18446744073709551616.0]");
    }

    #[test]
    fn the_parameters_of_a_route_are_those_in_braces() {
        for (pattern, names) in [
            ("/report/{owner}", vec!["owner"]),
            ("/{a}/x/{b:\\d{3}}/{c: .+}", vec!["a", "b", "c"]),
            ("/files/{tail}*", vec!["tail"]),
            ("/", vec![]),
        ] {
            let attribute: Attribute = syn::parse_quote!(#[actix_web::get(#pattern, name = "x")]);
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            assert_eq!(route_parameters(&attribute), Some((pattern.to_owned(), names)), "{pattern}");
        }
        let other: Attribute = syn::parse_quote!(#[doc("/{a}")]);
        assert_eq!(route_parameters(&other), None);
    }
}

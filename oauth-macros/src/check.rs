//! What a policy means: turns its syntax into the rule of the handler.

mod called;
mod ends;
mod literal;
pub(crate) mod pattern;
pub(crate) mod route;
pub(crate) mod together;
pub(crate) mod variants;
mod words;

use proc_macro2::Span;
use syn::{Error, Result};

use crate::mistakes::Mistakes;
use crate::rule::{Asks, Check, Order, Parameter, Part, Rule, Test, Value};
use crate::syntax::{ACR, Combinator, FRESH, Name, Operand, Operands, Operator, PATH, Predicate, SCOPE, Segment, Term};
use called::called;
use ends::ends;
use literal::literal_value;
use words::{acr, fresh, refuse_words, scope};

/// What an attribute means.
pub(crate) struct Checked {
    pub(crate) rule: Rule,
    /// Its terms, to compare with other guards on the handler.
    pub(crate) parts: Vec<Part>,
    /// The parameters of the route that it names.
    pub(crate) parameters: Vec<Parameter>,
    /// Checks that are left to the compiler, which knows the type of the claims.
    pub(crate) checks: Vec<Check>,
    /// The claims with `dyn`: the type does not have them.
    pub(crate) dynamic: Vec<Vec<String>>,
}

pub(crate) fn rule(terms: &[Term]) -> Result<Checked> {
    let mut checker = Checker { parameters: Vec::new(), checks: Vec::new(), dynamic: Vec::new(), terms: 0 };
    let mut rules = checker.rules(terms, Within::BareList)?;
    let parts = together::parts(&rules, terms);
    checker.checks.extend(together::all(&parts)?);
    let rule = if rules.len() == 1 { rules.swap_remove(0) } else { Rule::All(rules) };
    let Checker { parameters, checks, dynamic, .. } = checker;
    Ok(Checked { rule, parts, parameters, checks, dynamic })
}

/// In an explicit `all(..)`, several terms about one claim are intended; in a bare list they are a mistake.
#[derive(Clone, Copy)]
enum Within {
    BareList,
    Combinator,
}

struct Checker {
    parameters: Vec<Parameter>,
    checks: Vec<Check>,
    dynamic: Vec<Vec<String>>,
    /// How many there are so far.
    terms: usize,
}

impl Checker {
    fn rules(&mut self, terms: &[Term], within: Within) -> Result<Vec<Rule>> {
        let mut mistakes = Mistakes::default();
        let mut rules: Vec<Rule> = Vec::new();
        for (index, term) in terms.iter().enumerate() {
            let checked = match within {
                Within::BareList => refuse_repetition(&terms[..index], term),
                Within::Combinator => Ok(()),
            };
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
            Term::Claim { name, predicate } => self.claim(name, predicate),
            Term::Combined { combinator, span, parentheses, terms } => {
                self.combined(*combinator, *span, *parentheses, terms)
            }
        }
    }

    fn combined(&mut self, combinator: Combinator, span: Span, parentheses: Span, terms: &[Term]) -> Result<Rule> {
        let word = combinator.word();
        if terms.is_empty() {
            let example = combinator.example();
            let message = format!(
                "`{word}()` has no term in it: write `{example}`, or a claim of this name in quotes, `\"{word}\"`"
            );
            return Err(Error::new(span, message));
        }
        match combinator {
            Combinator::All => {
                let rules = self.rules(terms, Within::Combinator)?;
                self.checks.extend(together::all(&together::parts(&rules, terms))?);
                Ok(Rule::All(rules))
            }
            Combinator::Any => {
                let rules = self.rules(terms, Within::Combinator)?;
                self.checks.extend(together::any(&rules, terms, span, parentheses)?);
                Ok(Rule::Any(rules))
            }
            Combinator::Not => match terms {
                [Term::Combined { combinator: Combinator::Not, span, .. }] => {
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

    fn claim(&mut self, name: &Name, predicate: &Predicate) -> Result<Rule> {
        if name.segments.iter().any(|segment| segment.text.is_empty()) {
            return Err(name.error("a claim's name is empty: write it between the quotes"));
        }
        if let Predicate::Called(inside) = predicate {
            return Err(called(name, inside));
        }
        refuse_words(name)?;
        if name.is(FRESH) {
            self.terms += 1;
            return fresh(name, predicate);
        }
        let rule = if name.is(SCOPE) {
            scope(name, predicate)?
        } else if name.is(ACR) {
            acr(name, predicate)?
        } else {
            Rule::Claim(name.texts(), self.test(name, predicate)?)
        };
        let (first, last) = ends(name, predicate);
        match rule {
            Rule::Claim(..) if name.is_dynamic => {
                self.dynamic.push(name.texts());
                self.checks.push(Check { asks: Asks::Absent(name.texts()), first, last });
            }
            _ if name.is_dynamic => {}
            _ => self.checks.push(Check { asks: Asks::Term(self.terms), first, last }),
        }
        self.terms += 1;
        Ok(rule)
    }

    fn test(&mut self, name: &Name, predicate: &Predicate) -> Result<Test> {
        let shown = name.shown();
        match predicate {
            Predicate::Present if is_constant(name) => Err(name.error(format!(
                "`{shown}` looks like a constant, and here it is the name of a claim: write `.wrap(oauth.require({shown}))` or \
                 `token.satisfies({shown})?` for a policy, or quotes for a claim of this name, `\"{shown}\"`"
            ))),
            Predicate::Present => match quoted_term(name) {
                Some(mistake) => Err(mistake),
                None => Ok(Test::Present),
            },
            Predicate::Called(inside) => Err(called(name, inside)),
            Predicate::Compares(Operator::Equals, _, Operands::List(bracket, operands)) => {
                if operands.is_empty() {
                    let message = format!(
                        "an empty list admits no one: write the values, as in `{shown} = [\"one\", \"other\"]`, \
                         or `{shown}` alone where any value is enough"
                    );
                    return Err(Error::new(bracket.span.join(), message));
                }
                self.distinct(operands).map(Test::OneOf)
            }
            Predicate::Compares(Operator::Equals, _, Operands::One(operand)) => self.operand(operand).map(Test::Equals),
            Predicate::Compares(Operator::Differs, _, Operands::One(operand)) => {
                self.operand(operand).map(Test::Differs)
            }
            Predicate::Compares(Operator::Differs, _, Operands::List(bracket, operands)) => {
                let list: Vec<String> = operands.iter().map(Operand::shown).collect();
                let list = if list.is_empty() { "\"one\", \"other\"".to_owned() } else { list.join(", ") };
                let message = format!("`!=` takes one value: for none of several, write `not({shown} = [{list}])`");
                Err(Error::new(bracket.span.join(), message))
            }
            Predicate::Compares(Operator::Below, _, value) => self.orders(name, "<", Order::Below, value),
            Predicate::Compares(Operator::AtMost, _, value) => self.orders(name, "<=", Order::AtMost, value),
            Predicate::Compares(Operator::Above, _, value) => self.orders(name, ">", Order::Above, value),
            Predicate::Compares(Operator::AtLeast, _, value) => self.orders(name, ">=", Order::AtLeast, value),
        }
    }

    fn orders(&mut self, name: &Name, written: &str, order: Order, value: &Operands) -> Result<Test> {
        let shown = name.shown();
        match value {
            Operands::List(bracket, _) => {
                let message = format!("`{written}` takes one number: write `{shown} {written} 3`");
                Err(Error::new(bracket.span.join(), message))
            }
            Operands::One(operand) => match self.operand(operand)? {
                number @ (Value::Int(_) | Value::Float(_)) => Ok(Test::Orders(order, number)),
                Value::Str(text) => {
                    let number = text.trim().parse::<f64>().map_or("3", |_| text.trim());
                    Err(operand.error(format!("`{written}` compares numbers: write `{shown} {written} {number}`")))
                }
                Value::Bool(truth) => Err(operand.error(format!(
                    "`{written}` compares numbers: write `{shown} {written} 3`, or `{shown} = {truth}`"
                ))),
                Value::Parameter(parameter) => Err(operand.error(format!(
                    "`{written}` compares numbers, and a parameter is text: write `{shown} {written} 3`, or \
                     `{shown} = {PATH}.{parameter}`"
                ))),
            },
        }
    }

    fn operand(&mut self, operand: &Operand) -> Result<Value> {
        match operand {
            Operand::Literal(literal) => literal_value(literal),
            Operand::Parameter { name, tokens, is_dynamic } => {
                if name.is_empty() {
                    return Err(operand.error("a parameter's name is empty: write it between the quotes".to_owned()));
                }
                if self.parameters.iter().all(|known| known.name != *name) {
                    let (name, tokens) = (name.clone(), tokens.clone());
                    self.parameters.push(Parameter { name, tokens, is_dynamic: *is_dynamic });
                }
                Ok(Value::Parameter(name.clone()))
            }
        }
    }

    fn distinct(&mut self, operands: &[Operand]) -> Result<Vec<Value>> {
        let mut mistakes = Mistakes::default();
        let mut values: Vec<Value> = Vec::new();
        for operand in operands {
            match self.operand(operand) {
                Ok(value) if values.iter().any(|earlier| earlier.matches(&value)) => {
                    mistakes.add(operand.error(format!("`{}` is in this list already: leave it out", operand.shown())));
                }
                Ok(value) => values.push(value),
                Err(mistake) => mistakes.add(mistake),
            }
        }
        mistakes.or(values)
    }
}

fn term_error(term: &Term, message: &str) -> Error {
    match term {
        Term::Claim { name, .. } => name.error(message),
        Term::Combined { span, .. } => Error::new(*span, message),
    }
}

/// Two terms about one claim either repeat each other or, as all must hold, are rarely intended. Two orderings are a
/// range.
fn refuse_repetition(before: &[Term], term: &Term) -> Result<()> {
    use Predicate::{Compares, Present};

    let Term::Claim { name, predicate } = term else { return Ok(()) };
    let earlier = before.iter().find_map(|earlier| match earlier {
        Term::Claim { name: other, predicate }
            if other.texts() == name.texts() && other.is(SCOPE) == name.is(SCOPE) =>
        {
            Some(predicate)
        }
        Term::Claim { .. } | Term::Combined { .. } => None,
    });
    let Some(earlier) = earlier else { return Ok(()) };
    let shown = name.shown();
    let message = if name.is(SCOPE) {
        "`scope` appears twice: write every scope into one, as in `scope = \"read write\"`".to_owned()
    } else if name.is(FRESH) || name.is(ACR) {
        format!("`{shown}` appears twice: leave one out")
    } else {
        match (earlier, predicate) {
            (Compares(Operator::Equals, ..), Compares(Operator::Equals, ..)) => format!(
                "`{shown}` appears twice, and both would have to hold: for either, write `{shown} = [\"one\", \"other\"]`; \
                 for an array that has both, `all({shown} = \"one\", {shown} = \"other\")`"
            ),
            (Present, Present) => format!("`{shown}` appears twice: leave one out"),
            (Present, Compares(operator, ..)) | (Compares(operator, ..), Present) => format!(
                "`{shown}` appears twice: leave out the bare `{shown}`, since `{shown} {} ..` requires it anyway",
                operator.written()
            ),
            (_, _) => return Ok(()),
        }
    };
    Err(name.error(message))
}

/// `BANNED`, a `const` of the application: as a claim's name, under `not`, it would admit everyone.
fn is_constant(name: &Name) -> bool {
    let [Segment { text, quoted: false }] = name.segments.as_slice() else { return false };
    text.len() > 1 && text.starts_with(|first: char| first.is_uppercase()) && *text == text.to_uppercase()
}

/// `"role = \"admin\""`: it is a term in quotes, not a claim's name.
fn quoted_term(name: &Name) -> Option<Error> {
    let [only] = name.segments.as_slice() else { return None };
    let is_term = match syn::parse_str::<Term>(&only.text).ok()? {
        Term::Claim { predicate: Predicate::Compares(..), .. } | Term::Combined { .. } => true,
        Term::Claim { .. } => false,
    };
    let message = format!("in quotes this is the name of a claim: write `{}` without them", only.text);
    (only.quoted && is_term).then(|| name.error(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{Policy, PolicyArguments};

    fn read(text: &str) -> Result<Rule> {
        let arguments: PolicyArguments = syn::parse_str(text)?;
        match arguments.policy {
            Policy::Terms(terms) => rule(&terms).map(|checked| checked.rule),
            Policy::Pattern(_) => panic!("{text} is a pattern"),
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
        let text = |text: &str| Value::Str(text.to_owned());
        for (policy, expected) in [
            ("role = \"admin\"", claim("role", Test::Equals(text("admin")))),
            ("role", claim("role", Test::Present)),
            ("\"scope\" = \"a b\"", claim("scope", Test::Equals(text("a b")))),
            ("r#type = -0x10,", claim("type", Test::Equals(Value::Int(-16)))),
            ("level = 18446744073709551615", claim("level", Test::Equals(Value::Int(u64::MAX.into())))),
            ("level = -9223372036854775808", claim("level", Test::Equals(Value::Int(i64::MIN.into())))),
            ("level = -2.5e1", claim("level", Test::Equals(Value::Float(-25.0)))),
            ("a = [true, 1]", claim("a", Test::OneOf(vec![Value::Bool(true), Value::Int(1)]))),
            ("realm_access.roles", claim("realm_access.roles", Test::Present)),
            ("user.banned", claim("user.banned", Test::Present)),
            ("\"claims\".banned", claim("claims.banned", Test::Present)),
            ("claims", claim("claims", Test::Present)),
            ("\"VIP\"", claim("VIP", Test::Present)),
            ("VIP = true", claim("VIP", Test::Equals(Value::Bool(true)))),
            ("a = r\"{owner}\"", claim("a", Test::Equals(text("{owner}")))),
            ("a = \"{the owner}\"", claim("a", Test::Equals(text("{the owner}")))),
            ("a = \":-)\"", claim("a", Test::Equals(text(":-)")))),
            ("a.\"all\".type = 1", claim("a.all.type", Test::Equals(Value::Int(1)))),
            ("role != \"admin\"", claim("role", Test::Differs(text("admin")))),
            ("level >= -3", claim("level", Test::Orders(Order::AtLeast, Value::Int(-3)))),
            ("level < 1.5", claim("level", Test::Orders(Order::Below, Value::Float(1.5)))),
            (
                "level > 3, level < 9",
                Rule::All(vec![
                    claim("level", Test::Orders(Order::Above, Value::Int(3))),
                    claim("level", Test::Orders(Order::Below, Value::Int(9))),
                ]),
            ),
            ("sub = path.owner", claim("sub", Test::Equals(Value::Parameter("owner".to_owned())))),
            (
                "sub = [path.\"a b\", \"x\"]",
                claim("sub", Test::OneOf(vec![Value::Parameter("a b".to_owned()), text("x")])),
            ),
            (
                "any(all(a, b), not(c),)",
                Rule::Any(vec![
                    Rule::All(vec![claim("a", Test::Present), claim("b", Test::Present)]),
                    Rule::Not(Box::new(claim("c", Test::Present))),
                ]),
            ),
            ("\"all\"", claim("all", Test::Present)),
            // With explicit parentheses, both are intended.
            (
                "any(team = 1, all(team = 2, team = 3))",
                Rule::Any(vec![
                    claim("team", Test::Equals(Value::Int(1))),
                    Rule::All(vec![
                        claim("team", Test::Equals(Value::Int(2))),
                        claim("team", Test::Equals(Value::Int(3))),
                    ]),
                ]),
            ),
            (
                "all(scope = \"a\", not(scope = \"b\"), scope = \"c\")",
                Rule::All(vec![
                    Rule::Scope(vec!["a".to_owned()]),
                    Rule::Not(Box::new(Rule::Scope(vec!["b".to_owned()]))),
                    Rule::Scope(vec!["c".to_owned()]),
                ]),
            ),
            ("fresh = \"5m\"", Rule::Fresh(300)),
            ("fresh = \"2d\"", Rule::Fresh(172_800)),
            ("acr = [\"a\", \"b\"]", Rule::Acr(vec!["a".to_owned(), "b".to_owned()])),
            ("scope = \" b  a \"", Rule::Scope(vec!["b".to_owned(), "a".to_owned()])),
            ("a, \"b\"", Rule::All(vec![claim("a", Test::Present), claim("b", Test::Present)])),
            ("crate = \"x::y\", a", claim("a", Test::Present)),
            // Two terms, since a quoted `scope` is a claim like any other.
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
}

//! Whether a policy's parameters are those of the route.

use syn::{Error, Result};

use crate::handler::route::Route;
use crate::mistakes::Mistakes;
use crate::near::near;
use crate::rule::Parameter;
use crate::syntax::PATH;

/// Refuses a parameter that one of the routes does not have.
pub(crate) fn parameters(parameters: &[Parameter], routes: &[Route]) -> Result<()> {
    let mut mistakes = Mistakes::default();
    for route in routes {
        let there = route.parameters();
        for Parameter { name, tokens } in parameters {
            if !there.contains(name) {
                mistakes.add(Error::new_spanned(tokens, unknown_parameter(name, &route.pattern, &there)));
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

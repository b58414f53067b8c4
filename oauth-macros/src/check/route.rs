//! Whether the route has a policy's parameters.

use syn::{Error, Result};

use crate::handler::route::Route;
use crate::mistakes::Mistakes;
use crate::near::near;
use crate::rule::Parameter;
use crate::syntax::PATH;

/// Refuses a parameter that one of the routes does not have, or any parameter if no route is visible and there is no
/// `dyn`.
pub(crate) fn parameters(parameters: &[Parameter], routes: &[Route]) -> Result<()> {
    let mut mistakes = Mistakes::default();
    for Parameter { name, tokens, is_dynamic } in parameters {
        if routes.is_empty() && !is_dynamic {
            mistakes.add(Error::new_spanned(tokens, no_route(name)));
        }
        for route in routes {
            let there = route.parameters();
            match (there.contains(name), is_dynamic) {
                (true, false) | (false, true) => {}
                (false, false) => {
                    mistakes.add(Error::new_spanned(tokens, unknown_parameter(name, &route.pattern, &there)));
                }
                (true, true) => {
                    let message = format!("the route \"{}\" has this parameter: leave `dyn` out", route.pattern);
                    mistakes.add(Error::new_spanned(tokens, message));
                }
            }
        }
    }
    mistakes.or(())
}

fn no_route(name: &str) -> String {
    format!(
        "no route is in sight here: write the guard above its attribute, such as `#[get(\"/notes/{{{name}}}\")]`, or, where \
         the route is stated elsewhere, `dyn {PATH}.{name}`, which is found at run time"
    )
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
    format!("the route \"{pattern}\" has {what}{otherwise} a scope around it has this one, write `dyn {PATH}.{name}`")
}

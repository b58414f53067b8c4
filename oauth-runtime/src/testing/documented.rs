//! Whether an OpenAPI document says what the guards of an `App` do.

use std::collections::BTreeSet;

use utoipa::openapi::OpenApi;

use crate::guard::map;
use crate::guard::on_page::SIGNED_IN;
use crate::openapi::operations::{Place, full_paths, operations, paired, template};
use crate::openapi::requirement::Requirements;
use crate::policy::{Guard, Rule};
use crate::testing::table::{Coverage, Finding, Refused, Route};

/// An operation of the document.
struct Documented {
    place: Place,
    full_paths: Vec<String>,
    says: Requirements,
    guards: Vec<&'static Guard>,
}

impl Documented {
    fn is_at(&self, path: &str) -> bool {
        self.full_paths.contains(&template(path))
    }

    fn is(&self, route: &Route) -> bool {
        self.is_at(&route.path) && route.method.as_deref().is_none_or(|method| method == self.place.method)
    }
}

impl Coverage {
    /// Where an OpenAPI document differs from what the guards of the `App` do, a line for each:
    ///
    /// - a route at which a guard refuses, and that the document does not have; [`except`](Coverage::except) those that
    ///   do not belong in it;
    /// - an operation whose `security` asks for less than its guards demand;
    /// - an operation with `security` of this service at which no guard refuses, or for which the `App` has no route;
    /// - an operation for which guards of several handlers fit: an `operation_id` with the module of each tells them apart.
    ///
    /// Here the routes include the scopes around them and the policies of these, unlike in
    /// [`document`](crate::OAuthService::document).
    ///
    /// ```standalone_crate
    /// use actix_web::{App, get, web};
    /// use oauth_runtime::{require_token, testing};
    /// use utoipa::OpenApi;
    ///
    /// #[utoipa::path(path = "/api/me", responses((status = 200, description = "Who asks")))]
    /// #[require_token]
    /// #[get("/me")]
    /// async fn me() -> &'static str { "me" }
    ///
    /// #[derive(OpenApi)]
    /// #[openapi(paths(me))]
    /// struct Api;
    ///
    /// # #[actix_web::main]
    /// # async fn main() {
    /// let oauth = testing::service(); // or your own
    /// let app = App::new().configure(oauth.routes()).service(web::scope("/api").service(me));
    /// let routes = testing::coverage(app).await;
    /// routes.assert_documented(&oauth.document(Api::openapi()));
    ///
    /// let differences = routes.undocumented(&Api::openapi());
    /// assert_eq!(differences.len(), 1, "nothing says that it needs a token: {differences:?}");
    /// # }
    /// ```
    #[must_use]
    pub fn undocumented(&self, openapi: &OpenApi) -> Vec<String> {
        let mut guards = paired(openapi);
        let documented = operations(openapi).map(|(path, method, operation)| {
            let place = Place { path: path.to_owned(), method };
            let says = Requirements::read(operation.security.as_deref().or(openapi.security.as_deref()));
            let guards = guards.remove(&place).unwrap_or_default();
            Documented { full_paths: full_paths(openapi, path), says, guards, place }
        });
        let documented: Vec<Documented> = documented.collect();
        let said = documented.iter().flat_map(|operation| self.differs(operation));
        said.chain(self.missing(&documented)).collect()
    }

    /// Fails the test where an OpenAPI document differs from what the guards do: see [`Coverage::undocumented`].
    ///
    /// # Panics
    /// With a line for each difference.
    pub fn assert_documented(&self, openapi: &OpenApi) {
        let differences = self.undocumented(openapi);
        assert!(differences.is_empty(), "the OpenAPI document and the guards differ:\n{}", differences.join("\n"));
    }

    fn differs(&self, operation: &Documented) -> Vec<String> {
        let Documented { place: Place { path, method }, says, .. } = operation;
        let rows: Vec<_> = self.rows.iter().filter(|(route, _)| operation.is(route)).collect();
        let asks = says.name_the_service();
        let Some((_, finding)) = rows.first() else {
            let missing = format!("{method} {path}: it has `security` {says}, and there is no such route in the App");
            return if asks { vec![missing] } else { Vec::new() };
        };
        if rows.iter().any(|(route, finding)| *finding == Finding::Server || self.is_excepted(route)) {
            return Vec::new();
        }
        if !rows.iter().any(|(_, finding)| matches!(finding, Finding::Guarded(_))) {
            let open = format!("{method} {path}: it has `security` {says}, and no guard refuses there: {finding}");
            return if asks { vec![open] } else { Vec::new() };
        }
        let refused = self
            .refused
            .iter()
            .filter(|refused| operation.is_at(&refused.route.path) && refused.route.method.as_deref() == Some(*method));
        let guards: Vec<&Guard> =
            refused.map(|refused| refused.guard).chain(operation.guards.iter().copied()).collect();
        let rules: Vec<&Rule> =
            guards.iter().map(|guard| &guard.rule).filter(|rule| !matches!(rule, Rule::Public)).collect();
        let demands = Requirements::of(&rules);
        let less = (!says.are_enough_for(&demands)).then(|| {
            format!("{method} {path}: it has `security` {says}, and its guards demand {demands}: add what `oauth.document(..)` or `oauth.document_below(..)` writes")
        });
        let handlers = guards.iter().filter(|guard| guard.handler.is_some()).map(|guard| map::place(guard));
        let handlers: BTreeSet<String> = handlers.collect();
        let many = (handlers.len() > 1).then(|| {
            let handlers = handlers.into_iter().collect::<Vec<_>>().join(", ");
            format!("{method} {path}: the guards of {handlers} fit: give the operation of each an `operation_id` of its handler's path, such as `module_handler`")
        });
        less.into_iter().chain(many).collect()
    }

    /// The routes at which guards refuse, and that the document does not have.
    fn missing(&self, documented: &[Documented]) -> BTreeSet<String> {
        let is_missing = |route: &Route, is_named: bool| {
            !documented.iter().any(|operation| {
                operation.is_at(&route.path)
                    && (!is_named || route.method.as_deref().is_none_or(|method| method == operation.place.method))
            })
        };
        // Pages are not operations, unless the document has them.
        let is_page = |refused: &&Refused| std::ptr::eq(refused.guard, &SIGNED_IN);
        let refused = self.refused.iter().filter(|refused| !self.is_excepted(&refused.route) && !is_page(refused));
        let missing = refused.filter(|refused| is_missing(&refused.route, refused.is_named));
        // Methods that only the policy of a scope refuses belong to a path that is named already, or to one without a
        // method.
        let is_named_elsewhere = |path: &str| self.refused.iter().any(|it| it.is_named && it.route.path == path);
        let missing = missing.filter(|it| it.is_named || !is_named_elsewhere(&it.route.path));
        missing
            .map(|it| {
                let route = if it.is_named { it.route.to_string() } else { it.route.path.clone() };
                format!("{route}: guarded ({}), and not in the document", it.guard.rule)
            })
            .collect()
    }
}

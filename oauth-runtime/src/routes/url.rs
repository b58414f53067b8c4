//! One URL of the server: its methods, 405 with `Allow` for the others, and CORS where it is meant to be.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{AppService, HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, web};

use crate::answer::json_error;
use crate::error::Reason;
use crate::server::OAuthService;

/// Which pages of other origins may read the answers (c35). Credentials are never allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cors {
    /// None: this URL is for a browser to go to, not for scripts.
    Nobody,
    /// Those of registered redirect URIs and of `.origin(..)`.
    Clients,
    Everyone,
}

/// A URL to be registered with an `App`.
pub(crate) struct Url {
    path: String,
    resource: Resource,
    methods: Vec<Method>,
    cors: Cors,
}

/// The URL with this path.
pub(crate) fn url(path: &str) -> Url {
    Url { path: path.to_owned(), resource: web::resource(path), methods: Vec::new(), cors: Cors::Nobody }
}

impl Url {
    pub(crate) fn get<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(Method::GET);
        self.resource = self.resource.route(web::get().to(handler));
        self
    }

    pub(crate) fn post<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(Method::POST);
        self.resource = self.resource.route(web::post().to(handler));
        self
    }

    pub(crate) fn cors(mut self, cors: Cors) -> Self {
        self.cors = cors;
        self
    }
}

impl HttpServiceFactory for Url {
    fn register(self, app: &mut AppService) {
        let Url { path, resource, methods, cors } = self;
        if !app.is_root() {
            // Below a scope nothing would be where the metadata says: half a server is worse than none.
            web::resource(path).default_service(web::to(|| async { json_error(&Reason::NoService) })).register(app);
            return;
        }
        let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let methods = allow.clone();
        resource
            .default_service(web::to(move || {
                let allow = allow.clone();
                async move { HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allow)).finish() }
            }))
            .wrap(from_fn(move |request, next| share(cors, methods.clone(), request, next)))
            .register(app);
    }
}

async fn share(
    cors: Cors,
    methods: String,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let allowed = allowed_origin(cors, request.request());
    let preflight = cors != Cors::Nobody
        && request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight {
        request.into_response(HttpResponse::NoContent().finish())
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let headers = response.headers_mut();
    if cors == Cors::Clients {
        headers.append(header::VARY, header::HeaderValue::from_static("Origin"));
    }
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if preflight {
            if let Ok(methods) = header::HeaderValue::from_str(&methods) {
                headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            }
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                header::HeaderValue::from_static("authorization, content-type"),
            );
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, header::HeaderValue::from_static("600"));
        } else {
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                header::HeaderValue::from_static("WWW-Authenticate, Retry-After"),
            );
        }
    }
    Ok(response)
}

fn allowed_origin(cors: Cors, request: &HttpRequest) -> Option<header::HeaderValue> {
    match cors {
        Cors::Nobody => None,
        Cors::Everyone => Some(header::HeaderValue::from_static("*")),
        Cors::Clients => {
            let oauth = request.app_data::<OAuthService>()?;
            let value = request.headers().get(header::ORIGIN)?;
            let origin = value.to_str().ok()?;
            let registered = oauth.0.origins.iter().any(|registered| registered == origin)
                || oauth
                    .0
                    .clients
                    .values()
                    .flat_map(|client| &client.redirect_uris)
                    .any(|uri| uri.allows_origin(origin));
            registered.then(|| value.clone())
        }
    }
}

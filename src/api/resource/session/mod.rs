//! Signing in to the console: a credential, a one-time link or an identity provider is exchanged for a session, which a
//! cookie presents. Tenants do not sign in: they have the portal.

mod begin;
mod create;
mod current;
mod options;
mod person;
mod provider;
mod provider_flow;

use axum::Router;
use chrono::{DateTime, Utc};
use http::HeaderValue;
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;
use crate::domain::access::opaque_token::OpaqueToken;
use crate::domain::id::EnvironmentId;

pub use provider::openid_redirect;

/// A CSRF token is for the page that asked.
const NEVER_KEPT: HeaderValue = HeaderValue::from_static("no-store");

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "kind": "api_key", "name": "ops", "role": "operator", "environmentId": null,
    "csrfToken": "mCzGGVwNH7iRRDAvhRpN4QXt0LmLnpB2bXfHnHKxCIU", "expiresAt": "2026-11-22T22:00:00Z", "version": "0.1.0"
}))]
struct SessionOut {
    /// How they signed in: `person`, `api_key`, `token` or `link`.
    #[schema(value_type = SignInKind)]
    kind: &'static str,
    /// A person's e-mail address or name, an API key's name, a token's subject, `link`.
    name: String,
    /// What they may do.
    #[schema(value_type = ConsoleRoleName)]
    role: &'static str,
    /// In which environment; `null` for an operator.
    #[schema(value_type = Option<String>, required)]
    environment_id: Option<EnvironmentId>,
    /// What requests by cookie that change something carry in `postrider-csrf`. Empty for a bearer credential.
    csrf_token: String,
    /// When it ends unless it is used; `null` for a bearer credential without an end.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// The server's.
    version: &'static str,
}

/// How somebody signed in.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes `ActorKind`, which the domain owns")]
enum SignInKind {
    Person,
    ApiKey,
    Token,
    Link,
}

/// What somebody may do in the console.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes `ConsoleRole`, which the domain owns")]
enum ConsoleRoleName {
    Operator,
    Environment,
}

/// A URL below the public one. `place` has no slash in front.
fn below(public_url: &Url, place: &str) -> Url {
    let mut url = public_url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}/{place}", public_url.path().trim_end_matches('/')));
    url
}

/// The link that signs in with that token. What stands behind the `#` is sent to no server.
pub fn sign_in_url(public_url: &Url, link: &OpaqueToken) -> Url {
    let mut url = below(public_url, "sign-in");
    url.set_fragment(Some(&format!("link={}", link.reveal())));
    url
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    options::routes()
        .merge(create::routes())
        .merge(current::routes())
        .merge(provider::routes())
        .merge(person::routes())
}

/// What is no operation: where a provider sends people back to.
pub(in crate::api) fn unlisted_routes() -> Router<SharedState> {
    provider::unlisted_routes()
}

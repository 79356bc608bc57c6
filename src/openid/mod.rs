//! OpenID Connect (Core 1.0): people sign in to the console with what their company has.
//!
//! Actors: the *provider*, known by its issuer and found by discovery; the *flow*, one sign-in from the redirect to the
//! provider until it comes back with a code (authorization code flow with PKCE, RFC 7636); the *identity*, what the
//! provider's ID token says of the person; the *role*, which follows from one of its claims.
//!
//! Promises: an ID token counts only if one of the provider's published keys signed it, for this client and this flow, and
//! it has not expired. Every request to the provider has a deadline, and its answer a bound. Nothing here keeps sessions.

mod error;
mod exchange;
mod flow;
mod http;
mod id_token;
mod provider;
mod roles;

use secrecy::SecretString;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use url::Url;

use crate::domain::access::session::{Authority, ConsoleRole};
use crate::domain::clock::Clock;

pub use error::OpenIdError;
pub use flow::Flow;
pub use roles::RoleMapping;

use exchange::exchange;
use http::Http;
use provider::Providers;
pub(crate) use provider::is_protected;

/// Exchanges of codes at a time: each is a few requests to the provider.
const MAX_EXCHANGES_AT_ONCE: usize = 16;
/// The longest subject (OpenID Connect Core, section 2).
const MAX_SUBJECT_BYTES: usize = 255;
/// A name or an e-mail address is cut to so many characters.
const MAX_NAME_CHARACTERS: usize = 256;

/// What is to be known of the provider.
#[derive(Debug, Clone)]
pub struct OpenIdOptions {
    /// Its URL, as it names itself.
    pub issuer: String,
    /// How it knows us.
    pub client_id: String,
    /// How we prove that; a public client has none.
    pub client_secret: Option<SecretString>,
    /// How people know it.
    pub name: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The claim that gives the role.
    pub role_claim: String,
    /// What its values mean; the first that matches counts.
    pub roles: Vec<RoleMapping>,
}

/// A person, as the provider describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider's name for them, which never changes.
    pub subject: String,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub email: Option<String>,
    /// What they may do; `None` when the claim gives no role.
    pub role: Option<ConsoleRole>,
}

/// Sign-in by a provider.
pub struct OpenId {
    options: OpenIdOptions,
    redirect: Url,
    authority: Authority,
    http: Http,
    providers: Providers,
    exchanges: Semaphore,
    clock: Clock,
}

impl OpenId {
    /// Asks nobody yet. The provider sends people back to `redirect`.
    ///
    /// # Errors
    /// [`OpenIdError::Unreachable`] when the HTTP client cannot be made.
    pub fn new(options: OpenIdOptions, redirect: Url, clock: Clock) -> Result<Self, OpenIdError> {
        Ok(Self {
            authority: authority_of(&options),
            http: Http::new()?,
            providers: Providers::new(&options.issuer),
            exchanges: Semaphore::new(MAX_EXCHANGES_AT_ONCE),
            options,
            redirect,
            clock,
        })
    }

    /// What vouches for people. It is another one once the provider, or what it gives, is.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// How people know the provider.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// The provider, as it names itself.
    pub fn issuer(&self) -> &str {
        &self.options.issuer
    }

    /// Where a person goes to sign in.
    ///
    /// # Errors
    /// [`OpenIdError`] when the provider cannot be found.
    pub async fn authorization_url(&self, flow: &Flow) -> Result<Url, OpenIdError> {
        let provider = self.providers.current(&self.http).await?;
        let mut url = provider.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.options.client_id)
            .append_pair("redirect_uri", self.redirect.as_str())
            .append_pair("scope", &self.options.scopes.join(" "))
            .append_pair("state", &flow.state)
            .append_pair("nonce", &flow.nonce)
            .append_pair("code_challenge", &flow.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// Who it is that came back with this code.
    ///
    /// # Errors
    /// [`OpenIdError`] when the provider does not say so, or not in a way that counts.
    pub async fn identity(&self, flow: &Flow, code: &str) -> Result<Identity, OpenIdError> {
        let _turn = self.exchanges.try_acquire().map_err(|_| OpenIdError::Busy)?;
        let provider = self.providers.current(&self.http).await?;
        let tokens = exchange(&self.http, &provider, &self.options, &self.redirect, flow, code).await?;
        let wanted = id_token::Wanted {
            issuer: &provider.issuer,
            client_id: &self.options.client_id,
            nonce: &flow.nonce,
            now: self.clock.now(),
        };
        let mut claims = self.providers.verify(&self.http, &provider, &tokens.id_token, &wanted).await?;
        if !self.says_enough(&claims)
            && let Some(url) = &provider.userinfo_endpoint
        {
            let more: Map<String, Value> = self.http.userinfo(url, &tokens.access_token).await?;
            // Otherwise it might be somebody else's (section 5.3.2).
            if more.get("sub") != claims.get("sub") {
                return Err(OpenIdError::NotAccepted("the userinfo endpoint describes somebody else"));
            }
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        self.described(&claims)
    }

    /// Whether the ID token alone tells the role and a name. Many providers tell the rest by another request only.
    fn says_enough(&self, claims: &Map<String, Value>) -> bool {
        let has_name = ["email", "name", "preferred_username"].iter().any(|name| claims.contains_key(*name));
        has_name && roles::claimed(claims, &self.options.role_claim).is_some()
    }

    fn described(&self, claims: &Map<String, Value>) -> Result<Identity, OpenIdError> {
        let text = |name: &str| {
            let value = claims.get(name)?.as_str()?.trim();
            (!value.is_empty() && !value.contains('\0'))
                .then(|| value.chars().take(MAX_NAME_CHARACTERS).collect())
        };
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        if subject.is_empty() || subject.len() > MAX_SUBJECT_BYTES || subject.contains('\0') {
            return Err(OpenIdError::NotAccepted("the subject is not a name of 1 to 255 characters"));
        }
        Ok(Identity {
            subject: subject.to_owned(),
            name: text("name").or_else(|| text("preferred_username")),
            email: text("email"),
            role: roles::role(claims, &self.options.role_claim, &self.options.roles),
        })
    }
}

fn authority_of(options: &OpenIdOptions) -> Authority {
    let mut hash = Sha256::new().chain_update("postrider openid authority 1");
    let roles: Vec<String> = options.roles.iter().map(ToString::to_string).collect();
    let parts = [&options.issuer, &options.client_id, &options.role_claim];
    for part in parts.into_iter().chain(&roles) {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;

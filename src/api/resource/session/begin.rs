//! A session that has just begun, and the cookie that presents it.

use chrono::{DateTime, Utc};
use http::HeaderValue;
use http::request::Parts;

use crate::api::credential::cookie::SESSION;
use crate::api::credential::csrf::comes_by_https;
use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::domain::access::actor::Actor;
use crate::domain::access::opaque_token::OpaqueToken;
use crate::domain::access::session::{ConsoleRole, SessionOrigin};
use crate::domain::id::SessionId;
use crate::store::{NewSession, SessionRecord};

/// A session that has just begun.
pub(super) struct Begun {
    pub(super) token: OpaqueToken,
    pub(super) record: SessionRecord,
}

/// What a session is to begin with.
pub(super) struct Beginning {
    pub(super) origin: SessionOrigin,
    pub(super) role: ConsoleRole,
    pub(super) name: String,
    pub(super) ends_at: Option<DateTime<Utc>>,
}

impl Beginning {
    /// The session, and who begins it, as the audit log is to name them.
    pub(super) fn session(self, actor: &Actor) -> (NewSession, Actor) {
        let id = SessionId::generate();
        let Self { origin, role, name, ends_at } = self;
        let new = NewSession { token: OpaqueToken::generate(), id, origin, role, name, ends_at };
        (new, Actor { session: Some(id), ..actor.clone() })
    }

    /// Begins it.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(super) async fn begin(self, state: &ApiState, actor: &Actor) -> Result<Begun, ApiError> {
        if let ConsoleRole::Environment(environment) = &self.role {
            // As a token's, it is there from the first time that it is named.
            state.configuration.create_environment(actor, environment).await?;
        }
        let (new, actor) = self.session(actor);
        let record = state.access.begin_session(&actor, &new).await?;
        Ok(Begun { token: new.token, record })
    }
}

impl Begun {
    /// The cookie that presents it, as long as it may last.
    pub(super) fn cookie(&self, state: &ApiState, request: &Parts) -> HeaderValue {
        let lasts = self.record.ends_at - state.authenticator.clock().now();
        state.cookies.set(SESSION, self.token.reveal(), lasts, comes_by_https(request))
    }
}

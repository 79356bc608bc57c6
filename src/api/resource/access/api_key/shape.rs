//! How an API key looks from outside, and what may be asked for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conventions::validate::Findings;
use crate::api::credential::Role;
use crate::api::error::ApiError;
use crate::domain::id::{ApiKeyId, ApplicationId, EnvironmentId};
use crate::store::ApiKeyRecord;

/// What an API key may do.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it only describes `Role`, which the domain owns")]
enum KeyRole {
    Operator,
    Environment,
    Application,
}

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"name": "billing service", "role": "environment", "expiresAt": "2030-01-01T00:00:00Z"}))]
pub(super) struct ApiKeyIn {
    /// For people.
    #[schema(min_length = 1)]
    pub(super) name: String,
    /// `environment` when nothing is said; `application` for one tenant; `operator` by operators alone.
    #[schema(value_type = Option<KeyRole>)]
    pub(super) role: Option<String>,
    /// In which environment; by operators alone.
    pub(super) environment_id: Option<String>,
    /// For which application, by id or `uid`: with the role `application`.
    pub(super) app_id: Option<String>,
    /// From then on it does not hold; without it, it holds until it is revoked.
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// An API key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "key_01h455vb4pex5vsknk084sn02q", "name": "billing service", "role": "environment",
    "environmentId": "org_demo", "appId": null, "hint": "3kQw", "createdAt": "2026-11-22T10:00:00Z",
    "expiresAt": null, "lastUsedAt": null, "revokedAt": null
}))]
pub(super) struct ApiKeyOut {
    /// Its id, which is not the key.
    #[schema(value_type = String)]
    id: ApiKeyId,
    /// The key itself: only in the answer to its making.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    /// For people.
    name: String,
    /// `operator`, `environment` or `application`.
    role: &'static str,
    /// In which environment.
    #[schema(value_type = Option<String>)]
    environment_id: Option<EnvironmentId>,
    /// For which application.
    #[schema(value_type = Option<String>)]
    app_id: Option<ApplicationId>,
    /// The last characters of the key.
    hint: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// From then on it does not hold.
    expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// Since then it does not hold.
    revoked_at: Option<DateTime<Utc>>,
}

impl From<ApiKeyRecord> for ApiKeyOut {
    fn from(record: ApiKeyRecord) -> Self {
        Self {
            id: record.id,
            key: None,
            name: record.name,
            role: record.scope.role().name(),
            environment_id: record.scope.environment().cloned(),
            app_id: record.scope.application(),
            hint: record.hint,
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
            revoked_at: record.revoked_at,
        }
    }
}

impl ApiKeyIn {
    /// Checks what needs no database, and tells the role that is meant.
    pub(super) fn check(&self, by_operator: bool, now: DateTime<Utc>) -> Result<Role, ApiError> {
        let mut findings = Findings::of_body();
        findings.name("name", &self.name);
        let role = Role::from_name(self.role.as_deref().unwrap_or("environment"));
        match role {
            None => findings.add("role", "is not one of operator, environment, application"),
            Some(Role::Operator) if !by_operator => {
                findings.add("role", "only operators make keys for operators");
            }
            Some(_) => {}
        }
        if !by_operator && self.environment_id.is_some() {
            findings.add("environmentId", "is your own; leave it out");
        }
        if by_operator && (role == Some(Role::Operator)) != self.environment_id.is_none() {
            findings.add("environmentId", "goes with the roles environment and application");
        }
        if (role == Some(Role::Application)) != self.app_id.is_some() {
            findings.add("appId", "goes with the role application");
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            findings.add("expiresAt", "must lie ahead");
        }
        findings.finish()?;
        role.ok_or(ApiError::Internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::conventions::extract::parse;

    fn role(body: &str, by_operator: bool) -> Option<Role> {
        let now = DateTime::from_timestamp(1_900_000_000, 0).unwrap();
        parse::<ApiKeyIn>(body.as_bytes()).unwrap().check(by_operator, now).ok()
    }

    #[test]
    fn an_environment_makes_keys_for_itself_and_its_tenants() {
        assert_eq!(role(r#"{"name": "a"}"#, false), Some(Role::Environment));
        let tenant = r#"{"name": "a", "role": "application", "appId": "one"}"#;
        assert_eq!(role(tenant, false), Some(Role::Application));
        for refused in [
            r#"{"name": ""}"#,
            r#"{"name": "a", "role": "operator"}"#,
            r#"{"name": "a", "role": "root"}"#,
            r#"{"name": "a", "environmentId": "org_other"}"#,
            r#"{"name": "a", "appId": "one"}"#,
            r#"{"name": "a", "role": "application"}"#,
            r#"{"name": "a", "expiresAt": "2020-01-01T00:00:00Z"}"#,
        ] {
            assert_eq!(role(refused, false), None, "{refused}");
        }
    }

    #[test]
    fn an_operator_says_in_which_environment() {
        assert_eq!(role(r#"{"name": "a", "role": "operator"}"#, true), Some(Role::Operator));
        assert_eq!(role(r#"{"name": "a", "environmentId": "org_a"}"#, true), Some(Role::Environment));
        assert_eq!(role(r#"{"name": "a"}"#, true), None);
        assert_eq!(role(r#"{"name": "a", "role": "operator", "environmentId": "org_a"}"#, true), None);
    }
}

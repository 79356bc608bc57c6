//! What an endpoint's requests are made of, to put one together again that was sent before: its headers, and its secrets with
//! their times. Deleted endpoints have theirs for a while.

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;

use crate::domain::endpoint::secret::{KeyMaterial, MAX_GRACE_SECONDS, SigningKey};
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::policy::EffectivePolicy;
use crate::store::StoreError;

use super::ConfigurationStore;
use super::snapshot::parse_secret;
use crate::store::database::stored_policy::stored_policy;

/// Expired secrets are there for this long at the least.
const EXPIRED_KEPT_FOR: TimeDelta = TimeDelta::hours(1);
/// A change is in force on every node within this time: what was sent meanwhile may be made of either.
const IN_FORCE_WITHIN: TimeDelta = TimeDelta::seconds(5);
/// No rotated secret signs along for longer.
const LONGEST_GRACE: TimeDelta = TimeDelta::seconds(MAX_GRACE_SECONDS as i64);

/// What an endpoint's requests are made of.
#[derive(Debug)]
pub struct SendingParts {
    /// The endpoint's own headers, and the credentials of its URL as one, as they are now.
    pub headers: HeaderMap,
    /// Whether the signature's headers are sent under the names of Svix, too.
    pub svix_headers: bool,
    /// By when they were made, the newest first.
    secrets: Vec<StoredSecret>,
    created_at: DateTime<Utc>,
    /// When something of it was last changed: the endpoint, and what decides where the endpoint does not.
    changed_at: Vec<DateTime<Utc>>,
    now: DateTime<Utc>,
}

#[derive(Debug, Clone)]
struct StoredSecret {
    material: KeyMaterial,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
}

impl SendingParts {
    /// The keys that signed at a moment, in the order of their signatures: the one that was current then, and those that
    /// signed along. `None` when the one that was current is gone.
    pub fn keys_at(&self, at: DateTime<Utc>) -> Option<Vec<SigningKey>> {
        let mut known =
            self.secrets.iter().filter(|secret| self.begins_at(secret).is_none_or(|begins| begins <= at));
        let current = known.next()?;
        let signs = |secret: &&StoredSecret| secret.expires_at.is_none_or(|end| at < end);
        let mut along: Vec<&StoredSecret> = known.filter(signs).collect();
        along.sort_by_key(|secret| std::cmp::Reverse(secret.expires_at));
        let keys = std::iter::once(current).filter(signs).chain(along);
        let keys: Vec<SigningKey> =
            keys.map(|it| SigningKey { material: it.material.clone(), expires_at: it.expires_at }).collect();
        (!keys.is_empty()).then_some(keys)
    }

    /// Whether what is known is what requests were made of at that moment: nothing was changed since, and no secret has gone
    /// that may have signed along.
    pub fn unchanged_since(&self, at: DateTime<Utc>) -> bool {
        let is_in_force = |change: DateTime<Utc>| at > change + IN_FORCE_WITHIN;
        let Some(current) = self.secrets.first().filter(|secret| secret.expires_at.is_none()) else {
            return false;
        };
        let has_its_secrets = self.begins_at(current).is_none_or(|begins| {
            is_in_force(begins) && (at > begins + LONGEST_GRACE || self.now < begins + EXPIRED_KEPT_FOR)
        });
        has_its_secrets && self.changed_at.iter().all(|change| is_in_force(*change))
    }

    /// From when on a secret signs; `None` for the endpoint's first, which was made with it.
    fn begins_at(&self, secret: &StoredSecret) -> Option<DateTime<Utc>> {
        (secret.created_at > self.created_at).then_some(secret.created_at)
    }
}

impl ConfigurationStore {
    /// What the requests of an endpoint are made of, whether it is deleted or not; `None` when it is not the application's.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when something does not open.
    pub async fn sending_parts(
        &self,
        application: ApplicationId,
        endpoint: EndpointId,
    ) -> Result<Option<SendingParts>, StoreError> {
        let Some(row) = sqlx::query!(
            r#"-- endpoint::sending_parts
            SELECT e.headers_sealed, e.url_credentials_sealed, e.created_at, now() AS "now!", e.policy,
                   a.policy AS application_policy, n.policy AS environment_policy,
                   CASE WHEN e.updated_at > e.created_at THEN e.updated_at END AS changed_at,
                   CASE WHEN a.updated_at > a.created_at THEN a.updated_at END AS application_changed_at,
                   n.policy_changed_at AS environment_changed_at
            FROM endpoint e JOIN application a ON a.id = e.application_id
            CROSS JOIN LATERAL (SELECT * FROM environment n WHERE n.id = a.environment_id OFFSET 0) n
            WHERE e.id = $1 AND e.application_id = $2"#,
            endpoint.uuid(),
            application.uuid(),
        )
        .fetch_optional(&self.pool)
        .await?
        else {
            return Ok(None);
        };
        let headers = self.sent_headers(endpoint, (row.headers_sealed, row.url_credentials_sealed))?;
        let of_endpoint = stored_policy(row.policy, endpoint)?;
        let of_application = stored_policy(row.application_policy, application)?;
        let of_environment = stored_policy(row.environment_policy, application)?;
        let server = &self.server_policy;
        let policy = EffectivePolicy::resolve(&of_endpoint, &of_application, &of_environment, server);
        // Who decides on the headers of Svix hides the changes of who would decide otherwise.
        let application_changed_at =
            row.application_changed_at.filter(|_| of_endpoint.svix_headers.is_none());
        let environment_changed_at = row
            .environment_changed_at
            .filter(|_| of_endpoint.svix_headers.is_none() && of_application.svix_headers.is_none());
        let changes = [row.changed_at, application_changed_at, environment_changed_at];
        let secrets = sqlx::query!(
            r#"-- endpoint_secret::all
            SELECT sealed, created_at, expires_at FROM endpoint_secret
            WHERE endpoint_id = $1 ORDER BY created_at DESC LIMIT 100"#,
            endpoint.uuid(),
        )
        .fetch_all(&self.pool)
        .await?;
        let secrets = secrets.into_iter().map(|row| {
            let text = self.sealer.open(&row.sealed, endpoint.uuid().as_bytes())?;
            let material = parse_secret(&text)?.key();
            Ok(StoredSecret { material, created_at: row.created_at, expires_at: row.expires_at })
        });
        Ok(Some(SendingParts {
            headers,
            svix_headers: policy.svix_headers,
            secrets: secrets.collect::<Result<_, StoreError>>()?,
            created_at: row.created_at,
            changed_at: changes.into_iter().flatten().collect(),
            now: row.now,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn secret(name: u8, created: i64, expires: Option<i64>) -> StoredSecret {
        let material = KeyMaterial::Hmac(vec![name; 24]);
        StoredSecret { material, created_at: at(created), expires_at: expires.map(at) }
    }

    fn parts(secrets: Vec<StoredSecret>, changed: &[i64]) -> SendingParts {
        let changed_at = changed.iter().map(|day| at(*day)).collect();
        SendingParts {
            headers: HeaderMap::new(),
            svix_headers: false,
            secrets,
            created_at: at(0),
            changed_at,
            now: at(100),
        }
    }

    fn names(parts: &SendingParts, day: i64) -> Option<Vec<u8>> {
        let name = |key: SigningKey| match key.material {
            KeyMaterial::Hmac(bytes) => bytes[0],
            KeyMaterial::Ed25519(_) => 0,
        };
        parts.keys_at(at(day)).map(|keys| keys.into_iter().map(name).collect())
    }

    #[test]
    fn the_keys_of_a_moment_are_those_that_signed_then() {
        let parts = parts(vec![secret(3, 20, None), secret(2, 10, Some(25)), secret(1, 0, Some(12))], &[]);
        for (day, expected) in
            [(5, vec![1]), (11, vec![2, 1]), (15, vec![2]), (21, vec![3, 2]), (30, vec![3])]
        {
            assert_eq!(names(&parts, day), Some(expected), "day {day}");
        }
    }

    #[test]
    fn a_key_that_is_gone_is_missed() {
        let parts = parts(vec![secret(2, 10, None)], &[]);
        assert_eq!((names(&parts, 5), names(&parts, 11)), (None, Some(vec![2])));
    }

    #[test]
    fn only_what_cannot_have_changed_is_exact() {
        let first = parts(vec![secret(1, 0, None)], &[]);
        assert!(first.unchanged_since(at(0)) && first.unchanged_since(at(50)));
        let changed = parts(vec![secret(1, 0, None)], &[10]);
        assert!(!changed.unchanged_since(at(9)) && !changed.unchanged_since(at(10)));
        assert!(changed.unchanged_since(at(11)));
        // The application's change is later than the endpoint's.
        let above = parts(vec![secret(1, 0, None)], &[10, 20]);
        assert!(!above.unchanged_since(at(11)) && above.unchanged_since(at(21)));
        let rotated = parts(vec![secret(2, 10, None)], &[]);
        assert!(!rotated.unchanged_since(at(9)));
        // The one before may have signed along, and is gone.
        assert!(!rotated.unchanged_since(at(12)) && rotated.unchanged_since(at(18)));
        assert!(!parts(vec![], &[]).unchanged_since(at(1)));
    }
}

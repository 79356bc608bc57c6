//! What is secret of an environment's endpoints, opened, for those who export it. Who did is noted.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::endpoint::secret::SigningSecret;
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::domain::page::{Scan, Stretch};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::configuration::ConfigurationStore;
use crate::store::history::message::stored_length;

/// What is secret of an endpoint.
pub struct EndpointSecrets {
    /// Whose it is; `None` for one that gets operational webhooks.
    pub application: Option<ApplicationId>,
    /// Where it stands in the list.
    pub place: (ApplicationId, EndpointId),
    /// The secret that signs now.
    pub secret: SigningSecret,
    /// All headers of its own.
    pub headers: BTreeMap<String, String>,
    /// `user:password` of its URL.
    pub url_credentials: Option<String>,
}

impl ConfigurationStore {
    /// A stretch of the endpoints of an environment, by application and id; as many as have no more than so many bytes of
    /// secrets.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when one does not open.
    pub async fn export_endpoint_secrets(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        most_bytes: usize,
        scan: &Scan<(ApplicationId, EndpointId)>,
    ) -> Result<Stretch<EndpointSecrets>, StoreError> {
        let (after_application, after_endpoint): (Option<Uuid>, Option<Uuid>) =
            scan.after.map(|(application, endpoint)| (application.uuid(), endpoint.uuid())).unzip();
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query!(
            r#"-- endpoint::export_secrets
            SELECT application_id AS "application_id!", id AS "id!", is_operational AS "is_operational!",
                headers_sealed, url_credentials_sealed, sealed AS "sealed!", found AS "found!"
            FROM (
            SELECT *, count(*) OVER () AS found, row_number() OVER listed AS place,
                sum(coalesce(octet_length(headers_sealed), 0) + coalesce(octet_length(url_credentials_sealed), 0))
                    OVER (listed ROWS UNBOUNDED PRECEDING) AS bytes
            FROM (
            (SELECT e.application_id, e.id, a.purpose IS NOT NULL AS is_operational, e.headers_sealed,
                e.url_credentials_sealed, s.sealed
             FROM application a JOIN endpoint e ON e.application_id = a.id
                JOIN endpoint_secret s ON s.endpoint_id = e.id AND s.expires_at IS NULL
             WHERE $2 AND a.environment_id = $1 AND a.deleted_at IS NULL AND e.deleted_at IS NULL
                AND (e.application_id, e.id) > (coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid),
                                                coalesce($4, '00000000-0000-0000-0000-000000000000'::uuid))
             ORDER BY e.application_id, e.id LIMIT $5)
            UNION ALL
            (SELECT e.application_id, e.id, a.purpose IS NOT NULL, e.headers_sealed, e.url_credentials_sealed, s.sealed
             FROM application a JOIN endpoint e ON e.application_id = a.id
                JOIN endpoint_secret s ON s.endpoint_id = e.id AND s.expires_at IS NULL
             WHERE NOT $2 AND a.environment_id = $1 AND a.deleted_at IS NULL AND e.deleted_at IS NULL
                AND (e.application_id, e.id) < (coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
                                                coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
             ORDER BY e.application_id DESC, e.id DESC LIMIT $5)
            ) page
            WINDOW listed AS (ORDER BY CASE WHEN $2 THEN application_id END, CASE WHEN $2 THEN id END,
                              CASE WHEN NOT $2 THEN application_id END DESC, CASE WHEN NOT $2 THEN id END DESC)
            ) weighed
            WHERE place = 1 OR bytes <= $6
            ORDER BY place"#,
            environment.as_str(),
            scan.ascending,
            after_application,
            after_endpoint,
            scan.limit,
            stored_length(most_bytes),
        )
        .fetch_all(&mut *transaction)
        .await?;
        let is_cut = rows.first().is_some_and(|row| row.found > stored_length(rows.len()));
        let opened = rows.into_iter().map(|row| {
            let (application, endpoint) = (row.application_id.into(), EndpointId::from(row.id));
            let secret = self.open_text(endpoint, &row.sealed)?.parse();
            Ok(EndpointSecrets {
                application: Some(application).filter(|_| !row.is_operational),
                place: (application, endpoint),
                secret: secret.map_err(|_| {
                    StoreError::Inconsistent("a stored signing secret does not parse".to_owned())
                })?,
                headers: self.open_headers(endpoint, row.headers_sealed.as_deref())?,
                url_credentials: row
                    .url_credentials_sealed
                    .map(|sealed| self.open_text(endpoint, &sealed))
                    .transpose()?,
            })
        });
        let opened: Vec<EndpointSecrets> = opened.collect::<Result<_, StoreError>>()?;
        let entry = Entry::in_environment(environment, "environment.secrets.exported", environment);
        note(&mut transaction, actor, entry.details(json!({ "endpoints": opened.len() }))).await?;
        transaction.commit().await?;
        Ok(Stretch { rows: opened, is_cut })
    }

    fn open_text(&self, endpoint: EndpointId, sealed: &[u8]) -> Result<String, StoreError> {
        let text = self.sealer.open(sealed, endpoint.uuid().as_bytes())?;
        String::from_utf8(text).map_err(|_| StoreError::Inconsistent("a stored secret is no text".to_owned()))
    }
}

//! The endpoints' own headers, and the credentials of their URLs, sealed.

use std::collections::{BTreeMap, HashMap};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use crate::domain::access::actor::Actor;
use crate::domain::delivery::operational::NoticeKind;
use crate::domain::endpoint::settings::EndpointSettings;
use crate::domain::endpoint::url_credentials::{UrlCredentials, basic_authorization};
use crate::domain::id::{ApplicationId, EndpointId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::operational::write_notice::write_notice;
use crate::store::sealing::current_key::hold_current_key;

use super::ConfigurationStore;
use super::version::raise_version;

impl ConfigurationStore {
    /// Seals headers for their endpoint; `None` when there are none.
    pub(in crate::store) fn seal_headers(
        &self,
        endpoint: EndpointId,
        headers: &BTreeMap<String, String>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if headers.is_empty() {
            return Ok(None);
        }
        let text = serde_json::to_vec(headers)
            .map_err(|_| StoreError::Inconsistent("headers could not be written as JSON".to_owned()))?;
        self.sealer.seal(&text, endpoint.uuid().as_bytes()).map(Some)
    }

    /// Seals the credentials that a URL was given with; `None` when there are none, or others stay.
    pub(super) fn seal_url_credentials(
        &self,
        endpoint: EndpointId,
        settings: &EndpointSettings,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let UrlCredentials::Given(text) = &settings.url_credentials else { return Ok(None) };
        self.sealer.seal(text.as_bytes(), endpoint.uuid().as_bytes()).map(Some)
    }

    /// What an endpoint's requests have of its own: its headers, and the credentials of its URL as one, unless it sets that
    /// header itself.
    pub(super) fn sent_headers(
        &self,
        endpoint: EndpointId,
        (headers, credentials): (Option<Vec<u8>>, Option<Vec<u8>>),
    ) -> Result<HeaderMap, StoreError> {
        let open = |sealed: Vec<u8>| self.sealer.open(&sealed, endpoint.uuid().as_bytes());
        let mut sent = match headers {
            Some(sealed) => parse_headers(&open(sealed)?)?,
            None => HeaderMap::new(),
        };
        if let Some(sealed) = credentials {
            sent.entry(AUTHORIZATION).or_insert(authorization(&open(sealed)?)?);
        }
        Ok(sent)
    }

    fn open_headers(
        &self,
        endpoint: EndpointId,
        sealed: Option<&[u8]>,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let Some(sealed) = sealed else { return Ok(BTreeMap::new()) };
        let text = self.sealer.open(sealed, endpoint.uuid().as_bytes())?;
        serde_json::from_slice(&text)
            .map_err(|_| StoreError::Inconsistent("stored headers do not parse".to_owned()))
    }

    /// The headers of an endpoint, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when they do not open.
    pub async fn endpoint_headers(
        &self,
        application: ApplicationId,
        endpoint: EndpointId,
    ) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let row = sqlx::query!(
            "-- endpoint_header::get
            SELECT id, headers_sealed FROM endpoint
            WHERE application_id = $1 AND id = $2 AND deleted_at IS NULL",
            application.uuid(),
            endpoint.uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| self.open_headers(row.id.into(), row.headers_sealed.as_deref())).transpose()
    }

    /// Changes the headers of an endpoint. False when it is not there. What `change` refuses is not written.
    ///
    /// # Errors
    /// That of `change`, or [`StoreError`] turned into it.
    pub async fn change_endpoint_headers<E: From<StoreError>>(
        &self,
        actor: &Actor,
        application: ApplicationId,
        endpoint: EndpointId,
        change: impl FnOnce(&mut BTreeMap<String, String>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut transaction = self.pool.begin().await.map_err(StoreError::from)?;
        if !raise_version(&mut transaction, application).await? {
            return Ok(false);
        }
        let row = sqlx::query!(
            "-- endpoint_header::get_to_change
            SELECT id, headers_sealed FROM endpoint
            WHERE application_id = $1 AND id = $2 AND deleted_at IS NULL",
            application.uuid(),
            endpoint.uuid(),
        )
        .fetch_optional(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        let Some(row) = row else { return Ok(false) };
        let id = EndpointId::from(row.id);
        let mut headers = self.open_headers(id, row.headers_sealed.as_deref())?;
        let before = headers.clone();
        change(&mut headers)?;
        hold_current_key(&mut transaction, &self.sealer).await?;
        sqlx::query!(
            "-- endpoint_header::change
            UPDATE endpoint SET headers_sealed = $2, updated_at = now() WHERE id = $1",
            id.uuid(),
            self.seal_headers(id, &headers)?,
        )
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        let entry = Entry::in_application(application, "endpoint.headers.updated", id);
        note(&mut transaction, actor, entry.fields(&names_that_differ(&before, &headers))).await?;
        write_notice(&mut transaction, application, id, NoticeKind::EndpointUpdated, json!({})).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(true)
    }
}

fn authorization(credentials: &[u8]) -> Result<HeaderValue, StoreError> {
    let mut value = HeaderValue::try_from(basic_authorization(credentials))
        .map_err(|_| StoreError::Inconsistent("stored credentials are no header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn parse_headers(json: &[u8]) -> Result<HeaderMap, StoreError> {
    let wrong = || StoreError::Inconsistent("stored endpoint headers do not parse".to_owned());
    let headers: HashMap<String, String> = serde_json::from_slice(json).map_err(|_| wrong())?;
    headers
        .into_iter()
        .map(|(name, value)| {
            let name = name.parse::<HeaderName>().map_err(|_| wrong())?;
            let value = value.parse::<HeaderValue>().map_err(|_| wrong())?;
            Ok((name, value))
        })
        .collect()
}

/// The names of headers that were added, changed or taken away.
fn names_that_differ<'a>(
    before: &'a BTreeMap<String, String>,
    after: &'a BTreeMap<String, String>,
) -> Vec<&'a str> {
    let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(*value));
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    changed.chain(gone).map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_named_without_their_values() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let before: BTreeMap<String, String> = map(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let after = map(&[("a", "1"), ("b", "other"), ("d", "4")]);
        assert_eq!(names_that_differ(&before, &after), ["b", "d", "c"]);
    }
}

//! How the portal looks in each environment.

use crate::domain::access::actor::Actor;
use crate::domain::id::EnvironmentId;
use crate::domain::portal::Look;
use crate::domain::portal::logo::LogoKind;
use crate::domain::portal::public_name::PublicName;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::database::connection::Connection;

use super::PortalStore;

/// Origins that may embed the portal, of all environments together: they have to fit into the head of an answer.
const MAX_EMBED_ORIGINS: i64 = 100;

/// What becomes of the logo.
#[derive(Debug)]
pub enum LogoChange {
    /// It stays.
    Keep,
    /// It goes.
    Remove,
    /// Another one takes its place.
    Replace(LogoKind, Vec<u8>),
}

/// A logo.
#[derive(Debug)]
pub struct Logo {
    /// What kind of image it is.
    pub kind: LogoKind,
    /// The image.
    pub bytes: Vec<u8>,
}

impl PortalStore {
    /// The look of an environment, and the name of its logo.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn look(&self, environment: &EnvironmentId) -> Result<(Look, Option<PublicName>), StoreError> {
        let row = sqlx::query!(
            r#"-- portal_look::get
            SELECT name, accent_light, accent_dark, support_url, refresh_url, embed_origins
            FROM portal_look WHERE environment_id = $1"#,
            environment.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let logo = sqlx::query_scalar!(
            "-- portal_logo::name\nSELECT name FROM portal_logo WHERE environment_id = $1",
            environment.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let look = row.map_or_else(Look::default, |row| Look {
            name: row.name,
            accent_light: row.accent_light,
            accent_dark: row.accent_dark,
            support_url: row.support_url,
            refresh_url: row.refresh_url,
            embed_origins: row.embed_origins,
        });
        let logo = logo.map(|name| name.parse()).transpose();
        let logo = logo
            .map_err(|_| StoreError::Inconsistent("the name of a portal's logo cannot be read".to_owned()))?;
        Ok((look, logo))
    }

    /// Sets the look of an environment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn set_look(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        look: &Look,
        logo: &LogoChange,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query!(
            r#"-- portal_look::set
            INSERT INTO portal_look (environment_id, name, accent_light, accent_dark, support_url, refresh_url,
                                     embed_origins)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (environment_id) DO UPDATE SET
                name = excluded.name, accent_light = excluded.accent_light, accent_dark = excluded.accent_dark,
                support_url = excluded.support_url, refresh_url = excluded.refresh_url,
                embed_origins = excluded.embed_origins, updated_at = now()"#,
            environment.as_str(),
            look.name,
            look.accent_light,
            look.accent_dark,
            look.support_url,
            look.refresh_url,
            &look.embed_origins,
        )
        .execute(&mut *tx)
        .await?;
        change_logo(&mut tx, environment, logo).await?;
        note(&mut tx, actor, Entry::in_environment(environment, "portal.look.set", environment)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The logo of that name.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for a kind that is not known.
    pub async fn logo(&self, name: &PublicName) -> Result<Option<Logo>, StoreError> {
        let row = sqlx::query!(
            "-- portal_logo::get\nSELECT kind, bytes FROM portal_logo WHERE name = $1",
            name.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let kind = LogoKind::from_name(&row.kind);
        let kind = kind.ok_or_else(|| StoreError::Inconsistent("a logo of an unknown kind".to_owned()))?;
        Ok(Some(Logo { kind, bytes: row.bytes }))
    }

    /// The origins whose pages may show the portal in a frame, of all environments: the page does not know of which it
    /// will be. Where there are too many, the first of each environment come before the second of any.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn embed_origins(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"-- portal_look::embed_origins
            SELECT o.origin AS "origin!"
            FROM portal_look l CROSS JOIN LATERAL unnest(l.embed_origins) WITH ORDINALITY AS o(origin, place)
            GROUP BY o.origin ORDER BY min(o.place), o.origin LIMIT $1"#,
            MAX_EMBED_ORIGINS,
        )
        .fetch_all(&self.pool)
        .await?)
    }
}

async fn change_logo(
    tx: &mut Connection,
    environment: &EnvironmentId,
    logo: &LogoChange,
) -> Result<(), StoreError> {
    if matches!(logo, LogoChange::Keep) {
        return Ok(());
    }
    sqlx::query!(
        "-- portal_logo::remove\nDELETE FROM portal_logo WHERE environment_id = $1",
        environment.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    if let LogoChange::Replace(kind, bytes) = logo {
        let name = PublicName::generate();
        sqlx::query!(
            "-- portal_logo::add\nINSERT INTO portal_logo (environment_id, name, kind, bytes) VALUES ($1, $2, $3, $4)",
            environment.as_str(),
            name.as_str(),
            kind.name(),
            bytes,
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

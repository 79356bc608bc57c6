//! How a portal looks, with its logo as Base64.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};

use crate::domain::settings::{Fields, SecondName, Settings, Unreadable, fields_of, part};

/// The fields of `PUT …/portal/look`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LookSettings {
    name: Option<String>,
    accent_light: Option<String>,
    accent_dark: Option<String>,
    support_url: Option<String>,
    refresh_url: Option<String>,
    embed_origins: Vec<String>,
    logo: Option<String>,
}

impl Settings for LookSettings {
    const SECOND_NAMES: &[SecondName] = &[];

    fn read(fields: &Fields) -> Result<Self, Unreadable> {
        part(fields)
    }

    fn fields(&self) -> Fields {
        fields_of(self)
    }

    /// The API describes it in its own words.
    fn schemas() -> Vec<RefOr<Schema>> {
        Vec::new()
    }
}

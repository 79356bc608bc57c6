//! How a portal looks, with its logo as Base64.

use serde::{Deserialize, Serialize};

use super::plain_settings::plain_settings;

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

plain_settings!(LookSettings);

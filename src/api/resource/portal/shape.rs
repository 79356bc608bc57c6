//! How a look looks from outside.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::domain::portal::Look;
use crate::domain::portal::public_name::PublicName;

/// The look to have. What is absent or `null` is the portal's own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LookIn {
    /// What stands at the top.
    #[schema(max_length = 80)]
    pub(super) name: Option<String>,
    /// The accent on light ground. White text on it has a contrast of 4.5 at least.
    #[schema(max_length = 7, pattern = "^#[0-9a-f]{6}$", example = "#3a4fd0")]
    pub(super) accent_light: Option<String>,
    /// The accent on dark ground, `#15161a`. Its contrast to that is 3 at least.
    #[schema(max_length = 7, pattern = "^#[0-9a-f]{6}$", example = "#5468e7")]
    pub(super) accent_dark: Option<String>,
    /// Where tenants find help: `https:` or `mailto:`.
    #[schema(max_length = 2048, example = "mailto:help@example.com")]
    pub(super) support_url: Option<String>,
    /// Where your own back end makes a new link, `https:`. The portal goes there when its token has ended, with
    /// `?return_to=<its path>`.
    #[schema(max_length = 2048, example = "https://app.example.com/webhooks")]
    pub(super) refresh_url: Option<String>,
    /// Origins whose pages may show the portal in a frame, such as `https://app.example.com`. The page is the same for all
    /// environments, so that it names those of all of them, a hundred at most.
    #[schema(max_items = 20, example = json!(["https://app.example.com"]))]
    pub(super) embed_origins: Option<Vec<String>>,
    /// The logo as Base64: PNG, JPEG or WebP, 64 KiB at most. Absent keeps the one that is there, `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 90_000, example = json!(null))]
    pub(super) logo: Option<Option<String>>,
}

/// What is there, though it be `null`.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// How the portal looks. What is `null` is the portal's own.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LookOut {
    /// What stands at the top.
    #[schema(required)]
    name: Option<String>,
    /// The accent on light ground.
    #[schema(required, example = "#3a4fd0")]
    accent_light: Option<String>,
    /// The accent on dark ground.
    #[schema(required, example = "#5468e7")]
    accent_dark: Option<String>,
    /// Where tenants find help.
    #[schema(required, example = "mailto:help@example.com")]
    support_url: Option<String>,
    /// Where a new link is made.
    #[schema(required, example = "https://app.example.com/webhooks")]
    refresh_url: Option<String>,
    /// Origins whose pages may show it in a frame.
    #[schema(example = json!(["https://app.example.com"]))]
    embed_origins: Vec<String>,
    /// Where the logo is, relative to the public URL. It needs no credential, and another logo has another URL.
    #[schema(required, example = "api/v1/portal/logo/2zq8v5n0w7j4c1x9m6t3b8h5d2f7k4p1")]
    logo_url: Option<String>,
}

impl LookOut {
    pub(super) fn of(look: Look, logo: Option<&PublicName>) -> Self {
        Self {
            name: look.name,
            accent_light: look.accent_light,
            accent_dark: look.accent_dark,
            support_url: look.support_url,
            refresh_url: look.refresh_url,
            embed_origins: look.embed_origins,
            logo_url: logo.map(|name| format!("api/v1/portal/logo/{name}")),
        }
    }
}

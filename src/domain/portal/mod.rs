//! The portal as far as the server knows it: how it looks, and the names of what is given out without a credential.

pub mod colour;
pub mod logo;
pub mod public_name;

/// How the portal of an environment looks. What is `None` is the portal's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// What stands at its top.
    pub name: Option<String>,
    /// The accent colour on light ground, `#rrggbb`.
    pub accent_light: Option<String>,
    /// The accent colour on dark ground.
    pub accent_dark: Option<String>,
    /// Where tenants find help.
    pub support_url: Option<String>,
    /// Where the operator's own back end makes a new link.
    pub refresh_url: Option<String>,
    /// Pages of these origins may show it in a frame.
    pub embed_origins: Vec<String>,
}

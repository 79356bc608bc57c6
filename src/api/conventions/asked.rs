//! What a list is asked to have in its texts: the parameter `q`.

use serde::Deserialize;
use utoipa::IntoParams;

/// Which part of a text is looked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct AskedQuery {
    /// Only those that have this in their texts, in whatever case; with one or two characters, those in which a word begins
    /// so.
    #[param(max_length = 256)]
    q: Option<String>,
}

impl AskedQuery {
    /// The text, if one is looked for.
    pub(in crate::api) fn text(&self) -> Option<&str> {
        self.q.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
}

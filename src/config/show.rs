//! The effective configuration as text: TOML that could be a `postrider.toml`, secrets masked.

use std::fmt::Write;

use url::Url;

use super::keys::{KEYS, Key};
use super::layers::Layers;

const MASK: &str = "********";

pub(super) fn toml(layers: &Layers) -> String {
    let mut text = String::new();
    for key in KEYS {
        // Writing to a string cannot fail.
        let _ = match layers.get(key.name) {
            Some(value) => {
                let line = format!("{} = {}", key.name, shown(key, &value.text));
                writeln!(text, "{line:<50} # {}", value.origin)
            }
            None => writeln!(text, "# {} is not set", key.name),
        };
    }
    text
}

fn shown(key: &Key, text: &str) -> String {
    let text = match key.name {
        _ if key.secret => MASK.to_owned(),
        "database_url" => without_password(text),
        _ => text.to_owned(),
    };
    if text.parse::<i64>().is_ok() || text.parse::<bool>().is_ok() {
        return text;
    }
    toml::Value::String(text).to_string()
}

/// The URL with its password masked, wherever it stands.
fn without_password(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return MASK.to_owned() };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| match name.as_ref() {
            "password" | "sslpassword" => (name.into_owned(), MASK.to_owned()),
            _ => (name.into_owned(), value.into_owned()),
        })
        .collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
}

//! The effective configuration as text: TOML that could be a `postrider.toml`, secrets masked.

use std::fmt::Write;

use super::database_url::{MASK, masked};
use super::keys::{KEYS, Key};
use super::layers::Layers;

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

/// A value as it may be shown.
pub(super) fn text(key: &Key, text: &str, mask: &str) -> String {
    match key.name {
        _ if key.secret => mask.to_owned(),
        "database_url" => masked(text),
        _ => text.to_owned(),
    }
}

fn shown(key: &Key, value: &str) -> String {
    let text = text(key, value, MASK);
    if text.parse::<i64>().is_ok() || text.parse::<bool>().is_ok() {
        return text;
    }
    toml::Value::String(text).to_string()
}

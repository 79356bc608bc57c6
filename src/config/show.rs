//! The effective configuration as text: TOML that could be a `postrider.toml`, secrets masked.

use std::fmt::Write;

use crate::domain::main_secret::KeyId;

use super::database_url::{MASK, masked};
use super::keys::{KEYS, Key};
use super::layers::{Layers, Origin, Value};

pub(super) fn toml(layers: &Layers) -> String {
    let mut text = String::new();
    for key in KEYS {
        // Writing to a string cannot fail.
        let _ = match layers.get(key.name) {
            Some(value) => {
                let line = format!("{} = {}", key.name, shown(key, &value.text));
                writeln!(text, "{line:<50} # {}{}", value.origin, key_id(key, value))
            }
            None => writeln!(text, "# {} is not set", key.name),
        };
    }
    text
}

/// What tells a main secret apart.
fn key_id(key: &Key, value: &Value) -> String {
    let seals = key.name.starts_with("main_secret") && value.origin != Origin::NotGeneratedYet;
    if seals { format!(", key id {}", KeyId::of(value.text.as_bytes())) } else { String::new() }
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

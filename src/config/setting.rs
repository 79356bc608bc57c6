//! The settings in force, one by one, for people: secrets masked, each with where it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::keys::KEYS;
use super::layers::{Layers, Origin};
use super::show;

/// A setting as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// As in `postrider.toml`.
    pub name: &'static str,
    /// As text; `None` when it is not set, a mask for a secret.
    pub value: Option<String>,
    /// Where it came from.
    pub source: SettingSource,
    /// Whether it is never shown.
    pub is_secret: bool,
    /// What it is for.
    pub description: &'static str,
}

/// Where a setting came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingSource {
    /// Nobody set it.
    Default,
    /// `postrider.toml`, or the file of generated secrets.
    File,
    /// An environment variable.
    Environment,
    /// A flag.
    Flag,
}

impl SettingSource {
    const fn of(origin: &Origin) -> Self {
        match origin {
            Origin::Flag => Self::Flag,
            Origin::Variable(_) => Self::Environment,
            Origin::File(_) | Origin::GeneratedFile(_) => Self::File,
            Origin::NotGeneratedYet | Origin::Default => Self::Default,
        }
    }
}

/// What stands for a secret that is set.
const MASK: &str = "••••";

/// The files that secrets were read from, those that Postrider made itself left out.
pub(super) fn secret_files(layers: &Layers, variables: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let secrets = KEYS.iter().filter(|key| key.can_be_in_a_file());
    let file = |origin: &Origin| match origin {
        Origin::File(path) => Some(path.clone()),
        Origin::Variable(name) if name.ends_with("_FILE") => variables.get(name).map(PathBuf::from),
        _ => None,
    };
    let files = secrets.filter_map(|key| layers.get(key.name)).filter_map(|value| file(&value.origin));
    files.collect::<BTreeSet<_>>().into_iter().collect()
}

pub(super) fn all(layers: &Layers) -> Vec<Setting> {
    KEYS.iter()
        .map(|key| {
            let value = layers.get(key.name);
            Setting {
                name: key.name,
                value: value.map(|value| show::text(key, &value.text, MASK)),
                source: value.map_or(SettingSource::Default, |value| SettingSource::of(&value.origin)),
                is_secret: key.secret,
                description: key.help,
            }
        })
        .collect()
}

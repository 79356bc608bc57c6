//! Which layer each value comes from: flags over environment over file over defaults. Pure, once the sources are read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::domain::nearest::nearest;

use super::flags::Flags;
use super::keys::{KEYS, Key};
use super::secret_file::Found;
use super::{ConfigError, keys, secret_file, system_defaults};

/// What a configuration is read from.
#[derive(Debug, Clone, Default)]
pub struct ConfigSources {
    /// The flags.
    pub flags: Flags,
    /// The environment.
    pub variables: BTreeMap<String, String>,
    /// The file and its text.
    pub file: Option<(PathBuf, String)>,
}

impl ConfigSources {
    /// This process's: its environment, and the file that it names or finds.
    pub(super) fn of_process(flags: &Flags) -> Result<Self, ConfigError> {
        let variables = variables();
        let named = flags
            .file
            .clone()
            .or_else(|| variables.get("POSTRIDER_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from));
        let usual = PathBuf::from("postrider.toml");
        let path = named.or_else(|| usual.exists().then_some(usual));
        let file = path.map(|path| read(&path).map(|text| (path, text))).transpose()?;
        Ok(Self { flags: flags.clone(), variables, file })
    }
}

/// The environment of this process, as far as it is text.
pub(super) fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| ConfigError::File {
        file: path.to_owned(),
        action: "read",
        reason: error.to_string(),
    })
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Flag,
    Variable(String),
    File(PathBuf),
    /// Generated once, and kept in a file of the data directory.
    GeneratedFile(PathBuf),
    /// To be generated at the first start.
    NotGeneratedYet,
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path) | Self::GeneratedFile(path) => write!(f, "{}", path.display()),
            Self::NotGeneratedYet => f.write_str("generated at the first start"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value as it was written, and where.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// The strongest value of every key that has one.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers {
    values: BTreeMap<&'static str, Value>,
}

impl Layers {
    pub(super) fn read(
        sources: &ConfigSources,
        defaults: &[(&'static str, String)],
    ) -> Result<Self, ConfigError> {
        let mut layers = Self::default();
        for key in KEYS {
            if let Some(default) = key.default {
                layers.set(key.name, default.to_owned(), Origin::Default);
            }
        }
        layers.set("data_dir", system_defaults::data_dir(&sources.variables), Origin::Default);
        for (name, value) in defaults {
            layers.set(name, value.clone(), Origin::Default);
        }
        if let Some((path, text)) = &sources.file {
            layers.read_file(path, text)?;
        }
        for key in KEYS {
            layers.read_variables(key, &sources.variables)?;
        }
        for (name, value) in &sources.flags.values {
            layers.set(name, value.clone(), Origin::Flag);
        }
        Ok(layers)
    }

    fn read_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let wrong = |reason: String| ConfigError::File { file: path.to_owned(), action: "read", reason };
        // The parser's own message quotes the line, and the line may hold a secret.
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .map_or(1, |span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1);
            wrong(format!("line {line}: {}", error.message()))
        })?;
        for (name, value) in &table {
            let Some(key) = keys::find(name) else {
                return Err(ConfigError::UnknownKey {
                    file: path.to_owned(),
                    key: name.clone(),
                    nearest: nearest(name, KEYS.iter().map(|key| key.name)),
                });
            };
            let text = plain(value).ok_or_else(|| {
                wrong(format!("`{name}` must be a string, a number, true, false or a list of strings"))
            })?;
            self.set(key.name, text, Origin::File(path.to_owned()));
        }
        Ok(())
    }

    /// An empty variable counts as unset, because compose files pass empty ones.
    fn read_variables(
        &mut self,
        key: &'static Key,
        variables: &BTreeMap<String, String>,
    ) -> Result<(), ConfigError> {
        for name in key.variables() {
            let found = if key.can_be_in_a_file() {
                secret_file::find(&name, variables)?
            } else {
                let set = variables.get(&name).filter(|value| !value.is_empty());
                set.map(|text| Found { variable: name.clone(), text: text.clone() })
            };
            if let Some(Found { variable, text }) = found {
                self.set(key.name, text, Origin::Variable(variable));
                break;
            }
        }
        Ok(())
    }

    pub(super) fn set(&mut self, name: &'static str, text: String, origin: Origin) {
        self.values.insert(name, Value { text, origin });
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether a secret that can be generated is not given.
    pub(super) fn lacks_secrets(&self) -> bool {
        !(self.has("jwt_secret") && self.has("main_secret"))
    }
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Array(values) => {
            values.iter().map(toml::Value::as_str).collect::<Option<Vec<_>>>().map(|texts| texts.join(","))
        }
        _ => None,
    }
}

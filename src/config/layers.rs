//! Which layer each value comes from: flags over environment over file over defaults. Pure, once the sources are read.

use std::collections::BTreeMap;
use std::ffi::OsString;
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
        let variables = variables()?;
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
///
/// # Errors
/// A variable that is read here is no text. Taken for one that is not set, it would silently not hold.
pub(super) fn variables() -> Result<BTreeMap<String, String>, ConfigError> {
    texts_in(std::env::vars_os())
}

fn texts_in(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut found = BTreeMap::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => drop(found.insert(name, value)),
            Err(_) if is_read(&name) => {
                return Err(ConfigError::BadValue { origin: name, reason: "it is not UTF-8".to_owned() });
            }
            Err(_) => {}
        }
    }
    Ok(found)
}

fn is_read(name: &str) -> bool {
    name.starts_with("POSTRIDER_")
        || system_defaults::HOMES.contains(&name)
        || KEYS.iter().any(|key| key.variables().iter().any(|own| own == name))
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

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_variable_that_is_no_text_is_refused_if_it_is_read_and_passed_over_if_not() {
        let read = |name: &str| {
            let one = (OsString::from(name), OsString::from_vec(vec![0xff]));
            texts_in([("OTHER".into(), "told".into()), one].into_iter())
        };
        for ours in ["POSTRIDER_LISTEN", "DATABASE_URL", "OTEL_SERVICE_NAME", "HOME", "POSTRIDER_NONE"] {
            assert_eq!(read(ours).unwrap_err().to_string(), format!("{ours} is not valid: it is not UTF-8"));
        }
        assert_eq!(read("PS1").unwrap(), [("OTHER".to_owned(), "told".to_owned())].into());
    }
}

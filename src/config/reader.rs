//! Reads one value after the other out of the layers; what is wrong is said of the value as the one who set it knows it.

use secrecy::SecretString;

use super::layers::{Layers, Origin, Value};
use super::{ConfigError, keys};

/// Below this a secret could be guessed.
const MIN_SECRET_CHARACTERS: usize = 16;

/// Reads values as the types that they stand for.
pub(super) struct Reader<'a> {
    pub(super) layers: &'a Layers,
}

impl Reader<'_> {
    /// A value that always has one, by default at least.
    pub(super) fn value<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        self.given(name, parse)?.ok_or_else(|| self.missing(name, "it has no default"))
    }

    /// A value, if there is one.
    pub(super) fn given<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.layers.get(name) else { return Ok(None) };
        parse(&value.text).map(Some).map_err(|reason| bad(name, value, reason))
    }

    /// A secret that has to be there; `why` says what for.
    pub(super) fn secret(&self, name: &str, why: &str) -> Result<SecretString, ConfigError> {
        self.given_secret(name)?.ok_or_else(|| {
            self.missing(
                name,
                &format!("{why}. `openssl rand -base64 32` makes one; keep it as long as the database"),
            )
        })
    }

    /// A secret, if there is one.
    pub(super) fn given_secret(&self, name: &str) -> Result<Option<SecretString>, ConfigError> {
        self.given(name, |text| {
            if text.chars().count() < MIN_SECRET_CHARACTERS {
                return Err(format!(
                    "a secret has {MIN_SECRET_CHARACTERS} characters at least; `openssl rand -base64 32` makes one"
                ));
            }
            Ok(SecretString::from(text))
        })
    }

    /// Says that a value is missing, and why it is needed.
    pub(super) fn missing(&self, name: &str, reason: &str) -> ConfigError {
        let variable = keys::find(name).map_or_else(|| name.to_owned(), keys::Key::variable);
        ConfigError::Missing { name: variable, reason: reason.to_owned() }
    }
}

/// Names the value as the one who set it knows it.
fn bad(name: &str, value: &Value, reason: String) -> ConfigError {
    let origin = match &value.origin {
        Origin::Flag => format!("--{}", name.replace('_', "-")),
        Origin::Variable(variable) => variable.clone(),
        Origin::File(path) | Origin::GeneratedFile(path) => format!("`{name}` in {}", path.display()),
        Origin::NotGeneratedYet | Origin::Default => format!("`{name}`"),
    };
    ConfigError::BadValue { origin, reason }
}

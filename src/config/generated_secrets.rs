//! The secrets of an embedded set-up: generated at the first start, kept in the data directory's `secrets.toml`,
//! readable by its owner alone.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::chance;

use super::ConfigError;
use super::layers::{Layers, Origin};

const SECRET_NAMES: [&str; 2] = ["jwt_secret", "main_secret"];

/// What to do when there are none yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Generate them and keep them.
    Generate,
    /// Say that they will be generated.
    Announce,
    /// Say that there is no installation: secrets that were made now would be nobody's.
    Refuse,
}

/// Fills in the secrets that are not set.
pub(super) fn fill(layers: &mut Layers, missing: Missing) -> Result<(), ConfigError> {
    let directory = layers.get("data_dir").map(|value| PathBuf::from(&value.text)).unwrap_or_default();
    let path = directory.join("secrets.toml");
    let text = match (read(&path)?, missing) {
        (Some(text), _) => Some(text),
        (None, Missing::Generate) => Some(generate(&directory, &path)?),
        (None, Missing::Announce) => None,
        (None, Missing::Refuse) => return Err(ConfigError::NoInstallation { data_dir: directory }),
    };
    let unreadable = |reason: String| ConfigError::File { file: path.clone(), action: "read", reason };
    let table: Option<toml::Table> =
        text.map(|text| text.parse().map_err(|_| unreadable("it is not TOML".to_owned()))).transpose()?;
    for name in SECRET_NAMES {
        if layers.has(name) {
            continue;
        }
        match &table {
            None => layers.set(name, "generated at the first start".to_owned(), Origin::NotGeneratedYet),
            Some(table) => {
                let secret = table
                    .get(name)
                    .and_then(toml::Value::as_str)
                    .ok_or_else(|| unreadable(format!("it has no `{name}`")))?;
                layers.set(name, secret.to_owned(), Origin::GeneratedFile(path.clone()));
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(ConfigError::File { file: path.to_owned(), action: "read", reason: error.to_string() })
        }
    }
}

/// If this is root, the private Postgres runs as another user, who must be able to enter the directory.
fn directory_mode() -> u32 {
    if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 }
}

/// Writes new secrets to another file and links it under its name, so that two first starts at once read the same
/// secrets.
fn generate(directory: &Path, path: &Path) -> Result<String, ConfigError> {
    let text = SECRET_NAMES.iter().fold(
        "# Made at the first start. Whoever has these can mint tokens and read endpoint secrets; without them\n\
         # the endpoint secrets in the database are lost. Keep a copy in a safe place.\n"
            .to_owned(),
        |text, name| format!("{text}{name} = \"{}\"\n", URL_SAFE_NO_PAD.encode(chance::bytes::<32>())),
    );
    let fresh = directory.join(format!("secrets.toml.{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        DirBuilder::new().recursive(true).mode(directory_mode()).create(directory)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&fresh, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => fs::remove_file(&fresh),
        }
    };
    write().map_err(|error| ConfigError::File {
        file: path.to_owned(),
        action: "written",
        reason: error.to_string(),
    })?;
    Ok(read(path)?.unwrap_or(text))
}

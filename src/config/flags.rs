//! The flags of the command line, one for each key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::keys::{KEYS, Key};

/// The configuration that was given as flags: every key can be.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub(super) values: BTreeMap<&'static str, String>,
    pub(super) file: Option<PathBuf>,
}

impl Flags {
    /// Sets a key as its flag would.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.values.insert(key, value.into());
        self
    }
}

/// The flags that matter to commands that only need to find credentials.
#[derive(Debug, Clone, Default)]
pub struct CredentialFlags {
    /// What was given.
    pub flags: Flags,
}

const CREDENTIAL_KEYS: [&str; 8] = [
    "database_url",
    "data_dir",
    "jwt_secret",
    "jwt_algorithm",
    "jwt_audience",
    "jwt_issuer",
    "main_secret",
    "main_secret_previous",
];

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        augment(command, |_| true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for key in KEYS {
            if let Ok(Some(true)) = matches.try_get_one::<bool>(&off_flag(key)) {
                self.values.insert(key.name, "false".to_owned());
            }
            if let Ok(Some(value)) = matches.try_get_one::<String>(key.name) {
                self.values.insert(key.name, value.clone());
            }
        }
        if let Ok(Some(file)) = matches.try_get_one::<PathBuf>("config") {
            self.file = Some(file.clone());
        }
        Ok(())
    }
}

impl Args for CredentialFlags {
    fn augment_args(command: Command) -> Command {
        augment(command, |key| CREDENTIAL_KEYS.contains(&key.name))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for CredentialFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { flags: Flags::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.flags.update_from_arg_matches(matches)
    }
}

fn augment(command: Command, wanted: impl Fn(&Key) -> bool) -> Command {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help_heading("Configuration")
        .help("The configuration file [env: POSTRIDER_CONFIG] [default: postrider.toml, if it is there]");
    KEYS.iter()
        .filter(|key| wanted(key))
        .fold(command.arg(file), |command, key| command.arg(arg(key)).args(off_arg(key)))
}

/// What is on by default has a flag that turns it off.
fn off_arg(key: &'static Key) -> Option<Arg> {
    let is_on = key.value == "BOOL" && key.default == Some("true");
    let name = off_flag(key);
    is_on.then(|| {
        Arg::new(name.clone())
            .long(name)
            .action(ArgAction::SetTrue)
            .help(format!("The same as --{}=false", key.flag()))
            .help_heading("Configuration")
            .conflicts_with(key.name)
    })
}

fn off_flag(key: &Key) -> String {
    format!("no-{}", key.flag())
}

fn arg(key: &'static Key) -> Arg {
    let mut help = format!("{} [env: {}]", key.help, key.variable());
    if let Some(default) = key.default.filter(|default| !default.is_empty()) {
        help.push_str(" [default: ");
        help.push_str(default);
        help.push(']');
    }
    let arg =
        Arg::new(key.name).long(key.flag()).help(help).help_heading("Configuration").value_name(key.value);
    if key.value == "BOOL" {
        arg.num_args(0..=1).require_equals(true).default_missing_value("true").hide_default_value(true)
    } else {
        arg
    }
}

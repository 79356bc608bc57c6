//! The only reader of flags, environment and configuration files.
//!
//! A value comes from the first of: a flag, the environment (`POSTRIDER_…`, and `DATABASE_URL`), the file
//! `postrider.toml`, the default. What is read is checked here, once: an unknown key in the file, a bad value or
//! a missing secret is one [`ConfigError`] that names it, and nothing behind this module sees raw text.
//!
//! Without a database URL Postrider runs a Postgres of its own, and its secrets are generated once and kept in
//! the data directory (`secrets.toml`, mode 0600).

mod caps;
mod database_url;
mod error;
mod flags;
mod generated_secrets;
mod intake;
mod keys;
mod layers;
mod reader;
mod reference;
mod remote;
mod resolve;
mod secret_file;
mod services;
mod setting;
mod show;
mod system_defaults;
mod unknown_variables;
mod values;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::alerts::SmtpOptions;
use crate::domain::access::claims::RequiredClaims;
use crate::domain::database_schema::SchemaName;
use crate::domain::main_secret::MainSecrets;
use crate::domain::policy::retry_on::RetryOn;
use crate::domain::policy::schedule::RetrySchedule;
use crate::openid::OpenIdOptions;
use crate::telemetry::LogOptions;
use crate::telemetry::traces::TraceOptions;

use generated_secrets::Missing;

pub use caps::Caps;
pub use error::ConfigError;
pub use flags::CredentialFlags;
pub use flags::Flags;
pub use intake::IntakeOptions;
pub use layers::ConfigSources;
pub use reference::reference;
pub use remote::Remote;
pub use remote::passphrase;
pub use setting::Setting;
pub use setting::SettingSource;
pub use values::duration;

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// What this installation keeps on disk: the private Postgres and generated secrets.
    pub data_dir: PathBuf,
    /// Where the Postgres server programs are, when they are not to be searched for.
    pub pg_bin: Option<PathBuf>,
    /// The database; `None` means a private Postgres in `data_dir`.
    pub database_url: Option<SecretString>,
    /// The schema that the tables are in; `None` means the one that the database's user works in.
    pub database_schema: Option<SchemaName>,
    /// What tokens are verified with.
    pub jwt: JwtKey,
    /// The audience that every token must name.
    pub jwt_audience: Option<String>,
    /// The issuer that every token must name.
    pub jwt_issuer: Option<String>,
    /// Seals endpoint secrets and headers at rest.
    pub main_secret: SecretString,
    /// The main secret before, while everything is moved under the new one.
    pub main_secret_previous: Option<SecretString>,
    /// The waits between attempts, where an application or endpoint has none of its own.
    pub retry_schedule: RetrySchedule,
    /// Which failures are tried again, where no other level says.
    pub retry_on: RetryOn,
    /// Whether requests are signed under the names of Svix as well, where no other level says.
    pub svix_headers: bool,
    /// The deadline of one delivery request, body included.
    pub request_timeout: Duration,
    /// How long a connection to a receiver is kept without a request.
    pub connection_idle_timeout: Duration,
    /// How long a connection to a receiver is used before its name is resolved again.
    pub connection_lifetime: Duration,
    /// PEM certificates that are trusted along with the machine's, for https receivers and the SMTP server.
    pub tls_ca_file: Option<PathBuf>,
    /// Whether endpoints may have certificates that are not verified.
    pub allow_insecure_tls: bool,
    /// Private networks that deliveries may go to all the same.
    pub allow_subnets: Vec<IpNet>,
    /// Proxies whose forwarded address of a client is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The largest request body that the API takes.
    pub max_body_bytes: usize,
    /// What callers of the API may take of this node.
    pub intake: IntakeOptions,
    /// What endpoints may ask for.
    pub caps: Caps,
    /// What this node does.
    pub roles: Roles,
    /// This node's name: one that starts again under its name takes its former deliveries over.
    pub node_name: String,
    /// Requests at a time to one endpoint that has no limit of its own.
    pub max_in_flight: u32,
    /// Requests at a time, all endpoints together.
    pub max_in_flight_total: u32,
    /// What the payloads waiting in memory may take.
    pub memory_budget_bytes: usize,
    /// How long a delivery is held for a closed endpoint.
    pub hold_limit: Duration,
    /// How long messages, deliveries and attempts are kept.
    pub retention: Duration,
    /// How long dead letters are kept after they were replayed or discarded.
    pub dead_letter_retention: Duration,
    /// How long dead letters are kept that nobody deals with; `None` for ever.
    pub open_dead_letter_retention: Option<Duration>,
    /// How long background tasks are kept after they ended.
    pub task_retention: Duration,
    /// How long the audit log is kept.
    pub audit_retention: Duration,
    /// For how long an endpoint may fail, without one success, before it is disabled; `None` for ever.
    pub endpoint_disable_after: Option<Duration>,
    /// Failures and dead letters of an endpoint are reported once in this time.
    pub operational_window: Duration,
    /// How long a stop waits for requests that are out.
    pub shutdown_timeout: Duration,
    /// Browser origins that may call the API.
    pub cors_origins: Vec<String>,
    /// What links to this server start with.
    pub public_url: Option<Url>,
    /// Whether the console and the portal are served.
    pub console: bool,
    /// The provider by which people sign in to the console.
    pub openid: Option<OpenIdOptions>,
    /// All of it, for people.
    pub settings: Arc<[Setting]>,
    /// How e-mail is sent, if it can be.
    pub smtp: Option<SmtpOptions>,
    /// What was given and is ignored, a sentence each.
    pub warnings: Vec<String>,
    /// The files that secrets were read from, besides the generated one.
    pub secret_files: Vec<PathBuf>,
    /// Database connections of the API.
    pub api_connections: u32,
    /// How logs look, and how much of them.
    pub log: LogOptions,
    /// Whether each request to the API is logged.
    pub access_log: bool,
    /// Where metrics are read.
    pub metrics_listen: Option<SocketAddr>,
    /// Where traces are sent, if anywhere.
    pub traces: Option<TraceOptions>,
    /// Whether receivers are told which trace a request is part of.
    pub send_traceparent: bool,
    /// Whether `serve` brings the schema up to date.
    pub migrate: bool,
    /// The share of deliveries that a test has dropped in memory, to see that they are found. Debug builds alone.
    pub test_losses: f64,
}

/// What tokens are verified with, and so their algorithm.
#[derive(Debug, Clone)]
pub enum JwtKey {
    /// HS256: the shared secret.
    Hs256(SecretString),
    /// RS256: the public key, PEM.
    Rs256(String),
    /// EdDSA: the public key, PEM.
    EdDsa(String),
}

/// What a node does. Several nodes on one database may split the roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Answers the API.
    pub api: bool,
    /// Delivers.
    pub dispatcher: bool,
    /// Makes and drops partitions, and expires what is over.
    pub maintenance: bool,
}

impl Roles {
    /// The names of those that it has.
    pub fn names(self) -> Vec<String> {
        let named = [("api", self.api), ("dispatcher", self.dispatcher), ("maintenance", self.maintenance)];
        named.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_owned()).collect()
    }
}

/// The data directory of a set-up that is apart from the usual one: the usual path and then `ending`.
///
/// # Errors
/// [`ConfigError::BadValue`] when the environment names it by what is no text.
pub fn data_dir_beside(ending: &str) -> Result<String, ConfigError> {
    Ok(system_defaults::data_dir(&layers::variables()?) + ending)
}

impl Config {
    /// Reads flags, the environment and the file, for a command that works with an installation that is there. Where
    /// Postrider runs a Postgres of its own, the secrets are those that its first start has generated.
    ///
    /// # Errors
    /// [`ConfigError`], one sentence that names what is wrong.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        Self::of_process(flags, &[], Missing::Refuse)
    }

    /// As [`Config::load`], for a command that may be the first one: it generates the secrets then. Some keys may have
    /// other defaults.
    ///
    /// # Errors
    /// [`ConfigError`], one sentence that names what is wrong.
    pub fn set_up(flags: &Flags, defaults: &[(&'static str, String)]) -> Result<Self, ConfigError> {
        Self::of_process(flags, defaults, Missing::Generate)
    }

    fn of_process(
        flags: &Flags,
        defaults: &[(&'static str, String)],
        missing: Missing,
    ) -> Result<Self, ConfigError> {
        let sources = ConfigSources::of_process(flags)?;
        let mut layers = layers::Layers::read(&sources, defaults)?;
        if !layers.has("database_url") && layers.lacks_secrets() {
            generated_secrets::fill(&mut layers, missing)?;
        }
        let warnings = unknown_variables::warnings(&sources.variables);
        let secret_files = setting::secret_files(&layers, &sources.variables);
        Ok(Self { warnings, secret_files, ..resolve::config(&layers)? })
    }

    /// The main secrets: the one that is set, and the one before it if there is a move under way.
    pub fn main_secrets(&self) -> MainSecrets {
        let previous = self.main_secret_previous.as_ref().map(|secret| secret.expose_secret().as_bytes());
        MainSecrets::new(self.main_secret.expose_secret().as_bytes(), previous)
    }

    /// The effective configuration as TOML, secrets masked, each value with where it came from. Generates
    /// nothing.
    ///
    /// # Errors
    /// [`ConfigError`], one sentence that names what is wrong.
    pub fn show(flags: &Flags) -> Result<String, ConfigError> {
        let mut layers = layers::Layers::read(&ConfigSources::of_process(flags)?, &[])?;
        if !layers.has("database_url") && layers.lacks_secrets() {
            generated_secrets::fill(&mut layers, Missing::Announce)?;
        }
        resolve::config(&layers)?;
        Ok(show::toml(&layers))
    }

    /// Where a server with these flags listens; nothing else is looked at.
    ///
    /// # Errors
    /// [`ConfigError`], one sentence that names what is wrong.
    pub fn listen_address(flags: &Flags) -> Result<SocketAddr, ConfigError> {
        resolve::listen(&layers::Layers::read(&ConfigSources::of_process(flags)?, &[])?)
    }

    /// Reads these sources and nothing else. Secrets must be in them.
    ///
    /// # Errors
    /// [`ConfigError`], one sentence that names what is wrong.
    pub fn from_sources(sources: &ConfigSources) -> Result<Self, ConfigError> {
        resolve::config(&layers::Layers::read(sources, &[])?)
    }

    /// What every token must say besides.
    pub fn required_claims(&self) -> RequiredClaims {
        RequiredClaims { audience: self.jwt_audience.clone(), issuer: self.jwt_issuer.clone() }
    }

    /// What links to this server start with: what was set, or else where the API listens, as seen from this machine.
    pub fn links_start_with(&self) -> Url {
        let local = || {
            let mut address = self.listen;
            if address.ip().is_unspecified() {
                address.set_ip(Ipv4Addr::LOCALHOST.into());
            }
            Url::parse(&format!("http://{address}/")).ok()
        };
        self.public_url.clone().or_else(local).unwrap_or_else(|| unreachable!("an address makes a URL"))
    }

    /// Whether Postrider runs a Postgres of its own.
    pub fn is_embedded(&self) -> bool {
        self.database_url.is_none()
    }
}

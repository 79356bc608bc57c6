//! From texts to a [`Config`]: every value is checked here.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::domain::database_schema::SchemaName;
use crate::domain::policy::retry_on::RetryOn;
use crate::domain::policy::schedule::RetrySchedule;
use crate::telemetry::LogOptions;

use super::layers::Layers;
use super::reader::Reader;
use super::services::{openid, smtp, traces};
use super::{
    Caps, Config, ConfigError, IntakeOptions, JwtKey, database_url, setting, system_defaults, values,
};

pub(super) fn config(layers: &Layers) -> Result<Config, ConfigError> {
    let read = Reader { layers };
    let listen = listen(layers)?;
    let tls_ca_file = read.given("tls_ca_file", readable_file)?;
    let smtp = smtp::options(&read, tls_ca_file.clone())?;
    Ok(Config {
        listen,
        data_dir: read.value("data_dir", |text| Ok(PathBuf::from(text)))?,
        pg_bin: read.given("pg_bin", |text| Ok(PathBuf::from(text)))?,
        database_url: read.given("database_url", database_url::read)?,
        database_schema: read.given("database_schema", SchemaName::parse)?,
        jwt: jwt(&read)?,
        jwt_audience: read.given("jwt_audience", claim)?,
        jwt_issuer: read.given("jwt_issuer", claim)?,
        main_secret: read.secret("main_secret", "it seals endpoint secrets at rest")?,
        main_secret_previous: read.given_secret("main_secret_previous")?,
        retry_schedule: RetrySchedule::new(read.value("retry_schedule", values::waits)?),
        retry_on: read.value("retry_on", |text| {
            RetryOn::parse(values::items(text)).map_err(|wrong| wrong.to_string())
        })?,
        svix_headers: read.value("svix_headers", values::boolean)?,
        request_timeout: read
            .value("request_timeout", |text| values::duration_within(text, "50ms", "30s"))?,
        connection_idle_timeout: read
            .value("connection_idle_timeout", |text| values::duration_within(text, "0s", "5m"))?,
        connection_lifetime: read
            .value("connection_lifetime", |text| values::duration_within(text, "0s", "1h"))?,
        tls_ca_file,
        allow_insecure_tls: read.value("allow_insecure_tls", values::boolean)?,
        allow_subnets: read.value("allow_subnets", subnets)?,
        trusted_proxies: read.value("trusted_proxies", subnets)?,
        max_body_bytes: read.value("max_body_bytes", |text| values::bytes_within(text, 1 << 10, 64 << 20))?,
        intake: intake(&read)?,
        caps: caps(&read)?,
        roles: read.value("roles", values::roles)?,
        node_name: read
            .given("node_name", node_name)?
            .unwrap_or_else(|| format!("{}:{}", system_defaults::host_name(), listen.port())),
        max_in_flight: read.value("max_in_flight", |text| values::number_within(text, 1, 1_000))?,
        max_in_flight_total: read
            .value("max_in_flight_total", |text| values::number_within(text, 1, 65_536))?,
        memory_budget_bytes: read
            .value("memory_budget_bytes", |text| values::bytes_within(text, 1 << 20, usize::MAX))?,
        hold_limit: read.value("hold_limit", |text| values::duration_within(text, "1m", "365d"))?,
        retention: read.value("retention", |text| values::duration_within(text, "3d", "3650d"))?,
        dead_letter_retention: read
            .value("dead_letter_retention", |text| values::duration_within(text, "1d", "3650d"))?,
        open_dead_letter_retention: read.value("open_dead_letter_retention", open_retention)?,
        task_retention: read.value("task_retention", |text| values::duration_within(text, "1d", "3650d"))?,
        endpoint_disable_after: read.value("endpoint_disable_after", disable_after)?,
        operational_window: read
            .value("operational_window", |text| values::duration_within(text, "100ms", "1h"))?,
        audit_retention: read
            .value("audit_retention", |text| values::duration_within(text, "1d", "3650d"))?,
        shutdown_timeout: read.value("shutdown_timeout", |text| values::duration_within(text, "0s", "1h"))?,
        cors_origins: read.value("cors_origins", origins)?,
        public_url: read.given("public_url", web_url)?,
        console: read.value("console", values::boolean)?,
        openid: openid::options(&read)?,
        smtp,
        settings: setting::all(layers).into(),
        warnings: Vec::new(),
        secret_files: Vec::new(),
        api_connections: read.value("api_connections", |text| values::number_within(text, 1, 1_000))?,
        log: LogOptions {
            format: read.value("log_format", values::log_format)?,
            filter: read.value("log", log_filter)?,
        },
        access_log: read.value("access_log", values::boolean)?,
        metrics_listen: read.given("metrics_listen", values::address)?,
        traces: traces::options(&read)?,
        send_traceparent: read.value("send_traceparent", values::boolean)?,
        migrate: !read.value("no_migrate", values::boolean)?,
        test_losses: if cfg!(debug_assertions) { read.value("test_losses", values::share)? } else { 0.0 },
    })
}

fn intake(read: &Reader<'_>) -> Result<IntakeOptions, ConfigError> {
    let time = |name: &str, most: &str| read.value(name, |text| values::duration_within(text, "1s", most));
    let size = |name: &str| read.value(name, |text| values::bytes_within(text, 1 << 20, 16 << 30));
    Ok(IntakeOptions {
        max_connections: read.value("max_connections", |text| values::number_within(text, 8, 1_000_000))?,
        max_streams: read.value("max_streams", |text| values::number_within(text, 1, 10_000))?,
        head_timeout: time("head_timeout", "5m")?,
        body_timeout: time("body_timeout", "1h")?,
        answer_timeout: time("answer_timeout", "1h")?,
        idle_timeout: time("idle_timeout", "1h")?,
        body_budget_bytes: size("body_budget_bytes")?,
        answer_budget_bytes: size("answer_budget_bytes")?,
        page_bytes: read.value("page_bytes", |text| values::bytes_within(text, 64 << 10, 1 << 30))?,
    })
}

fn caps(read: &Reader<'_>) -> Result<Caps, ConfigError> {
    let endpoints = |name: &str| read.value(name, |text| values::number_within(text, 1, 10_000_000));
    // What the operator gives every endpoint, an endpoint may ask for.
    let given = read.value("max_in_flight", |text| values::number_within(text, 1, 1_000))?;
    let cap = read.value("max_in_flight_cap", |text| values::number_within(text, 1, 1_000))?;
    Ok(Caps {
        max_in_flight: cap.max(given),
        insecure_tls: read.value("allow_insecure_tls", values::boolean)?,
        max_endpoints: endpoints("max_endpoints")?,
        tenant_max_endpoints: endpoints("tenant_max_endpoints")?,
        tenant_max_retries: read.value("tenant_max_retries", |text| values::number_within(text, 0, 15))?,
        tenant_min_retry_wait: read
            .value("tenant_min_retry_wait", |text| values::duration_within(text, "1ms", "1h"))?,
    })
}

/// The value of a claim.
fn claim(text: &str) -> Result<String, String> {
    if (1..=200).contains(&text.len()) && text.chars().all(|letter| letter.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("a claim is 1 to 200 printable characters without blanks".to_owned())
    }
}

pub(super) fn listen(layers: &Layers) -> Result<SocketAddr, ConfigError> {
    Reader { layers }.value("listen", values::address)
}

fn jwt(read: &Reader<'_>) -> Result<JwtKey, ConfigError> {
    let algorithm = read.value("jwt_algorithm", |text| match text {
        "HS256" | "RS256" | "EdDSA" => Ok(text.to_owned()),
        other => Err(format!("`{other}` is not one of HS256, RS256, EdDSA")),
    })?;
    if algorithm == "HS256" {
        return read.secret("jwt_secret", "it verifies tokens").map(JwtKey::Hs256);
    }
    let pem = read
        .given("jwt_public_key", public_key)?
        .ok_or_else(|| read.missing("jwt_public_key", &format!("tokens are signed with {algorithm}")))?;
    Ok(if algorithm == "RS256" { JwtKey::Rs256(pem) } else { JwtKey::EdDsa(pem) })
}

/// The PEM itself, or a file that holds it.
fn public_key(text: &str) -> Result<String, String> {
    let pem = if text.contains("-----BEGIN") {
        text.to_owned()
    } else {
        std::fs::read_to_string(Path::new(text)).map_err(|error| format!("{text} cannot be read: {error}"))?
    };
    if pem.contains("-----BEGIN PUBLIC KEY-----") || pem.contains("-----BEGIN RSA PUBLIC KEY-----") {
        Ok(pem)
    } else {
        Err("it is not a public key in PEM form".to_owned())
    }
}

fn readable_file(text: &str) -> Result<PathBuf, String> {
    std::fs::File::open(text)
        .map(|_| PathBuf::from(text))
        .map_err(|error| format!("{text} cannot be read: {error}"))
}

fn subnets(text: &str) -> Result<Vec<IpNet>, String> {
    values::items(text)
        .map(|item| item.parse().map_err(|_| format!("`{item}` is not a network such as 10.0.0.0/8")))
        .collect()
}

/// `off` and nothing at all mean never.
fn disable_after(text: &str) -> Result<Option<Duration>, String> {
    if text.trim() == "off" || text.trim() == "0" {
        return Ok(None);
    }
    let after = values::duration_within(text, "0s", "90d")?;
    Ok(Some(after).filter(|after| !after.is_zero()))
}

fn open_retention(text: &str) -> Result<Option<Duration>, String> {
    if text.trim() == "off" {
        return Ok(None);
    }
    values::duration_within(text, "30d", "3650d").map(Some)
}

fn node_name(text: &str) -> Result<String, String> {
    if (1..=200).contains(&text.len()) && text.chars().all(|letter| letter.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("a name is 1 to 200 printable characters without blanks".to_owned())
    }
}

fn origins(text: &str) -> Result<Vec<String>, String> {
    values::items(text)
        .map(|item| {
            let is_origin = Url::parse(item)
                .is_ok_and(|url| url.has_host() && url.origin().ascii_serialization() == item);
            let reason = || format!("`{item}` is not an origin such as https://portal.example.com");
            is_origin.then(|| item.to_owned()).ok_or_else(reason)
        })
        .collect()
}

fn web_url(text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| format!("`{text}` is not a URL such as https://hooks.example.com"))
}

fn log_filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| format!("`{text}` is not a log filter ({error})"))
}

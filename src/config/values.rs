//! What texts mean: durations, sizes, lists. Each error says what a good value looks like.

use std::net::SocketAddr;
use std::time::Duration;

use crate::telemetry::LogFormat;

use super::Roles;

/// `250ms`, `15s`, `5m`, `2h`, `30d`.
///
/// # Errors
/// A sentence that says what a duration looks like.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time such as 250ms, 15s, 5m, 2h or 30d");
    let text = text.trim();
    let unit_at = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(wrong)
}

/// A duration within bounds that are named in the error.
pub(super) fn duration_within(text: &str, least: &str, most: &str) -> Result<Duration, String> {
    let value = duration(text)?;
    if value < duration(least)? || value > duration(most)? {
        return Err(format!("`{text}` is not between {least} and {most}"));
    }
    Ok(value)
}

/// A share of everything, between 0 and 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is not a share between 0 and 1");
    text.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(wrong)
}

/// The items of a comma-separated list, without blanks.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// The waits of a retry schedule: 1 to 50, each up to 30 days. `none` is a schedule without retries.
pub(super) fn waits(text: &str) -> Result<Vec<Duration>, String> {
    if text.trim() == "none" {
        return Ok(Vec::new());
    }
    let waits = items(text).map(|item| duration_within(item, "1ms", "30d")).collect::<Result<Vec<_>, _>>()?;
    if waits.is_empty() || waits.len() > 50 {
        return Err("a schedule is 1 to 50 waits such as 60s,5m,30m, or `none`".to_owned());
    }
    Ok(waits)
}

/// `1048576`, `512KiB`, `64MiB`, `1GiB`.
pub(super) fn bytes_within(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let wrong = || format!("`{text}` is not a size such as 1048576, 512KiB or 64MiB");
    let text = text.trim();
    let unit_at = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number: usize = number.parse().map_err(|_| wrong())?;
    let unit_bytes = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let value = number.checked_mul(unit_bytes).ok_or_else(wrong)?;
    if value < least || value > most {
        return Err(format!("`{text}` is not between {least} and {most} bytes"));
    }
    Ok(value)
}

/// A whole number within bounds.
pub(super) fn number_within(text: &str, least: u32, most: u32) -> Result<u32, String> {
    text.trim()
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("`{text}` is not a whole number between {least} and {most}"))
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

pub(super) fn roles(text: &str) -> Result<Roles, String> {
    let mut roles = Roles { api: false, dispatcher: false, maintenance: false };
    for role in items(text) {
        match role {
            "api" => roles.api = true,
            "dispatcher" => roles.dispatcher = true,
            "maintenance" => roles.maintenance = true,
            other => return Err(format!("`{other}` is not one of api, dispatcher, maintenance")),
        }
    }
    if roles.api || roles.dispatcher || roles.maintenance {
        Ok(roles)
    } else {
        Err("a node needs one at least of api, dispatcher, maintenance".to_owned())
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is not an address and port such as 127.0.0.1:8071"))
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.trim() {
        "auto" => Ok(LogFormat::Auto),
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("`{other}` is not one of auto, text, json")),
    }
}

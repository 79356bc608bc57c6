//! What is told of an exchange with a receiver besides its outcome: headers, and how long its steps took.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::delivery::attempt::Timings;

/// A header.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "content-type", "value": "application/json"}))]
pub(in crate::api) struct HeaderOut {
    /// Its name, in lower case.
    pub(in crate::api) name: String,
    /// Its value; `null` where that is kept secret, or not known any more.
    #[schema(required)]
    pub(in crate::api) value: Option<String>,
}

/// How long the steps of an exchange took, in milliseconds, each from the end of the one before. `null` for a step that was
/// not needed, as over a connection that was there already, or not reached.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"resolveMs": 3.2, "connectMs": 12.0, "tlsMs": 25.5, "firstByteMs": 80.25}))]
pub(in crate::api) struct TimingsOut {
    /// To resolve the host's name.
    #[schema(required)]
    resolve_ms: Option<f64>,
    /// To connect.
    #[schema(required)]
    connect_ms: Option<f64>,
    /// To agree on TLS.
    #[schema(required)]
    tls_ms: Option<f64>,
    /// From the request to the head of the answer.
    #[schema(required)]
    first_byte_ms: Option<f64>,
}

impl HeaderOut {
    /// One that is shown.
    pub(in crate::api) fn shown((name, value): (String, String)) -> Self {
        Self { name, value: Some(value) }
    }
}

impl TimingsOut {
    /// `None` when nothing is known of any step.
    pub(in crate::api) fn of(timings: Timings) -> Option<Self> {
        // To the microsecond, as it is stored.
        let ms = |took: Duration| (took.as_secs_f64() * 1e6).round() / 1e3;
        (timings != Timings::default()).then(|| Self {
            resolve_ms: timings.resolve.map(ms),
            connect_ms: timings.connect.map(ms),
            tls_ms: timings.tls.map(ms),
            first_byte_ms: timings.first_byte.map(ms),
        })
    }
}

//! Where traces are sent: the settings that begin with `otlp_`.

use url::Url;

use crate::telemetry::traces::TraceOptions;

use super::openid::named;

use crate::config::reader::Reader;
use crate::config::{ConfigError, values};

/// Below the collector's URL, traces have this path.
const TRACES_PATH: &str = "v1/traces";

/// `None` where no collector is named.
pub(in crate::config) fn options(read: &Reader<'_>) -> Result<Option<TraceOptions>, ConfigError> {
    let (endpoint, sampling) =
        (read.given("otlp_endpoint", endpoint)?, read.value("otlp_sampling", values::share)?);
    let service_name = read.value("otlp_service_name", named)?;
    Ok(endpoint.map(|endpoint| TraceOptions { endpoint, sampling, service_name }))
}

fn endpoint(text: &str) -> Result<String, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| format!("`{text}` is not a URL such as http://localhost:4318"))?;
    Ok(format!("{}/{TRACES_PATH}", url.as_str().trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_sent_below_the_collectors_url() {
        assert_eq!(endpoint("http://localhost:4318").unwrap(), "http://localhost:4318/v1/traces");
        assert_eq!(endpoint("https://c.example/otlp/").unwrap(), "https://c.example/otlp/v1/traces");
        assert!(endpoint("localhost:4318").is_err() && endpoint("grpc://localhost:4317").is_err());
    }
}

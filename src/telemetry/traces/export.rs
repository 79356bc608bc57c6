//! Where spans go: a thread of its own sends them in batches. What does not fit into its queue, because the collector is slow
//! or away, is dropped; nobody waits for a collector.

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

/// How long the end of a process waits for the collector to take the last spans.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Where traces go, and how many.
#[derive(Debug, Clone)]
pub struct TraceOptions {
    /// The collector's URL for traces, `http://localhost:4318/v1/traces`.
    pub endpoint: String,
    /// The share of requests that is traced, from 0 to 1, where the caller has not decided that.
    pub sampling: f64,
    /// What this service is called there.
    pub service_name: String,
}

/// Traces that cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent to the collector")]
pub struct TraceError(#[from] ExporterBuildError);

/// What makes spans, and sends them.
struct Installed {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Traces from here on, as the instance of that name. Where that is so already (several nodes in the process of a test), they share the collector.
///
/// # Errors
/// [`TraceError`] when there cannot be a client for the collector.
pub fn install(options: &TraceOptions, instance: &str) -> Result<(), TraceError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&options.endpoint)
        .build()?;
    // What the environment says of the resource comes last, and counts.
    let resource = Resource::builder_empty()
        .with_service_name(options.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", instance.to_owned()))
        .with_detector(Box::new(EnvResourceDetector::new()))
        .build();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(options.sampling)));
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_resource(resource)
        .build();
    let tracer = provider.tracer("postrider");
    let _ = INSTALLED.set(Installed { provider, tracer });
    Ok(())
}

/// Sends what was not sent yet. A collector that does not take it in time goes without it.
pub async fn flush() {
    let Some(installed) = INSTALLED.get() else { return };
    let provider = installed.provider.clone();
    let flushing = tokio::task::spawn_blocking(move || provider.force_flush());
    if !matches!(tokio::time::timeout(FLUSH_TIMEOUT, flushing).await, Ok(Ok(Ok(())))) {
        tracing::warn!("the last spans could not be sent to the collector");
    }
}

/// What makes spans; `None` when nothing is traced.
pub(super) fn tracer() -> Option<&'static SdkTracer> {
    INSTALLED.get().map(|installed| &installed.tracer)
}

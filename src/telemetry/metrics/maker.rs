//! Makes the handles of metrics. A handle is kept by whoever counts, so that nothing is looked up by its name while it works.

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, NoopRecorder, Recorder};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

use super::catalogue::{ALL, Kind, Metric};

const METADATA: Metadata<'static> = Metadata::new("postrider", Level::INFO, None);

/// Makes handles: of metrics that are kept, or of none at all.
pub(super) struct Maker {
    recorder: Box<dyn Recorder + Send + Sync>,
}

impl Maker {
    /// Handles that do nothing.
    pub(super) fn of_nothing() -> Self {
        Self { recorder: Box::new(NoopRecorder) }
    }

    pub(super) fn of(recorder: PrometheusRecorder) -> Self {
        for metric in ALL {
            let (name, help) = (metric.name.into(), metric.help.into());
            match metric.kind {
                Kind::Counter => recorder.describe_counter(name, None, help),
                Kind::Gauge => recorder.describe_gauge(name, None, help),
                Kind::Histogram(_) => recorder.describe_histogram(name, None, help),
            }
        }
        Self { recorder: Box::new(recorder) }
    }

    pub(super) fn counter(&self, metric: Metric, labels: &[&str]) -> Counter {
        self.recorder.register_counter(&key(metric, labels), &METADATA)
    }

    pub(super) fn gauge(&self, metric: Metric, labels: &[&str]) -> Gauge {
        self.recorder.register_gauge(&key(metric, labels), &METADATA)
    }

    pub(super) fn histogram(&self, metric: Metric, labels: &[&str]) -> Histogram {
        self.recorder.register_histogram(&key(metric, labels), &METADATA)
    }
}

fn key(metric: Metric, values: &[&str]) -> Key {
    debug_assert_eq!(metric.labels.len(), values.len(), "{} has other labels", metric.name);
    let labels = metric.labels.iter().zip(values).map(|(name, value)| Label::new(*name, (*value).to_owned()));
    Key::from_parts(metric.name, labels.collect::<Vec<_>>())
}

/// A recorder with the bounds that the catalogue gives each histogram.
pub(super) fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for metric in ALL {
        if let Kind::Histogram(bounds) = metric.kind {
            builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)?;
        }
    }
    Ok(builder.build_recorder())
}

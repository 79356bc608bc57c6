//! Spans: what was done for a request or for a message, from when to when, and what it was part of. A span ends when the last of
//! its clones is dropped.

use std::borrow::Cow;
use std::fmt;

use futures_util::future::Either;
use http::{HeaderMap, Method};
use opentelemetry::context::{FutureExt as _, WithContext};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;

use crate::domain::trace_context::TraceContext;
use crate::telemetry::statement_name::name_of;

use super::export::tracer;

/// A span that is recorded, or none.
#[derive(Clone, Default)]
pub struct Span(Option<Context>);

impl Span {
    /// No span.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    fn start(
        tracer: &SdkTracer,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        parent: &Context,
    ) -> Self {
        let span = tracer.span_builder(name).with_kind(kind).start_with_context(tracer, parent);
        let is_sampled = span.span_context().is_sampled();
        Self(is_sampled.then(|| Context::new().with_span(span)))
    }

    /// A part of this one. Of none there are none.
    #[must_use]
    pub fn part(&self, name: &'static str) -> Self {
        match self.0.as_ref().zip(tracer()) {
            Some((context, tracer)) => Self::start(tracer, name, SpanKind::Internal, context),
            None => Self::none(),
        }
    }

    /// Whether there is one.
    #[must_use]
    pub const fn is_recorded(&self) -> bool {
        self.0.is_some()
    }

    /// Says something of it. What is said is worked out only where there is one.
    pub fn set<V: Into<Value>>(&self, key: &'static str, value: impl FnOnce() -> V) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new(key, value()));
        }
    }

    /// Says that it failed.
    pub fn fail(&self, why: &'static str) {
        if let Some(context) = &self.0 {
            context.span().set_status(Status::error(why));
        }
    }

    /// Its place in its trace.
    #[must_use]
    pub fn context(&self) -> Option<TraceContext> {
        self.0.as_ref().map(context_of)
    }

    /// Does something for it: statements, and whatever else asks for the current span, become parts of it.
    pub fn around<F: Future>(&self, work: F) -> Either<WithContext<F>, F> {
        match &self.0 {
            Some(context) => Either::Left(work.with_context(context.clone())),
            None => Either::Right(work),
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Span").field(&self.context()).finish()
    }
}

fn context_of(context: &Context) -> TraceContext {
    let span = context.span();
    let context = span.span_context();
    TraceContext { trace_id: context.trace_id().to_bytes(), span_id: context.span_id().to_bytes() }
}

/// The span that something is being done for.
#[must_use]
pub fn current() -> Span {
    if tracer().is_none() {
        return Span::none();
    }
    let is_recorded = |context: &Context| context.has_active_span() && context.span().is_recording();
    Span(Context::map_current(|context| is_recorded(context).then(|| context.clone())))
}

/// A request that somebody makes to us: part of the caller's trace, if its headers name one.
#[must_use]
pub fn of_request(method: &Method, route: Option<&str>, headers: &HeaderMap) -> Span {
    let Some(tracer) = tracer() else { return Span::none() };
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
    let name = route.map_or_else(|| method.to_string(), |route| format!("{method} {route}"));
    let span = Span::start(tracer, name, SpanKind::Server, &parent);
    span.set("http.request.method", || method.to_string());
    if let Some(route) = route {
        span.set("http.route", || route.to_owned());
    }
    span
}

/// Something that is done for a message, which was accepted in a trace or in none.
#[must_use]
pub fn of_message(accepted_in: Option<TraceContext>, name: &'static str) -> Span {
    let Some((accepted_in, tracer)) = accepted_in.zip(tracer()) else { return Span::none() };
    let parent = SpanContext::new(
        TraceId::from_bytes(accepted_in.trace_id),
        SpanId::from_bytes(accepted_in.span_id),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    Span::start(tracer, name, SpanKind::Client, &Context::new().with_remote_span_context(parent))
}

/// A statement, if what it is run for is traced.
#[must_use]
pub fn of_statement(sql: &str) -> Span {
    let Some((context, tracer)) = current().0.zip(tracer()) else { return Span::none() };
    let span = Span::start(tracer, name_of(sql).to_owned(), SpanKind::Client, &context);
    span.set("db.system.name", || "postgresql");
    span
}

/// Headers, as the library reads them.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_traced_there_is_no_span() {
        let context = TraceContext { trace_id: [1; 16], span_id: [2; 8] };
        let spans = [
            of_message(Some(context), "attempt"),
            of_request(&Method::POST, None, &HeaderMap::new()),
            of_statement("-- a::b"),
            Span::none().part("record"),
        ];
        assert!(spans.iter().all(|span| !span.is_recorded()));
        assert!(!current().is_recorded());
    }
}

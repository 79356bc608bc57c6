//! Traces: a message is followed from its post, over the queue, to its second attempt and what recorded it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message as _;
use reqwest::Method;
use serde_json::json;

use crate::support::receiver::Received;
use crate::support::{Api, Receiver, Reply, Setup, Tenant};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PRODUCER: &str = "b7ad6b7169203331";

type Collected = Arc<Mutex<Vec<ResourceSpans>>>;

/// A collector of OTLP over HTTP: its URL, and what it has got.
async fn collector() -> (String, Collected) {
    let collected = Collected::default();
    let take = async |State(collected): State<Collected>, body: Bytes| {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        collected.lock().unwrap().extend(request.resource_spans);
    };
    let router = Router::new().route("/v1/traces", post(take)).with_state(collected.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, collected)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{name} is {other:?}"),
    }
}

/// Spans of that name, in the order in which they began.
fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    let mut found: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    found.sort_by_key(|span| span.start_time_unix_nano);
    found
}

async fn post_traced(tenant: &Tenant, event_type: &str, flags: &str) {
    let request = tenant.api.request(Method::POST, &tenant.path("/msg"));
    let request = request.header("traceparent", format!("00-{TRACE}-{PRODUCER}-{flags}"));
    Api::send(request.json(&json!({"eventType": event_type, "payload": {}}))).await.expect(202);
}

fn traceparent(request: &Received) -> Option<&str> {
    request.headers.get("traceparent").map(|value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_followed_from_its_post_to_its_second_attempt() {
    let ((url, collected), receiver) = (collector().await, Receiver::start().await);
    let setup = Setup::default().with("OTLP_ENDPOINT", &url).with("OTLP_SAMPLING", "0");
    let mut app = setup.with("SEND_TRACEPARENT", "true").start().await;
    let tenant = app.tenant("one").await;
    let hook =
        receiver.hook_that("/traced", |request| Reply::Status(if request.nth == 1 { 500 } else { 200 }));
    let endpoint = tenant.endpoint(&hook, json!({"filterTypes": ["traced"]})).await;
    let untraced = receiver.hook("/untraced");
    tenant.endpoint(&untraced, json!({"filterTypes": ["untraced"]})).await;
    post_traced(&tenant, "traced", "01").await;
    post_traced(&tenant, "untraced", "00").await;
    tenant.message("untraced", json!({})).await;
    let requests = receiver.wait_at(&hook, 2).await;
    let plain = receiver.wait_at(&untraced, 2).await;
    app.settled().await;
    // What was not sent yet is sent at the end.
    assert!(app.node_mut().terminate().await.success(), "{}", app.log());

    let collected = collected.lock().unwrap().clone();
    let resource = collected[0].resource.as_ref().unwrap();
    assert_eq!(attribute(&resource.attributes, "service.name").as_deref(), Some("postrider"));
    let scopes = collected.iter().flat_map(|resource| &resource.scope_spans);
    let spans: Vec<Span> = scopes.flat_map(|scope| scope.spans.clone()).collect();
    let traces: BTreeSet<String> = spans.iter().map(|span| hex(&span.trace_id)).collect();
    assert_eq!(traces, BTreeSet::from([TRACE.to_owned()]), "nothing else is traced");

    let posts = named(&spans, "POST /api/v1/app/{app_id}/msg");
    assert_eq!(posts.len(), 1, "{spans:?}");
    assert_eq!(hex(&posts[0].parent_span_id), PRODUCER);
    assert_eq!(attribute(&posts[0].attributes, "http.response.status_code").as_deref(), Some("202"));
    let stores = named(&spans, "store");
    assert_eq!((stores.len(), &stores[0].parent_span_id), (1, &posts[0].span_id));
    let inserts = named(&spans, "ingest::insert_messages");
    assert_eq!((inserts.len(), &inserts[0].parent_span_id), (1, &stores[0].span_id));

    let attempts = named(&spans, "attempt");
    assert_eq!(attempts.len(), 2);
    for (index, (number, status, is_failure)) in
        [("1", "500", true), ("2", "200", false)].into_iter().enumerate()
    {
        let attempt = attempts[index];
        let said = |name: &str| attribute(&attempt.attributes, name);
        assert_eq!(attempt.parent_span_id, posts[0].span_id);
        assert_eq!(said("postrider.attempt").as_deref(), Some(number));
        assert_eq!(said("postrider.endpoint_id"), Some(endpoint.clone()));
        assert_eq!(said("http.response.status_code").as_deref(), Some(status));
        assert_eq!(attempt.status.as_ref().is_some_and(|status| status.code == 2), is_failure);
        let sent = format!("00-{TRACE}-{}-01", hex(&attempt.span_id));
        assert_eq!(traceparent(&requests[index]), Some(&*sent));
    }
    let records = named(&spans, "record");
    let parents: Vec<&Vec<u8>> = records.iter().map(|record| &record.parent_span_id).collect();
    assert_eq!(parents, [&attempts[0].span_id, &attempts[1].span_id]);
    for record in records {
        let statements: Vec<&str> = spans
            .iter()
            .filter(|span| span.parent_span_id == record.span_id)
            .map(|span| span.name.as_str())
            .collect();
        assert!(statements.iter().any(|name| name.starts_with("outcome::")), "{statements:?}");
    }

    assert!(plain.iter().all(|request| traceparent(request).is_none()));
    let remembered = "SELECT count(*) FROM message WHERE trace IS NOT NULL";
    assert_eq!(app.database().count(remembered).await, 1);
}

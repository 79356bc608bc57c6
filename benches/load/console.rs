//! What the console's views take on a database that has been in use for a month: each operation through the API, one call
//! after the other, the cache warm.

use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Method;
use serde_json::{Value, json};

use crate::Options;
use crate::client::Connection;
use crate::seed::seed;
use crate::target::Target;

/// No view may take longer at its 95th percentile.
const GOAL_MS: f64 = 100.0;
/// Calls of each operation, after those that warm the cache.
const CALLS: usize = 100;
const WARM_UP: usize = 5;
/// An overview is shared for so long; each call is to compute its own.
const SHARED: Duration = Duration::from_millis(2_050);
const SHARED_CALLS: usize = 10;

/// Seeds, asks, and prints a table.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let target = Target::start(options, Vec::new()).await?;
    let mut database = target.database().await?.context("the case needs a server of our own")?;
    // The environment is there from the first call that names it.
    let mut first = Connection::open(&target.base).await?;
    first.send(Method::GET, "/api/v1/app", &target.headers, Bytes::new()).await?;
    drop(first);
    let began = Instant::now();
    seed(&mut database, options.attempts).await?;
    println!("seeded with {} attempts in {:.0} s\n", options.attempts, began.elapsed().as_secs_f64());
    // The node looks at the queue by itself every few seconds.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let mut connection = Connection::open(&target.base).await?;
    let ten_days_ago =
        sqlx::query_scalar("SELECT now() - interval '10 days'").fetch_one(&mut database).await?;
    let ids = Ids::find(&target, &mut connection, ten_days_ago).await?;
    println!("| operation | calls | p50 ms | p95 ms | max ms | bytes |\n|---|--:|--:|--:|--:|--:|");
    let mut slow = Vec::new();
    for (name, path) in ids.operations() {
        let is_shared = path.starts_with("/api/v1/overview") || path.starts_with("/api/v1/stats/event-types");
        let (mut times, mut bytes) = (Vec::new(), 0);
        for call in 0..WARM_UP + if is_shared { SHARED_CALLS } else { CALLS } {
            if is_shared {
                tokio::time::sleep(SHARED).await;
            }
            let began = Instant::now();
            let (method, body) = if name.ends_with("(dry run)") {
                (Method::POST, Bytes::from(json!({"dryRun": true}).to_string()))
            } else {
                (Method::GET, Bytes::new())
            };
            let mut headers = target.headers.clone();
            headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
            let (status, answer) = connection.send(method, &path, &headers, body).await?;
            anyhow::ensure!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&answer));
            bytes = answer.len();
            if call >= WARM_UP {
                times.push(began.elapsed().as_secs_f64() * 1e3);
            }
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share).ceil() as usize];
        println!(
            "| `{name}` | {} | {:.1} | {:.1} | {:.1} | {bytes} |",
            times.len(),
            at(0.5),
            at(0.95),
            at(1.0)
        );
        if at(0.95) > GOAL_MS {
            slow.push(name);
        }
    }
    println!("\nslower than {GOAL_MS} ms at p95: {slow:?}");
    target.stop()
}

/// What the paths name.
struct Ids {
    application: String,
    applications: String,
    endpoint: String,
    endpoints: String,
    message: String,
    attempt: String,
    dead_letter: String,
    ten_days_ago: DateTime<Utc>,
}

impl Ids {
    async fn find(
        target: &Target,
        connection: &mut Connection,
        ten_days_ago: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let mut list = async |path: &str| -> anyhow::Result<Vec<String>> {
            let (_, answer) = connection.send(Method::GET, path, &target.headers, Bytes::new()).await?;
            let page: Value = serde_json::from_slice(&answer)?;
            let data = page["data"].as_array().context("a list")?.clone();
            Ok(data.iter().filter_map(|it| it["id"].as_str().map(str::to_owned)).collect())
        };
        let applications = list("/api/v1/app?limit=100").await?;
        let application = applications.first().context("applications")?.clone();
        let mut endpoints = Vec::new();
        for id in applications.iter().take(4) {
            endpoints.extend(list(&format!("/api/v1/app/{id}/endpoint?limit=100")).await?);
        }
        let endpoint =
            list(&format!("/api/v1/app/{application}/endpoint")).await?.first().context("endpoints")?.clone();
        let message =
            list(&format!("/api/v1/app/{application}/msg")).await?.first().context("messages")?.clone();
        let attempts = list(&format!("/api/v1/app/{application}/attempt/msg/{message}")).await?;
        let attempt = attempts.first().context("attempts")?.clone();
        let dead_letter = list("/api/v1/dead-letter").await?.first().context("dead letters")?.clone();
        Ok(Self {
            applications: applications.join(","),
            endpoints: endpoints.join(","),
            message,
            attempt,
            dead_letter,
            ten_days_ago,
            application,
            endpoint,
        })
    }

    fn operations(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for range in ["1h", "24h", "7d", "30d"] {
            let at = |path: &str, joint: &str| format!("/api/v1{path}{joint}range={range}");
            let (application, endpoint) = (&self.application, &self.endpoint);
            all.extend([
                (format!("GET overview, {range}"), at("/overview", "?")),
                (
                    format!("GET endpoint overview, {range}"),
                    at(&format!("/app/{application}/endpoint/{endpoint}/overview"), "?"),
                ),
                (
                    format!("GET sparklines of 100 endpoints, {range}"),
                    at(&format!("/stats/sparklines?kind=endpoint&ids={}", self.endpoints), "&"),
                ),
                (
                    format!("GET sparklines of 100 applications, {range}"),
                    at(&format!("/stats/sparklines?kind=application&ids={}", self.applications), "&"),
                ),
                (format!("GET event types, {range}"), at("/stats/event-types", "?")),
            ]);
        }
        all.extend(self.lists().into_iter().map(|(name, path)| (name.to_owned(), format!("/api/v1{path}"))));
        all
    }

    /// What the views list, look up and search for, with the filters that they have.
    fn lists(&self) -> Vec<(&'static str, String)> {
        let Self { application, endpoint, message, attempt, dead_letter, .. } = self;
        let ten_days_ago = self.ten_days_ago.format("%Y-%m-%dT%H:%M:%SZ");
        vec![
            ("GET applications", "/app?limit=50".to_owned()),
            ("GET applications by a part of the name", "/app?limit=50&q=ant%20199".to_owned()),
            ("GET one application", format!("/app/{application}")),
            ("GET endpoints", format!("/app/{application}/endpoint?limit=50")),
            ("GET endpoints by a part of the URL", format!("/app/{application}/endpoint?q=receiver-2")),
            ("GET event types", "/event-type?limit=100&with_content=true".to_owned()),
            ("GET event type's endpoints", "/event-type/type.7/endpoint".to_owned()),
            ("GET messages", format!("/app/{application}/msg?limit=50")),
            ("GET messages of an event type", format!("/app/{application}/msg?limit=50&event_types=type.1")),
            (
                "GET messages of an event type that there is none of",
                format!("/app/{application}/msg?event_types=none"),
            ),
            ("GET messages with a tag that none has", format!("/app/{application}/msg?tag=none")),
            ("GET messages before a time", format!("/app/{application}/msg?limit=50&before={ten_days_ago}")),
            ("GET one message", format!("/app/{application}/msg/{message}")),
            ("GET deliveries of a message", format!("/app/{application}/msg/{message}/delivery")),
            ("GET attempts of a message", format!("/app/{application}/attempt/msg/{message}")),
            (
                "GET request of an attempt",
                format!("/app/{application}/msg/{message}/attempt/{attempt}/request"),
            ),
            (
                "GET attempts of an endpoint",
                format!("/app/{application}/attempt/endpoint/{endpoint}?limit=50"),
            ),
            (
                "GET failed attempts of an endpoint",
                format!("/app/{application}/attempt/endpoint/{endpoint}?status=2"),
            ),
            ("GET messages of an endpoint", format!("/app/{application}/endpoint/{endpoint}/msg?limit=50")),
            (
                "GET messages of an endpoint that wait",
                format!("/app/{application}/endpoint/{endpoint}/msg?status=3"),
            ),
            ("GET message search", "/message-search?limit=50".to_owned()),
            ("GET message search, dead ones", "/message-search?state=dead".to_owned()),
            ("GET message search, a text that none has", "/message-search?q=nowhere".to_owned()),
            (
                "GET message search in an application, a text",
                format!("/app/{application}/message-search?q=seed"),
            ),
            ("GET search for a name", "/search?q=Tenant%201999".to_owned()),
            ("GET search for a message", format!("/search?q={message}")),
            ("GET search for what is not there", "/search?q=nowhere".to_owned()),
            ("GET dead letters", "/dead-letter?limit=50".to_owned()),
            ("GET dead letters of an application", format!("/dead-letter?app_id={application}")),
            ("GET dead letters of an event type", "/dead-letter?event_type=type.7".to_owned()),
            ("GET dead letters with a status that none has", "/dead-letter?status_code=418".to_owned()),
            ("GET one dead letter", format!("/dead-letter/{dead_letter}")),
            ("GET dead letter groups", "/dead-letter/group".to_owned()),
            ("GET dead letter groups of an event type", "/dead-letter/group?event_type=type.7".to_owned()),
            ("POST dead letter replay (dry run)", "/dead-letter/replay".to_owned()),
            ("GET deliveries by hour", format!("/stats/deliveries?bucket=hour&since={ten_days_ago}")),
            (
                "GET deliveries of an application by day",
                format!("/app/{application}/stats/deliveries?bucket=day"),
            ),
            ("GET background tasks", "/background-task?limit=50".to_owned()),
            ("GET audit log", "/audit-log?limit=50".to_owned()),
            ("GET audit log of an application", format!("/audit-log?app_id={application}")),
            ("GET API keys", "/api-key".to_owned()),
            ("GET people", "/person".to_owned()),
        ]
    }
}

//! Somebody with everything that there can be, and a look at all of it.

use std::collections::BTreeMap;

use postrider::domain::id::PersonId;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::operation::{Operation, operations};
use crate::support::api::Answer;
use crate::support::{Database, LocalApp, Receiver, Reply, Setup, Tenant, until};

/// Somebody with everything that there can be, and others who have no business there.
pub struct World {
    pub app: LocalApp,
    pub victim: Tenant,
    pub ids: BTreeMap<&'static str, String>,
    pub specification: Value,
}

impl World {
    pub async fn new() -> Self {
        // Rounds of maintenance would be written down meanwhile.
        let setup = Setup::default().with("RETRY_SCHEDULE", "none").with("ROLES", "api,dispatcher");
        let mut app = setup.start_local().await;
        app.leave_work();
        let receiver = Receiver::start().await;
        let environment = app.api().claiming(&json!({"sub": "org_victim"}));
        app.api().claiming(&json!({"sub": "org_attacker"})).get("/app").await.expect(200);
        let victim = Tenant::create(&environment, "victim").await;
        let hook = receiver.hook_that("/victims-own", |_| Reply::Status(500));
        let endpoint = victim.endpoint(&hook, json!({"headers": {"x-victim": "victims-header"}})).await;
        let message = victim.message("victim.type", json!({"text": "victims-payload"})).await;
        app.settled().await;
        environment
            .post("/event-type", &json!({"name": "victim.type", "description": "x"}))
            .await
            .expect(201);
        let letter = victim.dead_letters().await.remove(0);
        let attempt = victim.attempts(&endpoint).await.remove(0);
        let asked = json!({"appId": victim.id, "eventType": "none"});
        let task = environment.post("/dead-letter/discard", &asked).await.expect(202);
        let task = task["id"].as_str().unwrap().to_owned();
        until("the background task is done", || async {
            let shown = environment.get(&format!("/background-task/{task}")).await.expect(200);
            (shown["status"] == "finished").then_some(())
        })
        .await;
        let overview = victim.path(&format!("/endpoint/{endpoint}/overview"));
        let overview = environment.get(&overview).await.expect(200);
        let key = environment.post("/api-key", &json!({"name": "victims-key"})).await.expect(201);
        let inbox = environment.post("/inbox", &json!({"appId": victim.id})).await.expect(201);
        let post = crate::support::api::client().post(inbox["url"].as_str().unwrap());
        post.body("victims-payload").send().await.unwrap().error_for_status().unwrap();
        // The state of rules whose condition is met would be written down meanwhile.
        let rules = environment.get("/alert-rule").await.expect(200);
        for rule in rules["data"].as_array().unwrap() {
            let path = format!("/alert-rule/{}", rule["id"].as_str().unwrap());
            let off = json!({
                "name": "victims-name", "condition": rule["condition"], "severity": rule["severity"], "enabled": false
            });
            environment.put(&path, &off).await.expect(200);
        }
        let chat =
            json!({"name": "victims-name", "kind": "slack", "target": "https://example.com/victims-own"});
        let channel = environment.post("/alert-channel", &chat).await.expect(201);
        let of = |object: &Value| object["id"].as_str().unwrap().to_owned();
        let ids = BTreeMap::from([
            ("app_id", victim.id.clone()),
            ("secret_id", of(&overview["secrets"][0])),
            ("incident_id", format!("endpoint_failing:{endpoint}:1")),
            ("endpoint_id", endpoint),
            ("msg_id", message),
            ("attempt_id", of(&attempt)),
            ("id", of(&letter)),
            ("task_id", task),
            ("key_id", of(&key)),
            ("inbox_id", of(&inbox)),
            ("alert_rule_id", of(&rules["data"][0])),
            ("alert_channel_id", of(&channel)),
            ("event_type_name", "victim.type".to_owned()),
            ("environment_id", "org_victim".to_owned()),
            ("person_id", person(app.database()).await),
        ]);
        let specification = app.api().get("/openapi.json").await.expect(200);
        Self { app, victim, ids, specification }
    }

    pub fn operations(&self) -> Vec<Operation> {
        operations(&self.specification, &self.ids)
    }

    /// What nobody else may get to see.
    pub fn leaks(&self, answer: &Answer) -> Option<String> {
        let secrets = ["victims-payload", "victims-own", "victims-header", "victims-key", "victims-name"];
        let secrets = secrets.map(str::to_owned);
        let names = ["event_type_name", "environment_id"];
        let ids = self.ids.iter().filter(|(name, _)| !names.contains(name)).map(|(_, id)| id.clone());
        secrets.into_iter().chain(ids).find(|secret| answer.text.contains(secret))
    }

    pub async fn everything(&self) -> BTreeMap<String, Vec<String>> {
        everything(self.app.database()).await
    }
}

/// Somebody who signed in by an identity provider.
async fn person(database: &Database) -> String {
    let id = PersonId::generate();
    sqlx::query("INSERT INTO person (id, issuer, subject, name, role) VALUES ($1, 'i', 's', 'victims-name', 'operator')")
        .bind(id.uuid())
        .execute(&database.pool)
        .await
        .unwrap();
    id.to_string()
}

/// All rows of all tables, but the nodes' heartbeats and what the attacker's environment has for itself.
async fn everything(database: &Database) -> BTreeMap<String, Vec<String>> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
           AND relname NOT IN ('_sqlx_migrations', 'node', 'node_fence')
           -- What each node writes every few seconds of what it has counted before.
           AND relname NOT IN ('rollup', 'rollup_gauge', 'event_type_hour', 'endpoint_health', 'queue_sample',
                               'queue_sampling', 'node_presence', 'alert_evaluation')",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    assert!(tables.len() > 10);
    let mut found = BTreeMap::new();
    for table in tables {
        let query = format!(
            "SELECT to_jsonb(t)::text FROM {table} t
             WHERE coalesce(to_jsonb(t)->>'environment_id', to_jsonb(t)->>'id', '') <> 'org_attacker'
             ORDER BY 1"
        );
        let rows = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&database.pool).await.unwrap();
        found.insert(table, rows);
    }
    found
}

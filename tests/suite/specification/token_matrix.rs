//! Every operation of the served description, against every credential that must not open it. The list of operations
//! is the server's own, so a new one cannot be forgotten: what has no rule here fails the test.

use std::collections::BTreeMap;

use postrider::domain::clock::Clock;
use postrider::domain::id::PersonId;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::console::browser::SignedIn;
use crate::support::api::{Answer, mint, mint_with};
use crate::support::{Api, Database, Receiver, Reply, Setup, Tenant, TestApp, until};

/// Open to everybody.
const PUBLIC: [&str; 3] = ["/api/v1/health", "/api/v1/health/ping", "/api/v1/session/options"];
/// Where one gets a session; the credential is not in the head. `console::session` and `console::oidc` try these.
const SIGN_IN: [(&str, &str); 2] = [("post", "/api/v1/session"), ("get", "/api/v1/session/oidc/start")];
/// About the caller and nobody else.
const OWN: [&str; 3] = ["/api/v1/auth/whoami", "/api/v1/auth/logout", "/api/v1/session"];
/// What an environment has besides its applications.
const OF_ENVIRONMENT: [&str; 9] = [
    "app",
    "event-type",
    "dead-letter",
    "background-task",
    "api-key",
    "audit-log",
    "stats",
    "operational-webhook",
    "environment",
];
/// What a tenant may look at besides its own application: the catalogue, and the background tasks that are its own.
const TENANT_READS: [&str; 3] =
    ["/api/v1/event-type", "/api/v1/event-type/{event_type_name}", "/api/v1/background-task"];
/// What an environment may look at among what is the operators': its own part of it.
const ENVIRONMENT_READS: [&str; 1] = ["/api/v1/admin/pause"];
/// Makes what is not there, in the caller's own environment.
const MAKES: [(&str, &str); 1] = [("put", "/api/v1/event-type/{event_type_name}")];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Public,
    Own,
    Operator,
    Environment,
    Tenant,
}

fn rule(path: &str) -> Option<Rule> {
    if PUBLIC.contains(&path) {
        return Some(Rule::Public);
    }
    if OWN.contains(&path) {
        return Some(Rule::Own);
    }
    let rest = path.strip_prefix("/api/v1/")?;
    if rest.starts_with("admin/") || rest.split('/').next() == Some("person") {
        return Some(Rule::Operator);
    }
    if path.contains("{app_id}") {
        return Some(Rule::Tenant);
    }
    let first = rest.split('/').next()?;
    OF_ENVIRONMENT.contains(&first).then_some(Rule::Environment)
}

/// An operation as it is described.
#[derive(Debug)]
struct Operation {
    method: String,
    template: String,
    rule: Rule,
    /// With the victim's ids in it.
    path: String,
    body: Option<Value>,
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    fn is_read(&self) -> bool {
        self.method == "get"
    }

    fn has_ids(&self) -> bool {
        self.template.contains('{')
    }

    fn method(&self) -> Method {
        self.method.to_uppercase().parse().unwrap()
    }

    fn place(&self) -> &str {
        self.path.strip_prefix("/api/v1").unwrap()
    }

    async fn call(&self, api: &Api) -> Answer {
        self.send(api.request(self.method(), self.place())).await
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let request = match &self.body {
            Some(body) => request.json(body),
            None => request,
        };
        Api::send(request).await
    }
}

/// All operations, aimed at the victim.
fn operations(specification: &Value, ids: &BTreeMap<&str, String>) -> Vec<Operation> {
    let mut found = Vec::new();
    let mut without_rule = Vec::new();
    for (template, item) in specification["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(described) = item.get(method) else { continue };
            if SIGN_IN.contains(&(method, template.as_str())) {
                continue;
            }
            let Some(rule) = rule(template) else {
                without_rule.push(format!("{method} {template}"));
                continue;
            };
            let path = fill(template, ids) + &query(described);
            let body = body(specification, described);
            found.push(Operation { method: method.to_owned(), template: template.clone(), rule, path, body });
        }
    }
    assert!(without_rule.is_empty(), "say in this file who may use: {}", without_rule.join(", "));
    assert!(found.len() > 50, "the operations were not found");
    found
}

/// The victim's ids where the path has parameters.
fn fill(template: &str, ids: &BTreeMap<&str, String>) -> String {
    let parts =
        template.split('/').map(|part| match part.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            None => part.to_owned(),
            // A dead letter's parameter has a name that others may have as well.
            Some("id") if !template.contains("/dead-letter/") => {
                panic!("{template}: say in this file what `id` is")
            }
            Some(name) => ids
                .get(name)
                .unwrap_or_else(|| panic!("{template}: say in this file what `{name}` is"))
                .clone(),
        });
    parts.collect::<Vec<_>>().join("/")
}

/// The parameters that a query must have.
pub(super) fn query(described: &Value) -> String {
    let parameters = described["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let needed = parameters.iter().filter(|it| it["in"] == "query" && it["required"] == true);
    let pairs: Vec<String> = needed
        .map(|it| {
            let value = match (it["schema"]["type"].as_str(), it["schema"]["format"].as_str()) {
                (_, Some("date-time")) => "2026-01-01T00:00:00Z",
                (Some("integer" | "number"), _) => "1",
                (Some("boolean"), _) => "true",
                _ => "x",
            };
            format!("{}={value}", it["name"].as_str().unwrap())
        })
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// The example of a body.
pub(super) fn body(specification: &Value, described: &Value) -> Option<Value> {
    let schema = described.pointer("/requestBody/content/application~1json/schema")?;
    let reference = schema["$ref"].as_str().or_else(|| {
        let choices = schema["oneOf"].as_array()?;
        choices.iter().find_map(|choice| choice["$ref"].as_str())
    });
    let Some(reference) = reference else { return Some(json!({})) };
    let schema = specification.pointer(reference.trim_start_matches('#')).unwrap();
    let example = schema.get("example").or_else(|| schema["examples"].as_array()?.first());
    let mut example = example.cloned().unwrap_or_else(|| panic!("{reference} has no example"));
    // An application to make along the way is named after the path.
    if let Some(fields) = example.as_object_mut() {
        fields.remove("application");
    }
    Some(example)
}

/// Somebody with everything that there can be, and others who have no business there.
struct World {
    app: TestApp,
    victim: Tenant,
    ids: BTreeMap<&'static str, String>,
    specification: Value,
}

impl World {
    async fn new() -> Self {
        let mut app = Setup::default().with("RETRY_SCHEDULE", "none").start().await;
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
        let key = environment.post("/api-key", &json!({"name": "victims-key"})).await.expect(201);
        let of = |object: &Value| object["id"].as_str().unwrap().to_owned();
        let ids = BTreeMap::from([
            ("app_id", victim.id.clone()),
            ("endpoint_id", endpoint),
            ("msg_id", message),
            ("attempt_id", of(&attempt)),
            ("id", of(&letter)),
            ("task_id", task),
            ("key_id", of(&key)),
            ("event_type_name", "victim.type".to_owned()),
            ("environment_id", "org_victim".to_owned()),
            ("person_id", person(app.database()).await),
        ]);
        let specification = app.api().get("/openapi.json").await.expect(200);
        Self { app, victim, ids, specification }
    }

    fn operations(&self) -> Vec<Operation> {
        operations(&self.specification, &self.ids)
    }

    /// What nobody else may get to see.
    fn leaks(&self, answer: &Answer) -> Option<String> {
        let secrets = ["victims-payload", "victims-own", "victims-header", "victims-key", "victims-name"]
            .map(str::to_owned);
        let names = ["event_type_name", "environment_id"];
        let ids = self.ids.iter().filter(|(name, _)| !names.contains(name)).map(|(_, id)| id.clone());
        secrets.into_iter().chain(ids).find(|secret| answer.text.contains(secret))
    }

    async fn everything(&self) -> BTreeMap<String, Vec<String>> {
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
           AND relname NOT IN ('_sqlx_migrations', 'node', 'node_fence')",
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

#[tokio::test]
async fn no_operation_opens_to_a_credential_that_does_not_hold() {
    let world = World::new().await;
    let app = &world.app;
    let now = Clock::default().now().timestamp();
    let revoked = world.victim.api.post("/api-key", &json!({"name": "revoked"})).await.expect(201);
    let path = format!("/api-key/{}", revoked["id"].as_str().unwrap());
    world.victim.api.delete(&path).await.expect(204);
    let access = format!("/auth/app-portal-access/{}", world.victim.id);
    let session = world.victim.api.post(&access, &json!({})).await.expect(200);
    let session = session["token"].as_str().unwrap().to_owned();
    app.api().with_token(&session).post("/auth/logout", &json!({})).await.expect(204);
    let credentials = [
        ("none", None),
        ("garbage", Some("garbage".to_owned())),
        ("expired", Some(mint(&json!({"sub": "org_victim", "exp": now - 3600})))),
        ("not begun", Some(mint(&json!({"sub": "org_victim", "nbf": now + 3600})))),
        ("another's signature", Some(mint_with(&json!({"sub": "operator"}), "another secret than ours"))),
        ("unsigned", Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiJvcGVyYXRvciIsImlhdCI6MH0.".to_owned())),
        ("revoked key", Some(revoked["key"].as_str().unwrap().to_owned())),
        ("unknown key", Some(format!("pr_{}", "A".repeat(43)))),
        ("logged out", Some(session)),
    ];
    let nobody = app.api();
    let before = world.everything().await;
    for operation in world.operations() {
        for (kind, credential) in &credentials {
            let api = credential.as_ref().map_or_else(|| nobody.clone(), |text| nobody.with_token(text));
            let answer = operation.call(&api).await;
            let what = format!("{} with {kind}: {} {}", operation.name(), answer.status, answer.text);
            if operation.rule == Rule::Public {
                assert!(answer.status < 300, "{what}");
            } else {
                assert_eq!(answer.status, 401, "{what}");
                assert_eq!(answer.json()["code"], "authentication_failed", "{what}");
            }
        }
    }
    assert_eq!(world.everything().await, before);
    let root = format!("http://{}", app.address());
    for public in ["/openapi.json", "/docs/"] {
        let answer = crate::support::api::client().get(format!("{root}{public}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{public}");
    }
}

#[tokio::test]
async fn no_operation_opens_to_a_session_that_has_ended_or_to_a_page_of_another_site() {
    let world = World::new().await;
    let (app, operator) = (&world.app, mint(&json!({"sub": "operator"})));
    let by = async |text: &str| SignedIn::with(&app.api(), &json!({ "credential": text })).await;
    let made = json!({"name": "revoked", "role": "operator"});
    let made = app.api().with_token(&operator).post("/admin/api-key", &made).await.expect(201);
    let revoked = by(made["key"].as_str().unwrap()).await;
    let path = format!("/admin/api-key/{}", made["id"].as_str().unwrap());
    app.api().with_token(&operator).delete(&path).await.expect(204);
    let signed_out = by(&operator).await;
    signed_out.delete("/session").await.expect(204);
    let expired = by(&operator).await;
    sqlx::query("UPDATE session SET last_used_at = now() - interval '13 hours'")
        .execute(&app.database().pool)
        .await
        .unwrap();
    let live = by(&operator).await;
    let before = world.everything().await;
    for operation in world.operations() {
        if operation.rule == Rule::Public {
            continue;
        }
        for (kind, ended) in [("revoked", &revoked), ("signed out", &signed_out), ("expired", &expired)] {
            let answer = operation.send(ended.request(operation.method(), operation.place())).await;
            let what = format!("{} {kind}: {} {}", operation.name(), answer.status, answer.text);
            assert_eq!(answer.status, 401, "{what}");
        }
        if operation.is_read() {
            continue;
        }
        let bare = live.bare(operation.method(), operation.place());
        let foreign =
            live.request(operation.method(), operation.place()).header("origin", "https://evil.example");
        let anothers =
            live.bare(operation.method(), operation.place()).header("postrider-csrf", &signed_out.csrf);
        for request in [bare, foreign, anothers] {
            let request = request.header("postrider-environment", "org_victim");
            let answer = operation.send(request).await;
            let what = format!("{}: {} {}", operation.name(), answer.status, answer.text);
            assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("csrf_failed")), "{what}");
        }
    }
    assert_eq!(world.everything().await, before);
    live.get("/session").await.expect(200);
}

#[tokio::test]
async fn no_operation_opens_anothers_application_to_a_tenant() {
    let world = World::new().await;
    let sibling = Tenant::create(&world.victim.api, "sibling").await;
    let stranger = Tenant::create(&world.app.api().claiming(&json!({"sub": "org_stranger"})), "other").await;
    let key = json!({"name": "x", "role": "application", "appId": sibling.id});
    let key = world.victim.api.post("/api-key", &key).await.expect(201);
    // Its use is written down at its first request.
    let by_key = world.app.api().with_token(key["key"].as_str().unwrap());
    by_key.get("/auth/whoami").await.expect(200);
    until("the use of the key is written down", || async {
        let used = "SELECT count(*) FROM api_key WHERE last_used_at IS NOT NULL";
        (world.app.database().count(used).await == 1).then_some(())
    })
    .await;
    let tenants = [
        world.app.api().claiming(&json!({"sub": sibling.id, "org": "org_victim"})),
        world.app.api().claiming(&json!({"sub": stranger.id, "org": "org_stranger"})),
        by_key,
        // It names an environment that its application is not in.
        world.app.api().claiming(&json!({"sub": world.victim.id, "org": "org_stranger"})),
    ];
    let before = world.everything().await;
    for operation in world.operations() {
        if matches!(operation.rule, Rule::Public | Rule::Own) {
            continue;
        }
        for tenant in &tenants {
            let answer = operation.call(tenant).await;
            let what = format!("{}: {} {}", operation.name(), answer.status, answer.text);
            let may_read = operation.is_read() && TENANT_READS.contains(&operation.template.as_str());
            match operation.rule {
                Rule::Tenant => assert!([403, 404].contains(&answer.status), "{what}"),
                _ if may_read => assert!([200, 404].contains(&answer.status), "{what}"),
                _ if operation.has_ids() => assert!([403, 404].contains(&answer.status), "{what}"),
                _ => assert_eq!(answer.status, 403, "{what}"),
            }
            assert_eq!(world.leaks(&answer), None, "{what}");
        }
    }
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn no_operation_opens_another_environment() {
    let world = World::new().await;
    let attacker = world.app.api().claiming(&json!({"sub": "org_attacker"}));
    let before = world.everything().await;
    for operation in world.operations() {
        if matches!(operation.rule, Rule::Public | Rule::Own) {
            continue;
        }
        let is_its_own = !operation.has_ids() && operation.rule == Rule::Environment;
        if is_its_own && !operation.is_read() {
            continue;
        }
        let answer = operation.call(&attacker).await;
        let what = format!("{}: {} {}", operation.name(), answer.status, answer.text);
        let reads_its_part = operation.is_read() && ENVIRONMENT_READS.contains(&operation.template.as_str());
        if is_its_own || reads_its_part {
            assert_eq!(answer.status, 200, "{what}");
        } else if MAKES.contains(&(operation.method.as_str(), operation.template.as_str())) {
            assert_eq!(answer.status, 201, "{what}");
            // What follows would meet its own.
            attacker.delete("/event-type/victim.type?expunge=true").await.expect(204);
        } else if operation.rule == Rule::Operator && !operation.has_ids() {
            assert_eq!(answer.status, 403, "{what}");
        } else {
            assert!([403, 404].contains(&answer.status), "{what}");
        }
        assert_eq!(world.leaks(&answer), None, "{what}");
    }
    // A header that operators choose with is nothing to others.
    let request = attacker.request(Method::GET, "/app").header("postrider-environment", "org_victim");
    assert_eq!(Api::send(request).await.expect(200)["data"], json!([]));
    // What names the victim in a filter finds nothing.
    for path in ["/dead-letter/replay", "/dead-letter/discard"] {
        let body = json!({"appId": world.victim.id, "endpointId": world.ids["endpoint_id"], "dryRun": true});
        let answer = attacker.post(path, &body).await;
        assert!(answer.status == 404 || answer.json()["count"] == 0, "{}", answer.text);
    }
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_tenant_who_may_only_look_changes_nothing() {
    let world = World::new().await;
    let access = format!("/auth/app-portal-access/{}", world.victim.id);
    let session = world.victim.api.post(&access, &json!({"readOnly": true})).await.expect(200);
    let reader = world.app.api().with_token(session["token"].as_str().unwrap());
    let before = world.everything().await;
    let mut looked = 0;
    for operation in world.operations() {
        if matches!(operation.rule, Rule::Public | Rule::Own) {
            continue;
        }
        let answer = operation.call(&reader).await;
        let what = format!("{}: {} {}", operation.name(), answer.status, answer.text);
        if !operation.is_read() || operation.template.ends_with("/secret") {
            assert_eq!(answer.status, 403, "{what}");
        } else if operation.rule == Rule::Tenant && answer.status == 200 {
            looked += 1;
        }
    }
    assert!(looked > 5, "it may look at what is its own");
    assert_eq!(world.everything().await, before);
}

#[test]
fn an_operation_without_a_rule_is_noticed() {
    assert_eq!(rule("/api/v1/something-new"), None);
    assert_eq!(rule("/api/v2/app"), None);
    assert_eq!(rule("/api/v1/app/{app_id}/something-new"), Some(Rule::Tenant));
    assert_eq!(rule("/api/v1/admin/something-new"), Some(Rule::Operator));
    let nameless = std::panic::catch_unwind(|| fill("/api/v1/app/{thing_id}", &BTreeMap::new()));
    assert!(nameless.is_err());
}

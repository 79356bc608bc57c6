//! Every list, text, map and free-form value of every input has a bound in the description, and one more is refused.

use http::Method;
use serde_json::{Map, Value, json};

use crate::support::{Api, Tenant, TestApp};

/// What to put where, so that one bound is broken.
struct Excess {
    place: Vec<String>,
    value: Value,
}

struct Description {
    whole: Value,
    unbounded: Vec<String>,
}

impl Description {
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        name.map_or(schema, |name| &self.whole["components"]["schemas"][name])
    }

    fn is_of(schema: &Value, kind: &str) -> bool {
        let kinds = &schema["type"];
        kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|it| it == kind))
    }

    /// The smallest value that the schema takes.
    fn small(&self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        match () {
            () if Self::is_of(schema, "string") => json!("x"),
            () if Self::is_of(schema, "integer") || Self::is_of(schema, "number") => json!(1),
            () => json!({}),
        }
    }

    /// Every way to break a bound below this place.
    fn excesses(&mut self, schema: &Value, place: &[String], found: &mut Vec<Excess>) {
        let schema = self.resolved(schema).clone();
        for parts in ["oneOf", "anyOf", "allOf"] {
            for part in schema[parts].as_array().into_iter().flatten() {
                self.excesses(part, place, found);
            }
        }
        let below = |key: &str| place.iter().cloned().chain([key.to_owned()]).collect::<Vec<_>>();
        let mut most = |key: &str| {
            let most = schema[key].as_u64().map(|most| usize::try_from(most).unwrap());
            if most.is_none() {
                self.unbounded.push(format!("{} has no {key}", place.join(".")));
            }
            most
        };
        let mut add = |value: Value| found.push(Excess { place: place.to_vec(), value });
        let is_open = schema["enum"].is_null() && schema["format"] != "date-time";
        if Self::is_of(&schema, "string") && is_open {
            most("maxLength").into_iter().for_each(|most| add(json!("x".repeat(most + 1))));
        }
        if Self::is_of(&schema, "array") {
            if let Some(most) = most("maxItems") {
                add(Value::Array(vec![self.small(&schema["items"]); most + 1]));
            }
            self.excesses(&schema["items"], &below("0"), found);
        } else if Self::is_of(&schema, "object") && schema["additionalProperties"].is_object() {
            if let Some(most) = most("maxProperties") {
                let value = self.small(&schema["additionalProperties"]);
                let fields: Map<String, Value> =
                    (0..=most).map(|n| (format!("x{n}"), value.clone())).collect();
                add(Value::Object(fields));
            }
            self.excesses(&schema["additionalProperties"], &below("x"), found);
        } else if let Some(fields) = schema["properties"].as_object() {
            for (name, field) in fields {
                self.excesses(field, &below(name), found);
            }
        } else if Self::is_of(&schema, "object")
            && let Some(most) = most("x-max-depth")
        {
            add((0..=most).fold(json!(1), |inner, _| json!({ "x": inner })));
        }
    }
}

/// `value` at its place in a copy of a body that is whole.
fn put(body: &mut Value, place: &[String], value: Value) {
    let Some((first, rest)) = place.split_first() else {
        *body = value;
        return;
    };
    if first == "0" {
        *body = json!([null]);
        return put(&mut body[0], rest, value);
    }
    if !body.is_object() {
        *body = json!({});
    }
    put(&mut body[first], rest, value);
}

fn filled(path: &str, tenant: &Tenant, alerts: &[(&str, String)]) -> String {
    let path = path.strip_prefix("/api/v1").unwrap();
    let path = path.replace("{app_id}", &tenant.id).replace("{endpoint_id}", "main");
    // An id that can be none is refused before its body is read.
    let path = path.replace("dead-letter/{id}", "dead-letter/dl_01h455vb4pex5vsknk084sn02q");
    let path = alerts.iter().fold(path, |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

async fn is_refused(api: &Api, method: &str, path: &str, body: &Value) -> Result<(), String> {
    let request = api.request(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), path);
    let answer = Api::send(request.json(body)).await;
    // A text of many mebibytes is more than a body may have.
    if matches!(answer.status, 413 | 422) {
        Ok(())
    } else {
        Err(format!("{} {}", answer.status, answer.text))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_input_is_bounded_and_one_more_is_refused() {
    let mut app = TestApp::start().await;
    app.leave_work();
    let tenant = app.tenant("bounded").await;
    let endpoint = json!({"url": "https://example.com/", "uid": "main", "disabled": true});
    tenant.api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    tenant.api.post("/operational-webhook/endpoint", &endpoint).await.expect(201);
    let alerts = tenant.alerts().await;
    let operator = app.api().claiming(&json!({"sub": "operator", "org": "org_test"}));
    let mut description =
        Description { whole: app.api().get("/openapi.json").await.expect(200), unbounded: vec![] };
    let paths = description.whole["paths"].as_object().unwrap().clone();
    let (mut tried, mut accepted) = (0, Vec::new());
    for (path, item) in &paths {
        for (method, operation) in item.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let place = format!("{method} {path} {}", parameter["name"]);
                description.excesses(&parameter["schema"], &[place], &mut Vec::new());
            }
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_null() {
                continue;
            }
            let mut excesses = Vec::new();
            description.excesses(schema, &[], &mut excesses);
            let whole = description.resolved(schema)["example"].clone();
            for excess in excesses {
                // Of many messages each is answered by itself.
                if path.ends_with("/batch") && excess.place.len() > 1 && excess.place[0] == "messages" {
                    continue;
                }
                let mut body = whole.clone();
                put(&mut body, &excess.place, excess.value);
                let refused = is_refused(&operator, method, &filled(path, &tenant, &alerts), &body).await;
                tried += 1;
                if let Err(said) = refused {
                    accepted.push(format!("{method} {path} {}: {said}", excess.place.join(".")));
                }
            }
        }
    }
    assert_eq!(description.unbounded, Vec::<String>::new());
    assert_eq!(accepted, Vec::<String>::new());
    assert!(tried > 100, "{tried} were tried");
}

#[tokio::test]
async fn parameters_are_bounded_too() {
    let app = TestApp::start().await;
    let tenant = app.tenant("asked").await;
    let api = &tenant.api;
    api.get(&format!("/app/{}", "x".repeat(257))).await.expect_error(404, "not_found");
    let places = api.get(&tenant.path(&format!("/msg?tag={}", "x".repeat(129)))).await.expect_invalid();
    assert!(places.contains_key("query.tag"), "{places:?}");
    let types = vec!["a"; 101].join(",");
    let places = api.get(&tenant.path(&format!("/msg?event_types={types}"))).await.expect_invalid();
    assert!(places.contains_key("query.event_types"), "{places:?}");
}

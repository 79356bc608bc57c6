//! Operations as they are described, with a victim's ids in them.

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::rule::{Rule, SIGN_IN, rule};
use crate::support::Api;
use crate::support::api::Answer;

/// An operation as it is described.
#[derive(Debug)]
pub struct Operation {
    pub method: String,
    pub template: String,
    pub rule: Rule,
    /// With the victim's ids in it.
    pub path: String,
    pub body: Option<Value>,
}

impl Operation {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    pub fn is_read(&self) -> bool {
        self.method == "get"
    }

    pub fn has_ids(&self) -> bool {
        self.template.contains('{')
    }

    pub async fn call(&self, api: &Api) -> Answer {
        self.send(|method, path| api.request(method, path)).await
    }

    /// Sends it as a request to this method and path, with its body.
    pub async fn send(&self, request: impl Fn(Method, &str) -> RequestBuilder) -> Answer {
        let method: Method = self.method.to_uppercase().parse().unwrap();
        let request = request(method, self.path.strip_prefix("/api/v1").unwrap());
        let request = match &self.body {
            Some(body) => request.json(body),
            None => request,
        };
        Api::send(request).await
    }
}

/// All operations, aimed at the victim.
pub fn operations(specification: &Value, ids: &BTreeMap<&str, String>) -> Vec<Operation> {
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
pub fn fill(template: &str, ids: &BTreeMap<&str, String>) -> String {
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
pub fn query(described: &Value) -> String {
    let parameters = described["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let needed = parameters.iter().filter(|it| it["in"] == "query" && it["required"] == true);
    let pairs: Vec<String> = needed
        .map(|it| {
            let listed = it["schema"]["enum"][0].as_str();
            let value = match (it["schema"]["type"].as_str(), it["schema"]["format"].as_str()) {
                _ if listed.is_some() => listed.unwrap(),
                (_, Some("date-time")) => "2026-01-01T00:00:00Z",
                (Some("integer" | "number"), _) => "1",
                (Some("boolean"), _) => "true",
                _ => it["example"].as_str().unwrap_or("x"),
            };
            format!("{}={value}", it["name"].as_str().unwrap())
        })
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// The example of a body.
pub fn body(specification: &Value, described: &Value) -> Option<Value> {
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

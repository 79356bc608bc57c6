//! What holds for the description as a whole, and for paths.

use std::collections::HashSet;

use serde_json::Value;

use super::*;

/// As `postrider openapi` writes it.
fn openapi_text() -> String {
    serde_json::to_string_pretty(&openapi()).unwrap() + "\n"
}

#[test]
fn the_committed_description_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/api-spec/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == openapi_text(),
        "api-spec/openapi.json is stale; `postrider openapi` writes it anew",
    );
}

fn operations(specification: &Value) -> Vec<(String, &Value)> {
    let paths = specification["paths"].as_object().unwrap();
    let methods = ["get", "post", "put", "patch", "delete"];
    paths
        .iter()
        .flat_map(|(path, item)| {
            methods.iter().filter_map(move |method| {
                item.get(method).map(|operation| (format!("{method} {path}"), operation))
            })
        })
        .collect()
}

#[test]
fn every_operation_is_described() {
    let specification = serde_json::to_value(openapi()).unwrap();
    let mut ids = HashSet::new();
    let operations = operations(&specification);
    assert!(operations.len() > 20);
    for (name, operation) in operations {
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(id.starts_with("v1.") && ids.insert(id.to_owned()), "{name}: {id}");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with(['2', '3'])), "{name}");
        for (status, response) in responses {
            let kinds = ["application~1json", "application~1x-ndjson", "text~1event-stream"];
            let has_body =
                kinds.iter().any(|kind| response.pointer(&format!("/content/{kind}/schema")).is_some());
            assert_eq!(has_body, !["204", "303"].contains(&status.as_str()), "{name}: {status}");
        }
        let in_template = name.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let described = parameters.iter().filter(|it| it["in"] == "path");
        let described: Vec<&str> = described.map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(described, in_template.collect::<Vec<_>>(), "{name}");
    }
}

/// An error stands where it can be answered, and nowhere else.
#[test]
fn an_operation_lists_the_errors_that_it_can_answer() {
    let specification = serde_json::to_value(openapi()).unwrap();
    for (name, operation) in operations(&specification) {
        let answers = |status: &str| operation["responses"].get(status).is_some();
        let takes_credential = operation.get("security").is_none();
        let has_body = operation.get("requestBody").is_some();
        // Signing in has its credential in the body.
        for status in ["401", "403", "422", "431", "500"] {
            assert_eq!(answers(status), takes_credential || has_body, "{name}: {status}");
        }
        for status in ["408", "413", "415"] {
            assert_eq!(answers(status), has_body, "{name}: {status}");
        }
        assert!(answers("404") || !name.contains('{'), "{name}: 404");
        let is_post = name.starts_with("post ") && takes_credential;
        assert!(answers("409") || !(is_post && has_body), "{name}: 409");
        let key = |it: &Value| it["name"] == "idempotency-key" && it["in"] == "header";
        let keys =
            operation["parameters"].as_array().map_or(0, |all| all.iter().filter(|it| key(it)).count());
        assert_eq!(keys, usize::from(is_post), "{name}: idempotency-key");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let text = openapi_text();
    let specification: Value = serde_json::from_str(&text).unwrap();
    let references = text.split("\"$ref\": \"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    for reference in references {
        assert!(specification.pointer(reference).is_some(), "{reference}");
    }
}

/// What callers give to their objects, and paths have.
const NAMES: [&str; 4] = ["{app_id}", "{endpoint_id}", "{msg_id}", "{event_type_name}"];

/// Whether some path could be of either template.
fn could_be_one(one: &[&str], other: &[&str]) -> bool {
    let is_any = |part: &str| part.starts_with('{');
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| one == other || is_any(one) || is_any(other))
}

/// A name that stands where another path has a part of its own would be taken for that.
#[test]
fn no_object_can_be_called_like_a_part_of_another_path() {
    let specification = serde_json::to_value(openapi()).unwrap();
    let paths: Vec<Vec<&str>> =
        specification["paths"].as_object().unwrap().keys().map(|path| path.split('/').collect()).collect();
    let mut taken = std::collections::BTreeSet::new();
    for named in &paths {
        for (place, name) in named.iter().enumerate().filter(|(_, part)| NAMES.contains(part)) {
            let siblings = paths.iter().filter(|other| {
                let is_static = other.get(place).is_some_and(|part| !part.starts_with('{'));
                is_static && could_be_one(named, other)
            });
            taken.extend(siblings.map(|other| (*name, other[place])));
        }
    }
    let refused = resource::message::RESERVED_EVENT_IDS.map(|id| ("{msg_id}", id));
    assert_eq!(taken, refused.into());
}

//! Two descriptions of the API compared, operation by operation: what a client of the older one would trip over.

use std::fmt::{self, Display};

use serde_json::{Map, Value};

use super::schema::{Side, differences};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// A change that breaks a client.
#[derive(Debug, PartialEq, Eq)]
pub struct Break {
    /// The id that the operation had.
    pub operation: String,
    /// What changed, and where.
    pub what: String,
}

impl Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.what)
    }
}

/// Everything in `new` that breaks clients of `old`.
pub fn breaks(old: &Value, new: &Value) -> Vec<Break> {
    let mut found = Vec::new();
    for (path, item) in members(&old["paths"]) {
        for method in METHODS {
            let Some(before) = item.get(method) else { continue };
            let operation = before["operationId"].as_str().unwrap_or_default();
            let note = |what: String| found.push(Break { operation: operation.to_owned(), what });
            match operation_at(new, path, method) {
                None => [format!("{method} {path} is gone")].into_iter().for_each(note),
                Some(after) => of_operation((old, before), (new, after)).into_iter().for_each(note),
            }
        }
    }
    found
}

/// The operation at this path, whatever its parameters are called.
fn operation_at<'a>(specification: &'a Value, path: &str, method: &str) -> Option<&'a Value> {
    let shape = |path: &str| -> Vec<String> {
        let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
        path.split('/').map(part).collect()
    };
    let mut all = members(&specification["paths"]);
    all.find(|(candidate, _)| shape(candidate) == shape(path)).and_then(|(_, item)| item.get(method))
}

fn of_operation(old: (&Value, &Value), new: (&Value, &Value)) -> Vec<String> {
    let mut found = Vec::new();
    if old.1["operationId"] != new.1["operationId"] {
        found.push(format!("its id became {}", new.1["operationId"]));
    }
    parameters(old, new, &mut found);
    request_body(old, new, &mut found);
    for (status, before) in members(&old.1["responses"]) {
        match new.1["responses"].get(status) {
            None => found.push(format!("the answer {status} is gone")),
            Some(after) => {
                content(
                    (old.0, before),
                    (new.0, after),
                    Side::Answer,
                    &format!("answer {status}"),
                    &mut found,
                );
            }
        }
    }
    found
}

fn parameters(old: (&Value, &Value), new: (&Value, &Value), found: &mut Vec<String>) {
    let all = |operation: &'_ Value| operation["parameters"].as_array().cloned().unwrap_or_default();
    // Clients put values into a path by their place.
    let named = |it: &&Value| it["in"] != "path";
    let is_required = |it: &Value| it["required"] == true;
    let same = |one: &Value, other: &Value| one["in"] == other["in"] && one["name"] == other["name"];
    let (before, after) = (all(old.1), all(new.1));
    for was in before.iter().filter(named) {
        let name = format!("{} parameter {}", text(&was["in"]), text(&was["name"]));
        let Some(is) = after.iter().find(|is| same(was, is)) else {
            found.push(format!("the {name} is gone"));
            continue;
        };
        if is_required(is) && !is_required(was) {
            found.push(format!("the {name} became required"));
        }
        let schemas = ((old.0, &was["schema"]), (new.0, &is["schema"]));
        found.extend(differences(schemas.0, schemas.1, Side::Request, &name));
    }
    let fresh = after.iter().filter(named).filter(|is| !before.iter().any(|was| same(was, is)));
    for is in fresh.filter(|is| is_required(is)) {
        found.push(format!("the new {} parameter {} is required", text(&is["in"]), text(&is["name"])));
    }
}

fn request_body(old: (&Value, &Value), new: (&Value, &Value), found: &mut Vec<String>) {
    let (before, after) = (&old.1["requestBody"], &new.1["requestBody"]);
    if after["required"] == true && before["required"] != true {
        found.push("the body became required".to_owned());
    }
    content((old.0, before), (new.0, after), Side::Request, "body", found);
}

/// Compares what is there for each content type.
fn content(old: (&Value, &Value), new: (&Value, &Value), side: Side, place: &str, found: &mut Vec<String>) {
    for (kind, before) in members(&old.1["content"]) {
        match new.1["content"].get(kind) {
            None => found.push(format!("{place}: {kind} is gone")),
            Some(after) => {
                let schemas = ((old.0, &before["schema"]), (new.0, &after["schema"]));
                found.extend(differences(schemas.0, schemas.1, side, place));
            }
        }
    }
}

/// The members of an object; of anything else none.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

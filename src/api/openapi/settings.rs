//! The schemas of what the API takes and answers of a resource, made of its settings: those of an input, of a change, in
//! which no field is required, and of an answer, in which every field is there.

use serde_json::{Map, Value, json};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

use crate::domain::settings::Settings;

type Schemas = Vec<RefOr<Schema>>;

/// The schema of an object to create; `more` is what it takes besides its settings.
pub(in crate::api) fn input<S: Settings>(description: &str, more: Schemas) -> RefOr<Schema> {
    let mut object = merged(S::schemas().into_iter().chain(more));
    add_second_names::<S>(&mut object);
    schema(description, object)
}

/// The schema of a change.
pub(in crate::api) fn change<S: Settings>(description: &str) -> RefOr<Schema> {
    let mut object = merged(S::schemas());
    add_second_names::<S>(&mut object);
    object.remove("required");
    schema(description, object)
}

/// The schema of an answer; `facts` are what is told besides the settings. What has a default is always there.
pub(in crate::api) fn answer<S: Settings>(description: &str, facts: Schemas) -> RefOr<Schema> {
    let mut object = merged(S::schemas());
    let defaults = S::default().fields();
    let always = defaults.into_iter().filter(|(_, value)| !value.is_null());
    for (name, _) in always {
        if let Some(kind) =
            object.get_mut("properties").and_then(|all| all.pointer_mut(&format!("/{name}/type")))
        {
            *kind = without_null(kind.take());
        }
        require(&mut object, &name);
    }
    add_second_names::<S>(&mut object);
    let settings = serde_json::from_value(Value::Object(object)).map(RefOr::T);
    schema(description, merged(facts.into_iter().chain(settings)))
}

/// One object with the fields of all.
fn merged(schemas: impl IntoIterator<Item = RefOr<Schema>>) -> Map<String, Value> {
    let mut object = Map::from_iter([("type".to_owned(), json!("object"))]);
    for one in schemas.into_iter().map(|one| json!(one)) {
        for part in ["properties", "required"] {
            let Some(more) = one.get(part) else { continue };
            match (object.entry(part).or_insert_with(|| more.clone()), more) {
                (Value::Object(all), Value::Object(more)) => all.extend(more.clone()),
                (Value::Array(all), Value::Array(more)) => {
                    let fresh: Vec<Value> = more.iter().filter(|it| !all.contains(it)).cloned().collect();
                    all.extend(fresh);
                }
                _ => {}
            }
        }
    }
    object
}

fn require(object: &mut Map<String, Value>, name: &str) {
    if let Value::Array(required) = object.entry("required").or_insert(json!([]))
        && !required.iter().any(|it| it == name)
    {
        required.push(json!(name));
    }
}

fn without_null(kind: Value) -> Value {
    let Value::Array(kinds) = kind else { return kind };
    let mut others = kinds.into_iter().filter(|kind| kind != "null");
    others.next().unwrap_or_default()
}

fn add_second_names<S: Settings>(object: &mut Map<String, Value>) {
    let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for second in S::SECOND_NAMES {
        let Some(whole) = properties.get(second.of).and_then(Value::as_object) else { continue };
        let mut field = whole.clone();
        let description = if second.is_single_entry {
            field = whole.get("items").and_then(Value::as_object).cloned().unwrap_or_default();
            let kind = field.get("type").cloned();
            field.insert("type".to_owned(), json!([kind, "null"]));
            format!("A single one of `{}`.", second.of)
        } else {
            format!("Another name of `{}`.", second.of)
        };
        field.insert("description".to_owned(), json!(description));
        properties.insert(second.name.to_owned(), Value::Object(field));
    }
}

fn schema(description: &str, mut object: Map<String, Value>) -> RefOr<Schema> {
    object.insert("description".to_owned(), json!(description));
    // What cannot be read back would be missing in the committed description, which a test compares.
    let object = serde_json::from_value(Value::Object(object)).unwrap_or(ObjectBuilder::new().build());
    RefOr::T(Schema::Object(object))
}

/// Gives a type the schema that an expression makes.
macro_rules! has_schema {
    ($($type:ty => $schema:expr),+ $(,)?) => {$(
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $schema
            }
        }

        impl utoipa::ToSchema for $type {}
    )+};
}

pub(in crate::api) use has_schema;

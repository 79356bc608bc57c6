//! The event types of the demonstration, each with what its payload looks like.

use serde_json::{Value, json};

use super::api::Api;

struct EventType {
    name: &'static str,
    group: &'static str,
    description: &'static str,
    /// The payload's fields with an example of each.
    example: fn() -> Value,
}

const EVENT_TYPES: [EventType; 5] = [
    EventType {
        name: "invoice.paid",
        group: "billing",
        description: "An invoice was paid in full.",
        example: || json!({"invoice": invoice(), "customer": "Ada Lovelace", "method": "card"}),
    },
    EventType {
        name: "invoice.overdue",
        group: "billing",
        description: "An invoice was not paid in time.",
        example: || json!({"invoice": invoice(), "customer": "Ada Lovelace", "daysOverdue": 7}),
    },
    EventType {
        name: "order.shipped",
        group: "orders",
        description: "An order has left the warehouse.",
        example: || json!({"order": "ord_10001", "carrier": "DHL", "parcels": 2, "customer": "Ada Lovelace"}),
    },
    EventType {
        name: "user.signed_up",
        group: "users",
        description: "Somebody made an account.",
        example: || json!({"user": {"id": "usr_10001", "name": "Ada Lovelace"}, "plan": "team"}),
    },
    EventType {
        name: "user.deleted",
        group: "users",
        description: "An account was deleted.",
        example: || json!({"user": {"id": "usr_10001"}, "reason": "requested"}),
    },
];

fn invoice() -> Value {
    json!({"id": "in_10001", "total": 4_299, "currency": "EUR"})
}

/// Makes sure that they are there.
pub(super) async fn create(api: &Api) -> anyhow::Result<()> {
    for EventType { name, group, description, example } in EVENT_TYPES {
        let mut schema = schema_of(&example());
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("examples".to_owned(), json!([example()]));
        }
        let body = json!({"description": description, "groupName": group, "schemas": {"1": schema}});
        api.put(&format!("/event-type/{name}"), &body).await?;
    }
    Ok(())
}

/// The JSON Schema of values such as this one.
fn schema_of(example: &Value) -> Value {
    match example {
        Value::Object(fields) => {
            let required: Vec<&String> = fields.keys().collect();
            let properties: serde_json::Map<String, Value> =
                fields.iter().map(|(name, value)| (name.clone(), schema_of(value))).collect();
            json!({"type": "object", "properties": properties, "required": required})
        }
        Value::Number(_) => json!({"type": "integer"}),
        _ => json!({"type": "string"}),
    }
}

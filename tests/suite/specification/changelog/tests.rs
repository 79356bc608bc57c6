//! Each kind of change, alone: what breaks is found, what does not is not.

use serde_json::{Value, json};

use super::breaks::breaks;

fn specification() -> Value {
    json!({
        "paths": {"/thing/{id}": {"post": {
            "operationId": "v1.thing.make",
            "parameters": [
                {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                {"name": "order", "in": "query", "required": false, "schema": {"$ref": "#/components/schemas/Order"}}
            ],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingIn"}}}},
            "responses": {
                "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingOut"}}}},
                "404": {"description": "none"}
            }
        }}},
        "components": {"schemas": {
            "Order": {"type": "string", "enum": ["up", "down"]},
            "ThingIn": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "maxLength": 10},
                "count": {"type": ["integer", "null"]}
            }},
            "ThingOut": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "string"},
                "state": {"type": "string", "enum": ["on", "off"]},
                "size": {"type": "number"},
                "parts": {"type": "array", "items": {"$ref": "#/components/schemas/ThingOut"}},
                "owner": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Owner"}]}
            }},
            "Owner": {"type": "object", "properties": {"name": {"type": "string"}}}
        }}
    })
}

const OPERATION: &str = "/paths/~1thing~1{id}/post";

/// What is found after a change at a pointer.
fn after(pointer: &str, change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut new = specification();
    let pointer = pointer.replacen("#op", OPERATION, 1).replacen('#', "/components/schemas", 1);
    change(new.pointer_mut(&pointer).unwrap_or_else(|| panic!("{pointer}")));
    let found = breaks(&specification(), &new);
    assert!(found.iter().all(|it| it.operation == "v1.thing.make"));
    found.into_iter().map(|it| it.what).collect()
}

fn set(name: &'static str, value: Value) -> impl FnOnce(&mut Value) {
    move |place| place[name] = value
}

fn without(name: &'static str) -> impl FnOnce(&mut Value) {
    move |place| assert!(place.as_object_mut().unwrap().remove(name).is_some())
}

fn to(value: Value) -> impl FnOnce(&mut Value) {
    move |place| *place = value
}

#[test]
fn the_same_breaks_nobody() {
    assert_eq!(breaks(&specification(), &specification()), []);
    let real = serde_json::to_value(postrider::api::openapi()).unwrap();
    assert_eq!(breaks(&real, &real), []);
}

#[test]
fn an_operation_that_is_gone_breaks() {
    assert_eq!(after("/paths/~1thing~1{id}", without("post")), ["post /thing/{id} is gone"]);
    assert_eq!(after("/paths", without("/thing/{id}")), ["post /thing/{id} is gone"]);
    assert_eq!(after("#op", set("operationId", json!("v1.thing.create"))).len(), 1);
}

#[test]
fn a_path_parameter_may_be_called_otherwise() {
    let mut new = specification();
    let item = new["paths"].as_object_mut().unwrap().remove("/thing/{id}").unwrap();
    new["paths"]["/thing/{thing_id}"] = item;
    new["paths"]["/thing/{thing_id}"]["post"]["parameters"][0]["name"] = json!("thing_id");
    assert_eq!(breaks(&specification(), &new), []);
}

#[test]
fn a_status_that_is_gone_breaks() {
    assert_eq!(after("#op/responses", without("404")), ["the answer 404 is gone"]);
    assert!(after("#op/responses", set("409", json!({}))).is_empty());
}

#[test]
fn a_field_of_an_answer_that_is_gone_renamed_or_of_another_type_breaks() {
    assert_eq!(after("#/ThingOut/properties", without("size")), ["answer 200.size is gone"]);
    let renamed = after("#/ThingOut/properties", |all| {
        let size = all.as_object_mut().unwrap().remove("size").unwrap();
        all["weight"] = size;
    });
    assert_eq!(renamed, ["answer 200.size is gone"]);
    assert_eq!(after("#/ThingOut/properties/size/type", to(json!("string"))).len(), 1);
    assert_eq!(after("#/ThingOut/properties/size/type", to(json!(["number", "null"]))).len(), 1);
    assert_eq!(after("#/ThingOut/properties/parts/items", to(json!({"type": "string"}))).len(), 1);
    assert_eq!(after("#/Owner/properties", without("name")), ["answer 200.owner.name is gone"]);
    assert_eq!(after("#/ThingOut/required", to(json!([]))), ["answer 200.id may be absent now"]);
    assert!(after("#/ThingOut/properties/size/type", to(json!("integer"))).is_empty());
    assert!(after("#/ThingOut/properties", set("color", json!({"type": "string"}))).is_empty());
    assert!(after("#/ThingOut/properties/state/enum", to(json!(["on", "off", "away"]))).is_empty());
}

#[test]
fn what_is_newly_required_of_a_request_breaks() {
    assert_eq!(after("#/ThingIn/required", to(json!(["name", "count"]))), ["body.count became required"]);
    let parameter = |required: bool| json!({"name": "key", "in": "query", "required": required});
    let added =
        |required: bool| after("#op/parameters", |all| all.as_array_mut().unwrap().push(parameter(required)));
    assert_eq!(added(true), ["the new query parameter key is required"]);
    assert!(added(false).is_empty());
    assert_eq!(after("#op/parameters/1", set("required", json!(true))).len(), 1);
    assert_eq!(after("#op/requestBody", set("required", json!(true))), ["the body became required"]);
    assert!(after("#/ThingIn/required", to(json!([]))).is_empty());
}

#[test]
fn what_a_request_could_say_must_still_be_accepted() {
    assert_eq!(
        after("#/Order/enum", to(json!(["up"]))),
        ["query parameter order: the value \"down\" is gone"]
    );
    assert!(after("#/Order/enum", to(json!(["up", "down", "none"]))).is_empty());
    assert_eq!(after("#/ThingIn/properties", without("count")), ["body.count is gone"]);
    assert_eq!(after("#op/parameters", |all| drop(all.as_array_mut().unwrap().pop())).len(), 1);
    assert_eq!(after("#/ThingIn/properties/count/type", to(json!("integer"))).len(), 1);
    assert_eq!(after("#/ThingIn/properties/name/maxLength", to(json!(9))).len(), 1);
    assert_eq!(after("#/ThingIn/properties/name", set("pattern", json!("^a"))).len(), 1);
    assert!(after("#/ThingIn/properties/name/maxLength", to(json!(11))).is_empty());
    assert!(after("#/ThingIn/properties/count/type", to(json!(["number", "null"]))).is_empty());
}

#[test]
fn another_content_type_breaks() {
    let xml = json!({"application/xml": {"schema": {}}});
    assert_eq!(after("#op/responses/200/content", to(xml)), ["answer 200: application/json is gone"]);
}

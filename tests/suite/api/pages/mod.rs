//! Lists stand still for whoever pages through them, forward and back, while others put new things in: what was there
//! is met once, and nothing is met twice. Every list of the API's description takes part.

mod iterators;
mod world;

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use crate::support::Receiver;

use world::{Grow, World};

/// There at the start, for each list; so many pages that new items come in between.
const AT_FIRST: usize = 11;
const PAGE: usize = 3;
/// So many come while somebody pages.
const MORE: usize = 6;

/// The lists, how something new gets into each, and a test of each.
macro_rules! lists {
    ($($name:ident: $path:literal, $grow:expr;)*) => {
        const LISTS: &[&str] = &[$($path),*];

        mod everything_is_met_once_while_new_things_come_in_among {
            use super::world::Grow;

            $(
                #[tokio::test]
                async fn $name() {
                    super::page_through(($path, $grow)).await;
                }
            )*
        }
    };
}

lists! {
    applications: "/api/v1/app", Grow::Application;
    endpoints: "/api/v1/app/{app_id}/endpoint", Grow::Endpoint;
    operational_endpoints: "/api/v1/operational-webhook/endpoint", Grow::OperationalEndpoint;
    endpoint_secrets: "/api/v1/environment/endpoint-secret", Grow::Endpoint;
    event_types: "/api/v1/event-type", Grow::EventType;
    api_keys: "/api/v1/api-key", Grow::ApiKey;
    api_keys_of_all: "/api/v1/admin/api-key", Grow::ApiKey;
    background_tasks: "/api/v1/background-task", Grow::BackgroundTask;
    messages: "/api/v1/app/{app_id}/msg", Grow::Message;
    messages_of_an_endpoint: "/api/v1/app/{app_id}/endpoint/{endpoint_id}/msg", Grow::Message;
    attempts_at_an_endpoint: "/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}", Grow::Message;
    dead_letters_of_an_application: "/api/v1/app/{app_id}/dead-letter", Grow::Message;
    dead_letters: "/api/v1/dead-letter", Grow::Message;
    dead_letters_of_all: "/api/v1/admin/dead-letter", Grow::Message;
    audit_log: "/api/v1/audit-log", Grow::Application;
    audit_log_of_all: "/api/v1/admin/audit-log", Grow::Application;
    environments: "/api/v1/admin/environment", Grow::Environment;
    usage_by_application: "/api/v1/usage", Grow::Application;
    usage_by_environment: "/api/v1/admin/usage/environment", Grow::Environment;
    waiting_endpoints: "/api/v1/admin/queue/endpoint", Grow::Waiting;
    attempts_of_a_message: "/api/v1/app/{app_id}/attempt/msg/{msg_id}", Grow::Attempt;
    deliveries_of_a_message: "/api/v1/app/{app_id}/msg/{msg_id}/delivery", Grow::Destination;
    endpoints_that_ask_for_an_event_type: "/api/v1/event-type/{event_type_name}/endpoint", Grow::Asking;
    people: "/api/v1/person", Grow::Person;
    endpoints_of_a_message: "/api/v1/app/{app_id}/msg/{msg_id}/endpoint", Grow::Destination;
}

fn keys(page: &Value) -> Vec<String> {
    let key = |item: &Value| {
        let named = ["id", "name", "endpointId", "appId", "environmentId"]
            .iter()
            .find_map(|field| item.get(field)?.as_str());
        named.unwrap_or_else(|| panic!("{item}")).to_owned()
    };
    page["data"].as_array().unwrap().iter().map(key).collect()
}

/// Pages in the direction that the iterators in `field` lead, to the end. Meanwhile new items come in.
async fn pages(
    world: &World,
    (list, grow): (&str, Grow),
    from: Option<String>,
    field: &str,
    (number, most): (&mut usize, usize),
) -> (Vec<String>, Value) {
    let (mut met, mut iterator) = (Vec::new(), from);
    loop {
        let after = iterator.as_ref().map(|text| format!("&iterator={text}")).unwrap_or_default();
        let path = format!("{}?limit={PAGE}{after}", world.path(list));
        let more = async {
            if *number < most {
                *number += 1;
                world.grow(grow, *number).await;
            }
        };
        let (answer, ()) = tokio::join!(world.caller(list).get(&path), more);
        let page = answer.expect(200);
        let found = keys(&page);
        // Backward, pages come one before the other; within a page the order is the list's.
        if field == "iterator" {
            met.extend(found);
        } else {
            met.extend(found.into_iter().rev());
        }
        if page["done"] == true {
            return (met, page);
        }
        iterator = Some(page[field].as_str().unwrap_or_else(|| panic!("{list}: {page}")).to_owned());
    }
}

fn assert_once(list: &str, way: &str, met: &[String], at_first: &BTreeSet<String>) {
    let distinct: HashSet<&String> = met.iter().collect();
    assert_eq!(distinct.len(), met.len(), "{list}, {way}: something was met twice: {met:?}");
    let skipped: Vec<_> = at_first.iter().filter(|key| !distinct.contains(key)).collect();
    assert!(skipped.is_empty(), "{list}, {way}: {skipped:?} were skipped, {met:?} were met");
}

#[test]
fn every_list_of_the_description_is_paged_through() {
    let specification = serde_json::to_value(postrider::api::openapi()).unwrap();
    let is_list = |item: &Value| {
        let schema = item.pointer("/get/responses/200/content/application~1json/schema/$ref");
        schema.and_then(Value::as_str).is_some_and(|name| name.contains("/ListOut_"))
    };
    let paths = specification["paths"].as_object().unwrap();
    let described: BTreeSet<&str> =
        paths.iter().filter(|(_, item)| is_list(item)).map(|(path, _)| path.as_str()).collect();
    assert_eq!(LISTS.iter().copied().collect::<BTreeSet<_>>(), described);
}

async fn page_through(entry: (&str, Grow)) {
    let (list, grow) = entry;
    let receiver = Receiver::start().await;
    let mut world = World::make(&receiver).await;
    let (mut number, mut most) = (0, AT_FIRST + MORE);
    while number < AT_FIRST {
        number += 1;
        world.grow(grow, number).await;
    }
    let all = world.caller(list).all(&world.path(list), 100).await;
    let at_first: BTreeSet<String> = keys(&json!({"data": all})).into_iter().collect();
    assert!(at_first.len() >= AT_FIRST, "{list}: {at_first:?}");

    let (forward, last) = pages(&world, entry, None, "iterator", (&mut number, most)).await;
    assert_once(list, "forward", &forward, &at_first);

    // Back from the last page, which counts as met.
    most += MORE;
    let before: BTreeSet<String> = keys(&last).into_iter().collect();
    let start = last["prevIterator"].as_str().unwrap().to_owned();
    let (backward, _) = pages(&world, entry, Some(start), "prevIterator", (&mut number, most)).await;
    let met: Vec<String> = before.into_iter().chain(backward).collect();
    assert_once(list, "back", &met, &at_first);
    world.app.settled().await;
    world.app.leave_work();
}

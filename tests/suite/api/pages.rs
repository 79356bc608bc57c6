//! Lists stand still for whoever pages through them, forward and back, while others put new things in: what was there
//! is met once, and nothing is met twice. Every list of the API's description takes part.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use crate::support::{Api, Receiver, Reply, Setup, Tenant, TestApp};

/// There at the start, for each list; so many pages that new items come in between.
const AT_FIRST: usize = 11;
const PAGE: usize = 3;
/// So many come while somebody pages.
const MORE: usize = 6;

/// The lists, and how something new gets into each.
const LISTS: [(&str, Grow); 19] = [
    ("/api/v1/app", Grow::Application),
    ("/api/v1/app/{app_id}/endpoint", Grow::Endpoint),
    ("/api/v1/operational-webhook/endpoint", Grow::OperationalEndpoint),
    ("/api/v1/event-type", Grow::EventType),
    ("/api/v1/api-key", Grow::ApiKey),
    ("/api/v1/admin/api-key", Grow::ApiKey),
    ("/api/v1/background-task", Grow::BackgroundTask),
    ("/api/v1/app/{app_id}/msg", Grow::Message),
    ("/api/v1/app/{app_id}/endpoint/{endpoint_id}/msg", Grow::Message),
    ("/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}", Grow::Message),
    ("/api/v1/app/{app_id}/dead-letter", Grow::Message),
    ("/api/v1/dead-letter", Grow::Message),
    ("/api/v1/admin/dead-letter", Grow::Message),
    ("/api/v1/audit-log", Grow::Application),
    ("/api/v1/admin/audit-log", Grow::Application),
    ("/api/v1/admin/environment", Grow::Environment),
    ("/api/v1/admin/queue/endpoint", Grow::Waiting),
    ("/api/v1/app/{app_id}/attempt/msg/{msg_id}", Grow::Attempt),
    ("/api/v1/app/{app_id}/msg/{msg_id}/endpoint", Grow::Destination),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grow {
    Application,
    Endpoint,
    OperationalEndpoint,
    EventType,
    ApiKey,
    BackgroundTask,
    Environment,
    /// One more endpoint that is disabled, with something held for it.
    Waiting,
    /// Delivered at one endpoint, a dead letter at another.
    Message,
    /// One more of the first message, at the good endpoint.
    Attempt,
    /// One more endpoint for the first message.
    Destination,
}

struct World {
    app: TestApp,
    operator: Api,
    api: Api,
    tenant: Tenant,
    good: String,
    message: String,
    url: String,
}

impl World {
    async fn make(receiver: &Receiver) -> Self {
        let app = Setup::default().with("RETRY_SCHEDULE", "").start().await;
        let tenant = app.tenant("paged").await;
        let good = receiver.hook("/good");
        let bad = receiver.hook_that("/bad", |_| Reply::Status(500));
        let good_id = tenant.endpoint(&good, json!({"eventTypes": ["made"]})).await;
        tenant.endpoint(&bad, json!({"retrySchedule": [], "eventTypes": ["made"]})).await;
        let message = tenant.message("made", json!({})).await;
        app.settled().await;
        let operator = app.api().claiming(&json!({"sub": "operator"}));
        Self { operator, api: app.environment(), good: good_id, message, url: good.url, app, tenant }
    }

    fn path(&self, list: &str) -> String {
        list.trim_start_matches("/api/v1")
            .replace("{app_id}", &self.tenant.id)
            .replace("{endpoint_id}", &self.good)
            .replace("{msg_id}", &self.message)
    }

    fn caller(&self, list: &str) -> &Api {
        if list.contains("/admin/") { &self.operator } else { &self.api }
    }

    async fn grow(&self, what: Grow, number: usize) {
        let post =
            async |path: &str, body: Value, status: u16| self.api.post(path, &body).await.expect(status);
        let resend = async |endpoint: &str| {
            let path = self.tenant.path(&format!("/msg/{}/endpoint/{endpoint}/resend", self.message));
            post(&path, json!({}), 202).await;
            self.app.settled().await;
        };
        match what {
            Grow::Application => drop(post("/app", json!({"name": "One more"}), 201).await),
            Grow::Endpoint => {
                // It wants nothing, so that no message goes there.
                let body = json!({"url": self.url, "eventTypes": ["nothing"]});
                post(&self.tenant.path("/endpoint"), body, 201).await;
            }
            Grow::OperationalEndpoint => {
                let body = json!({"url": self.url, "eventTypes": ["endpoint.disabled"]});
                post("/operational-webhook/endpoint", body, 201).await;
            }
            Grow::EventType => {
                // In no order, so that new names come before and behind whoever pages.
                let name = format!("type-{}", number * 7919 % 1000);
                post("/event-type", json!({"name": name, "description": "One."}), 201).await;
            }
            Grow::ApiKey => drop(post("/api-key", json!({"name": "One more"}), 201).await),
            Grow::BackgroundTask => {
                post(&self.tenant.path("/dead-letter/discard"), json!({"eventType": "nothing"}), 202).await;
            }
            Grow::Environment => {
                // Its token makes it. In no order, as above.
                let api = self.app.api().claiming(&json!({"sub": format!("org_{}", number * 7919 % 1000)}));
                api.get("/app").await.expect(200);
            }
            Grow::Waiting => {
                let own = format!("only-{number}");
                let body = json!({"url": self.url, "eventTypes": [own], "disabled": true});
                post(&self.tenant.path("/endpoint"), body, 201).await;
                self.tenant.message(&own, json!({})).await;
            }
            Grow::Message => {
                self.tenant.message("made", json!({})).await;
                self.app.settled().await;
            }
            Grow::Attempt => resend(&self.good).await,
            Grow::Destination => {
                let body = json!({"url": self.url, "eventTypes": ["nothing"]});
                let made = post(&self.tenant.path("/endpoint"), body, 201).await;
                resend(made["id"].as_str().unwrap()).await;
            }
        }
    }
}

fn keys(page: &Value) -> Vec<String> {
    let key = |item: &Value| {
        let named = ["id", "name", "endpointId"].iter().find_map(|field| item.get(field)?.as_str());
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
    assert_eq!(LISTS.map(|(list, _)| list).into_iter().collect::<BTreeSet<_>>(), described);
}

#[tokio::test(flavor = "multi_thread")]
async fn paging_meets_everything_once_while_new_things_come_in() {
    let receiver = Receiver::start().await;
    for entry @ (list, grow) in LISTS {
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
}

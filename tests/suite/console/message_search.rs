//! Messages are found by what they are and what is in them, in a walk that says how far it got.

use serde_json::{Value, json};

use crate::support::{Api, LocalApp, Receiver, Reply, Setup, Tenant};

async fn ask(api: &Api, path: &str, query: &[(&str, &str)]) -> Value {
    api.get_with(path, query).await.expect(200)
}

fn ids(found: &Value) -> Vec<&str> {
    found["data"].as_array().unwrap().iter().map(|message| message["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn messages_are_found_by_what_they_are_and_what_is_in_them() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "none").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let good = tenant.endpoint(&receiver.hook("/good"), json!({"uid": "good"})).await;
    let bad = receiver.hook_that("/bad", |_| Reply::Status(500));
    tenant.endpoint(&bad, json!({"eventTypes": ["a.lost"]})).await;
    let held = json!({"eventTypes": ["a.held"], "disabled": true});
    tenant.endpoint(&receiver.hook("/held"), held).await;
    let first = json!({"eventType": "a.paid", "eventId": "inv-1", "channels": ["eu"], "tags": ["x"],
        "payload": {"customer": "Müller & Söhne", "amount": 4200}});
    let first = tenant.message_of(first).await;
    let second = tenant.message("a.lost", json!({"customer": "ACME"})).await;
    let third = tenant.message("a.held", json!({})).await;
    let other = app.tenant("two").await;
    let fourth = other.message("a.paid", json!({"customer": "acme"})).await;
    app.settled().await;

    let api = app.environment();
    let all = ask(&api, "/message-search", &[]).await;
    assert_eq!(ids(&all), [&fourth, &third, &second, &first]);
    assert_eq!((&all["done"], &all["iterator"], &all["looked"]), (&json!(true), &Value::Null, &json!(4)));
    let shown = &all["data"][2];
    assert_eq!((&shown["appName"], &shown["sizeBytes"]), (&json!("one"), &json!(19)));
    assert_eq!((&shown["deliveries"]["delivered"], &shown["deliveries"]["dead"]), (&json!(1), &json!(1)));
    let (of_app, of_endpoint) = (("app_id", tenant.id.as_str()), ("endpoint_id", good.as_str()));
    for (query, expected) in [
        (vec![of_app], vec![&third, &second, &first]),
        (vec![of_endpoint], vec![&third, &second, &first]),
        (vec![of_app, ("endpoint_id", "good"), ("q", "acme")], vec![&second]),
        (vec![of_endpoint, ("state", "dead")], vec![]),
        (vec![("event_types", "a.paid")], vec![&fourth, &first]),
        (vec![("channel", "eu")], vec![&first]),
        (vec![("tag", "x")], vec![&first]),
        (vec![("state", "dead")], vec![&second]),
        (vec![("state", "held")], vec![&third]),
        (vec![("state", "delivered"), ("q", "acme")], vec![&second]),
        (vec![("q", "acMe")], vec![&fourth, &second]),
        (vec![("q", "Müller & S")], vec![&first]),
        (vec![("q", "INV-1")], vec![&first]),
        (vec![("q", "\"amount\":4200")], vec![&first]),
        (vec![("q", "a.paid")], vec![]),
        (vec![("until", "2000-01-01T00:00:00Z")], vec![]),
        (vec![("since", "2000-01-01T00:00:00Z"), of_app], vec![&third, &second, &first]),
    ] {
        assert_eq!(ids(&ask(&api, "/message-search", &query).await), expected, "{query:?}");
    }
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    let path = tenant.path("/message-search");
    assert_eq!(ids(&ask(&own, &path, &[("q", "acme")]).await), [&second]);
    own.get("/message-search").await.expect_error(403, "forbidden");
    own.get(&other.path("/message-search")).await.expect_error(404, "not_found");
    let stranger = app.api().claiming(&json!({"sub": "org_stranger"}));
    assert_eq!(ids(&ask(&stranger, "/message-search", &[("q", "acme")]).await), [] as [&str; 0]);
    let foreign = format!("/message-search?endpoint_id={good}");
    stranger.get(&foreign).await.expect_error(404, "not_found");
    for wrong in ["endpoint_id=good", "state=asleep", "limit=0", "iterator=x", "since=soon"] {
        api.get(&format!("/message-search?{wrong}")).await.expect_invalid();
    }
}

/// Messages that nobody gets, written straight into the database.
async fn write_messages(app: &LocalApp, tenant: &Tenant, number: i32) {
    let application: postrider::domain::id::ApplicationId = tenant.id.parse().unwrap();
    let statement = "INSERT INTO message (id, application_id, event_type, payload)
         SELECT (left(uuid_at(now() - make_interval(secs => n))::text, 15) || '7' || right(gen_random_uuid()::text, 20))::uuid,
                $1, 'a.b', convert_to('{\"n\":' || n || '}', 'UTF8') FROM generate_series(1, $2) n";
    sqlx::query(statement).bind(application.uuid()).bind(number).execute(&app.database().pool).await.unwrap();
}

#[tokio::test]
async fn a_walk_is_bounded_says_how_far_it_got_and_goes_on_there() {
    const MESSAGES: i32 = 4_500;
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    write_messages(&app, &tenant, MESSAGES).await;
    let api = app.environment();
    let (mut met, mut looked, mut iterator, mut calls) = (Vec::new(), 0, String::new(), 0);
    loop {
        let found = ask(&api, "/message-search", &[("q", "\"n\":4499}"), ("iterator", &iterator)]).await;
        met.extend(ids(&found).into_iter().map(str::to_owned));
        let part = found["looked"].as_i64().unwrap();
        assert!((1..=2_000).contains(&part), "{found}");
        looked += part;
        calls += 1;
        if found["done"] == true {
            assert_eq!(found["reachedAt"], Value::Null);
            break;
        }
        assert!(found["reachedAt"].is_string(), "{found}");
        iterator = found["iterator"].as_str().unwrap().to_owned();
    }
    assert_eq!((met.len(), looked), (1, i64::from(MESSAGES)));
    assert!(calls >= 3, "{calls} calls");

    // A full page ends a call as well, and the next one misses nothing.
    let (mut all, mut iterator) = (std::collections::BTreeSet::new(), String::new());
    loop {
        let found = ask(&api, "/message-search", &[("limit", "250"), ("iterator", &iterator)]).await;
        all.extend(ids(&found).into_iter().map(str::to_owned));
        assert!(ids(&found).len() <= 250);
        if found["done"] == true {
            break;
        }
        iterator = found["iterator"].as_str().unwrap().to_owned();
    }
    assert_eq!(all.len(), 4_500);
}

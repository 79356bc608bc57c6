//! Anything is found by its id, its name or a part of it.

use serde_json::{Value, json};

use crate::support::{Api, LocalApp, Receiver, Reply, Setup, Tenant};

async fn found(api: &Api, asked: &str) -> Vec<(String, String)> {
    let answer = api.get_with("/search", &[("q", asked)]).await.expect(200);
    let text = |hit: &Value, field: &str| hit[field].as_str().unwrap_or_default().to_owned();
    answer["data"].as_array().unwrap().iter().map(|hit| (text(hit, "kind"), text(hit, "id"))).collect()
}

fn hit(kind: &str, id: &str) -> (String, String) {
    (kind.to_owned(), id.to_owned())
}

#[tokio::test]
async fn everything_of_an_environment_is_found_and_nothing_of_another() {
    let app = Setup::default().with("RETRY_SCHEDULE", "none").start_local().await;
    let receiver = Receiver::start().await;
    let api = app.environment();
    let tenant = app.tenant("Initech Billing").await;
    api.patch(&tenant.path(""), &json!({"uid": "customer-4711"})).await.expect(200);
    let hook = receiver.hook_that("/hooks/orders", |_| Reply::Status(500));
    let endpoint =
        tenant.endpoint(&hook, json!({"description": "Orders of the Büro", "uid": "orders-in"})).await;
    let body = json!({"name": "order.shipped", "description": "A parcel left."});
    api.post("/event-type", &body).await.expect(201);
    let message = json!({"eventType": "order.shipped", "eventId": "ship-99", "payload": {}});
    let message = tenant.message_of(message).await;
    app.settled().await;
    let letter = tenant.dead_letters().await.remove(0)["id"].as_str().unwrap().to_owned();
    let task = api.post("/dead-letter/discard", &json!({"eventType": "none"})).await.expect(202);
    let task = task["id"].as_str().unwrap();

    let (application, endpoint) = (hit("application", &tenant.id), hit("endpoint", &endpoint));
    let (message, letter) = (hit("message", &message), hit("dead_letter", &letter));
    let event_type = hit("event_type", "order.shipped");
    for (asked, expected) in [
        (tenant.id.as_str(), vec![application.clone()]),
        ("customer-4711", vec![application.clone()]),
        ("tech bill", vec![application.clone()]),
        (" INITECH ", vec![application.clone()]),
        ("bi", vec![application.clone()]),
        ("i", vec![application.clone(), endpoint.clone()]),
        ("illing", vec![application.clone()]),
        (endpoint.1.as_str(), vec![endpoint.clone()]),
        ("/hooks/ord", vec![endpoint.clone()]),
        ("BÜRO", vec![endpoint.clone()]),
        ("orders-in", vec![endpoint.clone()]),
        (message.1.as_str(), vec![message.clone(), letter.clone()]),
        ("ship-99", vec![message.clone(), letter.clone()]),
        (letter.1.as_str(), vec![letter.clone()]),
        (task, vec![hit("background_task", task)]),
        ("parcel", vec![event_type.clone()]),
        ("order", vec![endpoint.clone(), event_type.clone()]),
        ("tech  bill", vec![]),
        ("msg_01h455vb4pex5vsknk084sn02q", vec![]),
        ("nothing like it", vec![]),
        ("%", vec![]),
    ] {
        assert_eq!(found(&api, asked).await, expected, "{asked}");
    }
    let stranger = app.api().claiming(&json!({"sub": "org_stranger"}));
    for asked in [&tenant.id, &endpoint.1, &message.1, &letter.1, "ship-99", "order", "initech", task] {
        assert_eq!(found(&stranger, asked).await, [], "{asked}");
    }
    let answer = api.get("/search?q=orders-in").await.expect(200);
    let shown = &answer["data"][0];
    assert_eq!((&shown["title"], &shown["appName"]), (&json!(hook.url), &json!("Initech Billing")));
    api.get("/search").await.expect_invalid();
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    own.get("/search?q=order").await.expect_error(403, "forbidden");
}

#[tokio::test]
async fn the_most_alike_comes_first_and_six_are_enough() {
    let app = LocalApp::start().await;
    let api = app.environment();
    for name in ["The acme archive", "Acme Two", "acme", "acme 4", "acme 5", "acme 6", "acme 7", "b acme"] {
        Tenant::create(&api, name).await;
    }
    let answer = api.get_with("/search", &[("q", "acme")]).await.expect(200);
    let titles: Vec<&str> =
        answer["data"].as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["acme", "acme 4", "acme 5", "acme 6", "acme 7", "Acme Two"]);
}

fn names(list: &[Value], field: &str) -> Vec<String> {
    list.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn lists_are_narrowed_by_a_part_of_a_text_page_by_page() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let api = app.environment();
    for name in ["alpha one", "beta", "Alphabet", "gamma alpha"] {
        Tenant::create(&api, name).await;
    }
    assert_eq!(names(&api.all("/app?q=ALPHA", 1).await, "name"), ["alpha one", "Alphabet", "gamma alpha"]);
    let backwards = api.all("/app?q=alpha&order=descending", 2).await;
    assert_eq!(names(&backwards, "name"), ["gamma alpha", "Alphabet", "alpha one"]);
    assert_eq!(api.all("/app?q=", 2).await.len(), 4);
    for name in ["invoice.paid", "invoice.made", "parcel.sent"] {
        api.post("/event-type", &json!({"name": name, "description": "Of a test."})).await.expect(201);
    }
    assert_eq!(names(&api.all("/event-type?q=voice", 1).await, "name"), ["invoice.made", "invoice.paid"]);
    assert_eq!(api.all("/event-type?q=of+a+test", 1).await.len(), 3);

    let tenant = app.tenant("endpoints").await;
    let secret = "0123456789abcdefghij";
    for (path, description) in [("/a", "Warehouse"), (secret, "Office"), ("/c", "Other house")] {
        let hook = receiver.hook(&format!("/{}", path.trim_start_matches('/')));
        tenant.endpoint(&hook, json!({"description": description})).await;
    }
    let list = |asked: &str| tenant.path(&format!("/endpoint?q={asked}"));
    let shown = api.all(&list("house"), 1).await;
    assert_eq!(names(&shown, "description"), ["Other house", "Warehouse"]);
    assert_eq!(api.all(&list("9abcdef"), 5).await.len(), 1);
    // Who may not see the whole URL does not find out what is in it.
    let looks = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    assert_eq!(looks.all(&list("9abcdef"), 5).await.len(), 0);
    assert_eq!(looks.all(&list("127.0.0.1"), 5).await.len(), 3);
    assert_eq!(looks.all(&list("ware"), 5).await.len(), 1);
}

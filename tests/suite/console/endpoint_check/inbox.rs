//! Test inboxes: what gets in, who looks in, and what else of the server can be reached by one (nothing).

use postrider::domain::clock::Clock;
use postrider::domain::id::InboxId;
use postrider::domain::portal::public_name::PublicName;
use postrider::inbox::{Inboxes, NotTaken};
use serde_json::{Value, json};

use crate::support::api::{Answer, client};
use crate::support::store::store;
use crate::support::{Api, LocalApp, Setup, Tenant, until};

/// A node that may send to no address within.
async fn strict() -> LocalApp {
    Setup::default().without("ALLOW_SUBNETS").with("RETRY_SCHEDULE", "none").start_local().await
}

async fn inbox(api: &Api) -> (String, String) {
    let made = api.post("/inbox", &json!({})).await.expect(201);
    assert_eq!((&made["answerStatus"], &made["requests"]), (&json!(204), &json!([])));
    (made["id"].as_str().unwrap().to_owned(), made["url"].as_str().unwrap().to_owned())
}

async fn requests(api: &Api, id: &str) -> Vec<Value> {
    let shown = api.get(&format!("/inbox/{id}")).await.expect(200);
    shown["requests"].as_array().unwrap().clone()
}

/// What anybody posts.
async fn posted(url: &str, body: impl Into<reqwest::Body>) -> Answer {
    Api::send(client().post(url).body(body)).await
}

#[tokio::test]
async fn a_delivery_arrives_and_its_signature_is_checked() {
    let app = strict().await;
    let tenant = app.tenant("one").await;
    let (id, url) = inbox(&tenant.api).await;
    let body = json!({"url": url, "headers": {"authorization": "Bearer hush", "x-tenant": "acme"}});
    let endpoint = tenant.api.post(&tenant.path("/endpoint"), &body).await.expect(201);
    let endpoint = endpoint["id"].as_str().unwrap().to_owned();
    let message = tenant.message("a.b", json!({"n": 1})).await;
    app.settled().await;
    let got = requests(&tenant.api, &id).await;
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!((&got[0]["method"], &got[0]["body"]), (&json!("POST"), &json!(r#"{"n":1}"#)));
    assert_eq!(got[0]["isVerified"], true);
    let header = |name: &str| {
        let headers = got[0]["headers"].as_array().unwrap();
        headers.iter().find(|header| header["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!((header("webhook-id"), header("x-tenant")), (json!(message), json!("acme")));
    assert_eq!(header("authorization"), Value::Null, "what is a secret is not kept");
    assert!(header("webhook-signature").as_str().unwrap().starts_with("v1,"));
    let attempts = tenant.attempts(&endpoint).await;
    assert_eq!(
        (&attempts[0]["responseStatusCode"], &attempts[0]["statusText"]),
        (&json!(204), &json!("success"))
    );
}

#[tokio::test]
async fn an_inbox_is_a_receiver_that_passes_every_check() {
    let app = strict().await;
    let tenant = app.tenant("one").await;
    let (id, url) = inbox(&tenant.api).await;
    let endpoint = tenant.api.post(&tenant.path("/endpoint"), &json!({"url": url})).await.expect(201);
    let path = tenant.path(&format!("/endpoint/{}/check", endpoint["id"].as_str().unwrap()));
    let answer = tenant.api.post(&path, &json!({})).await.expect(200);
    let checks = answer["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["passed"] == true), "{answer:#}");
    let verified: Vec<Value> =
        requests(&tenant.api, &id).await.iter().map(|request| request["isVerified"].clone()).collect();
    assert_eq!(verified, [false, false, true], "the old one, the forged one, the genuine one");
}

#[tokio::test]
async fn an_endpoint_shows_the_inbox_that_it_leads_to_if_that_is_the_callers() {
    let app = strict().await;
    let (tenant, other) = (app.tenant("one").await, app.tenant("two").await);
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let made = own.post("/inbox", &json!({})).await.expect(201);
    let made_at = |of: &Tenant, url: Value| {
        let (api, path, body) = (of.api.clone(), of.path("/endpoint"), json!({"url": url}));
        let base = of.path("/endpoint");
        async move {
            let endpoint = api.post(&path, &body).await.expect(201);
            format!("{base}/{}/inbox", endpoint["id"].as_str().unwrap())
        }
    };
    let here = made_at(&tenant, made["url"].clone()).await;
    tenant.message("a.b", json!({"n": 1})).await;
    app.settled().await;
    for api in [&own, &tenant.api] {
        let shown = api.get(&here).await.expect(200);
        assert_eq!((&shown["id"], &shown["url"]), (&made["id"], &made["url"]));
        assert_eq!(shown["requests"][0]["isVerified"], true, "{shown}");
    }
    let looks = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    assert!(looks.get(&here).await.expect(200)["url"].as_str().unwrap().ends_with("********"));
    let no_inbox = |answer: Answer| {
        assert_eq!(answer.expect_error(404, "not_found")["detail"], "There is no such inbox.");
    };
    // Who knows its URL can post to it, and does not see what it got.
    let there = made_at(&other, made["url"].clone()).await;
    let others = app.api().claiming(&json!({"sub": other.id, "org": "org_test"}));
    no_inbox(others.get(&there).await);
    no_inbox(tenant.api.get(&made_at(&tenant, json!("https://example.com/")).await).await);
    tenant.api.delete(&format!("/inbox/{}", made["id"].as_str().unwrap())).await.expect(204);
    no_inbox(own.get(&here).await);
}

#[tokio::test]
async fn an_inbox_answers_as_it_was_told_and_deliveries_are_tried_again() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let made = tenant.api.post("/inbox", &json!({"answerStatus": 503})).await.expect(201);
    let body = json!({"url": made["url"], "retrySchedule": [0.05]});
    tenant.api.post(&tenant.path("/endpoint"), &body).await.expect(201);
    tenant.message("a.b", json!({})).await;
    app.settled().await;
    assert_eq!(requests(&tenant.api, made["id"].as_str().unwrap()).await.len(), 2);
    assert_eq!(tenant.dead_letters().await.len(), 1);
    let wrong = tenant.api.post("/inbox", &json!({"answerStatus": 199})).await;
    assert!(wrong.expect_invalid().contains_key("body.answerStatus"));
}

#[tokio::test]
async fn anybody_who_knows_the_url_may_post_and_within_bounds() {
    let app = strict().await;
    let tenant = app.tenant("one").await;
    let (id, url) = inbox(&tenant.api).await;
    let request = client().put(&url).header("cookie", "a=b").header("idempotency-key", "k").body("by hand");
    assert_eq!(Api::send(request).await.status, 204);
    assert_eq!(Api::send(client().get(&url)).await.status, 204);
    let got = requests(&tenant.api, &id).await;
    assert_eq!((&got[1]["method"], &got[1]["body"]), (&json!("PUT"), &json!("by hand")));
    assert_eq!((&got[0]["method"], &got[0]["isVerified"]), (&json!("GET"), &Value::Null));
    assert!(!got[1].to_string().contains("a=b"), "a cookie is a secret");
    posted(&url, vec![b'x'; 64 << 10]).await.expect(204);
    posted(&url, vec![b'x'; (64 << 10) + 1]).await.expect_error(413, "payload_too_large");
    let unknown = url.replace("/in/", "/in/x");
    for wrong in [&unknown[..unknown.len() - 1], &url[..url.len() - 1], &format!("{url}/more")] {
        posted(wrong, "x").await.expect_error(404, "not_found");
    }
    sqlx::query("UPDATE inbox SET expires_at = now()").execute(&app.database().pool).await.unwrap();
    posted(&url, "too late").await.expect_error(404, "not_found");
    tenant.api.get(&format!("/inbox/{id}")).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn an_inbox_gets_no_more_than_it_may() {
    let app = LocalApp::start().await;
    let (_, url) = inbox(&app.environment()).await;
    let (root, name) = url.split_once("/in/").unwrap();
    let store = store(app.database()).await;
    let root = root.parse().unwrap();
    let inboxes = Inboxes::new(store.portal, store.configuration, &root, Clock::default());
    // A hundred in ten seconds.
    for _ in 0..100 {
        inboxes.find(&name.parse().unwrap()).await.unwrap();
    }
    let refused = inboxes.find(&name.parse().unwrap()).await;
    assert!(matches!(refused, Err(NotTaken::TooMuch(1..=11))), "{refused:?}");
}

/// An address may ask for few names that nobody knows; those that are there, and deliveries, do not wait for it.
#[tokio::test]
async fn names_that_are_made_up_shut_no_inbox() {
    let setup = Setup::default().without("ALLOW_SUBNETS").with("RETRY_SCHEDULE", "none");
    let app = setup.with("TRUSTED_PROXIES", "127.0.0.0/8").start_local().await;
    let tenant = app.tenant("one").await;
    let (_, url) = inbox(&tenant.api).await;
    let (root, _) = url.split_once("/in/").unwrap();
    let stranger = async |path: &str, address: &str| {
        let url = format!("{root}/{path}/{}", PublicName::generate());
        Api::send(client().get(url).header("x-forwarded-for", address)).await.status
    };
    for nth in 0..200 {
        let path = if nth % 2 == 0 { "in" } else { "api/v1/portal/logo" };
        assert_eq!(stranger(path, "192.0.2.1").await, 404);
    }
    assert_eq!(stranger("in", "192.0.2.1").await, 429);
    assert_eq!(stranger("api/v1/portal/logo", "192.0.2.1").await, 429);
    assert_eq!(stranger("in", "192.0.2.2").await, 404);
    posted(&url, "there").await.expect(204);
    tenant.api.post(&tenant.path("/endpoint"), &json!({"url": url})).await.expect(201);
    tenant.message("a.b", json!({})).await;
    app.settled().await;
    assert_eq!(tenant.dead_letters().await.len(), 0);
}

#[tokio::test]
async fn the_newest_requests_are_kept() {
    let app = LocalApp::start().await;
    let (id, _) = inbox(&app.environment()).await;
    let (portal, inbox) = (store(app.database()).await.portal, id.parse::<InboxId>().unwrap());
    for number in 0..130 {
        let body = format!("{number}");
        assert!(portal.put_into_inbox(inbox, "POST", &[], body.as_bytes(), None).await.unwrap());
    }
    let bodies = async || {
        let got = requests(&app.environment(), &id).await;
        got.iter().map(|request| request["body"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let kept = bodies().await;
    assert_eq!((kept.len(), kept[0].as_str(), kept[99].as_str()), (100, "129", "30"));
    for _ in 0..20 {
        portal.put_into_inbox(inbox, "POST", &[], &[b'x'; 60 << 10], None).await.unwrap();
    }
    let held: usize = bodies().await.iter().map(String::len).sum();
    assert_eq!(held, 17 * (60 << 10), "of the large ones, as many as are 1 MiB with their headers");
    app.environment().delete(&format!("/inbox/{id}")).await.expect(204);
    assert!(!portal.put_into_inbox(inbox, "POST", &[], b"x", None).await.unwrap());
    assert_eq!(app.database().count("SELECT count(*) FROM inbox_request").await, 0);
}

#[tokio::test]
async fn an_inbox_is_its_owners() {
    let app = LocalApp::start().await;
    let (one, other) = (app.tenant("one").await, app.tenant("other").await);
    let tenant = |id: &str| app.api().claiming(&json!({"sub": id, "org": "org_test"}));
    let (own, others) = (tenant(&one.id), tenant(&other.id));
    let (id, _) = inbox(&own).await;
    let path = format!("/inbox/{id}");
    own.get(&path).await.expect(200);
    app.environment().get(&path).await.expect(200);
    others.get(&path).await.expect_error(404, "not_found");
    others.delete(&path).await.expect_error(404, "not_found");
    let (environments, _) = inbox(&app.environment()).await;
    own.get(&format!("/inbox/{environments}")).await.expect_error(404, "not_found");
    own.post("/inbox", &json!({"appId": other.id})).await.expect_error(404, "not_found");
    let for_other = app.environment().post("/inbox", &json!({"appId": other.id})).await.expect(201);
    others.get(&format!("/inbox/{}", for_other["id"].as_str().unwrap())).await.expect(200);
    for _ in 1..20 {
        inbox(&own).await;
    }
    own.post("/inbox", &json!({})).await.expect_error(409, "too_many_inboxes");
    own.delete(&path).await.expect(204);
    inbox(&own).await;
    let noted = app.environment().get("/audit-log?action=inbox.deleted").await.expect(200);
    assert_eq!(noted["data"][0]["objectId"], id.as_str());
}

#[tokio::test]
async fn nothing_else_of_the_server_is_reached_by_an_inbox() {
    let app = strict().await;
    let tenant = app.tenant("one").await;
    let (_, url) = inbox(&tenant.api).await;
    let root = url.split("/in/").next().unwrap();
    for refused in [
        format!("{root}/api/v1/health"),
        format!("{url}/../../api/v1/health"),
        format!("{url}/"),
        format!("{url}?to=/api/v1/health"),
        format!("{url}%2f..%2f..%2fapi"),
        format!("{root}/in/"),
        url.replace("/in/", "/IN/"),
    ] {
        let answer = tenant.api.post(&tenant.path("/endpoint"), &json!({"url": refused})).await;
        assert!(answer.expect_invalid().contains_key("body.url"), "{refused}");
    }
    // By another name of the same host it is a URL like any other, which the policy refuses.
    let mut alias: reqwest::Url = url.parse().unwrap();
    alias.set_host(Some("localhost")).unwrap();
    let made = tenant.api.post(&tenant.path("/endpoint"), &json!({"url": alias.as_str()})).await.expect(201);
    tenant.message("a.b", json!({})).await;
    app.settled().await;
    let attempts = tenant.attempts(made["id"].as_str().unwrap()).await;
    assert_eq!(attempts[0]["failure"], "egress_refused", "{alias} {attempts:?}");
}

#[tokio::test]
async fn an_inbox_is_reached_from_every_node() {
    let app = Setup::default().with("PUBLIC_URL", "https://hooks.example.com/below").start().await;
    let other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let (id, url) = inbox(&tenant.api).await;
    assert!(url.starts_with("https://hooks.example.com/below/in/"), "{url}");
    tenant.api.post(&tenant.path("/endpoint"), &json!({"url": url})).await.expect(201);
    let mut there = tenant.clone();
    there.api = tenant.api.through(&other.address());
    tenant.message("a.b", json!({"by": "one"})).await;
    there.message("a.b", json!({"by": "other"})).await;
    until("both have arrived", || async { (requests(&there.api, &id).await.len() == 2).then_some(()) }).await;
    app.settled().await;
}

#[tokio::test]
async fn headers_count_as_what_an_inbox_keeps() {
    let app = strict().await;
    let (id, url) = inbox(&app.environment()).await;
    for n in 0..30 {
        let mut request = client().post(&url).body(n.to_string());
        for place in 0..20 {
            request = request.header(format!("x-{place}"), "x".repeat(2_000));
        }
        Api::send(request).await.expect(204);
    }
    let kept = requests(&app.environment(), &id).await;
    let bodies: Vec<&str> = kept.iter().map(|request| request["body"].as_str().unwrap()).collect();
    assert!((20..27).contains(&kept.len()), "{bodies:?}");
    assert_eq!(bodies[0], "29", "the newest are kept");
}

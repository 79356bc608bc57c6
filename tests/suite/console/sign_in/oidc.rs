//! Signing in by OpenID Connect, at a real provider.

use serde_json::json;

use super::browser::{Browser, location};
use super::provider::{FLOW, World};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_and_their_claim_gives_their_role() {
    let world = World::new(Some("a secret: with + signs"), false).await;
    let options = world.app.api().get("/session/options").await.expect(200);
    assert_eq!(options["oidc"], json!({"name": "Example Ltd"}));
    let (mut ada, mut bob) = (Browser::new(), Browser::new());
    world.next("ada", &["x", "admins"]).await;
    assert_eq!(world.sign_in(&mut ada).await, world.place("/people?env=org_a"));
    let adas = world.session(&ada).await;
    let shown = adas.get("/session").await.expect(200);
    assert_eq!(
        (&shown["kind"], &shown["name"], &shown["role"]),
        (&json!("person"), &json!("ada@example.com"), &json!("operator"))
    );
    let lasts = "SELECT count(*) FROM session WHERE ends_at BETWEEN now() + interval '23 hours' AND now() + interval '25 hours'";
    assert_eq!(world.app.database().count(lasts).await, 1, "the provider is asked again after a day");
    world.next("bob", &["team-a"]).await;
    world.sign_in(&mut bob).await;
    let bobs = world.session(&bob).await;
    let shown = bobs.get("/session").await.expect(200);
    assert_eq!((&shown["role"], &shown["environmentId"]), (&json!("environment"), &json!("org_a")));
    bobs.get("/person").await.expect_error(403, "forbidden");
    let app = bobs.post("/app", &json!({"name": "bobs"})).await.expect(201);
    let log =
        adas.get(&format!("/admin/audit-log?object_id={}", app["id"].as_str().unwrap())).await.expect(200);
    let actor = &log["data"][0]["actor"];

    let people = adas.get("/person?limit=1").await.expect(200);
    assert_eq!((&people["data"][0]["name"], &people["done"]), (&json!("bob L."), &json!(false)));
    assert_eq!((&actor["kind"], &actor["id"]), (&json!("person"), &people["data"][0]["id"]));
    let next = format!("/person?limit=1&iterator={}", people["iterator"].as_str().unwrap());
    let people = adas.get(&next).await.expect(200);
    let ada = &people["data"][0];
    assert_eq!(
        (&ada["email"], &ada["sessions"], &people["done"]),
        (&json!("ada@example.com"), &json!(1), &json!(true))
    );

    let bob = actor["id"].as_str().unwrap();
    bobs.delete(&format!("/person/{bob}/session")).await.expect_error(403, "forbidden");
    adas.delete(&format!("/person/{bob}/session")).await.expect(204);
    bobs.get("/session").await.expect_error(401, "authentication_failed");
    adas.delete("/person/person_01h455vb4pex5vsknk084sn02q/session").await.expect_error(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_and_a_provider_that_tells_all_in_the_id_token_do_as_well() {
    let world = World::new(None, true).await;
    let mut browser = Browser::new();
    world.next("ada", &["admins"]).await;
    world.sign_in(&mut browser).await;
    assert_eq!(world.session(&browser).await.get("/session").await.expect(200)["role"], "operator");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_in_without_a_role_or_against_their_will() {
    let world = World::new(Some("a secret"), false).await;
    let mut browser = Browser::new();
    world.next("eve", &["admin", "team"]).await;
    let place = world.sign_in(&mut browser).await;
    world.assert_refused(&browser, &place, "oidc_no_role");
    let mut browser = Browser::new();
    world.provider.next(&json!({"error": "access_denied"})).await;
    let place = world.sign_in(&mut browser).await;
    world.assert_refused(&browser, &place, "oidc_refused");
    assert_eq!(world.app.operator().get("/person").await.expect(200)["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_browser_that_began_comes_back_in_time() {
    let world = World::new(Some("a secret"), false).await;
    world.next("ada", &["admins"]).await;
    let mut browser = Browser::new();
    let back = world.until_the_way_back(&mut browser).await;

    // Somebody else's browser: it never began, or its cookie is over.
    let mut other = Browser::new();
    let place = location(&other.go(&back).await, &back);
    assert_eq!(place, world.place("/sign-in?problem=oidc_expired"));
    // One that began another sign-in.
    world.until_the_way_back(&mut other).await;
    let place = location(&other.go(&back).await, &back);
    world.assert_refused(&other, &place, "oidc_failed");
    // A cookie that we did not make.
    let mut forging = Browser::new();
    world.until_the_way_back(&mut forging).await;
    forging.forget(world.port(), FLOW);
    assert_eq!(location(&forging.go(&back).await, &back), world.place("/sign-in?problem=oidc_expired"));

    let place = location(&browser.go(&back).await, &back);
    assert_eq!(place, world.place("/people?env=org_a"));
    let signed_in = world.session(&browser).await;
    // The code has been used, and so has the flow.
    let place = location(&browser.go(&back).await, &back);
    assert_eq!(place, world.place("/sign-in?problem=oidc_expired"));
    signed_in.get("/session").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_another_role_at_the_provider_has_another_here() {
    let world = World::new(Some("a secret"), false).await;
    let (mut first, mut second, mut third) = (Browser::new(), Browser::new(), Browser::new());
    world.next("ada", &["admins"]).await;
    world.sign_in(&mut first).await;
    let operators = world.session(&first).await;
    world.next("ada", &["team-a"]).await;
    world.sign_in(&mut second).await;
    let environments = world.session(&second).await;
    operators.get("/session").await.expect_error(401, "authentication_failed");
    assert_eq!(environments.get("/session").await.expect(200)["role"], "environment");
    world.next("ada", &[]).await;
    let place = world.sign_in(&mut third).await;
    world.assert_refused(&third, &place, "oidc_no_role");
    environments.get("/session").await.expect_error(401, "authentication_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_or_knows_us_otherwise_signs_nobody_in() {
    let mut world = World::new(Some("a secret"), false).await;
    world.next("ada", &["admins"]).await;
    world.app.node_mut().set("OIDC_CLIENT_SECRET", "another secret");
    world.restart().await;
    let mut browser = Browser::new();
    let place = world.sign_in(&mut browser).await;
    world.assert_refused(&browser, &place, "oidc_failed");
    world.provider.process.kill().unwrap();
    world.restart().await;
    let start = world.place("/api/v1/session/oidc/start");
    let place = location(&browser.go(&start).await, &start);
    world.assert_refused(&browser, &place, "oidc_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_gives_other_roles_ends_the_sessions_that_it_gave() {
    let mut world = World::new(Some("a secret"), false).await;
    let mut browser = Browser::new();
    world.next("ada", &["admins"]).await;
    world.sign_in(&mut browser).await;
    let signed_in = world.session(&browser).await;
    world.app.node_mut().set("OIDC_ROLES", "others=operator");
    world.restart().await;
    signed_in.get("/session").await.expect_error(401, "authentication_failed");
}

#[tokio::test]
async fn where_no_provider_is_set_there_is_no_way_to_it() {
    let app = TestApp::start().await;
    for path in ["/session/oidc/start", "/session/oidc/callback?code=x&state=y"] {
        app.api().get(path).await.expect_error(404, "not_found");
    }
}

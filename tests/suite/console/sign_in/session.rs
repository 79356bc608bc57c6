//! Sessions: what they begin with, what they allow, and what ends them.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::browser::{SESSION, SignedIn, cookie_in, now};
use crate::support::api::mint;
use crate::support::server::{App, Served, command};
use crate::support::{Api, LocalApp, Setup, TestApp, until};

fn operator() -> String {
    mint(&json!({"sub": "operator"}))
}

fn credential(text: &str) -> Value {
    json!({ "credential": text })
}

async fn run(app: &App<impl Served>, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&app.database().pool).await.unwrap();
}

pub async fn key(app: &App<impl Served>, body: &Value) -> (String, String) {
    let made = app.operator().post("/admin/api-key", body).await.expect(201);
    (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

pub(super) async fn link(app: &App<impl Served>) -> String {
    let database = app.database().url().to_owned();
    let out = tokio::task::spawn_blocking(move || {
        let mut link = command();
        link.args(["console", "link"]).env("DATABASE_URL", database);
        link.env("POSTRIDER_JWT_SECRET", "x".repeat(16));
        link.env("POSTRIDER_MAIN_SECRET", "the suite's own secret that seals");
        link.env("POSTRIDER_PUBLIC_URL", "https://hooks.example.com/p").output().unwrap()
    })
    .await
    .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let url = String::from_utf8(out.stdout).unwrap();
    let token = url.trim_end().strip_prefix("https://hooks.example.com/p/sign-in#link=");
    token.unwrap_or_else(|| panic!("{url}")).to_owned()
}

#[tokio::test]
async fn a_credential_becomes_a_session_that_says_who_is_signed_in() {
    let app = LocalApp::start().await;
    let (_, operators) = key(&app, &json!({"name": "ops", "role": "operator"})).await;
    let (_, environments) =
        key(&app, &json!({"name": "billing", "role": "environment", "environmentId": "org_a"})).await;
    let token = mint(&json!({"sub": "org_b", "exp": now() + 3600}));
    for (text, kind, name, role, environment) in [
        (&operators, "api_key", "ops", "operator", Value::Null),
        (&environments, "api_key", "billing", "environment", json!("org_a")),
        (&operator(), "token", "operator", "operator", Value::Null),
        (&token, "token", "org_b", "environment", json!("org_b")),
    ] {
        let answer = app.api().post("/session", &credential(text)).await;
        let session = answer.expect(201);
        let said = |field: &str| session[field].as_str().unwrap_or_default().to_owned();
        assert_eq!((said("kind").as_str(), said("name").as_str(), said("role").as_str()), (kind, name, role));
        assert_eq!(session["environmentId"], environment);
        let set = answer.headers["set-cookie"].to_str().unwrap();
        assert!(
            set.contains("; HttpOnly; SameSite=Lax; Path=/; Max-Age=") && !set.contains("Secure"),
            "{set}"
        );
        let signed_in = SignedIn::by_cookie(&app.api(), &cookie_in(&answer, SESSION).unwrap()).await;
        assert_eq!(signed_in.csrf, said("csrfToken"));
        let shown = signed_in.get("/session").await.expect(200);
        for field in ["kind", "name", "role", "environmentId", "version"] {
            assert_eq!(shown[field], session[field], "{field}");
        }
        // With a bearer it is the same, but for what belongs to the cookie.
        let bearer = app.api().with_token(text).get("/session").await.expect(200);
        assert_eq!((&bearer["kind"], &bearer["name"]), (&session["kind"], &session["name"]));
        assert_eq!(bearer["csrfToken"], "");
    }
    // It ends with the token that it began with.
    let session = app.api().post("/session", &credential(&token)).await.expect(201);
    let ends: chrono::DateTime<chrono::Utc> = session["expiresAt"].as_str().unwrap().parse().unwrap();
    assert!((now()..=now() + 3600).contains(&ends.timestamp()), "{ends}");
}

#[tokio::test]
async fn a_session_allows_what_its_credential_does_and_the_audit_log_says_by_which_session() {
    let app = LocalApp::start().await;
    let (id, text) = key(&app, &json!({"name": "a", "role": "environment", "environmentId": "org_a"})).await;
    let environment = SignedIn::with(&app.api(), &credential(&text)).await;
    let made = environment.post("/app", &json!({"name": "made"})).await.expect(201);
    environment.get("/admin/node").await.expect_error(403, "forbidden");
    let log = environment.get("/audit-log?action=application.created").await.expect(200);
    let actor = &log["data"][0]["actor"];
    assert_eq!((&actor["kind"], &actor["id"]), (&json!("api_key"), &json!(id)));
    let session = actor["session"].as_str().unwrap().to_owned();
    let began = environment.get("/audit-log?action=session.began").await.expect(200);
    assert_eq!(began["data"][0]["objectId"], json!(session));

    // An operator chooses an environment, as with a token.
    let operators = SignedIn::with(&app.api(), &credential(&operator())).await;
    let path = format!("/app/{}", made["id"].as_str().unwrap());
    operators.get(&path).await.expect_error(400, "environment_required");
    let chosen = operators.bare(Method::GET, &path).header("postrider-environment", "org_a");
    Api::send(chosen).await.expect(200);
    operators.get("/admin/node").await.expect(200);
    // Who shows a bearer is that one, whatever the cookie says.
    let other = mint(&json!({"sub": "org_b"}));
    let both = operators.bare(Method::GET, "/auth/whoami").bearer_auth(other);
    assert_eq!(Api::send(both).await.expect(200)["environmentId"], "org_b");
    // A password for a proxy says nothing here, and makes nothing safe.
    let behind = |method| operators.bare(method, "/session").basic_auth("proxy", Some("password"));
    assert_eq!(Api::send(behind(Method::GET)).await.expect(200)["role"], "operator");
    Api::send(behind(Method::DELETE)).await.expect_error(403, "csrf_failed");
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let app = Setup::default().with("PUBLIC_URL", "https://hooks.example.com").start_local().await;
    let signed_in = SignedIn::with(&app.api(), &credential(&mint(&json!({"sub": "org_a"})))).await;
    let body = json!({"name": "x"});
    let post = || signed_in.bare(Method::POST, "/app").json(&body);
    let own = || post().header("postrider-csrf", &signed_in.csrf);
    let other = SignedIn::with(&app.api(), &credential(&operator())).await;
    for request in [
        post(),
        post().header("postrider-csrf", ""),
        post().header("postrider-csrf", &other.csrf),
        post().header("postrider-csrf", &signed_in.cookie),
        own().header("origin", "https://evil.example"),
        own().header("origin", "null"),
        own().header("origin", "http://hooks.example.com"),
        own().header("origin", format!("http://{}0", app.address())),
    ] {
        Api::send(request).await.expect_error(403, "csrf_failed");
    }
    assert_eq!(signed_in.get("/app").await.expect(200)["data"], json!([]));
    for origin in ["https://hooks.example.com".to_owned(), format!("http://{}", app.address())] {
        Api::send(own().header("origin", origin)).await.expect(201);
    }
    // Nor may it sign anybody in.
    let sign_in = app.api().request(Method::POST, "/session").json(&credential(&operator()));
    let foreign = sign_in.try_clone().unwrap().header("origin", "https://evil.example");
    Api::send(foreign).await.expect_error(403, "csrf_failed");
    let answer = Api::send(sign_in.header("origin", "https://hooks.example.com")).await;
    answer.expect(201);
    let set = answer.headers["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("__Host-postrider_session=") && set.ends_with("; Secure"), "{set}");
    // A neighbour of the same domain can set a cookie without that name.
    let planted =
        app.api().request(Method::GET, "/session").header("cookie", format!("{SESSION}={}", other.cookie));
    Api::send(planted).await.expect_error(401, "authentication_failed");
    for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
        let form = app.api().request(Method::POST, "/session").header("content-type", content_type);
        Api::send(form.body(credential(&operator()).to_string())).await.expect(415);
    }
    let none = app.api().request(Method::POST, "/session").body(credential(&operator()).to_string());
    Api::send(none).await.expect(415);
}

#[tokio::test]
async fn who_signs_out_is_out_at_once_on_every_node() {
    let app = LocalApp::start().await;
    let elsewhere = app.another_node("elsewhere").await;
    let (_, text) = key(&app, &json!({"name": "a", "role": "operator"})).await;
    let one = SignedIn::with(&app.api(), &credential(&text)).await;
    let other = SignedIn::with(&app.api(), &credential(&text)).await;
    let stranger = SignedIn::with(&app.api(), &credential(&operator())).await;
    for signed_in in [&one, &other, &stranger] {
        signed_in.through(&elsewhere.address()).get("/session").await.expect(200);
    }
    let answer = one.delete("/session").await;
    answer.expect(204);
    assert!(answer.headers["set-cookie"].to_str().unwrap().contains("postrider_session=; "));
    for node in [app.address(), elsewhere.address()] {
        one.through(&node).get("/session").await.expect_error(401, "authentication_failed");
        other.through(&node).get("/session").await.expect(200);
    }
    let third = SignedIn::with(&app.api(), &credential(&text)).await;
    third.through(&elsewhere.address()).get("/session").await.expect(200);
    other.through(&elsewhere.address()).delete("/session?everywhere=true").await.expect(204);
    for node in [app.address(), elsewhere.address()] {
        for signed_in in [&other, &third] {
            signed_in.through(&node).get("/session").await.expect_error(401, "authentication_failed");
        }
        stranger.through(&node).get("/session").await.expect(200);
    }
    let ended = stranger.get("/admin/audit-log?action=session.ended").await.expect(200);
    assert_eq!(ended["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_bearer_ends_the_sessions_that_began_with_it() {
    let app = LocalApp::start().await;
    let (_, text) = key(&app, &json!({"name": "a", "role": "operator"})).await;
    let token = mint(&json!({"sub": "org_a"}));
    let (by_key, by_token) = (
        SignedIn::with(&app.api(), &credential(&text)).await,
        SignedIn::with(&app.api(), &credential(&token)).await,
    );
    app.api().with_token(&text).delete("/session").await.expect(204);
    by_key.get("/session").await.expect(200);
    app.api().with_token(&text).delete("/session?everywhere=true").await.expect(204);
    by_key.get("/session").await.expect_error(401, "authentication_failed");
    by_token.get("/session").await.expect(200);
    app.api().with_token(&token).delete("/session?everywhere=true").await.expect(204);
    by_token.get("/session").await.expect_error(401, "authentication_failed");
}

#[tokio::test]
async fn a_session_ends_with_its_key_on_every_node() {
    let app = LocalApp::start().await;
    let elsewhere = app.another_node("elsewhere").await;
    let (id, text) = key(&app, &json!({"name": "a", "role": "operator"})).await;
    let signed_in = SignedIn::with(&app.api(), &credential(&text)).await;
    for node in [app.address(), elsewhere.address()] {
        signed_in.through(&node).get("/session").await.expect(200);
    }
    let path = format!("/admin/api-key/{id}");
    app.operator().delete(&path).await.expect(204);
    for node in [app.address(), elsewhere.address()] {
        signed_in.through(&node).get("/session").await.expect_error(401, "authentication_failed");
    }
}

#[tokio::test]
async fn a_session_ends_unused_or_old_or_when_the_key_that_verifies_tokens_is_another() {
    let mut app = TestApp::start().await;
    let sign_in = async |app: &TestApp| SignedIn::with(&app.api(), &credential(&operator())).await;
    // None of them was asked for yet, so no node has one in its memory.
    for change in ["last_used_at = now() - interval '12 hours 1 second'", "ends_at = now()"] {
        let signed_in = sign_in(&app).await;
        run(&app, &format!("UPDATE session SET {change} WHERE last_used_at > now() - interval '1 hour'"))
            .await;
        signed_in.get("/session").await.expect_error(401, "authentication_failed");
    }
    run(&app, "DELETE FROM session").await;
    let signed_in = sign_in(&app).await;
    let nearly = "UPDATE session SET last_used_at = now() - interval '11 hours 59 minutes'";
    run(&app, nearly).await;
    signed_in.get("/session").await.expect(200);
    // That was a use of it.
    until("its use is written down", || async {
        let used = "SELECT count(*) FROM session WHERE last_used_at > now() - interval '1 hour'";
        (app.database().count(used).await == 1).then_some(())
    })
    .await;
    let by_key = {
        let (_, text) = key(&app, &json!({"name": "a", "role": "operator"})).await;
        SignedIn::with(&app.api(), &credential(&text)).await
    };
    app.node_mut().set("JWT_SECRET", "another secret for tokens altogether");
    app.node_mut().terminate().await;
    app.node_mut().restart().await;
    signed_in.get("/session").await.expect_error(401, "authentication_failed");
    by_key.get("/session").await.expect(200);
}

#[tokio::test]
async fn a_link_signs_in_once_and_not_for_long() {
    let app = LocalApp::start().await;
    let body = json!({"link": link(&app).await});
    let session = app.api().post("/session", &body).await.expect(201);
    assert_eq!(
        (&session["kind"], &session["name"], &session["role"]),
        (&json!("link"), &json!("link"), &json!("operator"))
    );
    app.api().post("/session", &body).await.expect_error(401, "authentication_failed");
    let late = json!({"link": link(&app).await});
    run(&app, "UPDATE sign_in_link SET expires_at = now() WHERE used_at IS NULL").await;
    app.api().post("/session", &late).await.expect_error(401, "authentication_failed");
    let signed_in = SignedIn::with(&app.api(), &json!({"link": link(&app).await})).await;
    let log = signed_in.get("/admin/audit-log?action=sign_in_link.made").await.expect(200);
    assert_eq!(log["data"][0]["actor"]["id"], "console link");
    let began = signed_in.get("/admin/audit-log?action=session.began").await.expect(200);
    assert_eq!(began["data"][0]["actor"]["kind"], "link");
    // Whoever comes by a link can end what others began with one.
    let others = SignedIn::with(&app.api(), &json!({"link": link(&app).await})).await;
    let by_token = SignedIn::with(&app.api(), &credential(&operator())).await;
    signed_in.delete("/session?everywhere=true").await.expect(204);
    for ended in [&signed_in, &others] {
        ended.get("/session").await.expect_error(401, "authentication_failed");
    }
    by_token.get("/session").await.expect(200);
}

#[tokio::test]
async fn what_does_not_sign_in() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("t").await;
    let of_tenant = mint(&json!({"sub": tenant.id, "org": "org_test"}));
    let body = json!({"name": "t", "role": "application", "appId": tenant.id});
    let made = tenant.api.post("/api-key", &body).await.expect(201);
    for text in [of_tenant.as_str(), made["key"].as_str().unwrap()] {
        app.api().post("/session", &credential(text)).await.expect_error(403, "not_for_console");
        app.api().with_token(text).get("/session").await.expect_error(403, "forbidden");
        app.api().with_token(text).delete("/session").await.expect_error(403, "forbidden");
    }
    for text in ["", "garbage", &mint(&json!({"sub": "operator", "exp": now() - 3600}))] {
        app.api().post("/session", &credential(text)).await.expect_error(401, "authentication_failed");
    }
    for wrong in [json!({}), json!({"credential": "a", "link": "b"}), json!({"credential": null})] {
        app.api().post("/session", &wrong).await.expect_invalid();
    }
    app.api().post("/session", &json!({"password": "x"})).await.expect_invalid();
    // Of somebody who has shown nothing yet, little is read.
    app.api().post("/session", &credential(&"x".repeat(20_000))).await.expect(413);
}

#[tokio::test]
async fn guessing_is_slow() {
    let app = Setup::default().with("TRUSTED_PROXIES", "127.0.0.0/8").start_local().await;
    let from = |address: &str, text: &str| {
        let request = app.api().request(Method::POST, "/session").header("x-forwarded-for", address);
        Api::send(request.json(&credential(text)))
    };
    for _ in 0..10 {
        from("192.0.2.1", "garbage").await.expect_error(401, "authentication_failed");
    }
    let refused = from("192.0.2.1", &operator()).await;
    refused.expect_error(429, "too_many_failures");
    let wait: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    from("192.0.2.2", &operator()).await.expect(201);
}

#[tokio::test]
async fn a_stranger_behind_a_proxy_that_is_not_named_holds_up_nobody() {
    let app = LocalApp::start().await;
    let from = |address: &str, text: &str| {
        let request = app.api().request(Method::POST, "/session").header("x-forwarded-for", address);
        Api::send(request.json(&credential(text)))
    };
    for nth in 0..12 {
        from("192.0.2.1", &format!("{nth:016}")).await.expect_error(401, "authentication_failed");
    }
    from("192.0.2.2", &operator()).await.expect(201);
    // Who knows how a key begins cannot try how it ends.
    for nth in 0..10 {
        from("192.0.2.1", &format!("pr_abcdefghijklmnop{nth}"))
            .await
            .expect_error(401, "authentication_failed");
    }
    from("192.0.2.3", "pr_abcdefghijklmnopX").await.expect_error(429, "too_many_failures");
}

#[tokio::test]
async fn the_first_start_and_no_other_prints_a_link() {
    let mut app = TestApp::start().await;
    let token = until("the link is printed", || async {
        let printed = app.printed();
        let (_, rest) = printed.split_once(&format!("http://{}/sign-in#link=", app.address()))?;
        rest.split_once('\n').map(|(token, _)| token.to_owned())
    })
    .await;
    // What a process prints, it has printed once it has ended.
    app.node_mut().terminate().await;
    let printed = app.printed();
    app.node_mut().restart().await;
    app.node_mut().terminate().await;
    assert_eq!(app.printed(), printed, "it is printed once");
    app.node_mut().restart().await;
    let mut later = app.another_node("later").await;
    later.terminate().await;
    assert_eq!(later.printed(), "");
    SignedIn::with(&app.api(), &json!({ "link": token })).await.get("/admin/node").await.expect(200);
}

#[tokio::test]
async fn of_nodes_that_start_at_once_one_prints_a_link() {
    let app = TestApp::start().await;
    until("the first start has made its link", || async {
        (app.database().count("SELECT count(*) FROM sign_in_link").await == 1).then_some(())
    })
    .await;
    run(&app, "DELETE FROM sign_in_link").await;
    let mut turn = app.database().pool.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('postrider sign_in_link'))")
        .execute(&mut *turn)
        .await
        .unwrap();
    let mut nodes = [app.another_node("one").await, app.another_node("other").await];
    until("both wait for their turn", || async {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event = 'advisory' AND query LIKE '%sign_in_link::%'";
        (app.database().count(waiting).await == 2).then_some(())
    })
    .await;
    turn.commit().await.unwrap();
    let mut printed = 0;
    for node in &mut nodes {
        node.terminate().await;
        printed += node.printed().matches("/sign-in#link=").count();
    }
    assert_eq!(printed, 1);
}

#[tokio::test]
async fn the_ways_to_sign_in_are_told_to_everybody_and_settings_to_operators() {
    let app = Setup::default().with("RETENTION", "40d").start_local().await;
    let options = app.api().get("/session/options").await.expect(200);
    assert_eq!(options, json!({"version": env!("CARGO_PKG_VERSION"), "oidc": null}));
    let operators = app.operator();
    let shown = operators.get("/admin/settings").await.expect(200);
    let setting = |name: &str| {
        shown["data"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == name)
            .unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!(
        (&setting("retention")["value"], &setting("retention")["from"]),
        (&json!("40d"), &json!("environment"))
    );
    assert_eq!(
        (&setting("hold_limit")["value"], &setting("hold_limit")["from"]),
        (&json!("30d"), &json!("default"))
    );
    assert_eq!(
        (&setting("jwt_secret")["value"], &setting("jwt_secret")["isSecret"]),
        (&json!("••••"), &json!(true))
    );
    assert_eq!(setting("oidc_client_secret")["value"], Value::Null);
    assert!(!shown.to_string().contains("secret that seals"), "{shown}");
    app.environment().get("/admin/settings").await.expect_error(403, "forbidden");
}

#[tokio::test]
async fn every_answer_of_the_api_names_its_request() {
    let app = Setup::default().with("LOG", "postrider=debug").start().await;
    let mut seen = std::collections::BTreeSet::new();
    for answer in [
        app.environment().get("/app").await,
        app.api().get("/app").await,
        app.api().get("/nothing").await,
        app.api().post("/session", &json!({"credential": "x".repeat(20_000)})).await,
        app.api().get("/openapi.json").await,
    ] {
        let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
        assert!(id.starts_with("req_") && id.len() == 30, "{id}");
        until("it is logged", || async { app.log().contains(&id).then_some(()) }).await;
        seen.insert(id);
    }
    assert_eq!(seen.len(), 5);
}

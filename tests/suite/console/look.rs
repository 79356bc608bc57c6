//! How the portal looks in each environment.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::api::client;
use crate::support::store::store;
use crate::support::{Api, LocalApp};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and what follows";

fn look(change: &Value) -> Value {
    let mut look = json!({
        "name": "Acme", "accentLight": "#3a4fd0", "accentDark": "#5468e7", "supportUrl": "mailto:help@example.com",
        "refreshUrl": "https://app.example.com/webhooks", "embedOrigins": ["https://app.example.com"],
    });
    look.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    look
}

#[tokio::test]
async fn a_look_is_its_environments_and_a_tenant_sees_it() {
    let app = LocalApp::start().await;
    let (api, tenant) = (app.environment(), app.tenant("one").await);
    let before = api.get("/portal/look").await.expect(200);
    assert_eq!(before["embedOrigins"], json!([]));
    for field in ["name", "accentLight", "accentDark", "supportUrl", "refreshUrl", "logoUrl"] {
        assert_eq!(before[field], Value::Null, "{field}");
    }
    let set = api.put("/portal/look", &look(&json!({}))).await.expect(200);
    assert_eq!(set, look(&json!({"logoUrl": null})));
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    assert_eq!(own.get("/portal/look").await.expect(200), set);
    own.put("/portal/look", &look(&json!({}))).await.expect_error(403, "forbidden");
    let others = app.api().claiming(&json!({"sub": "org_other"}));
    assert_eq!(others.get("/portal/look").await.expect(200)["name"], Value::Null);
    let noted = api.get("/audit-log?action=portal.look.set").await.expect(200);
    assert_eq!(noted["data"].as_array().unwrap().len(), 1);
    // What is left out is the portal's own again.
    let reset = api.put("/portal/look", &json!({})).await.expect(200);
    assert_eq!((&reset["name"], &reset["embedOrigins"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn what_cannot_be_read_or_is_no_link_is_refused() {
    let app = LocalApp::start().await;
    let long = format!("https://example.com/{}", "x".repeat(2_048));
    for (field, value) in [
        ("accentLight", json!("#777777")),
        ("accentLight", json!("#ffff00")),
        ("accentLight", json!("red")),
        ("accentDark", json!("#333333")),
        ("accentDark", json!("#3A4FD0")),
        ("supportUrl", json!("javascript:alert(1)")),
        ("supportUrl", json!("http://example.com")),
        ("supportUrl", json!(long)),
        ("refreshUrl", json!("mailto:help@example.com")),
        ("refreshUrl", json!("https://me:secret@example.com")),
        ("embedOrigins", json!(["http://app.example.com"])),
        ("embedOrigins", json!(["https://a;script-src"])),
        ("embedOrigins", json!(["*"])),
        ("name", json!("")),
        ("name", json!("two\nlines")),
        ("logo", json!("not base64!")),
        ("logo", json!(STANDARD.encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))),
        ("logo", json!(STANDARD.encode([PNG, &[0; 64 << 10]].concat()))),
    ] {
        let answer = app.environment().put("/portal/look", &look(&json!({field: value}))).await;
        let found = answer.expect_invalid();
        assert!(found.keys().all(|place| place.starts_with(&format!("body.{field}"))), "{field} {found:?}");
    }
    assert_eq!(app.database().count("SELECT count(*) FROM portal_look").await, 0);
    let good = look(&json!({"accentLight": "#767676", "accentDark": "#6a6a6a"}));
    app.environment().put("/portal/look", &good).await.expect(200);
}

#[tokio::test]
async fn a_logo_is_given_out_as_an_image_and_nothing_else() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let set = api.put("/portal/look", &look(&json!({"logo": STANDARD.encode(PNG)}))).await.expect(200);
    let path = set["logoUrl"].as_str().unwrap().to_owned();
    assert!(path.starts_with("api/v1/portal/logo/"), "{path}");
    let url = |path: &str| format!("http://{}/{path}", app.address());
    let answer = client().get(url(&path)).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("cache-control").contains("immutable"));
    assert!(header("content-security-policy").contains("sandbox"));
    assert_eq!(answer.bytes().await.unwrap(), PNG);
    // It stays when it is not spoken of, has another name when it is another, and goes when it is null.
    let kept = api.put("/portal/look", &look(&json!({}))).await.expect(200);
    assert_eq!(kept["logoUrl"], path.as_str());
    let jpeg = STANDARD.encode(b"\xff\xd8\xff\xe0 and what follows");
    let other = api.put("/portal/look", &look(&json!({"logo": jpeg}))).await.expect(200);
    assert_ne!(other["logoUrl"], path.as_str());
    Api::send(client().get(url(&path))).await.expect_error(404, "not_found");
    let gone = api.put("/portal/look", &look(&json!({"logo": null}))).await.expect(200);
    assert_eq!(gone["logoUrl"], Value::Null);
    for wrong in ["api/v1/portal/logo/x", "api/v1/portal/logo/2zq8v5n0w7j4c1x9m6t3b8h5d2f7k4p1"] {
        Api::send(client().get(url(wrong))).await.expect_error(404, "not_found");
    }
}

/// Where there is no room for all origins that may show the portal, each environment has its share.
#[tokio::test]
async fn no_environment_takes_the_whole_list_of_frames() {
    let app = LocalApp::start().await;
    for environment in 0..12 {
        let prefix = if environment == 11 { "z".to_owned() } else { format!("a{environment}") };
        let count = if environment == 11 { 1 } else { 10 };
        let origins: Vec<String> = (0..count).map(|n| format!("https://{prefix}-{n}.example.com")).collect();
        let api = app.api().claiming(&json!({"sub": format!("org_{environment}")}));
        api.put("/portal/look", &look(&json!({"embedOrigins": origins}))).await.expect(200);
    }
    let kept = store(app.database()).await.portal.embed_origins().await.unwrap();
    assert_eq!(kept.len(), 100);
    assert!(kept.contains(&"https://z-0.example.com".to_owned()), "{kept:?}");
}

//! The main secret that belongs to a database: another one is refused, and what was sealed stays readable.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use postrider::domain::main_secret::{KeyId, MainSecrets};
use postrider::store::Sealer;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Database, Receiver, TestApp};

use super::shell::{MAIN_SECRET, SECRETS, complaint, run, stdout};

const OTHER_SECRET: &str = "another secret, of nobody's";

fn with_secret<'a>(database: &'a Database, secret: &'a str) -> [(&'a str, &'a str); 3] {
    [("DATABASE_URL", database.url()), SECRETS[0], ("POSTRIDER_MAIN_SECRET", secret)]
}

#[tokio::test(flavor = "multi_thread")]
async fn another_main_secret_is_refused_by_every_command_and_told_which_is_needed() {
    let database = Database::empty().await;
    // It is remembered from the beginning, before anything is sealed with it.
    stdout(&run(&["migrate"], &with_secret(&database, MAIN_SECRET)));
    let [wanted, given] = [MAIN_SECRET, OTHER_SECRET].map(|secret| KeyId::of(secret.as_bytes()).to_string());
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["serve", "--no-migrate", "--listen", "127.0.0.1:0"],
        &["migrate"],
        &["api-key", "create", "--role", "operator"],
        &["console", "link"],
        &["reseal"],
    ] {
        let complained = complaint(&run(arguments, &with_secret(&database, OTHER_SECRET)));
        assert!(complained.contains(&wanted) && complained.contains(&given), "{arguments:?}: {complained}");
        assert!(complained.contains("postrider reseal"), "{complained}");
        assert!(!complained.contains(OTHER_SECRET) && !complained.contains(MAIN_SECRET), "{complained}");
    }
    stdout(&run(&["api-key", "create", "--role", "operator"], &with_secret(&database, MAIN_SECRET)));
    let shown = stdout(&run(&["config"], &with_secret(&database, MAIN_SECRET)));
    assert!(shown.contains(&format!("key id {wanted}")), "one finds out which secret that is: {shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_sealed_goes_on_being_readable() {
    let mut app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({"headers": {"x-own": "kept"}})).await;
    assert!(app.node_mut().terminate().await.success());
    seal_as_before_key_ids(app.database()).await;

    let complained =
        complaint(&run(&["serve", "--listen", "127.0.0.1:0"], &with_secret(app.database(), OTHER_SECRET)));
    assert!(complained.contains("do not open with the main secret"), "{complained}");

    app.node_mut().restart().await;
    let secret = tenant.api.get(&tenant.path(&format!("/endpoint/{endpoint}/secret"))).await.expect(200);
    assert_eq!(secret["key"], hook.secret.as_str());
    let message = tenant.message("made", json!({})).await;
    let request = &receiver.wait_at(&hook, 1).await[0];
    assert_eq!((request.id.as_str(), request.headers["x-own"].to_str().unwrap()), (message.as_str(), "kept"));
    let remembered: Vec<u8> =
        sqlx::query_scalar("SELECT key_id FROM sealing").fetch_one(&app.database().pool).await.unwrap();
    assert_eq!(KeyId::from_bytes(&remembered), Some(KeyId::of(MAIN_SECRET.as_bytes())));
    app.settled().await;
}

/// Brings a database to what a version without key ids left: nonces of random bytes, and nothing remembered.
async fn seal_as_before_key_ids(database: &Database) {
    let secrets = MainSecrets::new(MAIN_SECRET.as_bytes(), None);
    let (sealer, key) = (Sealer::new(&secrets), secrets.derive(b"postrider seal 1\0")[0]);
    let cipher = XChaCha20Poly1305::new(&key.into());
    let again = |sealed: Vec<u8>, endpoint: Uuid| {
        let plain = sealer.open(&sealed, endpoint.as_bytes()).unwrap();
        let nonce: [u8; 24] = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let payload = Payload { msg: &plain, aad: endpoint.as_bytes() };
        [&nonce[..], &cipher.encrypt(&XNonce::from(nonce), payload).unwrap()].concat()
    };
    let rows: Vec<(Uuid, Uuid, Vec<u8>)> =
        sqlx::query_as("SELECT id, endpoint_id, sealed FROM endpoint_secret")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    assert!(!rows.is_empty());
    for (id, endpoint, sealed) in rows {
        sqlx::query("UPDATE endpoint_secret SET sealed = $2 WHERE id = $1")
            .bind(id)
            .bind(again(sealed, endpoint))
            .execute(&database.pool)
            .await
            .unwrap();
    }
    let rows: Vec<(Uuid, Vec<u8>)> =
        sqlx::query_as("SELECT id, headers_sealed FROM endpoint WHERE headers_sealed IS NOT NULL")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    for (endpoint, sealed) in rows {
        sqlx::query("UPDATE endpoint SET headers_sealed = $2 WHERE id = $1")
            .bind(endpoint)
            .bind(again(sealed, endpoint))
            .execute(&database.pool)
            .await
            .unwrap();
    }
    sqlx::query("UPDATE sealing SET key_id = NULL").execute(&database.pool).await.unwrap();
}

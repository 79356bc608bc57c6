//! Every key of an endpoint signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::{LocalApp, Receiver};

#[tokio::test]
async fn rotated_keys_sign_along() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let secret_path = tenant.path(&format!("/endpoint/{endpoint}/secret"));
    let rotate = format!("{secret_path}/rotate");
    let second = tenant.api.post(&rotate, &json!({})).await.expect(200)["key"].as_str().unwrap().to_owned();
    let third = format!("whsec_{}", STANDARD.encode([9; 24]));
    tenant.api.post(&rotate, &json!({"key": third})).await.expect(200);
    assert_eq!(tenant.api.get(&secret_path).await.expect(200)["key"], third.as_str());

    receiver.must_verify_with(&hook, &[&hook.secret, &second, &third]);
    tenant.message("made", json!({})).await;
    let requests = receiver.wait_at(&hook, 1).await;
    let signatures = requests[0].headers["webhook-signature"].to_str().unwrap();
    assert_eq!(signatures.split(' ').count(), 3, "{signatures}");
    app.settled().await;
}

#[tokio::test]
async fn an_ed25519_secret_signs_for_its_public_key() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let mut hook = receiver.hook("/hook");
    // The pair that the Standard Webhooks libraries test with.
    hook.secret =
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
            .into();
    receiver.must_verify_with(&hook, &["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="]);
    tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({"a": 1})).await;
    let requests = receiver.wait_at(&hook, 1).await;
    assert!(requests[0].headers["webhook-signature"].to_str().unwrap().starts_with("v1a,"));
    app.settled().await;
}

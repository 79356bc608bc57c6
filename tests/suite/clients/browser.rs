//! What only a browser can tell: whether a portal on another origin works with a tenant's token where the operator
//! lists the origin, and only there, and whether the page that describes the API works without the network.

use serde_json::json;

use crate::support::javascript::node;
use crate::support::program::finished;
use crate::support::server::free_address;
use crate::support::{Receiver, Setup, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_works_on_a_listed_origin_alone() {
    let (listed, unlisted) = (format!("http://{}", free_address()), format!("http://{}", free_address()));
    let app = Setup::default().with("CORS_ORIGINS", &listed).start().await;
    let receiver = Receiver::start().await;
    let hook = receiver.hook("/hook");
    let tenant = app.tenant("portal").await;
    let invoice = json!({"name": "invoice.paid", "description": "An invoice was paid."});
    tenant.api.post("/event-type", &invoice).await.expect(201);
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let message = tenant.message("invoice.paid", json!({"amount": 4200})).await;
    receiver.wait_at(&hook, 1).await;
    app.settled().await;

    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let mut command = node("browser", "portal.cjs");
    command
        .env("SERVER_URL", format!("http://{}", app.address()))
        .env("TOKEN", own.token())
        .env("APP_ID", &tenant.id)
        .env("ENDPOINT_ID", endpoint)
        .env("MESSAGE_ID", message)
        .env("LISTED", listed)
        .env("UNLISTED", unlisted);
    finished(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_that_describes_the_api_works_without_the_network() {
    let app = TestApp::start().await;
    let specification = serde_json::to_value(postrider::api::openapi()).unwrap();
    let paths = specification["paths"].as_object().unwrap().values();
    let operations: usize = paths.map(|item| item.as_object().unwrap().len()).sum();
    let mut command = node("browser", "api-reference.cjs");
    command.env("SERVER_URL", format!("http://{}", app.address())).env("OPERATIONS", operations.to_string());
    finished(command).await;
}

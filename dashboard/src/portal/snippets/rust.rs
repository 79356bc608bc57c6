// cargo add standardwebhooks axum
async fn webhooks(State(hook): State<Arc<Webhook>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if hook.verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    handle(&body);
    StatusCode::NO_CONTENT
}

fn routes(webhook_secret: &str) -> Router {
    let hook = Webhook::new(webhook_secret).expect("WEBHOOK_SECRET should begin with whsec_");
    Router::new().route("/webhooks", post(webhooks)).with_state(Arc::new(hook))
}

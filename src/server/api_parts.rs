//! What the API of a node works with, made of the configuration.

use std::sync::Arc;

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use url::Url;

use crate::api;
use crate::api::{
    ApiState, Authenticator, BodyReader, Budgets, ContentPages, Cookies, Embedders, EndpointCaps,
    IntakeLimits, LiveStreams, MaxStreams, PublicNames, ServerPolicies, SharedViews, SignInFailures,
    StreamRooms, TokenKey, Trials,
};
use crate::config::{Config, JwtKey};
use crate::console::{Console, Documentation};
use crate::domain::clock::Clock;
use crate::domain::policy::ServerPolicy;
use crate::engine::Engine;
use crate::listener::ListenerLimits;
use crate::openid::OpenId;
use crate::store::{Sealer, Store};

/// What the bodies under way on one connection may take.
const CONNECTION_BODY_BYTES: usize = 4 << 20;
/// Exports of this node at a time. Each holds a page of some MiB.
const MAX_EXPORTS: MaxStreams = MaxStreams { all: 8, of_credential: 2, of_tenant: 3 };

pub(super) fn listener_limits(config: &Config) -> ListenerLimits {
    let intake = &config.intake;
    ListenerLimits {
        connections: usize::try_from(intake.max_connections).unwrap_or(usize::MAX),
        streams: intake.max_streams,
        head_timeout: intake.head_timeout,
        idle_timeout: intake.idle_timeout,
        stall_timeout: intake.body_timeout + intake.answer_timeout,
        body_bytes: (config.max_body_bytes + (1 << 10)).max(CONNECTION_BODY_BYTES),
    }
}

pub(super) fn api_state(
    store: &Store,
    engine: &Engine,
    config: &Config,
    clock: Clock,
) -> anyhow::Result<ApiState> {
    let key = match &config.jwt {
        JwtKey::Hs256(secret) => TokenKey::Hs256(secret.expose_secret().as_bytes().to_vec()),
        JwtKey::Rs256(pem) => TokenKey::Rs256(pem.as_bytes().to_vec()),
        JwtKey::EdDsa(pem) => TokenKey::EdDsa(pem.as_bytes().to_vec()),
    };
    let cors_origins = config
        .cors_origins
        .iter()
        .map(|origin| origin.parse().with_context(|| format!("{origin:?} is not an origin")))
        .collect::<anyhow::Result<_>>()?;
    let intake = IntakeLimits {
        body_bytes: config.max_body_bytes,
        body_timeout: config.intake.body_timeout,
        answer_timeout: config.intake.answer_timeout,
        body_budget_bytes: config.intake.body_budget_bytes,
        answer_budget_bytes: config.intake.answer_budget_bytes,
        page_bytes: config.intake.page_bytes,
    };
    let budgets = Budgets::new(&intake);
    let public_url = config.links_start_with();
    Ok(ApiState {
        configuration: store.configuration.clone(),
        history: store.history.clone(),
        access: store.access.clone(),
        tasks: store.tasks.clone(),
        rollups: store.rollups.clone(),
        views: SharedViews::new(server_policies(config)),
        queue: store.queue.clone(),
        ingest: engine.ingest.clone(),
        replay: engine.replay.clone(),
        credentials: engine.credentials.clone(),
        health: engine.health.clone(),
        changes: engine.changes.clone(),
        cookies: Cookies::new(&public_url),
        sign_in_failures: SignInFailures::default(),
        openid: openid(config, &public_url, &clock)?,
        sealer: Sealer::new(store.sealing.main_secrets()),
        console: config.console.then(|| Console::built_in(&public_url)),
        documentation: Documentation::built_in(&public_url),
        node_name: config.node_name.clone(),
        settings: config.settings.clone(),
        public_url,
        authenticator: Authenticator::new(
            &key,
            config.required_claims(),
            store.sealing.main_secrets(),
            clock,
        )?,
        egress: engine.egress.clone(),
        streams: LiveStreams::new(engine.hub.clone(), store.live.clone()),
        public_names: PublicNames::default(),
        inboxes: engine.inboxes.clone(),
        alerts: store.alerts.clone(),
        portal: store.portal.clone(),
        embedders: Embedders::new(store.portal.clone()),
        trials: Trials::new(engine.sender.clone(), engine.sending_threads.clone()),
        trusted_proxies: config.trusted_proxies.clone(),
        content_pages: ContentPages::new(&intake, budgets.clone()),
        budgets,
        intake,
        caps: config.caps.clone(),
        endpoint_caps: EndpointCaps::default(),
        bodies: BodyReader::default(),
        imports: Arc::new(Semaphore::new(1)),
        exports: StreamRooms::new(MAX_EXPORTS),
        cors_origins,
        access_log: config.access_log,
    })
}

fn openid(config: &Config, public_url: &Url, clock: &Clock) -> anyhow::Result<Option<Arc<OpenId>>> {
    let Some(options) = &config.openid else { return Ok(None) };
    let openid = OpenId::new(options.clone(), api::openid_redirect(public_url), clock.clone())?;
    Ok(Some(Arc::new(openid)))
}

/// What holds where nothing else is set.
fn server_policies(config: &Config) -> ServerPolicies {
    ServerPolicies {
        deliveries: delivery_policy(config),
        disable_after: config.endpoint_disable_after,
        hold_limit: config.hold_limit,
        retention: config.retention,
    }
}

/// How deliveries are treated where nothing else is set.
pub(super) fn delivery_policy(config: &Config) -> ServerPolicy {
    ServerPolicy {
        max_in_flight: config.max_in_flight,
        retry_schedule: Arc::new(config.retry_schedule.clone()),
        timeout: config.request_timeout,
        retry_on: config.retry_on.clone(),
        svix_headers: config.svix_headers,
        max_in_flight_cap: config.caps.max_in_flight,
        allow_insecure_tls: config.allow_insecure_tls,
    }
}

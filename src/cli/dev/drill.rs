//! The drill: the flaky endpoint fails for a while and recovers; its dead letters are then replayed through the API, as an
//! operator would do. Dead letters are counted through the API as well.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::api::Api;
use super::statistics::Statistics;
use super::tenants::{FLAKY, Tenants};

/// Longer than the whole retry schedule, so that there are dead letters.
const FAILING_TIME: Duration = Duration::from_secs(20);
const WORKING_TIME: Duration = Duration::from_secs(40);
const COUNT_INTERVAL: Duration = Duration::from_secs(1);

/// Drills for ever.
pub(super) async fn run(api: Api, tenants: Tenants, statistics: Arc<Statistics>) {
    loop {
        set_failing(&statistics, true);
        count_until(Instant::now() + FAILING_TIME, &api, &tenants, &statistics).await;
        set_failing(&statistics, false);
        if let Err(error) = replay(&api, &statistics).await {
            statistics.add_event(format!("the replay failed: {error:#}"));
        }
        count_until(Instant::now() + WORKING_TIME, &api, &tenants, &statistics).await;
    }
}

fn flaky() -> String {
    format!("{}/{}", FLAKY.0, FLAKY.1)
}

fn set_failing(statistics: &Statistics, failing: bool) {
    let mut counts = statistics.counts();
    if let Some(endpoint) = counts.endpoint(&flaky()) {
        endpoint.failing = failing;
    }
    let turned = if failing { "begins to fail" } else { "has recovered: its dead letters are replayed" };
    counts.add_event(format!("{} {turned}", flaky()));
}

/// Has the flaky endpoint's dead letters replayed.
async fn replay(api: &Api, statistics: &Statistics) -> anyhow::Result<()> {
    let (tenant, endpoint) = FLAKY;
    let path = format!("/app/{tenant}/dead-letter");
    let open = api.get(&format!("{path}?endpoint_id={endpoint}&state=open&limit=250")).await?;
    let letters = open.get("data").and_then(Value::as_array).context("a list of dead letters")?;
    let messages: Vec<String> =
        letters.iter().filter_map(|letter| letter.get("msgId")?.as_str().map(str::to_owned)).collect();
    let number = messages.len();
    if let Some(endpoint) = statistics.counts().endpoint(&flaky()) {
        endpoint.replay(messages);
    }
    let task = api.post(&format!("{path}/replay"), &json!({"endpointId": endpoint})).await?;
    let id = task.get("id").and_then(Value::as_str).unwrap_or("?");
    statistics.add_event(format!("replay of {number} dead letters asked for, {id}"));
    Ok(())
}

async fn count_until(end: Instant, api: &Api, tenants: &Tenants, statistics: &Statistics) {
    while Instant::now() < end {
        for tenant in tenants.iter() {
            for endpoint in tenant.endpoint_uids() {
                let name = format!("{}/{endpoint}", tenant.uid);
                match count(api, tenant.uid, endpoint).await {
                    Ok(number) => note(statistics, &name, number),
                    Err(error) => statistics.add_event(format!("dead letters cannot be counted: {error:#}")),
                }
            }
        }
        sleep_until(end.min(Instant::now() + COUNT_INTERVAL)).await;
    }
}

/// A dry run tells how many there are.
async fn count(api: &Api, tenant: &str, endpoint: &str) -> anyhow::Result<u64> {
    let asked = json!({"endpointId": endpoint, "dryRun": true});
    let answer = api.post(&format!("/app/{tenant}/dead-letter/replay"), &asked).await?;
    answer.get("count").and_then(Value::as_u64).context("the dry run's answer has no `count`")
}

fn note(statistics: &Statistics, name: &str, number: u64) {
    let mut counts = statistics.counts();
    let Some(endpoint) = counts.endpoint(name) else { return };
    let before = std::mem::replace(&mut endpoint.dead_letters, number);
    if number > before {
        let noun = if number == 1 { "dead letter" } else { "dead letters" };
        counts.add_event(format!("{name} has {number} {noun}, {} more than before", number - before));
    }
}

//! The drill: the flaky endpoint fails for a while and recovers; what died meanwhile is then replayed through the
//! API, as an operator would. Dead letters are counted through the API, too.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::api::Api;
use super::tally::Tally;
use super::tenants::{FLAKY, Tenants};

/// Longer than the whole schedule, so that there are dead letters.
const FAILS_FOR: Duration = Duration::from_secs(20);
const WORKS_FOR: Duration = Duration::from_secs(40);
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Drills for ever.
pub(super) async fn run(api: Api, tenants: Tenants, tally: Arc<Tally>) {
    loop {
        turn(&tally, true);
        count_until(Instant::now() + FAILS_FOR, &api, &tenants, &tally).await;
        turn(&tally, false);
        if let Err(error) = replay(&api, &tally).await {
            tally.tell(format!("the replay failed: {error:#}"));
        }
        count_until(Instant::now() + WORKS_FOR, &api, &tenants, &tally).await;
    }
}

fn flaky() -> String {
    format!("{}/{}", FLAKY.0, FLAKY.1)
}

fn turn(tally: &Tally, failing: bool) {
    let mut counts = tally.counts();
    if let Some(seen) = counts.endpoint(&flaky()) {
        seen.failing = failing;
    }
    let turned = if failing { "begins to fail" } else { "has recovered: its dead letters are replayed" };
    counts.tell(format!("{} {turned}", flaky()));
}

/// Replays the flaky endpoint's dead letters, and waits until all of them are back at work.
async fn replay(api: &Api, tally: &Tally) -> anyhow::Result<()> {
    let (tenant, endpoint) = FLAKY;
    let path = format!("/app/{tenant}/dead-letter");
    let open = api.get(&format!("{path}?endpoint_id={endpoint}&state=open&limit=250")).await?;
    let letters = open.get("data").and_then(Value::as_array).context("a list of dead letters")?;
    let messages: Vec<String> =
        letters.iter().filter_map(|letter| letter.get("msgId")?.as_str().map(str::to_owned)).collect();
    let number = messages.len();
    if let Some(seen) = tally.counts().endpoint(&flaky()) {
        seen.replay(messages);
    }
    let task = api.post(&format!("{path}/replay"), &json!({"endpointId": endpoint})).await?;
    let id = task.get("id").and_then(Value::as_str).unwrap_or("?");
    tally.tell(format!("replay of {number} dead letters asked for, {id}"));
    Ok(())
}

async fn count_until(end: Instant, api: &Api, tenants: &Tenants, tally: &Tally) {
    while Instant::now() < end {
        for tenant in tenants.iter() {
            for endpoint in tenant.endpoint_uids() {
                let name = format!("{}/{endpoint}", tenant.uid);
                match count(api, tenant.uid, endpoint).await {
                    Ok(number) => note(tally, &name, number),
                    Err(error) => tally.tell(format!("dead letters cannot be counted: {error:#}")),
                }
            }
        }
        sleep_until(end.min(Instant::now() + COUNT_EVERY)).await;
    }
}

/// A dry run tells how many there are.
async fn count(api: &Api, tenant: &str, endpoint: &str) -> anyhow::Result<u64> {
    let asked = json!({"endpointId": endpoint, "dryRun": true});
    let answer = api.post(&format!("/app/{tenant}/dead-letter/replay"), &asked).await?;
    answer.get("count").and_then(Value::as_u64).context("the dry run's answer has no `count`")
}

fn note(tally: &Tally, name: &str, number: u64) {
    let mut counts = tally.counts();
    let Some(seen) = counts.endpoint(name) else { return };
    let before = std::mem::replace(&mut seen.dead_letters, number);
    if number > before {
        let noun = if number == 1 { "dead letter" } else { "dead letters" };
        counts.tell(format!("{name} has {number} {noun}, {} more than before", number - before));
    }
}

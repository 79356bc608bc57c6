//! Carries a plan out, step by step. A step that is refused keeps none of the others back but those that need what it would
//! have created. What ends an import half-way loses nothing: the next one plans what is left.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use serde_json::Value;

use crate::cli::client::{Client, is_refused};

use super::plan::{Call, Part, Plan, Step};

/// What came of a plan.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// The ids of what was created, by the number of the step.
    pub(super) made: HashMap<usize, String>,
    /// Why steps failed, by their number.
    pub(super) failed: BTreeMap<usize, String>,
    pub(super) stopped: Option<Stop>,
}

/// Where an import stopped.
#[derive(Debug)]
pub(super) struct Stop {
    /// The number of the step that was not done, nor those after it.
    pub(super) before: usize,
    pub(super) why: String,
}

impl Applied {
    /// Whether everything was done.
    pub(super) fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.stopped.is_none()
    }
}

/// Carries out the plan. It stops where the server does not answer.
pub(super) async fn apply(client: &Client, plan: &Plan) -> Applied {
    let mut applied = Applied::default();
    for (number, step) in plan.steps.iter().enumerate() {
        match take(client, step, &applied.made).await {
            Ok(id) => applied.made.extend(id.map(|id| (number, id))),
            Err(error) if is_refused(&error) || error.is::<NotMade>() => {
                applied.failed.insert(number, format!("{error:#}"));
            }
            Err(error) => {
                applied.stopped = Some(Stop { before: number, why: format!("{error:#}") });
                break;
            }
        }
    }
    applied
}

/// What a step needs was not created.
#[derive(Debug, thiserror::Error)]
#[error("what it belongs to was not created")]
struct NotMade;

/// Returns the id of what it created.
async fn take(client: &Client, step: &Step, made: &HashMap<usize, String>) -> anyhow::Result<Option<String>> {
    let mut id: Option<String> = None;
    for call in &step.calls {
        let answer = send(client, call, made, id.as_deref()).await?;
        id = id.or_else(|| answer.get("id").and_then(Value::as_str).map(str::to_owned));
    }
    Ok(id)
}

async fn send(
    client: &Client,
    call: &Call,
    made: &HashMap<usize, String>,
    own: Option<&str>,
) -> anyhow::Result<Value> {
    let mut path: Vec<&str> = Vec::with_capacity(call.path.len());
    for part in &call.path {
        path.push(match part {
            Part::Text(text) => text.as_str(),
            Part::Own => own.ok_or(NotMade)?,
            Part::Made(number) => made.get(number).map(String::as_str).ok_or(NotMade)?,
        });
    }
    client
        .send(&call.method, &path, &call.query, call.body.as_ref())
        .await
        .with_context(|| format!("{} /{}", call.method, path.join("/")))
}

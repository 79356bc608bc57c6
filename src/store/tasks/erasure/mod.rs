//! Erasing everything of an application, one message, or what has a tag: rows go, where an expunge takes only content away.
//! Each step is one transaction and counts what went in it, so that the proof is exact, whatever breaks in between.
//!
//! Messages go first, then dead letters that outlived theirs, then what was set up. What a node has in hand stays for the
//! moment, without its content, and is come back to until nobody has it: its outcome would be recorded otherwise, with the
//! answer. What waits is called off before. Lock order: `pending`, `delivery`, `dead_letter`.

mod create;
mod dead_letters;
mod messages;
mod scope;
mod set_up;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::background_task::TaskKind;
use crate::domain::erasure::{Erased, ErasureOrder};
use crate::domain::id::{EnvironmentId, TaskId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::database::connection::Connection;

use super::chunk::{Chunk, LockedTask};

/// Applications without anything to erase are passed by, so many in a step.
const APPLICATIONS_PER_STEP: u32 = 50;

/// What is erased of an application at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    #[default]
    Messages,
    DeadLetters,
    SetUp,
}

/// Where an erasure stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Place {
    /// At this application; `None` before the first.
    application: Option<Uuid>,
    stage: Stage,
    /// After this row of the stage.
    after: Uuid,
    /// Something was in hand since the beginning of the stage.
    has_left: bool,
    /// The stage has begun anew for what was in hand.
    is_again: bool,
    erased: Erased,
}

/// What a part of a step came to.
enum Part {
    /// So many rows were looked at, up to there, and this went.
    Moved { erased: Erased, last: Uuid, has_left: bool },
    /// Nothing of the stage is left.
    Over,
    /// What is left is in hand.
    Waits,
}

impl Place {
    fn of(task: &LockedTask) -> Result<Self, StoreError> {
        let read = |place: &Value| {
            Self::deserialize(place)
                .map_err(|error| StoreError::Inconsistent(format!("the place of an erasure: {error}")))
        };
        Ok(task.place.as_ref().map(read).transpose()?.unwrap_or_default())
    }

    fn enter(&mut self, stage: Stage) {
        (self.stage, self.after, self.has_left, self.is_again) = (stage, Uuid::nil(), false, false);
    }

    /// After a stage of an application. True when it has to be gone through again.
    fn goes_again(&mut self) -> bool {
        let has_left = std::mem::take(&mut self.has_left);
        if has_left {
            (self.after, self.is_again) = (Uuid::nil(), true);
        }
        has_left
    }
}

/// A step of an erasure.
pub(super) async fn advance(tx: &mut Connection, task: &LockedTask, chunk: i64) -> Result<Chunk, StoreError> {
    let order: ErasureOrder = task.order()?;
    let mut place = Place::of(task)?;
    for _ in 0..APPLICATIONS_PER_STEP {
        let Some(application) = place.application else {
            match scope::next_application(tx, task, &order, Uuid::nil()).await? {
                Some(first) => place.application = Some(first),
                None => return finish(tx, task, &order, &place).await,
            }
            continue;
        };
        let part = match place.stage {
            Stage::Messages => messages::erase(tx, task, &order, application, &place, chunk).await?,
            Stage::DeadLetters => dead_letters::erase(tx, task, &order, application, &place, chunk).await?,
            Stage::SetUp => set_up::erase(tx, &order, application, chunk).await?,
        };
        match part {
            Part::Waits => return Ok(Chunk::waiting()),
            Part::Moved { erased, last, has_left } => {
                place.erased.add(&erased);
                place.has_left |= has_left;
                place.after = last;
                return moved(&place, &erased);
            }
            Part::Over if place.goes_again() => {}
            Part::Over => match place.stage {
                Stage::Messages => place.enter(Stage::DeadLetters),
                Stage::DeadLetters => place.enter(Stage::SetUp),
                Stage::SetUp => match scope::next_application(tx, task, &order, application).await? {
                    Some(next) => {
                        place.enter(Stage::Messages);
                        place.application = Some(next);
                    }
                    None => return finish(tx, task, &order, &place).await,
                },
            },
        }
    }
    moved(&place, &Erased::default())
}

fn stored(place: &Place) -> Result<Value, StoreError> {
    serde_json::to_value(place)
        .map_err(|error| StoreError::Inconsistent(format!("the place of an erasure: {error}")))
}

fn moved(place: &Place, erased: &Erased) -> Result<Chunk, StoreError> {
    Ok(Chunk { done: erased.done(), place: Some(stored(place)?), ..Chunk::default() })
}

/// The end: the proof is noted with the task, and in the audit log, and the tag itself is forgotten.
async fn finish(
    tx: &mut Connection,
    task: &LockedTask,
    order: &ErasureOrder,
    place: &Place,
) -> Result<Chunk, StoreError> {
    let environment: EnvironmentId = task
        .environment_id
        .parse()
        .map_err(|_| StoreError::Inconsistent(format!("an environment {}", task.environment_id)))?;
    let proof = json!(place.erased);
    let (action, object) = match task.kind {
        TaskKind::EraseMessage => {
            ("message.erased", order.message_id.map(|id| id.to_string()).unwrap_or_default())
        }
        TaskKind::EraseTag => ("tag.erased", order.tag_hash.clone().unwrap_or_default()),
        _ => ("application.erased", order.application_id.map(|id| id.to_string()).unwrap_or_default()),
    };
    let entry = Entry::of(Some(&environment), order.application_id, action, object);
    let details = json!({ "task": TaskId::from(task.id), "erased": proof });
    note(tx, &Actor::system("erasure"), entry.details(details)).await?;
    sqlx::query!(
        r#"-- erasure::forget_tag
        UPDATE background_task SET filter = filter - 'tag' WHERE id = $1"#,
        task.id,
    )
    .execute(tx)
    .await?;
    Ok(Chunk { place: Some(stored(place)?), items: vec![proof], ..Chunk::last() })
}

//! The steps of one post: find the application, fan out, have the messages written, and answer.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::dispatch::Dispatcher;
use crate::domain::application::Application;
use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::domain::message::{Message, SharedMessage};
use crate::lease::Lease;
use crate::rollup::Rollups;
use crate::store::{QueueStore, Refusal, Snapshots};
use crate::telemetry::{metrics, traces};

use super::fan_out::fan_out;
use super::writer::{Answer, Posted, Writer, Writers, WritersProgress};
use super::{Accepted, IngestError, NewMessage};

/// After this many stale snapshots in a row the application changes faster than it can be read, and the post is refused.
const MAX_STALE_SNAPSHOTS: usize = 10;

/// Which application a message is for.
#[derive(Clone, Copy)]
enum Target<'a> {
    Named(&'a EnvironmentId, &'a str),
    Known(ApplicationId),
}

/// A message that is being written: its index among those that were posted, and the channel of its answer.
type Pending = (usize, SharedMessage, oneshot::Receiver<Answer>);

/// Accepts messages. Cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    queue: QueueStore,
    snapshots: Snapshots,
    lease: Lease,
    dispatcher: Arc<Dispatcher>,
    writer: Arc<Writer>,
}

impl Ingest {
    /// Starts the writers.
    pub fn start(
        queue: QueueStore,
        snapshots: Snapshots,
        lease: Lease,
        dispatcher: Arc<Dispatcher>,
        rollups: Rollups,
        progress: WritersProgress,
    ) -> (Self, Writers) {
        let (writer, writers) =
            Writer::start(queue.clone(), lease.clone(), dispatcher.clone(), rollups, progress);
        (Self { queue, snapshots, lease, dispatcher, writer }, writers)
    }

    /// Stores a message and every one of its deliveries.
    ///
    /// # Errors
    /// As [`IngestError`] says.
    pub async fn accept(
        &self,
        environment: &EnvironmentId,
        application: &str,
        new: &NewMessage,
    ) -> Result<Accepted, IngestError> {
        self.accept_one(Target::Named(environment, application), new).await
    }

    /// The same for an application whose id is known, which may be a hidden one.
    ///
    /// # Errors
    /// As [`IngestError`] says.
    pub async fn accept_into(
        &self,
        application: ApplicationId,
        new: &NewMessage,
    ) -> Result<Accepted, IngestError> {
        self.accept_one(Target::Known(application), new).await
    }

    /// Stores messages and all of their deliveries, in one commit as far as their size allows. Each has its own answer, in
    /// their order; one that is refused does not affect the others.
    ///
    /// # Errors
    /// As [`IngestError`] says, of all of them together.
    pub async fn accept_all(
        &self,
        environment: &EnvironmentId,
        application: &str,
        new: &[NewMessage],
    ) -> Result<Vec<Result<Accepted, IngestError>>, IngestError> {
        self.accept_for(Target::Named(environment, application), new).await
    }

    async fn accept_one(&self, target: Target<'_>, new: &NewMessage) -> Result<Accepted, IngestError> {
        let mut answers = self.accept_for(target, std::slice::from_ref(new)).await?;
        answers.pop().unwrap_or(Err(IngestError::Unavailable))
    }

    async fn accept_for(
        &self,
        target: Target<'_>,
        new: &[NewMessage],
    ) -> Result<Vec<Result<Accepted, IngestError>>, IngestError> {
        let mut answers: Vec<_> = new.iter().map(|_| Err(IngestError::Overloaded)).collect();
        let mut open: Vec<usize> = (0..new.len()).collect();
        for _ in 0..MAX_STALE_SNAPSHOTS {
            let snapshot = self.load(target).await?;
            let endpoints = snapshot.endpoints.iter().map(|endpoint| endpoint.id);
            self.dispatcher.wait_for_long_queues(endpoints).await;
            let (pending, group) =
                self.prepare(&snapshot, open.iter().filter_map(|index| Some((*index, new.get(*index)?))));
            self.writer.push(group);
            open.clear();
            for (index, message, answered) in pending {
                let answer = match answered.await {
                    Ok(Answer::Written) => Ok(Accepted::Stored(message)),
                    Ok(Answer::Refused(Refusal::Stale)) => {
                        open.push(index);
                        continue;
                    }
                    Ok(Answer::Refused(Refusal::KeyUsed)) => {
                        Box::pin(self.earlier_answer(new.get(index))).await
                    }
                    Ok(Answer::Refused(Refusal::EventIdTaken)) => Err(IngestError::EventIdTaken),
                    Ok(Answer::ValueRefused) => Err(IngestError::ValueRefused),
                    Ok(Answer::NoRoom) => Err(IngestError::Overloaded),
                    Ok(Answer::Unavailable) | Err(_) => Err(IngestError::Unavailable),
                };
                if let Some(slot) = answers.get_mut(index) {
                    *slot = answer;
                }
            }
            if open.is_empty() {
                break;
            }
            self.snapshots.forget(snapshot.id);
        }
        Ok(answers)
    }

    async fn load(&self, target: Target<'_>) -> Result<Arc<Application>, IngestError> {
        let found = match target {
            Target::Named(environment, application) => self.snapshots.find(environment, application).await,
            Target::Known(application) => self.snapshots.find_by_id(application).await,
        };
        let found = found.map_err(|error| {
            tracing::warn!(%error, "an application could not be loaded");
            IngestError::Unavailable
        })?;
        found.ok_or(IngestError::UnknownApplication)
    }

    /// Fans messages out against a snapshot, for the writer to write together.
    fn prepare<'a>(
        &self,
        snapshot: &Application,
        new: impl Iterator<Item = (usize, &'a NewMessage)>,
    ) -> (Vec<Pending>, Vec<Posted>) {
        let (mut pending, mut group) = (Vec::new(), Vec::new());
        let request = traces::current();
        for (index, new) in new {
            let guard = self.lease.begin_message();
            let message = Arc::new(Message {
                id: guard.id(),
                application_id: snapshot.id,
                event_type: new.event_type.clone(),
                event_id: new.event_id.clone(),
                channels: new.channels.clone(),
                tags: new.tags.clone(),
                payload: new.payload.clone(),
                headers: new.headers.clone(),
                trace: request.context(),
            });
            let (answer, answered) = oneshot::channel();
            group.push(Posted {
                message: message.clone(),
                config_version: snapshot.config_version,
                deliveries: fan_out(&self.dispatcher, snapshot, &message, new.only),
                idempotency: new.idempotency,
                payload_hours: new.payload_hours,
                guard: Arc::new(guard),
                storing: request.part("store"),
                answer,
            });
            pending.push((index, message, answered));
        }
        (pending, group)
    }

    /// The answer to a repeated idempotency key: what the first post under this key stored.
    async fn earlier_answer(&self, new: Option<&NewMessage>) -> Result<Accepted, IngestError> {
        let Some(key) = new.and_then(|new| new.idempotency) else {
            return Err(IngestError::IdempotencyKeyReused);
        };
        let earlier = self.queue.earlier_post(key.key_hash).await.map_err(|error| {
            tracing::warn!(%error, "an idempotency key could not be read");
            IngestError::Unavailable
        })?;
        match earlier {
            Some(earlier) if earlier.request_hash == key.request_hash => match earlier.message_id {
                Some(id) if earlier.is_stored => {
                    metrics::current().messages_repeated.increment(1);
                    Ok(Accepted::Repeated(id))
                }
                // Its key was stored and its message was not, because its `eventId` was taken.
                Some(_) => Err(IngestError::EventIdTaken),
                None => Err(IngestError::IdempotencyKeyReused),
            },
            Some(_) => Err(IngestError::IdempotencyKeyReused),
            None => Err(IngestError::Unavailable),
        }
    }
}

//! The streams that this node serves, and what they are fed with: a connection listens while there is one, and all nodes are
//! told whose events are wanted. A stream that does not take what it gets is given up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::live::report::Report;
use crate::domain::live::scope::Scope;
use crate::store::{LiveNotices, LiveStore, StoreError};

use super::Live;

/// How often nodes are told whose events are wanted.
const WANTED_EVERY: Duration = Duration::from_secs(2);
/// Reports that wait for a stream.
const MAX_WAITING: usize = 256;
/// A stream whose reports wait for so long is given up.
const MAX_STUCK: Duration = Duration::from_secs(30);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);
const LISTEN_TIMEOUT: Duration = Duration::from_secs(5);

/// The streams of this node. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    store: LiveStore,
    live: Live,
    streams: Mutex<Streams>,
    joined: Notify,
    is_listening: watch::Sender<bool>,
    stop: CancellationToken,
}

#[derive(Default)]
struct Streams {
    by_number: BTreeMap<u64, Stream>,
    next: u64,
}

struct Stream {
    scope: Scope,
    reports: mpsc::Sender<Arc<Report>>,
    stuck_since: Option<Instant>,
}

/// What a stream gets. It gets nothing more once this is dropped.
pub struct Subscription {
    hub: Hub,
    number: u64,
    reports: mpsc::Receiver<Arc<Report>>,
}

impl Subscription {
    /// The next report; `None` when this stream was given up.
    pub async fn next(&mut self) -> Option<Arc<Report>> {
        self.reports.recv().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.streams().by_number.remove(&self.number);
    }
}

impl Hub {
    pub(super) fn start(store: LiveStore, live: Live, stop: CancellationToken) -> Self {
        let inner = Inner {
            store,
            live,
            streams: Mutex::default(),
            joined: Notify::new(),
            is_listening: watch::Sender::new(false),
            stop,
        };
        let hub = Self(Arc::new(inner));
        let feeding = hub.clone().feed();
        tokio::spawn(hub.0.stop.clone().run_until_cancelled_owned(feeding));
        hub
    }

    /// Resolves when this node stops.
    pub async fn stopping(&self) {
        self.0.stop.cancelled().await;
    }

    /// Begins to get the reports of `scope`. When it returns, those of this node are heard, unless the database is away.
    pub async fn subscribe(&self, scope: Scope) -> Subscription {
        let (sender, reports) = mpsc::channel(MAX_WAITING);
        let number = {
            let mut streams = self.streams();
            streams.next += 1;
            let number = streams.next;
            let stream = Stream { scope: scope.clone(), reports: sender, stuck_since: None };
            streams.by_number.insert(number, stream);
            number
        };
        let subscription = Subscription { hub: self.clone(), number, reports };
        self.0.live.watch(vec![scope]);
        self.0.joined.notify_one();
        let mut is_listening = self.0.is_listening.subscribe();
        let listening = is_listening.wait_for(|is_listening| *is_listening);
        let _ = tokio::time::timeout(LISTEN_TIMEOUT, listening).await;
        if let Err(error) = self.say_what_is_wanted().await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "other nodes are told later what is wanted"
            );
        }
        subscription
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.0.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_idle(&self) -> bool {
        self.streams().by_number.is_empty()
    }

    async fn say_what_is_wanted(&self) -> Result<(), StoreError> {
        let mut scopes: Vec<Scope> =
            self.streams().by_number.values().map(|stream| stream.scope.clone()).collect();
        scopes.sort();
        scopes.dedup();
        self.0.store.say_what_is_wanted(&scopes).await?;
        self.0.live.watch(scopes);
        Ok(())
    }

    /// Feeds the streams for ever.
    async fn feed(self) {
        loop {
            while self.is_idle() {
                self.0.joined.notified().await;
            }
            let ended = match tokio::time::timeout(LISTEN_TIMEOUT, self.0.store.listen()).await {
                Ok(Ok(notices)) => {
                    self.0.is_listening.send_replace(true);
                    let ended = self.feed_from(notices).await;
                    self.0.is_listening.send_replace(false);
                    ended
                }
                Ok(Err(error)) => Err(error),
                Err(_) => Err(StoreError::Inconsistent("the database does not answer".to_owned())),
            };
            if let Err(error) = ended {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "streams of live events get nothing for now"
                );
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }

    /// Feeds the streams until there are none.
    async fn feed_from(&self, mut notices: LiveNotices) -> Result<(), StoreError> {
        let mut wanted = tokio::time::interval(WANTED_EVERY);
        loop {
            tokio::select! {
                report = notices.next() => self.hand_out(report?),
                _ = wanted.tick() => {
                    if self.is_idle() {
                        return Ok(());
                    }
                    self.say_what_is_wanted().await?;
                }
            }
        }
    }

    fn hand_out(&self, report: Option<Report>) {
        let Some(report) = report.map(Arc::new) else { return };
        let now = Instant::now();
        self.streams()
            .by_number
            .retain(|_, stream| stream.scope != report.scope || stream.take(&report, now));
    }
}

impl Stream {
    /// Whether it goes on.
    fn take(&mut self, report: &Arc<Report>, now: Instant) -> bool {
        match self.reports.try_send(report.clone()) {
            Ok(()) => {
                self.stuck_since = None;
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                now.saturating_duration_since(*self.stuck_since.get_or_insert(now)) < MAX_STUCK
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_takes_nothing_is_given_up_after_a_while() {
        let scope = Scope::Environment("org_a".parse().unwrap());
        let (sender, mut reports) = mpsc::channel(1);
        let mut stream = Stream { scope: scope.clone(), reports: sender, stuck_since: None };
        let (report, now) = (Arc::new(Report::empty(scope)), Instant::now());
        assert!(stream.take(&report, now) && stream.take(&report, now));
        assert!(stream.take(&report, now + MAX_STUCK / 2));
        assert!(!stream.take(&report, now + MAX_STUCK));
        reports.try_recv().unwrap();
        assert!(stream.take(&report, now + MAX_STUCK), "there was room again");
        assert!(stream.take(&report, now + MAX_STUCK), "and it is counted anew");
        drop(reports);
        assert!(!stream.take(&report, now));
    }
}

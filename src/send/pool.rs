//! Connections that wait for their next exchange, by where they lead. They wait for a short time only: servers close
//! what is idle for some seconds, and a request that meets such an end has to be sent again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// Connections that wait for one origin; as many as an endpoint has requests at once by default.
const IDLE_PER_ORIGIN: usize = 16;
/// Connections that wait in all; each costs a descriptor.
const IDLE_IN_ALL: usize = 1024;

/// How long connections are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ages {
    /// Without an exchange.
    pub(super) idle: Duration,
    /// In all.
    pub(super) life: Duration,
}

/// The waiting connections.
pub(super) struct Pool {
    ages: Ages,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    by_origin: HashMap<Box<str>, Vec<Connection>>,
    count: usize,
}

impl Pool {
    /// An empty pool, which is swept of what has waited too long for as long as it is there.
    pub(super) fn start(ages: Ages) -> Arc<Self> {
        let pool = Arc::new(Self { ages, waiting: Mutex::default() });
        let weak = Arc::downgrade(&pool);
        let pause = (ages.idle / 4).clamp(Duration::from_millis(20), Duration::from_secs(1));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(pool) = weak.upgrade() else { return };
                pool.sweep();
            }
        });
        pool
    }

    /// A connection to an origin, the one that was used last. It may have been closed at the other end.
    pub(super) fn take(&self, origin: &str) -> Option<Connection> {
        let now = Instant::now();
        loop {
            let mut waiting = self.waiting();
            let connection = waiting.by_origin.get_mut(origin)?.pop()?;
            waiting.count -= 1;
            drop(waiting);
            if self.may_be_used(&connection, now) {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next exchange, or drops it when it is too old or there are too many.
    pub(super) fn put(&self, origin: &str, mut connection: Connection) {
        connection.idle_since = Instant::now();
        if !self.may_be_used(&connection, connection.idle_since) {
            return;
        }
        let mut waiting = self.waiting();
        if waiting.count >= IDLE_IN_ALL {
            return;
        }
        let there = match waiting.by_origin.get_mut(origin) {
            Some(there) => there,
            None => waiting.by_origin.entry(origin.into()).or_default(),
        };
        if there.len() < IDLE_PER_ORIGIN {
            there.push(connection);
            waiting.count += 1;
        }
    }

    /// Drops every connection.
    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *self.waiting());
        // Out of the lock.
        drop(all);
    }

    fn sweep(&self) {
        let now = Instant::now();
        let mut over = Vec::new();
        let mut waiting = self.waiting();
        waiting.by_origin.retain(|_, there| {
            over.extend(there.extract_if(.., |connection| !self.may_be_used(connection, now)));
            !there.is_empty()
        });
        waiting.count -= over.len();
        // Closing them takes system calls, which nobody shall wait for.
        drop(waiting);
    }

    fn may_be_used(&self, connection: &Connection, now: Instant) -> bool {
        now - connection.idle_since < self.ages.idle && now - connection.opened_at < self.ages.life
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Idle connections, by origin. They are kept for a short time only: servers close connections that are idle for some
//! seconds, and a request over a closed one has to be sent again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// Idle connections of one origin; as many as an endpoint has requests at once by default.
const MAX_IDLE_PER_ORIGIN: usize = 16;
/// Idle connections in all; each takes a descriptor.
const MAX_IDLE_CONNECTIONS: usize = 1024;

/// How old connections may become.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionAges {
    /// Without an exchange.
    pub(super) idle: Duration,
    /// In all.
    pub(super) total: Duration,
}

/// The idle connections.
pub(super) struct Pool {
    max_ages: ConnectionAges,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    by_origin: HashMap<Box<str>, Vec<Connection>>,
    count: usize,
}

impl Pool {
    /// An empty pool, with a task that closes what has been idle for too long.
    pub(super) fn start(max_ages: ConnectionAges) -> Arc<Self> {
        let pool = Arc::new(Self { max_ages, idle: Mutex::default() });
        let weak = Arc::downgrade(&pool);
        let pause = (max_ages.idle / 4).clamp(Duration::from_millis(20), Duration::from_secs(1));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(pool) = weak.upgrade() else { return };
                pool.sweep();
            }
        });
        pool
    }

    /// A connection to an origin, the one that was used last. The receiver may have closed it.
    pub(super) fn take(&self, origin: &str) -> Option<Connection> {
        let now = Instant::now();
        loop {
            let mut idle = self.idle();
            let connection = idle.by_origin.get_mut(origin)?.pop()?;
            idle.count -= 1;
            drop(idle);
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
        let mut idle = self.idle();
        if idle.count >= MAX_IDLE_CONNECTIONS {
            return;
        }
        let there = match idle.by_origin.get_mut(origin) {
            Some(there) => there,
            None => idle.by_origin.entry(origin.into()).or_default(),
        };
        if there.len() < MAX_IDLE_PER_ORIGIN {
            there.push(connection);
            idle.count += 1;
        }
    }

    /// Drops every connection.
    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *self.idle());
        // Closed after the lock is released.
        drop(all);
    }

    fn sweep(&self) {
        let now = Instant::now();
        let mut over = Vec::new();
        let mut idle = self.idle();
        idle.by_origin.retain(|_, there| {
            over.extend(there.extract_if(.., |connection| !self.may_be_used(connection, now)));
            !there.is_empty()
        });
        idle.count -= over.len();
        // Closing connections takes system calls, so it happens after the lock is released.
        drop(idle);
    }

    fn may_be_used(&self, connection: &Connection, now: Instant) -> bool {
        now - connection.idle_since < self.max_ages.idle && now - connection.opened_at < self.max_ages.total
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

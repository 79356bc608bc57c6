//! Idle connections, by origin. They are kept for a short time only: servers close connections that are idle for some
//! seconds, and a request over a closed one has to be sent again. When there are too many, the application that has most of
//! them gives one up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::id::ApplicationId;

use super::connection::Connection;

/// Idle connections of one origin; as many as an endpoint has requests at once by default.
const MAX_IDLE_PER_ORIGIN: usize = 16;

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
    max_idle: usize,
    idle: Mutex<Idle<Connection>>,
}

impl Pool {
    /// An empty pool, with a task that closes what has been idle for too long.
    pub(super) fn start(max_ages: ConnectionAges, max_idle: usize) -> Arc<Self> {
        let pool = Arc::new(Self { max_ages, max_idle, idle: Mutex::default() });
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
            let connection = self.idle().take(origin)?;
            if self.may_be_used(&connection, now) {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection that an application used for the next exchange, or drops it when it is too old or its origin has
    /// enough.
    pub(super) fn put(&self, origin: &str, application: ApplicationId, mut connection: Connection) {
        connection.idle_since = Instant::now();
        if !self.may_be_used(&connection, connection.idle_since) {
            return;
        }
        let kept = Kept { application, since: connection.idle_since, connection };
        let dropped = self.idle().put(origin, kept, self.max_idle);
        // Closing a connection takes system calls, so it happens after the lock is released.
        drop(dropped);
    }

    /// Drops every connection.
    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *self.idle());
        // Closed after the lock is released.
        drop(all);
    }

    fn sweep(&self) {
        let now = Instant::now();
        let over = self.idle().remove_if(|connection| !self.may_be_used(connection, now));
        // Closed after the lock is released.
        drop(over);
    }

    fn may_be_used(&self, connection: &Connection, now: Instant) -> bool {
        now - connection.idle_since < self.max_ages.idle && now - connection.opened_at < self.max_ages.total
    }

    fn idle(&self) -> MutexGuard<'_, Idle<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An idle connection, and who used it last.
struct Kept<C> {
    application: ApplicationId,
    since: Instant,
    connection: C,
}

/// What is idle.
struct Idle<C> {
    by_origin: HashMap<Box<str>, Vec<Kept<C>>>,
    /// How many each application has.
    counts: HashMap<ApplicationId, usize>,
    count: usize,
}

impl<C> Default for Idle<C> {
    fn default() -> Self {
        Self { by_origin: HashMap::new(), counts: HashMap::new(), count: 0 }
    }
}

impl<C> Idle<C> {
    fn take(&mut self, origin: &str) -> Option<C> {
        let kept = self.by_origin.get_mut(origin)?.pop()?;
        self.forget(kept.application);
        Some(kept.connection)
    }

    /// Returns what has to go, which may be this one.
    fn put(&mut self, origin: &str, kept: Kept<C>, max: usize) -> Option<C> {
        if self.by_origin.get(origin).is_some_and(|there| there.len() >= MAX_IDLE_PER_ORIGIN) {
            return Some(kept.connection);
        }
        *self.counts.entry(kept.application).or_default() += 1;
        self.count += 1;
        match self.by_origin.get_mut(origin) {
            Some(there) => there.push(kept),
            None => self.by_origin.entry(origin.into()).or_default().push(kept),
        }
        if self.count > max { self.give_one_up() } else { None }
    }

    /// The one that was idle for longest of the application that has most.
    fn give_one_up(&mut self) -> Option<C> {
        let (&application, _) = self.counts.iter().max_by_key(|(_, count)| **count)?;
        let of_it = |kept: &Kept<C>| kept.application == application;
        let (_, origin) = self
            .by_origin
            .iter()
            .flat_map(|(origin, there)| {
                there.iter().filter(|kept| of_it(kept)).map(move |kept| (kept.since, origin))
            })
            .min()?;
        let origin = origin.clone();
        let there = self.by_origin.get_mut(&origin)?;
        // Those of an origin stand in the order in which they came.
        let given_up = there.remove(there.iter().position(of_it)?);
        if there.is_empty() {
            self.by_origin.remove(&origin);
        }
        self.forget(application);
        Some(given_up.connection)
    }

    fn remove_if(&mut self, is_over: impl Fn(&C) -> bool) -> Vec<C> {
        let mut over = Vec::new();
        self.by_origin.retain(|_, there| {
            over.extend(there.extract_if(.., |kept| is_over(&kept.connection)));
            !there.is_empty()
        });
        over.iter().for_each(|kept| self.forget(kept.application));
        over.into_iter().map(|kept| kept.connection).collect()
    }

    /// One fewer.
    fn forget(&mut self, application: ApplicationId) {
        self.count -= 1;
        if let Some(count) = self.counts.get_mut(&application) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&application);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_pool_takes_newcomers_at_the_cost_of_whoever_has_most() {
        let [loud, quiet] = [ApplicationId::generate(), ApplicationId::generate()];
        let (mut idle, now) = (Idle::default(), Instant::now());
        let mut put = |origin: &str, application, number: u32| {
            let since = now + Duration::from_millis(number.into());
            idle.put(origin, Kept { application, since, connection: number }, 4)
        };
        for number in 0..4 {
            assert_eq!(put(&format!("https://{}.loud.test", number / 2), loud, number), None);
        }
        assert_eq!(put("https://quiet.test", quiet, 4), Some(0));
        assert_eq!(put("https://quiet.test", quiet, 5), Some(1));
        assert_eq!(put("https://2.loud.test", loud, 6), Some(2));
        assert_eq!((idle.take("https://quiet.test"), idle.take("https://0.loud.test")), (Some(5), None));
        assert_eq!((idle.take("https://1.loud.test"), idle.take("https://2.loud.test")), (Some(3), Some(6)));
        assert_eq!(idle.remove_if(|_| true), [4]);
        assert!(idle.count == 0 && idle.counts.is_empty());
    }
}

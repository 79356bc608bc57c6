//! When the queue next has something due, as far as this process knows: what it put there itself. The claimer
//! waits on it; the database, asked from time to time, has the last word.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// Shared between those who put deliveries into the queue and the claimer.
#[derive(Clone, Default)]
pub struct NextDue {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    at: Mutex<Option<Instant>>,
    sooner: Notify,
}

impl NextDue {
    /// Something is due at `at`.
    pub fn hasten(&self, at: Instant) {
        let mut next = self.inner.at.lock().unwrap_or_else(PoisonError::into_inner);
        if next.is_none_or(|known| at < known) {
            *next = Some(at);
            drop(next);
            self.inner.sooner.notify_one();
        }
    }

    /// Something may be due now.
    pub fn now(&self) {
        self.hasten(Instant::now());
    }

    /// Forgets what was known, before the queue itself is asked.
    pub fn take(&self) -> Option<Instant> {
        self.inner.at.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns at the known moment, or waits for ever while none is known; follows it when it comes sooner.
    pub async fn reached(&self) {
        loop {
            let sooner = self.inner.sooner.notified();
            let at = *self.inner.at.lock().unwrap_or_else(PoisonError::into_inner);
            match at {
                None => sooner.await,
                Some(at) if at <= Instant::now() => return,
                Some(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => {}
                        () = sooner => {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_sooner_moment_wakes_the_waiter() {
        let due = NextDue::default();
        due.hasten(Instant::now() + Duration::from_secs(3600));
        let waiter = tokio::spawn({
            let due = due.clone();
            async move { due.reached().await }
        });
        due.now();
        waiter.await.unwrap();
        assert!(due.take().is_some());
        assert!(due.take().is_none());
    }
}

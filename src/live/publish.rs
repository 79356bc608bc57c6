//! Tells other nodes what happened here, while somebody watches.

use std::time::{Duration, Instant};

use crate::domain::live::report::Report;
use crate::store::{LiveStore, StoreError};

use super::Live;

/// How often it is told at most.
const EVERY: Duration = Duration::from_millis(250);
/// Notices each time; what does not fit is not told.
const MAX_NOTICES: usize = 512;

/// Tells for ever.
pub(super) async fn run(live: Live, store: LiveStore) {
    loop {
        live.until_watched().await;
        tokio::time::sleep(EVERY).await;
        if let Err(error) = live.tell(&store).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "those who watch were not told");
        }
    }
}

impl Live {
    async fn tell(&self, store: &LiveStore) -> Result<(), StoreError> {
        let asked = self.tap().unplaced();
        if !asked.is_empty() {
            let found = store.environments_of(&asked).await?;
            self.tap().place(&asked, &found);
        }
        let reports = self.take();
        let notices: Vec<String> =
            reports.into_iter().flat_map(Report::into_notices).take(MAX_NOTICES).collect();
        if notices.is_empty() { Ok(()) } else { store.tell(&notices).await }
    }

    /// Takes what is to be told. When nobody watches any more, nothing is noted from now on.
    fn take(&self) -> Vec<Report> {
        let mut tap = self.tap();
        let (reports, is_watched) = tap.take(Instant::now());
        // Under the lock, so that somebody who begins to watch now is not overlooked.
        if !is_watched {
            self.0.is_watched.store(false, std::sync::atomic::Ordering::Relaxed);
        }
        reports
    }
}

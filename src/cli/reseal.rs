//! `postrider reseal`: moves everything that is sealed from the main secret before to the main secret, while nodes run
//! that have both. It can be stopped at any time; the next run goes on. docs/operating.md has the order of the steps.

use std::time::{Duration, Instant};

use clap::Args;

use crate::config::{Config, Flags};
use crate::server::{Database, Opening};
use crate::store::{ResealWalk, Resealed, SealingStore, Store, StoreError};

/// A batch that the database gives up on is tried so often.
const MAX_TRIES: u32 = 10;
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Reseal {
    /// Rows that are looked at together
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    batch: u32,
    /// The pause after each batch, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(..=60_000))]
    pause_ms: u64,
    #[command(flatten)]
    flags: Flags,
}

impl Reseal {
    pub(super) async fn run(self) -> anyhow::Result<String> {
        let config = Config::load(&self.flags)?;
        super::warn(&config)?;
        let database = Database::open(&config, Opening::Command).await?;
        let moved = match database.prepare(false).await {
            Ok(()) => self.move_all(&database.store).await,
            Err(error) => Err(error),
        };
        database.close().await?;
        moved
    }

    async fn move_all(&self, store: &Store) -> anyhow::Result<String> {
        let sealing = &store.sealing;
        let key = sealing.begin_reseal().await?;
        super::note(&format!(
            "what is new is sealed with the key {key} from now on; what is there is moved"
        ))?;
        let mut walk = ResealWalk::begin();
        let mut all = Resealed::default();
        let mut progress = Progress { told_at: None };
        while let Some(part) = walk.part() {
            let done = self.batch(sealing, &mut walk).await?;
            all.looked_at += done.looked_at;
            all.moved += done.moved;
            all.unreadable += done.unreadable;
            progress.tell(part.name(), all)?;
            tokio::time::sleep(Duration::from_millis(self.pause_ms)).await;
        }
        sealing.end_reseal(key).await?;
        let mut said = format!(
            "everything is sealed with the key {key}: {} values were moved. POSTRIDER_MAIN_SECRET_PREVIOUS can be left out \
             from now on",
            all.moved
        );
        if all.unreadable > 0 {
            said.push_str(&format!(
                "\n{} values open with neither secret. They were so before, and were left as they are",
                all.unreadable
            ));
        }
        Ok(said)
    }

    /// One batch, tried again while the database gives up.
    async fn batch(&self, sealing: &SealingStore, walk: &mut ResealWalk) -> Result<Resealed, StoreError> {
        let mut tries = 1;
        loop {
            match sealing.reseal_batch(walk, self.batch).await {
                Err(StoreError::Unavailable(_)) if tries < MAX_TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
                done => return done,
            }
        }
    }
}

struct Progress {
    told_at: Option<Instant>,
}

impl Progress {
    fn tell(&mut self, part: &str, all: Resealed) -> std::io::Result<()> {
        if self.told_at.is_some_and(|at| at.elapsed() < PROGRESS_INTERVAL) {
            return Ok(());
        }
        self.told_at = Some(Instant::now());
        super::note(&format!("{part}: {} rows looked at so far, {} values moved", all.looked_at, all.moved))
    }
}

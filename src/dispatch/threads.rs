//! Threads of their own for what must not stand in line behind other work. Those that deliver: however much is posted,
//! what is accepted goes out at the rate that the machine can bear. And those that are vital: the heartbeat, the notices
//! of other nodes and the search for what was lost go on whatever receivers do to the threads that deliver.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// One may be blocked for a moment, so there are two.
const VITAL_THREADS: usize = 2;

/// Threads. Dropping them ends whatever still runs on them.
#[derive(Debug)]
pub struct Threads {
    handle: Handle,
    /// There until it is dropped.
    runtime: Option<Runtime>,
}

impl Threads {
    /// Starts those that deliver, one a core.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start_dispatch() -> io::Result<Self> {
        Self::run(Builder::new_multi_thread().thread_name("dispatch"))
    }

    /// Starts the vital ones.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start_vital() -> io::Result<Self> {
        Self::run(Builder::new_multi_thread().thread_name("vital").worker_threads(VITAL_THREADS))
    }

    fn run(builder: &mut Builder) -> io::Result<Self> {
        let runtime = builder.enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// What spawns on them.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Dropped as it is, it would wait for its threads, which nothing asynchronous may do.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

//! Threads of their own for work that must not wait behind other work. Those that deliver: however much is posted, what is
//! accepted is sent as fast as the machine can. And the critical ones: the heartbeat, notices of other nodes, the recording
//! of outcomes and the search for lost deliveries go on whatever receivers do to the threads that deliver.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// Two, because one may be blocked for a moment.
const CRITICAL_THREADS: usize = 2;

/// A runtime with its threads. Dropping it ends whatever still runs there.
#[derive(Debug)]
pub struct ThreadPool {
    handle: Handle,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl ThreadPool {
    /// Starts the threads that deliver, one for each core.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start_dispatch() -> io::Result<Self> {
        Self::start(Builder::new_multi_thread().thread_name("dispatch"))
    }

    /// Starts the critical threads.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start_critical() -> io::Result<Self> {
        Self::start(Builder::new_multi_thread().thread_name("critical").worker_threads(CRITICAL_THREADS))
    }

    fn start(builder: &mut Builder) -> io::Result<Self> {
        let runtime = builder.enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Spawns on these threads.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        // A plain drop would wait for the threads, which is not allowed in asynchronous code.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

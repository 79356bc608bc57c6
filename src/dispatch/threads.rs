//! The threads that deliver. They are the dispatcher's own: however much is posted, a delivery never stands in line
//! behind the API's work, so what is accepted goes out at the rate that the machine can bear, and the heart beats.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads, one a core. Dropping them ends whatever still runs on them.
#[derive(Debug)]
pub struct Threads {
    handle: Handle,
    /// There until it is dropped.
    runtime: Option<Runtime>,
}

impl Threads {
    /// Starts them.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().thread_name("dispatch").enable_all().build()?;
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

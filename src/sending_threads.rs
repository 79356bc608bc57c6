//! The threads that deliver, for whatever else is sent to receivers: what a receiver does to a request costs the API and the
//! critical work no thread.

use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};

/// The threads that deliver. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SendingThreads(Handle);

impl SendingThreads {
    /// These threads.
    pub fn new(threads: Handle) -> Self {
        Self(threads)
    }

    /// Does something there. It ends with whoever waits for it.
    ///
    /// # Errors
    /// When it panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        // A set of tasks ends them when it is dropped.
        let mut tasks = JoinSet::new();
        tasks.spawn_on(work, &self.0);
        tasks.join_next().await.unwrap_or_else(|| unreachable!("there is one"))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use tokio::runtime::Builder;
    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn work_is_done_there_and_ends_with_whoever_waits() {
        let sending = Builder::new_multi_thread().worker_threads(1).thread_name("sending").build().unwrap();
        let threads = SendingThreads::new(sending.handle().clone());
        let other = Builder::new_current_thread().build().unwrap();
        other.block_on(async {
            let name = threads.run(async { thread::current().name().map(str::to_owned) }).await.unwrap();
            assert_eq!(name.as_deref(), Some("sending"));
            let (held, ended) = oneshot::channel::<()>();
            let (begun, begins) = oneshot::channel();
            let waiting = tokio::spawn(async move {
                let endless = async move {
                    let _held = held;
                    let _ = begun.send(());
                    std::future::pending::<()>().await;
                };
                threads.run(endless).await
            });
            begins.await.unwrap();
            waiting.abort();
            assert!(ended.await.is_err(), "it was dropped");
        });
    }
}

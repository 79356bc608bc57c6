//! Waiting for a fact that sends no signal, such as a row in another process's database.

use std::time::Duration;

/// No test needs this long; it only keeps a failure from hanging.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Asks until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(DEADLINE, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("{what}: not within {} s", DEADLINE.as_secs()),
    }
}

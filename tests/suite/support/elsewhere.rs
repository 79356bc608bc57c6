//! Whoever does harm does it from a machine of its own. Here its threads share the processors with the server, so they
//! give way to it: what is measured then is what the harm costs the server.

#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};

use tokio::runtime::{Builder, Runtime};

/// By so much its priority is lower, in the scale of `nice`.
#[cfg(target_os = "linux")]
const LOWER: i32 = 10;

/// A runtime that ends with this value.
pub struct Elsewhere(Option<Runtime>);

impl Elsewhere {
    pub fn start(threads: usize) -> Self {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(threads).enable_all().on_thread_start(give_way);
        Self(Some(builder.build().unwrap()))
    }

    pub fn spawn(&self, harm: impl Future<Output = ()> + Send + 'static) {
        self.0.as_ref().unwrap().spawn(harm);
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Has the calling thread give way to the test's other threads and to the server. Where that cannot be done, figures are
/// worse and nothing else.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
        // The name, in brackets, may hold spaces.
        let nice =
            stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(16)?.parse::<i32>().ok());
        let lower = (nice.unwrap_or(0) + LOWER).to_string();
        let thread = nix::unistd::gettid().to_string();
        let mut renice = Command::new("renice");
        renice.args(["-n", &lower, "-p", &thread]).stdout(Stdio::null()).stderr(Stdio::null());
        renice.status().ok();
    }
}

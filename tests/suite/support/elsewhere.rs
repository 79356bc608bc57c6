//! Whoever does harm does it from a machine of its own. Here its threads share the processors with the server, so they
//! run only while nobody else wants to: what is measured then is what the harm costs the server.

#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};

use tokio::runtime::{Builder, Runtime};

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

/// Has the calling thread run only while a processor has nothing else to do. Where that cannot be done, figures are worse
/// and nothing else.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        let thread = nix::unistd::gettid().to_string();
        let mut idle = Command::new("chrt");
        idle.args(["--idle", "--pid", "0", &thread]).stdout(Stdio::null()).stderr(Stdio::null());
        idle.status().ok();
    }
}

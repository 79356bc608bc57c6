//! The pages as the binary serves them. Which file is the answer to which path is tried beside the code (`src/console`); links within the
//! site are checked when it is built (`docs/scripts/check.mjs`).

use std::path::Path;

use crate::support::javascript::node;
use crate::support::program::finished;
use crate::support::{LocalApp, Setup};

/// Whether the pages were built before the binary was.
fn is_built() -> bool {
    let is_built = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/.vitepress/dist/index.html").exists();
    if !is_built {
        eprintln!("not tried: the documentation is not built (`make docs`)");
    }
    is_built
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_works_without_the_network_under_its_policy() {
    if is_built() {
        let app = LocalApp::start().await;
        let mut command = node("browser", "documentation.cjs");
        command.env("SERVER_URL", format!("http://{}", app.address()));
        finished(command).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_works_below_a_path() {
    if is_built() {
        let app = Setup::default().with("PUBLIC_URL", "https://example.com/hooks").start_local().await;
        let mut command = node("browser", "documentation.cjs");
        command.env("SERVER_URL", format!("http://{}/hooks", app.address()));
        finished(command).await;
    }
}

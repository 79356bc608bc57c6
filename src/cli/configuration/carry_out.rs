//! The end of every import: what was planned is shown, or done and told.

use anyhow::{bail, ensure};

use crate::cli::client::Client;
use crate::cli::print;

use super::apply::apply;
use super::plan::Plan;
use super::report;

/// Does what was planned, unless that is only to be shown, and tells what came of it.
pub(super) async fn carry_out(
    client: &Client,
    plan: &Plan,
    dry_run: bool,
    as_json: bool,
) -> anyhow::Result<()> {
    let applied = if dry_run { None } else { Some(apply(client, plan).await) };
    if as_json {
        print(&serde_json::to_string_pretty(&report::document(plan, applied.as_ref()))?)?;
    } else {
        print(&report::text(plan, applied.as_ref()))?;
    }
    let Some(applied) = applied else { return Ok(()) };
    let again = "what was done stays; import again to do the rest";
    if let Some(stop) = &applied.stopped {
        bail!("the import stopped: {}; {again}", stop.why);
    }
    ensure!(applied.is_complete(), "{} steps failed; {again}", applied.failed.len());
    Ok(())
}

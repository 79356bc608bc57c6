//! `postrider openapi`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::api;

#[derive(Debug, Args)]
pub(super) struct WriteOpenApi {
    /// Where to; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "api-spec/openapi.json")]
    output: PathBuf,
}

impl WriteOpenApi {
    /// Returns what goes to standard output.
    pub(super) fn run(&self) -> anyhow::Result<Option<String>> {
        let text = serde_json::to_string_pretty(&api::openapi())? + "\n";
        if self.output.as_os_str() == "-" {
            return Ok(Some(text));
        }
        let failed = || format!("{} cannot be written", self.output.display());
        if let Some(directory) = self.output.parent() {
            std::fs::create_dir_all(directory).with_context(failed)?;
        }
        std::fs::write(&self.output, text).with_context(failed)?;
        Ok(None)
    }
}

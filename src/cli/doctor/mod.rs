//! `postrider doctor`: looks at what usually goes wrong, and says what to do. It changes nothing. It fails when it finds a
//! problem, and not for warnings.

mod database;
mod finding;
mod surroundings;

use anyhow::ensure;
use clap::Args;
use serde_json::json;

use crate::config::{Config, Flags};
use crate::domain::clock::Clock;
use crate::server::{Database, Opening};
use crate::store::Store;

use finding::{Condition, Finding};

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = Config::load(&self.flags)?;
        let findings = examine(&config).await?;
        let worst = findings.iter().map(|finding| finding.condition).max().unwrap_or(Condition::Ok);
        let count = |condition| findings.iter().filter(|finding| finding.condition == condition).count();
        let (problems, warnings) = (count(Condition::Problem), count(Condition::Warning));
        if self.json {
            super::print(&serde_json::to_string_pretty(
                &json!({ "condition": worst, "findings": findings }),
            )?)?;
        } else {
            let lines: Vec<String> = findings.iter().map(Finding::text).collect();
            let (problems, warnings) =
                (super::counted(problems, "problem"), super::counted(warnings, "warning"));
            super::print(&format!("{}\n\n{problems}, {warnings}", lines.join("\n")))?;
        }
        ensure!(worst != Condition::Problem, "there are problems: {problems}");
        Ok(())
    }
}

async fn examine(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let mut findings = settings(config);
    findings.extend(surroundings::secrets(config));
    match Database::open(config, Opening::Command).await {
        Ok(database) => {
            findings.extend(of_database(&database, config).await);
            database.close().await?;
        }
        Err(error) => findings.push(Finding::problem(
            "database",
            format!("{error:#}"),
            "the other questions to it were left out",
        )),
    }
    findings.extend(surroundings::egress(config));
    findings.push(surroundings::public_url(config));
    findings.extend(surroundings::files(&config.data_dir, &config.secret_files));
    Ok(findings)
}

fn settings(config: &Config) -> Vec<Finding> {
    if config.warnings.is_empty() {
        return vec![Finding::ok("settings", "each is known, and has a value that it can have")];
    }
    let told =
        |warning: &String| Finding::warning("settings", warning.clone(), "correct its name, or leave it out");
    config.warnings.iter().map(told).collect()
}

async fn of_database(database: &Database, config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let clock = Clock::default();
    let before = clock.now();
    match database.store.upkeep.inspect_database(&database::setting_names()).await {
        Ok(facts) => {
            findings.extend(database::findings(&facts, config.api_connections));
            findings.push(database::clock(before, facts.clock, clock.now()));
        }
        Err(error) => findings.push(unanswered("database settings", &error)),
    }
    if config.migrate
        && let Ok(state) = database.store.database.schema_state().await
        && !state.is_complete()
    {
        let (found, missing) = (state.found, super::counted(state.missing, "migration"));
        findings.push(Finding::warning(
            "schema",
            format!("at version {found}; {missing} to come"),
            "nothing: the next server that starts runs them; `postrider migrate --plan` says what they do",
        ));
        return findings;
    }
    match database.prepare(false).await {
        Ok(()) => findings.extend(of_schema(&database.store).await),
        Err(error) => findings.push(Finding::problem(
            "schema and main secret",
            format!("{error:#}"),
            "a server does not start like this",
        )),
    }
    findings
}

async fn of_schema(store: &Store) -> Vec<Finding> {
    let mut findings = vec![match store.database.schema_state().await {
        Ok(state) if state.is_newer() => Finding::warning(
            "schema",
            format!(
                "a newer Postrider has brought it to version {}; this one knows {}",
                state.found, state.known
            ),
            "upgrade this node as well",
        ),
        Ok(state) => {
            let schema = store.database.schema();
            Finding::ok("schema", format!("\"{schema}\" is up to date, at version {}", state.found))
        }
        Err(error) => unanswered("schema", &error),
    }];
    findings.push(match store.upkeep.without_tomorrow().await {
        Ok(missing) => database::partitions(&missing),
        Err(error) => unanswered("partitions", &error),
    });
    findings.push(match store.sealing.installed_key().await {
        Ok(installed) => match (installed.key_id, installed.moving_from) {
            (Some(key), None) => {
                Finding::ok("main secret", format!("the one of this database, key id {key}"))
            }
            (Some(key), Some(before)) => Finding::warning(
                "main secret",
                format!("everything is being moved from the key {before} to {key}"),
                "run `postrider reseal` until it has ended",
            ),
            (None, _) => Finding::ok("main secret", "nothing is sealed yet"),
        },
        Err(error) => unanswered("main secret", &error),
    });
    findings
}

fn unanswered(subject: &str, error: &dyn std::error::Error) -> Finding {
    Finding::problem(subject, format!("the database does not answer: {error}"), "see what the database logs")
}

//! The command line: thin, one file a command.
//!
//! A command that fails says why in one sentence on standard error. Exit codes: 0 done, 1 failed, 2 the command
//! line or the configuration is wrong.

mod api_key;
mod application;
mod client;
mod config;
mod configuration;
mod console;
mod dead_letters;
mod dev;
mod doctor;
mod endpoint;
mod health;
mod message;
mod migrate;
mod openapi;
mod pause;
mod receive;
mod reference;
mod reseal;
mod serve;
mod signature;
mod table;
mod token;
mod usage;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{Config, ConfigError};

/// Stores webhooks in Postgres, signs them, delivers them, retries them, and keeps what could not be delivered.
#[derive(Debug, Parser)]
#[command(name = "postrider", version, propagate_version = true, max_term_width = 110)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server: the API, the dispatcher and maintenance
    Serve(serve::Serve),
    /// Run everything on this machine, with demo tenants and events, to watch and to try
    Dev(dev::Dev),
    /// Bring the database's schema up to date, and end
    Migrate(migrate::Migrate),
    /// Move everything that is sealed under a new main secret, while nodes run
    Reseal(reseal::Reseal),
    /// Look at what usually goes wrong, and say what to do; fails when something is wrong
    Doctor(doctor::Doctor),
    /// Make tokens for the API
    #[command(subcommand)]
    Token(token::Token),
    /// Make API keys
    #[command(subcommand)]
    ApiKey(api_key::ApiKeys),
    /// Open the console
    #[command(subcommand)]
    Console(console::Console),
    /// Print the effective configuration, secrets masked, with where each value came from
    Config(config::ShowConfig),
    /// Check the signature of a webhook: its body against its headers and the endpoint's secret
    Verify(verify::Verify),
    /// Ask a server on this machine whether it works; the exit code says it
    Health(health::Health),
    /// Receive webhooks on this machine: print what comes, and verify its signature
    Receive(receive::Receive),
    /// Write the API's description, OpenAPI 3.1
    #[command(name = "openapi")]
    OpenApi(openapi::WriteOpenApi),
    /// Write the pages of the documentation that follow from the code
    #[command(hide = true)]
    Reference(reference::WriteReference),
    /// List and create applications on a running server
    #[command(subcommand)]
    Application(application::Applications),
    /// List, replay and discard dead letters on a running server
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLetters),
    /// Write the configuration of an environment of a running server as a file
    Export(configuration::Export),
    /// Make an environment of a running server what a file says, or take over what Svix has
    Import(configuration::Import),
    /// Tell how much of the database tables, environments and applications take, on a running server
    Usage(usage::Usage),
    /// List, create and try out endpoints on a running server
    #[command(subcommand)]
    Endpoint(endpoint::Endpoints),
    /// Post messages to a running server, list them, and show what became of one
    #[command(subcommand)]
    Message(message::Messages),
    /// Hold the deliveries of an application, of an endpoint or of everybody on a running server
    Pause(pause::Pause),
    /// Let deliveries that are held by a pause go on
    Resume(pause::Pause),
    /// Explain signatures that differ
    #[command(subcommand)]
    Signature(signature::Signatures),
    /// Print the version
    Version,
}

/// Reads the command line, does what it says, and says how it went.
pub fn run() -> ExitCode {
    let CommandLine { command } = CommandLine::parse();
    match execute(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When standard error is gone as well, the exit code has to do.
            let _ = writeln!(std::io::stderr().lock(), "postrider: {error:#}");
            ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
        }
    }
}

fn execute(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(serve) => runtime()?.block_on(serve.run()),
        Command::Dev(dev) => runtime()?.block_on(dev.run()),
        Command::Migrate(migrate) => runtime()?.block_on(migrate.run()),
        Command::Reseal(reseal) => print(&runtime()?.block_on(reseal.run())?),
        Command::Doctor(doctor) => runtime()?.block_on(doctor.run()),
        Command::Token(token) => print(&token.run()?),
        Command::ApiKey(api_key) => print(&runtime()?.block_on(api_key.run())?),
        Command::Console(console) => print(&runtime()?.block_on(console.run())?),
        Command::Config(config) => print(&config.run()?),
        Command::Verify(verify) => print(&verify.run()?),
        Command::Health(health) => runtime()?.block_on(health.run()),
        Command::Receive(receive) => runtime()?.block_on(receive.run()),
        Command::Reference(reference) => reference.run(&mut CommandLine::command()),
        Command::Application(application) => runtime()?.block_on(application.run()),
        Command::Message(message) => runtime()?.block_on(message.run()),
        Command::Pause(pause) => runtime()?.block_on(pause.run("pause")),
        Command::Resume(resume) => runtime()?.block_on(resume.run("resume")),
        Command::OpenApi(openapi) => openapi.run()?.map_or(Ok(()), |text| print(&text)),
        Command::DeadLetters(dead_letters) => runtime()?.block_on(dead_letters.run()),
        Command::Export(export) => runtime()?.block_on(export.run()),
        Command::Import(import) => runtime()?.block_on(import.run()),
        Command::Usage(usage) => runtime()?.block_on(usage.run()),
        Command::Endpoint(endpoint) => runtime()?.block_on(endpoint.run()),
        Command::Signature(signature) => runtime()?.block_on(signature.run()),
        Command::Version => print(&format!("postrider {}", env!("CARGO_PKG_VERSION"))),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Tells what was given and is ignored, for commands without a log.
fn warn(config: &Config) -> std::io::Result<()> {
    config.warnings.iter().try_for_each(|warning| note(&format!("warning: {warning}")))
}

/// Says something beside the result, on standard error.
fn note(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stderr().lock(), "postrider: {text}")
}

/// A number of things: `1 problem`, `2 problems`.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Writes a result to standard output, one line end at its end.
fn print(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{}", text.trim_end())?;
    Ok(())
}

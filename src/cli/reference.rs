//! `postrider reference`: writes the pages of the documentation that follow from the code, `configuration.md` and `cli.md`.
//! A test holds the pages in `docs/reference` against it.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Arg, Args, Command};

use crate::config;

const NOTE: &str = "<!-- Made by `make reference` from the code. -->";
/// The flags of the configuration have a page of their own.
const CONFIGURATION: &str = "Configuration";

#[derive(Debug, Args)]
pub(super) struct WriteReference {
    /// Where to
    #[arg(long, value_name = "DIR", default_value = "docs/reference")]
    output: PathBuf,
}

impl WriteReference {
    pub(super) fn run(&self, program: &mut Command) -> anyhow::Result<()> {
        program.build();
        let write = |name: &str, text: String| {
            let path = self.output.join(name);
            std::fs::create_dir_all(&self.output)
                .and_then(|()| std::fs::write(&path, text))
                .with_context(|| format!("{} cannot be written", path.display()))
        };
        write("configuration.md", configuration_page())?;
        write("cli.md", command_page(program))
    }
}

fn configuration_page() -> String {
    format!(
        "{NOTE}\n# Configuration\n\nA value comes from the first of: a flag, an environment variable, the file `postrider.toml` in the \
         working directory (or the one that `--config` or `POSTRIDER_CONFIG` names), the default. `postrider config` shows what \
         is in force, with secrets masked. Times take `ms`, `s`, `m`, `h`, `d`; sizes take `KiB`, `MiB`; lists are separated by \
         commas. Each setting has its name in the file first, then its variable and its flag.\n\n{}",
        config::reference()
    )
}

fn command_page(program: &Command) -> String {
    let mut page = format!(
        "{NOTE}\n# Command line\n\nA command that fails says why in one sentence on standard error. It ends with 0 when it is done, \
         with 1 when it failed, and with 2 when the command line or the configuration is wrong. Commands that read the \
         configuration take [its flags](configuration.md) as well.\n"
    );
    add_commands(&mut page, program, "");
    page
}

fn add_commands(page: &mut String, command: &Command, above: &str) {
    let name = format!("{above}{}", command.get_name());
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
    {
        if inner.has_subcommands() {
            add_commands(page, inner, &format!("{name} "));
        } else {
            add_command(page, inner, &format!("{name} {}", inner.get_name()));
        }
    }
}

fn add_command(page: &mut String, command: &Command, name: &str) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let shown = |arg: &&Arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str());
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(shown)
        .filter(|arg| arg.get_help_heading() != Some(CONFIGURATION))
        .collect();
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## `{name}`\n\n{}.\n", escaped(&about));
    if own.is_empty() {
        return;
    }
    page.push_str("\n| | |\n|---|---|\n");
    for arg in own {
        let _ = writeln!(page, "| {} | {} |", notation(arg), meaning(arg));
    }
}

/// How an argument is written.
fn notation(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let takes_value = arg.get_action().takes_values();
    let many =
        if arg.is_positional() && matches!(arg.get_action(), clap::ArgAction::Append) { " …" } else { "" };
    let written = match (arg.get_long(), value.filter(|_| takes_value)) {
        (Some(long), Some(value)) => format!("--{long} {value}"),
        (Some(long), None) => format!("--{long}"),
        (None, value) => format!("{}{many}", value.unwrap_or_else(|| arg.get_id().to_string())),
    };
    // A cell ends at a bar, in code as well.
    format!("`{}`", written.replace('|', "\\|"))
}

fn meaning(arg: &Arg) -> String {
    let mut text = escaped(&arg.get_help().map(ToString::to_string).unwrap_or_default());
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(text, "; `{}` by default", defaults.join(","));
    }
    let values = arg.get_possible_values();
    if arg.get_action().takes_values() && !values.is_empty() {
        let names: Vec<String> = values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        let _ = write!(text, ": one of {}", names.join(", "));
    }
    if arg.is_required_set() && !arg.is_positional() {
        text.push_str(" (required)");
    }
    text
}

/// Text in a cell of a table, in Markdown that may hold HTML.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('>', "&gt;")
}

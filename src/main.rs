//! The `postrider` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    postrider::cli::run()
}

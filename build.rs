//! Tells cargo that the migrations and the built console are parts of the binary.

fn main() {
    use std::io::Write;

    // Where the console is not built, its folder is made, so that cargo notices once it is. A source that cannot be written
    // to has it already, or goes without.
    let _ = std::fs::create_dir_all("dashboard/dist");
    // Without these lines a new migration or another console would not be compiled in.
    let _ = writeln!(std::io::stdout(), "cargo:rerun-if-changed=migrations");
    let _ = writeln!(std::io::stdout(), "cargo:rerun-if-changed=dashboard/dist");
}

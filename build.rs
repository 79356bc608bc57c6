//! Tells cargo that the migrations are part of the binary.

fn main() {
    use std::io::Write;

    // Without this line a new migration would not be compiled in.
    let _ = writeln!(std::io::stdout(), "cargo:rerun-if-changed=migrations");
}

//! Tells cargo that the migrations, the built console and the built documentation are parts of the binary.

fn main() {
    use std::io::Write;

    // Where the console or the documentation is not built, its folder is made, so that cargo notices once it is. A source
    // that cannot be written to has it already, or goes without.
    for built in ["dashboard/dist", "docs/.vitepress/dist"] {
        let _ = std::fs::create_dir_all(built);
    }
    // Without these lines a new migration or another console would not be compiled in. A debug build reads the console
    // from its folder when it starts, so that a page is changed without a build of the crate.
    let _ = writeln!(std::io::stdout(), "cargo:rerun-if-changed=migrations");
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells a build script so, and the program never reads it"
    )]
    let profile = std::env::var("PROFILE");
    if profile.is_ok_and(|profile| profile != "debug") {
        let _ = writeln!(std::io::stdout(), "cargo:rerun-if-changed=dashboard/dist");
        let _ = writeln!(std::io::stdout(), "cargo:rerun-if-changed=docs/.vitepress/dist");
    }
}

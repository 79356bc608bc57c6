//! Which kinds of harm a long run is asked for: `POSTRIDER_CHAOS_KINDS`, parts of names with commas between them.

/// Whether it is to be tried. All are where nobody says otherwise.
pub fn is_wanted(name: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "it is the suite's own variable, not the program's")]
    let wanted = std::env::var("POSTRIDER_CHAOS_KINDS").unwrap_or_default();
    wanted.is_empty() || wanted.split(',').any(|part| name.contains(part))
}

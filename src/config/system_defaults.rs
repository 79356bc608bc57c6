//! Defaults that depend on the system: the data directory and the node's name.

use std::collections::BTreeMap;
use std::path::Path;

/// The variables that say where a user's data is.
pub(super) const HOMES: [&str; 2] = ["XDG_DATA_HOME", "HOME"];

/// `/var/lib/postrider` for root; otherwise the user's data directory (`$XDG_DATA_HOME`, `~/.local/share`, on a
/// Mac `~/Library/Application Support`); without a home, `postrider-data` here.
pub(super) fn data_dir(variables: &BTreeMap<String, String>) -> String {
    if nix::unistd::geteuid().is_root() {
        return "/var/lib/postrider".to_owned();
    }
    let absolute = |name: &str| variables.get(name).filter(|path| Path::new(path).is_absolute());
    if let Some(share) = absolute("XDG_DATA_HOME") {
        return format!("{share}/postrider");
    }
    match absolute("HOME") {
        Some(home) if cfg!(target_os = "macos") => format!("{home}/Library/Application Support/postrider"),
        Some(home) => format!("{home}/.local/share/postrider"),
        None => "postrider-data".to_owned(),
    }
}

/// The machine's name.
pub(super) fn host_name() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "node".to_owned())
}

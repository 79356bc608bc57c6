//! Where `initdb` and `postgres` are.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::EmbeddedError;
use super::account::Account;

/// The oldest major version that Postrider works with.
const MIN_MAJOR_VERSION: u32 = 15;

/// Directories that packages install into; `*` stands for a version.
const PACKAGE_DIRECTORIES: [(&str, &str, &str); 8] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/Library/PostgreSQL", "", "bin"),
];

/// The programs of one PostgreSQL.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    directory: PathBuf,
    major: u32,
}

impl Programs {
    /// Those in `given`, or else the newest on this machine; with a cluster, those of its version.
    pub(super) fn find(given: Option<&Path>, cluster: Option<&str>) -> Result<Self, EmbeddedError> {
        let places = given.map_or_else(candidate_directories, |place| vec![place.to_owned()]);
        let mut found: Vec<Self> = places.into_iter().filter_map(Self::in_directory).collect();
        found.sort_by_key(|programs| programs.major);
        let Some(newest) = found.last().cloned() else {
            return Err(EmbeddedError::NoPrograms { place: given.map(Path::to_owned) });
        };
        let Some(version) = cluster else { return Ok(newest) };
        found.into_iter().rev().find(|programs| programs.major.to_string() == version).ok_or_else(|| {
            EmbeddedError::OtherVersion {
                cluster: PathBuf::from("the data directory"),
                version: version.to_owned(),
                found: newest.major.to_string(),
            }
        })
    }

    fn in_directory(directory: PathBuf) -> Option<Self> {
        if !directory.join("initdb").is_file() {
            return None;
        }
        let said = Command::new(directory.join("postgres")).arg("--version").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&said.stdout))?;
        (major >= MIN_MAJOR_VERSION).then_some(Self { directory, major })
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.directory.join(program)
    }

    /// Whether a loadable library is installed.
    pub(super) fn has_library(&self, name: &str) -> bool {
        let Some(root) = self.directory.parent() else { return false };
        let names = [format!("{name}.so"), format!("{name}.dylib")];
        ["lib", "lib/postgresql", "lib64", "lib64/pgsql"]
            .iter()
            .any(|place| names.iter().any(|name| root.join(place).join(name).is_file()))
    }

    /// Whether this build knows the value of a setting.
    pub(super) fn accepts(&self, account: &Account, cluster: &Path, setting: &str, value: &str) -> bool {
        account
            .command(&self.path("postgres"))
            .current_dir(cluster)
            .arg("-D")
            .arg(cluster)
            .args(["-c", &format!("{setting}={value}"), "-C", setting])
            .output()
            .is_ok_and(|output| output.status.success())
    }
}

/// `postgres (PostgreSQL) 17.2 (Debian …)` is 17.
fn major_of(said: &str) -> Option<u32> {
    let version = said.split("(PostgreSQL)").nth(1)?.trim_start();
    version.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn candidate_directories() -> Vec<PathBuf> {
    let packaged = PACKAGE_DIRECTORIES.iter().flat_map(|(root, prefix, inner)| {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        entries
            .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(move |entry| entry.path().join(inner))
    });
    configured_directories().into_iter().chain(packaged).collect()
}

/// The directories that `pg_config` and the search path name. The shell searches the path, because this module does not
/// read the environment.
fn configured_directories() -> Vec<PathBuf> {
    let say = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(PathBuf::from(text.trim())).filter(|path| path.is_absolute())
    };
    let on_path = say("sh", &["-c", "command -v initdb"]).and_then(|path| path.canonicalize().ok());
    say("pg_config", &["--bindir"])
        .into_iter()
        .chain(on_path.and_then(|path| path.parent().map(Path::to_owned)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_postgres_says() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("initdb: no"), None);
    }

    #[test]
    fn programs_that_are_not_there_are_an_answer_with_commands() {
        let empty = tempfile::tempdir().unwrap();
        let said = Programs::find(Some(empty.path()), None).unwrap_err().to_string();
        for needed in
            ["apt-get install postgresql", "brew install", "--pg-bin", &empty.path().display().to_string()]
        {
            assert!(said.contains(needed), "{said}");
        }
    }

    #[test]
    fn a_cluster_of_another_version_is_refused() {
        let said = Programs::find(None, Some("9")).unwrap_err().to_string();
        assert!(said.contains("PostgreSQL 9"), "{said}");
    }
}

//! A disk that a test may fill.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::cluster::{account, own};

/// A small file system in memory, that a test may fill. It is unmounted with this value, and also when the test's
/// process is killed.
pub struct SmallDisk {
    place: TempDir,
    guard: Child,
}

impl SmallDisk {
    /// `Err` says why there is none.
    pub fn mount(megabytes: u32) -> Result<Self, String> {
        if !nix::unistd::geteuid().is_root() {
            return Err("only root may mount a small file system".to_owned());
        }
        let place = tempfile::Builder::new().prefix("postrider-disk-").tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(place.path()).output();
        match mount {
            Ok(output) if output.status.success() => {}
            Ok(output) => return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => return Err(error.to_string()),
        }
        own(place.path(), account());
        let guard = Command::new("sh")
            .args(["-c", "cat >/dev/null; umount -l \"$0\""])
            .arg(place.path())
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        Ok(Self { place, guard })
    }

    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Takes what is left.
    pub fn fill(&self) {
        let mut ballast = std::fs::File::create(self.ballast()).unwrap();
        for chunk in [vec![1; 1 << 20], vec![1; 4096]] {
            // It ends when nothing is left.
            while ballast.write_all(&chunk).is_ok() {}
        }
    }

    /// Gives it back.
    pub fn free(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.place.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        self.guard.wait().ok();
    }
}

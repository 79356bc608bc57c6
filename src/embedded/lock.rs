//! At most one Postrider for a data directory. The system releases the lock when its holder ends, however it ends.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::EmbeddedError;

/// Only the owner may read or write.
const OWNER_ONLY: u32 = 0o600;

/// Held for as long as it lives.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: Flock<File>,
}

impl DirectoryLock {
    pub(super) fn take(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let path = data_dir.join("lock");
        let failed = |error: std::io::Error| EmbeddedError::io("cannot lock", &path, error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(OWNER_ONLY)
            .open(&path)
            .map_err(failed)?;
        // A file from before may be readable by everybody, and everybody who can open it could hold the lock.
        file.set_permissions(Permissions::from_mode(OWNER_ONLY)).map_err(failed)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut file) => {
                let note = |file: &mut File| {
                    file.set_len(0)?;
                    file.rewind()?;
                    write!(file, "{}", std::process::id())
                };
                note(&mut file).map_err(failed)?;
                Ok(Self { _file: file })
            }
            Err((mut file, Errno::EWOULDBLOCK)) => {
                let mut holder = String::new();
                // Without the process number the message still says what to do.
                let _ = file.read_to_string(&mut holder);
                let process = Some(holder).filter(|text| !text.is_empty());
                Err(EmbeddedError::InUse { data_dir: data_dir.to_owned(), process })
            }
            Err((_, error)) => Err(failed(error.into())),
        }
    }
}

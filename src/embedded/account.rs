//! The account that Postgres runs as. If Postrider runs as root, it is the cluster's owner, `postgres` or else `nobody`.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Uid, User, geteuid};

use super::EmbeddedError;

/// The account that Postgres runs as.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// `None` for this process's own account, which is not root.
    user: Option<User>,
}

impl Account {
    pub(super) fn choose(cluster: &Path) -> Result<Self, EmbeddedError> {
        let owner = std::fs::metadata(cluster).ok().map(|metadata| Uid::from_raw(metadata.uid()));
        let us = geteuid();
        if !us.is_root() {
            return match owner {
                Some(owner) if owner != us => Err(EmbeddedError::WrongOwner { cluster: cluster.to_owned() }),
                _ => Ok(Self { user: None }),
            };
        }
        let by_owner =
            owner.filter(|owner| !owner.is_root()).and_then(|owner| User::from_uid(owner).ok().flatten());
        let by_name = |name: &str| User::from_name(name).ok().flatten().filter(|user| !user.uid.is_root());
        let other = by_owner.or_else(|| by_name("postgres")).or_else(|| by_name("nobody"));
        other.map(|user| Self { user: Some(user) }).ok_or(EmbeddedError::NoAccount)
    }

    /// Whether every directory on the way lets the account through.
    pub(super) fn can_reach(&self, directory: &Path) -> Result<(), EmbeddedError> {
        let Some(user) = &self.user else { return Ok(()) };
        for ancestor in directory.ancestors() {
            let metadata = std::fs::metadata(ancestor)
                .map_err(|error| EmbeddedError::io("cannot look at", ancestor, error))?;
            let bit = if metadata.uid() == user.uid.as_raw() {
                0o100
            } else if metadata.gid() == user.gid.as_raw() {
                0o010
            } else {
                0o001
            };
            if metadata.mode() & bit == 0 {
                let directory = ancestor.to_owned();
                return Err(EmbeddedError::Unreachable { directory, account: user.name.clone() });
            }
        }
        Ok(())
    }

    /// Gives a file or directory to the account.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        let Some(user) = &self.user else { return Ok(()) };
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .map_err(|error| EmbeddedError::io("cannot give away", path, error))
    }

    /// The user id that the files must belong to.
    pub(super) fn uid(&self) -> u32 {
        self.user.as_ref().map_or_else(geteuid, |user| user.uid).as_raw()
    }

    /// A command that runs as the account, without root's groups.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }
}

//! What accepting and dispatching need to know of an application: a snapshot of its configuration as it was at
//! one `config_version`. Caches hold these; ingest proves that the one it used was current.

pub mod settings;

use std::sync::Arc;

use super::endpoint::Endpoint;
use super::id::reference::Reference;
use super::id::{ApplicationId, EndpointId, EnvironmentId};

/// An application and its live endpoints at one version of its configuration.
#[derive(Debug)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// The environment that it belongs to.
    pub environment_id: EnvironmentId,
    /// The caller's own id for it.
    pub uid: Option<String>,
    /// Raised by every change to the application or to one of its endpoints.
    pub config_version: i64,
    /// Its endpoints, deleted ones left out, disabled ones included.
    pub endpoints: Vec<Arc<Endpoint>>,
}

impl Application {
    /// Whether a path that names an application so, in that environment, means this one.
    pub fn is_named(&self, environment: &EnvironmentId, name: &Reference<ApplicationId>) -> bool {
        self.environment_id == *environment
            && (name.id() == Some(self.id.uuid())
                || name.uid().is_some_and(|uid| self.uid.as_deref() == Some(uid)))
    }

    /// The live endpoint of that id.
    pub fn endpoint(&self, id: EndpointId) -> Option<&Arc<Endpoint>> {
        self.endpoints.iter().find(|endpoint| endpoint.id == id)
    }

    /// What it takes in memory, in bytes.
    pub fn weight(&self) -> usize {
        let endpoints = self.endpoints.iter().map(|endpoint| size_of::<Arc<Endpoint>>() + endpoint.weight());
        size_of::<Self>() + self.uid.as_ref().map_or(0, String::len) + endpoints.sum::<usize>()
    }
}

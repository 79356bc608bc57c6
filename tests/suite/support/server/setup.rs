//! What a server is started with.

use std::collections::BTreeMap;

use super::local::Local;
use super::{LocalApp, Node, TestApp};
use crate::support::api::JWT_SECRET;
use crate::support::postgres::Database;

/// How a server is to be started.
pub struct Setup {
    variables: BTreeMap<String, String>,
    descriptors: Option<u32>,
}

impl Default for Setup {
    fn default() -> Self {
        let defaults = [
            ("POSTRIDER_JWT_SECRET", JWT_SECRET),
            ("POSTRIDER_MAIN_SECRET", "the suite's own secret that seals"),
            ("POSTRIDER_ALLOW_SUBNETS", "127.0.0.0/8"),
            ("POSTRIDER_RETRY_SCHEDULE", "100ms,200ms,300ms,400ms,500ms,600ms"),
            ("POSTRIDER_REQUEST_TIMEOUT", "10s"),
            ("POSTRIDER_SHUTDOWN_TIMEOUT", "20s"),
            ("POSTRIDER_LOG", "info"),
        ];
        let variables = defaults.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { variables, descriptors: None }
    }
}

impl Setup {
    /// Sets `POSTRIDER_<name>`.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(format!("POSTRIDER_{name}"), value.to_owned());
        self
    }

    /// Leaves `POSTRIDER_<name>` at the program's own default.
    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(&format!("POSTRIDER_{name}"));
        self
    }

    /// Gives the process so many descriptors.
    pub fn with_descriptors(mut self, descriptors: u32) -> Self {
        self.descriptors = Some(descriptors);
        self
    }

    /// The variables of a server on that database.
    pub fn variables(self, database_url: &str) -> BTreeMap<String, String> {
        let mut variables = self.variables;
        variables.insert("DATABASE_URL".to_owned(), database_url.to_owned());
        variables
    }

    /// Starts the program on a fresh database.
    pub async fn start(self) -> TestApp {
        let database = Database::fresh().await;
        let descriptors = self.descriptors;
        let node = Node::start_within(descriptors, self.variables(database.url())).await;
        TestApp::of(node, database)
    }

    /// Starts a node in this process on a fresh database.
    pub async fn start_local(self) -> LocalApp {
        let database = Database::fresh().await;
        let node = Local::start(self.variables(database.url())).await;
        LocalApp::of(node, database)
    }
}

//! A server with its database.

use std::collections::BTreeMap;
use std::ops::Deref;

use serde_json::json;

use super::local::Local;
use super::{Node, Served, Setup};
use crate::support::api::Api;
use crate::support::postgres::{Database, on_a_thread_of_its_own};
use crate::support::tenant::Tenant;
use crate::support::until::until;

/// The real program with its database.
pub type TestApp = App<Node>;

/// A node in the test's own process, with its database. It listens on a socket of its own and delivers over others, as
/// the program does; only the process is the test's.
pub type LocalApp = App<Local>;

/// A node with its database. It must have nothing left to do at the end of its test.
pub struct App<N: Served> {
    node: N,
    database: Option<Database>,
    leaves_work: bool,
    expects_rescues: bool,
}

impl<N: Served> Deref for App<N> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl TestApp {
    /// The program with the suite's settings.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    pub fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }

    /// Another process of the same name on the same database, at an address of its own, which is not started yet.
    pub fn namesake(&self) -> Node {
        Node::prepare(self.node.variables().clone())
    }
}

impl LocalApp {
    /// A node with the suite's settings.
    pub async fn start() -> Self {
        Setup::default().start_local().await
    }
}

impl<N: Served> App<N> {
    pub(super) fn of(node: N, database: Database) -> Self {
        Self { node, database: Some(database), leaves_work: false, expects_rescues: false }
    }

    /// Says that deliveries may be left at the end.
    pub fn leave_work(&mut self) {
        self.leaves_work = true;
    }

    /// Says that this test loses deliveries on purpose, for the net to find.
    pub fn expect_rescues(&mut self) {
        self.expects_rescues = true;
    }

    pub fn database(&self) -> &Database {
        self.database.as_ref().unwrap()
    }

    /// A caller with the token of the environment `org_test`.
    pub fn environment(&self) -> Api {
        Api::at(&self.node.address()).claiming(&json!({"sub": "org_test"}))
    }

    /// A caller with the token of an operator.
    pub fn operator(&self) -> Api {
        Api::at(&self.node.address()).claiming(&json!({"sub": "operator"}))
    }

    /// A new tenant in `org_test`.
    pub async fn tenant(&self, name: &str) -> Tenant {
        Tenant::create(&self.environment(), name).await
    }

    /// The program on the same database.
    pub async fn another_node(&self, name: &str) -> Node {
        Node::start(self.variables_of_another(name)).await
    }

    /// The program on the same database, with roles of its own.
    pub async fn another_node_as(&self, name: &str, roles: &str) -> Node {
        let mut variables = self.variables_of_another(name);
        variables.insert("POSTRIDER_ROLES".to_owned(), roles.to_owned());
        Node::start(variables).await
    }

    /// The program on the same database, which may send to no private address.
    pub async fn strict_node(&self) -> Node {
        let mut variables = self.variables_of_another("strict");
        variables.remove("POSTRIDER_ALLOW_SUBNETS");
        Node::start(variables).await
    }

    fn variables_of_another(&self, name: &str) -> BTreeMap<String, String> {
        let mut variables = self.node.variables().clone();
        variables.insert("POSTRIDER_NODE_NAME".to_owned(), name.to_owned());
        variables.remove("POSTRIDER_LISTEN");
        variables
    }

    /// Returns when no delivery is in flight or waits. Held ones may be left.
    pub async fn settled(&self) {
        self.none_left("SELECT count(*) FROM delivery WHERE state IN ('in_flight', 'waiting')").await;
    }

    /// Returns when no delivery is left: none in flight, waiting or held.
    pub async fn done(&self) {
        self.none_left("SELECT count(*) FROM delivery WHERE state IN ('in_flight', 'waiting', 'held')").await;
    }

    async fn none_left(&self, query: &'static str) {
        until("nothing is left to do", || async { (self.database().count(query).await == 0).then_some(()) })
            .await;
    }
}

impl<N: Served> Drop for App<N> {
    fn drop(&mut self) {
        self.node.end();
        if !self.leaves_work && !std::thread::panicking() {
            let url = self.database().url().to_owned();
            let left = on_a_thread_of_its_own(async move { left_in(&url).await });
            assert_eq!(left, 0, "the test left deliveries queued; say `leave_work` if that is meant");
        }
        if !self.expects_rescues && !std::thread::panicking() {
            let log = self.node.log();
            assert!(
                !log.contains("nobody worked on"),
                "a delivery was lost in memory, and found by the net:\n{log}"
            );
        }
        self.database.take();
    }
}

async fn left_in(url: &str) -> i64 {
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM delivery WHERE state IN ('in_flight', 'waiting', 'held')")
        .fetch_one(&pool)
        .await
        .unwrap()
}

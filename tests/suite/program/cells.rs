//! Cells: several installations in one database, each in a schema of its own. They deliver, are maintained and are told of
//! changes each for itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use postrider::maintenance::{self, Round};
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgListener;
use tempfile::TempDir;

use crate::support::data_dir::data_dir;
use crate::support::server::free_address;
use crate::support::store::{MAINTENANCE, store_in};
use crate::support::{Api, Database, Node, Receiver, Setup, Tenant, until};

use super::shell::{run, stdout};

const CELLS: [&str; 2] = ["cell_a", "cell_b"];

fn variables(database: &Database, cell: &str) -> BTreeMap<String, String> {
    Setup::default().with("DATABASE_SCHEMA", cell).variables(database.url())
}

async fn tenant(node: &Node) -> Tenant {
    Tenant::create(&node.api().claiming(&json!({"sub": "org_test"})), "one").await
}

async fn count(database: &Database, query: String) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&database.pool).await.unwrap()
}

/// How many relations, functions and types of its own a schema has.
async fn things_in(database: &Database, schema: &str) -> i64 {
    let query = format!(
        "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = '{schema}'::regnamespace)
              + (SELECT count(*) FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace)
              + (SELECT count(*) FROM pg_type WHERE typnamespace = '{schema}'::regnamespace)"
    );
    count(database, query).await
}

/// The channels of notices of configuration, one for each cell and the one of `public`.
fn channels() -> Vec<String> {
    let mut channels: Vec<String> = CELLS.iter().map(|cell| format!("postrider_config.{cell}")).collect();
    channels.push("postrider_config".to_owned());
    channels
}

/// nginx with the configuration of `deploy/proxies`, the addresses alone changed. It ends with this value.
struct Nginx {
    address: SocketAddr,
    process: Child,
    _place: TempDir,
}

impl Nginx {
    /// Without nginx on this machine nothing can be tried, and that is said.
    async fn start(cells: [&str; 2]) -> Option<Self> {
        let fetched = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nginx/usr/sbin/nginx");
        let places = [PathBuf::from("/usr/sbin/nginx"), fetched];
        let Some(program) = places.into_iter().find(|place| place.is_file()) else {
            eprintln!("NOT TRIED: there is no nginx on this machine; scripts/ensure-tools --test fetches it");
            return None;
        };
        let place = data_dir();
        let address = free_address();
        let shipped = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/proxies/cells.nginx.conf"));
        let site = shipped
            .replace("127.0.0.1:8070", &address.to_string())
            .replace("127.0.0.1:8071", cells[0])
            .replace("127.0.0.1:8072", cells[1]);
        assert_ne!(site, shipped);
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};\n", place.path().display()));
        let text = format!(
            "daemon off;\nmaster_process off;\npid {}/pid;\nerror_log stderr;\nevents {{}}\n\
             http {{\naccess_log off;\n{}{site}\n}}\n",
            place.path().display(),
            paths.concat(),
        );
        let configuration = place.path().join("nginx.conf");
        std::fs::write(&configuration, text).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(place.path()).args(["-e", "stderr", "-c"]).arg(&configuration);
        let process = command.stdin(Stdio::null()).spawn().unwrap();
        until("nginx listens", || async { tokio::net::TcpStream::connect(address).await.ok().map(|_| ()) })
            .await;
        Some(Self { address, process, _place: place })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// An environment's host name leads to its cell, and others to the first one.
async fn led_by_host_name(nodes: &[Node], tenants: &[Tenant]) {
    let addresses: Vec<String> = nodes.iter().map(Node::address).collect();
    let Some(nginx) = Nginx::start([&addresses[0], &addresses[1]]).await else { return };
    for (host, of) in [("acme.hooks.example.com", 0), ("globex.hooks.example.com", 1)] {
        let api = tenants[of].api.through(&nginx.address.to_string());
        for (place, tenant) in tenants.iter().enumerate() {
            let request = api.request(reqwest::Method::GET, &tenant.path("")).header("host", host);
            let expected = if place == of { 200 } else { 404 };
            assert_eq!(Api::send(request).await.status, expected, "{host}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_schemas_of_one_database_deliver_and_are_maintained_each_for_itself() {
    let database = Database::empty().await;
    let receiver = Receiver::start().await;
    let mut nodes = Vec::new();
    for cell in CELLS {
        nodes.push(Node::start(variables(&database, cell)).await);
    }
    let hooks = [receiver.hook("/a"), receiver.hook("/bb")];
    let mut tenants = Vec::new();
    for (node, hook) in nodes.iter().zip(&hooks) {
        let tenant = tenant(node).await;
        tenant.endpoint(hook, json!({})).await;
        let message = tenant.message("made", json!({})).await;
        assert_eq!(receiver.wait_at(hook, 1).await[0].id, message);
        tenants.push(tenant);
    }
    assert_eq!(tenants[1].api.get(&tenants[0].path("")).await.status, 404);

    led_by_host_name(&nodes, &tenants).await;

    // Whoever pauses one cell does not pause the other.
    let operator = nodes[0].api().claiming(&json!({"sub": "operator"}));
    operator.post("/admin/pause", &json!({})).await.expect(200);
    let held = tenants[0].message("made", json!({})).await;
    let goes = tenants[1].message("made", json!({})).await;
    assert_eq!(receiver.wait_at(&hooks[1], 2).await[1].id, goes);
    assert_eq!(receiver.received_at(&hooks[0]).len(), 1);
    operator.post("/admin/resume", &json!({})).await.expect(200);
    assert_eq!(receiver.wait_at(&hooks[0], 2).await[1].id, held);

    for cell in CELLS {
        let days = format!(
            "SELECT count(*) FROM pg_class WHERE relnamespace = '{cell}'::regnamespace AND relname ~ '^message_2'
                AND relkind = 'r'"
        );
        assert!(count(&database, days).await >= 2, "{cell} has made days ahead");
        let nodes = format!("SELECT count(*) FROM {cell}.node");
        assert_eq!(count(&database, nodes).await, 1, "{cell} knows of no node but its own");
    }
    // A round that is under way in one cell keeps that of the other waiting in no kind.
    let [first, second] = [CELLS[0], CELLS[1]].map(|cell| store_in(database.url(), Some(cell)));
    let (first, second) = (first.await, second.await);
    for round in Round::ALL {
        let under_way = until("the cell's own node is at no round", || async {
            first.upkeep.begin_maintenance(round.name()).await.unwrap()
        })
        .await;
        until("the other cell's round is done", || async {
            maintenance::run(&second.upkeep, MAINTENANCE, round).await.unwrap().then_some(())
        })
        .await;
        under_way.end().await;
    }
    first.close().await;
    second.close().await;
    assert_eq!(things_in(&database, "public").await, 0, "nothing of a cell is outside its schema");

    let pairs = [("DATABASE_URL", database.url()), ("POSTRIDER_DATABASE_SCHEMA", CELLS[1])];
    let mut asked = super::shell::SECRETS.to_vec();
    asked.extend(pairs);
    let said = String::from_utf8_lossy(&run(&["doctor"], &asked).stdout).into_owned();
    assert!(said.contains("ok       schema: \"cell_b\" is up to date"), "{said}");
    for node in &mut nodes {
        assert!(node.terminate().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_of_one_cell_do_not_reach_another() {
    let database = Database::empty().await;
    let mut node = Node::start(variables(&database, CELLS[0])).await;
    let tenant = tenant(&node).await;
    let mut listener = PgListener::connect(database.url()).await.unwrap();
    let channels = channels();
    listener.listen_all(channels.iter().map(String::as_str)).await.unwrap();
    tenant.endpoint(&Receiver::start().await.hook("/hook"), json!({})).await;
    // Notices come in the order of their commits, so whatever the change has sent comes before these.
    for channel in &channels {
        sqlx::query("SELECT pg_notify($1, 'end')").bind(channel).execute(&database.pool).await.unwrap();
    }
    let mut heard = Vec::new();
    let mut ended = 0;
    while ended < channels.len() {
        let notice = listener.recv().await.unwrap();
        if notice.payload() == "end" { ended += 1 } else { heard.push(notice.channel().to_owned()) }
    }
    assert!(!heard.is_empty() && heard.iter().all(|channel| *channel == channels[0]), "{heard:?}");
    assert!(node.terminate().await.success());
}

/// `postrider migrate --plan` is asked before and after, in a schema that is not there yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_would_run_and_changes_nothing() {
    let database = Database::empty().await;
    let mut asked = super::shell::SECRETS.to_vec();
    asked.extend([("DATABASE_URL", database.url()), ("POSTRIDER_DATABASE_SCHEMA", CELLS[0])]);
    let plan = || stdout(&run(&["migrate", "--plan"], &asked));
    let before = plan();
    assert!(before.contains("the schema cell_a is at version 0"), "{before}");
    assert!(before.contains("0001 configuration; expands"), "{before}");
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'cell_a'";
    assert_eq!(database.count(schemas).await, 0);
    stdout(&run(&["migrate"], &asked));
    let after = plan();
    assert!(after.contains("nothing is to be done"), "{after}");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&run(&["migrate", "--plan", "--json"], &asked))).unwrap();
    assert!(json["schema"] == "cell_a" && json["found"] == json["known"], "{json}");
    assert_eq!(things_in(&database, "public").await, 0);
}

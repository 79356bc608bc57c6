//! Behind PgBouncer: sessions are what they were asked to be, or the start is refused.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use postrider::domain::main_secret::MainSecrets;
use postrider::domain::policy::ServerPolicy;
use postrider::store::{Store, StoreOptions};
use serde_json::json;
use tempfile::TempDir;
use url::Url;

use crate::support::cluster::{Cluster, account_ids};
use crate::support::{Node, Receiver, Setup, Tenant, until};

use super::shell::{SECRETS, complaint, run};

/// A PgBouncer before a cluster. It ends with this value.
struct PgBouncer {
    url: String,
    process: Child,
    _place: TempDir,
}

impl PgBouncer {
    async fn start(program: &str, cluster: &Cluster, settings: &str) -> Self {
        let place = crate::support::data_dir::data_dir();
        let behind: Url = cluster.url().parse().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let configuration = place.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\nmax_client_conn = 300\n\
             default_pool_size = 100\n{settings}\n",
            behind.port().unwrap()
        );
        std::fs::write(&configuration, text).unwrap();
        let mut command = Command::new(program);
        command.arg(&configuration).current_dir(place.path()).stdin(Stdio::null());
        if let Some((user, group)) = account_ids() {
            // It refuses to run as root.
            command.uid(user).gid(group);
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        until("PgBouncer listens", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok().map(|_| ())
        })
        .await;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
        Self { url, process, _place: place }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Where PgBouncer is on this machine. Without it nothing can be tried, and that is said.
fn program() -> Option<&'static str> {
    let places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
    let found = places.into_iter().find(|place| std::path::Path::new(place).is_file());
    if found.is_none() {
        eprintln!(
            "NOT TRIED: there is no PgBouncer on this machine; scripts/ensure-tools --test installs it"
        );
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_pgbouncer_in_session_mode_limits_and_guards_hold() {
    let Some(program) = program() else { return };
    let cluster = Cluster::start_in(None).await;
    let pooler = PgBouncer::start(
        program,
        &cluster,
        "pool_mode = session\nignore_startup_parameters = options,extra_float_digits",
    )
    .await;
    let options = StoreOptions {
        database_url: pooler.url.clone(),
        main_secrets: MainSecrets::new(b"a main secret for tests", None),
        api_connections: 4,
        policy: ServerPolicy::default(),
    };
    let store = Store::connect(&options).await.unwrap();
    let names = ["enable_seqscan", "plan_cache_mode", "lock_timeout", "jit"].map(str::to_owned);
    let facts = store.upkeep.inspect_database(&names).await.unwrap();
    let shown: Vec<&str> = names.iter().map(|name| facts.settings[name].shown.as_str()).collect();
    assert_eq!(shown, ["off", "force_generic_plan", "1s", "off"]);
    store.close().await;

    let mut node = Node::start(Setup::default().variables(&pooler.url)).await;
    let receiver = Receiver::start().await;
    let tenant = Tenant::create(&node.api().claiming(&json!({"sub": "org_test"})), "one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let message = tenant.message("made", json!({})).await;
    assert_eq!(receiver.wait_at(&hook, 1).await[0].id, message);
    assert!(node.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn pgbouncer_in_transaction_mode_or_without_options_is_refused_and_told_what_to_set() {
    let Some(program) = program() else { return };
    let cluster = Cluster::start_in(None).await;
    let pooler = PgBouncer::start(
        program,
        &cluster,
        "pool_mode = transaction\nignore_startup_parameters = options,extra_float_digits",
    )
    .await;
    let strict = PgBouncer::start(
        program,
        &cluster,
        "pool_mode = session\nignore_startup_parameters = extra_float_digits",
    )
    .await;
    for (url, expected) in
        [(&pooler.url, "pool_mode = session"), (&strict.url, "ignore_startup_parameters = options")]
    {
        for arguments in [&["migrate"][..], &["serve", "--listen", "127.0.0.1:0"]] {
            let complained = complaint(&run(arguments, &[SECRETS[0], SECRETS[1], ("DATABASE_URL", url)]));
            assert!(complained.contains(expected), "{complained}");
        }
    }
}

//! A fresh, migrated database for each test.
//!
//! The server is the one in `POSTRIDER_TEST_DATABASE_URL`; without it, one is started for this process alone, and
//! ends with it. Databases are copies of templates, each made once for what it is made with: the migrations, and what
//! is filled in.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool};
use url::Url;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// A database of one test, dropped with it.
pub struct Database {
    name: String,
    url: String,
    /// For looking inside.
    pub pool: PgPool,
}

impl Database {
    /// A database with the newest schema, and nothing in it.
    pub async fn fresh() -> Self {
        Self::filled(&[]).await
    }

    /// A database with the newest schema, and what these statements make.
    pub async fn filled(statements: &'static [&'static str]) -> Self {
        let mut admin = connect(&server_url()).await;
        let template = template(&mut admin, statements).await;
        Self::copy_of(&template, admin).await
    }

    /// Runs statements.
    pub async fn run(&self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&self.pool).await.unwrap();
    }

    /// A database with nothing in it at all.
    pub async fn empty() -> Self {
        Self::copy_of("template0", connect(&server_url()).await).await
    }

    async fn copy_of(template: &str, mut admin: PgConnection) -> Self {
        let name = format!("postrider_test_{}", uuid::Uuid::new_v4().simple());
        execute(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        admin.close().await.unwrap();
        Self::of(name)
    }

    fn of(name: String) -> Self {
        let url = url_of(&name);
        let options = PgConnectOptions::from_str(&url).unwrap().disable_statement_logging();
        let pool = PgPoolOptions::new().max_connections(2).connect_lazy_with(options);
        Self { name, url, pool }
    }

    /// Where the server finds it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A number that a query counts.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        on_a_thread_of_its_own(async move {
            let mut admin = connect(&server_url()).await;
            execute(&mut admin, drop).await;
        });
    }
}

/// Runs to the end what a `drop` has to await.
pub fn on_a_thread_of_its_own<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    std::thread::spawn(run).join().unwrap()
}

async fn connect(url: &str) -> PgConnection {
    let options = PgConnectOptions::from_str(url).unwrap().disable_statement_logging();
    options.connect().await.unwrap_or_else(|error| panic!("no Postgres at {url}: {error}"))
}

async fn execute(connection: &mut PgConnection, statement: String) {
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
}

fn url_of(database: &str) -> String {
    let mut url = Url::parse(&server_url()).unwrap();
    url.set_path(database);
    url.to_string()
}

/// The name of the template that these statements fill, which is made if it is not there. One process makes it; the
/// others wait.
async fn template(admin: &mut PgConnection, statements: &[&'static str]) -> String {
    let mut state = Sha256::new();
    MIGRATIONS.iter().for_each(|migration| state.update(&migration.checksum));
    statements.iter().for_each(|statement| state.update(statement));
    let state = state.finalize();
    let name = format!("postrider_{}", uuid::Uuid::from_slice(&state[..16]).unwrap().simple());
    let lock = i64::from_be_bytes(state[..8].try_into().unwrap());
    sqlx::query("SELECT pg_advisory_lock($1)").bind(lock).execute(&mut *admin).await.unwrap();
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut *admin)
        .await
        .unwrap();
    if !there {
        let fresh = format!("{name}_new");
        execute(admin, format!("DROP DATABASE IF EXISTS {fresh} WITH (FORCE)")).await;
        execute(admin, format!("CREATE DATABASE {fresh}")).await;
        let mut connection = connect(&url_of(&fresh)).await;
        MIGRATIONS.run(&mut connection).await.unwrap();
        for statement in statements {
            sqlx::raw_sql(*statement).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
        execute(admin, format!("ALTER DATABASE {fresh} RENAME TO {name}")).await;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(lock).execute(&mut *admin).await.unwrap();
    name
}

/// The server that all databases are made on.
fn server_url() -> String {
    static OWN: OnceLock<OwnServer> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "it is the suite's own variable, not the program's")]
    let given = std::env::var("POSTRIDER_TEST_DATABASE_URL").ok().filter(|url| !url.is_empty());
    given.unwrap_or_else(|| OWN.get_or_init(OwnServer::start).url.clone())
}

/// A server that stops when this process ends, however it ends: the script holds it until its input is closed.
struct OwnServer {
    url: String,
    _script: Child,
}

impl OwnServer {
    fn start() -> Self {
        eprintln!(
            "POSTRIDER_TEST_DATABASE_URL is not set: starting a Postgres for this test process alone. \
             `scripts/with-test-postgres cargo nextest run` shares one."
        );
        let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/with-test-postgres"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("scripts/with-test-postgres runs");
        let mut url = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut url).unwrap();
        if url.is_empty() {
            let mut said = String::new();
            script.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("no Postgres for the suite: {said}");
        }
        Self { url: url.trim().to_owned(), _script: script }
    }
}

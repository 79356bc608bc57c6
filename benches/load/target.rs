//! What is measured: a release build of Postrider with a private Postgres of its own, or any server that speaks
//! this API.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use http::{HeaderMap, HeaderValue, Method, Uri};
use sqlx::{Connection as _, PgConnection, Row};
use tempfile::TempDir;

use crate::Options;
use crate::client::Connection;
use crate::machine::{self, Usage};

/// A server under load.
pub struct Target {
    /// Its URL.
    pub base: Uri,
    /// With the credentials.
    pub headers: HeaderMap,
    own: Option<OwnServer>,
}

struct OwnServer {
    binary: String,
    child: Child,
    directory: TempDir,
    settings: Vec<(&'static str, String)>,
}

/// Another node on the database of a server of our own.
pub struct Node {
    /// Its URL.
    pub base: Uri,
    child: Child,
}

impl Node {
    /// Kills it (`SIGKILL`), for good.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Counters that only a server of our own shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// SQL statements that the database has run for Postrider.
    pub statements: i64,
    /// WAL bytes written.
    pub wal_bytes: i64,
    /// Updates of `delivery`, and how many stayed in place.
    pub delivery_updates: (i64, i64),
    /// Of Postrider.
    pub postrider: Usage,
    /// Of Postgres.
    pub postgres: Usage,
}

impl Counters {
    /// What came on top of an earlier look.
    pub fn since(self, before: Self) -> Self {
        Self {
            statements: self.statements - before.statements,
            wal_bytes: self.wal_bytes - before.wal_bytes,
            delivery_updates: (
                self.delivery_updates.0 - before.delivery_updates.0,
                self.delivery_updates.1 - before.delivery_updates.1,
            ),
            postrider: self.postrider.since(before.postrider),
            postgres: self.postgres.since(before.postgres),
        }
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            statements: self.statements + other.statements,
            wal_bytes: self.wal_bytes + other.wal_bytes,
            delivery_updates: (
                self.delivery_updates.0 + other.delivery_updates.0,
                self.delivery_updates.1 + other.delivery_updates.1,
            ),
            postrider: self.postrider.and(other.postrider),
            postgres: self.postgres.and(other.postgres),
        }
    }
}

/// What the claims of due deliveries have cost the database.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claims {
    /// How many there were.
    pub calls: i64,
    /// How long they took, together.
    pub milliseconds: f64,
}

impl Target {
    /// Starts a server, or takes the one that was named.
    pub async fn start(options: &Options, settings: Vec<(&'static str, String)>) -> anyhow::Result<Self> {
        if let (Some(server), Some(token)) = (&options.server, &options.token) {
            return Ok(Self { base: server.parse()?, headers: bearer(token)?, own: None });
        }
        let directory = tempfile::Builder::new().prefix("postrider-bench").tempdir()?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let base: Uri = format!("http://127.0.0.1:{port}").parse()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
        }
        let child = spawn(&options.binary, directory.path(), port, &settings, None)?;
        let mut token = Command::new(&options.binary);
        token
            .envs(settings.iter().map(|(key, value)| (*key, value)))
            .args(["token", "create", "--role", "environment", "--env", "org_bench", "--data-dir"])
            .arg(directory.path().join("data"));
        let own = OwnServer { binary: options.binary.clone(), child, directory, settings };
        let mut target = Self { base, headers: HeaderMap::new(), own: Some(own) };
        target.ready().await?;
        target.headers = bearer(output(&mut token)?.trim())?;
        Ok(target)
    }

    /// Waits until it answers.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let give_up = Instant::now() + Duration::from_secs(60);
        loop {
            if let Ok(mut connection) = Connection::open(&self.base).await
                && let Ok((status, _)) = connection
                    .send(Method::GET, "/api/v1/health/ping", &HeaderMap::new(), bytes::Bytes::new())
                    .await
                && status.is_success()
            {
                return Ok(());
            }
            if Instant::now() > give_up {
                bail!("the server does not answer at {}", self.base);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills it as a crash would (`SIGKILL`; its Postgres lives on) and starts it again.
    pub async fn crash(&mut self) -> anyhow::Result<()> {
        let port = self.base.port_u16().unwrap_or_default();
        let Some(own) = &mut self.own else { bail!("only a server of our own can be killed") };
        own.child.kill()?;
        own.child.wait()?;
        own.child = spawn(&own.binary, own.directory.path(), port, &own.settings, None)?;
        self.ready().await
    }

    /// Starts another node on the same database, which needs settings with the secrets that both have.
    pub async fn another(&self) -> anyhow::Result<Node> {
        let Some(own) = &self.own else { bail!("only a server of our own can have another node") };
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let database = own.postmaster()?.1;
        let child = spawn(&own.binary, own.directory.path(), port, &own.settings, Some(&database))?;
        let base: Uri = format!("http://127.0.0.1:{port}").parse()?;
        let node = Node { base: base.clone(), child };
        Self { base, headers: HeaderMap::new(), own: None }.ready().await?;
        Ok(node)
    }

    /// A connection to its database; `None` for a server that is not ours.
    pub async fn database(&self) -> anyhow::Result<Option<PgConnection>> {
        let Some(own) = &self.own else { return Ok(None) };
        Ok(Some(PgConnection::connect(&own.postmaster()?.1).await?))
    }

    /// Has its database write its pages and clear up now, instead of at a moment of its own.
    pub async fn settle_down(&self) -> anyhow::Result<()> {
        if let Some(mut database) = self.database().await? {
            for statement in ["VACUUM ANALYZE", "CHECKPOINT"] {
                sqlx::raw_sql(statement).execute(&mut database).await?;
            }
        }
        Ok(())
    }

    /// What claims have cost so far.
    pub async fn claims(&self) -> anyhow::Result<Claims> {
        let Some(mut database) = self.database().await? else { return Ok(Claims::default()) };
        let row = sqlx::query(
            "SELECT coalesce(sum(calls), 0)::bigint AS calls, coalesce(sum(total_exec_time), 0)::float8 AS ms
             FROM pg_stat_statements WHERE query LIKE '-- pending::claim_due%'",
        )
        .fetch_one(&mut database)
        .await?;
        Ok(Claims { calls: row.get("calls"), milliseconds: row.get("ms") })
    }

    /// Its counters now; `None` for a server that is not ours.
    pub async fn counters(&self) -> anyhow::Result<Option<Counters>> {
        let Some(own) = &self.own else { return Ok(None) };
        let (postmaster, url) = own.postmaster()?;
        let mut database = PgConnection::connect(&url).await?;
        sqlx::query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").execute(&mut database).await.ok();
        let statements = sqlx::query(
            "SELECT coalesce(sum(calls), 0)::bigint AS n FROM pg_stat_statements WHERE query LIKE '-- %'",
        )
        .fetch_one(&mut database)
        .await
        .map_or(0, |row| row.get("n"));
        let wal = sqlx::query("SELECT (pg_current_wal_lsn() - '0/0')::bigint AS n")
            .fetch_one(&mut database)
            .await?;
        let hot = sqlx::query(
            "SELECT coalesce(sum(n_tup_upd), 0)::bigint AS all, coalesce(sum(n_tup_hot_upd), 0)::bigint AS hot
             FROM pg_stat_user_tables WHERE relname LIKE 'delivery\\_%'",
        )
        .fetch_one(&mut database)
        .await?;
        Ok(Some(Counters {
            statements,
            wal_bytes: wal.get("n"),
            delivery_updates: (hot.get("all"), hot.get("hot")),
            postrider: machine::of_process(own.child.id()),
            postgres: machine::of_postgres(postmaster),
        }))
    }

    /// Of Postrider alone.
    pub fn usage(&self) -> Usage {
        self.own.as_ref().map(|own| machine::of_process(own.child.id())).unwrap_or_default()
    }

    /// Stops it and removes what it left.
    pub fn stop(mut self) -> anyhow::Result<()> {
        if let Some(own) = &mut self.own {
            let stopped = Command::new("kill").args(["-TERM", &own.child.id().to_string()]).status()?;
            anyhow::ensure!(stopped.success(), "the server could not be told to stop");
            own.child.wait()?;
        }
        Ok(())
    }
}

impl OwnServer {
    /// The postmaster's process and the database's URL, from the file that Postgres keeps.
    fn postmaster(&self) -> anyhow::Result<(u32, String)> {
        let file =
            find(&self.directory.path().join("data"), "postmaster.pid").context("no postmaster.pid")?;
        let text = std::fs::read_to_string(file)?;
        let lines: Vec<&str> = text.lines().collect();
        let pid = lines.first().context("postmaster.pid is empty")?.trim().parse()?;
        let port = lines.get(3).context("no port")?.trim();
        let socket = lines.get(4).context("no socket")?.trim().replace('/', "%2F");
        Ok((pid, format!("postgres://postrider@{socket}:{port}/postrider")))
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Ok((postmaster, _)) = self.postmaster() {
            let _ = Command::new("kill").args(["-INT", &postmaster.to_string()]).status();
        }
    }
}

/// With a private Postgres, or on that database.
fn spawn(
    binary: &str,
    directory: &Path,
    port: u16,
    settings: &[(&str, String)],
    database: Option<&str>,
) -> anyhow::Result<Child> {
    let log = std::fs::File::options().create(true).append(true).open(directory.join("server.log"))?;
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .env_remove("DATABASE_URL")
        .env("POSTRIDER_DATA_DIR", directory.join("data"))
        .env("POSTRIDER_LISTEN", format!("127.0.0.1:{port}"))
        .env("POSTRIDER_ALLOW_SUBNETS", "127.0.0.0/8")
        .env("POSTRIDER_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    for (key, value) in settings {
        command.env(key, value);
    }
    if let Some(database) = database {
        command.env("DATABASE_URL", database);
    }
    command.spawn().with_context(|| format!("starting {binary}"))
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.env_remove("DATABASE_URL").output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn bearer(token: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}"))?);
    Ok(headers)
}

fn find(directory: &Path, name: &str) -> Option<PathBuf> {
    for entry in std::fs::read_dir(directory).ok()?.flatten() {
        let path = entry.path();
        if path.file_name().is_some_and(|found| found == name) {
            return Some(path);
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir())
            && let Some(found) = find(&path, name)
        {
            return Some(found);
        }
    }
    None
}

//! A database that cannot be used: what was tried, where, what came of it, and what to do. The password is never said.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Error, Executor as _, Row as _};
use url::Url;

use crate::domain::chance;
use crate::domain::database_schema::SchemaName;

/// The oldest version that works, as `server_version_num` begins.
const MIN_MAJOR_VERSION: u32 = 15;

/// How long the first connection may take, and its first statement.
const FIRST_ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Sessions are compared so often: a pooler that others use as well may give out the right ones once by chance.
const SHARING_ROUNDS: u32 = 3;

/// Parameters of a URL that name files, and what the files are.
const FILES: [(&str, &str); 9] = [
    ("sslrootcert", "the certificate authority"),
    ("ssl-root-cert", "the certificate authority"),
    ("ssl-ca", "the certificate authority"),
    ("sslcert", "the client's certificate"),
    ("ssl-cert", "the client's certificate"),
    ("sslkey", "the client's key"),
    ("ssl-key", "the client's key"),
    ("sslcrl", "the list of revoked certificates"),
    ("passfile", "the passwords"),
];

/// Why a database cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("the database {target} cannot be used: {what}; {advice}")]
pub struct UnusableDatabase {
    target: String,
    what: String,
    advice: String,
    may_pass: bool,
}

/// What came of it, what to do, and whether waiting may help.
struct Finding {
    what: String,
    advice: &'static str,
    may_pass: bool,
}

impl Finding {
    fn lasting(what: impl Into<String>, advice: &'static str) -> Self {
        Self { what: what.into(), advice, may_pass: false }
    }

    fn passing(what: impl Into<String>, advice: &'static str) -> Self {
        Self { what: what.into(), advice, may_pass: true }
    }

    fn of(self, options: &PgConnectOptions) -> UnusableDatabase {
        let Self { what, advice, may_pass } = self;
        UnusableDatabase { target: target(options), what, advice: advice.to_owned(), may_pass }
    }
}

impl UnusableDatabase {
    /// Whether it may be usable in a moment, because it is starting.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.may_pass
    }

    /// A URL that cannot be understood.
    pub(in crate::store) fn of_url(error: &Error) -> Self {
        Self {
            target: "of that URL".to_owned(),
            what: chain(error),
            advice: "a URL is such as postgres://user:password@host:5432/database".to_owned(),
            may_pass: false,
        }
    }

    /// The schema that a connection works in has a name that cannot be worked with.
    pub(in crate::store) fn of_schema(error: &str, options: &PgConnectOptions) -> Self {
        let what = format!("the schema that its user works in cannot hold the tables: {error}");
        Finding::lasting(what, "name another one in `database_schema`").of(options)
    }

    /// What an error says of the database with these options.
    pub(in crate::store) fn of(error: &Error, options: &PgConnectOptions) -> Self {
        finding(error).of(options)
    }
}

/// What a first connection has found.
pub(in crate::store) struct Found {
    /// The schema that a connection works in; `None` when it is one that is not there.
    current_schema: Option<String>,
    /// Whether it was built with LZ4.
    has_lz4: bool,
}

impl Found {
    /// The schema that the tables are in where nobody names one.
    pub(in crate::store) fn schema(&self) -> Result<SchemaName, String> {
        self.current_schema.as_deref().map_or_else(|| Ok(SchemaName::public()), SchemaName::parse)
    }

    /// What sessions of this server are to be like besides. Large payloads are compressed as they are stored: LZ4 takes
    /// a small part of the time that PGLZ, which every server has, takes.
    pub(in crate::store) fn settings(&self) -> &'static [(&'static str, &'static str)] {
        if self.has_lz4 { &[("default_toast_compression", "lz4")] } else { &[] }
    }
}

/// Connects, and asks for the version, the schema that a connection works in, and what the server was built with.
pub(in crate::store) async fn try_out(
    options: &PgConnectOptions,
    url: &str,
) -> Result<Found, UnusableDatabase> {
    if let Some(finding) = missing_file(url) {
        return Err(finding.of(options));
    }
    let asked = async {
        let mut connection = PgConnection::connect_with(options).await?;
        let (version, current_schema, has_lz4): (String, Option<String>, bool) = sqlx::query_as(
            "-- database::version
            SELECT current_setting('server_version_num'), current_schema()::text, EXISTS (
                SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals))",
        )
        .persistent(false)
        .fetch_one(&mut connection)
        .await?;
        let mut another = PgConnection::connect_with(options).await?;
        let is_shared = session_is_shared(&mut connection, &mut another).await?;
        // They end with their sockets in any case.
        let _ = (connection.close().await, another.close().await);
        Ok((
            old_version(&version).or_else(|| is_shared.then(shared_session)),
            Found { current_schema, has_lz4 },
        ))
    };
    match tokio::time::timeout(FIRST_ANSWER_TIMEOUT, asked).await {
        Ok(Ok((finding, found))) => finding.map_or(Ok(found), |finding| Err(finding.of(options))),
        Ok(Err(error)) => Err(UnusableDatabase::of(&error, options)),
        Err(_) => Err(silence().of(options)),
    }
}

/// `140012` is too old.
fn old_version(server_version_num: &str) -> Option<Finding> {
    let number: u32 = server_version_num.parse().ok()?;
    let (major, minor) = (number / 10_000, number % 10_000);
    (major < MIN_MAJOR_VERSION).then(|| {
        Finding::lasting(
            format!("it is PostgreSQL {major}.{minor}, and {MIN_MAJOR_VERSION} or later is needed"),
            "upgrade it, or name another database",
        )
    })
}

/// Whether a pooler gives out a session for each transaction: then what one connection sets, another one sees, or it is
/// gone the next time.
async fn session_is_shared(one: &mut PgConnection, another: &mut PgConnection) -> Result<bool, Error> {
    for round in 0..SHARING_ROUNDS {
        let mark = format!("{round}-{:016x}", u64::from_be_bytes(chance::bytes()));
        // Not prepared: between preparing and executing, such a pooler may give out another session.
        let set = format!("-- database::mark_session\nSET postrider.mark = '{mark}'");
        one.execute(AssertSqlSafe(set)).await?;
        for (connection, is_its_own) in [(&mut *another, false), (&mut *one, true)] {
            let ask = "-- database::seen_mark\nSELECT current_setting('postrider.mark', true)";
            let seen: Option<String> = sqlx::raw_sql(ask).fetch_one(connection).await?.try_get(0)?;
            if (seen.as_ref() == Some(&mark)) != is_its_own {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn shared_session() -> Finding {
    Finding::lasting(
        "a pooler is in between that gives out a session for each transaction, and so notices and locks would be lost",
        "set pool_mode = session in PgBouncer (with ignore_startup_parameters = options), or name PostgreSQL itself",
    )
}

fn silence() -> Finding {
    Finding::passing(
        format!("it did not answer within {} s", FIRST_ANSWER_TIMEOUT.as_secs()),
        "check host and port, and whether a firewall lies in between",
    )
}

fn missing_file(url: &str) -> Option<Finding> {
    let url = Url::parse(url).ok()?;
    url.query_pairs().find_map(|(name, value)| {
        let (_, what) = FILES.iter().find(|(parameter, _)| *parameter == name)?;
        let error =
            std::fs::File::open(Path::new(&*value)).err().filter(|_| !value.contains("-----BEGIN"))?;
        Some(Finding::lasting(
            format!("the file of {what}, {name}={value}, cannot be read ({error})"),
            "name a file that is there and that this process may read",
        ))
    })
}

/// `"name" at host:port as the user "user"`.
fn target(options: &PgConnectOptions) -> String {
    let user = options.get_username();
    let mut text = format!("\"{}\" ", options.get_database().unwrap_or(user));
    // Writing to a string cannot fail.
    let _ = match options.get_socket() {
        Some(socket) => write!(text, "at the socket {} (port {})", socket.display(), options.get_port()),
        None => write!(text, "at {}:{}", options.get_host(), options.get_port()),
    };
    text + &format!(" as the user \"{user}\"")
}

fn finding(error: &Error) -> Finding {
    match error {
        Error::Database(error) => of_answer(&error.code().unwrap_or_default(), error.message()),
        Error::Io(error) => of_io(error),
        Error::Tls(_) => Finding::lasting(
            format!("no TLS ({})", chain(error)),
            "check sslmode in its URL, and sslrootcert, which names the authority that its certificate is from",
        ),
        Error::PoolTimedOut => silence(),
        other => Finding::lasting(chain(other), "see what it logs"),
    }
}

/// What the server says, by its SQLSTATE.
fn of_answer(code: &str, message: &str) -> Finding {
    let said = format!("it answers: {message} ({code})");
    match code {
        "28P01" => Finding::lasting(said, "check the user and the password in its URL"),
        "28000" => Finding::lasting(
            said,
            "check the user in its URL, and that pg_hba.conf lets it in from here, with TLS if that is asked for",
        ),
        "3D000" => {
            Finding::lasting(said, "check the name at the end of its URL, or make it with CREATE DATABASE")
        }
        "42501" => Finding::lasting(
            said,
            "make that user the database's owner, or give it the rights: GRANT CONNECT, CREATE ON DATABASE …; \
             GRANT USAGE, CREATE ON SCHEMA public (or the one that `database_schema` names); and all rights on the tables that another user made",
        ),
        "53300" => Finding::passing(
            said,
            "raise its max_connections, or have other programs use fewer: a node uses up to twenty besides api_connections",
        ),
        "08P01" if message.contains("startup parameter") => Finding::lasting(
            said,
            "that is PgBouncer: set ignore_startup_parameters = options in it, and pool_mode = session",
        ),
        "57P03" => Finding::passing(said, "it is starting or stopping: try again in a moment"),
        _ => Finding::lasting(said, "see what it logs"),
    }
}

fn of_io(error: &std::io::Error) -> Finding {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::ConnectionRefused => Finding::passing(
            "nothing listens there (the connection was refused)",
            "start PostgreSQL there, or check host and port in its URL",
        ),
        ErrorKind::NotFound => {
            Finding::passing("there is no such socket", "start PostgreSQL there, or check `host` in its URL")
        }
        ErrorKind::PermissionDenied => Finding::lasting(
            "this user may not connect to that socket",
            "start Postrider as a user that may, or use a TCP port",
        ),
        ErrorKind::InvalidData if text.contains("certificate") => Finding::lasting(
            format!("its certificate is refused ({text})"),
            "name the authority that it is from in sslrootcert, and in the URL the host that it is for",
        ),
        ErrorKind::TimedOut => {
            Finding::passing(text, "check host and port, and whether a firewall lies in between")
        }
        _ if text.contains("lookup address") => Finding::passing(
            format!("its host name cannot be resolved ({text})"),
            "check the host in its URL",
        ),
        _ => Finding::passing(text, "check host and port in its URL"),
    }
}

/// An error and what it came from.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn options(url: &str) -> PgConnectOptions {
        PgConnectOptions::from_str(url).unwrap()
    }

    #[test]
    fn where_it_was_tried_is_said_without_the_password() {
        let options = options("postgres://me:hunter2@db.example.com:5433/hooks");
        let said = of_answer("28P01", "password authentication failed").of(&options).to_string();
        for part in ["\"hooks\"", "db.example.com:5433", "\"me\"", "28P01", "check the user and the password"]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn only_what_may_pass_is_waited_for() {
        assert!(of_io(&ErrorKind::ConnectionRefused.into()).may_pass);
        assert!(of_answer("57P03", "the database system is starting up").may_pass);
        for code in ["28P01", "28000", "3D000", "42501", "XX000"] {
            assert!(!of_answer(code, "no").may_pass, "{code}");
        }
    }

    #[test]
    fn a_certificate_that_is_refused_is_not_waited_for() {
        let refused = std::io::Error::new(ErrorKind::InvalidData, "invalid peer certificate: UnknownIssuer");
        let found = of_io(&refused);
        assert!(!found.may_pass && found.advice.contains("sslrootcert"), "{}", found.what);
    }

    #[test]
    fn a_version_that_is_too_old_is_named() {
        let said = old_version("140012").unwrap().of(&options("postgres://h/d")).to_string();
        assert!(said.contains("PostgreSQL 14.12") && said.contains("15 or later"), "{said}");
        assert!(old_version("150000").is_none() && old_version("180001").is_none());
    }
}

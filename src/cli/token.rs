//! `postrider token create`: mints tokens with the configured secret. It needs no database.

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand, ValueEnum};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret;

use crate::config::{Config, CredentialFlags, JwtKey, duration};
use crate::domain::access::claims::{Claims, OPERATOR_SUBJECT, RequiredClaims};
use crate::domain::clock::Clock;
use crate::domain::id::{ApplicationId, EnvironmentId};

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token and print it, alone, on standard output
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Whom the token speaks for
    #[arg(long, value_enum)]
    role: Role,
    /// The environment, `org_…`: for an environment's or an application's token
    #[arg(long, value_name = "ID")]
    env: Option<EnvironmentId>,
    /// The application, `app_…`: for an application's token
    #[arg(long, value_name = "ID")]
    app: Option<ApplicationId>,
    /// How long it is valid, such as 12h or 30d, or never for one without an end
    #[arg(long, visible_alias = "ttl", value_name = "TIME|never", default_value = "365d", value_parser = lifetime)]
    expires: Lifetime,
    #[command(flatten)]
    credentials: CredentialFlags,
}

/// How long a token is valid.
#[derive(Debug, Clone, Copy)]
enum Lifetime {
    For(std::time::Duration),
    Endless,
}

fn lifetime(text: &str) -> Result<Lifetime, String> {
    match text {
        "never" => Ok(Lifetime::Endless),
        time => duration(time).map(Lifetime::For),
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Everything, in all environments
    Operator,
    /// One environment: its applications, messages and dead letters
    Environment,
    /// One application: its own endpoints, messages and attempts
    Application,
}

impl Token {
    pub(super) fn run(&self) -> anyhow::Result<String> {
        let Self::Create(create) = self;
        let claims = create.claims(&Clock::default())?;
        let config = Config::load(&create.credentials.flags)?;
        super::warn(&config)?;
        let token = mint(&config, &claims)?;
        super::note(&said_of_end(claims.exp))?;
        Ok(token)
    }
}

/// Said beside the token, so that its end surprises nobody.
fn said_of_end(exp: Option<i64>) -> String {
    match exp.and_then(|at| chrono::DateTime::from_timestamp(at, 0)) {
        Some(at) => format!(
            "this token is valid until {} (--expires TIME sets another end, --expires never none)",
            at.format("%Y-%m-%d %H:%M UTC")
        ),
        None => "this token is valid until its secret is changed; nothing else ends an environment's or an operator's"
            .to_owned(),
    }
}

impl Create {
    fn claims(&self, clock: &Clock) -> anyhow::Result<Claims> {
        let now = clock.now();
        let exp = match self.expires {
            Lifetime::Endless => None,
            Lifetime::For(time) => {
                let end =
                    chrono::TimeDelta::from_std(time).ok().and_then(|time| now.checked_add_signed(time));
                Some(end.context("--expires is too long")?.timestamp())
            }
        };
        let environment = self.env.as_ref().map(|id| id.as_str().to_owned());
        let (sub, org) = match self.role {
            Role::Operator => (OPERATOR_SUBJECT.to_owned(), environment),
            Role::Environment => (environment.context("--role environment needs --env org_…")?, None),
            Role::Application => {
                let application = self.app.context("--role application needs --app app_…")?;
                (application.to_string(), Some(environment.context("--role application needs --env org_…")?))
            }
        };
        ensure!(
            self.app.is_none() || matches!(self.role, Role::Application),
            "--app goes with --role application"
        );
        Ok(Claims { sub, org, iat: now.timestamp(), exp, ..Claims::default() })
    }
}

/// Signs claims. Only a shared secret can: of the other algorithms we hold the public key alone.
pub(super) fn mint(config: &Config, claims: &Claims) -> anyhow::Result<String> {
    mint_with(&config.jwt, &config.required_claims(), claims)
}

fn mint_with(key: &JwtKey, required: &RequiredClaims, claims: &Claims) -> anyhow::Result<String> {
    let JwtKey::Hs256(secret) = key else {
        bail!("tokens are verified with a public key here: mint them where the private key is");
    };
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &required.along_with(claims), &key)
        .context("the token cannot be signed")
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    fn create(role: Role, env: Option<&str>, app: Option<ApplicationId>, expires: Option<&str>) -> Create {
        Create {
            role,
            env: env.map(|id| id.parse().unwrap()),
            app,
            expires: lifetime(expires.unwrap_or("never")).unwrap(),
            credentials: CredentialFlags::default(),
        }
    }

    #[test]
    fn each_role_says_whom_it_speaks_for() {
        let clock = Clock::default();
        let app = ApplicationId::generate();
        let operator = create(Role::Operator, None, None, None).claims(&clock).unwrap();
        assert_eq!((operator.sub.as_str(), operator.org, operator.exp), ("operator", None, None));
        let environment = create(Role::Environment, Some("org_a"), None, Some("1h")).claims(&clock).unwrap();
        assert_eq!(environment.sub, "org_a");
        assert_eq!(environment.exp, Some(environment.iat + 3600));
        let application = create(Role::Application, Some("org_a"), Some(app), None).claims(&clock).unwrap();
        assert_eq!((application.sub, application.org.as_deref()), (app.to_string(), Some("org_a")));
    }

    #[test]
    fn what_a_role_lacks_is_named() {
        let clock = Clock::default();
        let app = Some(ApplicationId::generate());
        for (create, named) in [
            (create(Role::Environment, None, None, None), "--env"),
            (create(Role::Application, Some("org_a"), None, None), "--app"),
            (create(Role::Application, None, app, None), "--env"),
            (create(Role::Operator, None, app, None), "--app"),
        ] {
            let error = create.claims(&clock).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_minted_token_verifies_under_the_secret_only() {
        let claims = create(Role::Operator, None, None, Some("1h")).claims(&Clock::default()).unwrap();
        let none = RequiredClaims::default();
        let token = mint_with(&JwtKey::Hs256("a secret of some length".into()), &none, &claims).unwrap();
        let verify = |secret: &[u8]| {
            jsonwebtoken::decode::<Claims>(&token, &DecodingKey::from_secret(secret), &Validation::default())
        };
        assert_eq!(verify(b"a secret of some length").unwrap().claims, claims);
        assert!(verify(b"another of some length").is_err());
        assert!(mint_with(&JwtKey::EdDsa("pem".to_owned()), &none, &claims).is_err());
    }
}

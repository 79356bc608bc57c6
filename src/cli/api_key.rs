//! `postrider api-key create`: makes the first key, in the database itself. Later ones are made through the API.

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};

use crate::config::{Config, CredentialFlags, duration};
use crate::domain::access::actor::{Actor, Role};
use crate::domain::access::api_key::ApiKey;
use crate::domain::clock::Clock;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::server::{Database, Opening};
use crate::store::{KeyScope, NewKey, Store};

#[derive(Debug, Subcommand)]
pub(super) enum ApiKeys {
    /// Make a key and print it, alone, on standard output; it is shown this once
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Whom the key speaks for: operator, environment or application
    #[arg(long, value_parser = role)]
    role: Role,
    /// The environment, `org_…`: for an environment's or an application's key
    #[arg(long, value_name = "ID")]
    env: Option<EnvironmentId>,
    /// The application, `app_…`: for an application's key
    #[arg(long, value_name = "ID")]
    app: Option<ApplicationId>,
    /// What it is called in lists
    #[arg(long, default_value = "made on the command line")]
    name: String,
    /// How long it holds, such as 12h or 30d; without it, until it is revoked
    #[arg(long, value_name = "TIME", value_parser = duration)]
    ttl: Option<std::time::Duration>,
    #[command(flatten)]
    credentials: CredentialFlags,
}

fn role(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| "it is one of operator, environment, application".to_owned())
}

impl ApiKeys {
    pub(super) async fn run(&self) -> anyhow::Result<String> {
        let Self::Create(create) = self;
        let scope = create.scope()?;
        let config = Config::load(&create.credentials.flags)?;
        super::warn(&config)?;
        let database = Database::open(&config, Opening::Command).await?;
        let made = match database.prepare(false).await {
            Ok(()) => create.make(&database.store, scope).await,
            Err(error) => Err(error),
        };
        database.close().await?;
        made
    }
}

impl Create {
    fn scope(&self) -> anyhow::Result<KeyScope> {
        let environment = self.env.clone();
        ensure!(self.app.is_none() || self.role == Role::Application, "--app goes with --role application");
        Ok(match self.role {
            Role::Operator => {
                ensure!(environment.is_none(), "an operator's key is for all environments: leave --env out");
                KeyScope::Operator
            }
            Role::Environment => {
                KeyScope::Environment(environment.context("--role environment needs --env org_…")?)
            }
            Role::Application => KeyScope::Application(
                environment.context("--role application needs --env org_…")?,
                self.app.context("--role application needs --app app_…")?,
            ),
        })
    }

    async fn make(&self, store: &Store, scope: KeyScope) -> anyhow::Result<String> {
        let actor = Actor::cli("api-key create");
        if let KeyScope::Environment(environment) = &scope {
            store.configuration.create_environment(&actor, environment).await?;
        }
        if let KeyScope::Application(environment, application) = &scope {
            let found = store.configuration.application_id(environment, &Reference::Id(*application)).await?;
            ensure!(found.is_some(), "there is no application {application} in {environment}");
        }
        let expires_at = self
            .ttl
            .map(chrono::TimeDelta::from_std)
            .transpose()?
            .map(|ttl| Clock::default().now().checked_add_signed(ttl).context("--ttl is too long"))
            .transpose()?;
        let new = NewKey { key: ApiKey::generate(), scope, name: self.name.clone(), expires_at };
        store.access.create_api_key(&actor, &new).await?;
        Ok(new.key.reveal().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(role: Role, env: Option<&str>, app: Option<ApplicationId>) -> Create {
        Create {
            role,
            env: env.map(|id| id.parse().unwrap()),
            app,
            name: "a".to_owned(),
            ttl: None,
            credentials: CredentialFlags::default(),
        }
    }

    #[test]
    fn what_a_role_lacks_or_has_too_much_is_named() {
        let app = Some(ApplicationId::generate());
        for (create, named) in [
            (create(Role::Environment, None, None), "--env"),
            (create(Role::Operator, Some("org_a"), None), "--env"),
            (create(Role::Operator, None, app), "--app"),
            (create(Role::Application, Some("org_a"), None), "--app"),
            (create(Role::Application, None, app), "--env"),
        ] {
            let error = create.scope().unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        let whole = create(Role::Application, Some("org_a"), app).scope().unwrap();
        assert_eq!((whole.role(), whole.application()), (Role::Application, app));
    }
}

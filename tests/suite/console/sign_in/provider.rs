//! A real identity provider, and a server below a path that trusts it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::{Value, json};
use url::Url;

use super::browser::{Browser, SESSION, SignedIn, location};
use crate::support::TestApp;
use crate::support::javascript::node;

/// The cookie of a sign-in that is under way.
pub const FLOW: &str = "postrider_oidc";
const ROLES: &str = "admins=operator,team-a=environment:org_a";

/// A provider, and a server that trusts it.
pub struct World {
    pub app: TestApp,
    pub provider: Provider,
}

pub struct Provider {
    url: String,
    pub process: Child,
    /// Open as long as it runs: it writes there.
    _said: BufReader<ChildStdout>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Provider {
    /// Starts one that sends people back to this address, and returns when it listens.
    async fn start(redirect: &str, secret: Option<&str>, in_id_token: bool) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = tokio::task::spawn_blocking(|| node("openid", "provider.mjs")).await.unwrap();
        command.env("PORT", port.to_string()).env("CLIENT_ID", "postrider").env("REDIRECT", redirect);
        command.env("IN_ID_TOKEN", in_id_token.to_string());
        secret.map(|secret| command.env("CLIENT_SECRET", secret));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let first = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            (line, said)
        });
        let (line, said) = first.await.unwrap();
        assert_eq!(line, "listening\n");
        Self { url: format!("http://127.0.0.1:{port}"), process, _said: said }
    }

    /// Says who signs in next.
    pub async fn next(&self, next: &Value) {
        let client = crate::support::api::client();
        client
            .post(format!("{}/next", self.url))
            .json(next)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
    }
}

impl World {
    pub async fn new(secret: Option<&str>, in_id_token: bool) -> Self {
        let mut app = TestApp::start().await;
        let public = format!("http://{}/hooks", app.address());
        let redirect = format!("{public}/api/v1/session/oidc/callback");
        let provider = Provider::start(&redirect, secret, in_id_token).await;
        for (name, value) in [
            ("PUBLIC_URL", public.as_str()),
            ("OIDC_ISSUER", &provider.url),
            ("OIDC_CLIENT_ID", "postrider"),
            ("OIDC_CLIENT_SECRET", secret.unwrap_or_default()),
            ("OIDC_NAME", "Example Ltd"),
            ("OIDC_SCOPES", "openid,profile,email,groups"),
            ("OIDC_ROLES", ROLES),
        ] {
            app.node_mut().set(name, value);
        }
        let mut world = Self { app, provider };
        world.restart().await;
        world
    }

    pub async fn restart(&mut self) {
        self.app.node_mut().terminate().await;
        self.app.node_mut().restart().await;
    }

    pub fn place(&self, path: &str) -> String {
        format!("http://{}/hooks{path}", self.app.address())
    }

    pub fn port(&self) -> u16 {
        Url::parse(&self.place("/")).unwrap().port().unwrap()
    }

    pub async fn next(&self, sub: &str, groups: &[&str]) {
        let claims =
            json!({"name": format!("{sub} L."), "email": format!("{sub}@example.com"), "groups": groups});
        self.provider.next(&json!({"sub": sub, "claims": claims})).await;
    }

    /// To the provider and back, but for the last step: the place to come back to.
    pub async fn until_the_way_back(&self, browser: &mut Browser) -> String {
        let start = self.place("/api/v1/session/oidc/start?return_to=/hooks/people%3Fenv%3Dorg_a");
        let callback = self.place("/api/v1/session/oidc/callback");
        browser.follow(&start, |place| place.starts_with(&callback)).await
    }

    /// All the way. Where it leads.
    pub async fn sign_in(&self, browser: &mut Browser) -> String {
        let back = self.until_the_way_back(browser).await;
        location(&browser.go(&back).await, &back)
    }

    /// The session of who is at this browser.
    pub async fn session(&self, browser: &Browser) -> SignedIn {
        let cookie = browser.cookie(self.port(), SESSION).expect("somebody is signed in");
        SignedIn::by_cookie(&self.app.api(), cookie).await
    }

    #[track_caller]
    pub fn assert_refused(&self, browser: &Browser, place: &str, problem: &str) {
        assert_eq!(place, self.place(&format!("/sign-in?problem={problem}")));
        assert_eq!(browser.cookie(self.port(), SESSION), None);
        assert_eq!(browser.cookie(self.port(), FLOW), None, "it is over");
    }
}

//! Somebody at a browser: cookies, and redirects that are followed one by one.

use std::collections::BTreeMap;

use postrider::domain::clock::Clock;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use url::Url;

use crate::support::Api;
use crate::support::api::Answer;

/// As it is called where the public URL is not https.
pub const SESSION: &str = "postrider_session";
/// As it is called where that is https, and has no path.
pub const SESSION_BY_HTTPS: &str = "__Host-postrider_session";

/// Somebody who is signed in.
#[derive(Clone)]
pub struct SignedIn {
    api: Api,
    cookie_name: &'static str,
    pub cookie: String,
    pub csrf: String,
}

/// The value of a cookie that an answer sets.
pub fn cookie_in(answer: &Answer, name: &str) -> Option<String> {
    let set = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let mut values = set.filter_map(|text| text.split(';').next()?.strip_prefix(name)?.strip_prefix('='));
    values.next_back().map(str::to_owned)
}

impl SignedIn {
    /// Signs in with this body, through a caller without a token.
    pub async fn with(api: &Api, body: &Value) -> Self {
        let answer = api.post("/session", body).await;
        let csrf = answer.expect(201)["csrfToken"].as_str().unwrap().to_owned();
        let named = |name| Some((name, cookie_in(&answer, name)?));
        let (cookie_name, cookie) = [SESSION, SESSION_BY_HTTPS].into_iter().find_map(named).unwrap();
        Self { api: api.clone(), cookie_name, cookie, csrf }
    }

    /// With a cookie that was set elsewhere.
    pub async fn by_cookie(api: &Api, cookie: &str) -> Self {
        let mut signed_in =
            Self { api: api.clone(), cookie_name: SESSION, cookie: cookie.to_owned(), csrf: String::new() };
        let session = signed_in.get("/session").await.expect(200);
        signed_in.csrf = session["csrfToken"].as_str().unwrap().to_owned();
        signed_in
    }

    /// The same at another node.
    pub fn through(&self, address: &str) -> Self {
        Self { api: self.api.through(address), ..self.clone() }
    }

    /// A request by the cookie alone.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let cookie = format!("theme=dark; {}={}", self.cookie_name, self.cookie);
        self.api.request(method, path).header("cookie", cookie)
    }

    /// A request as the console makes it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("postrider-csrf", &self.csrf)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Api::send(self.bare(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Api::send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Api::send(self.request(Method::DELETE, path)).await
    }
}

/// A browser that goes from page to page.
pub struct Browser {
    client: Client,
    /// By port, as no browser does, so that nobody's cookies are sent to another.
    cookies: BTreeMap<u16, BTreeMap<String, String>>,
}

impl Browser {
    pub fn new() -> Self {
        let client =
            Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { client, cookies: BTreeMap::new() }
    }

    /// Goes to one page, and keeps its cookies.
    pub async fn go(&mut self, url: &str) -> Answer {
        let port = Url::parse(url).unwrap().port().unwrap();
        let jar = self.cookies.entry(port).or_default();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = Api::send(self.client.get(url).header("cookie", cookies.join("; "))).await;
        for value in answer.headers.get_all("set-cookie") {
            let text = value.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            jar.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Goes to a page and wherever it leads, up to one that `is_last` holds of, which it does not go to.
    pub async fn follow(&mut self, url: &str, is_last: impl Fn(&str) -> bool) -> String {
        let mut place = url.to_owned();
        for _ in 0..20 {
            let answer = self.go(&place).await;
            place = location(&answer, &place);
            if is_last(&place) {
                return place;
            }
        }
        panic!("it leads from {url} to nowhere, at last to {place}");
    }

    pub fn cookie(&self, port: u16, name: &str) -> Option<&str> {
        self.cookies.get(&port)?.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn forget(&mut self, port: u16, name: &str) {
        self.cookies.get_mut(&port).unwrap().remove(name).expect("it was there");
    }
}

/// Where an answer leads.
#[track_caller]
pub fn location(answer: &Answer, from: &str) -> String {
    let said = answer.headers.get("location").unwrap_or_else(|| panic!("{} {}", answer.status, answer.text));
    Url::parse(from).unwrap().join(said.to_str().unwrap()).unwrap().to_string()
}

/// Seconds since 1970.
pub fn now() -> i64 {
    Clock::default().now().timestamp()
}

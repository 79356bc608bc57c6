//! Somebody who watches a stream of live events.

use reqwest::Method;
use serde_json::Value;

use crate::support::Api;
use crate::support::until::DEADLINE;

/// A stream that is read.
pub struct Watcher {
    response: reqwest::Response,
    read: String,
}

impl Watcher {
    /// Begins to watch, and returns when it has begun.
    pub async fn begin(api: &Api, path: &str) -> Self {
        let response = api.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut watcher = Self { response, read: String::new() };
        let (name, hello) = watcher.next().await.expect("it begins");
        assert_eq!(name, "hello");
        assert!(hello["at"].is_string());
        watcher
    }

    /// The next event; `None` when the stream ended.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        tokio::time::timeout(DEADLINE, self.read_event()).await.expect("an event within the deadline")
    }

    async fn read_event(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|text| text.trim_start().to_owned())
                };
                let event = field("event:").zip(field("data:"));
                self.read = rest.to_owned();
                match event {
                    Some((name, data)) => return Some((name, serde_json::from_str(&data).unwrap())),
                    // A comment.
                    None => continue,
                }
            }
            let chunk = self.response.chunk().await.ok()??;
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event of that name; others are passed over.
    pub async fn next_of(&mut self, wanted: &str) -> Value {
        loop {
            let (name, data) = self.next().await.unwrap_or_else(|| panic!("it ended before {wanted}"));
            if name == wanted {
                return data;
            }
            assert_ne!(name, "bye", "{data}");
        }
    }
}

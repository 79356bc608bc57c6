//! Commands that call a running server, and the receiver that is part of the program.

use std::process::Stdio;

use serde_json::Value;
use standardwebhooks::Webhook;

use crate::support::LocalApp;
use crate::support::api::client;
use crate::support::server::{command, free_address};
use crate::support::until;

use super::shell::{complaint, run, stdout};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_created_is_listed_and_shown() {
    let app = LocalApp::start().await;
    let (url, environment) = (format!("http://{}", app.address()), app.environment());
    let variables = [("POSTRIDER_URL", url.as_str()), ("POSTRIDER_TOKEN", environment.token())];
    let told = |arguments: &[&str]| stdout(&run(arguments, &variables)).trim().to_owned();

    assert_eq!(told(&["application", "list"]), "No applications.");
    let one = told(&["application", "create", "The first", "--uid", "one"]);
    let listed = told(&["application", "list"]);
    assert!(listed.contains(&one) && listed.contains("The first"), "{listed}");

    assert_eq!(told(&["endpoint", "list", "one"]), "No endpoints.");
    let arguments =
        ["one", "http://127.0.0.1:9/", "--uid", "main", "--event-type", "a.b", "--secret", SECRET];
    let endpoint = told(&[&["endpoint", "create"], &arguments[..]].concat());
    let listed = told(&["endpoint", "list", "one"]);
    assert!(listed.contains(&endpoint) && listed.contains("a.b"), "{listed}");
    assert_eq!(told(&["endpoint", "secret", "one", "main"]), SECRET);

    // Nobody wants it, and its bytes are kept as they were given.
    let message = told(&["message", "post", "one", "c.d", "{\"b\": 1.0, \"a\": 2}", "--event-id", "first"]);
    let listed = told(&["message", "list", "one"]);
    assert!(listed.contains(&message) && listed.contains("first"), "{listed}");
    assert!(told(&["message", "show", "one", "first"]).contains("No endpoint wanted it."));
    let shown: Value = serde_json::from_str(&told(&["message", "show", "one", "first", "--json"])).unwrap();
    assert_eq!(shown["message"]["id"], message.as_str());

    assert!(told(&["pause", "one"]).contains("paused since"));
    assert!(told(&["resume", "one"]).contains("not paused"));
    assert!(complaint(&run(&["pause"], &variables)).contains("--all"));
    assert!(complaint(&run(&["message", "post", "one", "a.b", "no JSON"], &variables)).contains("not JSON"));
    assert!(complaint(&run(&["endpoint", "list", "nobody"], &variables)).contains("404"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_tells_what_is_genuine_and_ends_when_it_has_enough() {
    let address = free_address().to_string();
    let receiver = command()
        .args(["receive", "--listen", &address, "--secret", SECRET, "--status", "202", "--count", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let url = format!("http://{address}/hook");
    until("it listens", || async { client().get(&url).send().await.ok() }).await;

    let now = postrider::domain::clock::Clock::default().now().timestamp();
    let post = async |signed: &str, body: &'static str| {
        let signature = Webhook::new(SECRET).unwrap().sign("msg_1", now, signed.as_bytes()).unwrap();
        let request = client().post(&url).body(body).header("webhook-id", "msg_1");
        let request = request.header("webhook-timestamp", now).header("webhook-signature", signature);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(post("{\"a\": 1}", "{\"a\": 2}").await, 401);
    assert_eq!(post("{\"a\": 2}", "{\"a\": 2}").await, 202);

    let output = receiver.wait_with_output().unwrap();
    let said = stdout(&output);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(
        lines[1].contains("NOT GENUINE") && lines[2].contains("signature verified  {\"a\": 2}"),
        "{said}"
    );
}

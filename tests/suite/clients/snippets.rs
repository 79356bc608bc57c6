//! The code that the portal shows to check a signature: where its language is on the machine, it runs as it stands, and is
//! sent a genuine request, a forged one and an old one.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use standardwebhooks::Webhook;

use crate::support::api::client;
use crate::support::javascript::packages;
use crate::support::program::finished;
use crate::support::python::python;

const SNIPPETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboard/src/portal/snippets");
/// Those that are run here.
const RUN: [&str; 4] = ["Node", "Python", "Rust", "Java"];

fn secret(letter: u8) -> String {
    format!("whsec_{}", STANDARD.encode([letter; 32]))
}

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(SNIPPETS).join(file)).unwrap()
}

/// A program that prints the port that it listens on. It ends with this.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        command.env("WEBHOOK_SECRET", secret(b'a')).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port: u16 = line.trim().parse().unwrap_or_else(|_| panic!("{command:?} said {line:?}"));
        Self { child, url: format!("http://127.0.0.1:{port}/webhooks") }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn assert_checks_signatures(url: &str) {
    let now = postrider::domain::clock::Clock::default().now().timestamp();
    let body = r#"{"invoice": "in_1", "total": 1e400, "name": "ü"}"#;
    for (what, secret, timestamp, status) in [
        ("genuine", secret(b'a'), now, 204),
        ("forged", secret(b'b'), now, 401),
        ("old", secret(b'a'), now - 600, 401),
        ("genuine, after those", secret(b'a'), now, 204),
    ] {
        let signature = Webhook::new(&secret).unwrap().sign("msg_1", timestamp, body.as_bytes()).unwrap();
        let request = client().post(url).body(body).header("content-type", "application/json");
        let request = request.header("webhook-id", "msg_1").header("webhook-timestamp", timestamp);
        let answer = request.header("webhook-signature", signature).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "the {what} request at {url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_code_in_javascript_checks_signatures() {
    let harness = "
        function handle() {}
        const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));";
    // Modules look for packages beside themselves.
    let file = tempfile::Builder::new().suffix(".mjs").tempfile_in(packages("javascript")).unwrap();
    std::fs::write(file.path(), text("node.mjs") + harness).unwrap();
    let program = Program::start(Command::new("node").arg(file.path()));
    assert_checks_signatures(&program.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_code_in_python_checks_signatures() {
    let harness = "
def handle(event): pass

from werkzeug.serving import make_server
server = make_server('127.0.0.1', 0, app)
print(server.port, flush=True)
server.serve_forever()";
    let file = tempfile::Builder::new().suffix(".py").tempfile().unwrap();
    std::fs::write(file.path(), text("python.py") + harness).unwrap();
    let program = Program::start(Command::new(python()).arg(file.path()));
    assert_checks_signatures(&program.url).await;
}

mod rust {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::Bytes;
    use axum::extract::State;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::post;
    use standardwebhooks::Webhook;

    fn handle(_: &[u8]) {}

    include!("../../../dashboard/src/portal/snippets/rust.rs");

    pub(super) async fn serve(secret: &str) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
        let routes = routes(secret);
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        url
    }
}

#[tokio::test]
async fn the_portals_code_in_rust_checks_signatures() {
    assert_checks_signatures(&rust::serve(&secret(b'a')).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_code_in_java_checks_signatures() {
    if Command::new("javac").arg("-version").output().is_err() {
        // Nothing else here needs a JDK.
        eprintln!("not run: there is no javac (Debian: default-jdk-headless)");
        return;
    }
    let harness = "
        import com.sun.net.httpserver.HttpServer;
        import java.net.InetSocketAddress;

        class Events { static void handle(byte[] body) {} }

        class Main {
            public static void main(String[] arguments) throws Exception {
                HttpServer server = HttpServer.create(new InetSocketAddress(\"127.0.0.1\", 0), 0);
                server.createContext(\"/webhooks\", Webhooks::receive);
                server.start();
                System.out.println(server.getAddress().getPort());
            }
        }";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Main.java"), harness).unwrap();
    std::fs::write(folder.path().join("Webhooks.java"), text("Webhooks.java")).unwrap();
    let mut compile = Command::new("javac");
    compile.args(["Main.java", "Webhooks.java"]).current_dir(folder.path());
    finished(compile).await;
    let program =
        Program::start(Command::new("java").args(["-cp", "."]).arg("Main").current_dir(folder.path()));
    assert_checks_signatures(&program.url).await;
}

#[test]
fn every_language_is_run_or_said_not_to_be() {
    let list = text("../snippets.ts");
    let named = |what: &str| -> Vec<String> {
        let (_, rest) = list.split_once(what).unwrap();
        let (_, rest) = rest.split_once("= [").unwrap();
        let (names, _) = rest.split_once(']').unwrap();
        names.split(',').map(|name| name.trim().trim_matches('\'').to_owned()).collect()
    };
    let mut covered: Vec<String> = RUN.iter().map(|name| (*name).to_owned()).collect();
    covered.extend(named("const untested"));
    let mut all = named("const languages");
    covered.sort();
    all.sort();
    assert_eq!(covered, all);
}

//! Lists of what is large.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::measure::{Health, assert_small};
use crate::support::{Api, Setup, TestApp};

const MESSAGES: usize = 40;
const PAYLOAD_BYTES: usize = 900 << 10;
/// A page's payloads, and what stands around them.
const LARGEST_PAGE: usize = (4 << 20) + (1 << 20);

/// Walks a list from its begin to its end. The ids, page by page.
async fn walk(api: &Api, path: &str) -> Vec<Vec<String>> {
    let (mut pages, mut iterator) = (Vec::new(), String::new());
    loop {
        let answer = api.get(&format!("{path}?limit=250&iterator={iterator}")).await;
        assert!(answer.text.len() <= LARGEST_PAGE, "a page of {} bytes", answer.text.len());
        let page = answer.expect(200);
        let ids = page["data"].as_array().unwrap().iter();
        pages.push(ids.map(|it| it["id"].as_str().or(it["name"].as_str()).unwrap().to_owned()).collect());
        if page["done"] == true {
            return pages;
        }
        iterator = page["iterator"].as_str().unwrap().to_owned();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_pages_are_cut_and_eight_readers_take_little() {
    let mut app = TestApp::start().await;
    app.leave_work();
    let tenant = app.tenant("large").await;
    let endpoint = json!({"url": "http://127.0.0.1:9/", "uid": "main", "disabled": true});
    tenant.api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    let text = "x".repeat(PAYLOAD_BYTES);
    let mut posted = Vec::new();
    for n in 0..MESSAGES {
        posted.push(tenant.message("large", json!({"n": n, "text": text})).await);
    }
    posted.reverse();
    let health = Health::watch(&app);
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    for path in [tenant.path("/msg"), tenant.path("/endpoint/main/msg")] {
        let readers = join_all((0..8).map(|_| walk(&own, &path))).await;
        for pages in readers {
            assert!(pages.len() > 5, "{} pages", pages.len());
            assert_eq!(pages.concat(), posted, "{path}");
        }
    }
    let without = own.get(&tenant.path("/msg?limit=250&with_content=false")).await.expect(200);
    assert_eq!((without["data"].as_array().unwrap().len(), &without["done"]), (MESSAGES, &json!(true)));
    health.expect("eight readers").await;
    assert_small(&app, "eight readers of 35 MiB each");
}

/// A page back begins where the page before it ended.
#[tokio::test]
async fn a_cut_page_leads_back() {
    let app = Setup::default().with("PAGE_BYTES", "64KiB").start().await;
    let tenant = app.tenant("back").await;
    let text = "x".repeat(30 << 10);
    for n in 0..5 {
        tenant.message("large", json!({"n": n, "text": text})).await;
    }
    let get = async |iterator: &str| -> Value {
        tenant.api.get(&tenant.path(&format!("/msg?iterator={iterator}"))).await.expect(200)
    };
    let numbers = |page: &Value| -> Vec<i64> {
        page["data"].as_array().unwrap().iter().map(|it| it["payload"]["n"].as_i64().unwrap()).collect()
    };
    let first = get("").await;
    let second = get(first["iterator"].as_str().unwrap()).await;
    let back = get(second["prevIterator"].as_str().unwrap()).await;
    assert_eq!([numbers(&first), numbers(&second), numbers(&back)], [vec![4, 3], vec![2, 1], vec![4, 3]]);
    assert_eq!(
        (&first["done"], &second["done"], &back["done"]),
        (&json!(false), &json!(false), &json!(true))
    );
}

#[tokio::test]
async fn lists_of_event_types_and_endpoints_are_cut_as_well() {
    let app = Setup::default().with("PAGE_BYTES", "64KiB").start().await;
    let api = app.environment();
    let tenant = app.tenant("many").await;
    let schema = json!({"1": {"type": "object", "description": "x".repeat(30 << 10)}});
    let types: Vec<String> = (0..200).map(|n| format!("{n:03}{}", "x".repeat(200))).collect();
    for n in 0..5 {
        let event_type = json!({"name": format!("t{n}"), "description": "", "schemas": schema});
        api.post("/event-type", &event_type).await.expect(201);
        let endpoint = json!({"url": "https://example.com/", "uid": format!("e{n}"), "eventTypes": types});
        api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    }
    let mut iterator = String::new();
    let mut seen = Vec::new();
    loop {
        let page = api.get(&format!("/event-type?with_content=true&iterator={iterator}")).await.expect(200);
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= 2 && data.iter().all(|it| it["schemas"]["1"]["type"] == "object"));
        seen.extend(data.iter().map(|it| it["name"].as_str().unwrap().to_owned()));
        if page["done"] == true {
            break;
        }
        iterator = page["iterator"].as_str().unwrap().to_owned();
    }
    assert_eq!(seen, ["t0", "t1", "t2", "t3", "t4"]);
    let page = api.get("/event-type").await.expect(200);
    assert_eq!((page["data"].as_array().unwrap().len(), &page["done"]), (5, &json!(true)));
    let found = api.all(&tenant.path("/endpoint"), 250).await;
    assert_eq!(found.len(), 5);
    let page = api.get(&tenant.path("/endpoint")).await.expect(200);
    assert_eq!((page["data"].as_array().unwrap().len(), &page["done"]), (1, &json!(false)));
}

const ENDPOINTS: usize = 100;
const READERS: usize = 50;

/// Each of them is 110 KiB of text, from 28 KiB.
async fn make_large_endpoints(api: &Api, path: &str) {
    let types: Vec<String> = (0..1_000).map(|n| format!("t{n}")).collect();
    let made = (0..ENDPOINTS).map(|n| {
        let description = "\u{1}".repeat(16 << 10);
        let endpoint = json!({"url": "https://example.com/", "uid": format!("e{n}"), "disabled": true,
            "description": description, "eventTypes": types});
        async move { api.post(path, &endpoint).await.expect(201) }
    });
    join_all(made).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_for_large_endpoints_and_do_not_read_take_little() {
    let app = TestApp::start().await;
    let tenant = app.tenant("large").await;
    let path = tenant.path("/endpoint");
    make_large_endpoints(&tenant.api, &path).await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    let ask = async || {
        let mut connection = TcpStream::connect(app.address()).await.unwrap();
        let head = format!(
            "GET /api/v1{path}?limit=250 HTTP/1.1\r\nhost: postrider\r\nauthorization: Bearer {}\r\n\r\n",
            own.token()
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection
    };
    let connections = join_all((0..READERS).map(|_| ask())).await;
    // Those for whom there is no room wait for longer than that, and then hear so.
    let answers = join_all(connections.iter().map(TcpStream::readable));
    let _ = tokio::time::timeout(Duration::from_secs(2), answers).await;
    assert_small(&app, "fifty who do not read their lists of endpoints");
    drop(connections);
    let pages = walk(&own, &path).await;
    assert!(pages.len() > 2, "{} pages", pages.len());
    assert_eq!(pages.concat().len(), ENDPOINTS);
}

#[tokio::test]
async fn what_stands_beside_the_content_counts_as_well() {
    let app = Setup::default().with("PAGE_BYTES", "64KiB").with("RETRY_SCHEDULE", "none").start().await;
    let api = app.environment();
    let name = "\u{1}".repeat(6 << 10);
    let application = api.post("/app", &json!({"name": name, "uid": "long"})).await.expect(201);
    api.post("/app", &json!({"name": name})).await.expect(201);
    let url = format!("http://127.0.0.1:9/{}", "x".repeat(8_000));
    api.post("/app/long/endpoint", &json!({"url": url, "uid": "main"})).await.expect(201);
    for n in 0..9 {
        api.post("/app/long/msg", &json!({"eventType": "a", "payload": {"n": n}})).await.expect(202);
    }
    app.settled().await;
    let id = application["id"].as_str().unwrap();
    for (path, fitting, all) in [
        ("/app".to_owned(), 1, 2),
        ("/dead-letter".to_owned(), 1, 9),
        (format!("/app/{id}/dead-letter"), 1, 9),
        (format!("/app/{id}/attempt/endpoint/main?with_content=false"), 7, 9),
    ] {
        let page = api.get(&path).await.expect(200);
        assert_eq!(page["data"].as_array().unwrap().len(), fitting, "{path}");
        assert_eq!((api.all(&path, 250).await.len(), &page["done"]), (all, &json!(false)), "{path}");
    }
}

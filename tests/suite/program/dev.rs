//! `postrider dev`, as a newcomer sees it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::server::{command, free_address};
use crate::support::until::DEADLINE;

/// The program's output, line by line, up to the first line that `is` holds of.
fn read_until(lines: &mpsc::Receiver<String>, what: &str, is: impl Fn(&str) -> bool) -> Vec<String> {
    let mut read = Vec::new();
    loop {
        let line = lines.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("no {what} in {read:#?}"));
        let found = is(&line);
        read.push(line);
        if found {
            return read;
        }
    }
}

fn counted(line: &str, what: &str) -> u64 {
    let rest = line.split_once(what).map_or("", |(_, rest)| rest).trim_start();
    rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap_or(0)
}

#[test]
fn a_newcomer_sees_deliveries_a_retry_a_dead_letter_and_its_replay() {
    let data = crate::support::data_dir::data_dir();
    let address = free_address().to_string();
    let directory = data.path().join("data").display().to_string();
    let mut dev = command()
        .args(["dev", "--listen", &address, "--data-dir", &directory])
        .current_dir(data.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (send, lines) = mpsc::channel();
    let out = BufReader::new(dev.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));

    let introduction = read_until(&lines, "end of the introduction", |line| line.contains("Ctrl-C"));
    assert!(introduction.iter().any(|line| line.contains(&format!("http://{address}/docs"))));
    assert!(introduction.iter().any(|line| line.contains(&format!("http://{address}/sign-in#link="))));
    let counts = |line: &str| line.starts_with("accepted ");
    let mut seen = read_until(&lines, "delivery", |line| counts(line) && counted(line, "delivered") > 0);
    seen.extend(read_until(&lines, "retry", |line| counts(line) && counted(line, "retries") > 0));
    seen.extend(read_until(&lines, "dead letter", |line| counts(line) && counted(line, "dead letters") > 0));
    let curls: Vec<_> = introduction.iter().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(curls.len(), 3);
    for line in curls {
        let output = Command::new("sh").args(["-c", line]).output().unwrap();
        let answer = String::from_utf8(output.stdout).unwrap();
        let answer: serde_json::Value =
            serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{line}: {answer}"));
        let made = answer["id"].as_str().is_some_and(|id| id.starts_with("msg_"));
        let listed = answer["data"].as_array().is_some_and(|data| data.len() == 1);
        assert!(made || listed, "{line}: {answer}");
    }
    // What the console shows: an endpoint that is paused, and one that is disabled because it is gone.
    let token = introduction.iter().find_map(|line| line.trim().strip_prefix("token  ")).unwrap();
    let endpoints = || {
        let url = format!("http://{address}/api/v1/app/umbrella/endpoint");
        let output =
            Command::new("curl").args(["-s", &url, "-H", &format!("Authorization: Bearer {token}")]).output();
        let answer: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        answer["data"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    };
    assert!(
        endpoints().iter().any(|endpoint| endpoint["uid"] == "staging" && endpoint["pausedAt"].is_string())
    );
    // And one whose receiver is a test inbox.
    let inbox = || -> serde_json::Value {
        let url = format!("http://{address}/api/v1/app/acme/endpoint/inbox/inbox");
        let output =
            Command::new("curl").args(["-s", &url, "-H", &format!("Authorization: Bearer {token}")]).output();
        serde_json::from_slice(&output.unwrap().stdout).unwrap()
    };
    let is_kept = || inbox()["requests"][0]["isVerified"] == true;
    seen.extend(read_until(&lines, "request in the test inbox", |line| counts(line) && is_kept()));
    let is_gone = || endpoints().iter().any(|endpoint| endpoint["disabledReason"] == "gone");
    seen.extend(read_until(&lines, "disabled endpoint", |line| counts(line) && is_gone()));
    seen.extend(read_until(&lines, "replay", |line| counts(line) && counted(line, "replays delivered") > 0));
    let wrong = seen.iter().find(|line| counts(line) && counted(line, "wrong") > 0);
    assert_eq!(wrong, None, "a signature does not verify");

    kill(Pid::from_raw(i32::try_from(dev.id()).unwrap()), Signal::SIGINT).unwrap();
    assert!(dev.wait().unwrap().success());
    assert!(!data.path().join("data/postgres/postmaster.pid").exists(), "its Postgres is gone, too");
}

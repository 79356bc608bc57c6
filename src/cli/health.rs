//! `postrider health`: what a container's health check runs, so that the image needs no other program for it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;

use crate::config::{Config, Flags};
use crate::send::install_tls_provider;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct Health {
    /// Where the API listens [default: as configured]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

impl Health {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        install_tls_provider();
        let listen = self.listen.map_or_else(|| Config::listen_address(&Flags::default()), Ok)?;
        let url = format!("http://{}/api/v1/health", reachable(listen));
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_TIMEOUT).build()?;
        let answer = client.get(&url).send().await.with_context(|| format!("{url} does not answer"))?;
        let status = answer.status();
        if !status.is_success() {
            bail!("{url} answers {status}: {}", problems(&answer.bytes().await?));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Unwell {
    problems: Vec<String>,
}

/// What the server says that it cannot do. Who answers may also be something else, such as a proxy.
fn problems(answer: &[u8]) -> String {
    serde_json::from_slice::<Unwell>(answer).map_or_else(
        |_| "not the answer of a Postrider to `health`".to_owned(),
        |unwell| unwell.problems.join("; "),
    )
}

/// A server that listens everywhere is asked on this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let address = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other,
    };
    SocketAddr::new(address, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_told_and_an_answer_that_is_not_ones_own_is_named() {
        let told = problems(br#"{"status": "unavailable", "problems": ["one", "two"], "queue": null}"#);
        assert_eq!(told, "one; two");
        for other in ["", "<html>", "{}", r#"{"problems": null}"#, r#"{"problems": [1]}"#] {
            assert_eq!(problems(other.as_bytes()), "not the answer of a Postrider to `health`", "{other}");
        }
    }

    #[test]
    fn a_server_that_listens_everywhere_is_asked_here() {
        assert_eq!(reachable("0.0.0.0:8071".parse().unwrap()).to_string(), "127.0.0.1:8071");
        assert_eq!(reachable("[::]:8071".parse().unwrap()).to_string(), "[::1]:8071");
        assert_eq!(reachable("10.1.2.3:80".parse().unwrap()).to_string(), "10.1.2.3:80");
    }
}

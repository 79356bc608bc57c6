//! The server's own addresses, which no tenant may have requests sent to, however public they are.

use std::net::IpAddr;
use std::process::Command;

use postrider::domain::delivery::attempt::Failure;
use postrider::send::{EgressPolicy, OwnAddresses, SenderOptions};

use super::namespace::{Everywhere, within};
use super::sending::{attempt, sender_with};

/// An address on the machine's interface.
const OWN: &str = "8.8.4.4";
const DATABASE: &str = "9.9.9.9";

fn policy(allow_subnets: &[&str]) -> EgressPolicy {
    let allowed: Vec<_> = allow_subnets.iter().map(|subnet| subnet.parse().unwrap()).collect();
    EgressPolicy::new(&allowed).refusing(OwnAddresses::with_database(Some(DATABASE)))
}

fn with_an_address(address: &str) {
    let ran = Command::new("ip").args(["address", "add", address, "dev", "lo"]).status().unwrap();
    assert!(ran.success());
}

#[test]
fn the_servers_own_addresses_are_no_targets() {
    within(|| async {
        with_an_address("8.8.4.4/32");
        with_an_address("2606:4700::4444/128");
        let everywhere = Everywhere::listen().await;
        let sender = sender_with(SenderOptions { egress: policy(&[]), ..SenderOptions::default() });
        for host in
            [OWN, "134743044", "[::ffff:8.8.4.4]", "[64:ff9b::808:404]", "[2606:4700::4444]", "9.9.9.9"]
        {
            let outcome = attempt(&sender, &format!("http://{host}/")).await.unwrap();
            assert_eq!(outcome.failure, Some(Failure::EgressRefused), "{host}");
        }
        assert_eq!(everywhere.arrived(), [] as [IpAddr; 0]);
        // The one beside it is.
        let outcome = attempt(&sender, "http://8.8.4.5/").await.unwrap();
        assert_eq!(outcome.failure, None, "{outcome:?}");
    });
}

#[test]
fn an_operator_can_allow_the_servers_own_addresses() {
    within(|| async {
        with_an_address("8.8.4.4/32");
        let everywhere = Everywhere::listen().await;
        let egress = policy(&["8.8.4.4/32"]);
        let sender = sender_with(SenderOptions { egress, ..SenderOptions::default() });
        assert_eq!(attempt(&sender, &format!("http://{OWN}/")).await.unwrap().failure, None);
        assert_eq!(everywhere.arrived(), [OWN.parse::<IpAddr>().unwrap()]);
    });
}

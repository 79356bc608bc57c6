//! Names, and what DNS says of them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use postrider::domain::delivery::attempt::Failure;
use postrider::send::SenderOptions;

use super::addresses::{REFUSED_V4, REFUSED_V6, forms_in_v6};
use super::dns_server::{DnsServer, Record};
use super::namespace::{Everywhere, replace_file, within};
use super::sending::{attempt, sender, sender_with};

const PUBLIC: &str = "1.1.1.1";
const OTHER_PUBLIC: &str = "2606:4700::1111";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A DNS server, which this thread's resolver asks.
async fn dns() -> DnsServer {
    replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\nsearch corp.example\noptions ndots:1\n");
    replace_file("/etc/hosts", "127.0.0.1 localhost\n10.0.0.7 from-hosts.example\n");
    DnsServer::start().await
}

/// Sets of addresses of which none may be gone to.
fn refused_sets() -> Vec<Vec<IpAddr>> {
    let v4: Vec<Ipv4Addr> = REFUSED_V4.iter().map(|address| address.parse().unwrap()).collect();
    let mut sets: Vec<Vec<IpAddr>> = v4.iter().map(|address| vec![(*address).into()]).collect();
    sets.extend(REFUSED_V6.iter().map(|address| vec![ip(address)]));
    sets.extend(forms_in_v6(Ipv4Addr::LOCALHOST).into_iter().map(|address| vec![address.into()]));
    sets.extend(
        forms_in_v6(Ipv4Addr::new(169, 254, 169, 254)).into_iter().map(|address| vec![address.into()]),
    );
    sets.push(v4.into_iter().map(IpAddr::from).collect());
    sets.push(vec![ip("10.0.0.1"), ip("::1"), ip("fd00::1")]);
    sets
}

#[test]
fn no_answer_of_dns_leads_within() {
    within(|| async {
        let (dns, everywhere) = (dns().await, Everywhere::listen().await);
        let sender = sender(&[]);
        let mut tried = 0;
        for (number, addresses) in refused_sets().iter().enumerate() {
            let name = format!("name-{number}.example");
            dns.tell_addresses(&name, addresses);
            let outcome = attempt(&sender, &format!("http://{name}/")).await.unwrap();
            assert_eq!(outcome.failure, Some(Failure::EgressRefused), "{addresses:?}");
            tried += 1;
        }
        dns.tell_addresses("within.example", &[ip("127.0.0.1")]);
        dns.tell("alias.example", vec![vec![Record::Alias("within.example")]]);
        dns.tell("alias-of-alias.example", vec![vec![Record::Alias("alias.example")]]);
        for name in
            ["alias.example", "alias-of-alias.example", "localhost", "from-hosts.example", "alias.example."]
        {
            let outcome = attempt(&sender, &format!("http://{name}/")).await.unwrap();
            assert_eq!(outcome.failure, Some(Failure::EgressRefused), "{name}");
            tried += 1;
        }
        println!("{tried} answers of DNS");
        assert!(tried >= 50, "{tried}");
        assert_eq!(everywhere.arrived(), [] as [IpAddr; 0]);
    });
}

#[test]
fn of_a_mixed_answer_only_the_public_part_is_used() {
    within(|| async {
        let (dns, everywhere) = (dns().await, Everywhere::listen().await);
        let sender = sender(&[]);
        for (number, private) in REFUSED_V4.iter().chain(&REFUSED_V6).enumerate() {
            for (family, public) in [("v4", PUBLIC), ("v6", OTHER_PUBLIC)] {
                let name = format!("{family}-{number}.example");
                dns.tell_addresses(&name, &[ip(private), ip(public), ip("127.0.0.1")]);
                let outcome = attempt(&sender, &format!("http://{name}/")).await.unwrap();
                assert_eq!(outcome.failure, None, "{private}: {outcome:?}");
                assert_eq!(everywhere.arrived(), [ip(public)], "{private}");
            }
        }
    });
}

#[test]
fn a_name_that_turns_inward_is_judged_again() {
    within(|| async {
        let (dns, everywhere) = (dns().await, Everywhere::listen().await);
        let sender = sender(&[]);
        let sets = [PUBLIC, "127.0.0.1"].map(|address| vec![Record::Address(ip(address))]);
        dns.tell("turns.example", sets.to_vec());
        assert_eq!(attempt(&sender, "http://turns.example/").await.unwrap().failure, None);
        assert_eq!(everywhere.arrived(), [ip(PUBLIC)]);
        let outcome = attempt(&sender, "http://turns.example/").await.unwrap();
        assert_eq!(outcome.failure, Some(Failure::EgressRefused));
        assert_eq!(everywhere.arrived(), [] as [IpAddr; 0]);
    });
}

#[test]
fn a_name_that_moves_is_followed_while_traffic_flows() {
    within(|| async {
        let (dns, everywhere) = (dns().await, Everywhere::listen().await);
        let connection_lifetime = Duration::from_millis(300);
        let kept = SenderOptions { connection_lifetime, ..SenderOptions::default() };
        let sender = postrider::send::Sender::new(&kept).unwrap();
        dns.tell_addresses("moves.example", &[ip(PUBLIC)]);
        assert_eq!(attempt(&sender, "http://moves.example/").await.unwrap().failure, None);
        dns.tell_addresses("moves.example", &[ip(OTHER_PUBLIC)]);
        let mut connections = everywhere.arrived();
        while connections.last() != Some(&ip(OTHER_PUBLIC)) {
            assert_eq!(attempt(&sender, "http://moves.example/").await.unwrap().failure, None);
            tokio::time::sleep(Duration::from_millis(20)).await;
            connections.extend(everywhere.arrived());
        }
        assert_eq!(connections, [ip(PUBLIC), ip(OTHER_PUBLIC)], "the first was used until its end");
    });
}

#[test]
fn names_are_resolved_as_the_system_does() {
    within(|| async {
        let (dns, everywhere) = (dns().await, Everywhere::listen().await);
        let sender = sender_with(SenderOptions::default());
        for name in [
            "ab_cd.example",
            "_a.example",
            "-x.example",
            "x-.example",
            "a.b_.example",
            "my_service.corp.example",
        ] {
            dns.tell_addresses(name, &[ip(PUBLIC)]);
        }
        for host in [
            "ab_cd.example",
            "ab_cd.example.",
            "_a.example",
            "-x.example",
            "x-.example",
            "a.b_.example",
            // By way of the search list.
            "my_service",
        ] {
            let outcome = attempt(&sender, &format!("http://{host}/")).await.unwrap();
            assert_eq!(outcome.failure, None, "{host}: {outcome:?}");
            assert_eq!(everywhere.arrived(), [ip(PUBLIC)], "{host}");
        }
        // With its dot it is complete, and the search list is not for it.
        let outcome = attempt(&sender, "http://my_service./").await.unwrap();
        assert_eq!(outcome.failure, Some(Failure::Dns));
        assert!(dns.asked().iter().any(|name| name == "my_service"));
    });
}

//! Addresses that are refused and allowed, in every form that they can be written in.

use proptest::prelude::*;

use super::*;

fn policy(subnets: &[&str]) -> EgressPolicy {
    EgressPolicy::new(&subnets.iter().map(|subnet| subnet.parse().unwrap()).collect::<Vec<_>>())
}

#[test]
fn everything_but_the_public_internet_is_refused() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fd00:ec2::254",
        "fc00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "100::1",
        "2001:db8::1",
        "2001:2::1",
        "2001:10::1",
        "3fff::1",
        "4000::1",
    ] {
        assert!(!policy(&[]).allows(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn the_public_internet_is_allowed() {
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2a00:1450::1",
    ] {
        assert!(policy(&[]).allows(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn transition_forms_are_judged_by_the_address_within() {
    for address in [
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "::ffff:0:10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::",
        // Teredo with 10.0.0.1 as its server, then as its client.
        "2001:0:a00:1::f5ff:fffe",
        "2001:0:808:808::f5ff:fffe",
        "2600::5efe:10.0.0.1",
        "2600::200:5efe:10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "64:ff9b:1:7f00:0:100::",
    ] {
        assert!(!policy(&[]).allows(address.parse().unwrap()), "{address}");
    }
    for address in [
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2001:0:808:808::f7f7:f7f7",
        "2600::5efe:8.8.8.8",
    ] {
        assert!(policy(&[]).allows(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn an_allowed_subnet_beats_the_refusal() {
    let open = policy(&["127.0.0.0/8", "fd00::/8", "169.254.169.254/32"]);
    for address in ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "fd00::1", "169.254.169.254"] {
        assert!(open.allows(address.parse().unwrap()), "{address}");
    }
    for address in ["10.0.0.1", "::1", "169.254.169.253", "fc00::1"] {
        assert!(!open.allows(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn literals_are_judged_in_every_spelling() {
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "１２７.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[::1]",
        "[::]",
        "[64:ff9b::7f00:1]",
        "0",
        "0.0.0.0",
    ] {
        let url = Url::parse(&format!("http://{host}/")).unwrap();
        assert_eq!(policy(&[]).check_literal(&url), Err(Refused), "{host}");
    }
    for host in ["localhost", "example.com", "1.1.1.1", "[2606:4700::1111]"] {
        let url = Url::parse(&format!("http://{host}/")).unwrap();
        assert_eq!(policy(&[]).check_literal(&url), Ok(()), "{host}");
    }
}

proptest! {
    #[test]
    fn a_mapped_address_fares_as_the_plain_one(bits in any::<u32>()) {
        let plain = Ipv4Addr::from(bits);
        for policy in [policy(&[]), policy(&["10.0.0.0/8", "192.168.0.0/16"])] {
            prop_assert_eq!(policy.allows(plain.into()), policy.allows(plain.to_ipv6_mapped().into()));
        }
    }

    #[test]
    fn std_agrees_on_what_is_local(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        if address.is_private() || address.is_loopback() || address.is_link_local() || address.is_multicast() {
            prop_assert!(!policy(&[]).allows(address.into()));
        }
    }
}

//! Addresses in URLs, in every spelling.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use postrider::domain::delivery::attempt::Failure;

use super::namespace::{Everywhere, within};
use super::sending::{attempt, sender};

/// IPv4 addresses that are not the public internet, of each kind.
pub const REFUSED_V4: [&str; 17] = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
];

/// IPv6 addresses of the same sort.
pub const REFUSED_V6: [&str; 12] = [
    "::",
    "::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "100::1",
    "2001:db8::1",
    "2001:2::1",
    "2001:10::1",
    "3fff::1",
    "4000::1",
    "64:ff9b:1::8.8.8.8",
];

/// The IPv6 forms that carry an IPv4 address, or lead to it.
pub fn forms_in_v6(address: Ipv4Addr) -> Vec<Ipv6Addr> {
    let [a, b, c, d] = address.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    vec![
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !0x808, !0x808),
        Ipv6Addr::new(0x2001, 0, 0x808, 0x808, 0, 0, !high, !low),
        Ipv6Addr::new(0x2600, 0, 0, 0, 0, 0x5efe, high, low),
    ]
}

fn spellings_v4(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let number = u32::from(address);
    let rest = number & 0x00ff_ffff;
    let percent: String = address.to_string().bytes().map(|letter| format!("%{letter:02x}")).collect();
    let full_width: String = address
        .to_string()
        .chars()
        .map(|letter| letter.to_digit(10).map_or(letter, |digit| char::from_u32(0xff10 + digit).unwrap()))
        .collect();
    vec![
        address.to_string(),
        format!("{address}."),
        format!("{a}.{rest}"),
        format!("{a}.{b}.{}", u16::from_be_bytes([c, d])),
        format!("{number}"),
        format!("{number:#x}"),
        format!("{number:#X}").replace("0X", "0x"),
        format!("0{number:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("0x{a:02x}.{rest}"),
        format!("0000{a:o}.{b}.0x{c:x}.{d}"),
        percent,
        full_width,
        address.to_string().replace('.', "。"),
        format!("user:pass@{address}"),
    ]
}

fn urls() -> Vec<String> {
    let v4 = REFUSED_V4.iter().map(|address| address.parse::<Ipv4Addr>().unwrap());
    let mut hosts: Vec<String> = v4.clone().flat_map(spellings_v4).collect();
    hosts.extend(v4.flat_map(forms_in_v6).map(|address| format!("[{address}]")));
    hosts.extend(REFUSED_V6.iter().map(|address| format!("[{address}]")));
    hosts.iter().map(|host| format!("http://{host}/")).collect()
}

#[test]
fn no_spelling_of_an_address_within_gets_out() {
    let Some((tried, arrived, wrong)) = within(|| async {
        let everywhere = Everywhere::listen().await;
        let sender = sender(&[]);
        let (mut tried, mut wrong) = (0, Vec::new());
        for url in urls() {
            tried += 1;
            if let Some(outcome) = attempt(&sender, &url).await
                && outcome.failure != Some(Failure::EgressRefused)
            {
                wrong.push(format!("{url}: {:?}", outcome.failure));
            }
        }
        (tried, everywhere.arrived(), wrong)
    }) else {
        return;
    };
    println!("{tried} spellings");
    assert!(tried >= 150, "{tried}");
    assert_eq!(arrived, [] as [IpAddr; 0]);
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The proof that the test above would have seen them.
#[test]
fn every_spelling_would_arrive_if_it_were_allowed() {
    let Some((sent, arrived)) = within(|| async {
        let everywhere = Everywhere::listen().await;
        let sender = sender(&["0.0.0.0/0", "::/0"]);
        let mut sent = 0;
        for url in urls() {
            if let Some(outcome) = attempt(&sender, &url).await {
                assert_eq!(outcome.failure, None, "{url}: {outcome:?}");
                sent += 1;
            }
        }
        (sent, everywhere.arrived())
    }) else {
        return;
    };
    assert!(sent >= 150, "{sent}");
    assert_eq!(arrived.len(), sent);
}

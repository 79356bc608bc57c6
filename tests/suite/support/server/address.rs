//! Addresses of servers.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// An address that nothing else uses. On Linux every process has a loopback address of its own, so that a server
/// that is down for a moment finds its port free again.
pub fn free_address() -> SocketAddr {
    let ip = if cfg!(target_os = "linux") {
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        Ipv4Addr::new(127, 100 + (high & 63), middle, low)
    } else {
        Ipv4Addr::LOCALHOST
    };
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap()
}

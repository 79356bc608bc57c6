//! A network namespace in which every address is local, with one socket that sees whatever arrives.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// The port that everything listens on: the one of `http://`.
const PORT: u16 = 80;

/// Runs on a thread in a namespace of its own, with a runtime. `None`, with a printed reason, where that is not allowed.
pub fn within<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let run = move || {
        if let Err(reason) = enter() {
            println!("skipped: no network namespace can be made here: {reason}");
            return None;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Some(runtime.block_on(work()))
    };
    match std::thread::spawn(run).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn enter() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).map_err(|error| error.to_string())?;
    // What is mounted from here on is for this thread alone.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).map_err(|error| error.to_string())?;
    for arguments in ["link set lo up", "route add local 0.0.0.0/0 dev lo", "-6 route add local ::/0 dev lo"]
    {
        let ran = Command::new("ip").args(arguments.split(' ')).output();
        let ran = ran.map_err(|error| format!("ip: {error}"))?;
        if !ran.status.success() {
            return Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&ran.stderr)));
        }
    }
    Ok(())
}

/// Lets this thread, and no other, read `text` where the system's file would be.
pub fn replace_file(path: &str, text: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    assert!(Path::new(path).exists(), "there is no {path} to put another in the place of");
    mount(Some(file.path()), path, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
}

/// Answers every request that arrives, at whatever address, and notes the address.
#[derive(Default)]
pub struct Everywhere {
    arrived: Arc<Mutex<Vec<IpAddr>>>,
}

impl Everywhere {
    pub async fn listen() -> Self {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([0; 16], PORT))).await.unwrap();
        let all = Self::default();
        let arrived = all.arrived.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                arrived.lock().unwrap().push(stream.local_addr().unwrap().ip().to_canonical());
                tokio::spawn(async move { answer(stream).await });
            }
        });
        all
    }

    /// Where requests arrived since this was last asked.
    pub fn arrived(&self) -> Vec<IpAddr> {
        std::mem::take(&mut self.arrived.lock().unwrap())
    }
}

async fn answer(mut stream: tokio::net::TcpStream) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut come = vec![0; 16 * 1024];
    while stream.read(&mut come).await.is_ok_and(|read| read > 0) {
        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

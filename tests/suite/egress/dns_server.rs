//! A DNS server that says what it is told to (RFC 1035), for the names of one test.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;

/// What a name is answered with.
#[derive(Clone)]
pub enum Record {
    Address(IpAddr),
    Alias(&'static str),
}

/// A name's answers, one set a time it is asked for, the last one for ever.
type Answers = Vec<Vec<Record>>;

#[derive(Default, Clone)]
pub struct DnsServer {
    names: Arc<Mutex<HashMap<String, Answers>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

impl DnsServer {
    /// Starts it at 127.0.0.1, where nothing else may be.
    pub async fn start() -> Self {
        let server = Self::default();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).await.unwrap();
        let serving = server.clone();
        tokio::spawn(async move {
            let mut question = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                let answer = serving.answer(&question[..length]);
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        server
    }

    pub fn tell(&self, name: &str, answers: Answers) {
        self.names.lock().unwrap().insert(name.to_owned(), answers);
    }

    pub fn tell_addresses(&self, name: &str, addresses: &[IpAddr]) {
        self.tell(name, vec![addresses.iter().copied().map(Record::Address).collect()]);
    }

    /// The names that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn answer(&self, question: &[u8]) -> Vec<u8> {
        let (name, end) = name_at(question, 12);
        let kind = u16::from_be_bytes([question[end], question[end + 1]]);
        self.asked.lock().unwrap().push(name.clone());
        let found = self.records(&name, kind);
        let known = self.names.lock().unwrap().contains_key(&name);
        let records = found.unwrap_or_default();
        // An answer, recursion wanted and there; 3 is "no such name".
        let mut answer = question[..2].to_vec();
        answer.extend([0x81, if known { 0x80 } else { 0x83 }, 0, 1]);
        answer.extend(u16::try_from(records.len()).unwrap().to_be_bytes());
        answer.extend([0; 4]);
        answer.extend(&question[12..end + 4]);
        for (owner, kind, data) in records {
            // The question's name by a pointer to it, so that an answer fits into a datagram.
            answer.extend(if owner == name { vec![0xc0, 12] } else { encoded(&owner) });
            // IN, and no time to live.
            answer.extend(kind.to_be_bytes());
            answer.extend([0, 1, 0, 0, 0, 0]);
            answer.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            answer.extend(data);
        }
        answer
    }

    /// The records of a name, aliases followed.
    fn records(&self, name: &str, kind: u16) -> Option<Vec<(String, u16, Vec<u8>)>> {
        let mut names = self.names.lock().unwrap();
        let answers = names.get_mut(name)?;
        // Each set is for one question after A and one after AAAA; the second uses it up.
        let records = answers[0].clone();
        if kind == AAAA && answers.len() > 1 {
            answers.remove(0);
        }
        drop(names);
        let mut all = Vec::new();
        for record in records {
            match record {
                Record::Address(IpAddr::V4(address)) if kind == A => {
                    all.push((name.to_owned(), A, address.octets().to_vec()));
                }
                Record::Address(IpAddr::V6(address)) if kind == AAAA => {
                    all.push((name.to_owned(), AAAA, address.octets().to_vec()));
                }
                Record::Address(_) => {}
                Record::Alias(target) => {
                    all.push((name.to_owned(), CNAME, encoded(target)));
                    all.extend(self.records(target, kind).unwrap_or_default());
                }
            }
        }
        Some(all)
    }
}

fn name_at(message: &[u8], mut at: usize) -> (String, usize) {
    let mut labels = Vec::new();
    while message[at] > 0 {
        let length = usize::from(message[at]);
        labels.push(String::from_utf8_lossy(&message[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    (labels.join("."), at + 1)
}

fn encoded(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    labels.chain([0]).collect()
}

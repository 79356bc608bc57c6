//! As much of the protocol of Postgres as the proxy needs: where a message ends, and which statement it executes.

use std::collections::HashMap;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, ReadHalf};

/// The messages of one direction.
pub struct Frames<T> {
    reader: ReadHalf<T>,
    buffer: BytesMut,
}

impl<T: AsyncRead> Frames<T> {
    pub fn of(reader: ReadHalf<T>) -> Self {
        Self { reader, buffer: BytesMut::new() }
    }

    /// The next message, whose length stands after `type_bytes`. May be given up and asked again.
    pub async fn next(&mut self, type_bytes: usize) -> std::io::Result<Option<BytesMut>> {
        loop {
            if let Some(length) = self.buffer.get(type_bytes..type_bytes + 4) {
                let whole = type_bytes + usize::try_from(Buf::get_u32(&mut &*length)).unwrap();
                if self.buffer.len() >= whole {
                    return Ok(Some(self.buffer.split_to(whole)));
                }
                self.buffer.reserve(whole - self.buffer.len());
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// The statements that a client has prepared, by the names that it gave them.
#[derive(Default)]
pub struct Statements {
    prepared: HashMap<Vec<u8>, String>,
    last: String,
}

impl Statements {
    /// What this message executes, if it executes something.
    pub fn executed(&mut self, frame: &[u8]) -> Option<String> {
        let mut parts = frame.get(5..)?.split(|byte| *byte == 0);
        match frame.first()? {
            b'P' => {
                let name = parts.next()?.to_vec();
                self.prepared.insert(name, name_of(parts.next()?));
                None
            }
            b'B' => {
                self.last.clone_from(self.prepared.get(parts.nth(1)?)?);
                Some(self.last.clone())
            }
            b'Q' => {
                let name = name_of(parts.next()?);
                Some(if name == "COMMIT" { format!("COMMIT {}", self.last) } else { name })
            }
            _ => None,
        }
    }
}

/// The name in a statement's first comment; its first word where there is none.
fn name_of(statement: &[u8]) -> String {
    let start = String::from_utf8_lossy(statement.get(..200).unwrap_or(statement)).into_owned();
    let named = start.trim_start().trim_start_matches("--");
    named.split_whitespace().next().unwrap_or_default().to_owned()
}

#[test]
fn statements_are_known_by_the_names_that_they_give_themselves() {
    let frame = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind][..], &length, body].concat()
    };
    let mut statements = Statements::default();
    assert_eq!(statements.executed(&frame(b'Q', b"BEGIN\0")).as_deref(), Some("BEGIN"));
    let prepare = frame(b'P', b"sqlx_s_1\0-- outcome::record\n WITH x AS (SELECT 1) SELECT 2\0\0\0");
    assert_eq!(statements.executed(&prepare), None);
    assert_eq!(statements.executed(&frame(b'B', b"\0sqlx_s_1\0\0\0")).as_deref(), Some("outcome::record"));
    assert_eq!(statements.executed(&frame(b'S', b"")), None);
    assert_eq!(statements.executed(&frame(b'Q', b"COMMIT\0")).as_deref(), Some("COMMIT outcome::record"));
    assert_eq!(statements.executed(&frame(b'B', b"\0unknown\0\0\0")), None);
}

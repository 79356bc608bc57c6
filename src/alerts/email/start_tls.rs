//! What is said on a connection to an SMTP server before it is encrypted (`STARTTLS`, RFC 3207).

use std::io;

use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::MailError;

/// A reply may be so long.
const MAX_REPLY_BYTES: u64 = 16 * 1024;

/// What became of it. The greeting of the server is said once, before; whoever speaks from here on wants to hear it.
pub(super) enum Started {
    /// The server waits for the encryption to begin.
    Ready { tcp: TcpStream, greeting: Vec<u8> },
    /// It does not offer any.
    NotOffered { tcp: TcpStream, greeting: Vec<u8> },
}

/// Asks the server for encryption.
pub(super) async fn start_tls(tcp: TcpStream, hello: &ClientId) -> Result<Started, MailError> {
    let mut stream = BufReader::new(tcp);
    let greeting = reply(&mut stream, "220").await?;
    let offered = ask(&mut stream, &format!("EHLO {hello}"), "250").await?;
    let is_offered = offered
        .lines()
        .any(|line| line.get(4..).is_some_and(|extension| extension.trim().eq_ignore_ascii_case("STARTTLS")));
    if is_offered {
        ask(&mut stream, "STARTTLS", "220").await?;
    }
    // Whoever stands in between could say something that would then be taken for encrypted.
    if !stream.buffer().is_empty() {
        return Err(MailError::Reply("more than one reply".to_owned()));
    }
    let (tcp, greeting) = (stream.into_inner(), greeting.into_bytes());
    Ok(if is_offered { Started::Ready { tcp, greeting } } else { Started::NotOffered { tcp, greeting } })
}

async fn ask(stream: &mut BufReader<TcpStream>, command: &str, code: &str) -> Result<String, MailError> {
    stream.write_all(format!("{command}\r\n").as_bytes()).await.map_err(MailError::Broken)?;
    reply(stream, code).await
}

/// A reply with this code, with all its lines.
async fn reply(stream: &mut (impl AsyncBufRead + Unpin), code: &str) -> Result<String, MailError> {
    let mut text = String::new();
    let mut stream = stream.take(MAX_REPLY_BYTES);
    loop {
        let begin = text.len();
        stream.read_line(&mut text).await.map_err(MailError::Broken)?;
        let line = text.get(begin..).unwrap_or_default();
        if !line.ends_with('\n') {
            return Err(MailError::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        if !line.starts_with(code) {
            return Err(MailError::Reply(line.trim().to_owned()));
        }
        // Between the code and the text of all lines but the last one stands a hyphen.
        if line.as_bytes().get(code.len()) != Some(&b'-') {
            return Ok(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use crate::send::connect_to_operators_server;

    use super::*;

    /// What comes of it with a server that says this, each part when it has heard something.
    async fn with_server(parts: &'static [&'static str]) -> Result<Started, MailError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for (number, part) in parts.iter().enumerate() {
                if number > 0 {
                    assert!(stream.read(&mut [0; 256]).await.unwrap() > 0);
                }
                stream.write_all(part.as_bytes()).await.unwrap();
            }
        });
        let tcp = connect_to_operators_server(&address.ip().to_string(), address.port()).await.unwrap();
        let started = start_tls(tcp, &ClientId::default()).await;
        served.await.unwrap();
        started
    }

    #[tokio::test]
    async fn encryption_begins_where_the_server_offers_it_and_nothing_is_said_in_between() {
        let ready = with_server(&["220 here\r\n", "250-here\r\n250 starttls\r\n", "220 go\r\n"]).await;
        assert!(matches!(ready, Ok(Started::Ready { greeting, .. }) if greeting == b"220 here\r\n"));
        let without = with_server(&["220 here\r\n", "250-here\r\n250 SIZE 9\r\n"]).await;
        assert!(matches!(without, Ok(Started::NotOffered { .. })));
        let refused = with_server(&["220 here\r\n", "250 STARTTLS\r\n", "454 later\r\n"]).await;
        assert!(matches!(refused, Err(MailError::Reply(said)) if said == "454 later"));
        let injected =
            with_server(&["220 here\r\n", "250-here\r\n250 STARTTLS\r\n", "220 go\r\n250 here\r\n"]).await;
        assert!(matches!(injected, Err(MailError::Reply(_))));
    }

    async fn read(said: &str) -> Option<String> {
        reply(&mut said.as_bytes(), "250").await.ok()
    }

    #[tokio::test]
    async fn a_reply_has_all_its_lines_and_an_end() {
        let whole = "250-here\r\n250-SIZE 100\r\n250 STARTTLS\r\n";
        assert_eq!(read(&format!("{whole}250 more\r\n")).await.as_deref(), Some(whole));
        assert_eq!(read("250\r\n").await.as_deref(), Some("250\r\n"));
        let endless = "250-x\r\n".repeat(10_000);
        for wrong in
            ["", "250 here", "250-here\r\n", "500 no\r\n", "250-here\r\n500 no\r\n", "\r\n", &endless]
        {
            assert_eq!(read(wrong).await, None, "{wrong:.40}");
        }
    }
}

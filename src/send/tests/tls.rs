//! Which certificates are taken, and what is said of the others.

use std::path::PathBuf;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::send::tls::chain::tests::unsigned;

use super::*;

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// As `openssl req -x509` makes them: signed by itself, and said to be an authority.
const AUTHORITY: Identity = Identity {
    certificate: include_bytes!("../../../tests/fixtures/tls/self_signed_authority.der"),
    key: include_bytes!("../../../tests/fixtures/tls/self_signed_authority.key.der"),
};
/// Issued by [`AUTHORITY`], until 3 February 2021.
const EXPIRED: Identity = Identity {
    certificate: include_bytes!("../../../tests/fixtures/tls/expired.der"),
    key: include_bytes!("../../../tests/fixtures/tls/expired.key.der"),
};

/// What an attempt at `host` came to, when the receiver is `identity` and `trusted` is trusted.
async fn outcome_at(host: &str, identity: &Identity, trusted: &[&Identity]) -> AttemptOutcome {
    let roots: Vec<_> = trusted.iter().map(|identity| CertificateDer::from(identity.certificate)).collect();
    let sender = sender_trusting(PATIENT, &["127.0.0.0/8"], &roots);
    let (port, serving) = tls_receiver(identity);
    let outcome = attempt(&sender, &endpoint(&format!("https://{host}:{port}/"))).await;
    serving.join().unwrap();
    outcome
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

#[tokio::test]
async fn a_self_signed_authority_in_the_operators_file_is_trusted() {
    let file = fixture("self_signed_authority.pem");
    let egress = EgressPolicy::new(&["127.0.0.0/8".parse().unwrap()]);
    let options = SenderOptions { egress, tls_ca_file: Some(file), ..SenderOptions::default() };
    let sender = Sender::new(&options).unwrap();
    let (port, serving) = tls_receiver(&AUTHORITY);
    let outcome = attempt(&sender, &endpoint(&format!("https://localhost:{port}/"))).await;
    assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)), "{:?}", outcome.response_body);
    serving.join().unwrap();
}

#[tokio::test]
async fn a_self_signed_authority_is_good_for_its_own_names_alone() {
    let outcome = outcome_at("[::ffff:127.0.0.1]", &AUTHORITY, &[&AUTHORITY]).await;
    assert_eq!(outcome.failure, Some(Failure::Tls));
    assert_eq!(outcome.response_body, "the certificate is for another name: it is for localhost, 127.0.0.1");
}

#[tokio::test]
async fn a_self_signed_authority_that_nobody_named_is_refused_and_its_issuer_said() {
    for trusted in [&[][..], &[&SELF_SIGNED][..]] {
        let outcome = outcome_at("localhost", &AUTHORITY, trusted).await;
        assert_eq!(outcome.failure, Some(Failure::Tls));
        assert_eq!(
            outcome.response_body,
            "the certificate is not from an authority that is trusted here: it was issued by self-signed authority"
        );
    }
}

#[tokio::test]
async fn an_endpoint_that_says_so_takes_any_certificate_and_nobody_else_uses_its_connection() {
    let sender = sender_trusting(PATIENT, &["127.0.0.0/8"], &[]);
    let mut careless = endpoint("https://localhost/");
    careless.policy.insecure_tls = true;
    for identity in [&EXPIRED, &AUTHORITY] {
        let (port, serving) = tls_receiver(identity);
        careless.url.set_port(Some(port)).unwrap();
        let outcome = attempt(&sender, &careless).await;
        assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)), "{:?}", outcome.response_body);
        serving.join().unwrap();
    }
    let careful = endpoint("https://localhost/");
    assert_ne!(request::origin(&careful), request::origin(&careless));
    let outcome = outcome_at("localhost", &AUTHORITY, &[]).await;
    assert_eq!(outcome.failure, Some(Failure::Tls));
}

#[tokio::test]
async fn an_expired_certificate_is_refused_and_its_day_said() {
    let outcome = outcome_at("localhost", &EXPIRED, &[&AUTHORITY]).await;
    assert_eq!(outcome.failure, Some(Failure::Tls));
    assert_eq!(outcome.response_body, "the certificate expired on 2021-02-03");
}

#[tokio::test]
async fn a_file_of_authorities_that_is_none_is_named() {
    for (name, said) in [("missing.pem", "No such file"), ("self_signed.der", "has no certificate")] {
        let options = SenderOptions { tls_ca_file: Some(fixture(name)), ..SenderOptions::default() };
        let error = Sender::new(&options).err().expect("refused").to_string();
        assert!(error.contains("tls_ca_file") && error.contains(name) && error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_dot_at_the_end_of_a_name_is_no_part_of_what_its_certificate_is_for() {
    let outcome = outcome_at("localhost.", &SELF_SIGNED, &[&SELF_SIGNED]).await;
    assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)), "{:?}", outcome.response_body);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_a_tls_failure() {
    let (port, serving) = tls_receiver(&SELF_SIGNED);
    let outcome = attempt(&local_sender(PATIENT), &endpoint(&format!("https://127.0.0.1:{port}/"))).await;
    assert_eq!(outcome.failure, Some(Failure::Tls));
    assert_eq!(
        outcome.response_body,
        "the certificate is not from an authority that is trusted here: it was issued by self-signed test receiver"
    );
    serving.join().unwrap();
}

#[tokio::test]
async fn a_certificate_is_good_for_its_own_name_alone() {
    let roots = [CertificateDer::from(SELF_SIGNED.certificate)];
    let sender = sender_trusting(PATIENT, &["127.0.0.0/8"], &roots);
    let (port, serving) = tls_receiver(&SELF_SIGNED);
    let outcome = attempt(&sender, &endpoint(&format!("https://localhost:{port}/"))).await;
    assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)));
    serving.join().unwrap();

    // The same receiver by a spelling that its certificate does not carry.
    let (port, serving) = tls_receiver(&SELF_SIGNED);
    let outcome = attempt(&sender, &endpoint(&format!("https://[::ffff:127.0.0.1]:{port}/"))).await;
    assert_eq!(outcome.failure, Some(Failure::Tls));
    assert_eq!(outcome.response_body, "the certificate is for another name: it is for localhost, 127.0.0.1");
    serving.join().unwrap();
}

#[tokio::test]
async fn certificates_that_came_along_and_lead_in_circles_are_not_followed() {
    let identity = CertificateDer::from(EXPIRED.certificate);
    let parsed = webpki::EndEntityCert::try_from(&identity).unwrap();
    let circles: Vec<_> = (0..8).map(|key| unsigned(parsed.issuer(), parsed.issuer(), key)).collect();
    let (port, serving) = tls_receiver_with(&EXPIRED, &circles, "");
    let outcome = attempt(&local_sender(PATIENT), &endpoint(&format!("https://localhost:{port}/"))).await;
    serving.join().unwrap();
    assert_eq!(outcome.failure, Some(Failure::Tls));
    let said = String::from_utf8(outcome.response_body.to_vec()).unwrap();
    assert!(said.starts_with("the certificate is not valid: too many ways lead through"), "{said}");
}

#[tokio::test]
async fn what_a_trusted_certificate_brings_along_without_need_does_no_harm() {
    let roots = [CertificateDer::from(SELF_SIGNED.certificate)];
    let along = [unsigned(b"A", b"B", 1), unsigned(b"B", b"B", 2)];
    let sender = sender_trusting(PATIENT, &["127.0.0.0/8"], &roots);
    let (port, serving) = tls_receiver_with(&SELF_SIGNED, &along, ANSWER);
    let outcome = attempt(&sender, &endpoint(&format!("https://localhost:{port}/"))).await;
    assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)), "{:?}", outcome.response_body);
    serving.join().unwrap();
}

#[tokio::test]
async fn plain_http_on_an_https_port_is_a_tls_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        stream
    });
    let outcome = attempt(&local_sender(PATIENT), &endpoint(&url)).await;
    assert_eq!(outcome.failure, Some(Failure::Tls));
    serving.await.unwrap();
}

#[tokio::test]
async fn http_2_and_http_1_are_offered_on_tls() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let serving = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut acceptor = rustls::server::Acceptor::default();
        loop {
            acceptor.read_tls(&mut socket).unwrap();
            if let Some(accepted) = acceptor.accept().map_err(|(error, _)| error).unwrap() {
                let hello = accepted.client_hello();
                let offered: Vec<Vec<u8>> = hello.alpn().unwrap().map(<[u8]>::to_vec).collect();
                return (offered, hello.server_name().map(str::to_owned));
            }
        }
    });
    let outcome = attempt(&local_sender(PATIENT), &endpoint(&url)).await;
    assert_eq!(outcome.failure, Some(Failure::Connection));
    let (offered, name) = serving.join().unwrap();
    assert_eq!(offered, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert_eq!(name.as_deref(), Some("localhost"));
}

#[tokio::test]
async fn a_connection_that_ends_without_a_word_of_tls_is_an_end_as_any_other() {
    let roots = [CertificateDer::from(AUTHORITY.certificate)];
    let closed_early = "the connection was closed before the answer was complete";
    for (answer, failure, body) in [
        ("HTTP/1.1 200 OK\r\n\r\nas long as it lasts", None, "as long as it lasts"),
        ("HTTP/1.0 200 OK\r\n\r\n", None, ""),
        ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfour", None, "four"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", Some(Failure::Connection), closed_early),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", Some(Failure::Connection), closed_early),
        ("", Some(Failure::Connection), closed_early),
    ] {
        let sender = sender_trusting(PATIENT, &["127.0.0.0/8"], &roots);
        let (port, serving) = tls_receiver_answering(&AUTHORITY, answer);
        let outcome = attempt(&sender, &endpoint(&format!("https://localhost:{port}/"))).await;
        // The receiver ends when the connection does, which this thread has to do.
        drop(sender);
        tokio::task::spawn_blocking(|| serving.join().unwrap()).await.unwrap();
        assert_eq!((outcome.failure, &outcome.response_body[..]), (failure, body.as_bytes()), "{answer:?}");
    }
}

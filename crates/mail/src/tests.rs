use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

fn letter(to: &str, subject: &str) -> Result<Letter, LetterError> {
    Letter::new(
        "Bursar <bursar@seller.example>",
        to,
        "a test",
        subject,
        "Guten Tag\r\nhttps://x/y".to_owned(),
    )
}

#[tokio::test]
async fn a_letter_in_the_folder_is_whole_and_adds_no_header() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = Mailer::new(Way::folder(folder.path()).unwrap());
    mailer.attempt(&letter("ann@acme.example", "Hello\r\nBcc: eve@evil.example").unwrap()).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let text = std::fs::read_to_string(&files[0]).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.lines().all(|line| !line.to_lowercase().starts_with("bcc:")), "{head}");
    assert!(head.contains("To: ann@acme.example"), "{head}");
    assert!(body.contains("https://x/y"), "{body}");
    for to in ["ann", "ann@acme.example\r\nBcc: eve@evil.example", "a b@acme.example", "", "@"] {
        assert_eq!(letter(to, "Hello").unwrap_err(), LetterError::Address("the recipient's"), "{to}");
    }
}

/// A relay of one connection after the other; what `answer` says to each line, after the greeting.
async fn relay(listener: TcpListener, answer: impl Fn(&str, usize) -> &'static str) -> Vec<String> {
    relay_behind(listener, answer, async |stream| Some(stream)).await
}

/// The same behind whatever `enter` makes of a connection, if it does.
async fn relay_behind<S: AsyncRead + AsyncWrite + Unpin>(
    listener: TcpListener,
    answer: impl Fn(&str, usize) -> &'static str,
    enter: impl AsyncFn(TcpStream) -> Option<S>,
) -> Vec<String> {
    let mut heard = Vec::new();
    for connection in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let Some(stream) = enter(stream).await else { continue };
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 relay\r\n").await.unwrap();
        let mut in_data = false;
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                break;
            }
            heard.push(line.trim_end().to_owned());
            if in_data && line != ".\r\n" {
                continue;
            }
            let said = if in_data { "250 taken" } else { answer(line.trim_end(), connection) };
            let done = in_data;
            in_data = said.starts_with("354");
            if stream.write_all(format!("{said}\r\n").as_bytes()).await.is_err() {
                break;
            }
            if done {
                return heard;
            }
        }
    }
    heard
}

fn usual(line: &str) -> &'static str {
    match line.get(..4) {
        Some("DATA") => "354 go on",
        Some("QUIT") => "221 bye",
        _ => "250 fine",
    }
}

#[tokio::test]
async fn a_letter_goes_through_a_relay_that_is_busy_at_first() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(relay(listener, |line, connection| {
        let is_busy = connection == 0 && line.starts_with("MAIL");
        if is_busy { "451 later" } else { usual(line) }
    }));
    let mailer = Mailer::new(Way::smtp(&url, None, &[]).unwrap());
    let letter = letter("ann@acme.example", "Grüße").unwrap();
    let busy = mailer.attempt(&letter).await.unwrap_err();
    assert!(!busy.is_final(), "{busy}");
    mailer.attempt(&letter).await.unwrap();
    let heard = heard.await.unwrap();
    assert!(heard.iter().any(|line| line == "RCPT TO:<ann@acme.example>"), "{heard:?}");
}

#[tokio::test]
async fn a_letter_that_is_refused_is_refused_for_good() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let relay =
        tokio::spawn(relay(
            listener,
            |line, _| {
                if line.starts_with("RCPT") { "550 nobody here" } else { usual(line) }
            },
        ));
    let mailer = Mailer::new(Way::smtp(&url, None, &[]).unwrap());
    let refused = mailer.attempt(&letter("ann@acme.example", "Hello").unwrap()).await.unwrap_err();
    relay.abort();
    assert!(refused.is_final() && !refused.to_string().contains("ann"), "{refused}");
}

#[tokio::test]
async fn a_relay_of_an_authority_of_ones_own_gets_letters_where_it_is_trusted() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config =
        builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtps://localhost:{}", listener.local_addr().unwrap().port());
    let relay = tokio::spawn(relay_behind(
        listener,
        |line, _| usual(line),
        async move |stream| acceptor.accept(stream).await.ok(),
    ));
    let letter = letter("ann@acme.example", "Hello").unwrap();
    let unknown = Mailer::new(Way::smtp(&url, None, &[]).unwrap()).attempt(&letter).await.unwrap_err();
    assert!(!unknown.is_final(), "{unknown}");
    let roots = [certificate.der().to_vec()];
    Mailer::new(Way::smtp(&url, None, &roots).unwrap()).attempt(&letter).await.unwrap();
    let heard = relay.await.unwrap();
    assert!(heard.iter().any(|line| line == "RCPT TO:<ann@acme.example>"), "{heard:?}");
}

#[test]
fn a_password_stands_in_no_url() {
    assert!(matches!(Way::smtp("smtps://ann:secret@relay", None, &[]), Err(WayError::PasswordInUrl)));
    for url in ["relay", "http://relay", "smtp:/relay"] {
        assert!(matches!(Way::smtp(url, None, &[]), Err(WayError::Url(_))), "{url}");
    }
}

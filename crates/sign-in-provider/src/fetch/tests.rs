use std::sync::Arc;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{AT_ONCE_MAX, BYTES_MAX, FetchError, Fetcher};

/// A provider that says `head`, then `bytes` bytes, and then nothing more.
async fn provider(head: &str, bytes: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let head = head.to_owned();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            _ = stream.read(&mut request).await;
            _ = stream.write_all(head.as_bytes()).await;
            _ = stream.write_all(&vec![b'x'; bytes as usize]).await;
            open.push(stream);
        }
    });
    url
}

fn request(url: &str) -> HttpRequest {
    openidconnect::http::Request::get(url).body(Vec::new()).unwrap()
}

#[tokio::test]
async fn answers_are_bounded_in_size_and_time_and_lead_nowhere_else() {
    let fetcher = Fetcher::within(Duration::from_millis(300), true, &[]);
    let large = BYTES_MAX + 1;
    for (head, bytes, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", 3, Ok((200, 3))),
        (
            "HTTP/1.1 302 Found\r\nlocation: https://evil.example/\r\ncontent-length: 0\r\n\r\n",
            0,
            Ok((302, 0)),
        ),
        ("HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", 0, Ok((500, 0))),
        (&format!("HTTP/1.1 200 OK\r\ncontent-length: {large}\r\n\r\n"), large, Err(FetchError::TooLarge)),
        ("", 0, Err(FetchError::Timeout)),
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", 2, Err(FetchError::Timeout)),
        ("not HTTP\r\n\r\n", 0, Err(FetchError::Connection)),
    ] {
        let url = provider(head, bytes).await;
        let answer = fetcher.call(request(&url)).await;
        let seen = answer.map(|it| (it.status().as_u16(), it.body().len()));
        assert_eq!(seen, expected, "{head:?}");
    }
    assert_eq!(fetcher.call(request("http://127.0.0.1:1/")).await.unwrap_err(), FetchError::Connection);
}

#[tokio::test]
async fn only_https_is_spoken_and_only_so_often_at_once() {
    let fetcher = Fetcher::within(Duration::from_millis(300), false, &[]);
    for url in
        ["http://127.0.0.1:1/", "http://login.example/", "https://user@login.example/", "ftp://a.example/"]
    {
        assert_eq!(fetcher.call(request(url)).await.unwrap_err(), FetchError::Address, "{url}");
    }
    let fetcher = Fetcher::within(Duration::from_millis(300), true, &[]);
    assert_eq!(fetcher.call(request("http://login.example/")).await.unwrap_err(), FetchError::Address);
    let all = Arc::clone(&fetcher.permits).try_acquire_many_owned(AT_ONCE_MAX as u32).unwrap();
    let url = provider("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 0).await;
    assert_eq!(fetcher.call(request(&url)).await.unwrap_err(), FetchError::Busy);
    drop(all);
    assert!(fetcher.call(request(&url)).await.is_ok());
}

/// An authority of a company's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn root(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    /// A provider under that name behind TLS, by a certificate of this authority's.
    async fn provider(&self, name: &str) -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config =
            builder.unwrap().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/x", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 4096];
                _ = stream.read(&mut request).await;
                _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                _ = stream.shutdown().await;
            }
        });
        url
    }
}

#[tokio::test]
async fn a_certificate_of_an_authority_of_ones_own_counts_where_it_is_trusted() {
    let (ours, others) = (Authority::new(), Authority::new());
    // (the roots beside those of the web, the name in the certificate, what comes of it)
    for (roots, name, expected) in [
        (vec![ours.root()], "localhost", Ok(200)),
        (vec![others.root(), ours.root()], "localhost", Ok(200)),
        (vec![others.root()], "localhost", Err(FetchError::Tls)),
        (vec![], "localhost", Err(FetchError::Tls)),
        (vec![ours.root()], "elsewhere.example", Err(FetchError::Tls)),
    ] {
        let fetcher = Fetcher::new(false, &roots);
        let url = ours.provider(name).await;
        let answer = fetcher.call(request(&url)).await.map(|answer| answer.status().as_u16());
        assert_eq!(answer, expected, "{} roots, {name}", roots.len());
    }
}

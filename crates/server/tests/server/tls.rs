use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use server::Config;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{closed, connect, exchange};
use crate::{Running, config, start};

/// A client that trusts the file which the server left in its data directory, and nothing else.
async fn handshake(
    server: &Running,
    data: &Path,
    name: &'static str,
    alpn: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(data.join("tls/certificate.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut tls = builder.with_root_certificates(roots).with_no_client_auth();
    tls.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = connect(server.address).await;
    TlsConnector::from(Arc::new(tls)).connect(ServerName::try_from(name).unwrap(), stream).await
}

fn with_tls(data: &Path) -> Config {
    Config {
        data: data.to_owned(),
        tls_self_signed: true,
        tls_names: vec!["bursar.test".to_owned()],
        ..config()
    }
}

#[tokio::test]
async fn clients_trust_the_development_certificate() {
    let data = tempfile::tempdir().unwrap();
    let server = start(with_tls(data.path())).await;
    assert_eq!(server.url, format!("https://{}", server.address));
    for name in ["localhost", "127.0.0.1", "::1", "bursar.test"] {
        let mut stream = handshake(&server, data.path(), name, &[]).await.unwrap();
        assert_eq!(exchange(&mut stream, "GET /names/x", "").await.body, "x");
    }
    assert!(handshake(&server, data.path(), "elsewhere.test", &[]).await.is_err());
}

#[tokio::test]
async fn http2_is_chosen_by_alpn() {
    let data = tempfile::tempdir().unwrap();
    let server = start(with_tls(data.path())).await;
    let stream = handshake(&server, data.path(), "localhost", &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(stream);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    let body = Full::new(axum::body::Bytes::from_static(b"over two"));
    let request = Request::post("https://localhost/echo").body(body).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("x-request-id"));
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "over two");
    // An idle HTTP/2 connection is let go when the server drains.
    server.stop.send(()).unwrap();
    server.ended.await.unwrap();
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_given_up() {
    let data = tempfile::tempdir().unwrap();
    let server = start(Config { header_timeout_ms: 40, ..with_tls(data.path()) }).await;
    assert_eq!(closed(&mut connect(server.address).await).await, "");
}

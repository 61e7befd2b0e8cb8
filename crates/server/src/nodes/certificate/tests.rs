use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

/// Whether a byte of the client's reaches the server.
async fn gets_through(server: &Certificate, client: ClientConfig) -> bool {
    let (ours, theirs) = duplex(64 * 1024);
    let acceptor = TlsAcceptor::from(server.server().unwrap());
    let serving = async {
        let mut stream = acceptor.accept(ours).await?;
        stream.read_u8().await
    };
    let asking = async {
        let mut stream = TlsConnector::from(Arc::new(client)).connect(Certificate::name(), theirs).await?;
        stream.write_u8(7).await?;
        stream.flush().await?;
        // Until the server is through with it: it may have something to say yet.
        stream.read_u8().await
    };
    // One that gives up takes its end of the pipe with it.
    let (served, _) = tokio::join!(serving, async move { asking.await.is_ok() });
    served.is_ok_and(|byte| byte == 7)
}

#[tokio::test]
async fn only_who_has_the_secret_is_let_in() {
    let [ours, same, other] = [1, 1, 2].map(|byte| Certificate::new(&[byte; 32]).unwrap());
    let client = |certificate: &Certificate| ClientConfig::clone(&certificate.client().unwrap());
    assert!(gets_through(&ours, client(&same)).await, "another run has made its own certificate");
    assert!(!gets_through(&ours, client(&other)).await);
    // Trusts the node, and does not say who it is.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let stranger = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(ours.roots.clone())
        .with_no_client_auth();
    assert!(!gets_through(&ours, stranger).await);
    // Has a certificate of the secret, and talks to who has not.
    assert!(!gets_through(&other, client(&ours)).await);
}

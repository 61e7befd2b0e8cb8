//! TLS: the operator's certificate, or one for development made on request.
//!
//! The development certificate is its own root and ends only in 4096: a client trusts exactly this
//! file. It is kept, so that restarting does not break that trust, and made anew when a configured
//! name is missing in it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{RootCertStore, ServerConfig};

use crate::Config;

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: rustls::pki_types::pem::Error },
    #[error("{} holds no certificate", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} holds a certificate that cannot be a root", path.display())]
    NoRoot { path: PathBuf, source: rustls::Error },
    #[error("cannot write {}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("{0} is no name or address for a certificate")]
    Name(String),
    #[error("certificate and key cannot be used")]
    Unusable(#[from] rustls::Error),
    #[error("cannot make a certificate")]
    Generation(#[from] rcgen::Error),
}

/// What the configuration asks for; `None` is no TLS.
pub(crate) fn server_config(config: &Config) -> Result<Option<Arc<ServerConfig>>, TlsError> {
    let (certificate, key) = match (&config.tls_certificate, &config.tls_key) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        _ if config.tls_self_signed => development(&config.data.join("tls"), &config.tls_names)?,
        _ => return Ok(None),
    };
    let chain = certificates(&certificate)?;
    let private = PrivateKeyDer::from_pem_file(&key)
        .map_err(|source| TlsError::Unreadable { path: key.clone(), source })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Arc::new(tls)))
}

/// Certificates (DER) that an operator trusts.
pub(crate) fn roots(path: &Path) -> Result<Vec<Vec<u8>>, TlsError> {
    let found = certificates(path)?;
    if found.is_empty() {
        return Err(TlsError::NoCertificate { path: path.to_owned() });
    }
    let mut trusted = RootCertStore::empty();
    for root in &found {
        trusted.add(root.clone()).map_err(|source| TlsError::NoRoot { path: path.to_owned(), source })?;
    }
    Ok(found.iter().map(|root| root.to_vec()).collect())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), source };
    CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)
}

/// The files of the development certificate and its key, made when missing or lacking a name.
fn development(directory: &Path, names: &[String]) -> Result<(PathBuf, PathBuf), TlsError> {
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    all.extend(names.iter().filter(|name| !all.contains(name)).cloned().collect::<Vec<_>>());
    let server_name =
        |name: &String| ServerName::try_from(name.clone()).map_err(|_| TlsError::Name(name.clone()));
    let server_names = all.iter().map(server_name).collect::<Result<Vec<_>, _>>()?;
    if !(key.exists() && covers(&certificate, &server_names)?) {
        tracing::info!(certificate = %certificate.display(), names = ?all, "making a development certificate");
        make(&certificate, &key, all).inspect_err(|_| _ = fs::remove_file(&certificate))?;
    }
    Ok((certificate, key))
}

fn covers(certificate: &Path, names: &[ServerName<'_>]) -> Result<bool, TlsError> {
    if !certificate.exists() {
        return Ok(false);
    }
    let chain = certificates(certificate)?;
    let Some(parsed) = chain.first().and_then(|first| ParsedCertificate::try_from(first).ok()) else {
        return Ok(false);
    };
    Ok(names.iter().all(|name| verify_server_name(&parsed, name).is_ok()))
}

fn make(certificate: &Path, key: &Path, names: Vec<String>) -> Result<(), TlsError> {
    let pair = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Bursar development certificate");
    let signed = params.self_signed(&pair)?;
    let directory = certificate.parent().expect("it is in the data directory");
    fs::create_dir_all(directory)
        .map_err(|source| TlsError::Unwritable { path: directory.to_owned(), source })?;
    // The key first: a certificate without its key would be taken for a complete pair.
    write(key, 0o600, &pair.serialize_pem())?;
    write(certificate, 0o644, &signed.pem())
}

fn write(path: &Path, mode: u32, text: &str) -> Result<(), TlsError> {
    let write = || {
        // A new file, so that the mode is ours from its first byte.
        fs::remove_file(path).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| TlsError::Unwritable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;

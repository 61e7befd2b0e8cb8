//! Which addresses are spoken to at all.

use openidconnect::url::{Host, Url};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("expected an address: https://…")]
    Malformed,
    #[error("expected https")]
    Plain,
    #[error("expected no user, query or fragment")]
    More,
}

const BYTES_MAX: usize = 512;

/// An issuer or an endpoint. `loopback`: a test server may speak to this machine without TLS.
pub fn check_address(text: &str, loopback: bool) -> Result<(), AddressError> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= BYTES_MAX).ok_or(AddressError::Malformed)?;
    check_url(&url, loopback)?;
    let is_bare = url.query().is_none() && url.fragment().is_none();
    if is_bare { Ok(()) } else { Err(AddressError::More) }
}

pub(crate) fn check_url(url: &Url, loopback: bool) -> Result<(), AddressError> {
    let is_here = match url.host() {
        None => return Err(AddressError::Malformed),
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::More);
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback && is_here => Ok(()),
        "http" => Err(AddressError::Plain),
        _ => Err(AddressError::Malformed),
    }
}

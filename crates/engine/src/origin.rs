//! From where an act was asked for: kept with the audit log, sealed for whoever acted.

use std::net::IpAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub address: Option<IpAddr>,
    /// As it stands in the answer and in the server's log.
    pub request_id: String,
}

/// Longer request ids are cut.
const REQUEST_ID_BYTES_MAX: usize = 128;

impl Origin {
    /// `length of the address, address, request id`
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = match self.address {
            None => vec![0],
            Some(IpAddr::V4(address)) => [&[4][..], &address.octets()].concat(),
            Some(IpAddr::V6(address)) => [&[16][..], &address.octets()].concat(),
        };
        let id = self.request_id.as_bytes();
        bytes.extend_from_slice(&id[..id.len().min(REQUEST_ID_BYTES_MAX)]);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&length, rest) = bytes.split_first()?;
        let (address, id) = rest.split_at_checked(usize::from(length))?;
        let address = match length {
            0 => None,
            4 => Some(IpAddr::from(*address.first_chunk::<4>()?)),
            16 => Some(IpAddr::from(*address.first_chunk::<16>()?)),
            _ => return None,
        };
        Some(Self { address, request_id: String::from_utf8_lossy(id).into_owned() })
    }
}

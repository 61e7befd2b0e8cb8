use std::error::Error;
use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair};

use super::People;
use crate::Config;

/// (what stands in the file, what the start says of it); None: it starts.
#[test]
fn roots_that_cannot_be_used_are_named_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let pair = KeyPair::generate().unwrap();
    let root = CertificateParams::new(Vec::<String>::new()).unwrap().self_signed(&pair).unwrap().pem();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, said) in [
        (Some(root.clone()), None),
        (Some(format!("of our own\n{root}{root}")), None),
        (Some(String::new()), Some("holds no certificate")),
        (Some(pair.serialize_pem()), Some("holds no certificate")),
        (Some("not PEM".to_owned()), Some("holds no certificate")),
        (Some(format!("{root}{broken}")), Some("cannot be a root")),
        (Some(root.replace('M', "%")), Some("cannot read")),
        (None, Some("cannot read")),
    ] {
        let path = folder.path().join("roots.pem");
        match &text {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let config = Config { outgoing_tls_roots: Some(PathBuf::from(&path)), ..Config::default() };
        match (People::new(&config, None), said) {
            (Ok(_), None) => {}
            (Err(error), Some(said)) => {
                let error =
                    format!("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default());
                assert!(error.contains(said) && error.contains("roots.pem"), "{text:?}: {error}");
                assert!(error.starts_with("outgoing_tls_roots: "), "{error}");
            }
            (started, _) => panic!("{text:?}: expected {said:?}: {:?}", started.err()),
        }
    }
}

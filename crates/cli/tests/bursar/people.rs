//! Signing in at a shell: a profile of one's own, and commands that act by it.

use std::os::unix::fs::PermissionsExt;

use crate::served::{TOKEN, bursar};
use crate::{run, serve};

#[test]
fn who_signed_in_needs_no_token() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &[]);
    let home = tempfile::tempdir().unwrap();
    let password = home.path().join("password");
    std::fs::write(&password, "violet anchor and a lamp\n").unwrap();
    let password = password.to_str().unwrap();
    let create = format!("user create ann@seller.example --role admin --password-file {password}");
    assert_eq!(run(&served, &create).0, 0);
    let ask = |arguments: &str| {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let output = bursar(&arguments).env("XDG_CONFIG_HOME", home.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let sign_in = format!("sign-in ann@seller.example --url {} --password-file {password}", served.url);
    let (code, out, err) = ask(&sign_in);
    assert_eq!(code, 0, "{err}");
    assert!(!format!("{out}{err}").contains("bss_"), "no secret is shown");
    let profile = home.path().join("bursar/profile.json");
    assert_eq!(std::fs::metadata(&profile).unwrap().permissions().mode() & 0o777, 0o600);
    // The address and the session are in the profile.
    let (code, me, err) = ask("whoami --json");
    assert_eq!(code, 0, "{err}");
    assert!(me.contains(r#""role":"admin""#), "{me}");
    let (code, invited, err) = ask("invite bob@seller.example --role finance --json");
    assert_eq!((code, invited.contains(r#""link":"bsi_"#)), (0, true), "{invited}{err}");
    let (code, _, err) = ask("invite eve@seller.example --role owner");
    assert_eq!((code, err.starts_with("bursar: The credential may not do that")), (3, true), "{err}");
    assert_eq!(ask("permissions define support --allow read-accounts --json").0, 0);
    assert_eq!(ask("member list --json").1.lines().count(), 1);
    let (code, audit, err) = ask("audit --acts sign-in,invite --json");
    assert_eq!((code, audit.lines().count()), (0, 2), "{audit}{err}");
    let (code, _, err) = ask("user create x@seller.example --role admin --password-file /nonexistent");
    assert_eq!(code, 1, "{err}");
    // A token that is set goes before the profile.
    let output = bursar(&["whoami", "--json", "--url", &served.url]);
    let output = { output }.env("XDG_CONFIG_HOME", home.path()).env("BURSAR_TOKEN", TOKEN).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains(r#""role":"owner""#));
    assert_eq!(ask("sign-out").0, 0);
    assert!(!profile.exists());
    let again = format!("whoami --url {}", served.url);
    assert_eq!(ask(&again).0, 2);
    // Nobody is asked for a password where there is no terminal.
    let alone = format!("sign-in ann@seller.example --url {}", served.url);
    assert_eq!(ask(&alone).0, 2);
    served.stop();
}

//! Certificates that no CA signed, as the real binary meets them on a simulator that speaks TLS:
//! trusted where the profile names them, in `ca_file` or by fingerprint, and refused in words otherwise.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;

use callsweep::domain::Fingerprint;
use callsweep::simulator::{Certified, Identity, Simulator, World};

use crate::headless::{Pbx, Said, command, configure};
use crate::session::Session;

const KINDS: [Certified; 3] = [Certified::Named, Certified::Openssl, Certified::Expired];

/// A PBX with a certificate, and a home without a configuration for it.
fn pbx(identity: &Identity) -> Pbx {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let world = World::named("the-page").unwrap();
    let simulator = Simulator::start_tls(world, listen, identity).unwrap();
    Pbx { simulator, home: tempfile::tempdir().unwrap() }
}

/// What a command says with more keys in the profile.
fn said(pbx: &Pbx, more: &str, arguments: &[&str]) -> Said {
    configure(&pbx.home, &pbx.simulator.origin(), more);
    pbx.run(arguments)
}

/// Everything that the commands can do with this profile.
fn is_worked_with(pbx: &Pbx, more: &str) -> Said {
    let listed = said(pbx, more, &["list", "--format", "json"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    let id = listed.document()["events"][0]["id"].as_str().unwrap().to_owned();
    let id = ["delete", "--extension", "0003*210", "--id", &id, "--yes"];
    let deleted = said(pbx, more, &id);
    assert_eq!(deleted.code, 0, "{}", deleted.err);
    let check = said(pbx, more, &["check"]);
    assert_eq!(check.code, 0, "{}", check.out);
    check
}

#[track_caller]
fn no_dump(text: &str) {
    for word in ["Error(", "Other(", "InvalidCertificate", "webpki", "invalid peer", "{ "] {
        assert!(!text.contains(word), "{word:?} stands in {text}");
    }
}

#[test]
fn a_self_signed_certificate_is_trusted_where_ca_file_holds_it_whatever_it_says() {
    for kind in KINDS {
        let identity = Identity::new(kind).unwrap();
        let pbx = pbx(&identity);
        std::fs::write(pbx.home.path().join("pbx.pem"), identity.pem()).unwrap();
        let check = is_worked_with(&pbx, "ca_file = \"~/pbx.pem\"");
        let fingerprint = Fingerprint::of(identity.der()).to_string();
        assert!(check.out.contains(&fingerprint), "{}", check.out);
        assert!(check.out.contains("as it stands in ca_file itself"), "{}", check.out);
        assert_eq!(check.out.contains("EXPIRED"), kind == Certified::Expired, "{}", check.out);
    }
}

#[test]
fn a_certificate_is_trusted_where_the_profile_has_its_fingerprint() {
    for kind in KINDS {
        let identity = Identity::new(kind).unwrap();
        let pbx = pbx(&identity);
        let fingerprint = Fingerprint::of(identity.der());
        let check = is_worked_with(&pbx, &format!("fingerprint = \"{fingerprint}\""));
        assert!(check.out.contains("the fingerprint of the profile"), "{}", check.out);
    }
}

#[test]
fn a_certificate_that_the_profile_does_not_name_is_refused_and_can_be_compared() {
    for kind in KINDS {
        let identity = Identity::new(kind).unwrap();
        let pbx = pbx(&identity);
        let check = said(&pbx, "", &["check"]);
        assert_eq!(check.code, 1, "{}", check.out);
        let line = check.out.lines().find(|line| line.starts_with("✗ TLS")).unwrap();
        for words in [
            "is self-signed",
            "→ compare the fingerprint",
            "ca_file",
            &Fingerprint::of(identity.der()).to_string(),
        ] {
            assert!(line.contains(words), "{words:?}: {line}");
        }
        let list = said(&pbx, "", &["list"]);
        assert_eq!(list.code, 1, "{}", list.err);
        assert!(list.err.contains("is self-signed"), "{}", list.err);
        no_dump(&check.out);
        no_dump(&list.err);
        assert_eq!(pbx.requests(), Vec::<String>::new(), "the token went to a stranger");
    }
}

#[test]
fn another_certificate_than_the_one_that_is_named_is_refused_with_both_fingerprints() {
    let (right, wrong) = (Identity::new(Certified::Named), Identity::new(Certified::Named));
    let (right, wrong) = (right.unwrap(), wrong.unwrap());
    let pbx = pbx(&wrong);
    std::fs::write(pbx.home.path().join("pbx.pem"), wrong.pem()).unwrap();
    let (right, wrong) = (Fingerprint::of(right.der()), Fingerprint::of(wrong.der()));
    // Where ca_file holds another one, perhaps the one before, that is said.
    let other = Identity::new(Certified::Openssl).unwrap();
    std::fs::write(pbx.home.path().join("old.pem"), other.pem()).unwrap();
    let check = said(&pbx, "ca_file = \"~/old.pem\"", &["check"]);
    assert!(check.out.contains("none of those that ca_file holds"), "{}", check.out);
    // A CA that signed it changes nothing.
    let more = format!("ca_file = \"~/pbx.pem\"\nfingerprint = \"{right}\"");
    for arguments in [&["check"][..], &["list"][..]] {
        let said = said(&pbx, &more, arguments);
        let told = said.out + &said.err;
        assert_eq!(said.code, 1, "{told}");
        for words in [right.to_string(), wrong.to_string(), "compare it".to_owned()] {
            assert!(told.contains(&words), "{words:?}: {told}");
        }
        no_dump(&told);
    }
    assert_eq!(pbx.requests(), Vec::<String>::new(), "the token went to a stranger");
}

#[test]
fn the_screen_works_with_a_certificate_that_is_named_and_refuses_another_in_words() {
    let identity = Identity::new(Certified::Openssl).unwrap();
    let pbx = pbx(&identity);
    let token = pbx.simulator.token();
    configure(&pbx.home, &pbx.simulator.origin(), "");
    let mut session = Session::start(pbx.home.path(), &[], &[("TOKEN", &token)]);
    session.sees("self-signed");
    session.press("q");
    assert_eq!(session.ends(), 1);
    let fingerprint = Fingerprint::of(identity.der());
    let more = format!("fingerprint = \"{fingerprint}\"");
    configure(&pbx.home, &pbx.simulator.origin(), &more);
    let mut session = Session::start(pbx.home.path(), &[], &[("TOKEN", &token)]);
    session.sees("Dial-In");
    session.press(" d");
    session.sees("DELETE 3 phone call events");
    session.says_yes();
    session.sees("finished: 3 deleted");
    session.press("qq");
    assert_eq!(session.ends(), 0);
    assert!(pbx.simulator.with_world(|world| world.event_ids("0003*210").is_empty()));
}

#[test]
fn check_shows_the_certificate_that_insecure_lets_pass() {
    let identity = Identity::new(Certified::Expired).unwrap();
    let pbx = pbx(&identity);
    let check = is_worked_with(&pbx, "insecure = true");
    let fingerprint = Fingerprint::of(identity.der()).to_string();
    assert!(check.out.contains(&fingerprint), "{}", check.out);
    assert!(check.out.contains("NOT VERIFIED"), "{}", check.out);
}

#[test]
fn the_simulator_tells_the_fingerprint_and_the_certificate_that_it_made() {
    let home = tempfile::tempdir().unwrap();
    let mut simulator =
        command(&home, "", &["simulator", "--tls=openssl", "--scenario", "the-page"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    let out = BufReader::new(simulator.stdout.take().unwrap());
    let lines: Vec<String> =
        out.lines().map(Result::unwrap).take_while(|line| !line.starts_with("ctrl-c")).collect();
    let value = |name: &str| {
        let line = lines.iter().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in {lines:?}")).trim().to_owned()
    };
    let begin = lines.iter().position(|line| line.contains("BEGIN CERTIFICATE")).unwrap();
    std::fs::write(home.path().join("pbx.pem"), lines[begin..].join("\n")).unwrap();
    for more in [format!("fingerprint = {:?}", value("pin ")), "ca_file = \"~/pbx.pem\"".into()] {
        configure(&home, &value("url "), &more);
        let check = Said::of(command(&home, &value("token "), &["check"]).output().unwrap());
        assert_eq!(check.code, 0, "{}", check.out);
    }
    simulator.kill().unwrap();
    simulator.wait().unwrap();
}

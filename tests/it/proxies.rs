//! Proxies that the environment names: who is to blame where nothing comes through, and never a word of
//! the login that the variable holds.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::thread;

use callsweep::simulator::{Certified, Identity, Simulator, World};

use crate::headless::Said;

/// The binary on a PBX that only a proxy could reach.
fn asked(arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_callsweep"));
    command.args(["--url", "https://pbx.invalid"]).args(arguments).env_clear();
    command.env("HOME", home.path()).env("CALLSWEEP_TOKEN", "t");
    command.envs(environment.iter().copied());
    Said::of(command.output().unwrap())
}

/// A port where nobody listens.
fn dead() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A proxy that answers so to the first connections.
fn answering(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().take(8) {
            let Ok(mut stream) = stream else { return };
            // What only connects to look says nothing.
            if stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    port
}

#[test]
fn a_dead_proxy_is_blamed_by_name_and_variable_and_its_login_is_never_told() {
    let port = dead();
    let value = format!("http://alice:s3cr3t@127.0.0.1:{port}");
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let remedy = format!("correct or unset {variable}, or add pbx.invalid to NO_PROXY");
        let check = asked(&["check"], &[(variable, &value)]);
        let list = asked(&["list"], &[(variable, &value)]);
        assert_eq!((check.code, list.code), (1, 1), "{}{}", check.out, list.err);
        let name = format!("the proxy http://127.0.0.1:{port} of {variable}");
        assert!(
            check.out.contains(&format!("✓ name           {name} is 127.0.0.1")),
            "{}",
            check.out
        );
        let tcp = check.out.lines().find(|line| line.starts_with("✗ TCP")).unwrap();
        assert!(tcp.contains(", the proxy (") && tcp.ends_with(&remedy), "{tcp}");
        assert!(
            list.err.contains(&format!("{name} refused the connection: {remedy}")),
            "{}",
            list.err
        );
        for said in [&check, &list] {
            let all = format!("{}{}", said.out, said.err);
            assert!(!all.contains("s3cr3t") && !all.contains("alice"), "{all}");
        }
    }
}

#[test]
fn a_proxy_that_no_proxy_excepts_is_not_blamed() {
    let value = format!("http://127.0.0.1:{}", dead());
    for except in ["pbx.invalid", ".invalid", "*", "a.test, pbx.invalid"] {
        let said = asked(&["check"], &[("HTTPS_PROXY", &value), ("NO_PROXY", except)]);
        assert!(said.out.contains("✗ name           pbx.invalid was not found"), "{}", said.out);
    }
    let said = asked(&["check"], &[("HTTPS_PROXY", &value), ("NO_PROXY", "other.invalid")]);
    assert!(said.out.contains("✗ TCP") && said.out.contains("HTTPS_PROXY"), "{}", said.out);
}

#[test]
fn a_socks_proxy_is_told_plainly_before_anything_is_sent() {
    for value in
        ["socks5://u:s3cr3t@127.0.0.1:1080", "socks5h://127.0.0.1:1080", "socks4://127.0.0.1"]
    {
        for command in ["check", "list"] {
            let said = asked(&[command], &[("ALL_PROXY", value)]);
            let all = format!("{}{}", said.out, said.err);
            assert_eq!(said.code, 2, "{all}");
            assert!(all.contains("127.0.0.1:1080 of ALL_PROXY is a SOCKS proxy, which"), "{all}");
            assert!(all.contains("name an HTTP proxy there") && !all.contains("s3cr3t"), "{all}");
        }
    }
}

#[test]
fn what_a_proxy_answers_to_connect_is_told_with_its_remedy() {
    let login =
        answering("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    let said = asked(&["check"], &[("HTTPS_PROXY", &format!("http://127.0.0.1:{login}"))]);
    let tls = said.out.lines().find(|line| line.starts_with("✗ TLS")).unwrap();
    assert!(tls.contains("of HTTPS_PROXY wants a login (407)"), "{tls}");
    let written =
        format!("write the login into HTTPS_PROXY, as in http://USER:PASSWORD@127.0.0.1:{login}");
    assert!(tls.ends_with(&written), "{tls}");
    let shut = answering("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    let said = asked(&["check"], &[("HTTPS_PROXY", &format!("127.0.0.1:{shut}"))]);
    let tls = said.out.lines().find(|line| line.starts_with("✗ TLS")).unwrap();
    assert!(tls.contains("made no connection to pbx.invalid"), "{tls}");
}

#[test]
fn a_variable_that_names_no_proxy_is_told_by_name_and_its_value_to_nobody() {
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for value in ["ftp://u:s3cr3t@127.0.0.1", "http://s3cr3t proxy", "://s3cr3t", "http://"] {
            for command in ["check", "list"] {
                let said = asked(&[command], &[(variable, value)]);
                let all = format!("{}{}", said.out, said.err);
                assert_eq!(said.code, 2, "{variable}={value}: {all}");
                assert!(all.contains(&format!("what {variable} names is no proxy")), "{all}");
                assert!(all.contains("add pbx.invalid to NO_PROXY"), "{all}");
                assert!(!all.contains("s3cr3t"), "{all}");
            }
        }
        for value in ["", " "] {
            let said = asked(&["list"], &[(variable, value)]);
            assert!(said.err.contains("pbx.invalid was not found"), "{}", said.err);
        }
    }
    for other in [("NO_PROXY", "pbx.invalid"), ("no_proxy", "*")] {
        let said = asked(&["list"], &[("HTTPS_PROXY", "ftp://x"), other]);
        assert!(said.err.contains("pbx.invalid was not found"), "{}", said.err);
    }
}

#[test]
fn the_certificate_of_a_proxy_is_not_blamed_on_the_pbx() {
    let identity = Identity::new(Certified::Named).unwrap();
    let world = World::named("the-page").unwrap();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let proxy = Simulator::start_tls(world, listen, &identity).unwrap();
    for command in ["check", "list"] {
        let said = asked(&[command], &[("HTTPS_PROXY", &proxy.origin())]);
        let all = format!("{}{}", said.out, said.err);
        assert_eq!(said.code, 1, "{all}");
        let name = format!("the certificate of the proxy {} of HTTPS_PROXY is", proxy.origin());
        for words in [&*name, "of its CA as ca_file", "correct or unset HTTPS_PROXY"] {
            assert!(all.contains(words), "{words:?}: {all}");
        }
        assert!(!all.contains("certificate of pbx.invalid"), "{all}");
    }
}

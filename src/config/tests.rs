//! Both answers to every question that `load` asks; the mistakes of the file itself have a file
//! each in `tests/invalid_configs`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::domain::{Secret, Trust, WideCalls};

use crate::keys::{Command, Found, Key as Pressed, Keymap, Layer};
use crate::looks::Palette;

const MINIMAL: &str = r#"
[profiles.acme]
url = "https://pbx.example.com"
[profiles.acme.auth]
token_env = "CALLSWEEP_TOKEN"
"#;

/// A home with a configuration in its usual place.
struct Home(TempDir);

impl Home {
    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(config: &str) -> Self {
        let home = Self::empty();
        home.write(".config/callsweep/config.toml", config, 0o644);
        home
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn write(&self, below: &str, text: &str, mode: u32) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn environment(&self, more: &[(&str, &str)]) -> Environment {
        let home = self.0.path().to_str().unwrap();
        let own = [("HOME", home), ("CALLSWEEP_TOKEN", "1|abc~def"), ("LANG", "C.UTF-8")];
        own.into_iter().chain(more.iter().copied()).collect()
    }

    fn load(&self, flags: &Flags, more: &[(&str, &str)]) -> Result<Profile, String> {
        load(flags, &self.environment(more)).map_err(|error| error.to_string())
    }
}

fn accepted(config: &str) -> Profile {
    Home::with(config).load(&Flags::default(), &[]).unwrap()
}

fn token_of(profile: Profile) -> String {
    match profile.credentials {
        Credentials::Token(token) => token.expose().to_owned(),
        Credentials::App { .. } => panic!("an App"),
    }
}

fn profile_flag(name: &str) -> Flags {
    Flags { profile: Some(name.to_owned()), ..Flags::default() }
}

/// Two profiles, with the line given as their default.
fn acme_and_beta(default: &str) -> String {
    format!("{default}\n{MINIMAL}{}", MINIMAL.replace("acme", "beta"))
}

/// The minimal profile with another line in front of its address, or instead of its way to a token.
fn with_line(line: &str) -> String {
    MINIMAL.replace("url =", &format!("{line}\nurl ="))
}

fn with_way(way: &str) -> String {
    MINIMAL.replace("token_env = \"CALLSWEEP_TOKEN\"", way)
}

fn with_url(url: &str) -> String {
    MINIMAL.replace("https://pbx.example.com", url)
}

fn numbers(profile: &Profile) -> String {
    let numbers: Vec<_> = profile.extensions.iter().map(|one| &one.number).collect();
    format!("{numbers:?}")
}

#[test]
fn a_profile_needs_an_address_and_a_token_and_has_defaults_for_the_rest() {
    let profile = accepted(MINIMAL);
    let user = crate::domain::UserId::parse("@me").unwrap();
    let expected = Profile {
        target: Target::new("acme", "https://pbx.example.com", "/uapi", user).unwrap(),
        extensions: Vec::new(),
        rules: Rules {
            discover: vec![Discoverer::Presence],
            read_only: false,
            protected: false,
            wide_calls: WideCalls::default(),
            max_delete: 10_000,
            concurrency: 4,
            timeout: Duration::from_secs(30),
        },
        trust: Trust::Machine,
        credentials: Credentials::Token(Secret::new("1|abc~def")),
        looks: Looks::default(),
        keys: Keymap::default(),
    };
    assert_eq!(profile, expected);
}

#[test]
fn the_example_loads_and_states_the_defaults() {
    let mut profile = accepted(&example().unwrap());
    assert_eq!(profile.extensions, [Extension::typed("0003*210").unwrap()]);
    profile.extensions.clear();
    assert_eq!(profile, accepted(MINIMAL));
}

/// `UPDATE_EXAMPLE=1 cargo test the_example_file` writes it anew.
#[test]
fn the_example_file_says_of_every_key_what_is_said_where_it_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.toml");
    if std::env::var_os("UPDATE_EXAMPLE").is_some() {
        fs::write(path, example().unwrap()).unwrap();
    }
    let is_new = fs::read_to_string(path).unwrap() == example().unwrap();
    assert!(is_new, "write it anew, as is said above");
}

#[test]
fn every_known_key_stands_in_the_example() {
    for config in ["x = 1".to_owned(), with_line("x = 1"), with_way("x = 1")] {
        let said = Home::with(&config).load(&Flags::default(), &[]).unwrap_err();
        let (_, known) = said.split_once("known keys are ").unwrap();
        for key in known.split(", ") {
            let example = example().unwrap();
            let mut lines = example.lines().map(|line| line.trim_start_matches('#'));
            let heading = |line: &str| line.starts_with('[') && line.contains(key);
            let is_there = |line: &str| line.starts_with(&format!("{key} = ")) || heading(line);
            assert!(lines.any(is_there), "{key}");
        }
    }
}

#[test]
fn what_the_example_leaves_out_can_be_switched_on() {
    let home = Home::with(
        &example()
            .unwrap()
            .replace("#ca_file = \"/etc/ssl/acme-ca.pem\"", "ca_file = \"~/ca.pem\"")
            .replace("token_env =", "#token_env =")
            .replace("#token_file =", "token_file ="),
    );
    home.write("ca.pem", "", 0o644);
    home.write(".config/callsweep/acme.token", "2|xyz\n", 0o600);
    let profile = home.load(&Flags::default(), &[]).unwrap();
    assert_eq!(profile.trust, Trust::MachineAnd(home.path("ca.pem")));
    assert_eq!(token_of(profile), "2|xyz");
}

#[test]
fn every_key_is_heard() {
    let profile = accepted(
        r#"
        [profiles.acme-2_b]
        url = "https://pbx.example.com:8443/"
        base_path = "/unifiedapi/"
        user = "0241"
        extensions = ["0003*210", "211", "0003*210"]
        discover = []
        read_only = true
        protected = true
        wide_calls = ["type"]
        max_delete = 100000
        concurrency = 64
        timeout_s = 600
        insecure = true
        auth = { token_env = "CALLSWEEP_TOKEN" }
        "#,
    );
    assert_eq!(profile.target.profile, "acme-2_b");
    assert_eq!(profile.target.origin, "https://pbx.example.com:8443");
    assert_eq!(profile.target.user_path(&profile.target.user), "/unifiedapi/extensions/0241");
    assert_eq!(numbers(&profile), "[0003*210, 211]");
    assert!(profile.rules.discover.is_empty());
    assert!(profile.rules.read_only && profile.rules.protected);
    assert_eq!(profile.trust, Trust::Anything);
    assert!(profile.rules.wide_calls.event_type && !profile.rules.wide_calls.extension);
    assert_eq!((profile.rules.max_delete, profile.rules.concurrency), (100_000, 64));
    assert_eq!(profile.rules.timeout, Duration::from_secs(600));
}

#[test]
fn a_file_of_numbers_stands_beside_those_in_the_configuration_each_once() {
    let home = Home::with(&with_line("extensions = [\"210\"]\nextensions_file = \"numbers.txt\""));
    let text =
        "\u{feff}# sales\r\n0003*211  Front desk\r\n\r\n210\n\"0003*212\",Queue # old\n212;x\n";
    home.write(".config/callsweep/numbers.txt", text, 0o644);
    let profile = home.load(&Flags::default(), &[]).unwrap();
    assert_eq!(numbers(&profile), "[210, 0003*211, 0003*212, 212]");
}

#[test]
fn a_line_that_begins_with_no_number_is_named_with_its_place() {
    let home = Home::with(&with_line("extensions_file = \"numbers.txt\""));
    home.write(".config/callsweep/numbers.txt", "210\nname,number\n", 0o644);
    let mistake = home.load(&Flags::default(), &[]).unwrap_err();
    assert!(
        mistake.contains("numbers.txt, line 2: \"name\" is not an extension number"),
        "{mistake}"
    );
}

#[test]
fn each_source_of_extensions_is_asked_once_in_the_order_written() {
    let discover = |list: &str| accepted(&with_line(&format!("discover = {list}"))).rules.discover;
    let (presence, system) = (Discoverer::Presence, Discoverer::SystemApi);
    assert_eq!(discover(r#"["system_api"]"#), [system]);
    assert_eq!(discover(r#"["presence", "system_api"]"#), [presence, system]);
    assert_eq!(discover(r#"["system_api", "presence", "system_api"]"#), [system, presence]);
    assert_eq!(discover("[]"), []);
}

#[test]
fn an_empty_list_of_wide_calls_allows_none() {
    let wide = accepted(&with_line("wide_calls = []")).rules.wide_calls;
    assert!(!wide.extension && !wide.event_type);
}

#[test]
fn http_is_accepted_for_loopback_addresses_only() {
    for url in
        ["http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:8080", "http://localhost"]
    {
        assert_eq!(accepted(&with_url(url)).target.origin, url);
    }
    for url in
        ["http://10.0.0.1", "http://localhost.example.com", "http://[::2]", "http://128.0.0.1"]
    {
        let said = Home::with(&with_url(url)).load(&Flags::default(), &[]).unwrap_err();
        assert!(said.contains("write https://; http is accepted for loopback"), "{said}");
    }
}

#[test]
fn a_secret_in_an_address_that_cannot_be_read_is_not_quoted() {
    for url in ["https://a:s3cr3t@[x", "s3cr3t@pbx", "ftp://a:s3cr3t@x", "https://[?s3cr3t"] {
        let said = Home::with(&with_url(url)).load(&Flags::default(), &[]).unwrap_err();
        assert!(!said.contains("s3cr3t"), "{said}");
    }
}

#[test]
fn the_flag_beats_the_environment_beats_the_file() {
    let name = |config: &str, flags: &Flags, more: &[(&str, &str)]| {
        Home::with(config).load(flags, more).map(|profile| profile.target.profile)
    };
    let both = acme_and_beta("default_profile = \"acme\"");
    let beta = [("CALLSWEEP_PROFILE", "beta")];
    assert_eq!(name(&both, &Flags::default(), &[]).unwrap(), "acme");
    assert_eq!(name(&both, &Flags::default(), &beta).unwrap(), "beta");
    assert_eq!(name(&both, &profile_flag("acme"), &beta).unwrap(), "acme");
    let empty = [("CALLSWEEP_PROFILE", "")];
    assert_eq!(name(&both, &Flags::default(), &empty).unwrap(), "acme");
}

#[test]
fn an_unknown_profile_is_answered_with_the_known_ones() {
    let home = Home::with(&acme_and_beta(""));
    let said = home.load(&profile_flag("acne"), &[]).unwrap_err();
    let end = "no profile \"acne\" is in it, which --profile asks for: choose one of acme, beta";
    assert!(said.ends_with(end), "{said}");
    let said = home.load(&Flags::default(), &[("CALLSWEEP_PROFILE", "x")]).unwrap_err();
    assert!(said.contains("CALLSWEEP_PROFILE asks for: choose one of acme, beta"), "{said}");
    let said = home.load(&profile_flag(""), &[]).unwrap_err();
    assert!(said.contains("no profile \"\""), "{said}");
}

#[test]
fn a_single_profile_needs_no_default_but_does_not_stand_in_for_another() {
    let home = Home::with(MINIMAL);
    assert!(home.load(&Flags::default(), &[]).is_ok());
    assert!(home.load(&profile_flag("beta"), &[]).is_err());
}

#[test]
fn flags_add_extensions_and_can_only_tighten_read_only() {
    let flags = |extensions: &[&str], read_only| Flags {
        read_only,
        extensions: extensions.iter().copied().map(str::to_owned).collect(),
        ..Flags::default()
    };
    let home = Home::with(&with_line("extensions = [\"210\"]\nread_only = true"));
    let profile = home.load(&flags(&["211", "210"], false), &[]).unwrap();
    assert_eq!(numbers(&profile), "[210, 211]");
    assert!(profile.rules.read_only);
    let open = Home::with(MINIMAL);
    assert!(open.load(&flags(&[], true), &[]).unwrap().rules.read_only);
    let said = open.load(&flags(&["@self"], false), &[]).unwrap_err();
    assert!(said.starts_with("--extension: \"@self\" is not an extension number: "), "{said}");
}

#[test]
fn the_path_comes_from_the_flag_then_the_environment_then_the_home() {
    let path = |flag: Option<&str>, pairs: &[(&str, &str)]| {
        let flags = Flags { config: flag.map(PathBuf::from), ..Flags::default() };
        expected_path(&flags, &pairs.iter().copied().collect())
            .map(|path| path.display().to_string())
            .map_err(|error| error.to_string())
    };
    let home = ("HOME", "/home/x");
    let xdg = ("XDG_CONFIG_HOME", "/xdg");
    let own = ("CALLSWEEP_CONFIG", "/own.toml");
    assert_eq!(path(Some("flag.toml"), &[home, xdg, own]).unwrap(), "flag.toml");
    assert_eq!(path(None, &[home, xdg, own]).unwrap(), "/own.toml");
    assert_eq!(path(None, &[home, xdg]).unwrap(), "/xdg/callsweep/config.toml");
    let usual = "/home/x/.config/callsweep/config.toml";
    assert_eq!(path(None, &[home]).unwrap(), usual);
    assert_eq!(path(None, &[home, ("XDG_CONFIG_HOME", "relative")]).unwrap(), usual);
    let said = path(None, &[]).unwrap_err();
    assert!(said.contains("set HOME, or name the file with --config"), "{said}");
}

#[test]
fn state_goes_to_its_own_folder_and_nothing_is_created_there() {
    let home = Home::empty();
    let state = state_dir(&home.environment(&[])).unwrap();
    assert_eq!(state, home.path(".local/state/callsweep"));
    assert!(!home.path(".local").exists());
    let named = state_dir(&home.environment(&[("XDG_STATE_HOME", "/state")])).unwrap();
    assert_eq!(named, Path::new("/state/callsweep"));
    assert!(state_dir(&Environment::default()).is_err());
}

#[test]
fn a_folder_of_run_files_that_others_may_write_is_refused_with_the_command_that_mends_it() {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    let home = Home::empty();
    let environment = home.environment(&[]);
    for part in ["", "/runs", "/origins", "/receipts"] {
        let folder = home.path(&format!(".local/state/callsweep{part}"));
        fs::create_dir_all(&folder).unwrap();
        for mode in [0o777, 0o770, 0o702, 0o1777] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            let said = state_dir(&environment).unwrap_err().to_string();
            assert!(said.ends_with(&format!("run `chmod 700 {}`", folder.display())), "{said}");
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(state_dir(&environment).is_ok());
        // Only root can make it somebody else's.
        if chown(&folder, Some(65_534), None).is_ok() {
            let said = state_dir(&environment).unwrap_err().to_string();
            assert!(
                said.contains("belongs to another user (uid 65534): run `sudo chown"),
                "{said}"
            );
            chown(&folder, Some(rustix::process::geteuid().as_raw()), None).unwrap();
        }
    }
}

#[test]
fn a_missing_configuration_says_the_first_steps_and_writes_nothing() {
    let home = Home::empty();
    let said = home.load(&Flags::default(), &[]).unwrap_err();
    let folder = home.path(".config/callsweep").display().to_string();
    let expected = format!(
        "there is no configuration at {folder}/config.toml: write one with `mkdir -p {folder} && \
         callsweep config --print-example > {folder}/config.toml` and edit it, or name a PBX with --url"
    );
    assert_eq!(said, expected);
    assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 0);

    let there = Flags { config: Some(home.path("my config.toml")), ..Flags::default() };
    let said = home.load(&there, &[]).unwrap_err();
    assert!(said.contains("with `callsweep config --print-example > '/"), "{said}");
    assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 0);
}

#[test]
fn even_confy_alone_could_not_write_a_configuration() {
    let home = Home::empty();
    let path = home.path("config.toml");
    assert!(confy::load_path::<source::Document>(&path).is_err());
    assert!(!path.exists());
}

#[test]
fn a_configuration_is_not_changed_by_reading_it() {
    for text in [MINIMAL, "", "broken = = toml"] {
        let home = Home::with(text);
        home.load(&Flags::default(), &[]).ok();
        let path = home.path(".config/callsweep/config.toml");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}

#[test]
fn what_is_no_text_file_is_no_configuration() {
    let home = Home::empty();
    let said = |path: PathBuf| {
        let flags = Flags { config: Some(path), ..Flags::default() };
        home.load(&flags, &[]).unwrap_err()
    };
    assert!(said(home.path("")).contains("is not a regular file"));
    fs::write(home.path("latin.toml"), b"# Z\xfcrich").unwrap();
    assert!(said(home.path("latin.toml")).contains("is not UTF-8 text"));
}

#[test]
fn foreign_text_in_a_message_cannot_act_on_the_terminal() {
    for line in
        [r#""\u001B[2J" = 1"#, r#"wide_calls = ["\u001B[2J"]"#, "concurrency = \"\u{202e}x\""]
    {
        let said = Home::with(&with_line(line)).load(&Flags::default(), &[]).unwrap_err();
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said:?}");
    }
}

#[test]
fn a_token_file_is_read_from_the_home_from_beside_the_configuration_and_from_anywhere() {
    let home = Home::with("");
    home.write("a token", "\n 3|home \r\n", 0o600);
    home.write(".config/callsweep/beside", "3|beside", 0o400);
    let anywhere = home.path("a token").display().to_string();
    for (file, token) in [("~/a token", "3|home"), ("beside", "3|beside"), (&anywhere, "3|home")] {
        let config = with_way(&format!("token_file = {file:?}"));
        home.write(".config/callsweep/config.toml", &config, 0o644);
        assert_eq!(token_of(home.load(&Flags::default(), &[]).unwrap()), token);
    }
}

#[test]
fn a_token_file_open_to_others_is_refused_with_the_chmod_that_mends_it() {
    let home = Home::with(&with_way("token_file = \"~/it's mine\""));
    for mode in [0o640, 0o604, 0o620, 0o644, 0o666, 0o601] {
        home.write("it's mine", "s3cr3t", mode);
        let said = home.load(&Flags::default(), &[]).unwrap_err();
        let path = home.0.path().display();
        let remedy = format!("(mode {mode:04o}): run `chmod 600 '{path}/it'\\''s mine'`");
        assert!(said.ends_with(&remedy) && !said.contains("s3cr3t"), "{said}");
    }
    home.write("it's mine", "s3cr3t", 0o600);
    assert!(home.load(&Flags::default(), &[]).is_ok());
}

#[test]
fn a_folder_is_no_token_file() {
    let said = Home::with(&with_way("token_file = \"~/\"")).load(&Flags::default(), &[]);
    assert!(said.unwrap_err().contains("is a folder: name a file"));
}

#[test]
fn a_token_command_runs_without_a_shell_and_its_output_is_trimmed() {
    let token =
        |command: &str| token_of(accepted(&with_way(&format!("token_command = {command}"))));
    assert_eq!(token(r#"["printf", "\n4|%s\n\n", "a;b$HOME"]"#), "4|a;b$HOME");
    let nothing_to_read = token(r#"["sh", "-c", "cat; echo '4|x'; echo noise >&2"]"#);
    assert_eq!(nothing_to_read, "4|x");
}

#[test]
fn a_command_is_not_run_where_others_could_have_written_it() {
    use std::os::unix::fs::chown;
    let home = Home::with(&with_way("token_command = [\"printf\", \"4|token\"]"));
    let path = home.path(".config/callsweep/config.toml");
    for mode in [0o646, 0o666, 0o602] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let said = home.load(&Flags::default(), &[]).unwrap_err();
        assert!(said.ends_with(&format!("run `chmod o-w {}`", path.display())), "{said}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    assert!(home.load(&Flags::default(), &[]).is_ok());
    // Only root can make it somebody else's.
    if chown(&path, Some(65_534), None).is_ok() {
        let said = home.load(&Flags::default(), &[]).unwrap_err();
        assert!(said.contains("belongs to another user (uid 65534): run `sudo chown"), "{said}");
        home.write(".config/callsweep/config.toml", MINIMAL, 0o666);
        assert!(home.load(&Flags::default(), &[]).is_ok(), "without a command it is only read");
    }
}

#[test]
fn a_token_command_that_ends_badly_is_named_and_its_output_is_not() {
    let said = |command: &str| {
        let config = with_way(&format!("token_command = {command}"));
        Home::with(&config).load(&Flags::default(), &[]).unwrap_err()
    };
    let failed = said(r#"["sh", "-c", "echo s3cr3t; echo no s3cr3t here >&2; exit 7"]"#);
    let told = "\"sh\" ended with exit code 7 (it said: no [redacted] here): run it in a shell";
    assert!(failed.contains(told), "{failed}");
    assert!(said(r#"["sh", "-c", "kill -9 $$"]"#).contains("was ended by a signal"));
    assert!(said(r#"["true"]"#).contains("the output of token_command \"true\" is empty"));
    assert!(said(r#"["yes", "s3cr3t"]"#).contains("is too long for a token"));
    assert!(said(r#"["/"]"#).contains("cannot be run"));
    assert!(!failed.contains("s3cr3t"));
}

#[test]
fn a_token_command_has_a_session_of_its_own_no_terminal_and_none_of_our_secrets() {
    let own = r#"["sh", "-c", "read -r a < /proc/$$/stat; set -- $a; echo $1/$5/$6/$7"]"#;
    let token = token_of(accepted(&with_way(&format!("token_command = {own}"))));
    let parts: Vec<_> = token.split('/').collect();
    assert!(parts[0] == parts[1] && parts[1] == parts[2] && parts[3] == "0", "{token}");

    let both = acme_and_beta("default_profile = \"beta\"");
    let (before, last) = both.rsplit_once("token_env").unwrap();
    let after = last.split_once('\n').map_or("", |(_, after)| after);
    let command = r#"token_command = ["sh", "-c", "echo ${CALLSWEEP_TOKEN-none}/$OTHER"]"#;
    let home = Home::with(&format!("{before}{command}\n{after}"));
    let others = [("CALLSWEEP_TOKEN", "never~handed~on"), ("OTHER", "kept")];
    assert_eq!(token_of(home.load(&Flags::default(), &others).unwrap()), "none/kept");
    assert_eq!(crate::domain::redacted("it is never~handed~on"), "it is [redacted]");
}

#[test]
fn a_token_command_is_ended_after_ten_seconds_with_all_that_it_started() {
    let config = r#"token_command = ["sh", "-c", "sleep 3600 & echo pid $! >&2; wait"]"#;
    let said = Home::with(&with_way(config)).load(&Flags::default(), &[]).unwrap_err();
    assert!(said.contains("took longer than 10 s and was ended (it said: pid "), "{said}");
    let pid = said.split("pid ").nth(1).unwrap().split(')').next().unwrap();
    // It dies as soon as it has its turn, and whoever takes in orphans here may not look at it yet.
    let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let ended = || state().is_empty() || state().contains(") Z ");
    for _ in 0..10_000_000 {
        if ended() {
            return;
        }
        std::thread::yield_now();
    }
    panic!("{}", state());
}

#[test]
fn what_a_token_command_leaves_running_holds_nothing_up() {
    let config = r#"token_command = ["sh", "-c", "sleep 3600 & echo '4|left'"]"#;
    assert_eq!(token_of(accepted(&with_way(config))), "4|left");
}

#[test]
fn what_is_no_plain_file_of_ours_is_no_token_file_and_holds_nothing_up() {
    let home = Home::with("");
    let said = |file: &str| {
        let config = with_way(&format!("token_file = {file:?}"));
        home.write(".config/callsweep/config.toml", &config, 0o644);
        home.load(&Flags::default(), &[]).unwrap_err()
    };
    let made = std::process::Command::new("mkfifo").arg(home.path("pipe")).status().unwrap();
    assert!(made.success());
    assert!(said("~/pipe").contains("is a pipe: name a file that holds the token alone"));
    std::os::unix::fs::symlink(home.path("pipe"), home.path("link")).unwrap();
    assert!(said("~/link").contains("is a pipe: name a file"));
    assert!(said("/dev/zero").contains("is no regular file: name a file"));
    home.write("huge", "x", 0o600);
    let huge = std::fs::OpenOptions::new().write(true).open(home.path("huge")).unwrap();
    huge.set_len(1 << 30).unwrap();
    assert!(said("~/huge").contains("is too long for a token"));
    home.write("theirs", "4|theirs", 0o600);
    let me = rustix::process::geteuid().as_raw();
    // Only root can make it somebody else's.
    if std::os::unix::fs::chown(home.path("theirs"), Some(65_534), None).is_ok() {
        let remedy = format!("belongs to another user (uid 65534): run `sudo chown {me} ");
        assert!(said("~/theirs").contains(&remedy), "{}", said("~/theirs"));
    }
}

#[test]
fn a_token_is_one_word_of_visible_ascii() {
    for (value, accepted) in [
        ("1|abc~def", true),
        (" 1|abc \n", true),
        ("", false),
        (" \n", false),
        ("s3c r3t", false),
        ("s3c\nr3t", false),
        ("s3c\u{7}r3t", false),
        ("s3cr3t\u{fc}", false),
        ("\u{feff}s3cr3t", false),
    ] {
        let home = Home::with(MINIMAL);
        let answer = home.load(&Flags::default(), &[("CALLSWEEP_TOKEN", value)]);
        assert_eq!(answer.is_ok(), accepted, "{value:?}");
        if let Err(said) = answer {
            assert!(said.contains("CALLSWEEP_TOKEN") && !said.contains("s3c"), "{said}");
        }
    }
}

#[test]
fn only_the_chosen_profile_is_asked_for_its_token() {
    let both = acme_and_beta("default_profile = \"beta\"");
    let both = both.replacen("CALLSWEEP_TOKEN", "NOT_SET", 1);
    assert_eq!(accepted(&both).target.profile, "beta");
}

#[test]
fn neither_profile_nor_environment_prints_a_secret() {
    let environment = Home::with(MINIMAL).environment(&[]);
    assert_eq!(format!("{environment:?}"), "Environment(3 variables)");
    let profile = format!("{:?}", accepted(MINIMAL));
    assert!(profile.contains("***") && !profile.contains("abc~def"), "{profile}");
}

#[test]
fn the_process_has_an_environment() {
    assert!(Environment::of_process().value("PATH").is_some());
}

#[test]
fn an_app_has_its_key_its_secret_and_defaults_for_the_rest() {
    let config = with_way("app_key = \"key\"\napp_secret_env = \"CALLSWEEP_TOKEN\"");
    let profile = accepted(&config);
    let Credentials::App { key, secret, token_url, redirect_uri } = &profile.credentials else {
        panic!("no App");
    };
    assert_eq!((key.as_str(), secret.expose()), ("key", "1|abc~def"));
    assert_eq!(token_url, "https://pbx.example.com/oauth/token.php");
    assert_eq!(redirect_uri, "https://pbx.example.com/ouath/token.php");
    assert!(!format!("{profile:?}").contains("abc~def"));
    let own = format!("{config}token_url = \"https://pbx.example.com/t\"\nredirect_uri = \"x\"");
    let Credentials::App { token_url, redirect_uri, .. } = accepted(&own).credentials else {
        panic!("no App");
    };
    assert_eq!((token_url.as_str(), redirect_uri.as_str()), ("https://pbx.example.com/t", "x"));
}

fn looks(file: &str, flags: &Flags, environment: &[(&str, &str)]) -> Looks {
    Home::with(&format!("{file}\n{MINIMAL}")).load(flags, environment).unwrap().looks
}

const COLOURFUL: &str = "ascii = true\nsynchronized_output = false\n[theme]\nfocus = \"blue\"\n\
                         good = \"208\"\ndanger = \"#ff8700\"";

#[test]
fn colours_are_the_files_as_far_as_the_terminal_has_them() {
    use ratatui::style::Color::{Blue, Indexed, Rgb};
    let many = Palette { focus: Blue, good: Indexed(208), ..Palette::MANY };
    let whole = Palette { danger: Rgb(255, 135, 0), ..many };
    let few = Palette { focus: Blue, ..Palette::FEW };
    for (environment, palette) in [
        (&[("TERM", "xterm"), ("COLORTERM", "truecolor")][..], whole),
        (&[("TERM", "xterm-direct")], whole),
        (&[("TERM", "xterm-256color")], many),
        (&[("TERM", "screen")], few),
        (&[("TERM", "linux")], few),
        (&[], few),
    ] {
        let looks = looks(COLOURFUL, &Flags::default(), environment);
        assert_eq!(looks.palette, Some(palette), "{environment:?}");
        assert!(looks.ascii && !looks.synchronized);
    }
}

#[test]
fn the_default_colours_are_as_many_as_the_terminal_has() {
    for (environment, palette) in [
        (&[("TERM", "tmux-256color")][..], Palette::MANY),
        (&[("TERM", "xterm"), ("COLORTERM", "truecolor")], Palette::MANY),
        (&[("TERM", "linux")], Palette::FEW),
        (&[], Palette::FEW),
    ] {
        assert_eq!(looks("", &Flags::default(), environment).palette, Some(palette));
        let environment = environment.iter().copied().collect();
        let without = looks_without_file(&Flags::default(), &environment);
        assert_eq!(without.palette, Some(palette), "{environment:?}");
    }
}

#[test]
fn there_are_no_colours_where_the_flag_or_a_no_color_that_is_not_empty_says_so() {
    let flag = Flags { no_color: true, ..Flags::default() };
    assert_eq!(looks(COLOURFUL, &flag, &[]).palette, None);
    assert_eq!(looks(COLOURFUL, &Flags::default(), &[("NO_COLOR", "1")]).palette, None);
    assert!(looks(COLOURFUL, &Flags::default(), &[("NO_COLOR", "")]).palette.is_some());
    let environment = [("NO_COLOR", "1")].into_iter().collect();
    let ascii = Flags { ascii: true, ..Flags::default() };
    let looks = looks_without_file(&ascii, &environment);
    assert_eq!(looks, Looks { palette: None, ascii: true, synchronized: true });
}

#[test]
fn only_a_dumb_terminal_is_refused() {
    let refused = |term: &str| terminal_refused(&[("TERM", term)].into_iter().collect());
    assert!(refused("dumb").unwrap().contains("set TERM"));
    for term in ["", "linux", "screen", "tmux-256color", "xterm", "xterm-256color", "vt220"] {
        assert_eq!(refused(term), None, "{term}");
    }
}

#[test]
fn an_address_alone_is_a_profile_named_after_its_host_whatever_the_file_and_the_environment_say() {
    let of = |home: &Home, url: &str| {
        let flags = Flags { url: Some(url.to_owned()), ..Flags::default() };
        home.load(&flags, &[("CALLSWEEP_PROFILE", "acme"), ("CALLSWEEP_CONFIG", "/nowhere")])
    };
    let long = format!("https://{}.example.com", "a".repeat(63));
    let home = Home::with("this is no TOML");
    for (url, name, origin) in [
        ("https://pbx.example.com", "pbx.example.com", "https://pbx.example.com"),
        ("https://PBX.Example.COM.:8443/", "pbx.example.com", "https://pbx.example.com.:8443"),
        ("http://127.0.0.1:8080", "127.0.0.1", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "--1", "http://[::1]:8080"),
        (long.as_str(), &format!("{}.", "a".repeat(63)), long.as_str()),
    ] {
        let profile = of(&home, url).unwrap();
        assert_eq!(
            (profile.target.profile.as_str(), profile.target.origin.as_str()),
            (name, origin)
        );
        assert_eq!(profile.rules.discover, [Discoverer::Presence, Discoverer::SystemApiForNone]);
        assert_eq!(token_of(profile), "1|abc~def");
    }
    for (url, said) in [
        ("pbx.example.com", "--url: url = \"pbx.example.com\" is not an address"),
        ("http://pbx.example.com", "--url: url = \"http://pbx.example.com\" would send the token"),
        ("https://u:secret@pbx.test", "--url: url holds a user name or password: leave them out"),
        ("https://pbx.test/uapi", "--url goes on behind the host: write --url https://pbx.test; "),
    ] {
        let error = of(&home, url).unwrap_err();
        assert!(error.starts_with(said) && !error.contains("secret"), "{error}");
    }
    let both = Flags { profile: Some("acme".to_owned()), url: Some(long), ..Flags::default() };
    assert_eq!(
        home.load(&both, &[]).unwrap_err(),
        "--url uses no profile of the configuration: leave out --profile or --url"
    );
}

#[test]
fn keys_of_the_file_take_the_place_of_those_of_the_table() {
    let file = "[keys]\ndelete = \"D\"\nmark = [\"w\", \"gm\", \"\\\\ F2\"]\nmask = []\n";
    let keys = Home::with(&format!("{file}{MINIMAL}")).load(&Flags::default(), &[]).unwrap().keys;
    let found = |name| keys.look_up(Layer::Panels, None, Pressed::parse(name).unwrap());
    assert_eq!(found("D"), Found::Command(Command::ReviewDeletion));
    assert_eq!(found("w"), Found::Command(Command::Mark));
    assert_eq!([found("d"), found("m"), found("space")], [Found::Nothing; 3]);
    assert_eq!(keys.first(Command::Mark, Layer::Panels).as_deref(), Some("w"));
    let plain = Home::with(MINIMAL).load(&Flags::default(), &[]).unwrap().keys;
    assert_eq!(plain, Keymap::default());
}

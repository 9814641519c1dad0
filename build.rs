//! What `callsweep --version` tells: version, commit, the commit's date, and target.
//!
//! A release asks git, and is built anew where the commit is another. A debug build is not, since that
//! would compile everything again after each commit: it names the commit that it was first built at.
//! Without git, as in a package from crates.io, the commit stands in `.cargo_vcs_info.json`. Whoever
//! builds from something else says it in `CALLSWEEP_COMMIT`, and the date in `SOURCE_DATE_EPOCH`.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Seconds of a day.
const DAY: i64 = 86_400;

fn main() {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let is_release = variable("PROFILE").is_some_and(|profile| profile == "release");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CALLSWEEP_COMMIT");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let in_git = is_own_repository();
    if is_release && in_git {
        watch();
    }
    let commit = variable("CALLSWEEP_COMMIT")
        .or_else(|| git(&["rev-parse", "HEAD"]).filter(|_| in_git))
        .or_else(of_package)
        .unwrap_or_else(|| "unknown".to_owned());
    let epoch = variable("SOURCE_DATE_EPOCH")
        .or_else(|| git(&["show", "-s", "--format=%ct", "HEAD"]).filter(|_| in_git));
    let date = epoch.and_then(|seconds| Some(day(seconds.parse().ok()?)));
    let target = variable("TARGET").unwrap_or_default();
    let later = if is_release { "" } else { " or later (a debug build)" };
    let shown = date.as_deref().unwrap_or("unknown");
    let version = variable("CARGO_PKG_VERSION").unwrap_or_default();
    // A line break would end the instruction to cargo.
    println!(
        "cargo::rustc-env=CALLSWEEP_VERSION={version} (commit {commit}{later}, date {shown}, target {target})"
    );
    println!("cargo::rustc-env=CALLSWEEP_DATE={}", date.unwrap_or_default());
}

/// Whether git knows this folder as the top of a repository, and not as a part of another one, such as
/// a package that is unpacked there.
fn is_own_repository() -> bool {
    let here = fs::canonicalize(".").ok();
    let top = git(&["rev-parse", "--show-toplevel"]).and_then(|top| fs::canonicalize(top).ok());
    here.is_some() && here == top && !Path::new(".cargo_vcs_info.json").exists()
}

/// Looks again where the commit is another.
fn watch() {
    let branch = git(&["symbolic-ref", "-q", "HEAD"]);
    for file in
        ["HEAD", "logs/HEAD", "packed-refs"].into_iter().map(ToOwned::to_owned).chain(branch)
    {
        if let Some(path) = git(&["rev-parse", "--git-path", &file]) {
            // What is not there would count as changed, each time.
            if Path::new(&path).exists() {
                println!("cargo::rerun-if-changed={path}");
            }
        }
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let said = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(said.stdout).ok()?.trim().to_owned();
    Some(text).filter(|text| said.status.success() && !text.is_empty())
}

/// The commit that `cargo package` wrote down.
fn of_package() -> Option<String> {
    let info = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, from) = info.split_once("\"sha1\"")?;
    let commit = from.split('"').nth(1)?;
    Some(commit.to_owned()).filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The day of a moment, in UTC: 2026-11-26. (Howard Hinnant's `civil_from_days`.)
fn day(seconds: i64) -> String {
    let days = seconds.div_euclid(DAY) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

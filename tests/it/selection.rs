//! SELECTION on the command line, as the real binary: whatever is empty, mistyped or not there, nothing
//! more goes than what was named.

use callsweep::simulator::World;

use crate::headless::{Pbx, named, pbx};

const IN: &str = "NqeyDRqo4FtabmFj8gNWq3hsiGNYyq";

/// That nothing was sent, and everything is still there.
fn untouched(pbx: &Pbx, about: &[&str]) {
    let deletes = pbx.requests().into_iter().filter(|request| request.starts_with("DELETE"));
    assert_eq!(deletes.count(), 0, "{about:?}");
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3, "{about:?}");
}

/// Two events whose dates cannot be read, two whose status nobody knows, and one like any other.
fn odd_values() -> Pbx {
    let event = |id: &str, modified: &str, status: &str| {
        format!(
            "[[extensions.events]]\ntype = 0\nid = \"{id}\"\nmodified = \"{modified}\"\n\
             status = {status}\nurl = \"http://a.test\"\n"
        )
    };
    let rows = [
        event("a", "2020-01-01T00:00:00Z", "1"),
        event("b", "yesterday", "1"),
        event("c", "", "0"),
        event("d", "2020-01-01T00:00:00Z", "7"),
        event("e", "2020-01-01T00:00:00Z", "9"),
    ];
    let text =
        format!("name = \"n\"\ntoken = \"t\"\n[[extensions]]\nnumber = \"100\"\n{}", rows.concat());
    pbx(World::scenario(&text).unwrap())
}

#[test]
fn no_empty_term_ever_means_everything_and_the_error_points_at_it() {
    let pbx = named("the-page");
    for (text, column) in [
        ("", 1),
        ("   ", 1),
        ("\"\"", 1),
        ("\"\" \"\"", 1),
        ("zzz|\"\"", 5),
        ("-", 1),
        ("-\"\"", 2),
        ("url:", 5),
        ("host:\"\"", 6),
        ("-id:\"\"", 5),
        ("type:hangup |", 13),
        ("*", 1),
        ("url:*", 5),
        ("--yes", 2),
        ("--dry-run", 2),
    ] {
        for command in ["list", "delete"] {
            let mut arguments = vec![command, "--where", text];
            arguments.extend((command == "delete").then_some("--yes"));
            let said = pbx.run(&arguments);
            assert_eq!(said.code, 2, "{arguments:?}: {}", said.err);
            assert!(said.err.contains(&format!("column {column}:")), "{text:?}: {}", said.err);
            untouched(&pbx, &arguments);
        }
    }
    assert!(pbx.requests().is_empty(), "nothing had to be asked");
}

#[test]
fn what_is_named_and_not_listed_is_told_name_by_name_and_nothing_is_sent_beside_it() {
    let page = "--extension=0003*210";
    let right = format!("--id={IN}");
    for (more, told) in [
        (vec![right.as_str(), "--id=gone", "--id=lost"], "--id gone, --id lost"),
        (vec!["--id=gone"], "--id gone"),
        (vec!["--type=hangup", right.as_str()], "--id NqeyDRqo4F"),
        (vec!["--type=99", "--type=dial-in"], "--type 99"),
        (vec!["--extension=0003*999"], "--extension 0003*999"),
        (vec!["--id="], "--id"),
        (vec![right.as_str(), "--id="], "--id"),
        (vec!["--id=../.."], "../.."),
        (vec!["--id=a/b"], "a/b"),
        (vec!["--id=%2e%2e"], "%2e%2e"),
        (vec!["--type="], "--type"),
        (vec!["--type= "], "--type"),
        (vec!["--type=hangupp"], "hangupp"),
        (vec!["--extension="], "--extension"),
        (vec!["--extension=@self"], "@self"),
    ] {
        for yes in ["--yes", "--dry-run"] {
            let pbx = named("the-page");
            let arguments = [&["delete", page, yes][..], &more].concat();
            let said = pbx.run(&arguments);
            assert_eq!(said.code, 2, "{arguments:?}: {}", said.err);
            assert!(said.err.contains(told), "{arguments:?}: {}", said.err);
            untouched(&pbx, &arguments);
        }
    }
}

#[test]
fn a_list_takes_ids_too_and_names_those_that_it_lacks() {
    let pbx = named("the-page");
    let said = pbx.run(&["list", "--format=json", "--id", IN]);
    assert_eq!((said.code, said.document()["events"].as_array().unwrap().len()), (0, 1));
    let said = pbx.run(&["list", "--format=json", "--id", IN, "--id", "gone"]);
    assert_eq!((said.code, said.document()["events"].as_array().unwrap().len()), (2, 1));
    assert!(said.err.contains("not listed: --id gone"), "{}", said.err);
}

#[test]
fn an_expression_may_begin_with_a_dash() {
    for arguments in [
        &["delete", "--yes", "--where", "-type:hangup"][..],
        &["delete", "--where", "-type:hangup", "--yes"],
        &["delete", "--yes", "--where=-type:hangup"],
    ] {
        let pbx = named("the-page");
        let said = pbx.run(arguments);
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 1);
    }
}

#[test]
fn what_cannot_be_read_is_neither_meant_nor_excluded_and_stands_in_the_words() {
    let dates = "2 events passed over: their date cannot be read";
    let statuses = "2 events passed over: their status is not known";
    for (text, ids, told) in [
        ("modified:<2024-01-01", vec!["a", "d", "e"], dates),
        ("-modified:<2024-01-01", vec![], dates),
        ("-modified:>2024-01-01", vec!["a", "d", "e"], dates),
        ("status:off", vec!["c"], statuses),
        ("-status:off", vec!["a", "b"], statuses),
        ("-status:7", vec!["a", "b", "c", "e"], ""),
        ("status:7", vec!["d"], ""),
    ] {
        let pbx = odd_values();
        let said = pbx.run(&["list", "--format=json", "--where", text]);
        let document = said.document();
        let listed: Vec<_> = document["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["id"].as_str().unwrap())
            .collect();
        assert_eq!(listed, ids, "{text}");
        assert!(said.err.contains(told), "{text}: {}", said.err);
        assert_eq!(said.err.contains("passed over"), !told.is_empty(), "{text}: {}", said.err);
        let said = pbx.run(&["delete", "--yes", "--where", text]);
        assert!(said.err.contains(told), "{text}: {}", said.err);
        assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 5 - ids.len(), "{text}");
    }
}

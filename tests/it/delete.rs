//! `callsweep delete` as the real binary: the same plan and run as on the screen, and the same care.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use callsweep::simulator::{DeleteAnswer, Extension, Fault, Kind, TypeDelete, World};
use serde_json::Value;

use crate::headless::{Pbx, Said, command, configure, named, pbx};
use crate::session::{Watch, until};

const PAGE: [&str; 2] = ["delete", "--extension=0003*210"];

fn deletes(pbx: &Pbx) -> Vec<String> {
    let requests = pbx.requests().into_iter();
    requests.filter(|request| request.starts_with("DELETE")).collect()
}

fn with(base: &[&'static str], more: &[&'static str]) -> Vec<&'static str> {
    base.iter().chain(more).copied().collect()
}

#[test]
fn a_dry_run_sends_nothing_and_its_hash_is_that_of_the_run() {
    let pbx = named("the-page");
    let dry = pbx.run(&with(&PAGE, &["--form=extension", "--dry-run", "--format=json"]));
    assert_eq!((dry.code, deletes(&pbx).len()), (0, 0));
    let dry = dry.document();
    assert_eq!(dry["calls"][0]["path"], "/uapi/extensions/@me/0003*210/phoneCallEvents");
    assert_eq!((&dry["calls"][0]["covers"], &dry["dry_run"]), (&3.into(), &true.into()));
    let said = pbx.run(&with(&PAGE, &["--form=extension", "--yes", "--format=json"]));
    assert_eq!(said.code, 0, "{}", said.err);
    let run = said.document();
    assert_eq!(run["plan_hash"], dry["plan_hash"]);
    assert_eq!((&run["summary"]["deleted"], &run["verified"]), (&3.into(), &true.into()));
    assert_eq!(deletes(&pbx).len(), 1);
    let name = run["run"].as_str().unwrap();
    assert_eq!(pbx.run(&["undo", name, "--yes"]).code, 0);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3);
}

#[test]
fn event_calls_are_the_default_and_form_chooses_others_as_far_as_the_profile_allows() {
    let collection = "DELETE /uapi/extensions/@me/0003*210/phoneCallEvents";
    let types = ["0", "1", "2"].map(|of| format!("{collection}/{of}"));
    let all = "wide_calls = [\"extension\", \"type\"]";
    for (settings, form, sent) in [
        ("", None, None),
        (all, None, None),
        (all, Some("--form=event"), None),
        ("", Some("--form=extension"), Some(vec![collection.to_owned()])),
        (all, Some("--form=type"), Some(types.to_vec())),
    ] {
        let pbx = named("the-page");
        configure(&pbx.home, &pbx.simulator.origin(), settings);
        let said = pbx.run(&with(&PAGE, &["--yes"]).into_iter().chain(form).collect::<Vec<_>>());
        assert_eq!(said.code, 0, "{form:?}: {}", said.err);
        let mut deletes = deletes(&pbx);
        deletes.sort();
        match sent {
            Some(sent) => assert_eq!(deletes, sent, "{form:?}"),
            None => assert!(deletes.len() == 3 && deletes[0].contains("/0/Nqey"), "{deletes:?}"),
        }
        let warned = said.err.contains("this PBX may delete all types");
        assert_eq!(warned, form == Some("--form=type"), "{}", said.err);
    }
}

#[test]
fn a_form_that_the_profile_does_not_allow_is_an_error_and_where_one_does_not_fit_events_go_by_id() {
    for (settings, form) in
        [("", "type"), ("wide_calls = []", "extension"), ("wide_calls = [\"type\"]", "extension")]
    {
        let pbx = named("the-page");
        configure(&pbx.home, &pbx.simulator.origin(), settings);
        let form = format!("--form={form}");
        let said = pbx.run(&[&PAGE[..], &[&form, "--yes"]].concat());
        assert_eq!((said.code, pbx.requests().len()), (2, 0), "{}", said.err);
        assert!(said.err.contains("wide_calls"), "{}", said.err);
    }
    let pbx = named("the-page");
    assert_eq!(pbx.run(&with(&PAGE, &["--form=wide", "--yes"])).code, 2);
    let said = pbx.run(&with(&PAGE, &["--type=hangup", "--form=extension", "--yes"]));
    assert_eq!((said.code, deletes(&pbx).len()), (0, 1), "{}", said.err);
    assert!(deletes(&pbx)[0].contains("/2/GOp2"));
}

/// What a wide deletion says, and the same run as its file tells it.
fn told_twice(pbx: &Pbx, arguments: &[&str]) -> (Said, serde_json::Value) {
    let all = "wide_calls = [\"extension\", \"type\"]\nconcurrency = 1";
    configure(&pbx.home, &pbx.simulator.origin(), all);
    let said = pbx.run(&[&["delete", "--yes", "--format=json"], arguments].concat());
    let run = said.document()["run"].as_str().unwrap().to_owned();
    let shown = pbx.run(&["show", &run, "--format=json"]).document();
    for field in ["surplus", "surplus_known", "stopped_by", "summary"] {
        assert_eq!(said.document()[field], shown[field], "{field}");
    }
    (said, shown)
}

#[test]
fn an_id_that_only_the_answer_named_is_surplus_without_a_type_and_the_exit_code_tells() {
    let pbx = named("the-page");
    pbx.simulator.with_world(|world| {
        let ids = ["NqeyDRqo4FtabmFj8gNWq3hsiGNYyq", "Asds2qw2frtabmFj8gNWq3hsiGNYyq"];
        let ids = ids.into_iter().chain(["GOp2s68AfgtabmFj8gNWq3hsiGNYyq", "late"]);
        let body = ids.map(|id| format!("{{\"id\":{id:?}}}")).collect::<Vec<_>>().join(",");
        world.add_fault(Fault {
            method: Some("DELETE".to_owned()),
            acts: true,
            status: Some(200),
            body: Some(format!("[{body}]")),
            ..Fault::default()
        });
    });
    let (said, shown) = told_twice(&pbx, &["--extension=0003*210", "--form=extension"]);
    assert_eq!(said.code, 3, "{}", said.err);
    let late = serde_json::json!([{"extension": "0003*210", "type": null, "id": "late"}]);
    assert_eq!((&shown["surplus"], &shown["surplus_known"]), (&late, &true.into()));
    assert!(said.err.contains("1 event GONE, NOT IN THE PLAN"), "{}", said.err);
}

#[test]
fn after_an_answer_without_ids_surplus_is_not_known_and_the_rest_goes_by_event_calls() {
    let pbx = named("three-extensions-with-events");
    pbx.simulator.with_world(|world| {
        world.delete_answer = DeleteAnswer::NoContent;
    });
    let (said, shown) = told_twice(&pbx, &["--where=ext:0003*10?", "--form=extension"]);
    assert_eq!((said.code, &shown["surplus_known"]), (3, &false.into()), "{}", said.err);
    assert!(said.err.contains("this PBX does not say what the call removed; events made in the"));
    let wide = deletes(&pbx).iter().filter(|one| one.ends_with("phoneCallEvents")).count();
    assert_eq!((wide, pbx.simulator.with_world(|world| world.event_count())), (1, 4));
    // An event call takes what it names and nothing else, ids or none.
    let pbx = named("the-page");
    pbx.simulator.with_world(|world| {
        world.delete_answer = DeleteAnswer::NoContent;
    });
    let (said, shown) = told_twice(&pbx, &["--extension=0003*210"]);
    assert_eq!((said.code, &shown["surplus_known"]), (0, &true.into()), "{}", said.err);
}

#[test]
fn a_type_call_that_takes_other_types_stops_a_run_that_has_no_screen() {
    let pbx = named("three-extensions-with-events");
    pbx.simulator.with_world(|world| {
        world.type_delete = TypeDelete::WipesExtension;
    });
    let before = pbx.simulator.with_world(|world| world.event_count());
    let (said, shown) = told_twice(&pbx, &["--where=type:hangup", "--form=type"]);
    assert_eq!((said.code, deletes(&pbx).len()), (3, 1), "{}", said.err);
    assert_eq!(shown["stopped_by"]["reason"], "surplus");
    assert!(shown["summary"]["not_sent"].as_u64().unwrap() > 0);
    assert!(!shown["surplus"].as_array().unwrap().is_empty());
    let run = shown["run"].as_str().unwrap();
    // It goes on by event calls, or comes back.
    let said = pbx.run(&["resume", run, "--dry-run", "--format=json"]);
    let calls = said.document();
    let calls = calls["calls"].as_array().unwrap();
    assert!(
        !calls.is_empty()
            && calls.iter().all(|call| call["path"].as_str().unwrap().contains("/2/"))
    );
    assert_eq!(pbx.run(&["undo", run, "--yes"]).code, 0);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), before);
}

#[test]
fn type_id_and_where_name_a_part_and_leave_the_rest() {
    for (arguments, left) in [
        (with(&PAGE, &["--type=dial-out", "--yes"]), 2),
        (with(&PAGE, &["--id=NqeyDRqo4FtabmFj8gNWq3hsiGNYyq", "--yes"]), 2),
        (vec!["delete", "--where=ext:0003*210 -type:dial-in", "--yes"], 1),
        (vec!["delete", "--where=id:Nqey*|GOp2*", "--yes"], 1),
    ] {
        let pbx = named("the-page");
        let said = pbx.run(&arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.err);
        assert_eq!(pbx.simulator.with_world(|world| world.event_count()), left, "{arguments:?}");
    }
}

#[test]
fn without_a_name_a_yes_or_a_match_nothing_is_sent() {
    let pbx = named("the-page");
    for (arguments, code, words) in [
        (vec!["delete", "--yes"], 2, "name the events"),
        (vec!["delete", "--where=", "--yes"], 2, "every event"),
        (vec!["delete", "--where=ext:*", "--id=a"], 2, "write type: and id: in --where"),
        (vec!["delete", "--where=type:hangupp", "--yes"], 2, "column 6"),
        (with(&PAGE, &["--where=type:hangup"]), 2, "write ext:N in --where"),
        (PAGE.to_vec(), 4, "pass --yes"),
        (with(&PAGE, &["--id=nothing", "--yes"]), 2, "is not listed: --id nothing"),
        (with(&PAGE, &["--type=answer-incoming", "--yes"]), 4, "matches no event"),
        (with(&PAGE, &["--yes", "--read-only"]), 4, "read-only"),
        (vec!["delete", "--extension=0003*999", "--yes"], 2, "extension_invalid"),
    ] {
        let said = pbx.run(&arguments);
        assert_eq!(said.code, code, "{arguments:?}: {}", said.err);
        assert!(said.err.contains(words), "{arguments:?}: {}", said.err);
    }
    configure(&pbx.home, &pbx.simulator.origin(), "max_delete = 2");
    let said = pbx.run(&with(&PAGE, &["--yes"]));
    assert_eq!(said.code, 4);
    assert!(said.err.contains("at most 2"), "{}", said.err);
    assert!(deletes(&pbx).is_empty());
}

#[test]
fn what_cannot_be_read_is_not_deleted_and_makes_it_a_part() {
    let mut world = World::named("the-page").unwrap();
    let mut dead = Extension::new("0003*211", Kind::Terminal, "");
    dead.refuse_list = Some(callsweep::simulator::Refusal::ExtensionInvalid);
    world.insert(dead);
    let pbx = pbx(world);
    let said = pbx.run(&["delete", "--where=ext:0003*2??", "--yes"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("0003*211 could not be read"), "{}", said.err);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 0);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the program asks the same clock")]
fn a_date_without_an_offset_is_as_old_as_the_operators_clock_says() {
    let mut world = World::named("the-page").unwrap();
    let here = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now());
    let later = here.checked_add(jiff::SignedDuration::from_hours(4)).unwrap();
    let dated = |event: &mut callsweep::simulator::Event| {
        event.modified = later.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    };
    world.extension_mut("0003*210").unwrap().events.iter_mut().for_each(dated);
    let pbx = pbx(world);
    let zones = ["UTC", "JST-9", "Asia/Tokyo"].into_iter();
    let known =
        |zone: &&str| !zone.contains('/') || std::path::Path::new("/usr/share/zoneinfo").exists();
    for zone in zones.filter(known) {
        for (expression, ahead) in [("age:<0d", false), ("age:>0d", true)] {
            let arguments = ["list", "--format=json", "--where", expression];
            let mut command = command(&pbx.home, &pbx.simulator.token(), &arguments);
            let said = Said::of(command.env("TZ", zone).output().unwrap());
            let events = if ahead == (zone != "UTC") { 3 } else { 0 };
            let listed = said.document()["events"].as_array().unwrap().len();
            assert_eq!(listed, events, "{zone} {expression}: {}", said.err);
        }
    }
}

#[test]
fn refusals_stand_in_the_document_with_code_message_and_status() {
    let pbx = named("an-extension-refuses");
    let said = pbx.run(&["delete", "--where=ext:*", "--yes", "--format=json"]);
    assert_eq!(said.code, 3, "{}", said.err);
    let document = said.document();
    let of = |outcome: &str| -> Vec<Value> {
        let all = document["outcomes"].as_array().unwrap().iter();
        all.filter(|line| line["outcome"] == outcome).cloned().collect()
    };
    assert_eq!((of("refused").len(), of("deleted").len()), (2, 2));
    assert_eq!(of("refused")[0]["code"], "pce_access_denied");
    assert_eq!(of("refused")[0]["http_status"], 400);
    assert!(of("deleted").iter().all(|line| line["http_status"] == 200), "{document}");
    assert_eq!(
        pbx.run(&["show", "latest", "--format=json"]).document()["outcomes"],
        document["outcomes"]
    );
}

#[test]
fn an_id_in_an_expression_that_is_not_listed_is_a_mistake_and_nothing_is_sent() {
    let pbx = named("the-page");
    let (id, no) = ("NqeyDRqo4FtabmFj8gNWq3hsiGNYyq", "nobody");
    for (expression, code) in [
        (format!("id:{id}|{no}"), 2),
        (format!("type:0 id:{no}"), 2),
        (format!("ext:* -id:{no}"), 0),
        (format!("id:{id}|{no}*"), 0),
    ] {
        let said = pbx.run(&["delete", &format!("--where={expression}"), "--yes", "--dry-run"]);
        assert_eq!(said.code, code, "{expression}: {}", said.err);
        assert_eq!(said.err.contains("this is not listed: id:nobody"), code == 2, "{}", said.err);
    }
    assert!(pbx.requests().iter().all(|request| request.starts_with("GET")));
}

#[test]
fn a_service_that_fails_is_not_hammered_and_everything_unsent_says_so() {
    let pbx = named("three-extensions-with-events");
    pbx.simulator.with_world(|world| {
        let method = Some("DELETE".to_owned());
        world.add_fault(Fault { method, status: Some(503), ..Fault::default() });
    });
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    let said = pbx.run(&["delete", "--where=ext:*", "--yes", "--format=json"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let document = said.document();
    let count = |outcome: &str| document["summary"][outcome].as_u64().unwrap();
    assert!((1..=5).contains(&count("refused")) && count("not_sent") > 5, "{document}");
    assert!(said.err.contains("STOPPED: "), "{}", said.err);
    assert_eq!(deletes(&pbx).len(), 6);
}

#[test]
fn a_service_that_wants_an_hour_is_told_with_the_moment_from_which_it_can_be_gone_on_with() {
    let pbx = named("three-extensions-with-events");
    pbx.simulator.with_world(|world| {
        let (method, retry_after) = (Some("DELETE".to_owned()), Some("3600".to_owned()));
        world.add_fault(Fault { method, retry_after, status: Some(429), ..Fault::default() });
    });
    let said = pbx.run(&["delete", "--where=ext:*", "--yes", "--format=json"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let stop = said.document()["stopped_by"].clone();
    assert_eq!((stop["reason"].as_str(), &stop["resumable"]), (Some("retry_after"), &true.into()));
    let not_before = stop["not_before"].as_str().unwrap().to_owned();
    assert!(not_before.ends_with('Z') && not_before.parse::<jiff::Timestamp>().is_ok());
    assert!(said.err.contains(&format!("STOPPED: resumable after {not_before}")), "{}", said.err);
    assert!(said.err.contains("callsweep resume "), "{}", said.err);
    assert_eq!(said.document()["check"], "not_checked");
    let shown = pbx.run(&["show", "latest", "--format=json"]).document();
    assert_eq!(shown["stopped_by"]["not_before"], not_before);
    let runs = pbx.run(&["runs", "--format=json"]).document();
    assert_eq!(runs["runs"][0]["stopped_by"]["not_before"], not_before);
    assert!(pbx.run(&["runs"]).out.contains(&not_before));
}

#[test]
fn list_and_delete_mean_the_same_events_by_the_same_expression() {
    for expression in ["type:dial-in", "url:*crm* -method:post", "status:on modified:>2012-01-01"] {
        let pbx = named("the-page");
        let listed = pbx.run(&["list", "--format=json", "--where", expression]);
        let listed = listed.document()["events"].as_array().unwrap().len();
        let dry = pbx.run(&["delete", "--dry-run", "--format=json", "--where", expression]);
        let covered: u64 = if dry.code == 4 {
            0
        } else {
            let calls = dry.document()["calls"].as_array().unwrap().clone();
            calls.iter().map(|call| call["covers"].as_u64().unwrap()).sum()
        };
        assert_eq!(u64::try_from(listed).unwrap(), covered, "{expression}");
    }
}

/// A deletion of three event calls, the first of which is out and takes so long.
fn under_way(latency: u64, shell: Option<&str>) -> (Pbx, Child) {
    let pbx = named("the-page");
    pbx.simulator.with_world(|world| world.latency.delete = Duration::from_millis(latency));
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    let arguments = ["delete", "--where=ext:*", "--yes", "--format=json"];
    let plain = command(&pbx.home, &pbx.simulator.token(), &arguments);
    let mut command = match shell {
        None => plain,
        Some(script) => {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]).arg(plain.get_program()).args(plain.get_args());
            command.env_clear();
            command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command
        }
    };
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until(|| !deletes(&pbx).is_empty(), "no DELETE goes out");
    (pbx, child)
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

fn outcomes(document: &Value) -> Vec<&str> {
    let outcomes = document["outcomes"].as_array().unwrap().iter();
    outcomes.map(|line| line["outcome"].as_str().unwrap()).collect()
}

#[test]
fn a_signal_stops_a_deletion_in_order_and_is_told_by_the_exit_code() {
    // An answer that comes in time, and one that does not.
    for (signals, code, latency, first) in [
        (&["TERM"][..], 143, 500, "deleted"),
        (&["HUP"], 129, 500, "deleted"),
        (&["HUP", "HUP"], 129, 500, "deleted"),
        (&["INT"], 130, 10_000, "unknown"),
    ] {
        let (pbx, child) = under_way(latency, None);
        let asked = Watch::starts();
        for signal in signals {
            send(signal, &child);
        }
        let said = Said::of(child.wait_with_output().unwrap());
        assert_eq!(said.code, code, "{}", said.err);
        asked.is_within(Duration::from_secs(3), signals);
        let document = said.document();
        assert_eq!(outcomes(&document), [first, "not_sent", "not_sent"]);
        if first == "deleted" {
            assert_eq!(document["stopped_by"]["reason"], "signal", "{document}");
            let run = pbx.run(&["runs", "--format=json"]).document()["runs"][0].clone();
            assert!(
                run["finished"].is_string() && run["stopped_by"]["reason"] == "signal",
                "{run}"
            );
        }
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (_pbx, mut child) = under_way(10_000, None);
    let asked = Watch::starts();
    while child.try_wait().unwrap().is_none() {
        send("TERM", &child);
    }
    asked.is_within(Duration::from_millis(700), "the end");
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, 143, "{}", said.err);
    assert_eq!(outcomes(&said.document()), ["unknown", "not_sent", "not_sent"]);
}

#[test]
fn a_hang_up_that_is_ignored_as_under_nohup_stops_nothing() {
    let (pbx, child) = under_way(200, Some("trap '' HUP; exec \"$0\" \"$@\""));
    send("HUP", &child);
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 0);
}

#[test]
fn what_is_wrong_with_the_arguments_or_the_profile_stands_in_the_document_too() {
    let delete = |more: &[&'static str]| [&["delete", "--yes"], more].concat();
    let list = |more: &[&'static str]| [&["list"], more].concat();
    let wrong = [
        (delete(&["--where=foo:"]), 2),
        (delete(&["--where="]), 2),
        (delete(&["--extension=0003*210", "--id="]), 2),
        (delete(&["--extension=0003*210", "--id=../.."]), 2),
        (delete(&["--extension=@self"]), 2),
        (delete(&[]), 2),
        (delete(&["--where=ext:*", "--form=type"]), 2),
        (vec!["--mask", "delete", "--where=ext:*", "--yes"], 2),
        (delete(&["--where=ext:*", "--profile=no"]), 2),
        (delete(&["--where=note:nobody"]), 4),
        (delete(&["--where=id:nobody"]), 2),
        (list(&["--where=type:hangupp"]), 2),
        (list(&["--id="]), 2),
        (list(&["--extension=x"]), 2),
        (list(&["--config=/nowhere.toml"]), 2),
        (delete(&["--form=all"]), 2),
        (vec!["undo", "no", "--yes"], 2),
        (vec!["undo", "no", "--yes", "--config=/nowhere.toml"], 2),
        (vec!["resume", "no", "--yes"], 2),
        (vec!["resume", "latest", "--yes", "--config=/nowhere.toml"], 2),
    ];
    let pbx = named("the-page");
    for (arguments, code) in wrong {
        let said = pbx.run(&[&arguments[..], &["--format=json"]].concat());
        assert_eq!(said.code, code, "{arguments:?}: {}", said.err);
        let document: Value = serde_json::from_str(&said.out)
            .unwrap_or_else(|_| panic!("{arguments:?}: {}", said.out));
        let why = document["error"].as_str().unwrap_or_else(|| panic!("{arguments:?}: {document}"));
        assert!(!why.is_empty() && !said.err.is_empty(), "{arguments:?}: {why}, {}", said.err);
        let table = pbx.run(&arguments);
        assert_eq!((table.code, table.out.as_str()), (code, ""), "{arguments:?}");
    }
}

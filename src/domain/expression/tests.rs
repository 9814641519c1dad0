//! Accepted texts with what they mean, refused texts with their columns, and the way there and
//! back.

use std::sync::LazyLock;

use jiff::ZonedDateTime;
use proptest::collection::vec;
use proptest::prelude::*;

use super::pattern::Glyph;
use super::*;
use crate::domain::{ExtensionKind, ExtensionNumber, Foreign, UserId};

/// Whose event it is.
static EXTENSION: LazyLock<Extension> = LazyLock::new(|| Extension {
    label: Foreign::from("Réception Ost"),
    kind: Some(ExtensionKind::Queue),
    owner: Some(Owner { id: UserId::parse("101").unwrap(), name: Foreign::default() }),
    ..Extension::of(ExtensionNumber::parse("0003*210").unwrap())
});

fn event() -> Candidate<'static> {
    Candidate {
        extension: &EXTENSION,
        event_type: EventType::Hangup,
        id: "NqeyDRqo4F",
        method: "1",
        url: "https://bob@CRM-old.acme.test:8443/in?ext=%EXT%&a|b",
        note: "the \"old\" CRM *1",
        status: "0",
        modified: Modified::parse("2024-01-01T01:30:00+02:00"),
        standings: Standings { failed: true, ..Standings::default() },
    }
}

/// Noon of the fifteenth of June 2024 where clocks are two hours ahead in summer, and one in winter.
fn now() -> ZonedDateTime {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    "2024-06-15T10:00:00Z".parse::<Timestamp>().unwrap().to_zoned_datetime(zone)
}

fn parse(text: &str) -> Expression {
    Expression::parse(text, &now(), &Standing::ALL)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn what_is_written_matches_the_event() {
    for text in [
        "",
        "  ",
        "type:hangup",
        "TYPE:Hangup",
        "type:2",
        "type:dial-in|hangup",
        "-type:dial-in",
        "ext:0003*210",
        "ext:0003*2??",
        "ext:0003\\*210",
        "ext:*210",
        "id:NqeyDRqo4F",
        "id:Nq*",
        "url:*CRM-old*",
        "url:https://*",
        "url:*a\\|b",
        "url:\"*a|b\"",
        "url:*/*/*ext=*",
        "host:crm-OLD.acme.test",
        "host:*.acme.tes?",
        "note:\"the \\\"old\\\" CRM \\*1\"",
        "note:\"*old*\"",
        "note:?*",
        "ext:*",
        "-ext:9|8*",
        "\"*\"",
        "method:post",
        "method:get|POST",
        "method:1",
        "status:off",
        "status:disabled",
        "status:0",
        "modified:<2024-01-02",
        "modified:<2024-02",
        "modified:<2025",
        "modified:2024-01-01",
        "modified:2024-01",
        "modified:2024",
        "modified:>2023",
        "modified:>2023-12-31",
        "modified:2024-01-01..2024-01-01",
        "modified:2023-12-31..2024-06-01",
        "modified:2023..2024-01",
        "modified:2020|2024",
        "-modified:>2024-01-01",
        "age:>5m",
        "age:>5M|<1d",
        "age:<6m",
        "age:>23w age:<167d",
        "is:failed",
        "is:marked|FAILED -is:duplicate",
        "kind:queue",
        "kind:ivr|QUEUE",
        "-kind:phone",
        "owner:101",
        "-owner:10",
        "label:réception*",
        "label:\"RÉCEPTION ost\"",
        "host:CRM-old.acme.test:8443",
        "host:*:84??",
        "0003*2",
        "RÉCEPTION",
        "old",
        "nqeyd",
        "\"a|b\"",
        "nothing|old",
        "https://bob",
        "-\"-\"\\?",
        "type:hangup old -status:on",
    ] {
        assert!(parse(text).matches(&event()), "{text}");
    }
}

#[test]
fn what_is_written_leaves_the_event_out() {
    for text in [
        "type:dial-in",
        "type:9",
        "-type:hangup",
        "ext:0003*2",
        "ext:0003\\*2\\?\\?",
        "id:nqeydrqo4f",
        "id:Nq",
        "url:CRM-old",
        "url:*crm-old*",
        "host:acme.test",
        "host:crm-old.acme.test:84",
        "host:*8443",
        "-note:?*",
        "note:\"the \\\"old\\\" CRM ?\"",
        "method:get",
        "method:\"1 \"",
        "-method:\"1 \"|post",
        "status:on",
        "modified:>2024-01-01",
        "modified:>2024",
        "modified:>2024-01",
        "modified:<2024",
        "modified:<2024-01-01",
        "modified:2023",
        "modified:2023-12..2023",
        "age:<5m",
        "age:>1y",
        "is:marked|duplicate",
        "-is:failed",
        "kind:phone|ivr|conference",
        "-kind:queue",
        "kind:\"phoneQueue\"",
        "owner:1",
        "label:ost",
        "label:?*Ostend",
        "0003?2",
        "o*d",
        "-old",
        "-nothing|old",
        "type:hangup nothing",
    ] {
        assert!(!parse(text).matches(&event()), "{text}");
    }
}

#[test]
fn a_value_that_cannot_be_read_matches_neither_a_term_nor_its_negation() {
    let dated = |text: &str| Candidate { modified: Modified::parse(text), ..event() };
    let mut open: Vec<(Candidate<'_>, &str, Unread)> = Vec::new();
    for written in ["", "yesterday", "20240101", "1704067200", "2024-02-30", "0000-00-00 00:00:00"]
    {
        for text in ["modified:<2030", "modified:>2000-01-01", "modified:2024", "age:>1d|<1d"] {
            open.push((dated(written), text, Unread::Date));
        }
    }
    for written in ["", "paused", "on", "2", "01", " 1", "true"] {
        let (method, status) =
            (Candidate { method: written, ..event() }, Candidate { status: written, ..event() });
        open.push((method.clone(), "method:get", Unread::Method));
        open.push((method, "method:post|\"x\"", Unread::Method));
        open.push((status.clone(), "status:off", Unread::Status));
        open.push((status, "status:on|off", Unread::Status));
    }
    open.push((Candidate { status: "", ..event() }, "status:7", Unread::Status));
    let bare = Extension::of(ExtensionNumber::parse("0003*210").unwrap());
    for (text, why) in [
        ("kind:phone|queue|ivr|conference", Unread::Kind),
        ("owner:101", Unread::Owner),
        ("label:?*t", Unread::Label),
    ] {
        open.push((Candidate { extension: &bare, ..event() }, text, why));
    }
    for (event, text, why) in open {
        for text in [text.to_owned(), format!("-{text}")] {
            assert_eq!(parse(&text).judge(&event), Verdict::PassedOver(why), "{text} {event:?}");
            assert!(!parse(&text).matches(&event), "{text} {event:?}");
        }
    }
    let fraction = Candidate { modified: Modified::parse("2024-01-01T10:00:00.5Z"), ..event() };
    assert!(parse("modified:2024-01-01").matches(&fraction));
}

#[test]
fn in_a_number_a_star_behind_a_digit_is_its_own() {
    let numbers = [
        "0003*10",
        "0003*210",
        "0003*1210",
        "00031*210",
        "00031*10",
        "0003**10",
        "0003*",
        "0003",
        "210",
        "*210",
        "10",
        "0004*10",
    ];
    for (text, wanted) in [
        ("ext:0003*10", &["0003*10"][..]),
        ("ext:\"0003*10\"", &["0003*10"]),
        ("ext:\"0003\"*10", &["0003*10"]),
        ("ext:0003\\*10", &["0003*10"]),
        ("ext:\\0\\0\\0\\3*10", &["0003*10"]),
        ("ext:0003*", &["0003*10", "0003*210", "0003*1210", "0003**10", "0003*"]),
        ("ext:\"0003*\"", &["0003*10", "0003*210", "0003*1210", "0003**10", "0003*"]),
        ("ext:0003\\*", &["0003*"]),
        (
            "ext:0003*|0004*10",
            &["0003*10", "0003*210", "0003*1210", "0003**10", "0003*", "0004*10"],
        ),
        ("ext:0003*?10", &["0003*210", "0003**10"]),
        (
            "ext:000?*10",
            &["0003*10", "0003*210", "0003*1210", "00031*210", "00031*10", "0003**10", "0004*10"],
        ),
        ("ext:0003**10", &["0003*10", "0003*210", "0003*1210", "0003**10"]),
        ("ext:*210", &["0003*210", "0003*1210", "00031*210", "210", "*210"]),
        ("ext:\\*210", &["*210"]),
        ("ext:*03*", &["0003*10", "0003*210", "0003*1210", "0003**10", "0003*"]),
        ("ext:???", &["210"]),
        ("ext:210*", &[]),
        ("ext:*", &numbers),
    ] {
        let expression = parse(text);
        let fits = |number: &&&str| {
            let extension = Extension::of(ExtensionNumber::parse(number).unwrap());
            expression.matches(&Candidate { extension: &extension, ..event() })
        };
        let found: Vec<_> = numbers.iter().filter(fits).copied().collect();
        assert_eq!(found, wanted, "{text}");
        assert_eq!(parse(&expression.to_string()), expression, "{text}");
    }
}

#[test]
fn a_date_is_compared_as_it_is_shown_and_an_age_by_the_moment() {
    let dated = |text: &'static str| Candidate { modified: Modified::parse(text), ..event() };
    for (written, yes, no) in [
        // On the other side of midnight in UTC.
        ("2024-05-31T23:30:00-05:00", "modified:2024-05", "modified:2024-06"),
        ("2024-06-01T00:30:00+05:45", "modified:>2024-05", "modified:<2024-06"),
        ("2024-05-31T23:59:59.999Z", "modified:2024-05-31", "modified:>2024-05-31"),
        ("1969-12-31T23:59:59Z", "modified:<1970", "modified:1970"),
        // Without an offset.
        ("2024-05-31T23:30:00", "modified:2024-05-31", "modified:2024-06"),
        ("2024-05-31", "modified:2024-05", "modified:>2024-05"),
        ("2024-05-31 10:00:00", "modified:2024-05-31", "-modified:2024"),
        // A day ago to the second, at noon in summer time.
        ("2024-06-14T10:00:00Z", "age:>23d|<2d", "age:>1d"),
        ("2024-06-14T10:00:00Z", "age:<2d", "age:<1d"),
        ("2024-06-14T09:59:59Z", "age:>1d", "age:<1d"),
        ("2024-06-14T11:59:59", "age:>1d", "age:<1d"),
        ("2024-06-14T12:00:01", "age:<1d", "age:>1d"),
        ("2024-06-14T12:00:01+02:00", "age:<1d", "age:>1d"),
        ("2024-06-15", "age:<1d", "age:>1d"),
        // Days of the calendar, though one of them had 23 hours, and in winter time.
        ("2024-03-15T11:30:00", "age:>3m", "age:<3m"),
        ("2024-03-15T11:00:01Z", "age:<3m", "age:>3m"),
        ("2024-03-15T10:59:59Z", "age:>92d", "age:<92d"),
        ("2023-06-15T09:59:59Z", "age:>1y age:>52w", "age:<1y"),
        // Yet to come.
        ("2030-01-01T00:00:00Z", "age:<0d", "age:>0d"),
    ] {
        assert!(parse(yes).matches(&dated(written)), "{written} {yes}");
        assert!(!parse(no).matches(&dated(written)), "{written} {no}");
    }
}

#[test]
fn what_is_not_known_decides_only_where_nothing_else_does() {
    let event = Candidate { modified: Modified::parse("once"), status: "", ..event() };
    for (text, verdict) in [
        ("modified:2024-01-01 type:dial-in", Verdict::NotMeant),
        ("type:dial-in -modified:2024-01-01", Verdict::NotMeant),
        ("-modified:2024-01-01 host:other.test", Verdict::NotMeant),
        (
            "-modified:2024-01-01 type:hangup host:crm-old.acme.test",
            Verdict::PassedOver(Unread::Date),
        ),
        ("modified:2024-01-01 status:on", Verdict::PassedOver(Unread::Status)),
        ("type:hangup", Verdict::Meant),
    ] {
        assert_eq!(parse(text).judge(&event), verdict, "{text}");
    }
    let paused = Candidate { status: "paused", ..event };
    assert_eq!(parse("status:on|\"paused\"").judge(&paused), Verdict::Meant);
    assert_eq!(parse("-status:on|\"paused\"").judge(&paused), Verdict::NotMeant);
}

#[test]
fn nothing_widens_a_selection_without_saying_so() {
    for (text, column) in [
        ("\"\"", 1),
        ("\"\" \"\"", 1),
        ("-\"\"", 2),
        ("zzz|\"\"", 5),
        ("\"\"|zzz", 1),
        ("\" \"", 1),
        ("\"\u{a0}\"", 1),
        ("\\ ", 2),
        ("type:hangup \"\"", 13),
        ("\"\"\"\"", 1),
        ("|", 1),
        ("-|", 2),
        ("\"|\"|", 5),
        ("*", 1),
        ("-*", 2),
        ("crm|*", 5),
        ("?*", 1),
        ("*\"\"", 1),
        ("--yes", 2),
        ("--", 2),
        ("- type:hangup", 1),
        ("ext:\"\"", 5),
        ("ext:210|\"\"", 9),
        ("id:\"\"", 4),
        ("-id:\"\"", 5),
        ("id:*", 4),
        ("url:?*", 5),
        ("host:*?", 6),
        ("url:", 5),
        ("url:\"\"", 5),
        ("url:**", 5),
        ("-url:\"*\"", 6),
        ("host:\"\"", 6),
        ("host:*", 6),
        ("note:\"\"", 6),
        ("-note:\"\"", 7),
        ("note:crm|*", 10),
        ("type:\"\"", 6),
        ("type:0|", 8),
        ("method:\"\"", 8),
        ("status:on|\"\"", 11),
        ("modified:\"\"", 10),
        ("modified:..", 10),
        ("modified:>", 10),
        ("kind:\"\"", 6),
        ("owner:*", 7),
        ("label:\"\"", 7),
        ("label:?*", 7),
        ("age:", 5),
        ("age:>", 5),
    ] {
        let error = Expression::parse(text, &now(), &Standing::ALL).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
    }
}

#[test]
fn what_the_service_wrote_beside_the_documentation_stands_in_quotes() {
    let event = Candidate { status: "paused", method: "2", ..event() };
    assert!(parse("status:\"paused\" method:2").matches(&event));
    assert!(!parse("status:on|off").matches(&event));
}

#[test]
fn every_key_is_named_among_the_terms_and_every_term_is_one() {
    for (key, _) in parse::Key::ALL {
        assert!(TERMS.iter().any(|(term, _)| term.starts_with(&format!("{key}:"))), "{key}");
    }
    for (term, _) in TERMS {
        assert_eq!(parse(term).to_string(), term);
    }
}

#[test]
fn a_host_is_found_in_odd_urls_too() {
    for (url, host) in [
        ("https://crm.test", "crm.test"),
        ("http://u:p@h:1/x@y", "h"),
        ("http://[::1]:80/", "::1"),
        ("http://h?x", "h"),
        ("no url", ""),
        ("", ""),
    ] {
        assert_eq!(host_of(url), host, "{url}");
    }
}

#[test]
fn a_refusal_names_the_column_the_value_and_the_remedy() {
    for (text, column, part) in [
        ("type:", 6, "a value of type: is missing"),
        ("old type:hungup", 10, "\"hungup\" is not a type: write dial-in, dial-out, hangup"),
        ("type:99999", 6, "up to 65535"),
        ("é typ:hangup", 3, "\"typ\" is not a key: write one of type, ext"),
        ("-", 1, "nothing stands behind the -"),
        ("a -", 3, "nothing stands behind the -"),
        ("a|", 3, "a word is missing"),
        ("a||b", 3, "a word is missing"),
        ("|a", 1, "a word is missing"),
        ("-ext:1||2", 8, "a value of ext: is missing"),
        ("note:\"old", 6, "never closed"),
        ("url:a\\", 6, "nothing stands behind the \\"),
        ("method:put", 8, "\"put\" is not a method: write get, post"),
        ("status:on|of", 11, "\"of\" is not a status: write on, off"),
        ("ext:1|id:2", 7, "id: cannot stand behind |"),
        ("modified:<", 10, "\"\" is not a date"),
        ("modified:<2024-13-01", 11, "\"2024-13-01\" is not a date"),
        ("modified:20240101", 10, "is not a date"),
        ("modified:2024-01-01T10:00:00Z", 10, "is not a date"),
        ("modified:2024-1", 10, "write 2024-01-31, 2024-01 or 2024"),
        ("modified:24", 10, "is not a date"),
        ("modified:>=2024", 11, "is not a date"),
        ("modified:<1y", 11, "\"1y\" is an age, not a date: write age:>1y"),
        ("old -modified:>90D", 16, "write age:<90d"),
        ("modified:2w", 10, "write age:<2w"),
        ("modified:<2024|<1y", 17, "write age:>1y"),
        ("age:1y", 5, "write age:>1y for older or age:<1y for younger"),
        ("age:>2024-01", 6, "is a date, no age: write modified:<2024-01"),
        ("age:<2024", 6, "write modified:>2024"),
        ("age:>y", 6, "is not an age"),
        ("age:>1h", 6, "is not an age"),
        ("age:>-1d", 6, "is not an age"),
        ("age:>99999y", 6, "reaches back before the first date"),
        ("age:>4294967295d", 6, "reaches back before the first date"),
        ("age:>4294967296d", 6, "is not an age"),
        ("kind:term", 6, "\"term\" is not a kind: write phone, queue, ivr, conference"),
        ("modified:2024-01-01..", 10, "is not a date"),
        ("modified:2024-02-01..2024-01-01", 10, "ends before it begins"),
    ] {
        let error = Expression::parse(text, &now(), &Standing::ALL).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn what_is_not_known_in_a_place_is_refused_there_and_never_taken_for_nothing() {
    for (text, known, column, part) in [
        (
            "-is:marked",
            &[Standing::Duplicate][..],
            5,
            "is:marked works on the screen only: write duplicate",
        ),
        ("is:duplicate|failed", &[Standing::Duplicate], 14, "write duplicate"),
        ("is:duplicate", &[], 4, "leave is: away here"),
        (
            "is:twin",
            &Standing::ALL,
            4,
            "\"twin\" is not known behind is: write duplicate, marked, failed",
        ),
    ] {
        let error = Expression::parse(text, &now(), known).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn a_caret_points_at_the_column() {
    let error = Expression::parse("é type:x", &now(), &Standing::ALL).unwrap_err();
    assert_eq!(error.pointed_at("é type:x"), "é type:x\n       ^");
}

#[test]
fn an_extension_is_asked_for_itself_and_then_for_its_events() {
    let reads =
        |text: &str| Expression::parse_for_extensions(text, &now(), &Standing::ALL).unwrap();
    let of_all = |text: &str| reads(text).narrowed(&EXTENSION).map(|narrowed| narrowed.of_all());
    for text in
        ["", "3*21", "RÉCEPTION", "ost", "Queue", "ext:*210", "-west", "kind:queue -label:x"]
    {
        assert_eq!(of_all(text), Some(Some(Verdict::Meant)), "{text:?}");
    }
    for text in ["0004", "west", "ivr", "ext:210", "-queue", "old", "owner:1 type:hangup"] {
        assert_eq!(of_all(text), None, "{text:?}");
    }
    for text in ["type:hangup", "ost -status:on", "host:x|y"] {
        assert_eq!(of_all(text), Some(None), "{text:?}");
    }
    assert_eq!(reads("ost old").to_string(), "ost old");
}

#[test]
fn the_canonical_text_is_short_and_puts_cheap_terms_first() {
    for (text, printed) in [
        (" old   TYPE:2|9 ", "type:hangup|9 old"),
        ("modified:2024-01-01..2024-01-01", "modified:2024-01-01"),
        ("modified:2024-01..2024-01", "modified:2024-01"),
        ("modified:<2024|2024-02-01..2024-02", "modified:<2024|2024-02-01..2024-02"),
        ("age:>07D|<2w", "age:>7d|<2w"),
        ("KIND:Phone|\"queue\"|\"term\" label:Sales*", "kind:phone|queue|\"term\" label:sales*"),
        ("ext:\"0003*\"|0003\\*|0003*10", "ext:0003*|0003\\*|0003*10"),
        ("status:enabled|\"0\"|\"x\"", "status:on|off|\"x\""),
        ("url:https://*", "url:\"https://*\""),
        ("-ext:0003*2??", "-ext:0003*2??"),
    ] {
        assert_eq!(parse(text).to_string(), printed);
    }
}

fn wild() -> impl Strategy<Value = Vec<Glyph>> {
    glyphs().prop_filter("means not everything", |glyphs| {
        let plain = glyphs.iter().any(|glyph| matches!(glyph, Glyph::Just(_)));
        plain || !glyphs.is_empty() && !glyphs.contains(&Glyph::Any)
    })
}

fn numbers() -> impl Strategy<Value = Vec<Glyph>> {
    let glyph = prop_oneof![
        Just(Glyph::Just('*')),
        Just(Glyph::Any),
        Just(Glyph::One),
        Just(Glyph::Just('3')),
        any::<char>().prop_map(Glyph::Just),
    ];
    vec(glyph, 1..8)
}

fn glyphs() -> impl Strategy<Value = Vec<Glyph>> {
    let glyph = prop_oneof![
        any::<char>().prop_map(Glyph::Just),
        "[-*?|:\\\\\" a.<]".prop_map(|text| Glyph::Just(text.chars().next().unwrap())),
        Just(Glyph::One),
        Just(Glyph::Any),
    ];
    vec(glyph, 0..8)
}

fn days() -> impl Strategy<Value = Days> {
    (0i16..=9999, 1i8..=12, 1i8..=28, 0..3).prop_map(|(year, month, day, whole)| {
        let day = Date::constant(year, month, day);
        match whole {
            0 => Days { first: day, last: day },
            1 => Days { first: day.first_of_month(), last: day.last_of_month() },
            _ => Days { first: day.first_of_year(), last: day.last_of_year() },
        }
    })
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        days().prop_map(Span::Before),
        days().prop_map(Span::After),
        (days(), days()).prop_map(|(a, b)| {
            if a.first <= b.last { Span::Within(a, b) } else { Span::Within(b, a) }
        }),
    ]
}

fn age() -> impl Strategy<Value = Age> {
    "[<>][0-9]{1,3}[dwmy]".prop_map(|text| {
        match parse(&format!("age:{text}")).terms.remove(0).test {
            Test::Age(ages) => ages[0],
            other => panic!("{other:?}"),
        }
    })
}

fn test() -> impl Strategy<Value = Test> {
    let patterns =
        |ignore_case| vec(wild().prop_map(move |glyphs| Pattern::new(glyphs, ignore_case)), 1..4);
    let text = || any::<String>().prop_filter("not empty", |text| !text.trim().is_empty());
    let raw = move || vec(prop_oneof!["[0-9]{1,3}", text()], 1..4);
    prop_oneof![
        vec(any::<u16>().prop_map(|n| EventType::from_number(n % 7)), 1..4).prop_map(Test::Type),
        raw().prop_map(Test::Method),
        raw().prop_map(Test::Status),
        raw().prop_map(Test::Kind),
        vec(age(), 1..4).prop_map(Test::Age),
        vec(proptest::sample::select(&Standing::ALL[..]), 1..4).prop_map(Test::Is),
        patterns(false).prop_map(Test::Owner),
        vec(wild().prop_map(|g| Pattern::new(parse::in_lower_case(&g), false)), 1..4)
            .prop_map(Test::Label),
        vec(span(), 1..4).prop_map(Test::Modified),
        vec(numbers().prop_map(|g| Pattern::new(parse::with_own_stars(&g), false)), 1..4)
            .prop_map(Test::Extension),
        patterns(false).prop_map(Test::Id),
        patterns(true).prop_map(Test::Host),
        patterns(false).prop_map(Test::Url),
        patterns(false).prop_map(Test::Note),
        vec(prop_oneof!["[-a-z:|*\\\\\"/ ]{0,6}[a*:]", text()].prop_map(Word::new), 1..4)
            .prop_map(Test::Words),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(
        terms in vec((any::<bool>(), test()), 0..5)
    ) {
        let terms = terms.into_iter().map(|(negated, test)| Term { negated, test }).collect();
        let expression = Expression::of(terms, now().time_zone().clone());
        let text = expression.to_string();
        prop_assert_eq!(Expression::parse(&text, &now(), &Standing::ALL).map_err(|e| format!("{text}: {e}")), Ok(expression));
    }

    #[test]
    fn no_text_breaks_the_parser(text in prop_oneof![
        any::<String>(),
        "(-|type:|ext:|kind:|label:|is:|marked|modified:|age:|<|>|1y|\\.\\.|\\||\"|\\\\|2024|-01| |a|é|\\*){0,12}",
    ]) {
        match Expression::parse(&text, &now(), &Standing::ALL) {
            Ok(expression) => {
                expression.matches(&event());
                prop_assert_eq!(Expression::parse(&expression.to_string(), &now(), &Standing::ALL), Ok(expression));
            }
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.column)),
        }
    }

    #[test]
    fn every_shape_of_a_pattern_means_what_its_characters_mean_one_by_one(
        glyphs in vec(prop_oneof![
            Just(Glyph::Just('a')), Just(Glyph::Just('B')), Just(Glyph::Just('é')),
            Just(Glyph::One), Just(Glyph::Any),
        ], 0..7),
        text in "[aAbBé@`]{0,8}",
    ) {
        for ignore_case in [false, true] {
            let characters: Vec<char> = text.chars().collect();
            let plainly = fits(&glyphs, &characters, ignore_case);
            prop_assert_eq!(Pattern::new(glyphs.clone(), ignore_case).matches(&text), plainly);
        }
    }

    #[test]
    fn a_word_is_found_wherever_it_stands_and_nowhere_else(
        text in "[abAB@`0P]{0,70}",
        word in "[abAB@`0P]{0,6}",
        long in "[abAB@`0P]{15,35}",
    ) {
        for word in [word, long.clone()] {
            for text in [text.clone(), format!("{text}{long}"), format!("{long}{text}")] {
                let plainly = text.to_ascii_lowercase().contains(&word.to_ascii_lowercase());
                prop_assert_eq!(Word::new(word.clone()).is_in(&text), plainly);
            }
        }
    }

    #[test]
    fn what_an_extension_leaves_open_of_an_expression_means_the_same_of_its_events(
        terms in vec((any::<bool>(), test()), 0..4),
        known in any::<bool>(),
    ) {
        let terms = terms.into_iter().map(|(negated, test)| Term { negated, test }).collect();
        let expression = Expression::of(terms, now().time_zone().clone());
        let unknown = Extension::of(EXTENSION.number.clone());
        let extension = if known { &EXTENSION } else { &unknown };
        let event = Candidate { extension, ..event() };
        let narrowed = expression.narrowed(extension);
        let verdict = narrowed.map_or(Verdict::NotMeant, |narrowed| {
            let verdict = narrowed.of_extension().and_all(narrowed.open().iter().map(|term| {
                Ok(term.says(match term.facet() {
                    Facet::Type => term.fits_type(event.event_type),
                    Facet::Method => term.fits_written(event.method)?,
                    Facet::Status => term.fits_written(event.status)?,
                    Facet::Standing => term.fits_standings(event.standings),
                    Facet::Modified => term.fits_modified(&event.modified)?,
                    Facet::Id => term.fits_text(event.id, event.id.is_ascii()),
                    Facet::Url => term.fits_text(event.url, event.url.is_ascii()),
                    Facet::Note => term.fits_text(event.note, event.note.is_ascii()),
                    Facet::Texts => {
                        [event.url, event.note, event.id].iter().any(|text| term.fits_text(text, text.is_ascii()))
                    }
                }))
            }));
            assert!(narrowed.of_all().is_none_or(|of_all| of_all == verdict));
            verdict
        });
        prop_assert_eq!(verdict, expression.judge(&event));
    }
}

/// Whether a pattern fits, tried in every way there is.
fn fits(glyphs: &[Glyph], text: &[char], ignore_case: bool) -> bool {
    match (glyphs.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((Glyph::Any, behind)), rest) => {
            fits(behind, text, ignore_case)
                || rest.is_some_and(|(_, rest)| fits(glyphs, rest, ignore_case))
        }
        (Some(_), None) => false,
        (Some((Glyph::One, behind)), Some((_, rest))) => fits(behind, rest, ignore_case),
        (Some((Glyph::Just(wanted), behind)), Some((found, rest))) => {
            let same = wanted == found || ignore_case && wanted.eq_ignore_ascii_case(found);
            same && fits(behind, rest, ignore_case)
        }
    }
}

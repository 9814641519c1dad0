//! Accepted texts with what they mean, refused texts with their columns, and the way there and
//! back.

use proptest::collection::vec;
use proptest::prelude::*;

use super::pattern::Glyph;
use super::*;
use crate::domain::{ExtensionKind, ExtensionNumber, Foreign};

fn event() -> Candidate<'static> {
    Candidate {
        number: "0003*210",
        label: "Réception Ost",
        event_type: EventType::Hangup,
        id: "NqeyDRqo4F",
        method: "1",
        url: "https://bob@CRM-old.acme.test:8443/in?ext=%EXT%&a|b",
        note: "the \"old\" CRM *1",
        status: "0",
        modified: Modified::parse("2024-01-01T01:30:00+02:00"),
    }
}

fn parse(text: &str) -> Expression {
    Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
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
        "modified:<2024-01-01",
        "modified:2023-12-31",
        "modified:>2023-12-30",
        "modified:2023-12-31..2023-12-31",
        "modified:2023-12-31T23:30:00Z..2024-06-01",
        "-modified:>2023-12-31",
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
        "host:crm-old.acme.test:8443",
        "-note:?*",
        "note:\"the \\\"old\\\" CRM ?\"",
        "method:get",
        "method:\"1 \"",
        "-method:\"1 \"|post",
        "status:on",
        "modified:>2023-12-31",
        "modified:<2023-12-31",
        "modified:<2023-12-31T23:30:00Z",
        "modified:>2023-12-31T23:30:00Z",
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
    for written in ["", "yesterday", "2024-01-01", "2024-01-01T10:00:00"] {
        for text in ["modified:<2030-01-01", "modified:>2000-01-01", "modified:2024-01-01"] {
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
    ] {
        let error = Expression::parse(text).unwrap_err();
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
        ("modified:2024-01-01T10:00:00", 10, "is not a date"),
        ("modified:2024-01-01..", 10, "is not a date"),
        ("modified:2024-02-01..2024-01-01", 10, "ends before it begins"),
    ] {
        let error = Expression::parse(text).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn a_caret_points_at_the_column() {
    let error = Expression::parse("é type:x").unwrap_err();
    assert_eq!(error.pointed_at("é type:x"), "é type:x\n       ^");
}

#[test]
fn an_extension_is_asked_for_number_label_and_kind_and_nothing_else() {
    let reception = Extension {
        owner: None,
        number: ExtensionNumber::parse("0003*101").unwrap(),
        kind: Some(ExtensionKind::Queue),
        label: Foreign::from("Réception Ost"),
    };
    for text in ["", "3*10", "RÉCEPTION", "ost", "Queue", "ext:*101", "-west", "ext:1|0003*1??"] {
        let expression = Expression::parse_for_extensions(text).unwrap();
        assert!(expression.matches_extension(&reception), "{text:?}");
    }
    for text in ["0004", "west", "ivr", "ext:101", "-queue"] {
        let expression = Expression::parse_for_extensions(text).unwrap();
        assert!(!expression.matches_extension(&reception), "{text:?}");
    }
    let error = Expression::parse_for_extensions("ost -type:hangup").unwrap_err();
    assert_eq!(error.column, 5, "{error}");
    assert!(parse("type:hangup").matches_extension(&reception));
}

#[test]
fn the_canonical_text_is_short_and_puts_cheap_terms_first() {
    for (text, printed) in [
        (" old   TYPE:2|9 ", "type:hangup|9 old"),
        ("modified:2024-01-01..2024-01-01", "modified:2024-01-01"),
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

fn glyphs() -> impl Strategy<Value = Vec<Glyph>> {
    let glyph = prop_oneof![
        any::<char>().prop_map(Glyph::Just),
        "[-*?|:\\\\\" a.<]".prop_map(|text| Glyph::Just(text.chars().next().unwrap())),
        Just(Glyph::One),
        Just(Glyph::Any),
    ];
    vec(glyph, 0..8)
}

fn moment() -> impl Strategy<Value = Moment> {
    (0i64..4_000_000_000, any::<bool>()).prop_map(|(seconds, whole)| {
        let instant = Timestamp::from_second(seconds).unwrap();
        let day = jiff::tz::Offset::UTC.to_datetime(instant).date();
        let at = |time| jiff::tz::Offset::UTC.to_timestamp(day.to_datetime(time)).unwrap();
        if whole {
            Moment { first: at(jiff::civil::Time::MIN), last: at(jiff::civil::Time::MAX) }
        } else {
            Moment { first: instant, last: instant }
        }
    })
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        moment().prop_map(Span::Before),
        moment().prop_map(Span::After),
        (moment(), moment()).prop_map(|(a, b)| {
            if a.first <= b.last { Span::Within(a, b) } else { Span::Within(b, a) }
        }),
    ]
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
        vec(span(), 1..4).prop_map(Test::Modified),
        patterns(false).prop_map(Test::Extension),
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
        let expression = Expression::of(terms);
        let text = expression.to_string();
        prop_assert_eq!(Expression::parse(&text).map_err(|e| format!("{text}: {e}")), Ok(expression));
    }

    #[test]
    fn no_text_breaks_the_parser(text in prop_oneof![
        any::<String>(),
        "(-|type:|ext:|modified:|<|>|\\.\\.|\\||\"|\\\\|2024-01-01| |a|é|\\*){0,12}",
    ]) {
        match Expression::parse(&text) {
            Ok(expression) => {
                expression.matches(&event());
                prop_assert_eq!(Expression::parse(&expression.to_string()), Ok(expression));
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
        terms in vec((any::<bool>(), test()), 0..4)
    ) {
        let terms = terms.into_iter().map(|(negated, test)| Term { negated, test }).collect();
        let expression = Expression::of(terms);
        let event = event();
        let extension = Extension {
            label: Foreign::from(event.label),
            ..Extension::of(ExtensionNumber::parse(event.number).unwrap())
        };
        let narrowed = expression.narrowed(&extension);
        let verdict = narrowed.map_or(Verdict::NotMeant, |narrowed| {
            narrowed.judge(&event, || narrowed.matches_url(event.url))
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

//! Bodies in every shape that was seen somewhere, and in shapes that nobody wants to see.

mod agreement;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::{ExtensionNumber, Listing};

fn listing_of(page: &Page<'_>) -> Listing {
    let mut builder = ListingBuilder::new(ExtensionNumber::parse("0003*210").unwrap());
    page.rows.iter().for_each(|row| row.facts().put_into(&mut builder));
    builder.finish(true)
}

fn listed(body: &str) -> Listing {
    listing_of(&page(body.as_bytes()).unwrap())
}

fn keys(body: &str) -> Vec<String> {
    let listing = listed(body);
    (0..listing.len())
        .filter_map(|row| listing.row(row))
        .map(|row| format!("{}/{}", row.event_type().number(), row.id()))
        .collect()
}

fn reason(body: &str) -> String {
    match page(body.as_bytes()) {
        Err(Fault::Senseless(reason)) => reason,
        other => panic!("{body} came out as {other:?}"),
    }
}

#[test]
fn every_envelope_gives_the_same_rows() {
    let a = r#"{"type":"0","id":"a"}"#;
    let b = r#"{"type":2,"id":"b"}"#;
    for body in [
        format!(r#"{{"entry":[{a},{b}]}}"#),
        format!(r#"[{{"entry":[{a},{b}]}}]"#),
        format!(r#"[{{"entry":[{a}]}},{{"entry":[{b}]}}]"#),
        format!(r#"{{"entry":{{"a":{a},"b":{b}}},"totalResults":2}}"#),
        r#"{"entry":{"a":{"type":"0"},"b":{"type":"2"}}}"#.to_owned(),
        format!("[{a},{b}]"),
        format!("\u{feff} \n[{a},{b}]\n"),
    ] {
        assert_eq!(keys(&body), ["0/a", "2/b"], "{body}");
    }
}

#[test]
fn one_row_comes_out_of_every_way_to_write_one() {
    let row = r#"{"type":"0","id":"a","url":"https://x.test"}"#;
    for body in [row.to_owned(), format!("[{row}]"), format!(r#"{{"entry":{row}}}"#)] {
        assert_eq!(keys(&body), ["0/a"], "{body}");
    }
}

#[test]
fn rows_under_keys_keep_the_order_of_the_service() {
    let body = r#"{"entry":{"z":{"type":0},"a":{"type":0},"m":{"type":0}}}"#;
    assert_eq!(keys(body), ["0/z", "0/a", "0/m"]);
}

#[test]
fn a_collection_without_entries_is_empty() {
    for body in [
        "{}",
        "[]",
        "[{}]",
        r#"{"entry":[]}"#,
        r#"{"entry":{}}"#,
        r#"{"entry":null}"#,
        r#"{"totalResults":"0","itemsPerPage":20,"startIndex":0}"#,
        r#"[{"totalResults":0}]"#,
    ] {
        let page = page(body.as_bytes()).unwrap();
        assert!(page.rows.is_empty(), "{body}");
    }
}

#[test]
fn what_is_not_understood_is_never_an_empty_list() {
    assert_eq!(reason(""), "is empty");
    assert_eq!(reason(" \r\n"), "is empty");
    assert!(reason("<html>").contains("base_path"));
    assert!(reason("{\"entry\":[").starts_with("is not JSON"));
    assert_eq!(reason(r#"{"status":"ok"}"#), "is an object that holds no entry");
    for body in ["null", "true", "7", "\"text\""] {
        assert_eq!(reason(body), "is no list", "{body}");
    }
    assert_eq!(reason(r#"{"entry":"none"}"#), "has an entry that is no list");
}

#[test]
fn fields_are_texts_whether_they_were_quoted_or_not() {
    let body = r#"[{"type":1,"id":77,"method":1,"status":"0","url":"https://x.test/%20?a=b",
        "note":null,"modified":"2012-07-10T18:16:12+03:00","links":{"self":"https://other"}}]"#;
    let listing = listed(body);
    let event = listing.row(0).unwrap().to_event();
    assert_eq!(event.key.id.as_str(), "77");
    assert_eq!(event.method.to_string(), "POST");
    assert_eq!(event.status.to_string(), "off");
    assert_eq!(event.url.raw(), "https://x.test/%20?a=b");
    assert!(event.note.is_empty());
    assert_eq!(event.modified.written(), "2012-07-10T18:16:12+03:00");
}

#[test]
fn a_bad_row_is_kept_beside_the_others_with_the_reason() {
    let body = r#"[{"type":0,"id":"ok"},null,"x",{"type":0},{"id":"b"},{"type":"x","id":"c"},
        {"type":"00","id":"d"},{"type":3,"id":"../e"},{"type":{"a":1},"id":"f"},[]]"#;
    let listing = listed(body);
    assert_eq!(listing.len(), 1);
    let odd: Vec<_> =
        listing.odd().iter().map(|row| (row.text.raw(), row.reason.as_str())).collect();
    assert_eq!(
        odd,
        [
            ("null", "it is not an object"),
            ("\"x\"", "it is not an object"),
            (r#"{"type":0}"#, "it has no id"),
            (r#"{"id":"b"}"#, "it has no type"),
            (r#"{"type":"x","id":"c"}"#, "its type is not a number that can stand in a path"),
            (r#"{"type":"00","id":"d"}"#, "its type is not a number that can stand in a path"),
            (r#"{"type":3,"id":"../e"}"#, "its id cannot be named in a path"),
            (r#"{"type":{"a":1},"id":"f"}"#, "its type is not a number that can stand in a path"),
            ("[]", "it is not an object"),
        ]
    );
    let huge = format!(r#"[{{"type":0,"id":"{}"}}]"#, "x".repeat(1_000_000));
    let listing = listed(&huge);
    assert_eq!(listing.odd()[0].text.raw().len(), KEPT_CHARS);
    let large = format!(r#"[{{"type":0,"id":"a","note":"{}"}}]"#, "x".repeat(LARGEST_ROW));
    assert_eq!(listed(&large).odd()[0].reason, "it is larger than 1 MiB");
    let twice = r#"[{"type":0,"id":"a","id":"b"},{"type":0,"id":"c","type":"0","id":"c"}]"#;
    let listing = listed(twice);
    assert_eq!(
        (listing.len(), listing.odd()[0].reason.as_str()),
        (1, "it has two ids or two types")
    );
}

#[test]
fn a_row_that_is_no_text_in_part_is_listed_named_and_kept_and_hides_no_other() {
    for note in [&br"\ud800"[..], br"x\udfff", b"\xff", b"a\nb", b"\0"] {
        let row = [br#"{"id":"a","type":"0","note":""#, note, br#""}"#].concat();
        let body = [b"[", &row[..], br#",{"id":"b","type":"0"}]"#].concat();
        let listing = listing_of(&page(&body).unwrap());
        assert_eq!((listing.len(), listing.is_complete()), (2, false), "{note:?}");
        assert_eq!(written(&body)[0], row);
    }
    let unknown = b"[{\"id\":\"a\",\"type\":\"0\",\"new\":{\"deep\":[\"\xff\"]}}]";
    assert!(!listing_of(&page(unknown).unwrap()).is_complete());
    let id = b"[{\"id\":\"a\xff\",\"type\":\"0\"},{\"id\":\"b\",\"type\":\"0\"}]";
    let listing = listing_of(&page(id).unwrap());
    assert_eq!((listing.len(), listing.odd_rows()), (1, 1));
}

#[test]
fn what_has_no_field_is_a_row_among_rows_and_nothing_among_collections() {
    let rows = page(br#"[{"type":0,"id":"a"},{},{"count":1}]"#).unwrap();
    assert_eq!(rows.rows.len(), 3);
    let parts = page(br#"[{},{"entry":[{"type":0,"id":"a"}]},{"totalResults":1}]"#).unwrap();
    assert_eq!((parts.rows.len(), parts.total), (1, Some(1)));
}

#[test]
fn of_a_page_of_countless_rows_so_many_are_read_and_it_says_that_there_are_more() {
    let body = format!("[{}0]", "0,".repeat(MOST_ROWS));
    let page = page(body.as_bytes()).unwrap();
    assert_eq!((page.rows.len(), page.cut), (MOST_ROWS, true));
    let listing = listing_of(&page);
    assert_eq!((listing.odd().len(), listing.odd_rows()), (1_000, MOST_ROWS));
}

#[test]
fn a_note_in_an_old_encoding_hides_no_event() {
    let body = b"[{\"type\":0,\"id\":\"a\",\"note\":\"Z\xfcrich\"},{\"type\":0,\"id\":\"b\"}]";
    let listing = listing_of(&page(body).unwrap());
    assert_eq!((listing.len(), listing.is_complete()), (2, false));
    assert_eq!(listing.row(0).unwrap().note().raw(), "Z\u{fffd}rich");
    assert_eq!(listing.why_incomplete().unwrap(), "1 row holds bytes that are no text: 0/a");
}

#[test]
fn paging_words_are_read_quoted_or_not() {
    let page = page(br#"{"entry":[],"totalResults":"45","itemsPerPage":20}"#).unwrap();
    assert_eq!((page.total, page.own_size), (Some(45), Some(20)));
}

#[test]
fn an_error_is_an_error_whatever_stands_around_it() {
    let refused = |code: &str, message: &str| {
        Some(Refusal { code: code.to_owned(), message: message.to_owned() })
    };
    for (body, expected) in [
        (
            r#"{"error":{"code":"pce_id_invalid","message":"no such event"}}"#,
            refused("pce_id_invalid", "no such event"),
        ),
        (r#"[{"error":{"code":"x"}}]"#, refused("x", "")),
        (
            r#"{"error":"invalid_client","error_description":"who?"}"#,
            refused("invalid_client", "who?"),
        ),
        (r#"{"error":{"code":17,"message":null}}"#, refused("17", "")),
        (r#"{"error":{}}"#, refused("", "")),
        (r#"{"error":["a"]}"#, refused("", r#"["a"]"#)),
        (r#"{"entry":[],"error":{"code":"x"}}"#, refused("x", "")),
        (r#"{"error":null,"entry":[]}"#, None),
        (r#"{"error":false}"#, None),
        ("<html>", None),
        ("", None),
    ] {
        assert_eq!(refusal(body.as_bytes()), expected, "{body}");
    }
    let body = br#"{"error":{"code":"x"}}"#;
    assert!(matches!(page(body), Err(Fault::Refused(_))));
    assert!(matches!(deleted_ids(body), Err(Fault::Refused(_))));
}

#[test]
fn a_delete_returns_ids_as_a_list_or_as_one() {
    let ids = |body: &str| {
        deleted_ids(body.as_bytes())
            .map(|ids| ids.iter().map(|id| id.raw().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(ids(r#"[ { "id": "a" } ]"#).unwrap(), ["a"]);
    assert_eq!(ids(r#"[{"id":"a"},{"id":7,"type":"0"}]"#).unwrap(), ["a", "7"]);
    assert_eq!(ids(r#"{"id":"a"}"#).unwrap(), ["a"]);
    assert_eq!(ids(r#"{"entry":[{"id":"a"}]}"#).unwrap(), ["a"]);
    assert_eq!(ids(r#"["a"]"#).unwrap(), ["a"]);
    assert_eq!(ids("[]").unwrap(), [""; 0]);
    for body in [
        "",
        "{}",
        "null",
        "\"a\"",
        "[{}]",
        "[null]",
        r#"[{"id":null}]"#,
        r#"[{"id":["a"]}]"#,
        "<html></html>",
        "OK",
    ] {
        assert!(matches!(ids(body), Err(Fault::Senseless(_))), "{body:?}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "entry",
        "id",
        "type",
        "error",
        "code",
        "message",
        "url",
        "extension",
        "totalResults",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|fields| {
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_value_makes_the_decoder_fall(value in any_json()) {
        let body = value.to_string();
        if let Ok(page) = page(body.as_bytes()) {
            let listing = listing_of(&page);
            prop_assert!(listing.len() + listing.odd().len() <= page.rows.len());
        }
        let _ = deleted_ids(body.as_bytes());
        let _ = refusal(body.as_bytes());
    }

    #[test]
    fn no_bytes_make_the_decoder_fall(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (page(&body), deleted_ids(&body), refusal(&body));
    }

    #[test]
    fn every_row_of_a_list_is_listed_or_odd(rows in prop::collection::vec(any_json(), 0..20)) {
        let body = json!({ "entry": rows }).to_string();
        let page = page(body.as_bytes()).unwrap();
        prop_assert_eq!(page.rows.len(), rows.len());
    }
}

/// The texts of the rows of a body, and the events that were made of them.
fn written(bytes: &[u8]) -> Vec<Vec<u8>> {
    let listing = listing_of(&page(bytes).unwrap());
    let rows = (0..listing.len()).map(|row| listing.row(row).unwrap());
    rows.map(|row| row.text().unwrap().bytes().to_owned()).collect()
}

#[test]
fn every_row_is_kept_letter_by_letter_whatever_the_list_looks_like() {
    let a = r#"{ "id" : "a","type":"0" , "url":"h\u0074tp:\/\/x", "new":{"x":[1.0]}}"#;
    let b = r#"{"type":1,"id":"b","id":"b"}"#;
    for body in [
        format!("[{a},\n{b}]"),
        format!(r#"{{"entry":[{a}, {b}],"totalResults":2}}"#),
        format!(r#"[{{"entry":[]}},{{"totalResults":"2","entry":{{"x":{a},"b":{b}}}}}]"#),
        format!("\u{feff}[ {{\"entry\":[1],\"entry\":[{a},{b}]}} ]"),
    ] {
        assert_eq!(written(body.as_bytes()), [a.as_bytes(), b.as_bytes()], "{body}");
    }
    assert_eq!(written(format!(" {a} ").as_bytes()), [a.as_bytes()]);
    assert_eq!(written(format!(r#"{{"entry":{a}}}"#).as_bytes()), [a.as_bytes()]);
}

#[test]
fn bytes_that_are_no_text_are_kept_as_they_came() {
    let row = |note: &[u8]| [br#"{"id":"a","type":"0","note":""#, note, br#""}"#].concat();
    let other = br#"{"id":"b","type":"0"}"#;
    for note in
        [&b"caf\xe9"[..], b"\xe9\xe8", b"\xe2\x82", "\u{fffd}".as_bytes(), b"\xff\xc3\xa9\xff"]
    {
        let body = [&b"\xef\xbb\xbf["[..], other, &b","[..], &row(note), b"]"].concat();
        assert_eq!(written(&body), [other.to_vec(), row(note)], "{note:?}");
        let body =
            [b"[{\"id\":\"z\",\"type\":\"0\",\"note\":\"\xfe\"},", &row(note)[..], b"]"].concat();
        assert_eq!(written(&body)[1], row(note), "{note:?}");
    }
}

#[test]
fn an_event_is_made_with_url_and_note_letter_by_letter_and_without_what_its_row_has_not() {
    let made = |row: &str| event_body(&listed(&format!("[{row}]")).row(0).unwrap().to_event());
    let row = r#"{"id":"a","note":"Z\u00fcrich \/ \"","url":"https:\/\/crm.test\/?q=%20","type":2,"method":"1","status":0}"#;
    let body = r#"{"type":"2","method":"1","url":"https:\/\/crm.test\/?q=%20","note":"Z\u00fcrich \/ \"","status":"0"}"#;
    assert_eq!(made(row), body);
    let row = r#"{"id":"a","type":"0","url":"x","url":"y","note":null,"color":1}"#;
    assert_eq!(made(row), r#"{"type":"0","url":"y"}"#);
}

/// A page of so many rows, and its length.
fn plain_page(rows: usize) -> Vec<u8> {
    let row = |place: usize| {
        format!(
            r#"{{"id":"Nqey{place:016}DRqo4Ftabm","type":"{}","method":"1","url":"https://crm{}.acme.test/telephony/in?src=pbx","note":"CRM","status":"1","modified":"2024-05-01T10:00:00+02:00"}}"#,
            place % 5,
            place % 20
        )
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    format!(r#"{{"entry":[{}],"totalResults":{}}}"#, rows.join(","), rows.len()).into_bytes()
}

#[test]
fn a_row_takes_no_allocation_of_its_own_and_few_bytes_beside_its_text() {
    let measured = |rows| {
        let body = plain_page(rows);
        let mut listing = None;
        let info = allocation_counter::measure(|| {
            listing = Some(listing_of(&page(&body).unwrap()));
        });
        assert_eq!(listing.unwrap().len(), rows);
        (info.count_total, info.bytes_total, u64::try_from(body.len()).unwrap())
    };
    let (few, ..) = measured(1_000);
    let (many, bytes, body) = measured(10_000);
    // Tables that grow to ten times their size are allocated a few times more; 20 URLs stay 20 URLs.
    assert!(few <= 150 && many <= few + 40, "{few} {many}");
    // One copy of its text and four times less for its place, fields and key, all of that doubled as
    // it grows, each time counted anew.
    assert!(bytes <= body * 8, "{bytes} of {body}");
}

#[test]
fn a_text_with_escapes_takes_one_allocation_and_no_other_field_any() {
    let body = String::from_utf8(plain_page(1_000)).unwrap().replace('/', "\\/");
    let page = page(body.as_bytes()).unwrap();
    let info = allocation_counter::measure(|| page.rows.iter().for_each(|row| drop(row.facts())));
    assert_eq!(info.count_total, 1_000);
}

//! The decoder and a plain reading with `serde_json` agree on rows, oddities and completeness, whatever
//! a body looks like. Where it holds what JSON forbids, `serde_json` gets the mended body.

use std::collections::BTreeMap;
use std::fmt;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::listing_of;
use crate::api::wire;

/// A part of a body: as the service sends it, as a strict parser takes it, and whether both are the
/// same.
#[derive(Clone, Debug)]
struct Piece {
    sent: Vec<u8>,
    mended: String,
    readable: bool,
}

fn piece(sent: impl AsRef<[u8]>, mended: &str, readable: bool) -> Piece {
    Piece { sent: sent.as_ref().to_owned(), mended: mended.to_owned(), readable }
}

fn fine(text: &str) -> Piece {
    piece(text, text, true)
}

fn joined(pieces: &[Piece], separator: &str, around: [&str; 2]) -> Piece {
    let sent: Vec<_> = pieces.iter().map(|piece| piece.sent.clone()).collect();
    let mended: Vec<_> = pieces.iter().map(|piece| piece.mended.as_str()).collect();
    let [before, behind] = around;
    Piece {
        sent: [before.as_bytes(), &sent.join(separator.as_bytes()), behind.as_bytes()].concat(),
        mended: format!("{before}{}{behind}", mended.join(separator)),
        readable: pieces.iter().all(|piece| piece.readable),
    }
}

fn blank() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", "", " ", "\n\t "])
}

/// A string with its quotes, of anything that a service may put there.
fn text() -> impl Strategy<Value = Piece> {
    let odd = prop::sample::select(vec![
        fine(r"\/"),
        fine(r#"\"\\\n"#),
        fine(r"\u00e9"),
        fine(r"\ud83d\ude00"),
        fine("\u{fffd}"),
        piece(r"\ud800!", r"\ufffd!", false),
        piece(r"\udc00", r"\ufffd", false),
        piece(b"\xff", "\u{fffd}", false),
        piece(b"\xe2\x82", "\u{fffd}", false),
        piece("\n", r"\n", false),
        piece("\u{1}", r"\u0001", false),
    ]);
    let plain = "[a-z0-9 /:.é😀-]{0,20}".prop_map(|text| fine(&text));
    let inside = prop::collection::vec(prop_oneof![3 => plain, 1 => odd], 0..4);
    inside.prop_map(|parts| joined(&parts, "", ["\"", "\""]))
}

fn one_of(values: &[&str]) -> impl Strategy<Value = Piece> + use<> {
    prop::sample::select(values.iter().map(|text| fine(text)).collect::<Vec<_>>())
}

/// Any value.
fn value() -> impl Strategy<Value = Piece> {
    let bare = ["0", "1", "-7", "1.5e3", "184467440737095516161234567890", "true", "false", "null"];
    // What is no string is taken as it is written, half a pair as its escape.
    let nested = text().prop_filter("a control", |text| !text.sent.iter().any(|byte| *byte < b' '));
    let nested = (nested, blank()).prop_map(|(text, blank)| {
        let mended = String::from_utf8_lossy(&text.sent).into_owned();
        let text = Piece { mended, ..text };
        joined(&[text], "", [&format!("[{blank}1,{{\"id\":{blank}"), &format!("}}{blank}, []]")])
    });
    prop_oneof![3 => text(), 2 => one_of(&bare), 1 => nested, 1 => one_of(&["{}", "[ ]"])]
}

/// A field; type and id are seldom odd, so that there are events, and events of one key.
fn field() -> impl Strategy<Value = Piece> {
    let types = one_of(&["0", "\"0\"", "\"2\"", "4", "\"00\"", "70000", "\"x\"", "null"]);
    let ids = one_of(&["\"a\"", "\"b\"", "\"c.1\"", "77", "\"../x\"", "\"\"", "\"\\u0061\""]);
    let others = ["\"method\"", "\"url\"", "\"note\"", "\"status\"", "\"no\\u0074e\"", "\"new\""];
    let named = |name: &str, value: Piece| joined(&[fine(name), value], ":", ["", ""]);
    prop_oneof![
        2 => types.prop_map(move |value| named("\"type\"", value)),
        2 => ids.prop_map(move |value| named("\"id\"", value)),
        1 => value().prop_map(move |value| named("\"id\"", value)),
        1 => value().prop_map(move |value| named("\"modified\"", value)),
        6 => (one_of(&others), value())
            .prop_map(|(name, value)| joined(&[name, value], " : ", ["", ""])),
        1 => (text(), value()).prop_map(|(name, value)| {
            // A name of its own: no word of the service.
            let name = joined(&[name], "", ["", ""]);
            let named = |text: &[u8]| [b"\"~", text.get(1..).unwrap()].concat();
            let mended = String::from_utf8(named(name.mended.as_bytes())).unwrap();
            let name = Piece { sent: named(&name.sent), mended, ..name };
            joined(&[name, value], ":", ["", ""])
        }),
    ]
}

fn row() -> impl Strategy<Value = Piece> {
    let whole = (0..3_u8, 0..4_u8, prop::collection::vec(field(), 0..4)).prop_map(
        |(event_type, id, mut fields)| {
            let first = format!(r#""type":"{event_type}","id":"e{id}""#);
            fields.insert(0, fine(&first));
            joined(&fields, " , ", ["{", " }"])
        },
    );
    let any = prop::collection::vec(field(), 0..7);
    prop_oneof![
        3 => whole,
        3 => any.prop_map(|fields| joined(&fields, ",", ["{ ", "}"])),
        1 => value(),
    ]
}

/// A body, with its rows and their keys, in every shape that a list may have.
fn body() -> impl Strategy<Value = (Piece, Vec<(String, Piece)>)> {
    let rows = prop::collection::vec((row(), 0..10_usize), 0..8);
    (rows, 0..5_u8, blank(), any::<bool>()).prop_map(|(mut rows, shape, blank, marked)| {
        if let Some(again) = rows.first().filter(|(_, place)| *place == 0).cloned() {
            rows.push(again);
        }
        let mut rows: Vec<_> = rows.into_iter().map(|(row, _)| (String::new(), row)).collect();
        let all =
            |rows: &[(String, Piece)]| rows.iter().map(|(_, row)| row.clone()).collect::<Vec<_>>();
        let comma = format!("{blank},{blank}");
        let mut body = match shape {
            0 => joined(&all(&rows), &comma, [r#"{"totalResults":"9","entry":["#, "]}"]),
            1 => joined(&all(&rows), &comma, [r#"[{"entry":[ "#, r#"],"startIndex":0}]"#]),
            2 => joined(&all(&rows), &comma, [r#"[ {"count":1},{"entry":["#, "]}]"]),
            3 => {
                // Without a row that is one for sure, it may be a list of collections.
                rows.insert(0, (String::new(), fine(r#"{"id":"sure","type":"1"}"#)));
                joined(&all(&rows), &comma, ["[", "]"])
            }
            _ => {
                for (place, (key, _)) in rows.iter_mut().enumerate() {
                    *key = format!("k{place}");
                }
                let keyed = rows.iter().map(|(key, row)| {
                    joined(std::slice::from_ref(row), "", [&format!("\"{key}\":{blank}"), ""])
                });
                joined(&keyed.collect::<Vec<_>>(), &comma, ["{\"entry\":{", "} }"])
            }
        };
        if marked {
            body.sent.splice(0..0, "\u{feff}".bytes());
        }
        (body, rows)
    })
}

/// The fields of an object in their order, each with its name.
struct Pairs(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// What an event says, and what is written of it.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    key: (u16, String),
    fields: [String; 5],
    sent: Vec<u8>,
}

/// A row as serde reads it; `None` where it can be no event.
fn event(key: &str, row: &Piece) -> Option<Event> {
    let Pairs(pairs) = serde_json::from_str(&row.mended).ok()?;
    let said = |value: &RawValue| match serde_json::from_str::<Option<String>>(value.get()) {
        Ok(text) => text.unwrap_or_default(),
        Err(_) => value.get().to_owned(),
    };
    let all = |name: &str| {
        let named = pairs.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| said(value)).collect::<Vec<_>>()
    };
    let last = |name: &str| all(name).pop().unwrap_or_default();
    let differs = |name: &str| all(name).windows(2).any(|pair| pair[0] != pair[1]);
    let id = Some(last("id")).filter(|id| !id.is_empty()).unwrap_or_else(|| key.to_owned());
    let event_type: u16 = last("type").parse().ok()?;
    let segment = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte);
    let names = !id.is_empty() && id.len() < 256 && id.bytes().all(segment);
    let usable = names && id != "." && id != ".." && event_type.to_string() == last("type");
    (usable && !differs("type") && !differs("id")).then(|| Event {
        key: (event_type, id),
        fields: ["method", "url", "note", "status", "modified"].map(last),
        sent: row.sent.clone(),
    })
}

proptest! {
    #[test]
    fn the_decoder_and_a_plain_reading_agree_on_rows_oddities_and_completeness(
        (body, rows) in body(),
    ) {
        serde_json::from_str::<&RawValue>(&body.mended).unwrap();
        let page = wire::page(&body.sent).unwrap();
        prop_assert_eq!(page.rows.len(), rows.len());
        let listing = listing_of(&page);

        let events: Vec<_> = rows.iter().filter_map(|(key, row)| event(key, row)).collect();
        let mut by_key: BTreeMap<_, Vec<&Event>> = BTreeMap::new();
        for event in &events {
            by_key.entry(&event.key).or_default().push(event);
        }
        // What is the same as the first row of its key is a repeat; what is not leaves none usable.
        let (mut wanted, mut odd, mut repeated) = (Vec::new(), rows.len() - events.len(), false);
        for rows in by_key.values() {
            let others = rows.iter().filter(|other| *other != &rows[0]).count();
            odd += if others > 0 { others + 1 } else { 0 };
            repeated |= others + 1 < rows.len();
        }
        for event in &events {
            let rows = &by_key[&event.key];
            if rows.iter().all(|other| *other == event) && !wanted.contains(event) {
                wanted.push(event.clone());
            }
        }
        wanted.sort_by_key(|event| event.key.0);
        let found = (0..listing.len()).map(|row| {
            let event = listing.row(row).unwrap().to_event();
            let [method, status] = [event.method.written(), event.status.written()];
            let fields = [method, event.url.raw(), event.note.raw(), status, &event.modified.written()];
            Event {
                key: (event.key.event_type.number(), event.key.id.as_str().to_owned()),
                fields: fields.map(ToOwned::to_owned),
                sent: event.text.unwrap().bytes().to_owned(),
            }
        });
        prop_assert_eq!(found.collect::<Vec<_>>(), wanted);

        prop_assert_eq!(listing.odd_rows(), odd);
        let readable = rows.iter().all(|(_, row)| row.readable);
        prop_assert_eq!(listing.is_complete(), odd == 0 && readable && !repeated);
        prop_assert_eq!(listing.why_incomplete().is_none(), listing.is_complete());
    }
}

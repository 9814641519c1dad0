//! Lists over HTTP from services that cut their pages, lie about how many rows there are, refuse to
//! show an end, and hold rows that nobody can use: what is called complete is complete.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::*;
use super::server::{Reply, Server};
use super::{client, number, settings, wait};
use crate::domain::Cause;

/// What a service says of how many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Total {
    Silent,
    True,
    /// The rows of the page at hand.
    OfPage,
    /// The size of its pages.
    Size,
    TooHigh,
    TooLow,
}

/// What it has behind the last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    Emptiness,
    Refusal,
    /// The last page once more.
    LastPage,
    /// It does not even look which page is asked for.
    AnyPage,
}

/// What is wrong with one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    NoId,
    OddType,
    NoObject,
    Again,
    AgainOther,
    OldEncoding,
    HalfPair,
}

const TOTALS: [Total; 6] =
    [Total::Silent, Total::True, Total::OfPage, Total::Size, Total::TooHigh, Total::TooLow];
const ENDS: [Behind; 5] =
    [Behind::Nothing, Behind::Emptiness, Behind::Refusal, Behind::LastPage, Behind::AnyPage];
const FAULTS: [Fault; 8] = [
    Fault::None,
    Fault::NoId,
    Fault::OddType,
    Fault::NoObject,
    Fault::Again,
    Fault::AgainOther,
    Fault::OldEncoding,
    Fault::HalfPair,
];

#[derive(Debug, Clone)]
struct Service {
    rows: Vec<Vec<u8>>,
    /// Rows on a page at most, whatever is asked.
    cap: usize,
    total: Total,
    behind: Behind,
}

impl Service {
    /// So many events, one of them spoilt.
    fn of(count: usize, cap: usize, total: Total, behind: Behind, fault: (usize, Fault)) -> Self {
        let row = |id: usize| format!(r#"{{"type":"{}","id":"e{id}"}}"#, id % 3).into_bytes();
        let mut rows: Vec<_> = (0..count).map(row).collect();
        let (place, fault) = fault;
        let spoilt = match fault {
            Fault::None => return Self { rows, cap, total, behind },
            Fault::NoId => br#"{"type":"0"}"#.to_vec(),
            Fault::OddType => br#"{"type":"x","id":"odd"}"#.to_vec(),
            Fault::NoObject => b"null".to_vec(),
            Fault::Again => row(0),
            Fault::AgainOther => br#"{"type":"0","id":"e0","note":"other"}"#.to_vec(),
            Fault::OldEncoding => b"{\"type\":\"0\",\"id\":\"old\",\"note\":\"\xfc\"}".to_vec(),
            Fault::HalfPair => br#"{"type":"0","id":"half","note":"\ud800"}"#.to_vec(),
        };
        rows.insert(place.min(count), spoilt);
        Self { rows, cap, total, behind }
    }

    fn keys(&self) -> BTreeSet<String> {
        let key = |row: &Vec<u8>| {
            let text = String::from_utf8_lossy(row);
            let id = text.split_once("\"id\":\"")?.1.split_once('"')?.0;
            Some(id.to_owned())
        };
        self.rows.iter().filter_map(key).collect()
    }

    /// `None` for a refusal.
    fn page(&self, start: usize, count: usize) -> Option<Vec<u8>> {
        let size = self.cap.min(count);
        let all = self.rows.len();
        let last = all.saturating_sub(1) / size * size;
        let start = match self.behind {
            Behind::AnyPage => 0,
            Behind::LastPage if start >= all => last,
            Behind::Refusal if start > 0 && start >= all => return None,
            _ => start,
        };
        let rows: Vec<_> = self.rows.iter().skip(start).take(size).collect();
        let mut body = b"{\"entry\":[".to_vec();
        body.extend(rows.iter().map(|row| row.as_slice()).collect::<Vec<_>>().join(&b','));
        body.push(b']');
        let total = match self.total {
            Total::Silent => None,
            Total::True => Some(all),
            Total::OfPage => Some(rows.len()),
            Total::Size => Some(size),
            Total::TooHigh => Some(all + 1),
            Total::TooLow => Some(all.saturating_sub(1)),
        };
        if let Some(total) = total {
            body.extend(format!(r#","totalResults":{total},"itemsPerPage":"{size}""#).bytes());
        }
        body.push(b'}');
        Some(body)
    }

    /// The same behind a socket, and how often it refused.
    fn serve(self) -> (Server, Arc<AtomicUsize>) {
        let refused = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&refused);
        let server = Server::answering(move |request| {
            let (_, query) = request.split_whitespace().nth(1)?.split_once('?')?;
            let asked = |name: &str| -> Option<usize> {
                let found = query.split('&').find_map(|pair| pair.strip_prefix(name));
                found?.strip_prefix('=')?.parse().ok()
            };
            let start = asked("startIndex")?;
            let Some(body) = self.page(start, asked("count")?) else {
                counter.fetch_add(1, Ordering::SeqCst);
                let error = r#"{"error":{"code":"startindex_invalid","message":"No"}}"#;
                return Some(Reply::json(400, error));
            };
            if start >= self.rows.len() && self.behind == Behind::Nothing {
                return Some(Reply::json(204, ""));
            }
            Some(Reply::bytes(&body))
        });
        (server, refused)
    }
}

fn ids(listing: &Listing) -> BTreeSet<String> {
    (0..listing.len()).map(|row| listing.row(row).unwrap().id().to_owned()).collect()
}

/// The matrix: how many rows, how they are cut, what is announced, what is behind them, and where
/// which row is spoilt.
#[test]
fn what_is_called_complete_holds_exactly_the_rows_there_are() {
    let mut complete = 0;
    for (count, cap) in [(0, 7), (1, 1), (6, 7), (7, 7), (8, 7), (20, 7), (20, 20), (20, 600)] {
        for total in TOTALS {
            for behind in ENDS {
                for (fault, place) in FAULTS.into_iter().zip([0, 1, 7, 9, 13, 14, 19, 3]) {
                    if count == 0 && matches!(fault, Fault::Again | Fault::AgainOther) {
                        continue;
                    }
                    complete += check(count, cap, total, behind, (place, fault));
                }
            }
        }
    }
    assert!(complete > 80, "{complete}");
}

/// One of them; 1 where it is called complete.
fn check(
    count: usize,
    cap: usize,
    total: Total,
    behind: Behind,
    (place, fault): (usize, Fault),
) -> usize {
    let case = format!("{count} {cap} {total:?} {behind:?} {place} {fault:?}");
    let service = Service::of(count, cap, total, behind, (place, fault));
    let (keys, rows) = (service.keys(), service.rows.len());
    let (server, refused) = service.serve();
    let listing = wait(client(&server).events(&number("1"), &mut Vec::new())).unwrap();
    let asked = server.requests().len();
    assert!(refused.load(Ordering::SeqCst) <= 1, "{case}");
    assert!(asked <= 2 * (rows / cap.min(500) + 2), "{case}: {asked} requests");
    assert_eq!(listing.is_complete(), listing.why_incomplete().is_none(), "{case}");
    let honest = matches!(behind, Behind::Nothing | Behind::Emptiness);
    if listing.is_complete() {
        assert_eq!(fault, Fault::None, "{case}");
        assert_eq!(ids(&listing), keys, "{case}");
        assert!(behind != Behind::AnyPage || rows == 0, "{case}");
    }
    assert_eq!(
        listing.is_complete_for_wide(),
        listing.is_complete() && (honest || rows == 0),
        "{case}"
    );
    if honest && fault == Fault::None && total != Total::TooHigh {
        let of_cut_pages = total == Total::Size && rows < cap;
        assert!(listing.is_complete() || of_cut_pages, "{case}: {:?}", listing.why_incomplete());
    }
    if honest {
        assert!(keys.is_superset(&ids(&listing)), "{case}");
        let shown = listing.len() + listing.odd_rows();
        assert!(shown + usize::from(fault == Fault::Again) >= rows, "{case}: {shown} of {rows}");
    }
    usize::from(listing.is_complete())
}

#[test]
fn a_service_that_refuses_to_show_an_end_is_asked_for_one_once_in_a_session() {
    for total in [Total::Silent, Total::True] {
        let service = Service::of(3, 500, total, Behind::Refusal, (0, Fault::None));
        let (server, refused) = service.serve();
        let client = Client::new(Settings { concurrency: 8, ..settings(&server.origin) }).unwrap();
        let listings = wait(async {
            let mut asked = tokio::task::JoinSet::new();
            for extension in 100..140 {
                let client = client.clone();
                let extension = number(&extension.to_string());
                asked.spawn(async move { client.events(&extension, &mut Vec::new()).await });
            }
            asked.join_all().await
        });
        for listing in listings {
            let listing = listing.unwrap();
            assert_eq!((listing.len(), listing.is_complete()), (3, false));
            assert_eq!(
                listing.why_incomplete().unwrap(),
                "the PBX does not tell where a list ends"
            );
        }
        assert_eq!(refused.load(Ordering::SeqCst), 1, "{total:?}");
        assert_eq!(server.requests().len(), 41);
    }
}

#[test]
fn where_no_end_is_shown_a_total_that_was_reached_over_pages_is_enough_for_reading() {
    let (server, refused) =
        Service::of(20, 7, Total::True, Behind::Refusal, (0, Fault::None)).serve();
    let client = client(&server);
    for _ in 0..2 {
        let listing = wait(client.events(&number("1"), &mut Vec::new())).unwrap();
        assert_eq!((listing.len(), listing.is_complete()), (20, true));
        assert!(!listing.is_complete_for_wide());
    }
    assert_eq!(refused.load(Ordering::SeqCst), 1);
    assert_eq!(server.requests().len(), 7);
}

#[test]
fn a_service_that_says_no_to_the_extension_or_the_token_is_not_taken_for_one_without_ends() {
    let first = r#"{"entry":[{"type":"0","id":"a"}]}"#;
    for (status, code) in [(400, "extension_invalid"), (400, "pce_access_denied"), (500, "x")] {
        let error = format!(r#"{{"error":{{"code":"{code}","message":"No"}}}}"#);
        let server = Server::start(vec![
            Reply::json(200, first),
            Reply::json(status, &error),
            Reply::json(200, first),
            Reply::json(204, ""),
        ]);
        let client = client(&server);
        let failure = wait(client.events(&number("1"), &mut Vec::new())).unwrap_err();
        assert_eq!(failure.code.raw(), code);
        let listing = wait(client.events(&number("1"), &mut Vec::new())).unwrap();
        assert!(listing.is_complete_for_wide());
        assert_eq!(server.requests().len(), 4);
    }
}

#[test]
fn a_presence_list_that_is_cut_in_silence_is_read_on_or_said_to_have_gaps() {
    let page = |numbers: std::ops::Range<u16>| {
        let rows: Vec<_> = numbers.map(|one| format!(r#"{{"extension":"{one}"}}"#)).collect();
        Reply::json(200, &format!(r#"{{"entry":[{}]}}"#, rows.join(",")))
    };
    let discover = |script: Vec<Reply>| {
        let server = Server::start(script);
        wait(client(&server).extensions(&[], &super::PRESENCE, &mut Vec::new())).unwrap()
    };
    let whole = discover(vec![page(1..8), page(8..15), page(15..18), Reply::json(204, "")]);
    assert_eq!((whole.extensions.len(), whole.complete), (17, true));
    let same = discover(vec![page(1..8), page(1..8)]);
    assert_eq!((same.extensions.len(), same.complete), (7, false));
    assert!(same.remarks.iter().any(|remark| remark.contains("the same rows")), "{same:?}");
}

#[test]
fn an_answer_in_other_clothes_is_named_with_the_remedy() {
    let read = |reply: Reply| {
        let server = Server::start(vec![reply]);
        let failure = wait(client(&server).events(&number("1"), &mut Vec::new())).unwrap_err();
        assert_eq!((failure.cause, failure.http_status), (Cause::Unreadable, Some(200)));
        (failure.to_string(), server.requests())
    };
    let (said, requests) = read(Reply::with_header(200, "Content-Encoding: br\r\n", "\u{1f}x"));
    assert!(said.contains("compressed (br)") && said.contains("turn compression"), "{said}");
    assert!(requests[0].contains("accept-encoding: identity\r\n"), "{requests:?}");
    let (said, _) = read(Reply::with_header(200, "Content-Encoding: gzip\r\n", "{}"));
    assert!(said.contains("is called gzip and is not"), "{said}");
    let (said, _) = read(Reply::bytes(b"\x1f\x8b\x08\0\0\0\0"));
    assert!(said.contains("compressed (gzip)"), "{said}");
    let warning = "<br />\n<b>Notice</b>: Undefined index in <b>a.php</b> on line <b>3</b>{}";
    let (said, _) = read(Reply::json(200, warning));
    assert!(said.contains("(Notice: Undefined index in a.php on line 3{}"), "{said}");
    assert!(!said.contains("base_path"), "{said}");
}

/// A compressed answer.
fn gzip(body: &[u8]) -> Reply {
    use std::io::Write;

    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    coder.write_all(body).unwrap();
    let body = coder.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    Reply::Raw([head.as_bytes(), &body].concat())
}

#[test]
fn a_compressed_answer_is_understood_and_one_without_end_is_not_read_to_it() {
    let rows = br#"{"totalResults":1,"entry":[{"type":"0","id":"a","url":"http://\u00fc.test"}]}"#;
    let server = Server::start(vec![gzip(rows), gzip(b"[]")]);
    let listing = wait(client(&server).events(&number("1"), &mut Vec::new())).unwrap();
    assert_eq!((ids(&listing), listing.is_complete_for_wide()), (["a".to_owned()].into(), true));
    let server = Server::start(vec![gzip(&vec![b' '; 64 * 1024 * 1024])]);
    let failure = wait(client(&server).events(&number("1"), &mut Vec::new())).unwrap_err();
    assert!(failure.to_string().contains("larger than 32 MiB"), "{failure}");
    let server = Server::start(vec![gzip(br#"[{"id":"a"}]"#)]);
    let answer = wait(client(&server).delete(&super::one_event(), &mut Vec::new())).unwrap();
    assert_eq!(answer.ids, Some(vec!["a".into()]));
}

#[test]
fn a_huge_list_of_nothing_is_read_in_part_and_told() {
    let rows = "0,".repeat(7_000_000);
    let server = Server::start(vec![Reply::bytes(format!("[{rows}0]").as_bytes())]);
    let listing = wait(client(&server).events(&number("1"), &mut Vec::new())).unwrap();
    assert_eq!((listing.odd().len(), listing.is_complete()), (1_000, false));
    let why = listing.why_incomplete().unwrap();
    assert!(why.starts_with("the list is longer than callsweep reads; 100000 rows"), "{why}");
}

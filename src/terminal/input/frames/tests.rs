//! What terminals send, whole, split at every byte, and cut off.

mod answers;
mod pressed;

use proptest::prelude::*;

use super::*;

/// No terminal holds more than a paste and a few sequences.
const MOST_HELD: usize = MOST_PASTED + 4096;

fn key(text: &str) -> Heard {
    Heard::Key(Key::parse(text).unwrap())
}

fn esc() -> Heard {
    key("esc")
}

fn paste(text: &str) -> Heard {
    Heard::Paste(text.to_owned())
}

/// What is heard of these reads, with nothing left unfinished.
fn heard(reads: &[&[u8]]) -> Vec<Heard> {
    let mut frames = Frames::new();
    let heard = reads.iter().flat_map(|read| frames.take(read)).collect();
    assert_eq!(frames.patience(), None, "unfinished: {reads:?}");
    heard
}

fn keys_of(heard: &[Heard]) -> Vec<&Heard> {
    heard.iter().filter(|heard| matches!(heard, Heard::Key(_) | Heard::Paste(_))).collect()
}

fn the_next_key_is_heard(frames: &mut Frames, after: &[u8]) {
    assert_eq!(frames.patience(), None, "after {:?}", after.escape_ascii().to_string());
    assert_eq!(frames.take(b"?"), [key("?")], "after {:?}", after.escape_ascii().to_string());
    assert_eq!(frames.patience(), None);
}

#[test]
fn pasted_text_is_one_text_wherever_it_is_split() {
    let bytes =
        "\x1b[200~a\r\n\tb\x07\x00 é受🙂\x1b[31mred\x1b]0;t\x07\x1bOA\x7f.\x1b[201~".as_bytes();
    let whole = [paste("a\r\n\tb é受🙂red.")];
    assert_eq!(heard(&[bytes]), whole);
    for at in 1..bytes.len() {
        let (first, second) = bytes.split_at(at);
        assert_eq!(heard(&[first, second]), whole, "at {at}");
    }
    assert_eq!(heard(&bytes.chunks(1).collect::<Vec<_>>()), whole);
}

#[test]
fn a_paste_without_an_end_is_handed_on() {
    let mut frames = Frames::new();
    assert_eq!(frames.take(b"\x1b[200~half a te"), []);
    assert_eq!(frames.patience(), Some(AFTER_ALL_ELSE));
    assert_eq!(frames.rest(), [paste("half a te")]);
    the_next_key_is_heard(&mut frames, b"half a te");
}

#[test]
fn the_rest_of_a_paste_that_comes_late_is_pasted_too() {
    let mut frames = Frames::new();
    frames.take(b"\x1b[200~first ");
    assert_eq!(frames.rest(), [paste("first ")]);
    assert_eq!(frames.take(b"second and longer "), []);
    assert_eq!(frames.rest(), [paste("second and longer ")]);
    assert_eq!(frames.take(b"y\x1b[201~d"), [paste("y"), key("d")]);
}

#[test]
fn an_end_of_a_paste_that_comes_late_is_no_second_paste() {
    for at in 1..5 {
        let (first, second) = b"\x1b[201~".split_at(at);
        let mut frames = Frames::new();
        frames.take(b"\x1b[200~text");
        frames.take(first);
        assert_eq!(frames.rest(), [paste("text")]);
        assert_eq!(frames.take(second), [Heard::Noise], "at {at}");
        the_next_key_is_heard(&mut frames, second);
    }
}

#[test]
fn an_end_of_a_paste_is_found_behind_whatever_is_pasted() {
    for text in
        ["\x1b]0;", "\x1bP", "\x1b[", "\x1b[M", "\x1b[[", "\x1bO", "\x1b", "\u{9d}", "\x1b_\x1b"]
    {
        let bytes = format!("\x1b[200~a{text}\x1b[201~");
        assert_eq!(heard(&[bytes.as_bytes()]), [paste("a")], "{text:?}");
    }
    assert_eq!(heard(&[b"\x1b[200~a\xc3\x1b[201~"]), [paste("a")]);
    assert_eq!(heard(&[b"\x9b200~a\x9b201~"]), [paste("a")]);
}

#[test]
fn an_empty_paste_is_a_paste_and_an_end_alone_is_nothing() {
    assert_eq!(heard(&[b"\x1b[200~\x1b[201~"]), [paste("")]);
    assert_eq!(heard(&[b"\x1b[201~"]), [Heard::Noise]);
}

#[test]
fn a_paste_is_bounded_and_its_end_is_no_key() {
    let mut frames = Frames::new();
    frames.take(b"\x1b[200~");
    for _ in 0..40 {
        assert_eq!(frames.take(&vec![b'y'; 64 * 1024]), []);
        assert!(frames.weight() <= MOST_HELD);
    }
    assert_eq!(frames.take(b"\x1b[201~"), [paste(&"y".repeat(MOST_PASTED))]);
    the_next_key_is_heard(&mut frames, b"");
}

#[test]
fn a_string_without_an_end_holds_nothing() {
    for begin in ["\x1b]52;c;", "\x1bP1+r", "\x1b_G", "\x1b^", "\x1bX", "\x1b[1;", "\x1b[<"] {
        let mut frames = Frames::new();
        frames.take(begin.as_bytes());
        for _ in 0..20 {
            assert_eq!(frames.take(&vec![b'0'; 64 * 1024]), []);
            assert!(frames.weight() <= 4096);
        }
        assert_eq!(frames.rest(), [Heard::Noise]);
        assert!(frames.weight() <= 4096);
        the_next_key_is_heard(&mut frames, begin.as_bytes());
    }
}

/// Bytes near to sequences: random ones are mostly letters.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        proptest::sample::select(vec![
            &b"\x1b"[..],
            b"\x1b[",
            b"\x1b]",
            b"\x1bP",
            b"\x1b_",
            b"\x1b^",
            b"\x1bX",
            b"\x1bO",
            b"\x1b\\",
            b"\x1b[M",
            b"\x1b[[",
            b"\x1b[200~",
            b"\x1b[201~",
            b"\x1b[0n",
            b"\x9b",
            b"\x9c",
            b"\x9d",
            b"\xc2",
            b"\xc2\x9d",
            b"\x90",
            b"\x8f",
            b"\x07",
            b"\x18",
            b";",
            b"27;5;",
            b"~",
            b"u",
            b"52;c;",
            b"\xf0\x9f",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    proptest::collection::vec(piece, 0..2500).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn after_any_bytes_and_one_rest_the_next_key_is_heard(
        bytes in bytes(),
        length in 1_usize..300,
        rests in any::<u8>(),
    ) {
        let mut frames = Frames::new();
        for (count, read) in bytes.chunks(length).enumerate() {
            frames.take(read);
            if rests >> (count % 8) & 1 == 1 {
                frames.rest();
            }
            prop_assert!(frames.weight() <= MOST_HELD);
        }
        frames.rest();
        prop_assert_eq!(frames.patience(), None);
        prop_assert_eq!(frames.take(b"?"), [key("?")]);
    }

    #[test]
    fn what_is_heard_does_not_depend_on_where_reads_end(bytes in bytes(), length in 1_usize..9) {
        let mut whole = Frames::new();
        let mut split = Frames::new();
        let mut at_once = whole.take(&bytes);
        let mut in_parts: Vec<_> =
            bytes.chunks(length).flat_map(|read| split.take(read)).collect();
        at_once.extend(whole.rest());
        in_parts.extend(split.rest());
        at_once.dedup_by(|a, b| *a == Heard::Noise && *b == Heard::Noise);
        in_parts.dedup_by(|a, b| *a == Heard::Noise && *b == Heard::Noise);
        prop_assert_eq!(at_once, in_parts);
    }

    #[test]
    fn control_sequences_end_at_their_first_letter(
        inside in "[ -?]{0,40}",
        // But for those with more bytes.
        last in "[@-LN-SU-Zac-s]",
        behind in "[ -~]{0,9}",
    ) {
        let bytes = format!("\x1b[{inside}{last}{behind}");
        let keys: Vec<_> = behind.chars().map(|letter| key(&letter.to_string())).collect();
        prop_assert_eq!(&heard(&[bytes.as_bytes()])[1..], keys);
    }
}

//! Keys, and what is a key only at second sight.

use super::*;

/// What is sent, and which key it is.
const KEYS: &[(&str, &str)] = &[
    ("a", "a"),
    ("A", "A"),
    (" ", "space"),
    ("~", "~"),
    ("[", "["),
    ("\\", "\\"),
    ("é", "é"),
    ("受", "受"),
    ("🙂", "🙂"),
    ("\u{a0}", "\u{a0}"),
    ("\r", "enter"),
    ("\n", "ctrl-j"),
    ("\t", "tab"),
    ("\x7f", "backspace"),
    ("\x08", "ctrl-h"),
    ("\0", "ctrl-space"),
    ("\x01", "ctrl-a"),
    ("\x03", "ctrl-c"),
    ("\x0c", "ctrl-l"),
    ("\x18", "ctrl-x"),
    ("\x1a", "ctrl-z"),
    ("\x1c", "ctrl-4"),
    ("\x1f", "ctrl-7"),
    ("\x1b[A", "up"),
    ("\x1b[B", "down"),
    ("\x1b[C", "right"),
    ("\x1b[D", "left"),
    ("\x1b[H", "home"),
    ("\x1b[F", "end"),
    ("\x1b[Z", "backtab"),
    ("\x1b[P", "f1"),
    ("\x1b[Q", "f2"),
    ("\x1b[S", "f4"),
    ("\x1b[1;5A", "ctrl-up"),
    ("\x1b[1;2B", "shift-down"),
    ("\x1b[1;3C", "alt-right"),
    ("\x1b[1;5H", "ctrl-home"),
    ("\x1b[1;1F", "end"),
    ("\x1b[1;5P", "ctrl-f1"),
    ("\x1b[1;2S", "shift-f4"),
    ("\x1b[5D", "ctrl-left"),
    ("\x1b[1;1:1A", "up"),
    ("\x1b[1;5:2A", "ctrl-up"),
    ("\x1b[1;129A", "up"),
    ("\x1b[1;2Z", "backtab"),
    ("\x1b[1~", "home"),
    ("\x1b[2~", "insert"),
    ("\x1b[3~", "delete"),
    ("\x1b[4~", "end"),
    ("\x1b[5~", "pageup"),
    ("\x1b[6~", "pagedown"),
    ("\x1b[7~", "home"),
    ("\x1b[8~", "end"),
    ("\x1b[3;5~", "ctrl-delete"),
    ("\x1b[5;3~", "alt-pageup"),
    ("\x1b[6;1:2~", "pagedown"),
    ("\x1b[11~", "f1"),
    ("\x1b[12~", "f2"),
    ("\x1b[13~", "f3"),
    ("\x1b[14~", "f4"),
    ("\x1b[15~", "f5"),
    ("\x1b[17~", "f6"),
    ("\x1b[18~", "f7"),
    ("\x1b[19~", "f8"),
    ("\x1b[20~", "f9"),
    ("\x1b[21~", "f10"),
    ("\x1b[23~", "f11"),
    ("\x1b[24~", "f12"),
    ("\x1b[25~", "f13"),
    ("\x1b[26~", "f14"),
    ("\x1b[28~", "f15"),
    ("\x1b[29~", "f16"),
    ("\x1b[31~", "f17"),
    ("\x1b[32~", "f18"),
    ("\x1b[33~", "f19"),
    ("\x1b[34~", "f20"),
    ("\x1b[15;5~", "ctrl-f5"),
    ("\x1bOA", "up"),
    ("\x1bOB", "down"),
    ("\x1bOC", "right"),
    ("\x1bOD", "left"),
    ("\x1bOH", "home"),
    ("\x1bOF", "end"),
    ("\x1bOP", "f1"),
    ("\x1bOQ", "f2"),
    ("\x1bOR", "f3"),
    ("\x1bOS", "f4"),
    ("\x1bOM", "enter"),
    ("\x1b[[A", "f1"),
    ("\x1b[[B", "f2"),
    ("\x1b[[C", "f3"),
    ("\x1b[[D", "f4"),
    ("\x1b[[E", "f5"),
    ("\x1b[97u", "a"),
    ("\x1b[97;1u", "a"),
    ("\x1b[97;2u", "A"),
    ("\x1b[97:65;2u", "A"),
    ("\x1b[49:33;2u", "!"),
    ("\x1b[97;5u", "ctrl-a"),
    ("\x1b[97;3u", "alt-a"),
    ("\x1b[97;1:1u", "a"),
    ("\x1b[97;1:2u", "a"),
    ("\x1b[97;;97u", "a"),
    ("\x1b[97:65:113;5:1;97u", "ctrl-a"),
    ("\x1b[97;65u", "a"),
    ("\x1b[27u", "esc"),
    ("\x1b[13u", "enter"),
    ("\x1b[13;5u", "ctrl-enter"),
    ("\x1b[9u", "tab"),
    ("\x1b[9;2u", "backtab"),
    ("\x1b[127u", "backspace"),
    ("\x1b[127;5u", "ctrl-backspace"),
    ("\x1b[32;5u", "ctrl-space"),
    ("\x1b[233u", "é"),
    ("\x1b[65533u", "\u{fffd}"),
    ("\x1b[57399u", "0"),
    ("\x1b[57408u", "9"),
    ("\x1b[57410u", "/"),
    ("\x1b[57414u", "enter"),
    ("\x1b[57417u", "left"),
    ("\x1b[57424u", "end"),
    ("\x1b[57376u", "f13"),
    ("\x1b[57383u", "f20"),
    ("\x1b[27;5;97~", "ctrl-a"),
    ("\x1b[27;2;65~", "A"),
    ("\x1b[27;5;13~", "ctrl-enter"),
    ("\x1b[27;6;63~", "ctrl-?"),
    ("\u{9b}A", "up"),
    ("\u{9b}3~", "delete"),
    ("\u{8f}P", "f1"),
];

/// What ESC before a key makes of it.
const WITH_ALT: &[(&str, &str)] = &[
    ("\x1ba", "alt-a"),
    ("\x1bA", "alt-A"),
    ("\x1b.", "alt-."),
    ("\x1b/", "alt-/"),
    ("\x1b#", "alt-#"),
    ("\x1b ", "alt-space"),
    ("\x1bN", "alt-N"),
    ("\x1b7", "alt-7"),
    ("\x1bc", "alt-c"),
    ("\x1b~", "alt-~"),
    ("\x1b\r", "alt-enter"),
    ("\x1b\x7f", "alt-backspace"),
    ("\x1b\t", "alt-tab"),
    ("\x1b\x01", "ctrl-alt-a"),
    ("\x1b\x18", "ctrl-alt-x"),
];

fn named(name: &str) -> Heard {
    let upper = name.strip_prefix("alt-").and_then(|letter| letter.chars().next());
    match upper.filter(char::is_ascii_uppercase) {
        // That crate reads a letter in either case as the same key.
        Some(letter) => {
            Heard::Key(Key::from(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::ALT)))
        }
        None => key(name),
    }
}

#[test]
fn every_key_is_heard_wherever_it_is_split() {
    for (sent, name) in KEYS.iter().chain(WITH_ALT) {
        let bytes = sent.as_bytes();
        assert_eq!(heard(&[bytes]), [named(name)], "{sent:?}");
        for at in 1..bytes.len() {
            let (first, second) = bytes.split_at(at);
            assert_eq!(heard(&[first, second, b"?"]), [named(name), key("?")], "{sent:?} at {at}");
        }
        let twice = [bytes, bytes].concat();
        assert_eq!(heard(&[&twice]), [named(name), named(name)], "{sent:?} twice");
    }
}

#[test]
fn controls_in_one_raw_byte_are_the_same() {
    assert_eq!(
        heard(&[b"\x9bA\x9b5~\x8fQ\x9b0n"]),
        [key("up"), key("pageup"), key("f2"), Heard::Answer,]
    );
}

#[test]
fn a_release_is_no_key() {
    for sent in ["\x1b[97;1:3u", "\x1b[1;1:3A", "\x1b[3;1:3~", "\x1b[57441;2:3u", "\x1b[27;1:3u"] {
        assert_eq!(heard(&[sent.as_bytes(), b"?"]), [Heard::Noise, key("?")], "{sent:?}");
    }
}

#[test]
fn a_modifier_alone_is_the_key_that_it_was() {
    let event = KeyEvent::new(
        KeyCode::Modifier(crossterm::event::ModifierKeyCode::LeftControl),
        KeyModifiers::CONTROL,
    );
    assert_eq!(heard(&[b"\x1b[57442u"]), [Heard::Key(Key::from(event))]);
    let event = KeyEvent::from(KeyCode::Media(crossterm::event::MediaKeyCode::MuteVolume));
    assert_eq!(heard(&[b"\x1b[57440u"]), [Heard::Key(Key::from(event))]);
}

#[test]
fn a_lone_esc_is_a_key_after_a_short_while() {
    let mut frames = Frames::new();
    assert_eq!(frames.take(b"\x1b"), []);
    assert_eq!(frames.patience(), Some(AFTER_ESC));
    assert_eq!(frames.rest(), [esc()]);
    assert_eq!(frames.patience(), None);
    assert_eq!(frames.rest(), []);
    the_next_key_is_heard(&mut frames, b"\x1b");
}

#[test]
fn esc_twice_is_esc_and_what_the_second_begins() {
    assert_eq!(heard(&[b"\x1b\x1b[A"]), [esc(), key("up")]);
    assert_eq!(heard(&[b"\x1b\x1b\x1bx"]), [esc(), esc(), key("alt-x")]);
    let mut frames = Frames::new();
    assert_eq!(frames.take(b"\x1b\x1b"), [esc()]);
    assert_eq!(frames.rest(), [esc()]);
}

#[test]
fn esc_before_other_than_ascii_is_esc() {
    assert_eq!(heard(&["\x1bé".as_bytes()]), [esc(), key("é")]);
    assert_eq!(heard(&["\x1b🙂y".as_bytes()]), [esc(), key("🙂"), key("y")]);
    assert_eq!(heard(&[b"\x1b\xff"]), [esc(), Heard::Noise]);
    assert_eq!(heard(&[b"\x1b\x9bA"]), [esc(), key("up")]);
    let mut frames = Frames::new();
    frames.take(b"\x1b\xc3");
    assert_eq!(frames.patience(), Some(AFTER_ALL_ELSE));
    assert_eq!(frames.rest(), [esc(), Heard::Noise]);
}

#[test]
fn esc_and_a_key_leave_nothing_unfinished() {
    assert_eq!(heard(&[b"\x1b/y"]), [key("alt-/"), key("y")]);
    assert_eq!(heard(&[b"\x1b/"]), [key("alt-/")]);
    assert_eq!(heard(&[b"\x1b(B"]), [key("alt-("), key("B")]);
    assert_eq!(heard(&[b"\x1b\r[A"]), [key("alt-enter"), key("["), key("A")]);
    assert_eq!(heard(&[b"\x1b\x7fy"]), [key("alt-backspace"), key("y")]);
    assert_eq!(heard(&[b"\x1b\\y"]), [Heard::Noise, key("y")]);
}

#[test]
fn an_unfinished_sequence_is_given_up_and_is_no_key() {
    for sent in [
        "\x1b[", "\x1bO", "\x1b]", "\x1bP", "\x1bX", "\x1b^", "\x1b_", "\x1b[1;5", "\x1b[[",
        "\x1b[M !",
    ] {
        let mut frames = Frames::new();
        assert_eq!(frames.take(sent.as_bytes()), []);
        assert_eq!(frames.patience(), Some(AFTER_ALL_ELSE), "{sent:?}");
        assert_eq!(frames.rest(), [Heard::Noise], "{sent:?}");
        the_next_key_is_heard(&mut frames, sent.as_bytes());
    }
}

#[test]
fn the_late_rest_of_a_key_is_that_key_and_never_its_letters() {
    for (first, second, key_heard) in [
        ("\x1b", "[A", key("up")),
        ("\x1b", "[1;5C", key("ctrl-right")),
        ("\x1b", "[[A", key("f1")),
        ("\x1b[", "3~", key("delete")),
        ("\x1b[1", ";5A", key("ctrl-up")),
        ("\x1b", "[0n", Heard::Answer),
        ("\x1b", "[?1;2c", Heard::Noise),
        ("\x1b", "[24;80R", Heard::Noise),
        ("\x1b", "[M !!", Heard::Noise),
        ("\x1b[M", " !!", Heard::Noise),
        ("\x1b[M", "\x1b[A", key("up")),
        ("\x1b[<0;1", ";1M", Heard::Noise),
        ("\x1b", "]10;rgb:ffff/ffff/ffff\x07", Heard::Noise),
        ("\x1b", "]10;rgb:ffff/ffff/ffff\x1b\\", Heard::Noise),
        ("\x1b]10;rgb", ":ff/ff\x07", Heard::Noise),
        ("\x1bP>|xter", "m(1)\x1b\\", Heard::Noise),
        ("\x1b", "P>|xterm(1)\x1b\\", Heard::Noise),
        ("\x1b", "_Gi=1;OK\x1b\\", Heard::Noise),
        ("\x1b]0;é", "é\u{9c}", Heard::Noise),
    ] {
        let mut frames = Frames::new();
        frames.take(first.as_bytes());
        frames.rest();
        let mut heard = frames.take(second.as_bytes());
        heard.dedup();
        assert_eq!(heard, [key_heard], "{first:?}, then {second:?}");
        the_next_key_is_heard(&mut frames, second.as_bytes());
    }
}

#[test]
fn what_does_not_finish_what_was_cut_off_stands_for_itself() {
    for (first, second, names) in [
        ("\x1b", "[", vec!["["]),
        ("\x1b", "ab", vec!["a", "b"]),
        ("\x1b", "yy", vec!["y", "y"]),
        ("\x1b", "OA", vec!["O", "A"]),
        ("\x1b", "Py", vec!["P", "y"]),
        ("\x1b", "]y", vec!["]", "y"]),
        ("\x1b", "[\r", vec!["[", "enter"]),
        ("\x1b[", "A", vec!["A"]),
        ("\x1b[", "\x1b[A", vec!["up"]),
        ("\x1b[1", "é~", vec!["é", "~"]),
        ("\x1bO", "Px", vec!["P", "x"]),
        ("\x1b]10;", "yd", vec!["y", "d"]),
        ("\x1b]10;", "y\x18d", vec!["y", "ctrl-x", "d"]),
        ("\x1b]10;\x1b", "\\", vec!["\\"]),
        ("\x1bPx", "y\x07", vec!["y", "ctrl-g"]),
        ("\x1b[200~text", "short", vec!["s", "h", "o", "r", "t"]),
    ] {
        let mut frames = Frames::new();
        frames.take(first.as_bytes());
        frames.rest();
        let keys: Vec<_> = names.into_iter().map(key).collect();
        assert_eq!(frames.take(second.as_bytes()), keys, "{first:?}, then {second:?}");
        the_next_key_is_heard(&mut frames, second.as_bytes());
    }
}

#[test]
fn what_was_cut_off_is_forgotten_with_the_next_read() {
    let mut frames = Frames::new();
    frames.take(b"\x1b]10;rgb");
    frames.rest();
    assert_eq!(frames.take(b"y"), [key("y")]);
    assert_eq!(frames.take(b"d\x07"), [key("d"), key("ctrl-g")]);
}

#[test]
fn a_cut_sequence_before_others_takes_only_its_own_rest() {
    let mut frames = Frames::new();
    frames.take(b"\x1b");
    frames.rest();
    assert_eq!(frames.take(b"[Ay\x1b[B"), [key("up"), key("y"), key("down")]);
}

#[test]
fn what_is_no_text_is_no_key() {
    for bytes in [
        &b"\xff"[..],
        b"\xfe\xfe",
        b"\xc3\x28",
        b"\xa0",
        b"\xbf",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xc0\x9b",
        b"\xf5\x80\x80\x80",
        b"\xf0\x80\x80\x80",
        b"\xe0\x80\x9b",
        b"\x80",
        b"\x84",
        b"\x8e",
        b"\x9c",
        b"\xc2\x85",
    ] {
        let mut frames = Frames::new();
        let mut all = frames.take(bytes);
        all.extend(frames.rest());
        let behind =
            if bytes == b"\xc3\x28" { vec![Heard::Noise, key("(")] } else { vec![Heard::Noise] };
        assert_eq!(all, behind, "{}", bytes.escape_ascii());
        the_next_key_is_heard(&mut frames, bytes);
    }
}

#[test]
fn a_control_within_a_sequence_is_heard_and_the_sequence_goes_on() {
    assert_eq!(heard(&[b"\x1b[1\x03;5A"]), [key("ctrl-c"), key("ctrl-up")]);
    assert_eq!(heard(&[b"\x1b[1\x18y"]), [Heard::Noise, key("y")]);
    assert_eq!(heard(&[b"\x1b[1\x1b[A"]), [Heard::Noise, key("up")]);
    assert_eq!(heard(&[b"\x1bO\ry"]), [Heard::Noise, key("enter"), key("y")]);
}

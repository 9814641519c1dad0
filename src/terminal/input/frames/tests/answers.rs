//! What terminals answer and report, none of which is a key.

use super::*;

const CONTROL_SEQUENCES: &[&str] = &[
    // Device attributes, primary and secondary.
    "\x1b[?1;2c",
    "\x1b[?62;1;2;4;6;9;15;22c",
    "\x1b[?64;1;2;6;22;28;29;52c",
    "\x1b[?6c",
    "\x1b[>0;276;0c",
    "\x1b[>1;7600;0c",
    "\x1b[>41;390;0c",
    "\x1b[>84;0;0c",
    "\x1b[=0;1;0c",
    // Status, printers, macros, sessions.
    "\x1b[?13n",
    "\x1b[?20n",
    "\x1b[?27;1;0;0n",
    "\x1b[?50n",
    "\x1b[?57;1n",
    "\x1b[?70n",
    "\x1b[?83n",
    "\x1b[1n",
    "\x1b[4n",
    // Where the cursor is, also where it looks like F3.
    "\x1b[24;80R",
    "\x1b[1;1R",
    "\x1b[1;2R",
    "\x1b[1;5R",
    "\x1b[R",
    "\x1b[?12;40;1R",
    "\x1b[?24;80R",
    // Modes.
    "\x1b[?2026;2$y",
    "\x1b[?2026;0$y",
    "\x1b[?2004;1$y",
    "\x1b[4;2$y",
    "\x1b[?1016;4$y",
    // Colour scheme, in-band sizes, windows.
    "\x1b[?997;1n",
    "\x1b[?997;2n",
    "\x1b[48;24;80;480;1600t",
    "\x1b[8;24;80t",
    "\x1b[4;480;1600t",
    "\x1b[6;20;10t",
    "\x1b[9;50;200t",
    "\x1b[1t",
    "\x1b[2t",
    "\x1b[3;0;0t",
    "\x1b[5;480;1600t",
    // Sixel, keyboards, checksums, presentation.
    "\x1b[?1;0;1024S",
    "\x1b[?2;0;800;600S",
    "\x1b[?1u",
    "\x1b[?31u",
    "\x1b[?0u",
    "\x1b[>4;2m",
    "\x1b[>4m",
    "\x1b[>1;2;3q",
    "\x1b[2;1;1;112;112;1;0x",
    "\x1b[?1;2;256m",
    // Focus.
    "\x1b[I",
    "\x1b[O",
    // The mouse.
    "\x1b[M !!",
    "\x1b[M#pY",
    "\x1b[M~~~",
    "\x1b[M \u{80}\u{a9}",
    "\x1b[M@\u{7ff}!",
    "\x1b[M`Yq",
    "\x1b[<0;10;20M",
    "\x1b[<0;10;20m",
    "\x1b[<64;1;1M",
    "\x1b[<35;255;99M",
    "\x1b[<0;2000;1500M",
    "\x1b[32;10;20M",
    "\x1b[96;1;1M",
    "\x1b[t!!",
    "\x1b[T!!!!!!",
    "\x1b[1;4;10;20;1&w",
    "\x1b[0&w",
    // Pasting that has no beginning, and what nobody sends.
    "\x1b[201~",
    "\x1b[99~",
    "\x1b[0~",
    "\x1b[?5~",
    "\x1b[<A",
    "\x1b[1;5 A",
    "\x1b[$~",
    "\x1b[1;2;3A",
    "\x1b[u",
    "\x1b[1114112u",
    "\x1b[55296u",
    "\x1b[1u",
    "\x1b[64000000000u",
    // Numbers above 65534 are not told apart.
    "\x1b[65535u",
    "\x1b[128578u",
    "\x1b[97;65536u",
    "\x1b[97:128578;2u",
    "\x1b[1;99999A",
    "\x1b[E",
    "\x1b[G",
    "\x1b[!p",
    "\x1b[1<2c",
    "\x1b[[Z",
    "\x1bOj",
    "\x1bO5C",
    "\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20;21;22;23;24;25;26;27;28A",
];

/// Strings without their two ends: what they begin with, and what they say.
const STRINGS: &[(&str, &str)] = &[
    ("]", "4;0;rgb:0000/0000/0000"),
    ("]", "4;255;rgb:eeee/eeee/eeee"),
    ("]", "5;0;rgb:ffff/ffff/ffff"),
    ("]", "10;rgb:ffff/ffff/ffff"),
    ("]", "11;rgb:0000/0000/0000"),
    ("]", "11;rgba:0000/0000/0000/ffff"),
    ("]", "12;rgb:5555/5555/5555"),
    ("]", "17;rgb:1111/2222/3333"),
    ("]", "52;c;dGhlIGN1c3RvbWVy"),
    ("]", "52;p;"),
    ("]", "lydnq"),
    ("]", "Ly"),
    ("]", "lBüro 受 🙂"),
    ("]", "7;file://host/tmp"),
    ("]", "21;foreground=rgb:ff/ff/ff"),
    ("]", "99;i=1:p=?;"),
    ("]", "1337;ReportCellSize=20.0;10.0;2.0"),
    ("]", "5522;type=read:status=OK"),
    ("]", "60;xterm"),
    ("]", ""),
    ("P", ">|XTerm(390)"),
    ("P", ">|kitty(0.39.1)"),
    ("P", ">|tmux 3.5a"),
    ("P", "!|00000000"),
    ("P", "!|7E565445"),
    ("P", "1+r524742=382F382F38"),
    ("P", "0+r5463"),
    ("P", "1+r544E=787465726D2D323536636F6C6F72"),
    ("P", "1$r0m"),
    ("P", "1$r2 q"),
    ("P", "1$r1;24r"),
    ("P", "0$r"),
    ("P", "1$r\"p"),
    ("P", "1!~A1B2"),
    ("P", "2$u8/16/24"),
    ("P", "1$u1;1;1;@;@;@;0;2;@;BBBB"),
    ("_", "Gi=1;OK"),
    ("_", "Gi=1;ENOENT:no such file: y"),
    ("_", "Gi=31,p=1;EINVAL:d"),
    ("_", "yes"),
    ("^", "a private message: y"),
    ("^", "d"),
    ("X", "a string: y\r\n"),
    ("X", "75y"),
    ("_", "a bell is no end: \x07 y"),
];

/// Every answer: sequences, and every string with every beginning and end.
fn answers() -> Vec<Vec<u8>> {
    let mut answers: Vec<Vec<u8>> =
        CONTROL_SEQUENCES.iter().map(|answer| answer.as_bytes().to_vec()).collect();
    // Coordinates from 96 on, in bytes.
    answers.push(b"\x1b[M \xff\xff".to_vec());
    answers.push(b"\x1b[M \xa0\x81".to_vec());
    answers.push(b"\x1b[M#\xe9\xc3".to_vec());
    answers.push(b"\x1b[M \x00\x00".to_vec());
    answers.push(b"\x9b?1;2c".to_vec());
    answers.push(b"\x9b24;80R".to_vec());
    answers.push(b"\x9b<0;10;20M".to_vec());
    answers.push("\u{9b}?2026;2$y".as_bytes().to_vec());
    for (begin, text) in STRINGS {
        let upper = begin.as_bytes()[0] + 0x40;
        let begins: [&[u8]; 3] = [&[0x1b, begin.as_bytes()[0]], &[upper], &[0xc2, upper]];
        let ends: &[&[u8]] = &[b"\x1b\\", b"\x9c", b"\xc2\x9c", b"\x18", b"\x1a", b"\x07"];
        let ends = if *begin == "]" { ends } else { &ends[..5] };
        for (begin, end) in begins.iter().flat_map(|begin| ends.iter().map(move |end| (begin, end)))
        {
            answers.push([begin, text.as_bytes(), end].concat());
        }
    }
    answers
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[test]
fn there_are_answers_enough() {
    assert!(CONTROL_SEQUENCES.len() + STRINGS.len() >= 90);
    assert!(answers().len() > 500);
}

#[test]
fn an_answer_is_no_key_whole_or_split_at_every_byte() {
    for answer in answers() {
        let mut frames = Frames::new();
        assert_eq!(frames.take(&answer), [Heard::Noise], "{}", shown(&answer));
        assert_eq!(frames.take(b"?").last(), Some(&key("?")), "{}", shown(&answer));
        for at in 1..answer.len() {
            let (first, second) = answer.split_at(at);
            let mut frames = Frames::new();
            let mut all = frames.take(first);
            assert!(frames.patience().is_some(), "{} at {at}", shown(&answer));
            all.extend(frames.take(second));
            assert_eq!(all, [Heard::Noise], "{} at {at}", shown(&answer));
            frames.rest();
            the_next_key_is_heard(&mut frames, &answer);
        }
        let mut frames = Frames::new();
        let mut all: Vec<_> = answer.iter().flat_map(|&byte| frames.take(&[byte])).collect();
        all.extend(frames.take(b"?"));
        assert_eq!(all, [Heard::Noise, key("?")], "{} byte by byte", shown(&answer));
    }
}

#[test]
fn an_answer_that_is_cut_off_is_no_key_and_the_next_key_is_heard() {
    for answer in answers() {
        for at in 1..answer.len() {
            let mut frames = Frames::new();
            let mut all = frames.take(&answer[..at]);
            all.extend(frames.rest());
            let keys = if answer[..at] == *b"\x1b" { vec![esc()] } else { Vec::new() };
            assert_eq!(
                keys_of(&all),
                keys.iter().collect::<Vec<_>>(),
                "{} at {at}",
                shown(&answer)
            );
            the_next_key_is_heard(&mut frames, &answer[..at]);
        }
    }
}

#[test]
fn the_rest_of_an_answer_that_comes_late_is_no_key() {
    for answer in answers() {
        // A read of one byte is always a key, CAN and SUB end nothing late, and what begins with
        // SS3, or with `CSI [`, is not waited for.
        let cancelled = answer.ends_with(b"\x18") || answer.ends_with(b"\x1a");
        if cancelled || answer.starts_with(b"\x1bO") || answer.starts_with(b"\x1b[[") {
            continue;
        }
        for at in 1..answer.len() - 1 {
            let mut frames = Frames::new();
            frames.take(&answer[..at]);
            frames.rest();
            let late = frames.take(&answer[at..]);
            assert_eq!(keys_of(&late), Vec::<&Heard>::new(), "{} at {at}", shown(&answer));
            frames.rest();
            the_next_key_is_heard(&mut frames, &answer);
        }
    }
}

#[test]
fn two_answers_and_a_key_in_one_read_are_told_apart() {
    let answers = answers();
    for pair in answers.windows(2) {
        let bytes = [&pair[0][..], &pair[1], b"\x1b[B"].concat();
        assert_eq!(heard(&[&bytes]), [Heard::Noise, key("down")], "{}", shown(&bytes));
    }
}

#[test]
fn a_string_ends_at_any_esc_and_what_that_begins_is_heard() {
    for begin in ["\x1b]0;", "\x1bP1$r", "\x1bP", "\x1b_G", "\x1b^", "\x1bX"] {
        for (behind, heard_behind) in [
            ("\x1b[A", vec![key("up")]),
            ("\x1bOA", vec![key("up")]),
            ("\x1by", vec![key("alt-y")]),
            ("\x1b/", vec![key("alt-/")]),
            ("\x1b\r", vec![key("alt-enter")]),
            ("\x1bé", vec![key("esc"), key("é")]),
            ("\x1b\x1b[A", vec![key("esc"), key("up")]),
            ("\x1b]0;t\x07", vec![]),
        ] {
            let bytes = format!("{begin}text{behind}?");
            let all = [vec![Heard::Noise], heard_behind, vec![key("?")]].concat();
            assert_eq!(heard(&[bytes.as_bytes()]), all, "{bytes:?}");
        }
    }
}

#[test]
fn an_answer_to_a_question_for_the_state_is_told_as_that() {
    for answer in ["\x1b[0n", "\x1b[3n", "\u{9b}0n"] {
        let bytes = answer.as_bytes();
        assert_eq!(heard(&[bytes]), [Heard::Answer]);
        for at in 1..bytes.len() {
            let (first, second) = bytes.split_at(at);
            assert_eq!(heard(&[first, second]), [Heard::Answer], "{answer:?} at {at}");
        }
        assert_eq!(
            heard(&[bytes, bytes, b"y", bytes]),
            [Heard::Answer, Heard::Answer, key("y"), Heard::Answer,]
        );
    }
}

#[test]
fn what_the_clipboard_holds_is_never_a_key() {
    let answer = b"\x1b]52;c;dGhlIGN1c3RvbWVy\x1b\\";
    for first in 0..=answer.len() {
        for second in first..=answer.len() {
            let reads = [&answer[..first], &answer[first..second], &answer[second..]];
            assert_eq!(heard(&reads), [Heard::Noise], "at {first} and {second}");
        }
    }
    for at in 1..answer.len() - 1 {
        let mut frames = Frames::new();
        frames.take(&answer[..at]);
        let mut all = frames.rest();
        all.extend(frames.take(&answer[at..]));
        all.retain(|heard| *heard != Heard::Noise && *heard != esc());
        assert_eq!(all, [], "late at {at}");
    }
}

//! What the bytes of a terminal mean: keys, pasted text, answers. Every control sequence is framed
//! whole, however it is split, and one that is no key is swallowed whole; after any bytes and one
//! [`rest`](Frames::rest) the next key is heard.
//!
//! `vte` tells where sequences end. It is made for what is sent to a terminal; what a terminal
//! sends differs in this, which is looked after here:
//!
//! ```text
//! ESC              a key where nothing follows, or what follows begins nothing
//! ESC x            alt-x, also where x is a control or begins longer sequences elsewhere
//! SS3 x            a key, or nothing            CSI [ x     F1 to F5 of the Linux console
//! CSI M x x x      a mouse report: nothing      CSI 200 ~ … CSI 201 ~   pasted text
//! 0x80 to 0x9f     ESC and a letter in one, as a byte or in UTF-8
//! ```

mod keys;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use vte::{Params, Parser, Perform};

use crate::app::Key;

const CAN: char = '\x18';
const SUB: char = '\x1a';
const ESC: char = '\x1b';
const DEL: char = '\x7f';
/// The end of a string in one character.
const ST: char = '\u{9c}';
/// What a sequence begins with in one character, CSI.
const CSI: char = '\u{9b}';

/// A lone ESC is the key Esc where nothing follows for so long.
const AFTER_ESC: Duration = Duration::from_millis(50);

/// Anything else unfinished is given up where nothing follows for so long.
const AFTER_ALL_ELSE: Duration = Duration::from_millis(80);

/// Pasted text longer than this, in bytes, loses its end.
const MOST_PASTED: usize = 1 << 20;

/// A read as long as this after an unfinished paste is more of it: nobody types so fast.
const STILL_PASTED: usize = 16;

/// One thing that came from the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::terminal) enum Heard {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The answer to one `CSI 5 n`.
    Answer,
    /// Bytes came that are no key and no answer that was asked for.
    Noise,
}

/// Turns bytes into what they mean; unfinished sequences wait for their rest.
#[derive(Default)]
pub(in crate::terminal) struct Frames {
    machine: Machine,
    /// What the last rest cut off, until the next read.
    cut: Option<Machine>,
}

impl Frames {
    pub(in crate::terminal) fn new() -> Self {
        Self::default()
    }

    /// What the bytes of one read mean, together with what was unfinished before.
    pub(in crate::terminal) fn take(&mut self, bytes: &[u8]) -> Vec<Heard> {
        if bytes.is_empty() {
            return Vec::new();
        }
        // A slow line brings the rest late, and it must not act as keys then.
        let cut = self.cut.take().filter(|_| bytes.len() > 1);
        match cut.and_then(|cut| cut.finished_by(bytes)) {
            Some(finished) => self.machine = finished,
            None => bytes.iter().for_each(|&byte| self.machine.take(byte)),
        }
        std::mem::take(&mut self.machine.ear.heard)
    }

    /// How long to wait for more before [`rest`](Self::rest); `None` where nothing is unfinished.
    pub(in crate::terminal) fn patience(&self) -> Option<Duration> {
        let Machine { ear, letter, .. } = &self.machine;
        let esc = self.machine.is_esc() && letter.is_empty() && ear.paste.is_none();
        self.machine.is_unfinished().then_some(if esc { AFTER_ESC } else { AFTER_ALL_ELSE })
    }

    /// What is unfinished means this, as nothing more came in time: a lone ESC is the key Esc, an
    /// unclosed paste is handed on, all else is dropped.
    pub(in crate::terminal) fn rest(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        let mut cut = std::mem::take(&mut self.machine);
        if !cut.is_unfinished() {
            return heard;
        }
        if let Some(paste) = &mut cut.ear.paste {
            heard.push(paste.hand_on());
        } else {
            if cut.is_esc() {
                heard.push(Heard::Key(Key::from(keys::of_letter(ESC))));
            }
            if !cut.is_esc() || !cut.letter.is_empty() {
                heard.push(Heard::Noise);
            }
        }
        self.cut = cut.is_worth_keeping().then_some(cut);
        heard
    }

    /// Bytes of memory held.
    #[cfg(any(test, fuzzing))]
    pub(in crate::terminal) fn weight(&self) -> usize {
        self.machine.weight() + self.cut.as_ref().map_or(0, Machine::weight)
    }
}

/// What has begun and not ended.
#[derive(Debug, Clone, Copy, Default)]
enum Open {
    #[default]
    Nothing,
    /// CSI.
    Control,
    /// OSC, DCS, APC, PM or SOS.
    Text,
    /// SS3 or `CSI [`: a letter is to come, and this is its key.
    Last(fn(u8) -> Option<KeyCode>),
    /// A mouse report whose bytes are no text.
    Mouse {
        /// So many of them are still to come.
        left: u8,
        /// The last one may be the first of two: coordinates are bytes, or letters in UTF-8.
        lead: bool,
    },
}

/// What is being pasted.
#[derive(Debug, Clone, Default)]
struct Paste {
    text: String,
    full: bool,
    /// A part was handed on before.
    continued: bool,
}

impl Paste {
    fn add(&mut self, letter: char) {
        self.full = self.full || self.text.len() + letter.len_utf8() > MOST_PASTED;
        if !self.full {
            self.text.push(letter);
        }
    }

    /// What came so far; the end is missing.
    fn hand_on(&mut self) -> Heard {
        let text = std::mem::take(&mut self.text);
        *self = Self { continued: true, ..Self::default() };
        if text.is_empty() { Heard::Noise } else { Heard::Paste(text) }
    }

    fn end(self) -> Heard {
        if self.continued && self.text.is_empty() {
            return Heard::Noise;
        }
        Heard::Paste(self.text)
    }
}

/// The state between two bytes.
#[derive(Default)]
struct Machine {
    /// Gets ESC only together with what follows it, and nothing above ASCII within a sequence.
    parser: Parser,
    ear: Ear,
    /// ESC came last.
    escape: bool,
    /// The first bytes of a character in UTF-8, at most three between two reads.
    letter: Vec<u8>,
}

impl Machine {
    /// Whether an ESC came last that ends no string.
    fn is_esc(&self) -> bool {
        self.escape && !matches!(self.ear.open, Open::Text)
    }

    fn is_unfinished(&self) -> bool {
        self.escape
            || !matches!(self.ear.open, Open::Nothing)
            || !self.letter.is_empty()
            || self.ear.paste.is_some()
    }

    /// Whether a rest of it can be told from keys when it comes late.
    fn is_worth_keeping(&self) -> bool {
        self.ear.paste.is_some() || !matches!(self.ear.open, Open::Last(_))
    }

    #[cfg(any(test, fuzzing))]
    fn weight(&self) -> usize {
        let paste = self.ear.paste.as_ref().map_or(0, |paste| paste.text.capacity());
        size_of::<Self>() + paste + self.letter.capacity() + self.ear.heard.capacity()
    }

    fn take(&mut self, byte: u8) {
        if self.ear.is_of_mouse(byte) {
            return;
        }
        if !self.letter.is_empty() {
            if is_continuation(byte) {
                self.letter.push(byte);
                if is_whole(&self.letter) {
                    let letter = std::mem::take(&mut self.letter);
                    self.step(str::from_utf8(&letter).ok().and_then(|text| text.chars().next()));
                }
                return;
            }
            self.letter.clear();
            self.step(None);
        }
        match byte {
            0x00..=0x9f => self.step(Some(char::from(byte))),
            0xc0..=0xf7 => self.letter.push(byte),
            0xa0..=0xbf | 0xf8..=0xff => self.step(None),
        }
    }

    /// Takes a character, or bytes that are none.
    fn step(&mut self, letter: Option<char>) {
        if std::mem::take(&mut self.escape) {
            self.after_escape(letter);
            return;
        }
        match (self.ear.open, letter) {
            (Open::Last(key), _) => self.end_with(letter, key),
            (_, Some(ESC)) => self.escape = true,
            // The end of a paste must be found behind anything that was pasted.
            (Open::Text, Some(upper @ '\u{80}'..='\u{9f}'))
                if upper != ST && (upper != CSI || self.ear.paste.is_none()) => {}
            (_, Some(upper @ ('\u{8f}' | '\u{90}' | '\u{98}' | '\u{9b}'..='\u{9f}'))) => {
                self.after_escape(char::from_u32(u32::from(upper) - 0x40));
            }
            (_, Some('\u{80}'..='\u{9f}')) => self.give_up(),
            (Open::Text | Open::Control, None | Some('\u{a0}'..)) => {}
            (_, Some(letter)) => self.feed(letter),
            (_, None) => self.ear.noise(),
        }
    }

    fn after_escape(&mut self, letter: Option<char>) {
        match (self.ear.open, letter) {
            (Open::Nothing, _) | (Open::Text, Some('\\')) => {}
            _ => self.give_up(),
        }
        match letter {
            Some(letter @ '0'..='~') => {
                self.ear.open = if letter == '[' { Open::Control } else { Open::Text };
                self.feed(ESC);
                self.feed(letter);
            }
            // For `vte` most of these begin something longer, or nothing. Controls are pasted.
            Some(letter @ '\0'..='\x7f')
                if letter != ESC && (letter >= ' ' || self.ear.paste.is_none()) =>
            {
                self.ear.press_with_alt(letter);
            }
            _ => {
                self.ear.press(Some(keys::of_letter(ESC)));
                self.step(letter);
            }
        }
    }

    /// The last letter of SS3, perhaps with parameters, which no key has, or of `CSI [`.
    fn end_with(&mut self, letter: Option<char>, key: fn(u8) -> Option<KeyCode>) {
        self.ear.open = Open::Nothing;
        match letter {
            Some('0'..='?') => self.ear.open = Open::Last(|_| None),
            Some(letter @ ' '..='~') => {
                let code = u8::try_from(letter).ok().and_then(key);
                self.ear.press(code.map(KeyEvent::from));
            }
            // These are there for nothing but to end it.
            Some(CAN | SUB) => self.ear.noise(),
            _ => {
                self.ear.noise();
                self.step(letter);
            }
        }
    }

    /// Hands a character to `vte`, and a DEL behind it where something is open, as `vte` does not
    /// tell of every end: DEL is printed where nothing is open any more, and ignored elsewhere.
    fn feed(&mut self, letter: char) {
        self.parser.advance(&mut self.ear, letter.encode_utf8(&mut [0; 4]).as_bytes());
        if let Open::Control | Open::Text = self.ear.open {
            self.parser.advance(&mut self.ear, b"\x7f");
        }
    }

    /// Drops what is open.
    fn give_up(&mut self) {
        self.parser = Parser::new();
        self.ear.open = Open::Nothing;
        self.ear.noise();
    }
}

/// What follows a cut, and whether it is the rest of it.
impl Machine {
    /// What has become of this with the bytes behind it, where they finish what was cut off.
    fn finished_by(mut self, bytes: &[u8]) -> Option<Self> {
        let pasting = self.ear.paste.is_some();
        let in_mouse = matches!(self.ear.open, Open::Mouse { .. });
        let mut finished = pasting && bytes.len() >= STILL_PASTED;
        for &byte in bytes {
            if !finished && !pasting && !self.can_go_on_with(byte) {
                return None;
            }
            self.take(byte);
            finished = finished
                || self.ear.paste.is_some() != pasting
                || !pasting && self.has_finished(in_mouse);
        }
        finished.then_some(self)
    }

    /// Whether nothing but the rest of what is open has such a byte.
    fn can_go_on_with(&self, byte: u8) -> bool {
        let letter = char::from(byte);
        match self.ear.open {
            Open::Text if self.escape => letter == '\\',
            Open::Text => !matches!(letter, CAN | SUB),
            Open::Mouse { .. } => !matches!(letter, CAN | SUB | ESC),
            // SS3 is not among these: it may be two letters.
            _ if self.escape => matches!(letter, '[' | ']' | 'P' | 'X' | '^' | '_'),
            Open::Nothing => is_continuation(byte),
            Open::Control | Open::Last(_) => matches!(letter, ' '..='~'),
        }
    }

    fn has_finished(&self, in_mouse: bool) -> bool {
        if let Open::Mouse { left, .. } = self.ear.open {
            return left == 0 || !in_mouse;
        }
        !self.is_unfinished()
    }
}

/// What was heard, and what it depends on.
#[derive(Default)]
struct Ear {
    heard: Vec<Heard>,
    open: Open,
    paste: Option<Paste>,
}

impl Perform for Ear {
    fn print(&mut self, letter: char) {
        match (&mut self.paste, letter) {
            (_, CAN | SUB | DEL) if matches!(self.open, Open::Control | Open::Text) => {
                self.open = Open::Nothing;
                self.noise();
            }
            (Some(paste), '\r' | '\n' | '\t') => paste.add(letter),
            (Some(paste), _) if !letter.is_control() => paste.add(letter),
            (_, _) => self.press(Some(keys::of_letter(letter))),
        }
    }

    /// Within a control sequence, too: by ECMA-48 it is heard as if it had come before.
    fn execute(&mut self, byte: u8) {
        self.print(char::from(byte));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.open = Open::Nothing;
        match byte {
            b'O' => self.open = Open::Last(keys::of_shift),
            b'\\' => self.noise(),
            _ => self.press_with_alt(char::from(byte)),
        }
    }

    fn csi_dispatch(&mut self, parameters: &Params, more: &[u8], ignored: bool, last: char) {
        self.open = Open::Nothing;
        let mut fields: Vec<_> = parameters.iter().collect();
        // No key has a private marker or an intermediate, nor a number that is cut to the greatest.
        if ignored || !more.is_empty() || fields.iter().any(|field| field.contains(&u16::MAX)) {
            fields.clear();
        }
        if let Some(paste) = self.paste.take() {
            match (fields.as_slice(), last) {
                ([[201]], '~') => self.heard.push(paste.end()),
                _ => self.paste = Some(paste),
            }
            return;
        }
        match (fields.as_slice(), last) {
            ([[200]], '~') => self.paste = Some(Paste::default()),
            ([[0 | 3]], 'n') => self.heard.push(Heard::Answer),
            ([[0]], '[') => self.open = Open::Last(keys::of_console),
            ([[0]], 'M') => self.open = Open::Mouse { left: 3, lead: false },
            // Of a mode in which xterm marks text while the mouse is held.
            ([[0]], 't') => self.open = Open::Mouse { left: 2, lead: false },
            ([[0]], 'T') => self.open = Open::Mouse { left: 6, lead: false },
            (fields, _) => self.press(keys::of_control(fields, last)),
        }
    }
}

impl Ear {
    /// Whether the byte is one of a mouse report.
    fn is_of_mouse(&mut self, byte: u8) -> bool {
        let Open::Mouse { left, lead } = self.open else { return false };
        if lead && is_continuation(byte) {
            self.open = if left == 0 { Open::Nothing } else { Open::Mouse { left, lead: false } };
            return true;
        }
        if left == 0 {
            self.open = Open::Nothing;
            return false;
        }
        if let CAN | SUB | ESC = char::from(byte) {
            self.open = Open::Nothing;
            self.noise();
            return char::from(byte) != ESC;
        }
        let lead = (0xc2..=0xdf).contains(&byte);
        let left = left - 1;
        if left == 0 {
            self.noise();
        }
        self.open = if left == 0 && !lead { Open::Nothing } else { Open::Mouse { left, lead } };
        true
    }

    fn press_with_alt(&mut self, letter: char) {
        let mut event = keys::of_letter(letter);
        event.modifiers.insert(KeyModifiers::ALT);
        self.press(Some(event));
    }

    /// Hands on a key, but for what is pasted; none is noise.
    fn press(&mut self, event: Option<KeyEvent>) {
        match event {
            Some(event) if self.paste.is_none() => self.heard.push(Heard::Key(Key::from(event))),
            Some(_) => {}
            None => self.noise(),
        }
    }

    /// Tells that something came; once is enough where it is many times in a row.
    fn noise(&mut self) {
        if self.paste.is_none() && self.heard.last() != Some(&Heard::Noise) {
            self.heard.push(Heard::Noise);
        }
    }
}

fn is_continuation(byte: u8) -> bool {
    (0x80..=0xbf).contains(&byte)
}

/// Whether these are as many bytes as the first one tells.
fn is_whole(letter: &[u8]) -> bool {
    let needed = match letter.first() {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        _ => 2,
    };
    letter.len() >= needed
}

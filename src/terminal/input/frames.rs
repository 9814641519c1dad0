//! What the bytes of a terminal mean: keys, pasted text, answers. Every control sequence is framed
//! whole, however it is split, and one that is no key is swallowed whole; after any bytes and one
//! [`rest`](Frames::rest) the next key is heard.
//!
//! The framing is that of ECMA-48 with what terminals added to it, one byte at a time:
//!
//! ```text
//! ESC x            alt-x                       CSI … x     a key, an answer, or nothing
//! SS3 x            a key, or nothing           OSC … ST    nothing; DCS, APC, PM and SOS too
//! CSI M x x x      a mouse report: nothing     CSI [ x     F1 to F5 of the Linux console
//! CSI 200 ~ … CSI 201 ~   pasted text
//! ```

mod keys;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::app::Key;

const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const ESC: u8 = 0x1b;
/// The end of a string in one byte.
const ST: u8 = 0x9c;
/// What a sequence begins with in one byte, CSI.
const CSI: u8 = 0x9b;

/// A lone ESC is the key Esc where nothing follows for so long.
const AFTER_ESC: Duration = Duration::from_millis(50);

/// Anything else unfinished is given up where nothing follows for so long.
const AFTER_ALL_ELSE: Duration = Duration::from_millis(80);

/// Parameters longer than this belong to no key.
const MOST_PARAMETERS: usize = 64;

/// Pasted text longer than this, in bytes, loses its end.
const MOST_PASTED: usize = 1 << 20;

/// A read as long as this after an unfinished paste is more of it: nobody types so fast.
const STILL_PASTED: usize = 16;

/// One thing that came from the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
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
#[derive(Debug, Default)]
pub(super) struct Frames {
    machine: Machine,
    /// What the last rest cut off, until the next read.
    cut: Option<Machine>,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// What the bytes of one read mean, together with what was unfinished before.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        if bytes.is_empty() {
            return heard;
        }
        // A slow line brings the rest late, and it must not act as keys then.
        if let Some(cut) = self.cut.take()
            && bytes.len() > 1
            && cut.is_finished_by(bytes)
        {
            self.machine = cut;
        }
        for &byte in bytes {
            self.machine.take(byte, &mut heard);
        }
        heard
    }

    /// How long to wait for more before [`rest`](Self::rest); `None` where nothing is unfinished.
    pub(super) fn patience(&self) -> Option<Duration> {
        let machine = &self.machine;
        let esc = matches!(machine.open, Open::Escape)
            && machine.letter.is_empty()
            && machine.paste.is_none();
        machine.is_unfinished().then_some(if esc { AFTER_ESC } else { AFTER_ALL_ELSE })
    }

    /// What is unfinished means this, as nothing more came in time: a lone ESC is the key Esc, an
    /// unclosed paste is handed on, all else is dropped.
    pub(super) fn rest(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        let mut cut = std::mem::take(&mut self.machine);
        if !cut.is_unfinished() {
            return heard;
        }
        if let Some(paste) = &mut cut.paste {
            heard.push(paste.hand_on());
        } else if !matches!(cut.open, Open::Mouse { left: 0, .. }) {
            if matches!(cut.open, Open::Escape) {
                heard.push(Heard::Key(Key::from(KeyEvent::from(KeyCode::Esc))));
            }
            if !matches!(cut.open, Open::Escape) || !cut.letter.is_empty() {
                heard.push(Heard::Noise);
            }
        }
        self.cut = cut.is_worth_keeping().then_some(cut);
        heard
    }

    /// Bytes of memory held.
    #[cfg(any(test, fuzzing))]
    pub(super) fn weight(&self) -> usize {
        self.machine.weight() + self.cut.as_ref().map_or(0, Machine::weight)
    }
}

/// What has begun and not ended.
#[derive(Debug, Clone, Default)]
enum Open {
    #[default]
    Nothing,
    /// ESC.
    Escape,
    /// CSI and these parameters, cut to the most of them.
    Control(String),
    /// OSC, DCS, APC, PM or SOS.
    Text {
        /// Also ended by BEL.
        osc: bool,
        /// The last byte was ESC.
        escaped: bool,
    },
    /// SS3, perhaps with parameters, which no key has.
    Shift { parameters: bool },
    /// `CSI [`
    Console,
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

/// One step of the input: a byte that stands for itself, or a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// ASCII.
    Byte(u8),
    /// A control character above ASCII, as one byte: ESC and a letter in one.
    Upper(u8),
    Letter(char),
    /// Bytes that are no UTF-8.
    Broken,
}

/// The state between two bytes.
#[derive(Debug, Clone, Default)]
struct Machine {
    open: Open,
    /// The first bytes of a character in UTF-8, at most three between two reads.
    letter: Vec<u8>,
    paste: Option<Paste>,
}

impl Machine {
    fn is_unfinished(&self) -> bool {
        !matches!(self.open, Open::Nothing) || !self.letter.is_empty() || self.paste.is_some()
    }

    /// Whether a rest of it can be told from keys when it comes late.
    fn is_worth_keeping(&self) -> bool {
        self.paste.is_some()
            || !matches!(
                self.open,
                Open::Shift { .. } | Open::Console | Open::Mouse { left: 0, .. }
            )
    }

    #[cfg(any(test, fuzzing))]
    fn weight(&self) -> usize {
        let open =
            if let Open::Control(parameters) = &self.open { parameters.capacity() } else { 0 };
        let paste = self.paste.as_ref().map_or(0, |paste| paste.text.capacity());
        size_of::<Self>() + open + paste + self.letter.capacity()
    }

    fn take(&mut self, byte: u8, heard: &mut Vec<Heard>) {
        if self.is_of_mouse(byte, heard) {
            return;
        }
        if !self.letter.is_empty() {
            if is_continuation(byte) {
                self.letter.push(byte);
                if let Some(unit) = whole(&self.letter) {
                    self.letter.clear();
                    self.step(unit, heard);
                }
                return;
            }
            self.letter.clear();
            self.step(Unit::Broken, heard);
        }
        match byte {
            0x00..=0x7f => self.step(Unit::Byte(byte), heard),
            0x80..=0x9f => self.step(Unit::Upper(byte), heard),
            0xc0..=0xf7 => self.letter.push(byte),
            0xa0..=0xbf | 0xf8..=0xff => self.step(Unit::Broken, heard),
        }
    }

    fn step(&mut self, unit: Unit, heard: &mut Vec<Heard>) {
        match std::mem::take(&mut self.open) {
            // The bytes of a mouse report do not come here.
            Open::Nothing | Open::Mouse { .. } => self.begin(unit, heard),
            Open::Escape => self.after_escape(unit, heard),
            Open::Control(parameters) => self.in_control(parameters, unit, heard),
            Open::Text { osc, escaped } => self.in_text(osc, escaped, unit, heard),
            Open::Shift { parameters } => self.after_shift(parameters, unit, heard),
            Open::Console => self.after_console(unit, heard),
        }
    }

    fn begin(&mut self, unit: Unit, heard: &mut Vec<Heard>) {
        match unit {
            Unit::Byte(ESC) => self.open = Open::Escape,
            Unit::Byte(byte @ 0x20..=0x7e) => self.letter_came(char::from(byte), heard),
            Unit::Byte(byte) => self.control_came(byte, heard),
            Unit::Upper(byte) => match introduced(byte & 0x7f | 0x40) {
                Some(open) => self.open = open,
                None => self.noise(heard),
            },
            Unit::Letter(letter) => self.letter_came(letter, heard),
            Unit::Broken => self.noise(heard),
        }
    }

    fn after_escape(&mut self, unit: Unit, heard: &mut Vec<Heard>) {
        match unit {
            Unit::Byte(ESC) => {
                self.press(KeyEvent::from(KeyCode::Esc), heard);
                self.open = Open::Escape;
            }
            Unit::Byte(b'\\') => self.noise(heard),
            Unit::Byte(byte @ 0x20..=0x7e) => {
                if let Some(open) = introduced(byte) {
                    self.open = open;
                } else {
                    let code = KeyCode::Char(char::from(byte));
                    self.press(KeyEvent::new(code, KeyModifiers::ALT), heard);
                }
            }
            Unit::Byte(_) if self.paste.is_some() => self.begin(unit, heard),
            Unit::Byte(byte) => {
                let mut event = keys::control(byte);
                event.modifiers.insert(KeyModifiers::ALT);
                self.press(event, heard);
            }
            Unit::Upper(_) | Unit::Letter(_) | Unit::Broken => {
                self.press(KeyEvent::from(KeyCode::Esc), heard);
                self.begin(unit, heard);
            }
        }
    }

    fn in_control(&mut self, mut parameters: String, unit: Unit, heard: &mut Vec<Heard>) {
        match unit {
            Unit::Byte(CAN | SUB) => self.noise(heard),
            Unit::Byte(ESC) | Unit::Upper(_) => {
                self.noise(heard);
                self.begin(unit, heard);
            }
            Unit::Byte(last @ 0x40..=0x7e) => self.end_control(&parameters, last, heard),
            Unit::Byte(byte) => {
                if let 0x20..=0x3f = byte {
                    if parameters.len() < MOST_PARAMETERS {
                        parameters.push(char::from(byte));
                    }
                } else if byte < 0x20 {
                    // By ECMA-48 it is heard as if it had come before; DEL is not.
                    self.control_came(byte, heard);
                }
                self.open = Open::Control(parameters);
            }
            Unit::Letter(_) | Unit::Broken => self.open = Open::Control(parameters),
        }
    }

    fn end_control(&mut self, parameters: &str, last: u8, heard: &mut Vec<Heard>) {
        if let Some(paste) = self.paste.take() {
            if (parameters, last) == ("201", b'~') {
                heard.push(paste.end());
            } else {
                self.paste = Some(paste);
            }
            return;
        }
        match (parameters, last) {
            ("200", b'~') => self.paste = Some(Paste::default()),
            ("0" | "3", b'n') => heard.push(Heard::Answer),
            ("", b'[') => self.open = Open::Console,
            ("", b'M') => self.open = Open::Mouse { left: 3, lead: false },
            // Of a mode in which xterm marks text while the mouse is held.
            ("", b't') => self.open = Open::Mouse { left: 2, lead: false },
            ("", b'T') => self.open = Open::Mouse { left: 6, lead: false },
            _ => self.press_or_noise(keys::of_control(parameters, last), heard),
        }
    }

    fn in_text(&mut self, osc: bool, escaped: bool, unit: Unit, heard: &mut Vec<Heard>) {
        let ends = match unit {
            Unit::Byte(CAN | SUB) | Unit::Upper(ST) => true,
            Unit::Byte(BEL) => osc,
            Unit::Byte(b'\\') => escaped,
            Unit::Byte(_) | Unit::Upper(_) | Unit::Letter(_) | Unit::Broken => false,
        };
        // The end of a paste must be found behind anything that was pasted.
        let may_end_paste = match unit {
            Unit::Byte(b'[') => escaped && self.paste.is_some(),
            Unit::Upper(CSI) => self.paste.is_some(),
            Unit::Byte(_) | Unit::Upper(_) | Unit::Letter(_) | Unit::Broken => false,
        };
        if ends {
            self.noise(heard);
        } else if may_end_paste {
            self.open = Open::Control(String::new());
        } else {
            self.open = Open::Text { osc, escaped: unit == Unit::Byte(ESC) };
        }
    }

    fn after_shift(&mut self, parameters: bool, unit: Unit, heard: &mut Vec<Heard>) {
        match unit {
            Unit::Byte(0x30..=0x3f) => self.open = Open::Shift { parameters: true },
            Unit::Byte(byte @ 0x20..=0x7e) => {
                let code = keys::of_shift(byte).filter(|_| !parameters);
                self.press_or_noise(code.map(KeyEvent::from), heard);
            }
            Unit::Byte(_) | Unit::Upper(_) | Unit::Letter(_) | Unit::Broken => {
                self.cut_short(unit, heard);
            }
        }
    }

    fn after_console(&mut self, unit: Unit, heard: &mut Vec<Heard>) {
        match unit {
            Unit::Byte(byte @ 0x20..=0x7e) => {
                self.press_or_noise(keys::of_console(byte).map(KeyEvent::from), heard);
            }
            Unit::Byte(_) | Unit::Upper(_) | Unit::Letter(_) | Unit::Broken => {
                self.cut_short(unit, heard);
            }
        }
    }

    /// Drops what was open; CAN and SUB are there for nothing else.
    fn cut_short(&mut self, unit: Unit, heard: &mut Vec<Heard>) {
        self.noise(heard);
        if !matches!(unit, Unit::Byte(CAN | SUB)) {
            self.begin(unit, heard);
        }
    }

    /// Whether the byte is one of a mouse report.
    fn is_of_mouse(&mut self, byte: u8, heard: &mut Vec<Heard>) -> bool {
        let Open::Mouse { left, lead } = self.open else { return false };
        if lead && is_continuation(byte) {
            self.open = if left == 0 { Open::Nothing } else { Open::Mouse { left, lead: false } };
            return true;
        }
        if left == 0 {
            self.open = Open::Nothing;
            return false;
        }
        if let CAN | SUB | ESC = byte {
            self.open = Open::Nothing;
            self.noise(heard);
            return byte != ESC;
        }
        let lead = (0xc2..=0xdf).contains(&byte);
        let left = left - 1;
        if left == 0 {
            self.noise(heard);
        }
        self.open = if left == 0 && !lead { Open::Nothing } else { Open::Mouse { left, lead } };
        true
    }

    fn letter_came(&mut self, letter: char, heard: &mut Vec<Heard>) {
        match &mut self.paste {
            Some(paste) => paste.add(letter),
            None => self.press(KeyEvent::from(KeyCode::Char(letter)), heard),
        }
    }

    fn control_came(&mut self, byte: u8, heard: &mut Vec<Heard>) {
        match &mut self.paste {
            Some(paste) => {
                if let b'\r' | b'\n' | b'\t' = byte {
                    paste.add(char::from(byte));
                }
            }
            None => self.press(keys::control(byte), heard),
        }
    }

    fn press_or_noise(&mut self, event: Option<KeyEvent>, heard: &mut Vec<Heard>) {
        match event {
            Some(event) => self.press(event, heard),
            None => self.noise(heard),
        }
    }

    /// Hands on a key, but for what is pasted.
    fn press(&self, event: KeyEvent, heard: &mut Vec<Heard>) {
        if self.paste.is_none() {
            heard.push(Heard::Key(Key::from(event)));
        }
    }

    /// Tells that something came; once is enough where it is many times in a row.
    fn noise(&self, heard: &mut Vec<Heard>) {
        if self.paste.is_none() && heard.last() != Some(&Heard::Noise) {
            heard.push(Heard::Noise);
        }
    }
}

/// What follows a cut, and whether it is the rest of it.
impl Machine {
    /// Whether the bytes, put behind what was cut off, finish it.
    fn is_finished_by(&self, bytes: &[u8]) -> bool {
        if self.paste.is_some() && bytes.len() >= STILL_PASTED {
            return true;
        }
        if matches!(self.open, Open::Escape) && !bytes.first().is_some_and(|&b| begins_late(b)) {
            return false;
        }
        let mut trial = self.clone();
        let mut heard = Vec::new();
        for &byte in bytes {
            if self.paste.is_none() && !trial.can_go_on_with(byte) {
                return false;
            }
            trial.take(byte, &mut heard);
            heard.clear();
            if trial.has_finished(self) {
                return true;
            }
        }
        false
    }

    /// Whether nothing but the rest of what is open has such a byte.
    fn can_go_on_with(&self, byte: u8) -> bool {
        match self.open {
            Open::Text { .. } => !matches!(byte, CAN | SUB),
            Open::Mouse { .. } => !matches!(byte, CAN | SUB | ESC),
            Open::Nothing => is_continuation(byte),
            Open::Escape | Open::Control(_) | Open::Shift { .. } | Open::Console => {
                (0x20..=0x7e).contains(&byte)
            }
        }
    }

    fn has_finished(&self, cut: &Self) -> bool {
        if cut.paste.is_some() || self.paste.is_some() {
            return cut.paste.is_some() != self.paste.is_some();
        }
        match self.open {
            Open::Nothing => self.letter.is_empty(),
            Open::Mouse { left, .. } => left == 0 || !matches!(cut.open, Open::Mouse { .. }),
            Open::Console => true,
            Open::Escape | Open::Control(_) | Open::Text { .. } | Open::Shift { .. } => false,
        }
    }
}

/// What begins with ESC and this byte.
fn introduced(byte: u8) -> Option<Open> {
    match byte {
        b'[' => Some(Open::Control(String::new())),
        b']' => Some(Open::Text { osc: true, escaped: false }),
        b'P' | b'X' | b'^' | b'_' => Some(Open::Text { osc: false, escaped: false }),
        b'O' => Some(Open::Shift { parameters: false }),
        _ => None,
    }
}

/// Whether a sequence goes on with this byte when its ESC came alone and was taken for a key.
fn begins_late(byte: u8) -> bool {
    byte != b'O' && introduced(byte).is_some()
}

fn is_continuation(byte: u8) -> bool {
    (0x80..=0xbf).contains(&byte)
}

/// What the bytes of a character are, once there are as many as the first one tells.
fn whole(letter: &[u8]) -> Option<Unit> {
    let needed = match letter.first()? {
        0xf0.. => 4,
        0xe0.. => 3,
        _ => 2,
    };
    if letter.len() < needed {
        return None;
    }
    let read = std::str::from_utf8(letter).ok().and_then(|text| text.chars().next());
    Some(match read {
        Some(upper @ '\u{80}'..='\u{9f}') => u8::try_from(upper).map_or(Unit::Broken, Unit::Upper),
        Some(letter) => Unit::Letter(letter),
        None => Unit::Broken,
    })
}

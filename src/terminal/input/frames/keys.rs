//! Which keys the sequences of terminals stand for: tables, nothing else. A release is no key.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MediaKeyCode, ModifierKeyCode};

/// The key of a control character of ASCII, DEL included.
pub(super) fn control(byte: u8) -> KeyEvent {
    let code = match byte {
        b'\r' => return KeyEvent::from(KeyCode::Enter),
        b'\t' => return KeyEvent::from(KeyCode::Tab),
        0x1b => return KeyEvent::from(KeyCode::Esc),
        0x7f => return KeyEvent::from(KeyCode::Backspace),
        0x00 => ' ',
        0x01..=0x1a => char::from(byte | 0x60),
        // ctrl-4 to ctrl-7, by the keys of the VT220.
        _ => char::from((byte & 0x03) + b'4'),
    };
    KeyEvent::new(KeyCode::Char(code), KeyModifiers::CONTROL)
}

/// The key of SS3 and this letter.
pub(super) fn of_shift(letter: u8) -> Option<KeyCode> {
    match letter {
        b'A'..=b'D' | b'F' | b'H' => lettered(letter),
        b'P'..=b'S' => Some(KeyCode::F(1 + letter - b'P')),
        b'M' => Some(KeyCode::Enter),
        _ => None,
    }
}

/// The key of `CSI [` and this letter.
pub(super) fn of_console(letter: u8) -> Option<KeyCode> {
    matches!(letter, b'A'..=b'E').then(|| KeyCode::F(1 + letter - b'A'))
}

/// The key of a whole control sequence. Whatever has a private marker or an intermediate is none.
pub(super) fn of_control(parameters: &str, last: u8) -> Option<KeyEvent> {
    if parameters.len() >= super::MOST_PARAMETERS
        || !parameters.chars().all(|c| matches!(c, '0'..=';'))
    {
        return None;
    }
    let fields: Vec<_> = parameters.split(';').collect();
    match (last, fields.as_slice()) {
        (b'~', [number]) => numbered(number).map(KeyEvent::from),
        (b'~', [number, held]) => Some(KeyEvent::new(numbered(number)?, modifiers(held)?)),
        (b'u', [code]) => unicode(code, KeyModifiers::NONE),
        (b'u', [code, held] | [code, held, _]) | (b'~', ["27", held, code]) => {
            unicode(code, modifiers(held)?)
        }
        // Some terminals tell of the modifiers alone.
        (_, [held] | ["" | "1", held]) => Some(KeyEvent::new(lettered(last)?, modifiers(held)?)),
        _ => None,
    }
}

/// The key of a control sequence that ends in this letter. R is none: it ends where the cursor is.
fn lettered(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'S' => KeyCode::F(4),
        b'Z' => KeyCode::BackTab,
        _ => return None,
    })
}

/// The key of `CSI number ~`.
fn numbered(number: &str) -> Option<KeyCode> {
    Some(match number.parse::<u8>().ok()? {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        number @ 11..=15 => KeyCode::F(number - 10),
        number @ 17..=21 => KeyCode::F(number - 11),
        number @ 23..=26 => KeyCode::F(number - 12),
        number @ 28..=29 => KeyCode::F(number - 13),
        number @ 31..=34 => KeyCode::F(number - 14),
        _ => return None,
    })
}

/// What is held, from `modifiers:kind`; `None` for a release and for what says neither.
fn modifiers(field: &str) -> Option<KeyModifiers> {
    let (mask, kind) = field.split_once(':').unwrap_or((field, ""));
    if !matches!(kind, "" | "1" | "2") {
        return None;
    }
    let mask = if mask.is_empty() { 1 } else { mask.parse::<u16>().ok()? };
    let bits = mask.saturating_sub(1);
    let names = [
        KeyModifiers::SHIFT,
        KeyModifiers::ALT,
        KeyModifiers::CONTROL,
        KeyModifiers::SUPER,
        KeyModifiers::HYPER,
        KeyModifiers::META,
    ];
    Some(
        names
            .into_iter()
            .enumerate()
            .filter(|(bit, _)| bits >> bit & 1 == 1)
            .map(|x| x.1)
            .collect(),
    )
}

/// The key of a code point and what is held with it, from `code:shifted:base`.
fn unicode(field: &str, mut held: KeyModifiers) -> Option<KeyEvent> {
    let mut codes = field.split(':');
    let number: u32 = codes.next()?.parse().ok()?;
    let code = match number {
        0x0d => KeyCode::Enter,
        0x1b => KeyCode::Esc,
        0x09 => KeyCode::Tab,
        0x7f => KeyCode::Backspace,
        57_344..=63_743 => functional(number)?,
        number => {
            let shifted = codes.next().filter(|_| held.contains(KeyModifiers::SHIFT));
            let shifted = shifted.and_then(|code| code.parse().ok()).and_then(char::from_u32);
            let letter = shifted.or(char::from_u32(number))?;
            if letter.is_control() {
                return None;
            }
            if shifted.is_some() {
                held.remove(KeyModifiers::SHIFT);
            }
            KeyCode::Char(letter)
        }
    };
    if let KeyCode::Modifier(modifier) = code {
        held.insert(itself(modifier));
    }
    Some(KeyEvent::new(code, held))
}

/// The keys that have no character, as kitty numbers them.
fn functional(number: u32) -> Option<KeyCode> {
    let from = |first: u32| u8::try_from(number - first).ok();
    Some(match number {
        57_358 => KeyCode::CapsLock,
        57_359 => KeyCode::ScrollLock,
        57_360 => KeyCode::NumLock,
        57_361 => KeyCode::PrintScreen,
        57_362 => KeyCode::Pause,
        57_363 => KeyCode::Menu,
        57_376..=57_398 => KeyCode::F(13 + from(57_376)?),
        57_399..=57_408 => KeyCode::Char(char::from(b'0' + from(57_399)?)),
        57_409 => KeyCode::Char('.'),
        57_410 => KeyCode::Char('/'),
        57_411 => KeyCode::Char('*'),
        57_412 => KeyCode::Char('-'),
        57_413 => KeyCode::Char('+'),
        57_414 => KeyCode::Enter,
        57_415 => KeyCode::Char('='),
        57_416 => KeyCode::Char(','),
        57_417 => KeyCode::Left,
        57_418 => KeyCode::Right,
        57_419 => KeyCode::Up,
        57_420 => KeyCode::Down,
        57_421 => KeyCode::PageUp,
        57_422 => KeyCode::PageDown,
        57_423 => KeyCode::Home,
        57_424 => KeyCode::End,
        57_425 => KeyCode::Insert,
        57_426 => KeyCode::Delete,
        57_427 => KeyCode::KeypadBegin,
        57_428..=57_440 => KeyCode::Media(media(number)?),
        57_441..=57_454 => KeyCode::Modifier(modifier(number)?),
        _ => return None,
    })
}

fn media(number: u32) -> Option<MediaKeyCode> {
    Some(match number {
        57_428 => MediaKeyCode::Play,
        57_429 => MediaKeyCode::Pause,
        57_430 => MediaKeyCode::PlayPause,
        57_431 => MediaKeyCode::Reverse,
        57_432 => MediaKeyCode::Stop,
        57_433 => MediaKeyCode::FastForward,
        57_434 => MediaKeyCode::Rewind,
        57_435 => MediaKeyCode::TrackNext,
        57_436 => MediaKeyCode::TrackPrevious,
        57_437 => MediaKeyCode::Record,
        57_438 => MediaKeyCode::LowerVolume,
        57_439 => MediaKeyCode::RaiseVolume,
        57_440 => MediaKeyCode::MuteVolume,
        _ => return None,
    })
}

fn modifier(number: u32) -> Option<ModifierKeyCode> {
    Some(match number {
        57_441 => ModifierKeyCode::LeftShift,
        57_442 => ModifierKeyCode::LeftControl,
        57_443 => ModifierKeyCode::LeftAlt,
        57_444 => ModifierKeyCode::LeftSuper,
        57_445 => ModifierKeyCode::LeftHyper,
        57_446 => ModifierKeyCode::LeftMeta,
        57_447 => ModifierKeyCode::RightShift,
        57_448 => ModifierKeyCode::RightControl,
        57_449 => ModifierKeyCode::RightAlt,
        57_450 => ModifierKeyCode::RightSuper,
        57_451 => ModifierKeyCode::RightHyper,
        57_452 => ModifierKeyCode::RightMeta,
        57_453 => ModifierKeyCode::IsoLevel3Shift,
        57_454 => ModifierKeyCode::IsoLevel5Shift,
        _ => return None,
    })
}

/// What a modifier is held as while it is pressed itself.
fn itself(modifier: ModifierKeyCode) -> KeyModifiers {
    match modifier {
        ModifierKeyCode::LeftShift | ModifierKeyCode::RightShift => KeyModifiers::SHIFT,
        ModifierKeyCode::LeftControl | ModifierKeyCode::RightControl => KeyModifiers::CONTROL,
        ModifierKeyCode::LeftAlt | ModifierKeyCode::RightAlt => KeyModifiers::ALT,
        ModifierKeyCode::LeftSuper | ModifierKeyCode::RightSuper => KeyModifiers::SUPER,
        ModifierKeyCode::LeftHyper | ModifierKeyCode::RightHyper => KeyModifiers::HYPER,
        ModifierKeyCode::LeftMeta | ModifierKeyCode::RightMeta => KeyModifiers::META,
        ModifierKeyCode::IsoLevel3Shift | ModifierKeyCode::IsoLevel5Shift => KeyModifiers::NONE,
    }
}

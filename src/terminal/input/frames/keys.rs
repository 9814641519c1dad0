//! Which keys the sequences of terminals stand for: tables, nothing else. A release is no key.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MediaKeyCode, ModifierKeyCode};

/// The key of a character, which may be a control character of ASCII.
pub(super) fn of_letter(letter: char) -> KeyEvent {
    let code = match letter {
        '\r' => return KeyEvent::from(KeyCode::Enter),
        '\t' => return KeyEvent::from(KeyCode::Tab),
        '\x1b' => return KeyEvent::from(KeyCode::Esc),
        '\x7f' => return KeyEvent::from(KeyCode::Backspace),
        ' '.. => return KeyEvent::from(KeyCode::Char(letter)),
        '\0' => ' ',
        '\x1c' => '4', // and ctrl-5 to ctrl-7, by the keys of the VT220
        '\x1d' => '5',
        '\x1e' => '6',
        '\x1f' => '7',
        _ => char::from_u32(u32::from(letter) | 0x60).unwrap_or(letter),
    };
    KeyEvent::new(KeyCode::Char(code), KeyModifiers::CONTROL)
}

/// The key of SS3 and this letter.
pub(super) fn of_shift(letter: u8) -> Option<KeyCode> {
    match letter {
        b'A'..=b'D' | b'F' | b'H' => lettered(char::from(letter)),
        b'P'..=b'S' => Some(KeyCode::F(1 + letter - b'P')),
        b'M' => Some(KeyCode::Enter),
        _ => None,
    }
}

/// The key of `CSI [` and this letter.
pub(super) fn of_console(letter: u8) -> Option<KeyCode> {
    matches!(letter, b'A'..=b'E').then(|| KeyCode::F(1 + letter - b'A'))
}

/// The key of a whole control sequence: its parameters, each with its parts, and its last letter. A
/// parameter that is left out is 0.
pub(super) fn of_control(fields: &[&[u16]], last: char) -> Option<KeyEvent> {
    match (last, fields) {
        ('~', [[number]]) => numbered(*number).map(KeyEvent::from),
        ('~', [[number], held]) => Some(KeyEvent::new(numbered(*number)?, modifiers(held)?)),
        ('u', [code]) => unicode(code, KeyModifiers::NONE),
        ('u', [code, held] | [code, held, _]) | ('~', [[27], held, code]) => {
            unicode(code, modifiers(held)?)
        }
        // Some terminals tell of the modifiers alone.
        (_, [held] | [[0 | 1], held]) => Some(KeyEvent::new(lettered(last)?, modifiers(held)?)),
        _ => None,
    }
}

/// The key of a control sequence that ends in this letter. R is none: it ends where the cursor is.
fn lettered(last: char) -> Option<KeyCode> {
    Some(match last {
        'A' => KeyCode::Up,
        'B' => KeyCode::Down,
        'C' => KeyCode::Right,
        'D' => KeyCode::Left,
        'F' => KeyCode::End,
        'H' => KeyCode::Home,
        'P' => KeyCode::F(1),
        'Q' => KeyCode::F(2),
        'S' => KeyCode::F(4),
        'Z' => KeyCode::BackTab,
        _ => return None,
    })
}

/// The key of `CSI number ~`.
fn numbered(number: u16) -> Option<KeyCode> {
    let number = u8::try_from(number).ok()?;
    Some(match number {
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
fn modifiers(field: &[u16]) -> Option<KeyModifiers> {
    let ([mask] | [mask, 0..=2]) = field else { return None };
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
fn unicode(field: &[u16], mut held: KeyModifiers) -> Option<KeyEvent> {
    let mut codes = field.iter().map(|&code| u32::from(code));
    let number = codes.next()?;
    let code = match number {
        0x0d => KeyCode::Enter,
        0x1b => KeyCode::Esc,
        0x09 => KeyCode::Tab,
        0x7f => KeyCode::Backspace,
        57_344..=63_743 => functional(number)?,
        number => {
            let shifted = codes.next().filter(|&code| code > 0).and_then(char::from_u32);
            let shifted = shifted.filter(|_| held.contains(KeyModifiers::SHIFT));
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

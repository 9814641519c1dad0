//! Phone call events: rules by which the PBX requests a URL when something happens to a call.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{ExtensionNumber, Foreign, Mask, RowText, redacted};

/// What has to happen to a call for the event to fire.
///
/// Numbers 0 to 2 are those of the page *PhoneCallEvents Resource*, 3 and 4 those of the vendor's
/// own client. A number nobody documented is kept and shown as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// 0: a call comes in.
    DialIn,
    /// 1: a call goes out.
    DialOut,
    /// 2: a call ends.
    Hangup,
    /// 3: an incoming call is answered.
    AnswerIncoming,
    /// 4: the other party answers an outgoing call.
    AnswerOutgoing,
    /// A number outside the documentation.
    Unknown(u16),
}

impl EventType {
    /// The types that have a name.
    pub const NAMED: [Self; 5] =
        [Self::DialIn, Self::DialOut, Self::Hangup, Self::AnswerIncoming, Self::AnswerOutgoing];

    /// The type with this number; every number is one.
    pub fn from_number(number: u16) -> Self {
        match number {
            0 => Self::DialIn,
            1 => Self::DialOut,
            2 => Self::Hangup,
            3 => Self::AnswerIncoming,
            4 => Self::AnswerOutgoing,
            other => Self::Unknown(other),
        }
    }

    /// The type that is written so: digits only and no more of them than it takes, so that what goes
    /// into a path is what was listed.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let canonical = text == "0" || !text.starts_with('0');
        if digits && canonical { text.parse().ok().map(Self::from_number) } else { None }
    }

    /// The number used in paths and bodies.
    pub fn number(self) -> u16 {
        match self {
            Self::DialIn => 0,
            Self::DialOut => 1,
            Self::Hangup => 2,
            Self::AnswerIncoming => 3,
            Self::AnswerOutgoing => 4,
            Self::Unknown(number) => number,
        }
    }

    /// Its name in at most eight columns.
    pub fn short(self) -> Cow<'static, str> {
        match self {
            Self::AnswerIncoming => "Ans-In".into(),
            Self::AnswerOutgoing => "Ans-Out".into(),
            Self::DialIn | Self::DialOut | Self::Hangup | Self::Unknown(_) => self.name(),
        }
    }

    fn name(self) -> Cow<'static, str> {
        match self {
            Self::DialIn => "Dial-In".into(),
            Self::DialOut => "Dial-Out".into(),
            Self::Hangup => "Hangup".into(),
            Self::AnswerIncoming => "Answer incoming".into(),
            Self::AnswerOutgoing => "Answer outgoing".into(),
            Self::Unknown(number) => format!("Type {number}").into(),
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

/// The service's name of an event: 1 to 255 characters (page *PhoneCallEvents Resource*).
///
/// Documented as alphanumeric; here letters, digits, `-`, `_`, `~` and `.` are accepted, the
/// characters that RFC 3986 (2.3) never encodes, so that an id is always exactly one path segment.
/// `.` and `..`, which every URL parser resolves away, and the empty id, which would name the
/// whole collection, cannot be built.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Arc<str>);

/// Why a text cannot stand as an event id in a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text} is not an event id that can be named in a path: 1 to 255 letters, digits, - _ ~ . are"
)]
pub struct EventIdRefused {
    text: Foreign,
}

impl EventId {
    /// Accepts what is one path segment and nothing else.
    ///
    /// # Errors
    /// Refuses everything that could widen or bend the path of a DELETE.
    pub fn parse(text: &str) -> Result<Self, EventIdRefused> {
        if Self::is_valid(text) {
            Ok(Self(text.into()))
        } else {
            Err(EventIdRefused { text: Foreign::from(text) })
        }
    }

    /// The id of a row that went through [`is_valid`](Self::is_valid) when it was listed.
    pub(in crate::domain) fn from_listing(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether [`parse`](Self::parse) would accept the text, without building the id.
    pub fn is_valid(text: &str) -> bool {
        let unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'.');
        (1..=255).contains(&text.len())
            // Without a way out in the middle, so that the compiler looks at many at once.
            && text.bytes().fold(true, |all, byte| all & unreserved(byte))
            && text != "."
            && text != ".."
    }

    /// The id as the service wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as a text to be shown, not copied.
    pub fn told(&self) -> Foreign {
        Foreign::from(Arc::clone(&self.0))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&redacted(&self.0))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names exactly one event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// Whose event it is.
    pub extension: ExtensionNumber,
    /// Its type.
    pub event_type: EventType,
    /// Its id.
    pub id: EventId,
}

/// How the PBX requests the URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// 0: parameters in the query.
    Get,
    /// 1: parameters in the body.
    Post,
    /// Any other text, as the service wrote it.
    Other(Foreign),
}

impl Method {
    /// Reads the service's own notation.
    pub fn parse(written: &str) -> Self {
        match written {
            "0" => Self::Get,
            "1" => Self::Post,
            other => Self::Other(Foreign::from(other)),
        }
    }

    /// The service's own notation.
    pub fn written(&self) -> &str {
        match self {
            Self::Get => "0",
            Self::Post => "1",
            Self::Other(raw) => raw.raw(),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get => f.pad("GET"),
            Self::Post => f.pad("POST"),
            Self::Other(raw) => raw.fmt(f),
        }
    }
}

/// Whether the PBX acts on the event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// 1: the URL is requested.
    Enabled,
    /// 0: the event is kept but does nothing.
    Disabled,
    /// As the service wrote it.
    Other(Foreign),
}

impl Status {
    /// Reads the service's own notation.
    pub fn parse(written: &str) -> Self {
        match written {
            "0" => Self::Disabled,
            "1" => Self::Enabled,
            other => Self::Other(Foreign::from(other)),
        }
    }

    /// The service's own notation.
    pub fn written(&self) -> &str {
        match self {
            Self::Disabled => "0",
            Self::Enabled => "1",
            Self::Other(raw) => raw.raw(),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enabled => f.pad("on"),
            Self::Disabled => f.pad("off"),
            Self::Other(raw) => raw.fmt(f),
        }
    }
}

/// When the event was last changed: an XML Schema dateTime, as the service wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Modified {
    /// The service did not say.
    Missing,
    /// Seconds since 1970 and the offset it was written with, in quarters of an hour; `None` is
    /// `Z`. Only texts that this form gives back letter by letter are held so.
    Packed {
        /// Seconds since 1970-01-01T00:00:00Z.
        seconds: u32,
        /// Offset from UTC in quarters of an hour; `None` when written `Z`.
        quarters: Option<i8>,
    },
    /// Anything else.
    Other(Foreign),
}

impl Modified {
    /// Keeps the text so that [`Display`](fmt::Display) gives back the same letters.
    pub fn parse(text: &str) -> Self {
        if text.is_empty() {
            return Self::Missing;
        }
        let parsed = || packed(text).filter(|modified| modified.written() == text);
        usual(text).or_else(parsed).unwrap_or_else(|| Self::Other(Foreign::from(text)))
    }

    /// The text as the service wrote it; empty when it wrote none.
    pub fn written(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Other(raw) => raw.raw().to_owned(),
            Self::Packed { seconds, quarters } => {
                let date = jiff::Timestamp::from_second(i64::from(*seconds))
                    .map(|instant| offset(*quarters).to_datetime(instant))
                    .unwrap_or_default();
                match quarters {
                    None => format!("{date}Z"),
                    Some(quarters) => {
                        let sign = if *quarters < 0 { '-' } else { '+' };
                        let minutes = u32::from(quarters.unsigned_abs()) * 15;
                        format!("{date}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
                    }
                }
            }
        }
    }

    /// The instant, where it can be read; one without an offset is local time.
    pub fn instant(&self, local: &jiff::tz::TimeZone) -> Option<jiff::Timestamp> {
        match self {
            Self::Missing => None,
            Self::Packed { seconds, .. } => jiff::Timestamp::from_second(i64::from(*seconds)).ok(),
            Self::Other(raw) => {
                let pieces = pieces(raw.raw())?;
                if pieces.offset().is_some() || pieces.time_zone_annotation().is_some() {
                    return raw.raw().parse().ok();
                }
                let time = pieces.time().unwrap_or(jiff::civil::Time::MIN);
                local.to_timestamp(pieces.date().to_datetime(time)).ok()
            }
        }
    }

    /// The date as it is written, in the offset that it is written with, where it can be read.
    pub fn date(&self) -> Option<jiff::civil::Date> {
        match self {
            Self::Missing => None,
            Self::Packed { seconds, quarters } => {
                let instant = jiff::Timestamp::from_second(i64::from(*seconds)).ok()?;
                Some(offset(*quarters).to_datetime(instant).date())
            }
            Self::Other(raw) => pieces(raw.raw()).map(|pieces| pieces.date()),
        }
    }

    /// The day alone, for narrow columns.
    pub fn day(&self) -> String {
        Foreign::from(self.written()).to_string().chars().take(10).collect()
    }
}

impl fmt::Display for Modified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(raw) => raw.fmt(f),
            Self::Missing | Self::Packed { .. } => f.pad(&self.written()),
        }
    }
}

fn offset(quarters: Option<i8>) -> jiff::tz::Offset {
    jiff::tz::Offset::from_seconds(i32::from(quarters.unwrap_or(0)) * 900)
        .unwrap_or(jiff::tz::Offset::UTC)
}

/// Date, time and offset of a text that begins with the date in its usual form: the parser reads
/// others too, such as a mere number.
fn pieces(text: &str) -> Option<jiff::fmt::temporal::Pieces<'_>> {
    let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
    text.starts_with(&pieces.date().to_string()).then_some(pieces)
}

/// A text in the usual form, read without a look at any other: only what comes back letter by letter.
fn usual(text: &str) -> Option<Modified> {
    let digit = |byte: u8| i16::from(byte.wrapping_sub(b'0'));
    let two = |tens: u8, ones: u8| {
        let both = tens.is_ascii_digit() && ones.is_ascii_digit();
        both.then(|| digit(tens) * 10 + digit(ones))
    };
    let small = |tens: u8, ones: u8| two(tens, ones).and_then(|number| i8::try_from(number).ok());
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        zone @ ..,
    ] = text.as_bytes()
    else {
        return None;
    };
    let quarters = match *zone {
        [b'Z'] => None,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let minutes = two(h1, h2)? * 60 + two(m1, m2).filter(|minutes| *minutes < 60)?;
            let quarters = i8::try_from(minutes / 15).ok().filter(|_| minutes % 15 == 0)?;
            // 26 hours are no offset, and -00:00 does not come back letter by letter.
            let usual = if sign == b'-' { 1..104 } else { 0..104 };
            Some(quarters).filter(|quarters| usual.contains(quarters))?;
            Some(if sign == b'-' { -quarters } else { quarters })
        }
        _ => return None,
    };
    let year = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    let [month, day] = [small(*m1, *m2)?, small(*d1, *d2)?];
    let [hour, minute, second] = [small(*h1, *h2)?, small(*n1, *n2)?, small(*s1, *s2)?];
    let date = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let seconds = offset(quarters).to_timestamp(date).ok()?.as_second();
    Some(Modified::Packed { seconds: u32::try_from(seconds).ok()?, quarters })
}

fn packed(text: &str) -> Option<Modified> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    let seconds = u32::try_from(instant.as_second()).ok()?;
    if text.ends_with('Z') {
        return Some(Modified::Packed { seconds, quarters: None });
    }
    let zone = text.get(text.len().checked_sub(6)?..)?;
    let hours: i16 = zone.get(1..3)?.parse().ok()?;
    let minutes: i16 = zone.get(4..6)?.parse().ok()?;
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let quarters = i8::try_from(sign * (hours * 60 + minutes) / 15).ok()?;
    Some(Modified::Packed { seconds, quarters: Some(quarters) })
}

/// One event, whole, as the service described it: what a run file keeps and undo writes again.
///
/// Two are equal where everything is that callsweep knows of an event: how the answer wrote it down
/// may differ from one list to the next.
#[derive(Debug, Clone, Eq)]
pub struct PhoneCallEvent {
    /// What names it.
    pub key: EventKey,
    /// How the URL is requested.
    pub method: Method,
    /// The URL that is requested, percent signs and all.
    pub url: Foreign,
    /// The operator's remark.
    pub note: Foreign,
    /// Whether it is on.
    pub status: Status,
    /// When it was last changed.
    pub modified: Modified,
    /// The row byte for byte as the service wrote it, where that was kept.
    pub text: Option<RowText>,
}

impl PartialEq for PhoneCallEvent {
    fn eq(&self, other: &Self) -> bool {
        let Self { key, method, url, note, status, modified, text: _ } = self;
        (key, method, url, note) == (&other.key, &other.method, &other.url, &other.note)
            && (status, modified) == (&other.status, &other.modified)
    }
}

/// The names of the fields that an event is made with, in the order in which they are sent.
pub const FIELDS: [&str; 5] = ["type", "method", "url", "note", "status"];

impl PhoneCallEvent {
    /// The names of the fields in which it differs from another, of [`FIELDS`]: id and time are the
    /// service's own.
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        let differs = [
            self.key.event_type != other.key.event_type,
            self.method != other.method,
            self.url != other.url,
            self.note != other.note,
            self.status != other.status,
        ];
        let named = FIELDS.into_iter().zip(differs);
        named.filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    /// Whether the row as the service wrote it has a value in this field. Of a row that was not kept its
    /// fields are all there is.
    pub fn gives(&self, field: &str) -> bool {
        let fields = self.text.as_ref().and_then(RowText::fields);
        fields.is_none_or(|fields| {
            let last = fields.iter().rev().find(|(name, _)| name == field);
            last.is_some_and(|(_, value)| value != "null")
        })
    }

    /// The row as the service wrote it says this field once, as a text that can be written again
    /// letter by letter. Of a row that was not kept its fields are all there is.
    pub fn is_exact(&self, field: &str) -> bool {
        let Some(text) = &self.text else { return true };
        let told = Change::of(self, &[field]).value();
        let fields = text.fields().unwrap_or_default();
        let mut values = fields.iter().filter(|(name, _)| name == field).map(|(_, value)| value);
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let read = match serde_json::from_str(value) {
            Ok(Value::Number(number)) => Value::String(number.to_string()),
            Ok(value) => value,
            Err(_) => return false,
        };
        std::str::from_utf8(text.bytes()).is_ok() && told.get(field) == Some(&read)
    }
}

/// What an update changes of an event; what is `None` stays as it is (page *Update
/// PhoneCallEvents*). Type and id cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// How the URL is requested.
    pub method: Option<Method>,
    /// The URL that is requested.
    pub url: Option<Foreign>,
    /// The operator's remark.
    pub note: Option<Foreign>,
    /// Whether it is on.
    pub status: Option<Status>,
}

impl Change {
    /// These fields as an event has them.
    pub fn of(event: &PhoneCallEvent, fields: &[&str]) -> Self {
        let has = |name: &str| fields.contains(&name);
        Self {
            method: has("method").then(|| event.method.clone()),
            url: has("url").then(|| event.url.clone()),
            note: has("note").then(|| event.note.clone()),
            status: has("status").then(|| event.status.clone()),
        }
    }

    /// Reads what [`value`](Self::value) gives; what is no text there is passed over.
    pub fn read(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        Self {
            method: text("method").map(Method::parse),
            url: text("url").map(Foreign::from),
            note: text("note").map(Foreign::from),
            status: text("status").map(Status::parse),
        }
    }

    /// Each field that it changes, by its name, with the new value in the service's own notation.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("method", self.method.as_ref().map(Method::written)),
            ("url", self.url.as_ref().map(Foreign::raw)),
            ("note", self.note.as_ref().map(Foreign::raw)),
            ("status", self.status.as_ref().map(Status::written)),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.fields().next().is_none()
    }

    /// The body of its PUT, which a run file keeps too: what stays as it is, is not in it.
    pub fn value(&self) -> Value {
        self.fields().collect()
    }

    /// The event as it is to be.
    pub fn applied_to(&self, event: &PhoneCallEvent) -> PhoneCallEvent {
        let event = event.clone();
        PhoneCallEvent {
            method: self.method.clone().unwrap_or(event.method),
            url: self.url.clone().unwrap_or(event.url),
            note: self.note.clone().unwrap_or(event.note),
            status: self.status.clone().unwrap_or(event.status),
            ..event
        }
    }

    /// What it does to an event, field by field: the old value, then the new one, or the one that is both.
    pub fn words(&self, event: &PhoneCallEvent, mask: &Mask) -> String {
        let shown = |name: &str, event: &PhoneCallEvent| match name {
            "method" => event.method.to_string(),
            "url" => mask.url(&event.url),
            "note" => mask.words(&event.note),
            _ => event.status.to_string(),
        };
        let to_be = self.applied_to(event);
        let words = self.fields().map(|(name, _)| {
            // Of an event that cannot be found only what it was to be is known.
            let (old, new) = (shown(name, event), shown(name, &to_be));
            if old == new { format!("{name} {new}") } else { format!("{name} {old} → {new}") }
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// Its body as it may be copied: no secret of ours is in it, and what is masked is not.
    pub fn copied(&self, mask: &Mask) -> Value {
        let hidden = |text: &Foreign, shown: String| {
            if mask.is_on() { shown } else { redacted(text.raw()).into_owned() }
        };
        let url = self.url.as_ref().map(|url| hidden(url, mask.url(url)).into());
        let note = self.note.as_ref().map(|note| hidden(note, mask.words(note)).into());
        Self { url, note, ..self.clone() }.value()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_number_is_a_type_and_comes_back_as_written() {
        for number in [0, 1, 2, 3, 4, 5, 99, u16::MAX] {
            assert_eq!(EventType::from_number(number).number(), number);
        }
        assert_eq!(EventType::from_number(3).to_string(), "Answer incoming");
        assert_eq!(EventType::from_number(9).to_string(), "Type 9");
    }

    #[test]
    fn the_ids_of_the_documentation_are_ids() {
        for id in ["NqeyDRqo4FtabmFj8gNWq3hsiGNYyq", "MyPhoneCallEvent", "1187", "a.b", "..."] {
            assert_eq!(EventId::parse(id).unwrap().as_str(), id);
        }
    }

    #[test]
    fn what_could_widen_or_bend_a_delete_is_no_id() {
        let long = "x".repeat(256);
        for id in [
            "",
            ".",
            "..",
            "/",
            "a/b",
            "../0",
            "a?b",
            "a#b",
            "%2e%2e",
            "a b",
            "a\nb",
            "a\\b",
            "a;b",
            "\u{0}",
            "é",
            "a%00",
            "\t",
            "a\r\nHost: x",
            &long,
        ] {
            assert!(EventId::parse(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn dates_come_back_letter_by_letter() {
        for text in [
            "2012-07-10T18:16:12+03:00",
            "2012-07-10T18:16:12-05:45",
            "2024-02-29T23:59:59Z",
            "2012-07-10T18:16:12.5Z",
            "2012-07-10",
            "yesterday",
            "",
            "1969-12-31T23:59:59Z",
            "2012-07-10T18:16:12+00:00",
            "2012-07-10t18:16:12z",
            "+",
            "2012-07-10T18:16:60Z",
            "2012-07-10T24:00:00Z",
            "2023-02-29T10:00:00Z",
            "2012-07-10T18:16:12-00:00",
            "2012-07-10T18:16:12+05:07",
            "2012-07-10T18:16:12+25:00",
            "2012-07-10T18:16:12+01:75",
            "0000-00-00T00:00:00Z",
        ] {
            assert_eq!(Modified::parse(text).written(), text);
        }
        assert!(matches!(Modified::parse("2012-07-10T18:16:12+03:00"), Modified::Packed { .. }));
    }

    proptest! {
        #[test]
        fn a_date_in_the_usual_form_is_what_the_parser_of_all_forms_makes_of_it(
            text in "(19|20|21)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\
                     (Z|[+-][0-2][0-9]:(00|15|30|45|[0-9]{2}))",
        ) {
            let parsed = packed(&text).filter(|modified| modified.written() == text);
            let usual = usual(&text);
            prop_assert!(usual.is_none() || usual == parsed, "{:?} {:?}", usual, parsed);
            // The other way is for other forms alone.
            prop_assert!(usual.is_some() || parsed.is_none(), "{:?}", parsed);
        }
    }
}

//! The forms of a list. Text of the service goes raw to programs and cleaned to people.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use unicode_width::UnicodeWidthStr;

use super::Report;
use crate::commands::json::Harmless;
use crate::commands::selection::type_name;
use crate::domain::{
    EventType, EventView, Extension, ExtensionKind, Foreign, Listing, Method, Status, cell,
    redacted,
};
use crate::journal::unwritten;

/// The columns of CSV, named as the fields in JSON.
const COLUMNS: [&str; 12] = [
    "extension",
    "label",
    "kind",
    "owner",
    "type",
    "type_name",
    "id",
    "method",
    "url",
    "status",
    "note",
    "modified",
];
/// The columns of a table.
const HEADINGS: [&str; 8] =
    ["EXTENSION", "TYPE", "ID", "METHOD", "STATUS", "MODIFIED", "NOTE", "URL"];

/// One event, raw, its fields in the order of the contract.
#[derive(Serialize)]
struct Row<'a> {
    extension: &'a str,
    label: &'a str,
    kind: Option<&'a str>,
    owner: Option<&'a str>,
    #[serde(rename = "type")]
    number: u16,
    type_name: &'static str,
    id: &'a str,
    method: String,
    url: String,
    status: String,
    note: String,
    modified: String,
}

impl<'a> Row<'a> {
    fn of(extension: &'a Extension, event: &'a EventView<'a>) -> Self {
        let event_type = event.event_type();
        Self {
            extension: extension.number.as_str(),
            label: extension.label.raw(),
            kind: extension.kind.as_ref().map(ExtensionKind::word),
            owner: extension.owner.as_ref().map(|owner| owner.id.as_str()),
            number: event_type.number(),
            type_name: type_name(event_type).unwrap_or("unknown"),
            id: event.id(),
            method: match event.method() {
                Method::Get => "GET".to_owned(),
                Method::Post => "POST".to_owned(),
                Method::Other(written) => written.raw().to_owned(),
            },
            url: event.url().raw().to_owned(),
            status: match event.status() {
                Status::Enabled => "enabled".to_owned(),
                Status::Disabled => "disabled".to_owned(),
                Status::Other(written) => written.raw().to_owned(),
            },
            note: event.note().raw().to_owned(),
            modified: event.modified().written(),
        }
    }

    /// As in [`COLUMNS`].
    fn cells(&self) -> [String; 12] {
        [
            self.extension.to_owned(),
            self.label.to_owned(),
            self.kind.unwrap_or_default().to_owned(),
            self.owner.unwrap_or_default().to_owned(),
            self.number.to_string(),
            self.type_name.to_owned(),
            self.id.to_owned(),
            self.method.clone(),
            self.url.clone(),
            self.status.clone(),
            self.note.clone(),
            self.modified.clone(),
        ]
    }

    /// As in [`HEADINGS`], cleaned.
    fn shown(&self) -> [String; 8] {
        let known = EventType::from_number(self.number);
        [
            self.extension.to_owned(),
            type_name(known).map_or_else(|| self.number.to_string(), ToOwned::to_owned),
            self.id.to_owned(),
            cleaned(&self.method),
            cleaned(&self.status),
            cleaned(&self.modified),
            cleaned(&self.note),
            cleaned(&self.url),
        ]
    }
}

fn cleaned(text: &str) -> String {
    Foreign::from(text).to_string()
}

/// Hands over every event that was asked for, in order.
fn each(report: &Report, mut take: impl FnMut(&Row<'_>) -> io::Result<()>) -> io::Result<()> {
    for (extension, listing) in report.listings() {
        for event in report.events_of(extension, listing) {
            take(&Row::of(extension, &event))?;
        }
    }
    Ok(())
}

/// Columns as wide as what is in them; the last one, of URLs, runs on.
pub(super) fn table(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut widths = HEADINGS.map(UnicodeWidthStr::width);
    let mut any = false;
    each(report, |row| {
        any = true;
        for (width, cell) in widths.iter_mut().zip(row.shown()) {
            *width = cell.width().max(*width);
        }
        Ok(())
    })?;
    if !any {
        return Ok(());
    }
    let mut line = |cells: [String; 8]| {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            text.push_str(cell);
            let blanks = width.saturating_sub(cell.width()) + 2;
            text.extend(std::iter::repeat_n(' ', blanks));
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(HEADINGS.map(ToOwned::to_owned))?;
    each(report, |row| line(row.shown()))
}

/// A header and a record an event; cleaned where a terminal shows it, and no cell is a formula. JSON
/// keeps every byte as it is.
pub(super) fn csv(report: &Report, clean: bool, out: &mut impl Write) -> io::Result<()> {
    let mut records = csv::Writer::from_writer(out);
    records.write_record(COLUMNS).map_err(unwritten)?;
    each(report, |row| {
        let cells = row.cells();
        let cells =
            cells.map(|text| if clean { cleaned(&text) } else { redacted(&text).into_owned() });
        records.write_record(cells.map(cell)).map_err(unwritten)
    })?;
    records.flush()
}

/// The document of the contract, in one line.
pub(super) fn json(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let (extensions, complete) = (summaries(report), report.is_complete());
    let document = Document { events: Events(report), extensions, complete };
    let mut harmless = Harmless::new(&mut *out);
    serde_json::to_writer(&mut harmless, &document)?;
    harmless.flush()?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    events: Events<'a>,
    extensions: Vec<Summary<'a>>,
    complete: bool,
}

/// The events, made one by one while they are written: there may be a million.
struct Events<'a>(&'a Report);

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for (extension, listing) in self.0.listings() {
            for event in self.0.events_of(extension, listing) {
                sequence.serialize_element(&Row::of(extension, &event))?;
            }
        }
        sequence.end()
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    extension: &'a str,
    label: &'a str,
    kind: Option<&'a str>,
    owner: Option<&'a str>,
    owner_name: Option<&'a str>,
    /// Of those in the document.
    events: usize,
    complete: bool,
    failure: Option<Reason<'a>>,
}

#[derive(Serialize)]
struct Reason<'a> {
    code: Option<&'a str>,
    message: Cow<'a, str>,
    http_status: Option<u16>,
}

fn summaries(report: &Report) -> Vec<Summary<'_>> {
    report
        .extensions
        .iter()
        .map(|(extension, result)| Summary {
            extension: extension.number.as_str(),
            label: extension.label.raw(),
            kind: extension.kind.as_ref().map(ExtensionKind::word),
            owner: extension.owner.as_ref().map(|owner| owner.id.as_str()),
            owner_name: extension
                .owner
                .as_ref()
                .map(|owner| owner.name.raw())
                .filter(|name| !name.is_empty()),
            events: result
                .as_ref()
                .map_or(0, |listing| report.events_of(extension, listing).count()),
            complete: result.as_ref().is_ok_and(Listing::is_complete),
            failure: match result {
                Err(failure) => Some(Reason {
                    code: Some(failure.code.raw()).filter(|code| !code.is_empty()),
                    message: failure.told().into(),
                    http_status: failure.http_status,
                }),
                Ok(listing) => listing.why_incomplete().map(|why| Reason {
                    code: None,
                    message: why.into(),
                    http_status: None,
                }),
            },
        })
        .collect()
}

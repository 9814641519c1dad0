//! The receipt of a run, to be shown to others: what was done with each event, when, by whom, and
//! what was not. The screen and the command line write the same one.
//!
//! Everything in it that somebody else wrote is cleaned, goes through the mask, and stands where it
//! can neither end a cell nor be taken for markdown or a formula.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Kind;
use super::record::{Record, RecordedEvent};
use crate::change::{SILENT, Unlisted};
use crate::domain::{
    EventKey, ExtensionNumber, Foreign, Mask, Method, Modified, Outcome, PhoneCallEvent, Status,
    cell,
};

/// Receipts of one run that still get a name of their own.
const SAME_RUN: u32 = 1000;
/// The outcome of what a run took and was not to take.
const SURPLUS: &str = "gone, not in the plan";

/// The forms of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people, in local time.
    Markdown,
    /// For spreadsheets (RFC 4180), in UTC.
    Csv,
}

/// What a receipt is made of.
#[derive(Debug)]
pub struct Receipt<'a> {
    record: &'a Record,
    mask: Mask,
    /// What extensions are called, where that is known.
    labels: &'a BTreeMap<ExtensionNumber, Foreign>,
    local: &'a TimeZone,
}

/// One event, each text as it may be shown.
#[derive(Debug, Default)]
struct Row {
    outcome: String,
    extension: String,
    label: String,
    event_type: String,
    method: String,
    url: String,
    note: String,
    status: String,
    modified: String,
    /// What was to become of it, where it was changed.
    change: String,
    done_at: Option<Timestamp>,
    http_status: String,
    id: String,
    new_id: String,
    differs: String,
    code: String,
    message: String,
}

/// The columns that markdown has only where something is in them.
#[derive(Debug, Clone, Copy)]
struct Shows {
    label: bool,
    change: bool,
}

impl<'a> Receipt<'a> {
    /// The receipt of a run, masked or not.
    pub fn new(
        record: &'a Record,
        masked: bool,
        labels: &'a BTreeMap<ExtensionNumber, Foreign>,
        local: &'a TimeZone,
    ) -> Self {
        let mut mask = mask_of(record, masked);
        for label in labels.values() {
            mask.learn_name(label);
        }
        Self { record, mask, labels, local }
    }

    /// Writes its text, each row made while it is written.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, form: Form, out: &mut dyn Write) -> io::Result<()> {
        match form {
            Form::Markdown => self.markdown(out),
            Form::Csv => self.csv(out),
        }
    }

    /// Writes it beside a folder of run files, readable by its owner alone and under a name that is
    /// free, and returns where it is.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn write(&self, runs: &Path) -> io::Result<PathBuf> {
        let folder = runs.with_file_name("receipts");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let name = shown_name(&self.record.name, self.record, &self.mask);
        for attempt in 1..=SAME_RUN {
            let end = if attempt == 1 { String::new() } else { format!("-{attempt}") };
            let path = folder.join(format!("{name}{end}.md"));
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    let mut out = BufWriter::new(&file);
                    let written = self.markdown(&mut out).and_then(|()| out.flush());
                    // Half a receipt proves nothing.
                    let synced = written.and_then(|()| file.sync_all());
                    return synced.map(|()| path.clone()).inspect_err(|_| {
                        let _ = fs::remove_file(&path);
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!(
            "{name} has too many receipts: remove some of {}",
            folder.display()
        )))
    }

    fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        let what = self.record.kind.heading();
        write!(out, "# Receipt: {what}\n\n| | |\n| --- | --- |\n")?;
        for (name, value) in self.facts() {
            writeln!(out, "| {name} | {value} |")?;
        }
        out.write_all(b"\n## Events\n\n")?;
        let shows = Shows {
            label: self.rows().any(|row| !row.label.is_empty()),
            change: self.rows().any(|row| !row.change.is_empty()),
        };
        let [done_at, _] = done_at(self.record.kind);
        let heads = Row::markdown_heads(&done_at, shows);
        table(out, &heads, self.rows().map(|row| row.markdown(self.local, shows)))?;
        let mut told_why = self.rows().filter(Row::is_told_why).map(|row| row.why()).peekable();
        if told_why.peek().is_some() {
            out.write_all(b"\n## Not done, or not as planned\n\n")?;
            let heads = ["Outcome", "Extension", "Type", "ID", "Code", "Message"];
            table(out, &heads, told_why)?;
        }
        Ok(())
    }

    /// What there is to say of the run as a whole.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let record = self.record;
        let foreign = |text: &str| literal(&self.mask.text(&Foreign::from(text).to_string()));
        let mut facts = vec![("Run", literal(&shown_name(&record.name, record, &self.mask)))];
        if let Some(run) = &record.undoes {
            facts.push(("Undo of", literal(&shown_name(run, record, &self.mask))));
        }
        facts.push(("PBX", literal(&self.pbx())));
        facts.push(("Profile", foreign(&record.profile)));
        facts.push(("As user", foreign(&record.user)));
        let mut opened = record.opened.iter();
        let operator = opened.next().map(|it| literal(&self.operator(&it.login, &it.host)));
        facts.push(("Operator", operator.unwrap_or_else(|| "not recorded".to_owned())));
        facts.push(("Start", self.moment(&record.started)));
        for again in opened {
            let by = literal(&self.operator(&again.login, &again.host));
            facts.push(("Continued", format!("{} by {by}", self.moment(&again.at))));
        }
        match &record.finished {
            Some(end) => facts.push(("End", self.moment(end))),
            None if record.is_going_on() => facts.push(("End", "none: it is going on".to_owned())),
            None => facts.push(("End", "none: the run was interrupted".to_owned())),
        }
        facts.extend(self.duration().map(|time| ("Duration", in_words(time))));
        let calls = format!("{} planned, {} sent", record.calls.len(), record.sent_calls);
        facts.push(("Calls", calls));
        facts.push(("Result", self.result()));
        if let Some(stop) = record.stop() {
            let why = foreign(&stop.message.to_string());
            facts.push(("Stopped", format!("{}: {why}", stop.reason.name())));
        }
        facts.push(("Verification", record.check.words().to_owned()));
        if !record.surplus_known {
            facts.push(("Note", SILENT.to_owned()));
        }
        match record.flaws.len() {
            0 => {}
            lines => facts.push((
                "Run file",
                format!("{lines} of its lines cannot be used: what is unknown because of it is said to be"),
            )),
        }
        facts.push(("Plan", literal(&Foreign::from(record.plan_hash.as_str()).to_string())));
        if self.mask.is_on() {
            facts.push(("Masked", "numbers, labels, hosts, URLs and notes".to_owned()));
        }
        facts
    }

    /// What became of its events, counted.
    fn result(&self) -> String {
        let Record { kind, events, .. } = self.record;
        if *kind == Kind::Backup {
            return format!("{} kept", events.len());
        }
        self.record.tally().words(*kind)
    }

    fn pbx(&self) -> String {
        self.mask.host(&Foreign::from(self.record.origin.as_str()).to_string())
    }

    fn operator(&self, login: &str, host: &str) -> String {
        let [login, host] = [login, host].map(|text| Foreign::from(text).to_string());
        format!("{login} on {}", self.mask.host(&host))
    }

    /// A moment of the file in local time.
    fn moment(&self, written: &str) -> String {
        match written.parse() {
            Ok(at) => local(at, self.local),
            Err(_) => literal(&Foreign::from(written).to_string()),
        }
    }

    /// From its start to its end, in seconds.
    fn duration(&self) -> Option<i64> {
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let (start, end) = (time(&self.record.started)?, time(self.record.finished.as_deref()?)?);
        Some(end.as_second().saturating_sub(start.as_second())).filter(|seconds| *seconds >= 0)
    }

    /// Every planned event, then what went beside the plan.
    fn rows(&self) -> impl Iterator<Item = Row> {
        let record = self.record;
        let planned = record.events.iter().map(|planned| self.planned(planned));
        let missing = record.missing.iter().map(|(place, outcome)| Row {
            outcome: outcome.name().to_owned(),
            message: format!("event {place}: its line in the run file is damaged"),
            ..Row::default()
        });
        let surplus = record.surplus.iter().map(move |key| {
            let known = record.bystanders.iter().find(|event| event.key == *key);
            let row = known.map_or_else(|| self.named(key), |event| self.event(event));
            Row { outcome: SURPLUS.to_owned(), ..row }
        });
        let unlisted = record.unlisted.iter().map(|Unlisted { extension, id }| Row {
            outcome: SURPLUS.to_owned(),
            extension: self.mask.number(extension),
            label: self.label(extension),
            id: id.to_string(),
            message: "nothing but its id is known".to_owned(),
            ..Row::default()
        });
        planned.chain(missing).chain(surplus).chain(unlisted)
    }

    fn planned(&self, planned: &RecordedEvent) -> Row {
        // Nothing is done with what a backup holds.
        if self.record.kind == Kind::Backup {
            return Row { outcome: "kept".to_owned(), ..self.event(&planned.event) };
        }
        let outcome = &planned.outcome;
        let done = match outcome {
            Outcome::Done(..) | Outcome::Altered { .. } => planned.sent_at,
            Outcome::AlreadyGone
            | Outcome::Refused(_)
            | Outcome::NotSent(_)
            | Outcome::Unknown(_) => None,
        };
        let (failure, change) = (outcome.failure(), planned.want.as_deref());
        let told = |text: &Foreign| self.mask.text(&text.to_string());
        let status = planned.http_status.or_else(|| failure?.http_status);
        Row {
            outcome: outcome.name().to_owned(),
            change: change
                .map(|change| change.words(&planned.event, &self.mask))
                .unwrap_or_default(),
            done_at: done,
            http_status: status.map(|status| status.to_string()).unwrap_or_default(),
            new_id: outcome.new_id().map(ToString::to_string).unwrap_or_default(),
            differs: outcome.altered().map(|fields| fields.join(" ")).unwrap_or_default(),
            code: failure.map(|failure| told(&failure.code)).unwrap_or_default(),
            message: failure
                .map(|failure| told(&Foreign::from(failure.told())))
                .unwrap_or_default(),
            ..self.event(&planned.event)
        }
    }

    fn event(&self, event: &PhoneCallEvent) -> Row {
        let status = match &event.status {
            Status::Enabled => "enabled".to_owned(),
            Status::Disabled => "disabled".to_owned(),
            Status::Other(written) => self.mask.text(&written.to_string()),
        };
        let method = match &event.method {
            Method::Get | Method::Post => event.method.to_string(),
            Method::Other(written) => self.mask.text(&written.to_string()),
        };
        let modified = match &event.modified {
            Modified::Missing | Modified::Packed { .. } => event.modified.to_string(),
            Modified::Other(written) => self.mask.text(&written.to_string()),
        };
        Row {
            method,
            url: self.mask.url(&event.url),
            note: self.mask.words(&event.note),
            status,
            modified,
            ..self.named(&event.key)
        }
    }

    fn named(&self, key: &EventKey) -> Row {
        Row {
            extension: self.mask.number(&key.extension),
            label: self.label(&key.extension),
            event_type: key.event_type.to_string(),
            id: key.id.to_string(),
            ..Row::default()
        }
    }

    fn label(&self, number: &ExtensionNumber) -> String {
        self.labels.get(number).map(|label| self.mask.words(label)).unwrap_or_default()
    }

    /// A record an event, each with what is told of the run as a whole.
    fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let record = self.record;
        let foreign = |text: &str| self.mask.text(&Foreign::from(text).to_string());
        // Digits of a time or a hash are no number of an extension.
        let shown = |text: &str| Foreign::from(text).to_string();
        let operators: Vec<String> =
            record.opened.iter().map(|it| self.operator(&it.login, &it.host)).collect();
        let undoes = record.undoes.as_deref();
        let run = [
            ("run", shown_name(&record.name, record, &self.mask)),
            ("kind", record.kind.name().to_owned()),
            ("undo_of", undoes.map(|run| shown_name(run, record, &self.mask)).unwrap_or_default()),
            ("pbx", self.pbx()),
            ("profile", foreign(&record.profile)),
            ("user", foreign(&record.user)),
            ("operator", operators.first().cloned().unwrap_or_default()),
            ("started", shown(&record.started)),
            ("finished", record.finished.as_deref().map(shown).unwrap_or_default()),
            ("duration_s", self.duration().map(|time| time.to_string()).unwrap_or_default()),
            ("calls_planned", record.calls.len().to_string()),
            ("calls_sent", record.sent_calls.to_string()),
            ("verification", record.check.words().to_owned()),
            ("stopped_by", record.stop().map(|it| it.reason.name().to_owned()).unwrap_or_default()),
            ("plan_hash", shown(&record.plan_hash)),
        ];
        let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        let [_, done_at] = done_at(record.kind);
        let heads = Row::csv_heads(&done_at).into_iter().chain(run.iter().map(|(name, _)| *name));
        out.write_record(heads).map_err(unwritten)?;
        for row in self.rows() {
            let cells = row.csv().into_iter().chain(run.iter().map(|(_, value)| value.clone()));
            out.write_record(cells.map(cell)).map_err(unwritten)?;
        }
        out.flush()
    }
}

impl Row {
    fn markdown_heads(done_at: &str, shows: Shows) -> Vec<&str> {
        let mut heads = vec!["Outcome", "Extension"];
        heads.extend(shows.label.then_some("Label"));
        heads.extend(["Type", "Method", "URL", "Note", "Status before"]);
        heads.push("Last modified before the run");
        heads.extend(shows.change.then_some("Change"));
        heads.extend([done_at, "HTTP", "ID", "New ID"]);
        heads
    }

    fn markdown(&self, zone: &TimeZone, shows: Shows) -> Vec<String> {
        let mut cells = vec![self.outcome.clone(), literal(&self.extension)];
        cells.extend(shows.label.then(|| literal(&self.label)));
        let texts =
            [&self.event_type, &self.method, &self.url, &self.note, &self.status, &self.modified];
        cells.extend(texts.map(|text| literal(text)));
        cells.extend(shows.change.then(|| literal(&self.change)));
        cells.push(self.done_at.map(|at| local(at, zone)).unwrap_or_default());
        cells.extend([self.http_status.clone(), literal(&self.id), literal(&self.new_id)]);
        cells
    }

    /// Not what was asked for, or not all that is to be known.
    fn is_told_why(&self) -> bool {
        !self.message.is_empty() || !self.differs.is_empty() || self.outcome == SURPLUS
    }

    fn why(&self) -> Vec<String> {
        let message = match self.differs.as_str() {
            "" => literal(&self.message),
            fields => format!("came back with another {}", fields.replace(' ', ", ")),
        };
        let texts = [&self.extension, &self.event_type, &self.id, &self.code];
        let [extension, event_type, id, code] = texts.map(|text| literal(text));
        vec![self.outcome.clone(), extension, event_type, id, code, message]
    }

    fn csv_heads(done_at: &str) -> [&str; 17] {
        [
            "outcome",
            "extension",
            "label",
            "type",
            "method",
            "url",
            "note",
            "status_before",
            "last_modified_before_run",
            "change",
            done_at,
            "http_status",
            "id",
            "new_id",
            "differs",
            "code",
            "message",
        ]
    }

    fn csv(self) -> [String; 17] {
        [
            self.outcome,
            self.extension,
            self.label,
            self.event_type,
            self.method,
            self.url,
            self.note,
            self.status,
            self.modified,
            self.change,
            self.done_at
                .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
                .unwrap_or_default(),
            self.http_status,
            self.id,
            self.new_id,
            self.differs,
            self.code,
            self.message,
        ]
    }
}

/// The column of the moment at which the call went out that did it: `Deleted at`, `deleted_at`.
fn done_at(kind: Kind) -> [String; 2] {
    let name = kind.success().name();
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let [title, end]: [String; 2] = [first.into_iter().collect(), letters.collect()];
    [format!("{title}{end} at"), format!("{name}_at")]
}

/// A mask that knows the PBX and the numbers of a run.
pub fn mask_of(record: &Record, masked: bool) -> Mask {
    let host = record.origin.split_once("://").map_or("", |(_, host)| host);
    let mut mask = Mask::new(host, masked);
    let events = record.events.iter().map(|planned| &planned.event);
    events.chain(&record.bystanders).for_each(|event| mask.learn(&event.key.extension));
    record.unlisted.iter().for_each(|one| mask.learn(&one.extension));
    mask
}

/// What a run is called where a mask may be on: a profile that `--url` made is the name of a host.
pub fn shown_name(name: &str, record: &Record, mask: &Mask) -> String {
    let tells = mask.is_on() && mask.text(&record.profile) != record.profile;
    let stamp = name.split_once('-').map_or(name, |(stamp, _)| stamp);
    Foreign::from(if tells { stamp } else { name }).to_string()
}

fn table(
    out: &mut dyn Write,
    heads: &[&str],
    mut rows: impl Iterator<Item = Vec<String>>,
) -> io::Result<()> {
    writeln!(out, "| {} |", heads.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(heads.len()))?;
    rows.try_for_each(|row| writeln!(out, "| {} |", row.join(" | ")))
}

/// The error beneath, with its kind, so that a closed pipe is known as one.
pub fn unwritten(error: csv::Error) -> io::Error {
    if let csv::ErrorKind::Io(error) = error.into_kind() {
        error
    } else {
        // Records of texts, all of one length, can fail in no other way.
        io::Error::other("a record could not be made")
    }
}

/// A text as it is in a cell of markdown: code, in which nothing means anything, or, where it holds
/// what would end code or cell, with each of its signs as an entity.
fn literal(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let ends = text.contains(['`', '|']) || text.starts_with(' ') || text.ends_with([' ', '\\']);
    if !ends {
        return format!("`{text}`");
    }
    let mut written = String::with_capacity(2 * text.len());
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            let _ = write!(written, "&#{};", u32::from(character));
        } else {
            written.push(character);
        }
    }
    written
}

/// A moment where people are, with its distance from UTC.
fn local(at: Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(at);
    let (minutes, sign) = (offset.seconds() / 60, if offset.is_negative() { '-' } else { '+' });
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    let time = offset.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S");
    format!("{time} {sign}{hours:02}:{minutes:02}")
}

/// `12 s`, `3 min 5 s`, `2 h 3 min`.
fn in_words(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

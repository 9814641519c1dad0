//! The keys of one table of the configuration. A key is said once, where its value is asked for: its
//! name, how it is written, what it means and its default are there, and from there come the sentence
//! where a value does not fit, the list of known keys, and the example.

use std::fmt::{Display, Write as _};
use std::ops::{Range, RangeInclusive};

use toml::Spanned;

use super::ConfigError;
use super::source::{Node, Source, Table};

/// Columns of a comment in the example.
const WIDTH: usize = 98;

/// A key as an operator reads of it.
#[derive(Clone, Copy)]
pub(super) struct Key {
    name: &'static str,
    /// How its value is written: what stands behind "write" where another stands there.
    form: &'static str,
    /// What it means, one or more sentences.
    about: &'static str,
    shown: Shown,
    /// What stands in its place is not quoted: it may be a secret.
    private: bool,
}

/// What the example shows of a key.
#[derive(Clone, Copy)]
enum Shown {
    /// The example shows the default.
    Default,
    /// The example shows this value.
    Value(&'static str),
    /// The example shows this value, commented out.
    Off(&'static str),
}

impl Key {
    /// A key of which the example shows the default.
    pub(super) const fn new(name: &'static str, form: &'static str, about: &'static str) -> Self {
        Self { name, form, about, shown: Shown::Default, private: false }
    }

    /// As the file has it.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// The example shows this value.
    pub(super) const fn shown(self, value: &'static str) -> Self {
        Self { shown: Shown::Value(value), ..self }
    }

    /// The example shows this value in a comment.
    pub(super) const fn off(self, value: &'static str) -> Self {
        Self { shown: Shown::Off(value), ..self }
    }

    /// What does not fit it may be a secret.
    pub(super) const fn private(self) -> Self {
        Self { private: true, ..self }
    }
}

/// A table while its keys are asked for.
pub(super) struct Keys<'a> {
    source: &'a Source,
    /// As the file names it, `profiles.acme`; empty for the whole file.
    path: String,
    rest: Table,
    known: Vec<&'static str>,
    private: bool,
    example: String,
}

impl<'a> Keys<'a> {
    /// Of a table that stands there.
    pub(super) fn of(source: &'a Source, path: &str, table: Table, about: &str) -> Self {
        let heading = format!("\n{}[{path}]\n", comment(about));
        let example = if path.is_empty() { String::new() } else { heading };
        let (path, known) = (path.to_owned(), Vec::new());
        Self { source, path, rest: table, known, private: false, example }
    }

    /// Nothing that stands in this table is quoted.
    pub(super) fn keep_private(&mut self) {
        self.private = true;
    }

    /// A text, where there is one.
    pub(super) fn text(&mut self, key: Key) -> Result<Option<Spanned<String>>, ConfigError> {
        self.document(key, "");
        self.fitting(key, text)
    }

    /// A text, or its default.
    pub(super) fn text_or(
        &mut self,
        key: Key,
        default: &str,
    ) -> Result<Spanned<String>, ConfigError> {
        self.document(key, &format!("{default:?}"));
        let found = self.fitting(key, text)?;
        Ok(found.unwrap_or_else(|| Spanned::new(0..0, default.to_owned())))
    }

    /// A list of texts, where there is one.
    pub(super) fn texts(
        &mut self,
        key: Key,
    ) -> Result<Option<Spanned<Vec<Spanned<String>>>>, ConfigError> {
        self.document(key, "");
        self.listed(key)
    }

    /// A list of texts, or its default.
    pub(super) fn texts_or(
        &mut self,
        key: Key,
        default: &[&str],
    ) -> Result<Vec<Spanned<String>>, ConfigError> {
        self.document(key, &format!("{default:?}"));
        let default = || default.iter().map(|text| Spanned::new(0..0, (*text).to_owned()));
        Ok(self.listed(key)?.map_or_else(|| default().collect(), Spanned::into_inner))
    }

    /// A text or a list of texts, where there is one. The example does not show it.
    pub(super) fn one_or_several(
        &mut self,
        name: &'static str,
        form: &'static str,
    ) -> Result<Option<Spanned<Vec<String>>>, ConfigError> {
        self.known.push(name);
        let texts = |node| match node {
            Node::Text(text) => Some(vec![text]),
            Node::List(list) => list.into_iter().map(|one| text(one.into_inner())).collect(),
            Node::Number(_) | Node::Switch(_) | Node::Table(_) | Node::Other => None,
        };
        self.fitting(Key::new(name, form, ""), texts)
    }

    /// A word of a few, each with what it means, or the default.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: Key,
        default: &str,
        known: &[(&str, T)],
    ) -> Result<T, ConfigError> {
        let written = self.text_or(key, default)?;
        self.meant(key, &written, known)
    }

    /// A list of such words.
    pub(super) fn words<T: Copy>(
        &mut self,
        key: Key,
        default: &[&str],
        known: &[(&str, T)],
    ) -> Result<Vec<T>, ConfigError> {
        let written = self.texts_or(key, default)?;
        written.iter().map(|written| self.meant(key, written, known)).collect()
    }

    /// A whole number in a range, or its default.
    pub(super) fn number<N>(
        &mut self,
        name: &'static str,
        range: RangeInclusive<N>,
        default: N,
        about: &'static str,
    ) -> Result<N, ConfigError>
    where
        N: TryFrom<i64> + PartialOrd + Display,
    {
        let key = Key::new(name, "", about);
        let (least, most) = (range.start(), range.end());
        self.document(key, &format!("{default}; {least} to {most}"));
        let Some(found) = self.take(name) else { return Ok(default) };
        let fits = |number: &N| range.contains(number);
        let written = if let Node::Number(value) = found.get_ref() { Some(*value) } else { None };
        let number = written.and_then(|value| N::try_from(value).ok()).filter(fits);
        let form = format!("a number from {least} to {most}, without quotes");
        number.ok_or_else(|| self.misfit(key, found.span(), &form))
    }

    /// True or false, or its default.
    pub(super) fn switch(
        &mut self,
        name: &'static str,
        default: bool,
        about: &'static str,
    ) -> Result<bool, ConfigError> {
        let key = Key::new(name, "true or false, without quotes", about);
        self.document(key, &default.to_string());
        let switch = |node| if let Node::Switch(switch) = node { Some(switch) } else { None };
        let found = self.fitting(key, switch)?;
        Ok(found.map_or(default, Spanned::into_inner))
    }

    /// What `read` makes of a table below this one, and where it stands; of one that is missing no key
    /// is there.
    pub(super) fn below<T>(
        &mut self,
        name: &'static str,
        about: &str,
        read: impl FnOnce(&mut Keys<'a>) -> Result<T, ConfigError>,
    ) -> Result<(T, Option<Range<usize>>), ConfigError> {
        let found = self.tables(name)?;
        let place = found.as_ref().map(Spanned::span);
        let table = found.map(Spanned::into_inner).unwrap_or_default();
        let mut keys = Keys::of(self.source, &self.path_of(name), table, about);
        let read = read(&mut keys)?;
        self.example += &keys.end()?;
        Ok((read, place))
    }

    /// A table below this one, as it is.
    pub(super) fn tables(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Spanned<Table>>, ConfigError> {
        self.known.push(name);
        let path = self.path_of(name);
        self.take(name).map(|found| self.source.table(&path, found)).transpose()
    }

    /// Nothing is left: a key that nobody asked for is not known. The example of this table.
    pub(super) fn end(self) -> Result<String, ConfigError> {
        let Some((key, _)) = self.rest.first_key_value() else { return Ok(self.example) };
        let (name, known) = (key.get_ref(), &self.known);
        let place = match self.path.as_str() {
            "" => "at the top level".to_owned(),
            path => format!("in [{path}]"),
        };
        let nearest = known
            .iter()
            .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
            .min()
            .filter(|(distance, candidate)| distance * 3 <= candidate.len());
        let meant = nearest.map_or(String::new(), |(_, name)| format!("did you mean {name:?}? "));
        let others = if self.path == "keys" {
            "? in the program and `callsweep man` list the names".to_owned()
        } else {
            format!("known keys are {}", known.join(", "))
        };
        let mistake = format!("key {name:?} is not known {place}: {meant}{others}");
        Err(self.source.mistake(key.span(), mistake))
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn take(&mut self, name: &str) -> Option<Spanned<Node>> {
        self.rest.remove(&Spanned::new(0..0, name.to_owned()))
    }

    /// The value of a key, where there is one, as `read` takes it.
    fn fitting<T>(
        &mut self,
        key: Key,
        read: impl FnOnce(Node) -> Option<T>,
    ) -> Result<Option<Spanned<T>>, ConfigError> {
        let Some(found) = self.take(key.name) else { return Ok(None) };
        let place = found.span();
        match read(found.into_inner()) {
            Some(value) => Ok(Some(Spanned::new(place, value))),
            None => Err(self.misfit(key, place, key.form)),
        }
    }

    fn listed(&mut self, key: Key) -> Result<Option<Spanned<Vec<Spanned<String>>>>, ConfigError> {
        let list = |node| if let Node::List(list) = node { Some(list) } else { None };
        let Some(list) = self.fitting(key, list)? else { return Ok(None) };
        let place = list.span();
        let each = list.into_inner().into_iter().map(|one| {
            let place = one.span();
            match text(one.into_inner()) {
                Some(text) => Ok(Spanned::new(place, text)),
                None => Err(self.misfit(key, place, key.form)),
            }
        });
        Ok(Some(Spanned::new(place, each.collect::<Result<_, _>>()?)))
    }

    fn meant<T: Copy>(
        &self,
        key: Key,
        written: &Spanned<String>,
        known: &[(&str, T)],
    ) -> Result<T, ConfigError> {
        let meant = known.iter().find(|(word, _)| word == written.get_ref());
        meant.map(|(_, meant)| *meant).ok_or_else(|| self.misfit(key, written.span(), key.form))
    }

    fn misfit(&self, key: Key, place: Range<usize>, form: &str) -> ConfigError {
        let quoted = !key.private && !self.private;
        self.source.misfit(place, quoted, key.name, form)
    }

    /// A key is known from here on, and stands in the example.
    fn document(&mut self, key: Key, default: &str) {
        self.known.push(key.name);
        let said = match default {
            "" => key.about.to_owned(),
            default => format!("{} Default: {default}.", key.about),
        };
        // Of a number the default stands before its range.
        let default = default.split("; ").next().unwrap_or_default();
        let (sign, value) = match key.shown {
            Shown::Default => ("", default),
            Shown::Value(value) => ("", value),
            Shown::Off(value) => ("#", value),
        };
        let _ = write!(self.example, "\n{}{sign}{} = {value}\n", comment(&said), key.name);
    }
}

fn text(node: Node) -> Option<String> {
    if let Node::Text(text) = node { Some(text) } else { None }
}

/// A text as lines of comment; of one without words there is none.
pub(super) fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut room = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = word.chars().count() + 1;
        if room < width {
            lines.push_str(if lines.is_empty() { "#" } else { "\n#" });
            room = WIDTH;
        }
        room -= width;
        let _ = write!(lines, " {word}");
    }
    if lines.is_empty() { lines } else { lines + "\n" }
}

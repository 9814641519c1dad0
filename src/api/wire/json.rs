//! A JSON value that borrows from the text it was read from and keeps the order of its fields:
//! `serde_json::Value` would sort them, and the order of a keyed list is the order of the service.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Number;
use serde_json::value::RawValue;

/// Any JSON value. Nesting is bounded by the parser, so that walking it needs no bound of its own.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::api) enum Json<'a> {
    Null,
    Flag(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Map(Fields<'a>),
}

/// The fields of an object, in the order of the text.
pub(in crate::api) type Fields<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

impl Json<'_> {
    /// The value as one text, numbers as they are usually written; objects and lists as JSON.
    /// `null` is no text: the service writes it for a field it has nothing for.
    pub(in crate::api) fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Flag(_) | Self::Number(_) | Self::List(_) | Self::Map(_) => {
                Cow::Owned(self.to_json())
            }
        }
    }

    /// The value in JSON notation.
    pub(in crate::api) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A number, or a text that holds one: the service writes both, within one object too.
    pub(in crate::api) fn as_count(&self) -> Option<usize> {
        self.as_text().trim().parse().ok()
    }
}

/// The field of that name; the last one where a name stands twice, as most parsers have it.
pub(in crate::api) fn field<'f, 'a>(fields: &'f Fields<'a>, name: &str) -> Option<&'f Json<'a>> {
    fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Flag(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((Key(key), value)) = entries.next_entry()? {
            fields.push((key, value));
        }
        Ok(Json::Map(fields))
    }
}

/// The fields of an object, each value as it is written.
pub(in crate::api) struct RawFields<'a>(pub(in crate::api) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for RawFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = RawFields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((Key(key), value)) = entries.next_entry()? {
            fields.push((key, value));
        }
        Ok(RawFields(fields))
    }
}

/// A field's name; `Cow` alone would always be copied by serde.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Name)
    }
}

struct Name;

impl<'de> Visitor<'de> for Name {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Owned(value.to_owned())))
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(fields) => {
                serializer.collect_map(fields.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Json<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_value_is_written_back_as_it_was_read_fields_in_their_order() {
        for text in [r#"{"z":1,"a":[null,true,-2,1.5,"x\"y"],"m":{}}"#, r#"["é","\u0001"]"#, "null"]
        {
            assert_eq!(read(text).to_json(), text);
        }
    }

    #[test]
    fn counts_are_read_from_numbers_and_from_texts() {
        assert_eq!(read("45").as_count(), Some(45));
        assert_eq!(read("\" 45\"").as_count(), Some(45));
        for text in ["-1", "\"many\"", "null", "1.5", "{}"] {
            assert_eq!(read(text).as_count(), None, "{text}");
        }
    }

    #[test]
    fn of_two_fields_with_one_name_the_last_counts() {
        let Json::Map(fields) = read(r#"{"id":"a","id":"b"}"#) else {
            panic!("an object");
        };
        assert_eq!(field(&fields, "id"), Some(&Json::Text("b".into())));
        assert_eq!(field(&fields, "no"), None);
    }
}

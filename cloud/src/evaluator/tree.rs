//! JSON as a tree in which no object has a name twice.
//!
//! `serde_json::Value` silently keeps the last of two members with one name. In a policy, readers could differ in
//! which of the two they take.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// A number or a truth value, as text.
    Word(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Value>),
    /// An object's names and values, in their order.
    Members(Vec<(String, Value)>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Word(truth.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Word(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Word(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Word(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            if members.iter().any(|(earlier, _)| *earlier == name) {
                return Err(A::Error::custom(format_args!("the name {name} is given twice")));
            }
            members.push((name, entries.next_value()?));
        }
        Ok(Value::Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_order() {
        let words = ["-1", "0.5", "true"].map(|word| Value::Word(word.to_owned()));
        let list = Value::List([&words[..], &[Value::Null]].concat());
        let object = Value::Members(vec![
            ("b".to_owned(), list),
            ("a".to_owned(), Value::Text("é".to_owned())),
        ]);
        let read: Value = serde_json::from_str(r#"{"b": [-1, 0.5, true, null], "a": "\u00e9"}"#).unwrap();
        assert_eq!(read, object);
    }

    #[test]
    fn name_given_twice_is_an_error_at_its_place() {
        let error = serde_json::from_str::<Value>("{\"a\": 1,\n \"\\u0061\": 2}").unwrap_err();
        assert_eq!(error.to_string(), "the name a is given twice at line 2 column 9");
        assert!(serde_json::from_str::<Value>("[{\"a\": 1}, {\"a\": 1}]").is_ok());
    }

    #[test]
    fn deep_nesting_is_an_error() {
        for open in ["[", "{\"a\":"] {
            let error = serde_json::from_str::<Value>(&open.repeat(1_000_000)).unwrap_err();
            assert!(error.to_string().starts_with("recursion limit exceeded"), "{error}");
        }
    }
}

//! `key = value` lines into values by key, with every error at once.

use std::fmt;

use super::keys::{self, KEYS, Key};

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file, at a line counted from 1.
    Line(String, usize),
    /// In an option of the command line.
    Set,
    /// In no place: the default, or nothing at all. The file that was read, if one was.
    Nowhere(Option<String>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(f, "{file}:{line}"),
            Self::Set => f.write_str("--set"),
            Self::Nowhere(Some(file)) => f.write_str(file),
            Self::Nowhere(None) => f.write_str("configuration"),
        }
    }
}

/// Something wrong with the configuration, in words: where, what, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    place: Place,
    message: String,
}

impl ConfigError {
    pub(super) fn new(place: Place, message: impl fmt::Display) -> Self {
        Self { place, message: message.to_string() }
    }

    /// Lines in their order, then options, then what stands nowhere.
    pub(super) const fn order(&self) -> usize {
        match self.place {
            Place::Line(_, line) => line,
            Place::Set => usize::MAX - 1,
            Place::Nowhere(_) => usize::MAX,
        }
    }

    /// A value that is not among those allowed.
    pub(super) fn not_allowed(place: Place, key: &Key, value: &str) -> Self {
        let mut message = format!("{} = {value}: allowed: {}", key.name, key.allowed);
        if value.contains('#') && !key.allowed.contains('#') {
            message.push_str(" (a comment needs a line of its own)");
        }
        Self { place, message }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// What was said for each key of [`KEYS`], and the errors so far.
#[derive(Debug)]
pub struct Values {
    found: [Option<(Place, String)>; KEYS.len()],
    /// What was said for [`keys::ALERT`], the key that may stand several times: in options, or else in the
    /// file.
    pub repeated: Vec<(Place, String)>,
    file: Option<String>,
    pub errors: Vec<ConfigError>,
}

impl Values {
    /// Reads a file's text, called `file` in messages, and the `KEY=VALUE` of `--set` options, which
    /// win over it.
    pub fn read(file: Option<(&str, &str)>, set: &[String]) -> Self {
        let mut values = Self {
            found: [const { None }; KEYS.len()],
            repeated: Vec::new(),
            file: file.map(|(name, _)| name.to_owned()),
            errors: Vec::new(),
        };
        if let Some((name, text)) = file {
            for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
                values.read_line(&Place::Line(name.to_owned(), number), line);
            }
        }
        for option in set {
            values.read_line(&Place::Set, option);
        }
        values
    }

    fn read_line(&mut self, place: &Place, line: &str) {
        let line = line.trim();
        if matches!(place, Place::Line(..)) && (line.is_empty() || line.starts_with('#')) {
            return;
        }
        match self.parse_line(place, line) {
            Ok((slot, value)) => {
                if KEYS.get(slot).is_some_and(|key| key.name == keys::ALERT.name) {
                    if *place == Place::Set {
                        self.repeated.retain(|(earlier, _)| *earlier == Place::Set);
                    }
                    self.repeated.push((place.clone(), value));
                } else if let Some(found) = self.found.get_mut(slot) {
                    *found = Some((place.clone(), value));
                }
            }
            Err(message) => self.errors.push(ConfigError::new(place.clone(), message)),
        }
    }

    fn parse_line(&self, place: &Place, line: &str) -> Result<(usize, String), String> {
        let (name, value) =
            line.split_once('=').ok_or_else(|| format!("{line}: this is not of the form key = value"))?;
        let (name, value) = (name.trim(), value.trim());
        let Some(slot) = KEYS.iter().position(|key| key.name == name) else {
            let mut nearest = keys::Nearest::default();
            for key in &KEYS {
                nearest.offer(name, key.name);
            }
            return Err(format!("{name} = {value}: there is no key {name}{nearest}"));
        };
        if let Some((earlier, _)) = self.found.get(slot).and_then(Option::as_ref)
            && (matches!(earlier, Place::Line(..)) == matches!(place, Place::Line(..)))
        {
            return Err(format!("{name} = {value}: {name} was given already, at {earlier}"));
        }
        let quoted = value.strip_prefix('"').map(|rest| rest.strip_suffix('"'));
        let value = match quoted {
            None => value,
            Some(Some(inside)) => inside,
            Some(None) => return Err(format!("{name} = {value}: the closing double quote is missing")),
        };
        Ok((slot, value.to_owned()))
    }

    /// Where the key's value stands, and what it is: given, or the default.
    pub fn get(&self, key: &Key) -> (Place, Option<&str>) {
        let slot = KEYS.iter().position(|other| other.name == key.name);
        match slot.and_then(|slot| self.found.get(slot)?.as_ref()) {
            Some((place, value)) => (place.clone(), Some(value)),
            None => (Place::Nowhere(self.file.clone()), key.default),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str, set: &[&str]) -> Vec<String> {
        let set: Vec<String> = set.iter().map(|&option| option.to_owned()).collect();
        Values::read(Some(("f.conf", text)), &set).errors.iter().map(ToString::to_string).collect()
    }

    fn value(text: &str, name: &str) -> Option<String> {
        let values = Values::read(Some(("f.conf", text)), &[]);
        assert_eq!(values.errors, []);
        values.get(KEYS.iter().find(|key| key.name == name).unwrap()).1.map(str::to_owned)
    }

    #[test]
    fn a_value_runs_to_the_end_of_the_line_and_may_be_quoted() {
        assert_eq!(value("label =  a = b # c  \r\n", "label").unwrap(), "a = b # c");
        assert_eq!(value("label=\" padded \"", "label").unwrap(), " padded ");
        assert_eq!(value("label = \"a \"quoted\" word\"", "label").unwrap(), "a \"quoted\" word");
        assert_eq!(value("# a comment\n\n   # another\n\tport\t=\t1\n", "port").unwrap(), "1");
        assert_eq!(value("\u{feff}port = 1", "port").unwrap(), "1");
    }

    #[test]
    fn a_default_stands_where_nothing_is_said() {
        assert_eq!(value("", "port").unwrap(), "8883");
        assert_eq!(value("", "endpoint"), None);
    }

    #[test]
    fn every_line_that_is_wrong_is_told_with_its_number() {
        assert_eq!(
            errors(
                "port 8883\n\nintervall = 5\nport = 1\nport = 2\nlabel = \"x\nwhatever = 1\n",
                &["colour=red", "port"]
            ),
            [
                "f.conf:1: port 8883: this is not of the form key = value",
                "f.conf:3: intervall = 5: there is no key intervall; did you mean interval?",
                "f.conf:5: port = 2: port was given already, at f.conf:4",
                "f.conf:6: label = \"x: the closing double quote is missing",
                "f.conf:7: whatever = 1: there is no key whatever",
                "--set: colour = red: there is no key colour",
                "--set: port: this is not of the form key = value",
            ]
        );
    }

    #[test]
    fn an_option_wins_over_the_file_and_may_be_given_once() {
        let values = Values::read(Some(("f.conf", "port = 1")), &["port=2".to_owned()]);
        assert_eq!(values.get(&keys::PORT).1, Some("2"));
        assert_eq!(errors("", &["port=1", "port=2"]), ["--set: port = 2: port was given already, at --set"]);
    }
}

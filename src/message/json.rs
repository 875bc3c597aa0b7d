//! JSON, as RFC 8259 has it, written as it comes: no tree, no heap, no panic, and what writes it has no
//! comma to forget.
//!
//! ```text
//! let length = json::to_slice(&mut buffer, |config| {
//!     config.key("name").text("disk usage");
//!     config.key("expire_after").integer(180);
//!     config.key("device").object(|device| {
//!         device.key("identifiers").list(|ids| ids.item().text("pi-7"));
//!     });
//! });
//! ```
//!
//! One thing is checked at the end and not at each step: whether there was room for all of it.

use std::fmt::{self, Display, Write};

/// The longest number, in bytes: a sign, the digits of the greatest `u64`, a point and one decimal.
pub const NUMBER_LEN_MAX: usize = 23;
/// The longest integer, in bytes.
pub const INTEGER_LEN_MAX: usize = 20;

/// From here on, 2⁴⁹, an `f64` cannot tell all tenths apart.
const TENTHS_END: f64 = 562_949_953_421_312.0;

/// A number, rounded to one decimal, half away from zero, and written with it. From 2⁴⁹ on it is rounded to
/// a whole one; what no `u64` can hold becomes the greatest of them, and what is no number becomes `null`.
#[derive(Debug, Clone, Copy)]
pub struct Number(pub f64);

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        if !value.is_finite() {
            return f.write_str("null");
        }
        let size = value.abs();
        let (whole, tenth) = if size < TENTHS_END {
            let tenths = whole(size * 10.0);
            (tenths / 10, tenths % 10)
        } else {
            (whole(size), 0)
        };
        // A small negative value becomes 0.0.
        let sign = if value < 0.0 && (whole, tenth) != (0, 0) { "-" } else { "" };
        write!(f, "{sign}{whole}.{tenth}")
    }
}

/// What takes the text.
type Out<'a> = &'a mut (dyn Write + 'a);

/// Writes an object into `out`, whose members are what `members` writes.
///
/// # Errors
/// That of `out`, which then has a part of the object.
pub fn object(out: &mut dyn Write, members: impl FnOnce(&mut Object<'_>)) -> fmt::Result {
    let mut out = Sticky { out, told: Ok(()) };
    Value { out: &mut out }.object(members);
    out.told
}

/// Writes an object into `buffer` and gives its length; `None` if there is no room for it.
pub fn to_slice(buffer: &mut [u8], members: impl FnOnce(&mut Object<'_>)) -> Option<usize> {
    let mut out = Slice { buffer, length: 0 };
    object(&mut out, members).ok()?;
    Some(out.length)
}

/// An object that is being written.
pub struct Object<'a> {
    out: Out<'a>,
    comma: &'static str,
}

impl Object<'_> {
    /// Writes a member's name. What follows is its value.
    pub fn key(&mut self, name: &str) -> Value<'_> {
        self.key_of(&name)
    }

    /// [`Self::key`], with a name that is put together while it is written.
    pub fn key_of(&mut self, name: &dyn Display) -> Value<'_> {
        put(self.out, std::mem::replace(&mut self.comma, ","));
        Value { out: self.out }.text_of(name);
        put(self.out, ":");
        Value { out: self.out }
    }
}

/// A list that is being written.
pub struct List<'a> {
    out: Out<'a>,
    comma: &'static str,
}

impl List<'_> {
    /// One more value, which follows.
    pub fn item(&mut self) -> Value<'_> {
        put(self.out, std::mem::replace(&mut self.comma, ","));
        Value { out: self.out }
    }
}

/// The place of one value.
#[must_use = "JSON wants a value here"]
pub struct Value<'a> {
    out: Out<'a>,
}

impl Value<'_> {
    /// That there is none.
    pub fn null(self) {
        put(self.out, "null");
    }

    /// A number without a decimal.
    pub fn integer(self, value: u64) {
        show(self.out, format_args!("{value}"));
    }

    /// A [`Number`].
    pub fn number(self, value: f64) {
        show(self.out, format_args!("{}", Number(value)));
    }

    /// A string.
    pub fn text(self, text: &str) {
        self.text_of(&text);
    }

    /// A string that is put together while it is written.
    pub fn text_of(self, text: &dyn Display) {
        put(self.out, "\"");
        show(&mut Escape { out: self.out }, format_args!("{text}"));
        put(self.out, "\"");
    }

    /// A value if there is one, which `write` writes; else `null`.
    pub fn optional<T>(self, value: Option<T>, write: impl FnOnce(Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    /// An object, whose members are what `members` writes.
    pub fn object(self, members: impl FnOnce(&mut Object<'_>)) {
        put(self.out, "{");
        members(&mut Object { out: self.out, comma: "" });
        put(self.out, "}");
    }

    /// A list, whose values are what `items` writes.
    pub fn list(self, items: impl FnOnce(&mut List<'_>)) {
        put(self.out, "[");
        items(&mut List { out: self.out, comma: "" });
        put(self.out, "]");
    }

    /// A string that is an object of its own, as [`Self::object`] writes it.
    pub fn document(self, members: impl FnOnce(&mut Object<'_>)) {
        put(self.out, "\"");
        Value { out: &mut Escape { out: self.out } }.object(members);
        put(self.out, "\"");
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is rounded and no sign")]
fn whole(size: f64) -> u64 {
    size.round() as u64
}

/// Below each [`Value`] stands a [`Sticky`], which keeps what becomes of it.
fn put(out: &mut dyn Write, text: &str) {
    let _ = out.write_str(text);
}

fn show(out: &mut dyn Write, text: fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

/// Takes nothing more after the first error.
struct Sticky<'a> {
    out: Out<'a>,
    told: fmt::Result,
}

impl Write for Sticky<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.told = self.told.and_then(|()| self.out.write_str(text));
        self.told
    }
}

struct Slice<'a> {
    buffer: &'a mut [u8],
    length: usize,
}

impl Write for Slice<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let free = self.buffer.get_mut(self.length..).unwrap_or_default();
        free.get_mut(..text.len()).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

/// Escapes what passes through it, as it has to be in a string (RFC 8259, section 7).
struct Escape<'a> {
    out: Out<'a>,
}

impl Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.split_inclusive(is_special).try_for_each(|piece| {
            let mut plain = piece.chars();
            match plain.next_back() {
                Some(last) if is_special(last) => {
                    self.out.write_str(plain.as_str())?;
                    self.write_special(last)
                }
                _ => self.out.write_str(piece),
            }
        })
    }
}

impl Escape<'_> {
    fn write_special(&mut self, character: char) -> fmt::Result {
        let letter = match character {
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\0'..='\u{1f}' => {
                let code = u32::from(character);
                self.out.write_str(if code < 16 { "\\u000" } else { "\\u001" })?;
                let digit = char::from_digit(code % 16, 16).unwrap_or_default();
                return self.out.write_char(digit.to_ascii_uppercase());
            }
            other => other,
        };
        self.out.write_str("\\")?;
        self.out.write_char(letter)
    }
}

const fn is_special(character: char) -> bool {
    matches!(character, '"' | '\\' | '\0'..='\u{1f}')
}

#[cfg(test)]
mod tests;

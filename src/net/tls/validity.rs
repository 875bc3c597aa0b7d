//! A certificate's dates. rustls reports them only for a broker's certificate, and only once it is out of
//! date; the device's own have to be known before.
//!
//! RFC 5280, section 4.1: `Certificate` is a sequence that begins with `TBSCertificate`, which begins with a
//! version (in \[0\], optional), a serial number, an algorithm, the issuer, and `Validity`: two times. Only
//! these are read; rustls checks the rest.

use crate::platform::clock::Utc;

#[cfg(test)]
mod tests;

const DAY_SECS: i64 = 86_400;

// Tags of DER.
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// With fewer days left, the agent logs once a day that the certificate expires, and doctor warns.
pub const DAYS_LEFT_MIN: i64 = 30;

/// A certificate's first and last moment, both inclusive, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// notBefore; 1970 if it is earlier.
    pub from: Utc,
    /// notAfter.
    pub until: Utc,
}

/// Whether a certificate is valid at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not valid yet.
    NotYet,
    /// Valid.
    Current,
    /// Not valid any more.
    Expired,
}

/// Why a certificate's dates cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidityError {
    /// Not a certificate, or its dates are malformed.
    Malformed,
    /// It ends before it begins.
    Reversed(Validity),
}

impl Validity {
    /// Reads the dates of a certificate in DER.
    ///
    /// # Errors
    /// See [`ValidityError`].
    pub fn read(certificate: &[u8]) -> Result<Self, ValidityError> {
        let validity = walk(certificate).ok_or(ValidityError::Malformed)?;
        if validity.from > validity.until { Err(ValidityError::Reversed(validity)) } else { Ok(validity) }
    }

    /// Whether the certificate is valid at `now`.
    #[must_use]
    pub const fn state(&self, now: Utc) -> State {
        if now.as_secs() < self.from.as_secs() {
            State::NotYet
        } else if now.as_secs() > self.until.as_secs() {
            State::Expired
        } else {
            State::Current
        }
    }

    /// Whole days until the end, rounded down: 0 on the last day, negative after it.
    #[must_use]
    pub const fn days_left(&self, now: Utc) -> i64 {
        let secs = self.until.as_secs().cast_signed() - now.as_secs().cast_signed();
        secs.div_euclid(DAY_SECS)
    }

    /// Whether the certificate never expires: RFC 5280, section 4.1.2.5, gives such certificates the last
    /// second of 9999.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        Utc::from_civil([9999, 12, 31], [23, 59, 59]) == Some(self.until)
    }
}

fn walk(certificate: &[u8]) -> Option<Validity> {
    let (certificate, []) = content(SEQUENCE, certificate)? else { return None };
    let (signed, _) = content(SEQUENCE, certificate)?;
    let rest = content(VERSION, signed).map_or(signed, |(_, rest)| rest);
    let (_serial, rest) = content(INTEGER, rest)?;
    let (_algorithm, rest) = content(SEQUENCE, rest)?;
    let (_issuer, rest) = content(SEQUENCE, rest)?;
    let (validity, _) = content(SEQUENCE, rest)?;
    let (from, validity) = time(validity)?;
    let (until, []) = time(validity)? else { return None };
    Some(Validity { from, until })
}

/// The content of the element at the beginning, and what follows it.
fn content(expected: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(bytes)?;
    (tag == expected).then_some((content, rest))
}

/// Tag and content of the element at the beginning, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, length, rest @ ..] = bytes else { return None };
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        // The number of length bytes that follow. More than three are not a certificate's; none (0x80) is
        // the indefinite form, which DER forbids.
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// The time at the beginning, and what follows it: `YYMMDDHHMMSSZ` from 1950 to 2049, or
/// `YYYYMMDDHHMMSSZ`. RFC 5280 allows no other form.
fn time(bytes: &[u8]) -> Option<(Utc, &[u8])> {
    let (tag, text, rest) = element(bytes)?;
    let (pairs, []) = text.strip_suffix(b"Z")?.as_chunks::<2>() else { return None };
    let (year, parts) = match (tag, pairs) {
        (UTC_TIME, [year, parts @ ..]) => {
            let year = number(*year)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, parts)
        }
        (GENERALIZED_TIME, [century, year, parts @ ..]) => (100 * number(*century)? + number(*year)?, parts),
        _ => return None,
    };
    let &[month, day, hour, minute, second] = parts else { return None };
    let time = [number(hour)?, number(minute)?, number(second)?];
    Some((Utc::from_civil([year, number(month)?, number(day)?], time)?, rest))
}

fn number([tens, ones]: [u8; 2]) -> Option<u32> {
    let digit = |byte: u8| char::from(byte).to_digit(10);
    Some(digit(tens)? * 10 + digit(ones)?)
}

//! The data types of MQTT, read from a slice. `[3] 1.5`, `[5] 1.5`.

use super::Fault;

/// The longest encoding of a variable byte integer.
const VARINT_LEN_MAX: usize = 4;

/// What is left of a packet; `packet` names it in faults.
pub(super) struct Reader<'a> {
    packet: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(packet: &'static str, bytes: &'a [u8]) -> Self {
        Self { packet, rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), Fault> {
        match self.rest.len() {
            0 => Ok(()),
            surplus => {
                Err(Fault::malformed(format!("{} has {surplus} bytes more than it describes", self.packet)))
            }
        }
    }

    pub(super) fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| Fault::malformed(format!("{} ends inside its {what}", self.packet)))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8, Fault> {
        Ok(self.take(1, what)?[0])
    }

    pub(super) fn u16(&mut self, what: &str) -> Result<u16, Fault> {
        let bytes = self.take(2, what)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, Fault> {
        Ok(u32::from(self.u16(what)?) << 16 | u32::from(self.u16(what)?))
    }

    /// Binary data: a length of two bytes before it.
    pub(super) fn binary(&mut self, what: &str) -> Result<&'a [u8], Fault> {
        let len = self.u16(what)?;
        self.take(len.into(), what)
    }

    /// A string: well-formed UTF-8 without U+0000. `[MQTT-1.5.3-1]`, `[MQTT-1.5.3-2]`.
    pub(super) fn string(&mut self, what: &str) -> Result<&'a str, Fault> {
        let text = str::from_utf8(self.binary(what)?)
            .map_err(|_| Fault::malformed(format!("the {what} of {} is not UTF-8", self.packet)))?;
        if text.contains('\0') {
            return Err(Fault::malformed(format!("the {what} of {} contains U+0000", self.packet)));
        }
        Ok(text)
    }

    /// The properties' part of a packet: a length as a variable byte integer before it.
    pub(super) fn section(&mut self, what: &str) -> Result<Reader<'a>, Fault> {
        let (len, used) = varint(self.rest)?
            .ok_or_else(|| Fault::malformed(format!("{} ends inside its {what}", self.packet)))?;
        self.take(used, what)?;
        Ok(Self::new(self.packet, self.take(len, what)?))
    }
}

/// A variable byte integer at the head of `bytes` and the number of bytes it takes; `None` where
/// it is not complete yet. `[3] 2.2.3`, `[5] 1.5.5`.
pub(super) fn varint(bytes: &[u8]) -> Result<Option<(usize, usize)>, Fault> {
    let mut value = 0;
    for (place, &byte) in bytes.iter().take(VARINT_LEN_MAX).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            // [MQTT-1.5.5-1]; 3.1.1 does not forbid it, and nobody sends it.
            return if byte == 0 && place > 0 {
                Err(Fault::malformed("a length takes more bytes than it needs"))
            } else {
                Ok(Some((value, place + 1)))
            };
        }
    }
    if bytes.len() < VARINT_LEN_MAX {
        Ok(None)
    } else {
        Err(Fault::malformed("a length takes more than four bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_of_table_2_4_are_read() {
        let cases: [(&[u8], usize); 8] = [
            (&[0x00], 0),
            (&[0x7f], 127),
            (&[0x80, 0x01], 128),
            (&[0xff, 0x7f], 16_383),
            (&[0x80, 0x80, 0x01], 16_384),
            (&[0xff, 0xff, 0x7f], 2_097_151),
            (&[0x80, 0x80, 0x80, 0x01], 2_097_152),
            (&[0xff, 0xff, 0xff, 0x7f], 268_435_455),
        ];
        for (bytes, value) in cases {
            assert_eq!(varint(bytes), Ok(Some((value, bytes.len()))));
            assert_eq!(varint(&bytes[..bytes.len() - 1]), Ok(None));
        }
    }

    #[test]
    fn overlong_lengths_are_faults() {
        assert!(varint(&[0x80, 0x00]).is_err());
        assert!(varint(&[0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(varint(&[0xff, 0xff, 0xff, 0x80, 0x01]).is_err());
    }

    #[test]
    fn a_string_is_utf_8_without_nul() {
        let read = |bytes| Reader::new("TEST", bytes).string("text").is_ok();
        // The example of [3] 1.5.3: "A" and U+2A6D4.
        assert!(read(&[0, 5, 0x41, 0xf0, 0xaa, 0x9b, 0x94]));
        // U+FEFF is never stripped. [MQTT-1.5.3-3]
        assert!(read(&[0, 3, 0xef, 0xbb, 0xbf]));
        for bytes in [
            &[0, 1, 0x00][..],
            &[0, 1, 0xff],
            // A surrogate, U+D800.
            &[0, 3, 0xed, 0xa0, 0x80],
            &[0, 2, 0x41],
            &[0],
        ] {
            assert!(!read(bytes), "{bytes:02x?}");
        }
    }
}

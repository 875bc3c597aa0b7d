//! The properties of MQTT 5 that a client may send. `[5] 2.2.2`.

use super::Fault;
use super::reader::Reader;

pub(crate) const SESSION_EXPIRY: u8 = 0x11;
pub(crate) const AUTHENTICATION_METHOD: u8 = 0x15;
pub(crate) const MAXIMUM_PACKET_SIZE: u8 = 0x27;
pub(super) const PAYLOAD_FORMAT: u8 = 0x01;
const AUTHENTICATION_DATA: u8 = 0x16;
const USER_PROPERTY: u8 = 0x26;

/// Where a property may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Connect,
    Will,
    Publish,
    Disconnect,
}

/// What a property is made of.
enum Kind {
    /// A byte that is 0 or 1.
    Flag,
    U16,
    /// 0 is a protocol error.
    NonZeroU16,
    U32,
    NonZeroU32,
    Text,
    /// A string that could be published to.
    Topic,
    Binary,
    Pair,
}

/// The properties of one packet: each identifier with its value where that is a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties(Vec<(u8, Option<u32>)>);

impl Properties {
    pub(crate) fn has(&self, identifier: u8) -> bool {
        self.0.iter().any(|&(each, _)| each == identifier)
    }

    pub(crate) fn number(&self, identifier: u8) -> Option<u32> {
        let &(_, value) = self.0.iter().find(|&&(each, _)| each == identifier)?;
        value
    }

    pub(super) fn read(packet: &mut Reader<'_>, place: Place) -> Result<Self, Fault> {
        let mut section = packet.section("properties")?;
        let mut found = Self::default();
        while !section.is_empty() {
            let identifier = section.u8("property identifier")?;
            let (name, kind) = lookup(identifier, place)?;
            if identifier != USER_PROPERTY && found.has(identifier) {
                return Err(Fault::protocol(format!("{name} is given twice")));
            }
            let number = read_value(&mut section, name, &kind)?;
            found.0.push((identifier, number));
        }
        if found.has(AUTHENTICATION_DATA) && !found.has(AUTHENTICATION_METHOD) {
            return Err(Fault::protocol("authentication data without a method"));
        }
        Ok(found)
    }
}

/// The rows of `[5]` table 2-4 whose sender can be a publisher.
fn lookup(identifier: u8, place: Place) -> Result<(&'static str, Kind), Fault> {
    use Place::{Connect, Disconnect, Publish, Will};
    let (name, kind, places): (_, _, &[Place]) = match identifier {
        PAYLOAD_FORMAT => ("payload format indicator", Kind::Flag, &[Publish, Will]),
        0x02 => ("message expiry interval", Kind::U32, &[Publish, Will]),
        0x03 => ("content type", Kind::Text, &[Publish, Will]),
        0x08 => ("response topic", Kind::Topic, &[Publish, Will]),
        0x09 => ("correlation data", Kind::Binary, &[Publish, Will]),
        SESSION_EXPIRY => ("session expiry interval", Kind::U32, &[Connect, Disconnect]),
        AUTHENTICATION_METHOD => ("authentication method", Kind::Text, &[Connect]),
        AUTHENTICATION_DATA => ("authentication data", Kind::Binary, &[Connect]),
        0x17 => ("request problem information", Kind::Flag, &[Connect]),
        0x18 => ("will delay interval", Kind::U32, &[Will]),
        0x19 => ("request response information", Kind::Flag, &[Connect]),
        0x1f => ("reason string", Kind::Text, &[Disconnect]),
        0x21 => ("receive maximum", Kind::NonZeroU16, &[Connect]),
        0x22 => ("topic alias maximum", Kind::U16, &[Connect]),
        USER_PROPERTY => ("user property", Kind::Pair, &[Connect, Will, Publish, Disconnect]),
        MAXIMUM_PACKET_SIZE => ("maximum packet size", Kind::NonZeroU32, &[Connect]),
        // The broker's topic alias maximum is 0. [MQTT-3.3.2-9]
        0x23 => return Err(Fault::new(0x94, "a topic alias, though none is granted")),
        _ => {
            return Err(Fault::malformed(format!("property 0x{identifier:02x} is no property of a client")));
        }
    };
    if places.contains(&place) {
        Ok((name, kind))
    } else {
        Err(Fault::protocol(format!("{name} in the wrong packet")))
    }
}

fn read_value(section: &mut Reader<'_>, name: &str, kind: &Kind) -> Result<Option<u32>, Fault> {
    let number = match kind {
        Kind::Flag => u32::from(section.u8(name)?),
        Kind::U16 | Kind::NonZeroU16 => u32::from(section.u16(name)?),
        Kind::U32 | Kind::NonZeroU32 => section.u32(name)?,
        Kind::Text => {
            section.string(name)?;
            return Ok(None);
        }
        Kind::Topic => {
            // [MQTT-3.3.2-14]
            super::check_topic(section.string(name)?)?;
            return Ok(None);
        }
        Kind::Binary => {
            section.binary(name)?;
            return Ok(None);
        }
        Kind::Pair => {
            section.string(name)?;
            section.string(name)?;
            return Ok(None);
        }
    };
    match kind {
        Kind::Flag if number > 1 => Err(Fault::protocol(format!("{name} is neither 0 nor 1"))),
        Kind::NonZeroU16 | Kind::NonZeroU32 if number == 0 => Err(Fault::protocol(format!("{name} is 0"))),
        _ => Ok(Some(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(place: Place, bytes: &[u8]) -> Result<Properties, Fault> {
        Properties::read(&mut Reader::new("TEST", bytes), place)
    }

    #[test]
    fn properties_are_read() {
        let found =
            read(Place::Connect, &[17, 0x11, 0, 0, 0, 10, 0x27, 0, 0, 4, 0, 0x26, 0, 1, b'a', 0, 1, b'b']);
        let found = found.expect("these are well-formed");
        assert_eq!(found.number(SESSION_EXPIRY), Some(10));
        assert_eq!(found.number(MAXIMUM_PACKET_SIZE), Some(1024));
        assert!(found.has(USER_PROPERTY));
    }

    #[test]
    fn only_user_properties_repeat() {
        let user = [0x26, 0, 0, 0, 0];
        assert!(read(Place::Publish, &[&[10], &user[..], &user[..]].concat()).is_ok());
        let expiry = [0x02, 0, 0, 0, 1];
        let twice = read(Place::Publish, &[&[10], &expiry[..], &expiry[..]].concat());
        assert_eq!(twice.map_err(|fault| fault.reason), Err(0x82));
    }

    #[test]
    fn property_errors_are_faults() {
        for (place, bytes, reason) in [
            // A receive maximum and a maximum packet size of 0.
            (Place::Connect, &[3, 0x21, 0, 0][..], 0x82),
            (Place::Connect, &[5, 0x27, 0, 0, 0, 0], 0x82),
            // A payload format that is neither 0 nor 1.
            (Place::Publish, &[2, 0x01, 2], 0x82),
            // Authentication data alone.
            (Place::Connect, &[4, 0x16, 0, 1, 0], 0x82),
            // A will delay outside the will; a subscription identifier from a client.
            (Place::Connect, &[5, 0x18, 0, 0, 0, 1], 0x82),
            (Place::Publish, &[2, 0x0b, 1], 0x81),
            // A topic alias, an unknown identifier, a wildcard in the response topic.
            (Place::Publish, &[3, 0x23, 0, 1], 0x94),
            (Place::Publish, &[2, 0x7e, 0], 0x81),
            (Place::Publish, &[4, 0x08, 0, 1, b'#'], 0x90),
            // Lengths that end too early and too late.
            (Place::Publish, &[2, 0x02, 0], 0x81),
            (Place::Publish, &[9, 0x02, 0, 0, 0, 1], 0x81),
            (Place::Publish, &[], 0x81),
        ] {
            let fault = read(place, bytes).expect_err("this is a property error");
            assert_eq!(fault.reason, reason, "{bytes:02x?}: {}", fault.what);
        }
    }
}

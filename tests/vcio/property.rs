//! What the firmware can be asked. Source: the Raspberry Pi firmware wiki, "Mailbox property interface".

/// A property of the firmware, or of one of the parts that it has the property of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property {
    /// The tag's id.
    pub tag: u32,
    /// Which part, if the tag has parts: the first word of the question, and of the answer.
    pub part: Option<u32>,
}

impl Property {
    const fn of_part(tag: u32, part: u32) -> Self {
        Self { tag, part: Some(part) }
    }

    const fn whole(tag: u32) -> Self {
        Self { tag, part: None }
    }
}

/// Temperature of the SoC, in thousandths of a degree Celsius.
pub const TEMPERATURE: Property = Property::of_part(0x0003_0006, 0);
/// The temperature at which the SoC is throttled, in thousandths of a degree Celsius.
pub const TEMPERATURE_MAX: Property = Property::of_part(0x0003_000a, 0);
/// Under-voltage (bit 0), frequency capped (1), throttled (2), soft temperature limit (3); from bit 16 on
/// the same since boot.
pub const THROTTLED: Property = Property::whole(0x0003_0046);
/// The clock of the ARM cores as it is set, in hertz.
pub const CLOCK_ARM: Property = Property::of_part(0x0003_0002, 3);
/// The clock of the ARM cores as it is measured, in hertz.
pub const CLOCK_ARM_MEASURED: Property = Property::of_part(0x0003_0047, 3);
/// The core's voltage, in microvolts.
pub const VOLTAGE_CORE: Property = Property::of_part(0x0003_0003, 1);
/// When the firmware was built, in seconds since 1970.
pub const FIRMWARE_REVISION: Property = Property::whole(0x0000_0001);
/// The board's revision code.
pub const BOARD_REVISION: Property = Property::whole(0x0001_0002);

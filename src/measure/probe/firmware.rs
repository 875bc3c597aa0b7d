//! What only the firmware knows: whether it holds the board back, and its clock and voltage. It is asked
//! through [`Vcio`]; tags and units are in [`property`].
//!
//! The throttled bits: 0 under-voltage, 1 ARM frequency capped, 2 throttled, 3 soft temperature limit, and
//! 16 to 19 the same since boot. Source: the Raspberry Pi documentation, "vcgencmd get_throttled".

use crate::measure::mailbox::property;
use crate::measure::mailbox::vcio::Vcio;
use crate::metric::Metric;
use crate::metric::sample::{NoData, Reading};

/// The throttled bits, asked for once a sample.
#[derive(Debug)]
pub struct Throttled {
    bits: Result<u32, NoData>,
}

impl Throttled {
    pub const fn new() -> Self {
        Self { bits: Err(NoData::NotYet) }
    }

    /// Asks the firmware.
    pub fn update(&mut self, vcio: &mut Vcio) {
        self.bits = vcio.ask(property::THROTTLED);
    }

    /// One of the bits, as last read: 1 if it is set, else 0.
    pub fn reading(&self, metric: Metric) -> Reading {
        let bit = bit(metric).ok_or(NoData::NotPresent)?;
        Ok(f64::from(self.bits? >> bit & 1))
    }
}

/// Which of the throttled bits a metric is.
const fn bit(metric: Metric) -> Option<u32> {
    match metric {
        Metric::UnderVoltageNow => Some(0),
        Metric::FrequencyCappedNow => Some(1),
        Metric::ThrottledNow => Some(2),
        Metric::SoftLimitNow => Some(3),
        Metric::UnderVoltageSinceBoot => Some(16),
        Metric::FrequencyCappedSinceBoot => Some(17),
        Metric::ThrottledSinceBoot => Some(18),
        Metric::SoftLimitSinceBoot => Some(19),
        _ => None,
    }
}

/// The ARM cores' clock, in MHz.
pub fn clock(vcio: &mut Vcio) -> Reading {
    megahertz(vcio.ask(property::ARM_CLOCK)?)
}

/// The core's voltage, in thousandths of a volt.
pub fn core_voltage(vcio: &mut Vcio) -> Reading {
    millivolts(vcio.ask(property::CORE_VOLTAGE)?)
}

/// # Errors
/// `Malformed`, if nothing runs at all: then nobody would ask.
fn megahertz(hertz: u32) -> Reading {
    if hertz == 0 { Err(NoData::Malformed) } else { Ok(f64::from(hertz) / 1e6) }
}

/// # Errors
/// `Malformed`, if it is none, or too much for any SoC; the firmware says 0x80000000 for a core it does
/// not know.
fn millivolts(microvolts: u32) -> Reading {
    const MICROVOLTS_MAX: u32 = 5_000_000;
    if matches!(microvolts, 1..=MICROVOLTS_MAX) {
        Ok(f64::from(microvolts) / 1e3)
    } else {
        Err(NoData::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_is_a_reading_of_its_own() {
        let metrics: Vec<_> = Metric::of_key("throttled").collect();
        let read = |bits| {
            let throttled = Throttled { bits: Ok(bits) };
            metrics.iter().map(|&metric| throttled.reading(metric).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(read(0), [0.0; 8]);
        assert_eq!(read(0x0005_0001), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(read(0x000a_000e), [0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
        assert_eq!(read(0xfff0_fff0), [0.0; 8], "other bits say nothing");
    }

    #[test]
    fn what_the_firmware_does_not_say_is_no_zero() {
        let mut throttled = Throttled::new();
        assert_eq!(throttled.reading(Metric::ThrottledNow), Err(NoData::NotYet));
        throttled.update(&mut Vcio::new(std::path::Path::new("/not/there")));
        assert_eq!(throttled.reading(Metric::ThrottledNow), Err(NoData::NotPresent));
    }

    #[test]
    fn the_clock_is_in_megahertz_and_the_voltage_in_millivolts() {
        assert_eq!(megahertz(1_500_345_728), Ok(1_500.345_728));
        assert_eq!(megahertz(0), Err(NoData::Malformed));
        assert_eq!(millivolts(856_300), Ok(856.3));
        for wrong in [0, 0x8000_0000, 5_000_001] {
            assert_eq!(millivolts(wrong), Err(NoData::Malformed));
        }
    }
}

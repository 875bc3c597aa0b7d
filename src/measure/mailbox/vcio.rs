//! `/dev/vcio`: the device node through which the firmware answers the questions of [`property`].

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::property::{self, Tag};
use crate::metric::sample::NoData;
use crate::platform::device::vcio_property;

/// The device, opened at the first question.
#[derive(Debug, Default)]
pub struct Vcio {
    path: PathBuf,
    file: Option<File>,
}

impl Vcio {
    /// `dev/vcio` under `root`.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { path: root.join("dev/vcio"), file: None }
    }

    /// The firmware's answer.
    ///
    /// # Errors
    /// Why the device cannot be opened; `NotPresent`, if the firmware does not know the tag; else what
    /// the driver or [`property::response`] says.
    pub fn ask(&mut self, tag: Tag) -> Result<u32, NoData> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        let mut message = property::request(tag);
        vcio_property(file, &mut message).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => NoData::NotPresent, // EINVAL: the firmware refused the tag
            _ => error.into(),
        })?;
        property::response(tag, &message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_without_a_mailbox_has_no_answer_and_a_file_that_is_none_is_not_taken_for_one() {
        let dir = pivitals_broker::TestDir::new("vcio");
        let mut vcio = Vcio::new(dir.path());
        assert_eq!(vcio.ask(property::THROTTLED), Err(NoData::NotPresent));
        std::fs::create_dir(dir.path().join("dev")).unwrap();
        std::fs::write(dir.path().join("dev/vcio"), "").unwrap();
        assert_eq!(vcio.ask(property::THROTTLED), Err(NoData::Unreadable));
    }
}

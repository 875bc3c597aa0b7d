//! The agent's state in a file, for whoever cannot ask a service manager: one line of JSON, replaced
//! as a whole. The file is meant to be in a tmpfs; without `status_file` there is none.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::message::json::{self, Value};

/// A failure's words are cut to so many bytes at the most. Only names of the greatest length make them
/// longer.
const FAILURE_LEN_MAX: usize = 1024;
/// Everything else, and the failure with every byte escaped.
const LEN_MAX: usize = 256 + 6 * FAILURE_LEN_MAX;

/// What the agent is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Samples wait until the system clock is set.
    ClockNotSet,
    /// There is no connection, and it is not time for an attempt.
    Waiting,
    /// An attempt is under way.
    Connecting,
    /// The broker has accepted the connection.
    Publishing,
    /// The agent has come to its end.
    Ended,
}

impl State {
    /// As it stands in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClockNotSet => "clock_not_set",
            Self::Waiting => "waiting",
            Self::Connecting => "connecting",
            Self::Publishing => "publishing",
            Self::Ended => "ended",
        }
    }
}

/// The agent's state at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// What it is about.
    pub state: State,
    /// Since the last PUBACK, if there was one.
    pub puback_age: Option<Duration>,
    /// Samples that wait for their acknowledgement.
    pub queue: usize,
    /// Samples that a full queue has dropped since the start.
    pub dropped: u64,
    /// Accepted connections since the start, without the first.
    pub reconnects: u64,
}

/// The file, and what is known of it.
#[derive(Debug, Default)]
pub struct StatusFile {
    state: Option<State>,
    is_lost: bool,
}

impl StatusFile {
    /// Writes the file if that `is_due`, or the state is another one than the last time.
    /// `last_failure` is what was told last, if anything was. Gives an error of the file system, unless
    /// there was one the last time.
    pub fn update(
        &mut self,
        path: &Path,
        status: &Status,
        last_failure: Option<&str>,
        is_due: bool,
    ) -> Option<io::Error> {
        if !is_due && self.state == Some(status.state) {
            return None;
        }
        self.state = Some(status.state);
        let error = write(path, status, last_failure).err();
        let was_lost = std::mem::replace(&mut self.is_lost, error.is_some());
        error.filter(|_| !was_lost)
    }
}

/// Puts a new line in the place of the file: whoever reads it finds the old one or the new one, whole.
fn write(path: &Path, status: &Status, last_failure: Option<&str>) -> io::Result<()> {
    let last_failure = last_failure.map(|failure| {
        let end = (0..=FAILURE_LEN_MAX).rev().find(|&end| failure.is_char_boundary(end));
        end.and_then(|end| failure.get(..end)).unwrap_or(failure)
    });
    let mut buffer = [0; LEN_MAX];
    let length = json::to_slice(&mut buffer, |line| {
        line.key("state").text(status.state.as_str());
        line.key("puback_age_seconds").optional(status.puback_age, |value, age| value.integer(age.as_secs()));
        line.key("queue").integer(status.queue as u64);
        line.key("dropped").integer(status.dropped);
        line.key("reconnects").integer(status.reconnects);
        line.key("last_failure").optional(last_failure, Value::text);
    })
    .ok_or(io::ErrorKind::FileTooLarge)?;
    if let Some(end) = buffer.get_mut(length) {
        *end = b'\n';
    }
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    fs::write(&new, buffer.get(..=length).unwrap_or_default())?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use pivitals_broker::TestDir;

    use super::*;

    const STATUS: Status = Status {
        state: State::Publishing,
        puback_age: Some(Duration::from_millis(3_999)),
        queue: 2,
        dropped: 1,
        reconnects: 4,
    };

    fn written(status: &Status, failure: Option<&str>) -> String {
        let dir = TestDir::new("status");
        let path = dir.path().join("pivitals.status");
        write(&path, &Status { state: State::Waiting, ..STATUS }, None).unwrap();
        write(&path, status, failure).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
        fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn the_file_is_one_line_of_json() {
        assert_eq!(
            written(&STATUS, Some("TLS: \"x\"")),
            "{\"state\":\"publishing\",\"puback_age_seconds\":3,\"queue\":2,\"dropped\":1,\"reconnects\":4,\
             \"last_failure\":\"TLS: \\\"x\\\"\"}\n"
        );
        let new = Status { puback_age: None, ..STATUS };
        assert!(written(&new, None).contains("\"puback_age_seconds\":null,"));
    }

    #[test]
    fn the_longest_failure_fits() {
        let longest = "é\u{1}".repeat(FAILURE_LEN_MAX);
        let line = written(&STATUS, Some(&longest));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(longest.starts_with(value["last_failure"].as_str().unwrap()));
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_once_and_again_after_it_was() {
        let dir = TestDir::new("status-folder");
        let folder = dir.path().join("run");
        let path = folder.join("status");
        let mut file = StatusFile::default();
        let mut update = |is_due| file.update(&path, &STATUS, None, is_due).map(|error| error.kind());
        assert_eq!(update(true), Some(io::ErrorKind::NotFound));
        assert_eq!(update(true), None);
        fs::create_dir(&folder).unwrap();
        assert_eq!((update(true), path.exists()), (None, true));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(update(false), None, "nothing is due, and nothing has changed");
        assert_eq!(update(true), Some(io::ErrorKind::NotFound));
        assert!(StatusFile::default().update(Path::new("/"), &STATUS, None, true).is_some());
    }
}

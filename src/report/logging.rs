//! Where log lines go: standard error, with the journal's priorities where it reads along, or
//! datagrams to the syslog daemon.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process;

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::config::LogTarget;

const SYSLOG_SOCKET: &str = "/dev/log";
/// Facility "daemon" (RFC 5424, section 6.2.1).
const FACILITY: u8 = 3;

/// Sends log lines to where `target` says, and tells whether that is standard error.
/// [`log::set_max_level`] chooses among them.
#[expect(clippy::must_use_candidate, reason = "most callers need not know")]
pub fn start(target: LogTarget) -> bool {
    let is_journal = is_journal();
    let to_stderr = match target {
        LogTarget::Stderr => true,
        LogTarget::Syslog => false,
        LogTarget::Auto => is_journal || io::stderr().is_terminal() || !Path::new(SYSLOG_SOCKET).exists(),
    };
    let logger: &'static Logger = match (to_stderr, is_journal) {
        (false, _) => &Logger::Syslog,
        (true, true) => &Logger::Journal,
        (true, false) => &Logger::Plain,
    };
    let started = log::set_logger(logger);
    debug_assert!(started.is_ok(), "called once");
    log::set_max_level(LevelFilter::Debug);
    to_stderr
}

/// Where lines go, and so what they look like.
#[derive(Debug, Clone, Copy)]
enum Logger {
    /// Standard error, for people.
    Plain,
    /// Standard error, for the journal (sd-daemon(3)).
    Journal,
    /// A syslog daemon.
    Syslog,
}

impl Log for Logger {
    /// The lines of this program, and not those of its libraries.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            // That a line is lost nobody can be told.
            let line = self.line(record);
            let _ = match self {
                Self::Plain | Self::Journal => io::stderr().write_all(line.as_bytes()),
                Self::Syslog => send(Path::new(SYSLOG_SOCKET), line.as_bytes()),
            };
        }
    }

    fn flush(&self) {}
}

impl Logger {
    /// Put together first, so that it is written at once, and as one datagram.
    fn line(self, record: &Record<'_>) -> String {
        let (severity, text) = (severity(record.level()), record.args());
        let mut line = String::new();
        // A string takes all.
        let _ = match self {
            Self::Plain => {
                writeln!(line, "pivitals: {}: {text}", record.level().as_str().to_ascii_lowercase())
            }
            Self::Journal => writeln!(line, "<{severity}>{text}"),
            Self::Syslog => {
                write!(line, "<{}>pivitals[{}]: {text}", FACILITY * 8 + severity, process::id())
            }
        };
        line
    }
}

/// RFC 5424, section 6.2.1.
const fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

/// Whether standard error is what systemd says is connected to the journal (systemd.exec(5)).
fn is_journal() -> bool {
    let stderr = io::stderr().as_fd().try_clone_to_owned().map(std::fs::File::from);
    let metadata = stderr.and_then(|stderr| stderr.metadata());
    let journal = std::env::var("JOURNAL_STREAM");
    matches!((metadata, journal), (Ok(stderr), Ok(journal)) if journal == format!("{}:{}", stderr.dev(), stderr.ino()))
}

/// A line to the syslog daemon at `path`. One that is not there or has no room is not waited for: the line
/// is lost.
fn send(path: &Path, line: &[u8]) -> io::Result<()> {
    // A socket for each line: they are rare, and a daemon that was started again has another one.
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(line, path).map(drop)
}

#[cfg(test)]
mod tests {
    use pivitals_broker::TestDir;

    use super::*;

    #[test]
    fn a_line_reaches_a_syslog_daemon_and_the_next_one_its_successor() {
        let dir = TestDir::new("syslog");
        let path = dir.path().join("log");
        assert!(send(&path, b"lost: nobody is there").is_err());
        for line in [b"<30>pivitals[1]: one", b"<30>pivitals[1]: two"] {
            let daemon = UnixDatagram::bind(&path).unwrap();
            send(&path, line).unwrap();
            let mut buffer = [0; 64];
            let length = daemon.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], line);
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_line_looks_as_its_reader_wants_it() {
        let line = |logger: Logger| {
            logger.line(&Record::builder().level(Level::Warn).args(format_args!("it is late")).build())
        };
        assert_eq!(line(Logger::Plain), "pivitals: warn: it is late\n");
        assert_eq!(line(Logger::Journal), "<4>it is late\n");
        assert_eq!(line(Logger::Syslog), format!("<28>pivitals[{}]: it is late", process::id()));
    }

    #[test]
    fn severities_are_those_of_syslog() {
        assert_eq!([Level::Error, Level::Warn, Level::Info, Level::Debug].map(severity), [3, 4, 6, 7]);
    }
}

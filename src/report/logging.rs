//! The log: lines on standard error, with priorities where that is the journal, or datagrams to the syslog
//! daemon.

use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process;

use env_logger::fmt::Formatter;
use env_logger::{Builder, Target};
use log::{Level, LevelFilter, Record};

use crate::config::LogTarget;

const SYSLOG_SOCKET: &str = "/dev/log";
/// Facility "daemon" (RFC 5424, section 6.2.1).
const FACILITY: u8 = 3;
/// Bytes of the longest datagram: what a syslog daemon should be able to take (RFC 5424, section 6.1).
/// The smallest send buffer that Linux gives a socket has room for it.
const DATAGRAM_LEN_MAX: usize = 2048;

/// Starts the log and returns whether its lines go to standard error.
///
/// Every level is written; [`log::set_max_level`] selects, now and later.
#[expect(clippy::must_use_candidate, reason = "most callers need not know")]
pub fn start(target: LogTarget) -> bool {
    let is_journal = is_journal();
    let to_stderr = match target {
        LogTarget::Stderr => true,
        LogTarget::Syslog => false,
        LogTarget::Auto => is_journal || io::stderr().is_terminal() || !Path::new(SYSLOG_SOCKET).exists(),
    };
    let (format, target) = match (to_stderr, is_journal) {
        (false, _) => (Format::Syslog, Target::Pipe(Box::new(Syslog(SYSLOG_SOCKET)))),
        (true, true) => (Format::Journal, Target::Stderr),
        (true, false) => (Format::Plain, Target::Stderr),
    };
    let started = builder(format, target).try_init();
    debug_assert!(started.is_ok(), "called once");
    to_stderr
}

/// Returns a logger for lines of this program; lines of its libraries are dropped.
///
/// A line is put together first, in a buffer that is kept, and reaches `target` in one write.
fn builder(format: Format, target: Target) -> Builder {
    let mut builder = Builder::new();
    builder
        .filter_module(env!("CARGO_CRATE_NAME"), LevelFilter::max())
        .target(target)
        .format(move |line, record| format.write(line, record));
    builder
}

/// What a log line looks like.
#[derive(Debug, Clone, Copy)]
enum Format {
    /// For people who read standard error.
    Plain,
    /// For the journal that reads standard error (sd-daemon(3)).
    Journal,
    /// For a syslog daemon (RFC 3164); the daemon adds time and host name.
    Syslog,
}

impl Format {
    fn write(self, line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
        let (severity, text) = (severity(record.level()), record.args());
        match self {
            Self::Plain => writeln!(line, "pivitals: {}: {text}", word(record.level())),
            Self::Journal => writeln!(line, "<{severity}>{text}"),
            Self::Syslog => {
                write!(line, "<{}>pivitals[{}]: {text}", FACILITY * 8 + severity, process::id())
            }
        }
    }
}

/// The level as a user writes it in `log_level`.
const fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug | Level::Trace => "debug",
    }
}

/// The severity of RFC 5424, section 6.2.1.
const fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

/// Whether standard error is the stream that systemd has connected to the journal (systemd.exec(5)).
fn is_journal() -> bool {
    let stderr = io::stderr().as_fd().try_clone_to_owned().map(std::fs::File::from);
    let metadata = stderr.and_then(|stderr| stderr.metadata());
    let journal = std::env::var("JOURNAL_STREAM");
    matches!((metadata, journal), (Ok(stderr), Ok(journal)) if journal == format!("{}:{}", stderr.dev(), stderr.ino()))
}

/// The syslog daemon at this path. Each write is one line and becomes one datagram.
///
/// # Errors
/// No daemon is there, or it has no room: the line is lost. There is nowhere to report a lost line, so the
/// logger ignores the error.
#[derive(Debug)]
struct Syslog<P>(P);

impl<P: AsRef<Path>> Write for Syslog<P> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A socket for each line: lines are rare, and a restarted daemon listens on a new socket.
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to(cut(line), &self.0)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The whole characters of `line` that fit a datagram.
fn cut(line: &[u8]) -> &[u8] {
    let Some(start) = line.get(..DATAGRAM_LEN_MAX) else { return line };
    start.utf8_chunks().next().map_or(start, |chunk| chunk.valid().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fmt::Arguments;
    use std::sync::mpsc::{Sender, channel};

    use env_logger::Logger;
    use log::Log as _;
    use pivitals_broker::TestDir;

    use super::*;

    fn log(logger: &Logger, level: Level, text: Arguments<'_>) {
        logger.log(&Record::builder().target("pivitals::agent").level(level).args(text).build());
    }

    /// Sends on what each single write has written.
    struct Writes(Sender<String>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(String::from_utf8(bytes.to_vec()).unwrap()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a logger of this format writes of `text` at `level`, one string a write.
    fn writes(format: Format, level: Level, text: Arguments<'_>) -> Vec<String> {
        let (sender, receiver) = channel();
        log(&builder(format, Target::Pipe(Box::new(Writes(sender)))).build(), level, text);
        receiver.into_iter().collect()
    }

    /// A folder with a syslog daemon's socket, and a logger that sends there.
    struct Daemon {
        dir: TestDir,
        socket: UnixDatagram,
        logger: Logger,
    }

    impl Daemon {
        fn start(name: &str) -> Self {
            let dir = TestDir::new(name);
            let path = dir.path().join("log");
            let socket = listen(&dir);
            let logger = builder(Format::Syslog, Target::Pipe(Box::new(Syslog(path)))).build();
            Self { dir, socket, logger }
        }

        /// The next datagram without what stands before the text, if one has arrived.
        fn next(&self) -> Option<String> {
            let mut buffer = [0; DATAGRAM_LEN_MAX + 1];
            let length = match self.socket.recv(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                received => received.unwrap(),
            };
            assert!(length <= DATAGRAM_LEN_MAX);
            let line = String::from_utf8(buffer[..length].to_vec()).unwrap();
            Some(line.strip_prefix(&head()).unwrap_or_else(|| panic!("{line}")).to_owned())
        }
    }

    fn listen(dir: &TestDir) -> UnixDatagram {
        let socket = UnixDatagram::bind(dir.path().join("log")).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    }

    fn head() -> String {
        format!("<30>pivitals[{}]: ", process::id())
    }

    #[test]
    fn each_line_arrives_as_one_datagram() {
        let daemon = Daemon::start("datagram");
        let long = "x".repeat(DATAGRAM_LEN_MAX - head().len());
        let (number, name) = (7, "pi-7");
        log(&daemon.logger, Level::Info, format_args!("short"));
        log(&daemon.logger, Level::Info, format_args!("{number} samples of {name:?}, {:.1} {}", 1.5, "s"));
        log(&daemon.logger, Level::Info, format_args!("{long}"));
        assert_eq!(daemon.next().as_deref(), Some("short"));
        assert_eq!(daemon.next().as_deref(), Some("7 samples of \"pi-7\", 1.5 s"));
        assert_eq!(daemon.next(), Some(long));
        assert_eq!(daemon.next(), None);
    }

    #[test]
    fn too_long_line_is_cut_after_a_whole_character() {
        let daemon = Daemon::start("cut");
        let room = DATAGRAM_LEN_MAX - head().len();
        for ascii in 0..4 {
            // Characters of three bytes, so that the limit falls on each of the three.
            let text = format!("{}{}", "x".repeat(ascii), "€".repeat(DATAGRAM_LEN_MAX));
            log(&daemon.logger, Level::Info, format_args!("{text}"));
            let line = daemon.next().unwrap();
            assert!(text.starts_with(&line), "{line}");
            assert!(line.len() > room - 3, "{} of {room} bytes", line.len());
            assert_eq!(daemon.next(), None);
        }
    }

    #[test]
    fn lines_reach_a_restarted_daemon() {
        let mut daemon = Daemon::start("restart");
        let path = daemon.dir.path().join("log");
        log(&daemon.logger, Level::Info, format_args!("one"));
        assert_eq!(daemon.next().as_deref(), Some("one"));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(Syslog(&path).write(b"lost").unwrap_err().kind(), io::ErrorKind::NotFound);
        log(&daemon.logger, Level::Info, format_args!("lost too"));
        daemon.socket = listen(&daemon.dir);
        log(&daemon.logger, Level::Info, format_args!("two"));
        assert_eq!(daemon.next().as_deref(), Some("two"));
        assert_eq!(daemon.next(), None);
    }

    #[test]
    fn full_daemon_loses_lines_and_blocks_nobody() {
        let daemon = Daemon::start("full");
        let mut sink = Syslog(daemon.dir.path().join("log"));
        let line = format!("{}waits", head());
        let error = loop {
            if let Err(error) = sink.write(line.as_bytes()) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        log(&daemon.logger, Level::Info, format_args!("lost"));
        while let Some(line) = daemon.next() {
            assert_eq!(line, "waits");
        }
        log(&daemon.logger, Level::Info, format_args!("there is room again"));
        assert_eq!(daemon.next().as_deref(), Some("there is room again"));
    }

    #[test]
    fn each_target_has_its_format_and_gets_a_line_in_one_write() {
        for (format, line) in [
            (Format::Plain, "pivitals: warn: it is late\n"),
            (Format::Journal, "<4>it is late\n"),
            (Format::Syslog, &format!("<28>pivitals[{}]: it is late", process::id())),
        ] {
            let late = "late";
            assert_eq!(writes(format, Level::Warn, format_args!("it is {late}")), [line], "{format:?}");
        }
    }

    #[test]
    fn severities_are_those_of_syslog() {
        assert_eq!([Level::Error, Level::Warn, Level::Info, Level::Debug].map(severity), [3, 4, 6, 7]);
    }

    #[test]
    fn words_are_those_of_the_configuration() {
        for level in [Level::Error, Level::Warn, Level::Info, Level::Debug] {
            assert_eq!(word(level), level.as_str().to_lowercase());
        }
    }

    #[test]
    fn only_lines_of_this_program_are_written_and_at_every_level() {
        let logger = builder(Format::Plain, Target::Stderr).build();
        let is_written =
            |target, level| logger.enabled(&log::Metadata::builder().target(target).level(level).build());
        for level in Level::iter() {
            assert!(is_written("pivitals", level) && is_written("pivitals::agent", level), "{level}");
            assert!(!is_written("rustls::client", level), "{level}");
        }
    }
}

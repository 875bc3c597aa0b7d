//! Where log lines go: standard error, with the journal's priorities where it reads along, or
//! datagrams to the syslog daemon.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

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
    let (form, sink): (_, Box<dyn Write + Send>) = if !to_stderr {
        (Form::Syslog(std::process::id()), Box::new(Syslog::new(SYSLOG_SOCKET.into())))
    } else if is_journal {
        (Form::Journal, Box::new(io::stderr()))
    } else {
        (Form::Plain, Box::new(io::stderr()))
    };
    let out = Mutex::new(Out { line: String::new(), sink });
    let started = log::set_logger(LOGGER.get_or_init(|| Logger { form, out }));
    debug_assert!(started.is_ok(), "called once");
    log::set_max_level(LevelFilter::Debug);
    to_stderr
}

static LOGGER: OnceLock<Logger> = OnceLock::new();

struct Logger {
    form: Form,
    out: Mutex<Out>,
}

/// What a line looks like.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// For people.
    Plain,
    /// For the journal (sd-daemon(3)).
    Journal,
    /// For a syslog daemon, from the process with this number.
    Syslog(u32),
}

/// A line is put together first: it is written at once, and as one datagram.
struct Out {
    line: String,
    sink: Box<dyn Write + Send>,
}

impl Log for Logger {
    /// The lines of this program, and not those of its libraries.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            let Out { line, sink } = &mut *out;
            line.clear();
            // A string takes all, and that a line is lost nobody can be told.
            let _ = self.form.write(record, line);
            let _ = sink.write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

impl Form {
    fn write(self, record: &Record<'_>, line: &mut dyn fmt::Write) -> fmt::Result {
        let (severity, text) = (severity(record.level()), record.args());
        match self {
            Self::Plain => {
                writeln!(line, "pivitals: {}: {text}", record.level().as_str().to_ascii_lowercase())
            }
            Self::Journal => writeln!(line, "<{severity}>{text}"),
            Self::Syslog(process) => {
                write!(line, "<{}>pivitals[{process}]: {text}", FACILITY * 8 + severity)
            }
        }
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

/// Datagrams to a syslog daemon, one a line. A daemon that is not there or has no room is not waited
/// for: the line is lost, and the next one tries again.
#[derive(Debug)]
struct Syslog {
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

impl Syslog {
    const fn new(path: PathBuf) -> Self {
        Self { path, socket: None }
    }

    fn send(&mut self, line: &[u8]) -> io::Result<()> {
        if let Some(socket) = &self.socket {
            return socket.send(line).map(drop);
        }
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(&self.path)?;
        self.socket.insert(socket).send(line).map(drop)
    }
}

impl Write for Syslog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.send(line).is_err() {
            // The daemon was started again: its socket is another one.
            self.socket = None;
            let _ = self.send(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pivitals_broker::TestDir;

    use super::*;

    #[test]
    fn a_line_reaches_a_syslog_daemon_and_the_next_one_its_successor() {
        let dir = TestDir::new("syslog");
        let path = dir.path().join("log");
        let mut syslog = Syslog::new(path.clone());
        syslog.write_all(b"lost: nobody is there").unwrap();
        for line in [b"<30>pivitals[1]: one", b"<30>pivitals[1]: two"] {
            let daemon = UnixDatagram::bind(&path).unwrap();
            syslog.write_all(line).unwrap();
            let mut buffer = [0; 64];
            let length = daemon.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], line);
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn severities_are_those_of_syslog() {
        assert_eq!([Level::Error, Level::Warn, Level::Info, Level::Debug].map(severity), [3, 4, 6, 7]);
    }
}

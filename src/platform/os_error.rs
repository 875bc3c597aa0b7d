//! Why a system call failed, and which limit was reached if one was.

use std::fmt;
use std::io;

/// The error of a system call: its number (errno(3)), or the kind of an error that std made itself.
///
/// [`io::Error`] can neither be copied nor compared, and [`io::ErrorKind`] does not tell `EMFILE` from `ENFILE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OsError {
    number: Option<i32>,
    kind: io::ErrorKind,
}

/// What the system has too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// The process has as many open files as it may have (`EMFILE`).
    OpenFiles,
    /// The system has as many open files as it can have (`ENFILE`).
    SystemFiles,
    /// The user, or the service's control group, has as many processes as it may have (`EAGAIN` of fork(2)).
    Processes,
    /// There is no memory (`ENOMEM`, `ENOBUFS`).
    Memory,
}

impl OsError {
    /// An error that no system call has reported.
    #[must_use]
    pub const fn of_kind(kind: io::ErrorKind) -> Self {
        Self { number: None, kind }
    }

    /// std's classification of the error.
    #[must_use]
    pub const fn kind(self) -> io::ErrorKind {
        self.kind
    }

    /// What the system has too little of, if that is the error.
    #[must_use]
    pub const fn shortage(self) -> Option<Shortage> {
        match self.number {
            Some(libc::EMFILE) => Some(Shortage::OpenFiles),
            Some(libc::ENFILE) => Some(Shortage::SystemFiles),
            Some(libc::ENOMEM | libc::ENOBUFS) => Some(Shortage::Memory),
            _ => None,
        }
    }

    /// The same for an error of a function that makes a process.
    #[must_use]
    pub const fn shortage_of_fork(self) -> Option<Shortage> {
        match self.number {
            Some(libc::EAGAIN) => Some(Shortage::Processes),
            _ => self.shortage(),
        }
    }
}

impl From<&io::Error> for OsError {
    fn from(error: &io::Error) -> Self {
        Self { number: error.raw_os_error(), kind: error.kind() }
    }
}

impl From<io::Error> for OsError {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl From<io::ErrorKind> for OsError {
    fn from(kind: io::ErrorKind) -> Self {
        Self::of_kind(kind)
    }
}

/// The kind in std's words; the system's words and the number where std has no kind.
impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) if self.kind == io::Error::from_raw_os_error(i32::MAX).kind() => {
                io::Error::from_raw_os_error(number).fmt(f)
            }
            _ => self.kind.fmt(f),
        }
    }
}

/// How many open files the process may have (`RLIMIT_NOFILE`); `None` if there is no limit.
#[must_use]
pub fn open_files_max() -> Option<u64> {
    // SAFETY: getrlimit writes to the place it is given.
    limit(|limit| unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, limit) })
}

/// How many processes the user may have (`RLIMIT_NPROC`); `None` if there is no limit.
#[must_use]
pub fn processes_max() -> Option<u64> {
    // SAFETY: as above.
    limit(|limit| unsafe { libc::getrlimit(libc::RLIMIT_NPROC, limit) })
}

fn limit(get: impl FnOnce(&mut libc::rlimit) -> i32) -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    let is_known = get(&mut limit) == 0 && limit.rlim_cur != libc::RLIM_INFINITY;
    is_known.then_some(limit.rlim_cur)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(number: i32) -> OsError {
        io::Error::from_raw_os_error(number).into()
    }

    #[test]
    fn shortages_are_told_apart() {
        for (number, shortage) in [
            (libc::EMFILE, Some(Shortage::OpenFiles)),
            (libc::ENFILE, Some(Shortage::SystemFiles)),
            (libc::ENOMEM, Some(Shortage::Memory)),
            (libc::ENOBUFS, Some(Shortage::Memory)),
            (libc::ECONNREFUSED, None),
        ] {
            assert_eq!([error(number).shortage(), error(number).shortage_of_fork()], [shortage; 2]);
        }
        assert_eq!(error(libc::EAGAIN).shortage(), None);
        assert_eq!(error(libc::EAGAIN).shortage_of_fork(), Some(Shortage::Processes));
        assert_eq!(OsError::from(io::ErrorKind::WouldBlock).shortage_of_fork(), None);
    }

    #[test]
    fn error_without_a_kind_is_shown_with_its_number() {
        assert_eq!(error(libc::ECONNREFUSED).to_string(), "connection refused");
        assert_eq!(OsError::from(io::ErrorKind::FileTooLarge).to_string(), "file too large");
        let text = error(libc::EIO).to_string();
        assert!(text.ends_with(&format!("(os error {})", libc::EIO)), "{text}");
    }

    #[test]
    fn every_process_has_a_limit_of_open_files() {
        let status = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = status.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let soft = line.split_whitespace().nth(3).unwrap();
        assert_eq!(open_files_max().map_or("unlimited".to_owned(), |limit| limit.to_string()), soft);
    }
}

//! What the agent measures, and how many times it has: every reading of a file is seen by inotify(7).
//!
//! The agent reads the memory first and the temperature after it, once a sample each. Two equal events
//! that follow each other may come as one; these never follow each other, so none is missed.
//!
//! There is no `cpu`: its ticks are of 10 ms, and in a time that runs so fast most samples have none.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::fd::FromRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use pivitals_broker::Board;

/// An inotify event without a name: watch, mask, cookie, length.
const EVENT_LEN: usize = 16;

/// The files, and the samples so far.
pub struct Meter {
    pub board: Board,
    events: File,
    memory: i32,
    samples: u64,
}

impl Meter {
    /// Makes the folder `root`.
    pub fn new(root: &Path) -> Self {
        let board = Board::new(root).expect("a folder for the board");
        let proc = root.join("proc");
        fs::remove_file(&proc).expect("the board's link to /proc");
        fs::create_dir(&proc).expect("a folder in its place");
        let meminfo = proc.join("meminfo");
        fs::write(&meminfo, "MemTotal: 1000000 kB\nMemAvailable: 600000 kB\n").expect("a file to be read");
        // SAFETY: the descriptor is new and owned by nobody else.
        let events = unsafe {
            let fd = libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC);
            assert_ne!(fd, -1, "inotify: {}", std::io::Error::last_os_error());
            File::from_raw_fd(fd)
        };
        let memory = watch(&events, &meminfo);
        watch(&events, &board.sensor());
        Self { board, events, memory, samples: 0 }
    }

    /// Samples that the agent has taken so far; of the last one, it may not have read everything.
    pub fn samples(&mut self) -> u64 {
        let mut buffer = [0; 256 * EVENT_LEN];
        loop {
            let length = match self.events.read(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.samples,
                Err(error) => panic!("inotify: {error}"),
            };
            for event in buffer[..length].chunks_exact(EVENT_LEN) {
                let word = |at: usize| event[at..at + 4].try_into().expect("four bytes");
                let mask = u32::from_ne_bytes(word(4));
                assert_eq!(
                    mask & libc::IN_Q_OVERFLOW,
                    0,
                    "inotify's queue is full: samples were not counted"
                );
                self.samples += u64::from(i32::from_ne_bytes(word(0)) == self.memory);
            }
        }
    }
}

fn watch(events: &File, path: &Path) -> i32 {
    use std::os::fd::AsRawFd as _;
    let name = CString::new(path.as_os_str().as_bytes()).expect("a path without NUL");
    // SAFETY: the descriptor is inotify's, and the path ends with NUL.
    let watch = unsafe { libc::inotify_add_watch(events.as_raw_fd(), name.as_ptr(), libc::IN_ACCESS) };
    assert_ne!(watch, -1, "{}: {}", path.display(), std::io::Error::last_os_error());
    watch
}

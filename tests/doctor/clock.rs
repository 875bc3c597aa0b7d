//! Another time of day for a program that is linked to the C library: a small library before it.

use std::path::{Path, PathBuf};
use std::process::Command;

const SHIM: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    const char *now = getenv("SHOWN_SECS");
    if (clock == CLOCK_REALTIME && now) {
        time->tv_sec = atoll(now);
        time->tv_nsec = 0;
        return 0;
    }
    return syscall(SYS_clock_gettime, clock, time);
}
"#;

/// A clock that stands.
pub struct Clock(PathBuf);

impl Clock {
    pub fn new(dir: &Path) -> Self {
        let (source, library) = (dir.join("clock.c"), dir.join("clock.so"));
        std::fs::write(&source, SHIM).unwrap();
        let status = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
        assert!(status.unwrap().success(), "cc compiles {}", source.display());
        Self(library)
    }

    /// The program, to which the clock shows so many seconds after 1970.
    pub fn at<'a>(&self, secs: u64, program: &'a mut Command) -> &'a mut Command {
        program.env("LD_PRELOAD", &self.0).env("SHOWN_SECS", secs.to_string())
    }
}

//! Clocks that a test sets, for a program that is linked to the C library: a small library before it
//! (`LD_PRELOAD`) answers clock_gettime(2) and adjtimex(2) as a shared file says. Static programs see nothing
//! of it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The file holds four 64-bit numbers, in the order of the constants below.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

struct clocks {
    int64_t utc_offset_secs, utc_standing_secs, boot_offset_secs, status;
};

static volatile const struct clocks *clocks(void) {
    static volatile const struct clocks *mapped;
    if (!mapped) {
        int fd = open(getenv("PIVITALS_TEST_CLOCK"), O_RDONLY | O_CLOEXEC);
        mapped = mmap(NULL, sizeof *mapped, PROT_READ, MAP_SHARED, fd, 0);
        if (fd == -1 || mapped == MAP_FAILED)
            abort();
        close(fd);
    }
    return mapped;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME && clocks()->utc_standing_secs)
        *time = (struct timespec){.tv_sec = clocks()->utc_standing_secs};
    else if (clock == CLOCK_REALTIME)
        time->tv_sec += clocks()->utc_offset_secs;
    else if (clock == CLOCK_BOOTTIME)
        time->tv_sec += clocks()->boot_offset_secs;
    return result;
}

int adjtimex(struct timex *timex) {
    int status = clocks()->status;
    if (status < 0) {
        errno = -status;
        return -1;
    }
    *timex = (struct timex){.status = status, .maxerror = status & STA_UNSYNC ? 16000000 : 1000};
    return status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
}
"#;

const UTC_OFFSET: u64 = 0;
const UTC_STANDING: u64 = 1;
const BOOT_OFFSET: u64 = 2;
const STATUS: u64 = 3;

/// What the kernel says when it is asked about its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// An NTP client keeps the clock right.
    Synchronised,
    /// Nobody does (`STA_UNSYNC`).
    NotSynchronised,
    /// It may not be asked (`EPERM`).
    Denied,
}

/// The clocks of one program or of several. At first they are this machine's, and synchronised.
#[derive(Debug)]
pub struct Clock {
    library: PathBuf,
    path: PathBuf,
    file: File,
}

impl Clock {
    /// Makes the library and the file in `dir`. It takes a C compiler, as linking Rust programs does.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        let (source, library) = (dir.join("clock.c"), dir.join("clock.so"));
        std::fs::write(&source, LIBRARY).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        let status = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
        assert!(status.is_ok_and(|status| status.success()), "cc compiles {}", source.display());
        let path = dir.join("clock");
        let file = File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let clock = Self { library, path, file };
        [UTC_OFFSET, UTC_STANDING, BOOT_OFFSET, STATUS].map(|field| clock.write(field, 0));
        clock
    }

    /// Lets a program see these clocks.
    pub fn show<'a>(&self, program: &'a mut Command) -> &'a mut Command {
        program.env("LD_PRELOAD", &self.library).env("PIVITALS_TEST_CLOCK", &self.path)
    }

    /// The wall clock runs, so many seconds ahead of this machine's, or behind it.
    pub fn shift_utc(&self, secs: i64) {
        self.write(UTC_OFFSET, secs);
    }

    /// The wall clock stands still, so many seconds after 1970.
    pub fn stop_utc(&self, secs: i64) {
        self.write(UTC_STANDING, secs);
    }

    /// The machine was booted so many seconds before now.
    pub fn set_uptime(&self, secs: i64) {
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap_or_else(|error| panic!("{error}"));
        let real = uptime.split('.').next().and_then(|secs| secs.parse::<i64>().ok()).unwrap_or_default();
        self.write(BOOT_OFFSET, secs - real);
    }

    /// The kernel says this about its clock.
    pub fn kernel_says(&self, kernel: Kernel) {
        let status = match kernel {
            Kernel::Synchronised => 0,
            Kernel::NotSynchronised => 0x40, // STA_UNSYNC
            Kernel::Denied => -1,            // EPERM
        };
        self.write(STATUS, status);
    }

    fn write(&self, field: u64, value: i64) {
        let written = self.file.write_all_at(&value.to_ne_bytes(), field * 8);
        written.unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
    }
}

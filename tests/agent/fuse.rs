//! A mount that stops answering when a test says so: a FUSE file system in a mount namespace of its own,
//! served by the test. Nothing else on the machine sees the mount, so nothing else can hang at it.
//!
//! Source: fuse(4), and include/uapi/linux/fuse.h.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Once};
use std::thread;

const DEVICE: &str = "/dev/fuse";

// Operations of the protocol.
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const STATFS: u32 = 17;
const INIT: u32 = 26;
const INTERRUPT: u32 = 36;
const BATCH_FORGET: u32 = 42;

const ENOSYS: i32 = 38;

/// Whether this machine lets a test mount. If not, that is said once, past the test harness, and it is a
/// failure where `PIVITALS_REQUIRE` names `fuse`.
pub fn is_possible() -> bool {
    static TOLD: Once = Once::new();
    let namespace = Command::new("unshare").args(["--mount", "true"]).stderr(Stdio::null()).status();
    if OpenOptions::new().read(true).write(true).open(DEVICE).is_ok()
        && namespace.is_ok_and(|status| status.success())
    {
        return true;
    }
    let words = format!(
        "{DEVICE}, `unshare` or the right to mount is missing: run as root, with FUSE; tests of mounts did not run"
    );
    TOLD.call_once(|| writeln!(io::stderr(), "{words}").expect("standard error is open"));
    let required = std::env::var("PIVITALS_REQUIRE").unwrap_or_default();
    assert!(!required.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "fuse"), "{words}");
    false
}

/// A mounted file system.
pub struct Mount {
    server: Arc<Server>,
    /// Holds the namespace.
    holder: Child,
}

struct Server {
    device: File,
    state: Mutex<State>,
}

struct State {
    /// Total, free and available blocks; `None` while the server does not answer.
    blocks: Option<[u64; 3]>,
    /// Requests that are not answered yet.
    held: Vec<u64>,
}

impl Mount {
    /// Makes the folder `path` and mounts a file system there, half of which is used.
    pub fn new(path: &Path) -> Self {
        fs::create_dir_all(path).unwrap();
        let device = OpenOptions::new().read(true).write(true).open(DEVICE).unwrap();
        let stdin = device.try_clone().unwrap();
        let state = Mutex::new(State { blocks: Some([100, 50, 50]), held: Vec::new() });
        let server = Arc::new(Server { device, state });
        let serving = Arc::clone(&server);
        // The descriptor is mount's standard input, and nobody's after that.
        let script = "mount -i -t fuse -o fd=0,rootmode=40000,user_id=0,group_id=0,allow_other test \"$0\" && \
            echo mounted && exec sleep infinity <&- ";
        let mut holder = Command::new("unshare");
        holder.args(["--mount", "--propagation", "private", "sh", "-c", script]).arg(path);
        let mut holder = holder.stdin(stdin).stdout(Stdio::piped()).spawn().unwrap();
        // Only mounted can it be read from: before, the read fails.
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n", "{path:?}");
        thread::spawn(move || serving.serve());
        Self { server, holder }
    }

    /// The command, to be run where the file system is mounted.
    pub fn command(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args(["--mount", "--target", &self.holder.id().to_string(), "--"]);
        inside.arg(command.get_program()).args(command.get_args());
        inside
    }

    /// Takes requests, and answers none.
    pub fn hang(&self) {
        self.server.state.lock().unwrap().blocks = None;
    }

    /// Answers again, also what came meanwhile: of 100 blocks so many are used.
    pub fn answer(&self, used: u64) {
        let mut state = self.server.state.lock().unwrap();
        let blocks = [100, 100 - used, 100 - used];
        state.blocks = Some(blocks);
        for request in state.held.drain(..) {
            self.server.reply(request, 0, &statfs(blocks));
        }
    }

    /// Requests that are not answered yet.
    pub fn held(&self) -> usize {
        self.server.state.lock().unwrap().held.len()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Whoever hangs there can end, so that the namespace can.
        self.answer(0);
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

impl Server {
    /// Serves until the file system is unmounted.
    fn serve(&self) {
        let mut request = vec![0; 1 << 16];
        while let Ok(length @ 40..) = (&self.device).read(&mut request) {
            let word = |at: usize| u32::from_ne_bytes(request[at..at + 4].try_into().unwrap());
            let unique = u64::from_ne_bytes(request[8..16].try_into().unwrap());
            assert_eq!(word(0) as usize, length);
            match word(4) {
                INIT => self.reply(unique, 0, &init()),
                GETATTR => self.reply(unique, 0, &attributes()),
                STATFS => {
                    let mut state = self.state.lock().unwrap();
                    match state.blocks {
                        Some(blocks) => self.reply(unique, 0, &statfs(blocks)),
                        None => state.held.push(unique),
                    }
                }
                FORGET | INTERRUPT | BATCH_FORGET => {}
                _ => self.reply(unique, -ENOSYS, &[]),
            }
        }
    }

    fn reply(&self, unique: u64, error: i32, body: &[u8]) {
        let length = u32::try_from(16 + body.len()).unwrap();
        let reply = [&length.to_ne_bytes()[..], &error.to_ne_bytes(), &unique.to_ne_bytes(), body].concat();
        // The asker may be gone.
        let _ = (&self.device).write(&reply);
    }
}

/// `struct fuse_init_out` of version 7.31.
fn init() -> Vec<u8> {
    let words: [u32; 7] = [7, 31, 1 << 16, 0, 16 | 12 << 16, 1 << 16, 1];
    let mut body = words.map(u32::to_ne_bytes).concat();
    body.resize(64, 0);
    body
}

/// `struct fuse_attr_out` of a folder that everybody may read.
fn attributes() -> Vec<u8> {
    let head: [u64; 8] = [0, 0, 1, 0, 0, 0, 0, 0];
    let tail: [u32; 10] = [0, 0, 0, 0o040_755, 2, 0, 0, 0, 4096, 0];
    [head.map(u64::to_ne_bytes).concat(), tail.map(u32::to_ne_bytes).concat()].concat()
}

/// `struct fuse_statfs_out` with blocks of 4096 bytes.
fn statfs([total, free, available]: [u64; 3]) -> Vec<u8> {
    let counts: [u64; 5] = [total, free, available, 0, 0];
    let words: [u32; 4] = [4096, 255, 4096, 0];
    let mut body = [counts.map(u64::to_ne_bytes).concat(), words.map(u32::to_ne_bytes).concat()].concat();
    body.resize(80, 0);
    body
}

//! The supervisor: it answers the system calls of what it runs that go to the device.

use std::ffi::{CStr, CString, c_int};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::{panic, thread};

use crate::property::Property;
use crate::script::{Answer, Question, Script};
use crate::sys::{self, Call, Listener};

/// `_IOWR(100, 0, char *)`; it holds the pointer's size.
#[expect(clippy::cast_possible_truncation, reason = "a pointer has 4 or 8 bytes")]
pub const REQUEST: u32 = 3 << 30 | (size_of::<*const u8>() as u32) << 16 | 100 << 8;
/// The driver takes any length; a program has no use for more.
const MESSAGE_LEN_MAX: u32 = 4096;
/// Length, code and end.
const MESSAGE_LEN_MIN: u32 = 12;

/// What was done to the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It was opened, or could not be, with this errno.
    Opened(Result<(), c_int>),
    /// A property message: one call.
    Asked(Vec<Question>),
    /// What is no message of questions; refused with `EINVAL`.
    Malformed(Vec<u32>),
    /// Another request than [`REQUEST`]; refused with `ENOTTY`.
    OtherRequest(u32),
}

/// An emulated `/dev/vcio`. All that it runs share it.
#[derive(Debug)]
pub struct Mailbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Where the device is.
    paths: Vec<CString>,
    /// What an open file of the device is, in truth.
    file: File,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    script: Script,
    log: Vec<Event>,
    /// Why nothing is answered any more.
    fault: Option<String>,
}

impl Mailbox {
    /// A device at `dev/vcio` under `root` and at `/dev/vcio`, there or not. It can be opened and knows
    /// no property.
    pub fn new(root: &Path) -> Self {
        let path = |path: &Path| CString::new(path.as_os_str().as_bytes()).expect("a path without NUL");
        let paths = vec![path(&root.join("dev/vcio")), path(Path::new("/dev/vcio"))];
        let file = sys::memory_file().unwrap_or_else(|error| panic!("memfd_create(2): {error}"));
        let state = Mutex::new(State { script: Script::new(), log: Vec::new(), fault: None });
        Self { shared: Arc::new(Shared { paths, file, state }) }
    }

    /// From now on the opens of the device have these outcomes, each `Ok` or an errno, and then the last
    /// one for ever.
    pub fn on_open<I>(&self, outcomes: I)
    where
        I: IntoIterator<Item = Result<(), c_int>, IntoIter: Send + 'static>,
    {
        self.shared.state().script.on_open(Box::new(outcomes.into_iter()));
    }

    /// From now on the firmware answers questions about `property` like this, and then with the last one
    /// for ever. An iterator without an end makes a ramp; one that looks at a clock, a script of times.
    pub fn on<I>(&self, property: Property, answers: I)
    where
        I: IntoIterator<Item = Answer, IntoIter: Send + 'static>,
    {
        self.shared.state().script.on(property, Box::new(answers.into_iter()));
    }

    /// Runs `start` on a thread of its own, which has the device, and so have all processes that it
    /// starts, for as long as they live. They have `no_new_privs`, too: what is set-user-id is not.
    ///
    /// # Panics
    /// If the kernel does not let it: too old, forbidden, or under another supervisor.
    #[track_caller]
    pub fn run<T: Send>(&self, start: impl FnOnce() -> T + Send) -> T {
        let (sender, installed) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            let supervised = scope.spawn(move || {
                let listener = Listener::install();
                let is_supervised = listener.is_ok();
                sender.send(listener).expect("the other end waits");
                is_supervised.then(start)
            });
            match installed.recv().expect("the other end sends") {
                // Not from the thread above: its own calls would wait for its own answers.
                Ok(listener) => {
                    let shared = Arc::clone(&self.shared);
                    thread::spawn(move || serve(&shared, &listener));
                }
                Err(error) => panic!("no /dev/vcio can be emulated here: {error}"),
            }
            match supervised.join() {
                Ok(value) => value.expect("it is supervised"),
                Err(panic) => panic::resume_unwind(panic),
            }
        })
    }

    /// All that was done to the device so far.
    #[track_caller]
    pub fn log(&self) -> Vec<Event> {
        let state = self.shared.state();
        if let Some(fault) = &state.fault {
            panic!("the emulated /dev/vcio has failed: {fault}");
        }
        state.log.clone()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no script panics")
    }

    fn longest_path(&self) -> usize {
        self.paths.iter().map(|path| path.as_bytes_with_nul().len()).max().unwrap_or(0)
    }
}

/// Answers until the last supervised process has ended.
fn serve(shared: &Shared, listener: &Listener) {
    let fault = loop {
        match listener.next() {
            Ok(Some(call)) => match handle(shared, listener, &call) {
                Err(error) if !is_gone(&error) => break error,
                _ => {}
            },
            Ok(None) => return,
            Err(error) => break error,
        }
    };
    // The listener is closed now: whatever waits for an answer, or asks, gets ENOSYS.
    shared.state().fault = Some(fault.to_string());
}

fn handle(shared: &Shared, listener: &Listener, call: &Call) -> io::Result<()> {
    if let Some(path) = call.path_opened() {
        if is_device(shared, listener, call, path)? {
            let mut state = shared.state();
            let outcome = state.script.open();
            state.log.push(Event::Opened(outcome));
            drop(state);
            return match outcome {
                Ok(()) => listener.hand_over(call, &shared.file),
                Err(errno) => listener.answer(call, Err(errno)),
            };
        }
    } else if let Some((fd, request, address)) = call.ioctl()
        && is_open_device(shared, call, fd)?
    {
        let outcome = answer(shared, listener, call, request, address)?;
        return listener.answer(call, outcome);
    }
    listener.let_go_on(call)
}

/// The memory of the process that called, which is waiting.
fn memory(listener: &Listener, call: &Call) -> io::Result<File> {
    let path = format!("/proc/{}/mem", call.thread());
    let file = File::options().read(true).write(true).open(&path).map_err(|error| explain(&path, error))?;
    // If it waits no more, the number may be another process's.
    listener.check_waiting(call)?;
    Ok(file)
}

fn is_device(shared: &Shared, listener: &Listener, call: &Call, address: u64) -> io::Result<bool> {
    let mut text = vec![0; shared.longest_path()];
    // Fewer bytes at the end of what is mapped; an error where nothing is, which the kernel is to tell.
    let len = memory(listener, call)?.read_at(&mut text, address).unwrap_or(0);
    let path = CStr::from_bytes_until_nul(&text[..len]);
    Ok(path.is_ok_and(|path| shared.paths.iter().any(|own| own.as_c_str() == path)))
}

fn is_open_device(shared: &Shared, call: &Call, fd: c_int) -> io::Result<bool> {
    let path = format!("/proc/{}/fd/{fd}", call.thread());
    let own = shared.file.metadata()?;
    match std::fs::metadata(&path) {
        Ok(other) => Ok((own.dev(), own.ino()) == (other.dev(), other.ino())),
        Err(error) if is_gone(&error) => Ok(false), // no such descriptor
        Err(error) => Err(explain(&path, error)),
    }
}

/// The ioctl as the driver does it: the message is read, and on success written.
fn answer(
    shared: &Shared,
    listener: &Listener,
    call: &Call,
    request: u32,
    address: u64,
) -> io::Result<Result<(), c_int>> {
    let mut state = shared.state();
    if request != REQUEST {
        state.log.push(Event::OtherRequest(request));
        return Ok(Err(libc::ENOTTY));
    }
    let memory = memory(listener, call)?;
    let mut len = [0; 4];
    if memory.read_exact_at(&mut len, address).is_err() {
        return Ok(Err(libc::EFAULT));
    }
    let len = u32::from_ne_bytes(len);
    if !(MESSAGE_LEN_MIN..=MESSAGE_LEN_MAX).contains(&len) || len % 4 != 0 {
        state.log.push(Event::Malformed(vec![len]));
        return Ok(Err(libc::EINVAL));
    }
    let mut bytes = vec![0; len as usize];
    if memory.read_exact_at(&mut bytes, address).is_err() {
        return Ok(Err(libc::EFAULT));
    }
    let (words, _) = bytes.as_chunks();
    let mut message: Vec<_> = words.iter().map(|&word| u32::from_ne_bytes(word)).collect();
    let Some((asked, outcome)) = state.script.answer(&mut message) else {
        state.log.push(Event::Malformed(message));
        return Ok(Err(libc::EINVAL));
    };
    state.log.push(Event::Asked(asked));
    if outcome.is_ok() {
        let bytes: Vec<_> = message.into_iter().flat_map(u32::to_ne_bytes).collect();
        memory.write_all_at(&bytes, address)?;
    }
    Ok(outcome)
}

/// Says what forbids to look into a process.
fn explain(path: &str, error: io::Error) -> io::Error {
    if is_gone(&error) {
        return error;
    }
    let hint = "the processes of the same user have to be open to it: see /proc/sys/kernel/yama/ptrace_scope";
    io::Error::new(error.kind(), format!("{path}: {error} ({hint})"))
}

/// The process has ended in the meantime, or was killed.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

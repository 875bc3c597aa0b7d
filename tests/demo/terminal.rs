//! What only the terminal knows: its width, and that somebody presses Ctrl-C. std cannot ask or tell
//! it anything, but stty(1) can, on its standard input.

use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use super::Input;

const CTRL_C: u8 = 3;

/// The columns of the terminal on standard output. Asked each time, because windows change their size.
pub fn width() -> Option<usize> {
    let size = stty(&io::stdout(), &["size"])?;
    size.split_whitespace().nth(1)?.parse().ok().filter(|&columns| columns > 0)
}

/// Ctrl-C as a key that is read, while this lives.
///
/// As a signal it goes to cargo, too, which dies of it at once: the shell's prompt would come before
/// the demo's closing words, and the exit code would be cargo's. Where this is not to be had, the
/// signal does: see `Demo::watch`.
pub struct Keyboard {
    saved: String,
}

impl Keyboard {
    /// Takes the keyboard, if standard input is one, and sends [`Input::CtrlC`] to `sender`.
    pub fn take(sender: Sender<Input>) -> Option<Self> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let keyboard = Self { saved: stty(&io::stdin(), &["-g"])? };
        // A character that ends a line is handed over at once, without another key.
        stty(&io::stdin(), &["intr", "undef", "eol", "^C"])?;
        thread::spawn(move || {
            // An end of input is no Ctrl-C: script(1) passes on that of its own.
            if io::stdin().lock().bytes().map_while(Result::ok).any(|key| key == CTRL_C) {
                // Nobody listens any more where the demo has come to its end.
                let _ = sender.send(Input::CtrlC);
            }
        });
        Some(keyboard)
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = stty(&io::stdin(), &[self.saved.trim()]);
    }
}

/// Runs stty on a terminal; gives what it prints.
fn stty(terminal: &impl AsFd, arguments: &[&str]) -> Option<String> {
    let terminal = terminal.as_fd().try_clone_to_owned().ok()?;
    let output = Command::new("stty").args(arguments).stdin(terminal).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

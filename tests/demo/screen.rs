//! Standard output. On a terminal, lines scroll by above the series, which stay at the bottom and are
//! drawn anew; elsewhere there are no escape codes, and the series come once, at the end.
//!
//! What is written leaves the terminal in the state it was in: the cursor stays visible, and what
//! switches wrapping off switches it on again in the same write.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use crate::board::Series;
use crate::terminal;

/// Where a terminal does not tell its own, and where there is none.
const WIDTH: usize = 110;

/// ECMA-48 control sequences, and DEC's for wrapping.
const ERASE_BELOW: &str = "\r\x1b[J";
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";

/// Standard output, and how far up the series reach.
pub struct Screen {
    is_terminal: bool,
    /// Lines of the series that stand above the cursor.
    drawn: usize,
    /// The first; nothing is written after it.
    error: Option<io::Error>,
}

impl Screen {
    /// Nothing is drawn yet.
    pub fn new() -> Self {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self { is_terminal: io::stdout().is_terminal() && !is_dumb, drawn: 0, error: None }
    }

    /// Adds `lines`, and draws the series anew.
    pub fn show(&mut self, lines: &[String], series: &[Series]) {
        let mut text = String::new();
        if self.is_terminal {
            if self.drawn > 0 {
                let _ = write!(text, "\x1b[{}A", self.drawn);
            }
            text.push_str(ERASE_BELOW);
            add_lines(&mut text, lines);
            text.push_str(WRAP_OFF);
            add_series(&mut text, series, terminal::width().unwrap_or(WIDTH));
            text.push_str(WRAP_ON);
            self.drawn = series.len();
        } else {
            add_lines(&mut text, lines);
        }
        self.write(&text);
    }

    /// The last lines, below the series.
    pub fn finish(&mut self, lines: &[String], series: &[Series]) {
        let mut text = String::new();
        if self.is_terminal {
            self.show(&[], series);
        } else {
            add_series(&mut text, series, WIDTH);
        }
        add_lines(&mut text, lines);
        self.write(&text);
    }

    /// Whether it is a terminal that can be drawn on.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Nothing can be shown any more.
    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// Whether all was shown; a reader that has seen enough and is gone (`head`) is no error.
    pub fn into_result(self) -> Result<(), String> {
        match self.error {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
            _ => Ok(()),
        }
    }

    fn write(&mut self, text: &str) {
        if self.error.is_none() {
            let mut out = io::stdout().lock();
            self.error = out.write_all(text.as_bytes()).and_then(|()| out.flush()).err();
        }
    }
}

fn add_lines(text: &mut String, lines: &[String]) {
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
}

fn add_series(text: &mut String, series: &[Series], width: usize) {
    for series in series {
        text.push_str(&series.line(width));
        text.push('\n');
    }
}

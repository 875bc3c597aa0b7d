//! Findings: a line or three each, or all of them as one JSON document.

use std::io;
use std::time::Duration;

use crate::message::json::{self, Object};
use crate::report::failure::{Words, exit};

/// What is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Configuration,
    Files,
    Key,
    Dates,
    Ca,
    Clock,
    Metrics,
    Dns,
    Tcp,
    Tls,
    Connect,
    Publish,
    Puback,
    ClientId,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Files => "files",
            Self::Key => "key",
            Self::Dates => "dates",
            Self::Ca => "ca",
            Self::Clock => "clock",
            Self::Metrics => "metrics",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Connect => "connect",
            Self::Publish => "publish",
            Self::Puback => "puback",
            Self::ClientId => "client-id",
        }
    }
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, or may work.
    Warn,
    /// It does not; with the exit code.
    Fail(u8),
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail(_) => "fail",
        }
    }
}

struct Finding {
    step: Step,
    verdict: Verdict,
    took: Option<Duration>,
    found: String,
    words: Option<Words>,
}

/// What takes the text: whole lines, each to be seen at once.
pub type Say<'a> = &'a mut dyn FnMut(&str) -> io::Result<()>;

/// Where findings are told.
pub struct Report<'a> {
    say: Say<'a>,
    /// Those so far, where they are told together.
    kept: Option<Vec<Finding>>,
    /// What has become of those that were told.
    told: io::Result<()>,
    code: u8,
}

impl<'a> Report<'a> {
    pub fn new(say: Say<'a>, json: bool) -> Self {
        Self { say, kept: json.then(Vec::new), told: Ok(()), code: exit::OK }
    }

    /// All is as it should be.
    pub fn ok(&mut self, step: Step, found: String) {
        self.tell(step, Verdict::Ok, None, found, None);
    }

    /// Something is wrong.
    pub fn bad(&mut self, step: Step, verdict: Verdict, words: Words) {
        self.tell(step, verdict, None, String::new(), Some(words));
    }

    /// A finding: the step with the time it took, what was found in a few words, what is wrong.
    pub fn tell(
        &mut self,
        step: Step,
        verdict: Verdict,
        took: Option<Duration>,
        found: String,
        words: Option<Words>,
    ) {
        if let Verdict::Fail(code) = verdict {
            // The numbers stand in the order of their weight.
            self.code = self.code.max(code);
        }
        let finding = Finding { step, verdict, took, found, words };
        match &mut self.kept {
            Some(kept) => kept.push(finding),
            None if self.told.is_ok() => self.told = (self.say)(&text(&finding)),
            None => {} // nobody listens any more
        }
    }

    /// Tells what was kept. Gives the exit code of the worst finding.
    ///
    /// # Errors
    /// What could not be written first.
    pub fn end(self) -> io::Result<u8> {
        self.told?;
        if let Some(findings) = self.kept {
            (self.say)(&json(self.code, &findings))?;
        }
        Ok(self.code)
    }
}

fn text(finding: &Finding) -> String {
    let Finding { step, verdict, took, found, words } = finding;
    let mut text = format!("{:<5} {:<13}", verdict.name(), step.name());
    let took = took.map(|took| format!("{} ms", millis(took)));
    for part in took.iter().chain([found]).filter(|part| !part.is_empty()) {
        text.push_str("  ");
        text.push_str(part);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    if let Some(Words { cause, remedy }) = words {
        for part in ["      ", cause, "\n      → ", remedy, "\n"] {
            text.push_str(part);
        }
    }
    text
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn json(code: u8, findings: &[Finding]) -> String {
    let mut text = String::new();
    let written = json::object(&mut text, |document| {
        document.key("exit_code").integer(code.into());
        document.key("findings").list(|list| {
            for finding in findings {
                list.item().object(|members| finding.write(members));
            }
        });
    });
    debug_assert!(written.is_ok(), "a string takes all");
    text.push('\n');
    text
}

impl Finding {
    fn write(&self, finding: &mut Object<'_>) {
        let words = self.words.as_ref();
        finding.key("step").text(self.step.name());
        finding.key("verdict").text(self.verdict.name());
        finding.key("milliseconds").optional(self.took, |value, took| value.integer(millis(took)));
        finding.key("found").text(&self.found);
        finding.key("cause").optional(words, |value, words| value.text(&words.cause));
        finding.key("remedy").optional(words, |value, words| value.text(&words.remedy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: bool) -> (u8, String) {
        let mut out = String::new();
        let mut say = |text: &str| {
            out.push_str(text);
            Ok(())
        };
        let mut report = Report::new(&mut say, json);
        report.ok(Step::Files, "a".repeat(10_000));
        report.bad(Step::Key, Verdict::Fail(69), Words::new("cause", "remedy"));
        let took = Some(Duration::from_millis(12));
        report.tell(Step::ClientId, Verdict::Fail(77), took, "\"x\"".to_owned(), None);
        report.bad(Step::Ca, Verdict::Warn, Words::new("c", "r"));
        (report.end().unwrap(), out)
    }

    #[test]
    fn text_is_one_line_a_finding_and_two_more_where_something_is_wrong() {
        let (code, text) = told(false);
        let (first, rest) = text.split_once('\n').unwrap();
        assert!(first.starts_with("ok    files          aaaa"), "{first}");
        assert_eq!(
            rest,
            "fail  key\n      cause\n      → remedy\nfail  client-id      12 ms  \"x\"\nwarn  ca\n      c\n      → r\n"
        );
        assert_eq!(code, 77, "the worst, not the last");
    }

    #[test]
    fn what_cannot_be_written_is_the_end_of_writing_and_an_error() {
        let mut calls = 0;
        let mut say = |_: &str| {
            calls += 1;
            Err(io::ErrorKind::BrokenPipe.into())
        };
        let mut report = Report::new(&mut say, false);
        report.ok(Step::Dns, String::new());
        report.ok(Step::Tcp, String::new());
        assert_eq!(report.end().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(calls, 1);
    }

    #[test]
    fn json_says_the_same_and_is_as_long_as_it_has_to_be() {
        let (code, text) = told(true);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &document["exit_code"]), (77, &77.into()));
        let findings = document["findings"].as_array().unwrap();
        assert_eq!((findings.len(), &findings[2]["found"]), (4, &"\"x\"".into()));
        assert_eq!(findings[2]["milliseconds"], 12);
        assert!(findings[0]["milliseconds"].is_null() && findings[0]["cause"].is_null());
        assert_eq!((&findings[1]["cause"], &findings[1]["remedy"]), (&"cause".into(), &"remedy".into()));
    }
}

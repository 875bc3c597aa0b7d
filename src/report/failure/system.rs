//! What the system says no to, in words: open files, processes, memory, and files that cannot be read.

use std::io;

use super::Words;
use crate::platform::os_error::{OsError, Shortage, open_files_max, processes_max};

/// What failed and why, and what to do about it: the remedy for a shortage, or `otherwise`.
#[must_use]
pub fn system_error(what: &str, error: OsError, otherwise: &str) -> Words {
    let words = error.shortage().map(explain);
    let Words { cause, remedy } = words.unwrap_or_else(|| Words::new(error.to_string(), otherwise));
    Words::new(format!("{what}: {cause}"), remedy)
}

/// The same for a file.
#[must_use]
pub fn file_error(what: &str, error: OsError, otherwise: &str) -> Words {
    match error.kind() {
        io::ErrorKind::NotFound => Words::new(format!("{what}: it is not there"), otherwise),
        _ => system_error(what, error, otherwise),
    }
}

/// A shortage in words.
#[must_use]
pub fn explain(shortage: Shortage) -> Words {
    let with = |text: &str, limit: Option<u64>| match limit {
        Some(limit) => format!("{text} (limit {limit})"),
        None => text.to_owned(),
    };
    match shortage {
        Shortage::OpenFiles => Words::new(
            with("too many open files in this process", open_files_max()),
            "raise LimitNOFILE= in the unit, or `ulimit -n` where pivitals is started; it needs less than 50",
        ),
        Shortage::SystemFiles => Words::new(
            "too many open files in the whole system",
            "look with `lsof` for what opens them, or raise fs.file-max",
        ),
        Shortage::Processes => Words::new(
            with("no more processes are allowed", processes_max()),
            "raise LimitNPROC= or TasksMax= in the unit, or look with `ps` for what starts so many",
        ),
        Shortage::Memory => {
            Words::new("out of memory", "look with `ps` for what uses it, or raise MemoryMax= in the unit")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortages_have_a_cause_of_their_own_and_a_remedy() {
        let all = [Shortage::OpenFiles, Shortage::SystemFiles, Shortage::Processes, Shortage::Memory];
        let causes = all.map(|shortage| explain(shortage).cause);
        for (index, cause) in causes.iter().enumerate() {
            assert!(!causes[..index].contains(cause), "{cause}");
        }
        let limit = open_files_max().unwrap();
        assert_eq!(causes[0], format!("too many open files in this process (limit {limit})"));
    }

    #[test]
    fn errors_of_files_are_told_in_the_words_of_a_user() {
        let told = |error: io::Error| file_error("/file", error.into(), "check it").to_string();
        assert_eq!(told(io::ErrorKind::NotFound.into()), "/file: it is not there; check it");
        assert_eq!(told(io::ErrorKind::PermissionDenied.into()), "/file: permission denied; check it");
        let full = told(io::Error::from_raw_os_error(23)); // ENFILE, on every Linux
        assert!(full.starts_with("/file: too many open files in the whole system; "), "{full}");
    }
}

//! The certificate files: whether they are there, can be read, belong together and are of this time.

use std::path::Path;

use super::image::Place;
use super::report::{Report, Step};
use super::{CONFIG, WARN};
use crate::config::Config;
use crate::net::tls::{
    BUILT_IN_NAME, CertificateFiles, CertificatePaths, CertificateProblem, DAYS_LEFT_MIN, Loaded, Role,
};
use crate::platform::clock::Utc;
use crate::report::failure::{Words, out_of_date};

/// What connections are made with; `None` if something is wrong. Dates are compared with `now`, unless the
/// system clock is not set.
pub fn check(config: &Config, place: &Place, now: Option<Utc>, report: &mut Report<'_>) -> Option<Loaded> {
    let files = match find(&config.certificates, place) {
        Ok(files) => files,
        Err(problems) => {
            for problem in problems {
                report.bad(Step::Files, CONFIG, problem.explain());
            }
            return None;
        }
    };
    let problems = problems(&files);
    let of = |step| problems.iter().filter(move |problem| step_of(problem) == step);
    for step in [Step::Files, Step::Key, Step::Dates, Step::Ca] {
        let mut is_good = true;
        for problem in of(step) {
            is_good = false;
            report.bad(step, CONFIG, problem.explain());
        }
        match step {
            _ if !is_good => {}
            Step::Files => readers(&files, report),
            // Of files that cannot be read there is nothing more to say.
            _ if of(Step::Files).next().is_some() => {}
            Step::Key => report.ok(step, "belongs to the certificate".to_owned()),
            Step::Dates => dates(&files, now, report),
            _ => authorities(&files, now, report),
        }
    }
    if problems.is_empty() { files.load(config.needs_alpn()).ok() } else { None }
}

fn find(paths: &CertificatePaths, place: &Place) -> Result<CertificateFiles, Vec<CertificateProblem>> {
    let found = CertificatePaths { folder: place.find(&paths.folder), ..paths.clone() }.find()?;
    // What was found in the folder may be a link of the device's.
    let inside = |path: &Path| match path.strip_prefix(&place.root) {
        Ok(path) if place.is_image => place.find(&Path::new("/").join(path)),
        _ => place.find(path),
    };
    Ok(CertificateFiles {
        ca: found.ca.as_deref().map(inside),
        certificate: inside(&found.certificate),
        key: inside(&found.key),
    })
}

/// All that is wrong, each once.
fn problems(files: &CertificateFiles) -> Vec<CertificateProblem> {
    let mut problems: Vec<_> = files.authorities().err().into_iter().chain(files.validity().err()).collect();
    for problem in files.check_pair().err().unwrap_or_default() {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

const fn step_of(problem: &CertificateProblem) -> Step {
    use CertificateProblem as Problem;
    match problem {
        Problem::KeyMismatch { .. } | Problem::Unusable(Role::Key, ..) => Step::Key,
        Problem::Dates(..) | Problem::Unusable(Role::Certificate, ..) => Step::Dates,
        Problem::Unusable(Role::Ca, ..) => Step::Ca,
        _ => Step::Files,
    }
}

/// The files, and who may read the one that nobody else should.
fn readers(files: &CertificateFiles, report: &mut Report<'_>) {
    let paths: Vec<&Path> =
        [files.ca.as_deref(), Some(&files.certificate), Some(&files.key)].into_iter().flatten().collect();
    let folder = files.key.parent();
    let names: Vec<_> = if paths.iter().all(|path| path.parent() == folder) {
        let names = paths.iter().filter_map(|path| path.file_name());
        folder
            .iter()
            .map(|folder| format!("{}:", folder.display()))
            .chain(names.map(|name| name.display().to_string()))
            .collect()
    } else {
        paths.iter().map(|path| path.display().to_string()).collect()
    };
    report.ok(Step::Files, names.join(" "));
    let Ok(readers) = files.key_readers() else { return };
    let who = match (readers.everybody(), readers.group()) {
        (true, _) => "everybody on this system",
        (false, true) => "its whole group",
        (false, false) => return,
    };
    let key = files.key.display();
    let words = Words::new(
        format!("{key}: {who} may read the private key (mode {:04o})", readers.mode),
        format!("let only the user that pivitals runs as: chmod 600 {key}"),
    );
    report.bad(Step::Files, WARN, words);
}

fn dates(files: &CertificateFiles, now: Option<Utc>, report: &mut Report<'_>) {
    let Ok(validity) = files.validity() else { return };
    let dates = format!("from {} to {}", validity.from.date(), validity.until.date());
    if validity.is_endless() {
        return report.ok(Step::Dates, "the certificate has no end".to_owned());
    }
    let Some(now) = now else { return report.ok(Step::Dates, dates) };
    if let Some(words) = out_of_date(&files.certificate, validity, now) {
        return report.bad(Step::Dates, CONFIG, words);
    }
    let days = validity.days_left(now);
    if days >= DAYS_LEFT_MIN {
        return report.ok(Step::Dates, format!("{dates}, {days} days left"));
    }
    let words = Words::new(
        format!(
            "{}: the certificate expires in {days} days, on {}",
            files.certificate.display(),
            validity.until
        ),
        "put a new one and its key in its place; a running agent takes them by itself",
    );
    report.bad(Step::Dates, WARN, words);
}

fn authorities(files: &CertificateFiles, now: Option<Utc>, report: &mut Report<'_>) {
    let Some(path) = &files.ca else {
        return report.ok(Step::Ca, format!("no file: {BUILT_IN_NAME} are trusted"));
    };
    let validities = files.authorities().unwrap_or_default();
    let is_over = |until| now.is_some_and(|now| until < now);
    let latest = validities.iter().filter_map(|validity| Some(validity.as_ref().ok()?.until)).max();
    match latest {
        Some(until) if is_over(until) => {
            let words = Words::new(
                format!("{}: what is in this CA file was valid only until {until}", path.display()),
                "get the authority's present certificate (AWS: AmazonRootCA1.pem)",
            );
            report.bad(Step::Ca, WARN, words);
        }
        Some(until) => report.ok(Step::Ca, format!("until {}", until.date())),
        None => report.ok(Step::Ca, format!("{} certificates", validities.len())),
    }
}

//! The way to the broker below MQTT: name, TCP, TLS.

use std::time::Duration;

use super::report::{Report, Step, Verdict};
use super::{Patient, WARN};
use crate::net::link::{Link, LinkError, Phase, Target};
use crate::platform::clock::{self, BootTime};
use crate::platform::event::wait;
use crate::report::failure::{Failure, Words};

/// The port that AWS IoT Core can be reached at where [`PORT`] is blocked.
const OTHER_PORT: u16 = 443;
const PORT: u16 = 8883;

/// Goes as far as the link does, and tells each phase as it ends, with the time that it took. Inside:
/// what ended the link in which phase, if anything did.
pub fn go(
    link: &mut Link,
    mut began: BootTime,
    ended: &mut dyn FnMut(Phase, &Link, Duration),
) -> Result<(), (LinkError, Duration)> {
    while let Some(phase) = link.phase().filter(|phase| *phase != Phase::Done) {
        let mut descriptors = [link.interest()];
        wait(&mut descriptors, link.deadline().since(clock::boot_time()));
        let [(_, ready)] = descriptors;
        let now = clock::boot_time();
        if let Err(error) = link.advance(ready, now) {
            return Err((error, now.since(began)));
        }
        if link.phase() != Some(phase) {
            ended(phase, link, now.since(began));
            began = now;
        }
    }
    Ok(())
}

/// Tells what name and TCP have come to; what TLS has, only CONNECT can show.
pub fn tell(patient: &Patient, phase: Phase, link: &Link, took: Duration, report: &mut Report<'_>) {
    let (step, found) = match phase {
        Phase::Resolving => {
            let addresses: Vec<_> = link.addresses().iter().map(ToString::to_string).collect();
            (Step::Dns, format!("{} is {}", patient.endpoint, addresses.join(", ")))
        }
        Phase::Connecting => (Step::Tcp, link.peer().map_or_else(String::new, |peer| peer.to_string())),
        Phase::Handshaking | Phase::Done => return,
    };
    report.tell(step, Verdict::Ok, Some(took), found, None);
}

/// Tells what has ended the way, and looks whether there is another.
pub fn tell_error(patient: &Patient, error: LinkError, took: Duration, report: &mut Report<'_>) {
    let step = match error {
        LinkError::LookUp(_) | LinkError::Dns(_) | LinkError::DnsTimeout => Step::Dns,
        LinkError::Socket(_) | LinkError::Tcp(..) | LinkError::TcpTimeout(_) => Step::Tcp,
        _ => Step::Tls,
    };
    let is_of_port = matches!(error, LinkError::Tcp(..) | LinkError::TcpTimeout(_));
    let failure = Failure::Link(error);
    let words = Some(patient.explain(&failure));
    report.tell(step, Verdict::Fail(failure.exit_code()), Some(took), String::new(), words);
    if is_of_port && patient.config.port == PORT {
        try_other_port(patient, report);
    }
}

/// Looks how far one comes without TLS.
pub fn check_tcp(patient: &Patient, target: &Target, report: &mut Report<'_>) {
    let began = clock::boot_time();
    let mut link = match Link::try_tcp(target, began) {
        Ok(link) => link,
        Err(error) => return tell_error(patient, error, Duration::ZERO, report),
    };
    let way = go(&mut link, began, &mut |phase, link, took| tell(patient, phase, link, took, report));
    if let Err((error, took)) = way {
        tell_error(patient, error, took, report);
    }
}

fn try_other_port(patient: &Patient, report: &mut Report<'_>) {
    let Some(target) = Target::new(&patient.endpoint, OTHER_PORT) else { return };
    let began = clock::boot_time();
    let Ok(mut link) = Link::try_tcp(&target, began) else { return };
    match go(&mut link, began, &mut |_, _, _| {}) {
        Ok(()) => {
            let took = Some(clock::boot_time().since(began));
            let found = format!("port {OTHER_PORT} answers: write `port = {OTHER_PORT}`");
            report.tell(Step::Tcp, Verdict::Ok, took, found, None);
        }
        Err((_, took)) => {
            let words = Words::new(
                format!("TCP: {}: port {OTHER_PORT} does not answer either", patient.endpoint),
                "so it is not the port: check the device's route, the firewall, and that the broker runs",
            );
            report.tell(Step::Tcp, WARN, Some(took), String::new(), Some(words));
        }
    }
}

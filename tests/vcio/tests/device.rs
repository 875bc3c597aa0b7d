//! The emulated device as a program meets it.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::panic;
use std::path::Path;
use std::process::Command;

use pivitals_vcio::mailbox::REQUEST;
use pivitals_vcio::property::{
    BOARD_REVISION, CLOCK_ARM, CLOCK_ARM_MEASURED, FIRMWARE_REVISION, TEMPERATURE, TEMPERATURE_MAX,
    THROTTLED, VOLTAGE_CORE,
};
use pivitals_vcio::{Answer, Event, Mailbox, Property};

const ROOT: &str = "/not/there";

fn mailbox() -> Mailbox {
    Mailbox::new(Path::new(ROOT))
}

fn ioctl(vcio: &File, request: u32, message: &mut [u32]) -> io::Result<()> {
    // SAFETY: the supervisor writes as many bytes as the first word says; the callers give the length.
    match unsafe { libc::ioctl(vcio.as_raw_fd(), request as libc::Ioctl, message.as_mut_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The message that asks.
fn question(property: Property) -> Vec<u32> {
    let values = property.part.map_or(vec![0], |part| vec![part, 0]);
    let bytes = |words: usize| 4 * u32::try_from(words).unwrap();
    [vec![bytes(values.len() + 6), 0, property.tag, bytes(values.len()), 0], values, vec![0]].concat()
}

/// The last word of the value buffer, if the answer is a whole one.
fn ask(vcio: &File, property: Property) -> io::Result<Option<u32>> {
    let mut message = question(property);
    ioctl(vcio, REQUEST, &mut message)?;
    let is_whole = message[1] == 1 << 31 && message[4] == 1 << 31 | message[3];
    Ok(is_whole.then(|| message[message.len() - 2]))
}

fn open() -> io::Result<File> {
    File::open("/dev/vcio")
}

#[test]
fn every_property_is_answered_with_its_value() {
    for property in [
        TEMPERATURE,
        TEMPERATURE_MAX,
        THROTTLED,
        CLOCK_ARM,
        CLOCK_ARM_MEASURED,
        VOLTAGE_CORE,
        FIRMWARE_REVISION,
        BOARD_REVISION,
    ] {
        let mailbox = mailbox();
        mailbox.on(property, [Answer::Value(1_200_000_000)]);
        let answer = mailbox.run(|| ask(&open()?, property)).unwrap();
        assert_eq!(answer, Some(1_200_000_000), "{property:x?}");
    }
}

#[test]
fn a_part_that_has_no_script_is_unknown() {
    let mailbox = mailbox();
    mailbox.on(CLOCK_ARM, [Answer::Value(1_200_000_000)]);
    let core = Property { part: Some(4), ..CLOCK_ARM };
    assert_eq!(mailbox.run(|| ask(&open()?, core)).unwrap(), None);
}

#[test]
fn flags_come_and_go_and_temperatures_rise() {
    let mailbox = mailbox();
    mailbox.on(THROTTLED, [0, 0x5, 0x5_0000].map(Answer::Value));
    mailbox.on(TEMPERATURE, (0..).map(|count| Answer::Value(80_000 + 1_000 * count)));
    let (flags, ramp) = mailbox.run(|| {
        let vcio = open().unwrap();
        [THROTTLED, TEMPERATURE]
            .map(|property| [(); 5].map(|()| ask(&vcio, property).unwrap().unwrap()))
            .into()
    });
    // What is scripted last stays.
    assert_eq!(flags, [0, 0x5, 0x5_0000, 0x5_0000, 0x5_0000]);
    assert_eq!(ramp, [80_000, 81_000, 82_000, 83_000, 84_000]);
}

#[test]
fn a_script_can_be_changed_while_the_program_runs() {
    let mailbox = mailbox();
    mailbox.on(TEMPERATURE, [Answer::Value(48_312)]);
    let answers = mailbox.run(|| {
        let vcio = open().unwrap();
        let before = ask(&vcio, TEMPERATURE).unwrap();
        mailbox.on(TEMPERATURE, [Answer::Value(85_000)]);
        [before, ask(&vcio, TEMPERATURE).unwrap()]
    });
    assert_eq!(answers, [Some(48_312), Some(85_000)]);
}

#[test]
fn a_call_that_fails_has_the_errno_and_leaves_the_message_alone() {
    let mailbox = mailbox();
    for errno in [libc::EINVAL, libc::EIO] {
        mailbox.on(TEMPERATURE, [Answer::Fails(errno)]);
        let mut message = question(TEMPERATURE);
        let failed = mailbox.run(|| ioctl(&open().unwrap(), REQUEST, &mut message)).unwrap_err();
        assert_eq!((failed.raw_os_error(), message), (Some(errno), question(TEMPERATURE)));
    }
}

#[test]
fn no_other_answer_is_a_whole_one() {
    let mailbox = mailbox();
    for answer in [Answer::Short, Answer::Unknown, Answer::Error(48_312), Answer::Silence] {
        mailbox.on(TEMPERATURE, [answer]);
        assert_eq!(mailbox.run(|| ask(&open()?, TEMPERATURE)).unwrap(), None, "{answer:?}");
    }
}

#[test]
fn a_device_is_not_there_or_denied_and_then_opens() {
    let mailbox = mailbox();
    mailbox.on_open([Err(libc::ENOENT), Err(libc::EACCES), Ok(())]);
    let kinds = mailbox.run(|| [(); 3].map(|()| open().err().map(|error| error.kind())));
    assert_eq!(kinds, [Some(io::ErrorKind::NotFound), Some(io::ErrorKind::PermissionDenied), None]);
    let opened = [Err(libc::ENOENT), Err(libc::EACCES), Ok(())].map(Event::Opened);
    assert_eq!(mailbox.log(), opened);
}

#[test]
fn a_request_of_the_other_pointer_size_is_none() {
    let mailbox = mailbox();
    assert_eq!(REQUEST, if cfg!(target_pointer_width = "64") { 0xc008_6400 } else { 0xc004_6400 });
    let other = REQUEST ^ 0x000c_0000;
    let refused = mailbox.run(|| ioctl(&open().unwrap(), other, &mut question(TEMPERATURE))).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::ENOTTY));
    assert_eq!(mailbox.log(), [Event::Opened(Ok(())), Event::OtherRequest(other)]);
}

#[test]
fn what_is_no_message_is_refused() {
    let mailbox = mailbox();
    for message in [vec![8, 0, 0], vec![13, 0, 0, 0], vec![u32::MAX, 0, 0], vec![12, 1, 0]] {
        let refused = mailbox.run(|| ioctl(&open().unwrap(), REQUEST, &mut { message })).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EINVAL));
    }
    let malformed = |event: &Event| matches!(event, Event::Malformed(_));
    assert_eq!(mailbox.log().iter().filter(|event| malformed(event)).count(), 4);
}

#[test]
fn all_other_files_and_calls_go_their_way() {
    let mailbox = mailbox();
    mailbox.run(|| {
        assert!(std::fs::read_to_string("/proc/self/stat").unwrap().len() > 10);
        assert_eq!(File::open("/dev/vcio2").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(File::open("/not/there/dev").unwrap_err().kind(), io::ErrorKind::NotFound);
        let null = File::open("/dev/null").unwrap();
        let refused = ioctl(&null, REQUEST, &mut question(TEMPERATURE)).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::ENOTTY));
    });
    assert_eq!(mailbox.log(), []);
}

#[test]
fn a_process_finds_it_under_its_root_too() {
    let mailbox = mailbox();
    mailbox.on_open([Ok(()), Err(libc::ENOENT)]);
    let reads = || Command::new("sh").arg("-c").arg(format!("< {ROOT}/dev/vcio")).output().unwrap();
    let [first, second] = mailbox.run(|| [reads(), reads()]);
    assert!(first.status.success(), "{first:?}");
    assert!(!second.status.success(), "{second:?}");
    assert_eq!(mailbox.log(), [Ok(()), Err(libc::ENOENT)].map(Event::Opened));
}

#[test]
fn a_kernel_that_does_not_let_it_is_a_failure_that_says_why() {
    let (outer, inner) = (mailbox(), mailbox());
    let refused = outer.run(|| panic::catch_unwind(panic::AssertUnwindSafe(|| inner.run(|| ()))));
    let words = refused.unwrap_err().downcast::<String>().unwrap();
    assert!(words.starts_with("no /dev/vcio can be emulated here: seccomp(2): "), "{words}");
    assert!(words.ends_with("this process is under another supervisor already"), "{words}");
}

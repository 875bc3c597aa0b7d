//! Texts of counters: the name of an interface or disk, and after a record separator (0x1e) what
//! `/proc/net/dev`, `/proc/diskstats`, `/proc/vmstat` or a file of `/proc/pressure` says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::measure::probe::rate::passed;
use pivitals::measure::probe::{diskstats, net_dev, pressure, vmstat};
use pivitals::metric::sample::NoData;

const WRAP: Option<u64> = Some(1 << 32);

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |&byte| byte == 0x1e);
    let (name, text) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let text = String::from_utf8_lossy(text);
    let name = String::from_utf8_lossy(name);
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    let whole = &text[..end];

    if let Ok(traffic) = net_dev::parse(text.as_bytes(), name.as_bytes()) {
        let numbers = whole.split('\n').find_map(|line| {
            let (known, numbers) = line.split_once(':')?;
            (known.trim_ascii() == name).then(|| numbers.split_ascii_whitespace().collect::<Vec<_>>())
        });
        let numbers = numbers.expect("a line of that name");
        assert_eq!([numbers[0].parse(), numbers[8].parse()], [Ok(traffic.received), Ok(traffic.sent)]);
        assert_passed(traffic.received, traffic.sent);
    }
    if let Ok(sectors) = diskstats::parse(text.as_bytes(), name.as_bytes()) {
        let mut lines = whole.split('\n').map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
        let words = lines.find(|words| words.get(2) == Some(&&*name)).expect("a line of that name");
        assert_eq!([words[5].parse(), words[9].parse()], [Ok(sectors.read), Ok(sectors.written)]);
        assert_passed(sectors.read, sectors.written);
    }
    if let Ok(kills) = vmstat::parse_oom_kills(text.as_bytes()) {
        let mut lines = whole.split('\n').map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
        let words = lines.find(|words| words.first() == Some(&"oom_kill")).expect("its line");
        assert_eq!(words[1].parse(), Ok(kills));
    }
    if let Ok(micros) = pressure::parse_total_micros(text.as_bytes(), b"some") {
        assert!(whole.contains("some") && micros.to_string().len() <= 20);
        assert!(whole.contains("total="), "{whole:?}");
    }
    let disk = diskstats::disk_of(&name);
    assert!(name.starts_with(disk) && (disk == name || diskstats::is_disk(disk)), "{disk:?}");
    assert!(!diskstats::is_disk(&name) || disk == name, "a disk is on itself");
});

/// What passed is what has to be added, in as many bits as the counter has.
fn assert_passed(last: u64, now: u64) {
    match passed(last, now, WRAP) {
        Ok(passed) if now >= last => assert_eq!(last + passed, now),
        Ok(passed) => {
            assert!(passed < 1 << 31);
            assert_eq!((last + passed) % (1 << 32), now);
        }
        Err(reason) => assert!(reason == NoData::Backwards && now < last),
    }
    assert_eq!(passed(last, now, None).is_ok(), now >= last);
}

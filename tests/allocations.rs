//! After the first time, taking a sample, queueing, encoding, publishing and acknowledging it
//! allocates nothing on the heap, and so does looking after the alerts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::Duration;

use pivitals::config::Config;
use pivitals::config::identity::Identity;
use pivitals::measure::probe::{Health, Probes};
use pivitals::measure::schedule::Schedule;
use pivitals::measure::watch::{Look, Watch};
use pivitals::message::payload::{Encoder, Format, LEN_MAX};
use pivitals::metric::Metric;
use pivitals::mqtt::session::{Event, Session, Settings, Version};
use pivitals::platform::adjtimex::KernelClock;
use pivitals::platform::clock::{BootTime, EARLIEST_SECS, Utc};
use pivitals::platform::wall_clock::WallClock;
use pivitals::queue::outbox::{Outbox, Parts, Ticket};
use pivitals_broker::{Board, TestDir};

/// Counts what it is asked for, and lets the system do it.
struct Counting;

thread_local! {
    /// Of this thread: what the harness does beside the test is not meant.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

#[expect(unsafe_code, reason = "an allocator cannot be had without")]
// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CYCLES: usize = 2_000;

/// All that a cycle goes through, without a network.
struct Station {
    probes: Probes,
    encoder: Encoder,
    outbox: Outbox,
    session: Session<Ticket>,
    wall: WallClock,
    now: BootTime,
    published: u16,
    acknowledged: u16,
}

impl Station {
    fn new(board: &str, format: Format, version: Version) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots").join(board);
        // Named one by one, they are all there, also those that the board has no source for.
        let mut keys = Metric::ALL.map(|metric| metric.description().key).to_vec();
        keys.dedup();
        let metrics = format!("metrics={}", keys.join(" "));
        let config = Config::read(None, &[metrics], &Identity::read(&root)).unwrap();
        let now = BootTime::from_millis(100_000);
        let settings = Settings {
            version,
            client_id: &config.client_id,
            topics: config.topics.names(),
            keep_alive_secs: config.keep_alive_secs,
            will: None,
        };
        let mut session = Session::new(&settings, now);
        flush(&mut session, now);
        session.receive(if version == Version::V3 { &[0x20, 2, 0, 0] } else { &[0x20, 3, 0, 0, 0] });
        assert_eq!(session.next_event(), Ok(Some(Event::Connected)));
        Self {
            probes: Probes::new(&root, &config.series),
            encoder: Encoder::new(format, config.series.clone(), &config.label, &config.namespace),
            outbox: Outbox::new(config.queue),
            session,
            wall: WallClock::default(),
            now,
            published: 0,
            acknowledged: 0,
        }
    }

    /// Samples, queues, encodes and publishes; and takes the acknowledgements.
    fn cycle(&mut self) {
        self.now = self.now + Duration::from_secs(60);
        let utc = Utc::from_millis(EARLIEST_SECS * 1000 + self.now.as_millis());
        self.wall.update(self.now, utc, || KernelClock::Synchronised);
        let sample = self.probes.sample(self.now, self.now, &Health::default());
        let parts = self.encoder.parts(&sample);
        self.outbox.push(&sample, parts);
        let before = self.published;
        while let Some(ticket) = self.outbox.next_ticket(Parts::default()) {
            if self.session.room_at() > self.now {
                self.acknowledge();
                self.now = self.now.max(self.session.room_at());
            }
            let dated = self
                .outbox
                .waiting(ticket)
                .map_while(|sample| Some((sample, self.wall.utc_of(sample.taken_at)?)));
            let message = self.encoder.encode(ticket.part(), LEN_MAX, dated).unwrap();
            let ticket = self.outbox.sent(ticket, message.samples);
            self.session.publish(0, message.payload, ticket, self.now).unwrap();
            self.published = self.published.wrapping_add(1).max(1);
        }
        assert_ne!(self.published, before, "nothing was published");
        self.acknowledge();
        assert!(self.outbox.is_empty());
    }

    /// Lets the broker take what was published.
    fn acknowledge(&mut self) {
        flush(&mut self.session, self.now);
        while self.acknowledged != self.published {
            self.acknowledged = self.acknowledged.wrapping_add(1).max(1);
            let [high, low] = self.acknowledged.to_be_bytes();
            self.session.receive(&[0x40, 2, high, low]);
            match self.session.next_event() {
                Ok(Some(Event::Acknowledged(ticket))) => self.outbox.acknowledge(ticket),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn flush(session: &mut Session<Ticket>, now: BootTime) {
    let flushed: Result<(), ()> = session.flush(now, |bytes| if bytes.is_empty() { Err(()) } else { Ok(()) });
    flushed.unwrap();
}

/// Looks at a board whose temperature crosses the threshold and is back in turns, and gives the allocations
/// of all looks but the first, and how many of them had something to tell.
fn looks() -> (usize, usize) {
    let dir = TestDir::new("allocations");
    let board = Board::new(&dir.path().join("root")).unwrap();
    let alerts = [
        "temperature > 80",
        "cpu > 101",
        "throttled_now > 0",
        "load_average_1 > 1000000",
        "disk > 101",
        "network_sent_eth0 > 999999999999",
        "agent_queue > 1",
        "cpu_pressure_some > 101",
    ];
    let set: Vec<_> = alerts.iter().map(|alert| format!("alert={alert}")).collect();
    let config = Config::read(None, &set, &Identity::read(Path::new("/"))).unwrap();
    let mut now = BootTime::from_millis(100_000);
    let schedule = Schedule::new(config.interval, "pi-7", now);
    let mut watch = Watch::new(board.root(), &config.alerts, &schedule, now).unwrap();
    let (mut allocations, mut news) = (0, 0);
    for turn in 0..CYCLES {
        fs::write(board.sensor(), if turn % 2 == 0 { "20000\n" } else { "90000\n" }).unwrap();
        now = watch.next();
        let before = ALLOCATIONS.get();
        assert_eq!(watch.due(now), Some(now));
        let look = watch.look(&config.alerts, now, &Health::default());
        if look == Look::Changed {
            news += watch.news().flatten().count();
        }
        // The rates are read at every tenth look, and then for the first time.
        if turn >= 10 {
            allocations += ALLOCATIONS.get() - before;
        }
    }
    (allocations, news)
}

/// One test, so that no other one allocates meanwhile.
#[test]
fn a_cycle_and_a_look_allocate_nothing_after_the_first() {
    let (allocations, news) = looks();
    assert_eq!(allocations, 0, "in {CYCLES} looks");
    assert!(news > 20, "{news}");
    for (board, format, version) in [
        ("pi-4", Format::Rule, Version::V5),
        ("cm-4", Format::Rule, Version::V3),
        ("pi-4", Format::Flat, Version::V5),
        ("cm-4", Format::Emf, Version::V5),
    ] {
        let mut station = Station::new(board, format, version);
        station.cycle();
        let before = ALLOCATIONS.get();
        assert!(before > 0, "the allocator does not count");
        for _ in 0..CYCLES {
            station.cycle();
        }
        let allocations = ALLOCATIONS.get() - before;
        assert_eq!(allocations, 0, "{board}, {format:?}, {version:?}: allocations in {CYCLES} cycles");
    }
}

//! The broker from outside: start, stop, and the thread that accepts.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::connection;
use crate::event::Event;
use crate::manners::Manners;
use crate::pki::Pki;
use crate::shared::{Order, Shared};

/// How long a port that is in use is asked for again.
const BIND_PATIENCE: Duration = Duration::from_secs(10);
const BIND_PAUSE: Duration = Duration::from_millis(20);

/// A running (or stopped) broker on 127.0.0.1. Dropping it stops it.
pub struct Broker {
    shared: Arc<Shared>,
    port: u16,
    /// Connections so far: their numbers go on after a restart.
    connections: u64,
    acceptor: Option<JoinHandle<Accepted>>,
}

/// What the accepting thread leaves behind.
struct Accepted {
    connections: u64,
    threads: Vec<JoinHandle<()>>,
}

impl Broker {
    /// Starts a broker on a free port.
    pub fn start(pki: &Pki, manners: Manners) -> Self {
        Self::start_on(0, pki, manners)
    }

    /// Starts a broker on this port; 0 is any.
    pub fn start_on(port: u16, pki: &Pki, manners: Manners) -> Self {
        let mut broker = Self {
            shared: Arc::new(Shared::new(pki.clone(), manners)),
            port,
            connections: 0,
            acceptor: None,
        };
        broker.restart();
        broker
    }

    /// Starts a stopped broker again, on its port, with its manners and its events so far.
    pub fn restart(&mut self) {
        assert!(self.acceptor.is_none(), "expected a stopped broker to restart, this one runs");
        let listener = bind(self.port);
        self.port = listener.local_addr().expect("a bound listener has an address").port();
        let shared = Arc::clone(&self.shared);
        let connections = self.connections;
        self.acceptor = Some(thread::spawn(move || accept(&listener, &shared, connections)));
    }

    /// Closes the listener and all connections without a word, and joins all threads. A panic in
    /// one of them goes on here. Nothing happens to a stopped broker.
    pub fn stop(&mut self) {
        if let Err(panic) = self.end() {
            panic::resume_unwind(panic);
        }
    }

    /// `localhost`, which the server's certificate is good for.
    pub fn host(&self) -> &'static str {
        "localhost"
    }

    /// The port; the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes the manners.
    pub fn set_manners(&self, change: impl FnOnce(&mut Manners)) {
        self.shared.manners(change);
    }

    /// Ends all connections and goes on listening: with a DISCONNECT of this reason (3.1.1: a
    /// close), or abruptly.
    pub fn close_connections(&self, reason: Option<u8>) {
        let order = reason.map_or(Order::Vanish, Order::Disconnect);
        self.shared.order_all(order);
    }

    /// The next event not read yet. Panics, with a list of all events, when none comes in time.
    #[track_caller]
    pub fn next_event(&self, limit: Duration) -> Event {
        self.event_before(Instant::now() + limit, limit)
    }

    /// The next event not read yet, if one comes within `limit`.
    pub fn event_within(&self, limit: Duration) -> Option<Event> {
        self.shared.log.next(Instant::now() + limit)
    }

    /// Reads events up to the first that `pick` takes. Panics like [`Broker::next_event`], and on
    /// a [`Event::Violation`] that `pick` does not take.
    #[track_caller]
    pub fn wait_for<T>(&self, limit: Duration, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let deadline = Instant::now() + limit;
        loop {
            let event = self.event_before(deadline, limit);
            let violation = matches!(event, Event::Violation { .. }).then(|| event.to_string());
            if let Some(picked) = pick(event) {
                return picked;
            }
            if let Some(violation) = violation {
                panic!("expected no violation of MQTT, met {violation}");
            }
        }
    }

    /// All events since the start, read or not.
    pub fn events_so_far(&self) -> Vec<Event> {
        self.shared.log.all()
    }

    /// What clients did wrong so far.
    pub fn violations(&self) -> Vec<String> {
        let what = |event| match event {
            Event::Violation { what, .. } => Some(what),
            _ => None,
        };
        self.events_so_far().into_iter().filter_map(what).collect()
    }

    #[track_caller]
    fn event_before(&self, deadline: Instant, limit: Duration) -> Event {
        match self.shared.log.next(deadline) {
            Some(event) => event,
            None => panic!("{}", self.shared.log.complaint(limit)),
        }
    }

    fn end(&mut self) -> thread::Result<()> {
        let Some(acceptor) = self.acceptor.take() else {
            return Ok(());
        };
        self.shared.stopping.store(true, Ordering::SeqCst);
        while !acceptor.is_finished() {
            // Wakes it from accept(). Refused where it has just gone.
            drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        }
        let accepted = acceptor.join();
        self.shared.order_all(Order::Vanish);
        self.shared.stopping.store(false, Ordering::SeqCst);
        let accepted = accepted?;
        self.connections = accepted.connections;
        let ends: Vec<_> = accepted.threads.into_iter().map(JoinHandle::join).collect();
        ends.into_iter().collect()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let end = self.end();
        if let Err(panic) = end
            && !thread::panicking()
        {
            panic::resume_unwind(panic);
        }
    }
}

/// std binds with SO_REUSEADDR, so connections of the former life do not hold the port; a client
/// elsewhere that was given it as its own does, for a while.
fn bind(port: u16) -> TcpListener {
    let deadline = Instant::now() + BIND_PATIENCE;
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return listener,
            Err(error) if Instant::now() > deadline => {
                panic!("expected the port {port} to be free within {BIND_PATIENCE:?}: {error}")
            }
            Err(_) => thread::sleep(BIND_PAUSE),
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, mut connections: u64) -> Accepted {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            // A client that gave up in the queue.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => continue,
            Err(error) => panic!("expected to accept connections: {error}"),
        };
        if shared.stopping.load(Ordering::SeqCst) {
            return Accepted { connections, threads };
        }
        for ended in threads.extract_if(.., |thread| thread.is_finished()) {
            if let Err(panic) = ended.join() {
                panic::resume_unwind(panic);
            }
        }
        connections += 1;
        let conn = connections;
        let shared_handle = stream.try_clone().expect("a socket can be shared");
        shared.register(conn, shared_handle);
        let shared = Arc::clone(shared);
        threads.push(thread::spawn(move || {
            connection::serve(&shared, conn, stream);
        }));
    }
}

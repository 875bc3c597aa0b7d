//! What the broker's threads share.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustls::ServerConfig;

use crate::event::Log;
use crate::manners::Manners;
use crate::pki::Pki;
use crate::rate::Rate;
use crate::wire::{self, TlsTerms};

/// Session taken over. `[5]` table 3-10.
const TAKEN_OVER: u8 = 0x8e;

pub(crate) struct Shared {
    pub(crate) pki: Pki,
    pub(crate) log: Log,
    /// Set while the broker stops.
    pub(crate) stopping: AtomicBool,
    manners: Mutex<Manners>,
    publishes: AtomicU64,
    /// The CONNECTs of each client id.
    connects: Mutex<HashMap<String, Rate>>,
    /// The open connections by number.
    peers: Mutex<HashMap<u64, Peer>>,
    /// The last configuration, kept while the terms stay: sessions can be resumed, and a
    /// reconnecting client meets the same certificate.
    tls: Mutex<Option<(TlsTerms, Arc<ServerConfig>)>>,
}

/// A connection, as seen from the other threads.
struct Peer {
    stream: TcpStream,
    client_id: Option<String>,
    order: Option<Order>,
}

/// What another thread wants of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Say goodbye with this reason (3.1.1: without a word) and close.
    Disconnect(u8),
    /// The socket is closed already: end.
    Vanish,
}

impl Shared {
    pub(crate) fn new(pki: Pki, manners: Manners) -> Self {
        Self {
            pki,
            log: Log::default(),
            stopping: AtomicBool::new(false),
            manners: Mutex::new(manners),
            publishes: AtomicU64::new(0),
            connects: Mutex::default(),
            peers: Mutex::default(),
            tls: Mutex::default(),
        }
    }

    /// Looks at the manners, or changes them.
    pub(crate) fn manners<T>(&self, with: impl FnOnce(&mut Manners) -> T) -> T {
        with(&mut lock(&self.manners))
    }

    /// The number of the next PUBLISH.
    pub(crate) fn next_publish(&self) -> u64 {
        self.publishes.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether a CONNECT of `client_id` keeps the rate.
    pub(crate) fn admit_connect(&self, client_id: &str, per_second: u32, now: Instant) -> bool {
        lock(&self.connects).entry(client_id.to_owned()).or_default().admit(per_second, now)
    }

    pub(crate) fn tls_config(&self, terms: TlsTerms) -> Arc<ServerConfig> {
        let mut kept = lock(&self.tls);
        match &*kept {
            Some((of, config)) if *of == terms => Arc::clone(config),
            _ => {
                let config = wire::tls_config(&self.pki, &terms);
                *kept = Some((terms, Arc::clone(&config)));
                config
            }
        }
    }

    pub(crate) fn register(&self, conn: u64, stream: TcpStream) {
        let peer = Peer { stream, client_id: None, order: None };
        lock(&self.peers).insert(conn, peer);
    }

    pub(crate) fn unregister(&self, conn: u64) {
        lock(&self.peers).remove(&conn);
    }

    pub(crate) fn order(&self, conn: u64) -> Option<Order> {
        lock(&self.peers).get(&conn).and_then(|peer| peer.order)
    }

    /// `conn` is `client_id` from now on, and nobody else is. `[MQTT-3.1.4-2]`, `[5]`
    /// `[MQTT-3.1.4-3]`.
    pub(crate) fn take_over(&self, conn: u64, client_id: &str) {
        for (&number, peer) in &mut *lock(&self.peers) {
            if number == conn {
                peer.client_id = Some(client_id.to_owned());
            } else if peer.client_id.as_deref() == Some(client_id) {
                peer.give(Order::Disconnect(TAKEN_OVER));
            }
        }
    }

    pub(crate) fn order_all(&self, order: Order) {
        lock(&self.peers).values_mut().for_each(|peer| peer.give(order));
    }
}

impl Peer {
    /// Wakes the connection's thread by the end of its input. What lies in the socket is still
    /// read first.
    fn give(&mut self, order: Order) {
        self.order = Some(order);
        let side = match order {
            Order::Disconnect(_) => Shutdown::Read,
            Order::Vanish => Shutdown::Both,
        };
        // A socket that is no longer connected has ended its input itself.
        let _ = self.stream.shutdown(side);
    }
}

/// A panic of another thread is told by its join; this one goes on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

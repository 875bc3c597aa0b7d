//! One client's bytes: TCP and TLS, read one TLS record at a time, so that the broker knows what
//! was sent together.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::server::{Acceptor, ClientHello, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{IoState, RootCertStore, ServerConfig, ServerConnection};
use socket2::SockRef;

use crate::pki::{Leaf, Pki};

/// How long a handshake, or a write to a client that does not read, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the broker, having closed its side, waits for the client to close too. Without it the
/// client's unread bytes would turn the close into a reset, which may overtake the last packet.
const LINGER: Duration = Duration::from_secs(1);

/// The head of a TLS record: type, version, length. RFC 8446, 5.1.
const RECORD_HEAD_LEN: usize = 5;
/// The largest record, TLS 1.2's. RFC 5246, 6.2.3.
const RECORD_LEN_MAX: usize = RECORD_HEAD_LEN + 16_384 + 2_048;

/// What the server's side of TLS is made of.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TlsTerms {
    pub(crate) certificate: Leaf,
    pub(crate) tls12_only: bool,
    pub(crate) alpn: Option<Vec<u8>>,
}

/// Asks every client for a certificate of `pki`.
pub(crate) fn tls_config(pki: &Pki, terms: &TlsTerms) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(pki.root()).expect("our own root is well-formed");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .expect("a root is given");
    let versions: &[_] = if terms.tls12_only { &[&TLS12] } else { &[&TLS13, &TLS12] };
    let (certificate, key) = pki.server(&terms.certificate);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("ring serves both versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)
        .expect("the key belongs to the certificate");
    config.alpn_protocols = terms.alpn.iter().cloned().collect();
    Arc::new(config)
}

/// What a ClientHello offers.
pub(crate) struct Hello {
    pub(crate) sni: Option<String>,
    pub(crate) alpn: Vec<String>,
}

impl Hello {
    fn read(hello: &ClientHello<'_>) -> Self {
        Self {
            sni: hello.server_name().map(str::to_owned),
            alpn: hello
                .alpn()
                .into_iter()
                .flatten()
                .map(|protocol| String::from_utf8_lossy(protocol).into_owned())
                .collect(),
        }
    }
}

/// What came in.
pub(crate) enum Incoming {
    /// The data of one TLS record, never empty.
    Data(Vec<u8>),
    /// The client closed, and said so in TLS or not.
    Closed { close_notify: bool },
    /// Nothing within the time given.
    Nothing,
    /// Not TLS.
    Broken(String),
}

/// A TCP connection, cut into TLS records.
struct Records {
    stream: TcpStream,
    /// Read and not yet handed on.
    buffer: Vec<u8>,
}

impl Records {
    /// One record, or whatever came where that is no TLS; `None` at the end.
    fn next(&mut self, deadline: Option<Instant>) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(len) = record_len(&self.buffer)
                && len <= self.buffer.len()
            {
                return Ok(Some(self.buffer.drain(..len).collect()));
            }
            // What has arrived is read even when the deadline is over: a test host may be slow.
            let patience = deadline.map(|deadline| {
                deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
            });
            self.stream.set_read_timeout(patience)?;
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(None),
                Ok(len) => self.buffer.extend(&chunk[..len]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn write(&mut self, bytes: &[u8], trickle: bool) -> io::Result<()> {
        if trickle {
            bytes.iter().try_for_each(|byte| self.stream.write_all(&[*byte]))
        } else {
            self.stream.write_all(bytes)
        }
    }
}

/// The length of the record that `bytes` begins with. What cannot be one is passed on as it is,
/// for rustls to name the mistake.
fn record_len(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..RECORD_HEAD_LEN)?;
    let len = RECORD_HEAD_LEN + usize::from(u16::from_be_bytes([head[3], head[4]]));
    // Change cipher spec, alert, handshake, application data.
    let known = matches!(head[0], 20..=23) && len <= RECORD_LEN_MAX;
    Some(if known { len } else { bytes.len() })
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// A client after its handshake.
pub(crate) struct Wire {
    records: Records,
    tls: ServerConnection,
    /// One byte per record and write.
    pub(crate) trickle: bool,
}

impl Wire {
    /// Does the handshake; the error tells why there is none. `prepare` sees the ClientHello and
    /// gives the configuration or refuses.
    pub(crate) fn accept(
        stream: TcpStream,
        trickle: bool,
        prepare: impl FnOnce(&Hello) -> Result<Arc<ServerConfig>, String>,
    ) -> Result<(Self, Hello), String> {
        let deadline = Some(Instant::now() + PATIENCE);
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
            .map_err(|error| error.to_string())?;
        let buffer = Vec::new();
        let mut records = Records { stream, buffer };
        let (tls, hello) = greet(&mut records, deadline, trickle, prepare)?;
        let mut wire = Self { records, tls, trickle };
        wire.flush().map_err(|error| error.to_string())?;
        while wire.tls.is_handshaking() {
            let record = next_of_handshake(&mut wire.records, deadline)?;
            if let Err(error) = wire.feed(&record) {
                wire.close(false);
                return Err(error);
            }
        }
        Ok((wire, hello))
    }

    /// The certificate the client showed.
    pub(crate) fn common_name(&self, pki: &Pki) -> String {
        let chain = self.tls.peer_certificates();
        chain
            .and_then(<[_]>::first)
            .and_then(|certificate| pki.common_name(certificate))
            .expect("every client shows a certificate of this authority")
    }

    /// The next record with data in it.
    pub(crate) fn read(&mut self, deadline: Option<Instant>) -> Incoming {
        loop {
            let record = match self.records.next(deadline) {
                Ok(Some(record)) => record,
                Err(error) if is_timeout(&error) => return Incoming::Nothing,
                // A reset is as much of an end as a close.
                Ok(None) | Err(_) => {
                    return Incoming::Closed { close_notify: false };
                }
            };
            let state = match self.feed(&record) {
                Ok(state) => state,
                Err(error) => return Incoming::Broken(error),
            };
            if state.plaintext_bytes_to_read() > 0 {
                let mut data = vec![0; state.plaintext_bytes_to_read()];
                self.tls.reader().read_exact(&mut data).expect("rustls holds as much as it says");
                return Incoming::Data(data);
            }
            if state.peer_has_closed() {
                return Incoming::Closed { close_notify: true };
            }
        }
    }

    /// Sends `bytes` in one record and one write, unless they trickle.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.trickle {
            self.tls.writer().write_all(bytes)?;
            return self.flush();
        }
        bytes.iter().try_for_each(|byte| {
            self.tls.writer().write_all(&[*byte])?;
            self.flush()
        })
    }

    /// Closes the broker's side, with or without a word in TLS, and waits a little for the other.
    pub(crate) fn close(&mut self, close_notify: bool) {
        if close_notify {
            self.tls.send_close_notify();
        }
        // Where the client is gone already, there is nobody to close for.
        if self.flush().is_ok() && self.records.stream.shutdown(Shutdown::Write).is_ok() {
            self.linger();
        }
    }

    /// Makes the end of the connection a reset, once the last handle of the socket is closed.
    pub(crate) fn reset_on_close(&self) {
        SockRef::from(&self.records.stream)
            .set_linger(Some(Duration::ZERO))
            .expect("an open socket takes the option");
    }

    /// Reads until the client closes, but not for long. Gives the number of bytes that came, and
    /// whether the client ended TLS properly.
    pub(crate) fn linger(&mut self) -> (usize, bool) {
        self.discard(Some(Instant::now() + LINGER))
    }

    /// Reads until the client closes.
    pub(crate) fn discard(&mut self, deadline: Option<Instant>) -> (usize, bool) {
        let mut surplus = 0;
        loop {
            match self.read(deadline) {
                Incoming::Data(data) => surplus += data.len(),
                Incoming::Closed { close_notify } => return (surplus, close_notify),
                Incoming::Nothing | Incoming::Broken(_) => return (surplus, false),
            }
        }
    }

    /// Gives rustls one record, and the client what rustls answers; alerts too.
    fn feed(&mut self, record: &[u8]) -> Result<IoState, String> {
        let mut rest = record;
        // After a close_notify rustls takes no more: 0.
        while !rest.is_empty() && self.tls.read_tls(&mut rest).map_err(|error| error.to_string())? > 0 {}
        let state = self.tls.process_new_packets().map_err(|error| error.to_string());
        // An answer to a client that is gone already is nobody's fault: the next read tells.
        let _ = self.flush();
        state
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut bytes)?;
        }
        self.records.write(&bytes, self.trickle)
    }
}

/// Reads the ClientHello and lets `prepare` decide.
fn greet(
    records: &mut Records,
    deadline: Option<Instant>,
    trickle: bool,
    prepare: impl FnOnce(&Hello) -> Result<Arc<ServerConfig>, String>,
) -> Result<(ServerConnection, Hello), String> {
    let mut acceptor = Acceptor::default();
    let refusal = loop {
        let record = next_of_handshake(records, deadline)?;
        acceptor.read_tls(&mut record.as_slice()).map_err(|error| error.to_string())?;
        match acceptor.accept() {
            Ok(None) => {}
            Ok(Some(accepted)) => {
                let hello = Hello::read(&accepted.client_hello());
                match accepted.into_connection(prepare(&hello)?) {
                    Ok(connection) => return Ok((connection, hello)),
                    Err(refusal) => break refusal,
                }
            }
            Err(refusal) => break refusal,
        }
    };
    let (error, mut alert) = refusal;
    let mut bytes = Vec::new();
    alert
        .write_all(&mut bytes)
        .and_then(|()| records.write(&bytes, trickle))
        .and_then(|()| records.stream.shutdown(Shutdown::Write))
        .map_err(|error| error.to_string())?;
    let until = Some(Instant::now() + LINGER);
    while let Ok(Some(_)) = records.next(until) {}
    Err(error.to_string())
}

fn next_of_handshake(records: &mut Records, deadline: Option<Instant>) -> Result<Vec<u8>, String> {
    match records.next(deadline) {
        Ok(Some(record)) => Ok(record),
        Ok(None) => Err("the client closed before the end of the handshake".to_owned()),
        Err(error) if is_timeout(&error) => Err(format!("no handshake within {PATIENCE:?}")),
        Err(error) => Err(error.to_string()),
    }
}

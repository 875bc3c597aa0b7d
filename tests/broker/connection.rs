//! One client from its first byte to its last.

mod connect;
mod publish;
mod session;

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::time::Instant;

use crate::event::Event;
use crate::manners::Silence;
use crate::shared::Shared;
use crate::wire::{Hello, TlsTerms, Wire};
use session::{End, Session};

/// Serves a connection to its end. The last event is [`Event::TlsFailed`] or
/// [`Event::Disconnected`].
pub(crate) fn serve(shared: &Shared, conn: u64, stream: TcpStream) {
    let _registered = Registered { shared, conn };
    let silence = shared.manners(|manners| manners.silence);
    let handshake = if silence == Silence::AfterTcp {
        ignore(stream);
        Err("the broker kept silent until the client closed".to_owned())
    } else {
        handshake(shared, stream)
    };
    match handshake {
        Err(why) => shared.log.push(Event::TlsFailed { conn, at: Instant::now(), why }),
        Ok((wire, hello)) => {
            let mut session = Session::new(shared, conn, wire, hello);
            let end = if silence == Silence::AfterTls { End::Silent } else { session.run() };
            session.finish(end);
        }
    }
}

/// Takes the connection from the list when its thread ends, by a panic too.
struct Registered<'a> {
    shared: &'a Shared,
    conn: u64,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.shared.unregister(self.conn);
    }
}

fn handshake(shared: &Shared, stream: TcpStream) -> Result<(Wire, Hello), String> {
    let trickle = shared.manners(|manners| manners.trickle);
    Wire::accept(stream, trickle, |hello| {
        let (terms, sni) = shared.manners(|manners| {
            let terms = TlsTerms {
                certificate: manners.certificate.clone(),
                tls12_only: manners.tls12_only,
                alpn: manners.require_alpn.clone(),
            };
            (terms, manners.require_sni.clone())
        });
        if sni.is_some() && sni != hello.sni {
            return Err(format!("expected the SNI {sni:?}, got {:?}", hello.sni));
        }
        // An offer that does not match is refused by rustls; none at all would pass there.
        if terms.alpn.is_some() && hello.alpn.is_empty() {
            return Err("expected ALPN, got none".to_owned());
        }
        Ok(shared.tls_config(terms))
    })
}

/// Reads and never answers, until the client closes.
fn ignore(mut stream: TcpStream) {
    let mut chunk = [0; 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return,
            Err(error) if error.kind() != ErrorKind::Interrupted => return,
            _ => {}
        }
    }
}

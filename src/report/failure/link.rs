//! Errors of DNS, TCP and TLS in words.

use std::io;

use super::certificates::remedy_of_date;
use super::system::{explain, system_error};
use super::{Context, Words};
use crate::net::link::LinkError;
use crate::net::tls::{OutOfDate, TlsError};
use crate::platform::resolve::ResolveError;

pub fn words(error: &LinkError, context: Context<'_>) -> Words {
    let Context { endpoint, port, .. } = context;
    match error {
        LinkError::LookUp(error) => {
            let what = format!("DNS: the look-up of {endpoint} cannot begin");
            match error.shortage_of_fork().map(explain) {
                Some(Words { cause, remedy }) => Words::new(format!("{what}: {cause}"), remedy),
                None => system_error(&what, *error, "it is tried again"),
            }
        }
        LinkError::Dns(error) => dns(*error, context),
        LinkError::DnsTimeout => dns(ResolveError::TryAgain, context),
        LinkError::Socket(error) => {
            system_error(&format!("TCP: no socket for {endpoint}"), *error, "it is tried again")
        }
        LinkError::Tcp(address, error) => {
            let advice = match error.kind() {
                io::ErrorKind::ConnectionRefused => {
                    format!("check `port`, and that the broker runs and no firewall rejects port {port}")
                }
                _ => format!("check the device's address, its route and the firewall for port {port}"),
            };
            Words::new(format!("TCP: {address} ({endpoint}): {error}"), or_other_port(advice, port))
        }
        LinkError::TcpTimeout(address) => Words::new(
            format!("TCP: {address} ({endpoint}) does not answer"),
            or_other_port(format!("a firewall on the way probably drops port {port}"), port),
        ),
        LinkError::Tls(error) => tls(error, context),
        LinkError::TlsTimeout => no_tls("accepts connections and then says nothing", context),
        LinkError::ClosedInHandshake => no_tls("closed the connection during the handshake", context),
        LinkError::Closed => {
            Words::new(format!("{endpoint}:{port} closed the connection"), "it is tried again")
        }
        LinkError::Broken(error) => {
            system_error(&format!("the connection to {endpoint}:{port} broke"), *error, "check the line")
        }
    }
}

fn dns(error: ResolveError, Context { endpoint, resolvers, .. }: Context<'_>) -> Words {
    let who = if resolvers.is_empty() { "no nameserver" } else { resolvers };
    match error {
        ResolveError::NoSuchName => Words::new(
            format!("DNS: there is no host {endpoint} (asked: {who})"),
            "compare `endpoint` with what `aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints",
        ),
        ResolveError::TryAgain if resolvers.is_empty() => Words::new(
            format!("DNS: nobody can be asked for {endpoint}: /etc/resolv.conf has no nameserver line"),
            "check that the network is up, and that its DHCP client writes /etc/resolv.conf",
        ),
        ResolveError::TryAgain => Words::new(
            format!("DNS: no resolver answers for {endpoint} (asked: {who})"),
            "check the network and the nameserver lines of /etc/resolv.conf",
        ),
        ResolveError::System(error) => {
            let what = format!("DNS: the look-up of {endpoint} failed (asked: {who})");
            system_error(&what, error, "check the network, /etc/resolv.conf and /etc/hosts")
        }
        ResolveError::NoAnswer => Words::new(
            format!("DNS: the look-up of {endpoint} ended without an answer"),
            "the kernel has probably killed its process for want of memory: look at `dmesg`",
        ),
        ResolveError::Failed(code) => Words::new(
            format!("DNS: looking up {endpoint} failed with getaddrinfo's code {code} (asked: {who})"),
            "check /etc/resolv.conf",
        ),
    }
}

fn or_other_port(mut advice: String, port: u16) -> String {
    if port == 8883 {
        advice.push_str("; AWS IoT Core can also be reached with `port = 443`");
    }
    advice
}

fn no_tls(what: &str, Context { endpoint, port, .. }: Context<'_>) -> Words {
    Words::new(
        format!("TLS: {endpoint}:{port} {what}"),
        "check that `port` is the broker's port for TLS with client certificates",
    )
}

fn tls(error: &TlsError, context: Context<'_>) -> Words {
    let Context { endpoint, port, .. } = context;
    let its = format!("TLS: the certificate of {endpoint}:{port}");
    let dates = |dates: &Option<OutOfDate>, which| match dates {
        Some(OutOfDate { certificate, clock }) => {
            format!(": its {which} day is {certificate}, and this device's clock shows {clock}")
        }
        None => " by this device's clock".to_owned(),
    };
    match error {
        TlsError::WrongName => {
            Words::new(format!("{its} is for another name"), "write `endpoint` as the certificate has it")
        }
        TlsError::UnknownIssuer => Words::new(
            format!("{its} comes from an authority that is not trusted"),
            "give its CA with `ca_file` (AWS: AmazonRootCA1.pem), and an endpoint with -ats in its name",
        ),
        TlsError::NotYetValid(out) => Words::new(
            format!("{its} is not valid yet{}", dates(out, "first")),
            "the clock is probably slow: check NTP",
        ),
        TlsError::Expired(out) => Words::new(
            format!("{its} has expired{}", dates(out, "last")),
            "check the clock, then the broker's certificate",
        ),
        TlsError::BadCertificate(why) => Words::new(
            format!("{its} cannot be used: {why}"),
            "check that `endpoint` and `port` are the broker's, then the broker's certificate",
        ),
        TlsError::ClientRefused(alert) => client_refused(alert, context),
        TlsError::NoCommonProtocol => Words::new(
            format!("TLS: {endpoint}:{port} does not offer MQTT"),
            "for AWS IoT Core use port 8883, or 443 with an -ats endpoint",
        ),
        TlsError::NotTls => Words::new(format!("TLS: {endpoint}:{port} does not speak TLS"), "check `port`"),
        TlsError::Other(why) => Words::new(
            format!("TLS: the connection to {endpoint}:{port} failed: {why}"),
            "check that `port` is the broker's port for TLS with client certificates",
        ),
    }
}

/// What the broker does not say, its dates may.
fn client_refused(alert: &str, context: Context<'_>) -> Words {
    let Context { endpoint, certificate, validity, now, .. } = context;
    let certificate = certificate.display();
    let cause = format!(
        "TLS: {endpoint} refuses this device's certificate {certificate} ({alert}), which is valid from {} to {}; this \
         device's clock shows {now}",
        validity.from, validity.until
    );
    let active = "in AWS IoT Core it must be registered and ACTIVE, in this account and region";
    Words::new(cause, remedy_of_date(validity.state(now)).unwrap_or(active))
}

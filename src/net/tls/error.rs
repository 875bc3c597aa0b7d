//! TLS errors, by who has to act on them.

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};

use crate::platform::clock::Utc;

/// A certificate's date, and the clock that it was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfDate {
    /// The certificate's first or last moment.
    pub certificate: Utc,
    /// What this device's clock showed.
    pub clock: Utc,
}

/// Why a TLS connection failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsError {
    /// The broker's certificate is for another name.
    WrongName,
    /// No trusted authority signed the broker's certificate.
    UnknownIssuer,
    /// The broker's certificate is not valid yet, or this device's clock is slow. The date is its first.
    NotYetValid(Option<OutOfDate>),
    /// The broker's certificate has expired, or this device's clock is fast. The date is its last.
    Expired(Option<OutOfDate>),
    /// The broker's certificate is invalid for another reason, in rustls' words.
    BadCertificate(String),
    /// The broker refused the device's certificate with this alert.
    ClientRefused(String),
    /// The broker does not speak MQTT on this port.
    NoCommonProtocol,
    /// The other end does not speak TLS.
    NotTls,
    /// Anything else, in rustls' words.
    Other(String),
}

impl TlsError {
    /// Whether both are the same error, apart from the time at which they occurred.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NotYetValid(Some(one)), Self::NotYetValid(Some(other)))
            | (Self::Expired(Some(one)), Self::Expired(Some(other))) => one.certificate == other.certificate,
            _ => self == other,
        }
    }
}

fn utc(time: UnixTime) -> Utc {
    Utc::from_millis(time.as_secs().saturating_mul(1000))
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => of_certificate(&error),
            rustls::Error::AlertReceived(alert) => of_alert(alert),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            error => Self::Other(error.to_string()),
        }
    }
}

fn of_certificate(error: &CertificateError) -> TlsError {
    match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsError::WrongName
        }
        CertificateError::UnknownIssuer => TlsError::UnknownIssuer,
        CertificateError::NotValidYet => TlsError::NotYetValid(None),
        CertificateError::NotValidYetContext { time, not_before } => {
            TlsError::NotYetValid(Some(OutOfDate { certificate: utc(*not_before), clock: utc(*time) }))
        }
        CertificateError::Expired => TlsError::Expired(None),
        CertificateError::ExpiredContext { time, not_after } => {
            TlsError::Expired(Some(OutOfDate { certificate: utc(*not_after), clock: utc(*time) }))
        }
        error => TlsError::BadCertificate(error.to_string()),
    }
}

fn of_alert(alert: AlertDescription) -> TlsError {
    match alert {
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateRequired
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => TlsError::ClientRefused(format!("{alert:?}")),
        AlertDescription::NoApplicationProtocol => TlsError::NoCommonProtocol,
        alert => TlsError::Other(format!("the broker sent the alert {alert:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: u32) -> Utc {
        Utc::from_civil([year, 1, 1], [0, 0, 0]).unwrap()
    }

    #[test]
    fn certificate_out_of_date_is_reported_with_its_date_and_the_clock() {
        let at = |utc: Utc| UnixTime::since_unix_epoch(std::time::Duration::from_secs(utc.as_secs()));
        let error = |error| TlsError::from(rustls::Error::InvalidCertificate(error));
        let early = |clock| {
            error(CertificateError::NotValidYetContext { time: at(clock), not_before: at(day(2020)) })
        };
        let late =
            |clock| error(CertificateError::ExpiredContext { time: at(clock), not_after: at(day(2020)) });
        let dates = |clock| Some(OutOfDate { certificate: day(2020), clock });
        assert_eq!(early(day(1970)), TlsError::NotYetValid(dates(day(1970))));
        assert_eq!(late(day(2026)), TlsError::Expired(dates(day(2026))));
        assert_eq!(error(CertificateError::NotValidYet), TlsError::NotYetValid(None));
        assert_eq!(error(CertificateError::Expired), TlsError::Expired(None));
        // The same failure a second later is not reported again.
        assert!(late(day(2026)).is_like(&late(day(2027))) && early(day(1970)).is_like(&early(day(1971))));
        assert!(!late(day(2026)).is_like(&early(day(2026))));
        assert!(!late(day(2026)).is_like(&error(CertificateError::Expired)));
    }
}

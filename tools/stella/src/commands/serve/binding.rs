//! Where a server may listen.
//!
//! What others could read on the wire, or do without saying who they are, is refused unless the
//! operator says it in full.

use crate::failure::Failure;
use std::net::SocketAddr;

/// What decides over an address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding {
    pub(super) listen: SocketAddr,
    /// For one machine, with open reads.
    pub(super) dev: bool,
    pub(super) tls: bool,
    /// Callers are told apart.
    pub(super) authenticated: bool,
    /// A proxy with TLS stands in front, says the operator.
    pub(super) plaintext_said: bool,
}

impl Binding {
    pub(super) fn check(self) -> Result<(), Failure> {
        let loopback = self.listen.ip().is_loopback();
        if self.dev && !loopback {
            return Err(Failure::usage(
                format!(
                    "--dev listens on loopback only, not on {}",
                    self.listen.ip()
                ),
                "use 127.0.0.1, or leave --dev and say how callers are told apart (--api-keys FILE)",
            ));
        }
        if !loopback && !self.tls && !self.plaintext_said {
            return Err(Failure::usage(
                format!("{} is reachable from outside, in plain text", self.listen),
                "give --tls-cert and --tls-key, use 127.0.0.1, or say --allow-plaintext-remote \
                 when a proxy with TLS stands in front",
            ));
        }
        if !self.dev && !self.authenticated {
            return Err(Failure::usage(
                "no authentication was chosen",
                "give --api-keys, --jwt-issuer or --token-file, or --dev for one machine",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_decided() {
        let cases = [false, true];
        let remote = ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[2001:db8::1]:1"];
        let loopback = ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1"];
        for listen in remote.iter().chain(&loopback) {
            for (dev, tls) in cases.map(|dev| cases.map(|tls| (dev, tls))).concat() {
                for (authenticated, plaintext_said) in
                    cases.map(|one| cases.map(|other| (one, other))).concat()
                {
                    let binding = Binding {
                        listen: listen.parse().unwrap(),
                        dev,
                        tls,
                        authenticated,
                        plaintext_said,
                    };
                    let expected = match (loopback.contains(listen), dev) {
                        (true, true) => true,
                        (true, false) => authenticated,
                        (false, true) => false,
                        (false, false) => authenticated && (tls || plaintext_said),
                    };
                    assert_eq!(binding.check().is_ok(), expected, "{binding:?}");
                }
            }
        }
    }
}

//! Who calls, by the network: what is counted per address.
//!
//! The address is that of the connection. Only where that is a proxy that the operator named is
//! `X-Forwarded-For` read, from its end, past all such proxies: what a client writes into the
//! header itself stands further to the front and is never reached.

use std::net::{IpAddr, Ipv6Addr};

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{ApiState, Problem};

/// The other end of the connection; the accept loop puts it into every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(IpAddr);

impl ClientAddress {
    /// What is counted together: one address, or of the sixth version the network that one
    /// household has.
    pub(crate) fn counted(self) -> Vec<u8> {
        match self.0.to_canonical() {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().iter().take(8).copied().collect(),
        }
    }

    /// The network that it is in, in words: what can be written down without naming anybody. Of
    /// the fourth version 256 addresses, of the sixth what one customer of a network is given.
    pub(crate) fn network(self) -> String {
        match self.0.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                format!("network {a}.{b}.{c}.0/24")
            }
            IpAddr::V6(v6) => {
                let [a, b, c, ..] = v6.segments();
                format!("network {}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
            }
        }
    }

    /// Who sent a request.
    pub(crate) fn of_request(parts: &Parts, state: &ApiState) -> Self {
        let none = Peer(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let Peer(peer) = parts.extensions.get::<Peer>().copied().unwrap_or(none);
        let lines = parts.headers.get_all("x-forwarded-for").iter();
        let lines: Vec<&str> = lines.filter_map(|value| value.to_str().ok()).collect();
        Self::of(peer, &lines, &state.people_settings.proxies)
    }

    fn of(peer: IpAddr, forwarded: &[&str], proxies: &[IpAddr]) -> Self {
        let trusted = |address: IpAddr| {
            proxies.iter().any(|proxy| proxy.to_canonical() == address.to_canonical())
        };
        let mut address = peer;
        let hops = forwarded.iter().flat_map(|line| line.split(','));
        for hop in hops.collect::<Vec<_>>().into_iter().rev() {
            if !trusted(address) {
                break;
            }
            // What a proxy of ours did not write well, nobody else did.
            let Ok(before) = hop.trim().parse() else { break };
            address = before;
        }
        Self(address)
    }
}

impl FromRequestParts<ApiState> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        Ok(Self::of_request(parts, state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let proxies: Vec<IpAddr> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        ClientAddress::of(peer.parse().unwrap(), forwarded, &proxies).0.to_string()
    }

    #[test]
    fn case_147_what_a_client_says_of_itself_counts_for_nothing() {
        assert_eq!(seen("9.9.9.9", &["1.1.1.1"], &[]), "9.9.9.9");
        assert_eq!(seen("9.9.9.9", &["1.1.1.1"], &["10.0.0.1"]), "9.9.9.9");
        let proxies = ["10.0.0.1", "10.0.0.2"];
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 9.9.9.9"], &proxies), "9.9.9.9");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "9.9.9.9, 10.0.0.2"], &proxies), "9.9.9.9");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, nonsense"], &proxies), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[], &proxies), "10.0.0.1");
    }

    #[test]
    fn one_network_of_the_sixth_version_counts_as_one() {
        let counted = |text: &str| ClientAddress(text.parse().unwrap()).counted();
        assert_eq!(counted("2001:db8:1:2::1"), counted("2001:db8:1:2:ffff::9"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_eq!(counted("::ffff:1.2.3.4"), counted("1.2.3.4"));
    }

    #[test]
    fn what_is_written_down_is_a_network_and_nobodys_address() {
        let network = |text: &str| ClientAddress(text.parse().unwrap()).network();
        assert_eq!(network("203.0.113.77"), "network 203.0.113.0/24");
        assert_eq!(network("::ffff:203.0.113.77"), "network 203.0.113.0/24");
        assert_eq!(network("2001:db8:1:2::9"), "network 2001:db8:1::/48");
    }
}

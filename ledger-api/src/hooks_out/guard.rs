//! Which addresses may be called, since outsiders choose them: none that leads into our own network
//! or this machine, however it is spelt.
//!
//! Two looks. An endpoint's URL is looked at when it is given: HTTPS, a port that services of
//! others use, no password in it, no address of a private network. What its name leads to is looked
//! at each time it is called, by the very look-up whose answer is connected to ([`super::client`]):
//! a name that leads elsewhere a moment later gains nothing.
//!
//! Of IPv6 only what is given out to the public is allowed, and of that not what carries an IPv4
//! address inside: so mapped, translated (NAT64) and tunnelled (6to4, Teredo) spellings of private
//! addresses are refused without a list of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// The longest URL.
pub const URL_BYTES_MAX: usize = 2000;
/// The port of HTTPS; besides it, those from [`PORT_MIN`] on. Below are mail, shells and the like,
/// which can be made to take a request for something else.
const PORT_HTTPS: u16 = 443;
const PORT_MIN: u16 = 1024;

/// How far calls may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outreach {
    /// To public addresses, by HTTPS.
    Public,
    /// Also to this machine, by HTTP or HTTPS: for the demonstration, whose receivers run beside
    /// it.
    PublicAndLoopback,
}

/// Why a URL is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is none.
    #[error("It is not an absolute URL of at most {URL_BYTES_MAX} characters.")]
    Malformed,
    /// It is not HTTPS.
    #[error("It must begin with https://.")]
    Scheme,
    /// There is a name or a password in it.
    #[error("It must hold no user name and no password.")]
    Credentials,
    /// There is a fragment in it.
    #[error("It must hold no fragment (#…): that is never sent.")]
    Fragment,
    /// Another port.
    #[error("Its port must be 443, or 1024 and above.")]
    Port,
    /// An address that is not public.
    #[error("It leads to an address that is not public.")]
    Address,
}

impl Outreach {
    /// A URL that may be tried; what its name leads to is not known yet.
    ///
    /// # Errors
    /// [`UrlError`] with the first thing that is wrong with it.
    pub fn check(self, text: &str) -> Result<Url, UrlError> {
        // What the parser would drop or mend, so that what is stored is what is called.
        let odd = text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\');
        if text.len() > URL_BYTES_MAX || odd {
            return Err(UrlError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| UrlError::Malformed)?;
        let host = url.host_str().ok_or(UrlError::Malformed)?;
        let address = literal(host);
        let here = is_here(host, address);
        let loopback = here && self == Self::PublicAndLoopback;
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            _ => return Err(UrlError::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        if here && !loopback || address.is_some_and(|address| !self.allows(address)) {
            return Err(UrlError::Address);
        }
        let port = url.port_or_known_default().ok_or(UrlError::Port)?;
        if port == PORT_HTTPS || port >= PORT_MIN || (loopback && port != 0) {
            Ok(url)
        } else {
            Err(UrlError::Port)
        }
    }

    /// Whether an address may be connected to.
    pub fn allows(self, address: IpAddr) -> bool {
        is_public(address) || (self == Self::PublicAndLoopback && address.is_loopback())
    }
}

/// The address that a URL's host is, if it is no name. (The parser has made `0x7f.1` and its like
/// into plain ones.)
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether a host is this machine by its name or address.
fn is_here(host: &str, address: Option<IpAddr>) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || address.is_some_and(|a| a.is_loopback())
}

/// Whether an address is somebody's on the public Internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// What IANA's registry of special addresses has, and what is for many.
fn is_public_v4(address: Ipv4Addr) -> bool {
    // A cloud's own services, though the address is out of a public block.
    const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
    let [a, b, c, _] = address.octets();
    let special = match a {
        // This network, private, loopback; multicast and reserved, broadcast with them.
        0 | 10 | 127 | 224..=255 => true,
        // Carriers' shared addresses; also where a cloud answers for its metadata.
        100 => (64..128).contains(&b),
        // Link-local: where clouds answer for their metadata.
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99),
        // Benchmarks and documentation.
        198 => b == 18 || b == 19 || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        _ => false,
    };
    !special && address != AZURE
}

/// Of what is given out to the public (`2000::/3`), all but what is special or carries IPv4.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let given_out = (a & 0xe000) == 0x2000;
    // Teredo and other protocols, documentation, 6to4, documentation again.
    let protocols = a == 0x2001 && b < 0x0200;
    let documentation = (a == 0x2001 && b == 0x0db8) || (a == 0x3fff && b < 0x1000);
    given_out && !protocols && !documentation && a != 0x2002
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_public_are_refused_however_they_are_spelt() {
        let refused = [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://0/",
            "https://0.0.0.0/",
            "https://10.1.2.3/",
            "https://100.64.0.1/",
            "https://100.127.255.255/",
            "https://100.100.100.200/",
            "https://169.254.169.254/latest/meta-data/",
            "https://172.16.0.1/",
            "https://172.31.255.255/",
            "https://192.0.0.192/",
            "https://192.0.2.1/",
            "https://192.88.99.1/",
            "https://192.168.1.1/",
            "https://198.18.0.1/",
            "https://198.19.255.255/",
            "https://198.51.100.7/",
            "https://203.0.113.9/",
            "https://224.0.0.1/",
            "https://240.0.0.1/",
            "https://255.255.255.255/",
            "https://168.63.129.16/",
            "https://[::]/",
            "https://[::1]/",
            "https://[fe80::1]/",
            "https://[fc00::1]/",
            "https://[fd00:ec2::254]/",
            "https://[ff02::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:8.8.8.8]/",
            "https://[::127.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[64:ff9b:1::a00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:0:7f00:1::]/",
            "https://[2001:db8::1]/",
            "https://[3fff::1]/",
            "https://[100::1]/",
            "https://[5f00::1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://１２７.０.０.１/",
            "https://①②⑦.0.0.1/",
        ];
        for url in refused {
            assert_eq!(Outreach::Public.check(url), Err(UrlError::Address), "{url}");
        }
    }

    #[test]
    fn public_ones_are_not() {
        for url in [
            "https://example.com/hooks?shop=1",
            "https://8.8.8.8/",
            "https://100.63.255.255/",
            "https://100.128.0.1/",
            "https://172.15.0.1/",
            "https://172.32.0.1/",
            "https://192.0.1.1/",
            "https://198.20.0.1/",
            "https://223.255.255.255/",
            "https://[2606:4700::1111]/",
            "https://[2001:4860:4860::8888]/",
            "https://example.com:8443/",
            "https://example.com:443/",
        ] {
            assert!(Outreach::Public.check(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn other_schemes_ports_and_passwords_are_refused() {
        let long = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
        for (url, why) in [
            ("", UrlError::Malformed),
            ("example.com", UrlError::Malformed),
            ("/hooks", UrlError::Malformed),
            ("https://", UrlError::Malformed),
            ("https://exa mple.com/", UrlError::Malformed),
            (&long, UrlError::Malformed),
            ("https://example.com\\@10.0.0.1/", UrlError::Malformed),
            ("https://example.com/\r\nhost: a", UrlError::Malformed),
            ("http://example.com/", UrlError::Scheme),
            ("http://localhost/", UrlError::Scheme),
            ("ftp://example.com/", UrlError::Scheme),
            ("gopher://example.com/", UrlError::Scheme),
            ("https://u@example.com/", UrlError::Credentials),
            ("https://:p@example.com/", UrlError::Credentials),
            ("https://example.com#10.0.0.1", UrlError::Fragment),
            ("https://example.com:22/", UrlError::Port),
            ("https://example.com:25/", UrlError::Port),
            ("https://example.com:80/", UrlError::Port),
            ("https://example.com:0/", UrlError::Port),
        ] {
            assert_eq!(Outreach::Public.check(url), Err(why), "{url}");
        }
    }

    #[test]
    fn the_demonstration_reaches_this_machine_and_no_private_network() {
        let demo = Outreach::PublicAndLoopback;
        for url in [
            "http://localhost:3000/hooks",
            "http://127.0.0.1:80/",
            "http://[::1]:9/",
            "https://localhost/",
            "https://example.com/",
        ] {
            assert!(demo.check(url).is_ok(), "{url}");
        }
        for (url, why) in [
            ("http://example.com/", UrlError::Scheme),
            ("http://10.0.0.1/", UrlError::Scheme),
            ("https://10.0.0.1/", UrlError::Address),
            ("http://0.0.0.0/", UrlError::Scheme),
            ("https://169.254.169.254/", UrlError::Address),
            ("https://[::ffff:127.0.0.1]/", UrlError::Address),
        ] {
            assert_eq!(demo.check(url), Err(why), "{url}");
        }
        assert!(demo.allows(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        assert!(!Outreach::Public.allows(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    }
}

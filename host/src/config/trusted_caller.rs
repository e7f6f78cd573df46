//! The settings `TRUSTED_CALLER_HEADER` and `TRUSTED_PROXIES`: a request header that carries the
//! name of the caller, and the proxies from which the server believes that header.
//!
//! Each of the two is dangerous or useless without the other, so a configuration has both or
//! neither.

use super::ConfigError;
use hyper::header::HeaderName;
use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

/// The longest name of the header, in bytes.
const HEADER_BYTES_MAX: usize = 64;

/// The most entries that `TRUSTED_PROXIES` may have. Every request compares its peer with each.
const PROXIES_MAX: usize = 64;

/// Headers that have a meaning of their own in a request to this server, and therefore cannot
/// carry a caller's name.
const RESERVED_HEADERS: [&str; 24] = [
    "age",
    "authorization",
    "cache-control",
    "connection",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "idempotency-key",
    "keep-alive",
    "origin",
    "pragma",
    "range",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

/// Prefixes of families of headers that cannot carry a caller's name either: content negotiation,
/// CORS, conditions, the description of the body, and headers for proxies.
const RESERVED_PREFIXES: [&str; 5] = ["accept", "access-control-", "content-", "if-", "proxy-"];

/// How the server learns a caller's name from a proxy in front of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustedCaller {
    /// The name of the request header that carries the caller's name, in lower case.
    pub header: String,
    /// The proxies from which the server believes that header.
    pub proxies: Proxies,
}

impl TrustedCaller {
    /// Reads the two settings as their sources give them. Returns `None` when neither is set.
    ///
    /// # Errors
    /// [`ConfigError::Incomplete`] when one is set without the other; [`ConfigError::Value`] when
    /// a value is not allowed.
    pub(super) fn read(
        header: Option<&str>,
        proxies: Option<&str>,
    ) -> Result<Option<Self>, ConfigError> {
        match (header, proxies) {
            (None, None) => Ok(None),
            (Some(header), Some(proxies)) => {
                Ok(Some(Self { header: parse_header(header)?, proxies: Proxies::parse(proxies)? }))
            }
            (Some(_), None) => Err(ConfigError::Incomplete {
                given: "trusted_caller_header",
                missing: "trusted_proxies",
                why: "without it every client could name itself as it likes",
            }),
            (None, Some(_)) => Err(ConfigError::Incomplete {
                given: "trusted_proxies",
                missing: "trusted_caller_header",
                why: "without it there is nothing to believe these proxies about",
            }),
        }
    }
}

fn parse_header(name: &str) -> Result<String, ConfigError> {
    let refused = |allowed: String| ConfigError::Value {
        name: "trusted_caller_header",
        value: name.to_owned(),
        allowed,
    };
    if name.len() > HEADER_BYTES_MAX {
        return Err(refused(format!("a name of at most {HEADER_BYTES_MAX} bytes")));
    }
    // RFC 9110, section 5.1: names are tokens, and their case does not matter.
    let Ok(header) = HeaderName::try_from(name) else {
        return Err(refused("the name of an HTTP header, such as x-forwarded-user".to_owned()));
    };
    let header = header.as_str();
    let reserved = RESERVED_HEADERS.contains(&header)
        || RESERVED_PREFIXES.iter().any(|prefix| header.starts_with(prefix));
    if reserved {
        return Err(refused(
            "a header without a meaning of its own, such as x-forwarded-user".to_owned(),
        ));
    }
    Ok(header.to_owned())
}

/// The addresses and ranges of `TRUSTED_PROXIES`, at least one and at most 64.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Whether a peer with this address is a trusted proxy.
    ///
    /// An IPv4 address that a socket for both families shows as IPv6 (`::ffff:10.0.0.1`) counts as
    /// the IPv4 address. A range of IPv6 addresses therefore never contains an IPv4 address, not
    /// even `::/0`.
    #[must_use]
    pub fn contains(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|range| range.contains(&peer))
    }

    pub(crate) fn parse(list: &str) -> Result<Self, ConfigError> {
        let refused = |value: &str, allowed: String| ConfigError::Value {
            name: "trusted_proxies",
            value: value.to_owned(),
            allowed,
        };
        let entries = list.split(',').count();
        if entries > PROXIES_MAX {
            return Err(refused(
                &format!("({entries} entries)"),
                format!("at most {PROXIES_MAX} entries"),
            ));
        }
        let ranges = list.split(',').map(str::trim).map(|entry| {
            let range = parse_range(entry).ok_or_else(|| {
                let allowed = "addresses and ranges with commas between, such as \
                               127.0.0.1,10.0.0.0/8,::1";
                refused(&format!("{entry:?}"), allowed.to_owned())
            })?;
            // `10.1.2.3/8` may mean one address or sixteen million.
            if range.addr() != range.network() {
                return Err(refused(entry, format!("{} or {}", range.trunc(), range.addr())));
            }
            Ok(range)
        });
        Ok(Self(ranges.collect::<Result<_, _>>()?))
    }
}

/// Reads `10.0.0.0/8` as a range and `10.0.0.1` as the range of that one address. A range of IPv4
/// addresses in their IPv6 form (`::ffff:10.0.0.0/104`) becomes the IPv4 range.
fn parse_range(entry: &str) -> Option<IpNet> {
    /// Bits in front of the IPv4 address in its IPv6 form.
    const MAPPED_BITS: u8 = 96;

    let range =
        entry.parse::<IpNet>().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let IpNet::V6(mapped) = range else { return Some(range) };
    let bits = mapped.prefix_len().checked_sub(MAPPED_BITS);
    let (Some(address), Some(bits)) = (mapped.addr().to_ipv4_mapped(), bits) else {
        return Some(range);
    };
    Ipv4Net::new(address, bits).ok().map(IpNet::V4)
}

#[cfg(test)]
#[path = "trusted_caller_tests.rs"]
mod tests;

use super::*;
use crate::config::Settings;

fn proxies(list: &str) -> Proxies {
    Proxies::parse(list).unwrap()
}

fn contains(list: &str, peer: &str) -> bool {
    proxies(list).contains(peer.parse().unwrap())
}

fn refusal(header: Option<&str>, proxies: Option<&str>) -> String {
    TrustedCaller::read(header, proxies).unwrap_err().to_string()
}

#[test]
fn without_the_settings_nobody_is_believed() {
    assert!(Settings::default().resolve().unwrap().trusted_caller.is_none());
}

#[test]
fn both_settings_together_name_the_header_in_lower_case() {
    let settings = Settings {
        trusted_caller_header: Some("X-Forwarded-User".into()),
        trusted_proxies: Some("127.0.0.1".into()),
        ..Settings::default()
    };
    let trusted = settings.resolve().unwrap().trusted_caller.unwrap();
    assert_eq!(trusted.header, "x-forwarded-user");
    assert!(trusted.proxies.contains("127.0.0.1".parse().unwrap()));
}

#[test]
fn one_setting_without_the_other_is_refused() {
    assert_eq!(
        refusal(Some("x-caller"), None),
        "trusted_caller_header is set and trusted_proxies is not: without it every client could \
         name itself as it likes; set both or neither"
    );
    assert_eq!(
        refusal(None, Some("127.0.0.1")),
        "trusted_proxies is set and trusted_caller_header is not: without it there is nothing to \
         believe these proxies about; set both or neither"
    );
}

#[test]
fn addresses_and_ranges_of_both_families_are_trusted() {
    let list = "127.0.0.1, 10.0.0.0/8,::1,2001:db8::/32";
    for inside in ["127.0.0.1", "10.0.0.0", "10.255.255.255", "::1", "2001:db8:1::2"] {
        assert!(contains(list, inside), "{inside}");
    }
    for outside in ["127.0.0.2", "11.0.0.0", "9.255.255.255", "::2", "2001:db9::"] {
        assert!(!contains(list, outside), "{outside}");
    }
}

#[test]
fn an_ipv4_address_in_its_ipv6_form_is_the_ipv4_address() {
    assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert!(!contains("10.0.0.0/8", "::ffff:11.1.2.3"));
    assert!(!contains("::/0", "::ffff:10.1.2.3"));
    assert!(!contains("10.0.0.0/8", "::10.1.2.3"), "this is an IPv6 address of its own");
    for mapped in ["::ffff:10.1.2.3", "::ffff:10.1.0.0/112"] {
        assert!(contains(mapped, "10.1.2.3"), "{mapped}");
        assert!(contains(mapped, "::ffff:10.1.2.3"), "{mapped}");
        assert!(!contains(mapped, "10.2.2.3"), "{mapped}");
    }
}

#[test]
fn a_malformed_list_of_addresses_is_refused() {
    for bad in ["", ",", "127.0.0.1,", "localhost", "10.0.0.0/33", "10.0.0/8", "::1/129", "*"] {
        let refusal = refusal(Some("x-caller"), Some(bad));
        assert!(refusal.starts_with("trusted_proxies = \""), "{bad}: {refusal}");
    }
}

#[test]
fn a_range_that_may_be_meant_as_one_address_is_refused_with_both_readings() {
    assert_eq!(
        refusal(Some("x-caller"), Some("10.1.2.3/8")),
        "trusted_proxies = 10.1.2.3/8: allowed is 10.0.0.0/8 or 10.1.2.3"
    );
}

#[test]
fn the_list_is_bounded() {
    let full = vec!["127.0.0.1"; PROXIES_MAX].join(",");
    assert_eq!(proxies(&full).0.len(), PROXIES_MAX);
    assert_eq!(
        refusal(Some("x-caller"), Some(&format!("{full},::1"))),
        "trusted_proxies = (65 entries): allowed is at most 64 entries"
    );
}

#[test]
fn a_header_with_another_meaning_or_no_header_at_all_is_refused() {
    for good in ["x-caller", "Remote-User", "X-Forwarded-Email"] {
        assert_eq!(parse_header(good).unwrap(), good.to_ascii_lowercase());
    }
    let long = "x".repeat(HEADER_BYTES_MAX + 1);
    let reserved = ["Host", "authorization", "Content-Length", "COOKIE", "if-match", "accept"];
    for bad in reserved.into_iter().chain(["", "x caller", "x:caller", "käufer", long.as_str()]) {
        let refusal = refusal(Some(bad), Some("127.0.0.1"));
        assert!(refusal.starts_with("trusted_caller_header = "), "{bad}: {refusal}");
    }
}

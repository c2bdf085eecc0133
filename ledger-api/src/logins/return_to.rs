//! Where a browser goes after a login: a path of ours, and nothing else.

/// The longest path that is remembered.
const CHARS_MAX: usize = 2000;

/// The path, if it leads nowhere but to a page of ours.
///
/// Browsers read `\` as `/`, drop tabs and line ends, and take `//` as the start of a host: what
/// has any of that is refused rather than repaired.
pub fn local_path(text: &str) -> Option<&str> {
    let local = text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= CHARS_MAX
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    Some(text).filter(|_| local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_138_only_paths_of_ours_are_returned_to() {
        for good in ["/", "/app", "/app/activity?kind=deposit&x=%2F%2Fevil", "/oauth/authorize?a=b"]
        {
            assert_eq!(local_path(good), Some(good));
        }
        let long = format!("/{}", "a".repeat(2000));
        for bad in [
            "",
            "app",
            "//evil",
            "//evil.example/app",
            "/\\evil",
            "\\\\evil",
            "/app\\evil",
            "javascript:alert(1)",
            "https://evil.example",
            "/\t/evil",
            "/\n/evil",
            " /app",
            "/ü",
            &long,
        ] {
            assert_eq!(local_path(bad), None, "{bad:?}");
        }
    }
}

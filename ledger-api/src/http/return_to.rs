//! Where a login leads back to: a path of ours and nothing else.

use form_urlencoded::byte_serialize;

use crate::sessions::Audience;

/// Where people go who came from nowhere.
pub(crate) const HOME: &str = "/app";
/// What a frontend asks for is carried through a login, and is long.
const BYTES_MAX: usize = 2000;

/// A path of ours, if a text is one; home if not.
pub(crate) fn local(text: &str) -> &str {
    // Browsers take a backslash for a slash, and drop tabs and line ends before they look.
    let plain = |b: u8| b.is_ascii_graphic() && b != b'\\';
    let is_path = text.starts_with('/') && !text.starts_with("//");
    let fits = text.len() <= BYTES_MAX && text.bytes().all(plain);
    if is_path && fits { text } else { HOME }
}

/// The login's address that leads back to `path`: the one of whose page it is.
pub(crate) fn login_path(path: &str) -> String {
    let path = local(path);
    let audience = Audience::of_path(path);
    let login = audience.login();
    if path == audience.home() {
        return login.to_owned();
    }
    format!("{login}?return_to={}", byte_serialize(path.as_bytes()).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_138_only_paths_of_ours_are_gone_back_to() {
        for good in ["/app/move?tab=send#x", "/", "/app/activity/wd_1"] {
            assert_eq!(local(good), good);
        }
        let long = format!("/{}", "a".repeat(2000));
        for bad in [
            "",
            "app",
            "//evil.example",
            "/\\evil.example",
            "\\/evil",
            "javascript:alert(1)",
            "https://evil.example",
            "/\t/evil.example",
            "/\n/evil",
            " /app",
            "/app\\..",
            "/é",
            &long,
        ] {
            assert_eq!(local(bad), HOME, "{bad:?}");
        }
        assert_eq!(
            login_path("/app/move?tab=a&b=c"),
            "/login?return_to=%2Fapp%2Fmove%3Ftab%3Da%26b%3Dc"
        );
        assert_eq!(login_path("//evil"), "/login");
    }
}

//! What pages load: the style sheet, the script, the typeface.
//!
//! All of it is in the binary. An address carries a hash over all files, so that a browser may
//! keep what it has for ever and asks anew after a release; inside the style sheet, addresses are
//! relative and so carry it too. Another hash than ours is another release's page that is still
//! open: it gets the present file, not to be kept.

use std::sync::LazyLock;

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest as _, Sha256};

use crate::http::{ApiState, Problem};

/// How many letters of the hash stand in an address.
const HASH_LEN: usize = 12;
const KEEP: &str = "public, max-age=31536000, immutable";
const ASK: &str = "no-cache";

#[derive(Embed)]
#[folder = "static"]
struct Files;

/// One hash over all files, in order of name.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let mut hasher = Sha256::new();
    for name in &names {
        hasher.update(name.as_bytes());
        hasher.update(Files::get(name).map_or([0; 32], |file| file.metadata.sha256_hash()));
    }
    let mut hash = hex::encode(hasher.finalize());
    hash.truncate(HASH_LEN);
    hash
});

/// Where the browser finds a file.
pub(crate) fn url(name: &str) -> String {
    format!("/static/{}/{name}", *HASH)
}

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/static/{hash}/{*name}", get(file))
}

async fn file(Path((hash, name)): Path<(String, String)>) -> Result<Response, Problem> {
    let file =
        Files::get(&name).ok_or_else(|| Problem::not_found("There is no file of this name."))?;
    let keep = if hash == *HASH { KEEP } else { ASK };
    Ok(answer(file, keep))
}

fn answer(file: EmbeddedFile, keep: &'static str) -> Response {
    let kind = HeaderValue::try_from(file.metadata.mimetype())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut response = Body::from(file.data).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typeface_has_the_rupee_and_its_licence_beside_it() {
        let style = Files::get("app.css").unwrap();
        let style = String::from_utf8(style.data.into_owned()).unwrap();
        for font in ["fonts/inter-latin.woff2", "fonts/inter-latin-ext.woff2"] {
            assert!(Files::get(font).is_some(), "{font}");
            assert!(style.contains(&format!("url({font})")), "{font} is not used");
        }
        // U+20B9, the rupee, is in the second file: without its range it would fall back.
        assert!(style.contains("U+20A0-20AB,U+20AD-20C0"));
        assert!(Files::get("fonts/LICENSE.txt").is_some());
    }

    #[tokio::test]
    async fn only_an_address_with_the_present_hash_may_be_kept() {
        let kept = file(Path((HASH.clone(), "app.css".to_owned()))).await.unwrap();
        assert_eq!(kept.headers()[header::CACHE_CONTROL], KEEP);
        assert!(kept.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/css"));
        let old = file(Path(("0123".to_owned(), "app.css".to_owned()))).await.unwrap();
        assert_eq!(old.headers()[header::CACHE_CONTROL], ASK);
        let outside = file(Path((HASH.clone(), "../Cargo.toml".to_owned()))).await;
        assert_eq!(outside.unwrap_err().status(), 404);
    }

    #[test]
    fn nothing_that_pages_load_comes_from_another_host() {
        for name in Files::iter().filter(|name| name.ends_with(".css") || name.ends_with(".js")) {
            let text = String::from_utf8(Files::get(&name).unwrap().data.into_owned()).unwrap();
            let outside = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!outside.contains("http://") && !outside.contains("https://"), "{name}");
        }
    }
}

//! Every page, as wide as a telephone and as a desk, by day and by night.

use super::session::browse;
use crate::support::demo::Demo;

/// What anybody sees.
const PUBLIC: [&str; 1] = ["/dev/components"];
const WIDTHS: [u32; 2] = [360, 1280];

#[tokio::test]
async fn every_public_page_is_in_order() {
    let demo = Demo::shared().await;
    browse(&[&demo.address], async |browser| {
        let mut faults = Vec::new();
        for page in PUBLIC {
            for width in WIDTHS {
                let found = browser.faults_of(&format!("{}{page}", demo.address), width).await;
                faults.extend(found.into_iter().map(|fault| format!("{page} {fault}")));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    })
    .await;
}

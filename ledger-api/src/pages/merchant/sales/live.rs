//! What tells the pages of sales that something happened, as server-sent events. It says where and
//! not what: the page asks for its own text again, which knows what its reader may see.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    http::{HeaderMap, Uri},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use ledger_core::{clock::Timestamp, ids::MerchantCode, log::Position};
use projections::{ReadError, SalesMark};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::shop;
use crate::{
    deposits::Outside,
    http::{Problem, codes, reader::Reader, session::refuse_foreign_origin},
    pages::merchant::{Anybody, ShopVisitor},
    shops::{Membership, MerchantId},
};

/// How often the connection shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often it is looked whether whoever follows still may.
const SESSION_CHECK: Duration = Duration::from_secs(15);
/// How long news are gathered before they are looked at.
const GATHERING: Duration = Duration::from_millis(250);
/// How long it waits until the read models have what the log has.
const CATCH_UP: Duration = Duration::from_secs(2);

/// What happens in the shop, for whoever works there.
pub(super) async fn events(
    visitor: ShopVisitor<Anybody>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    refuse_foreign_origin(&headers, &visitor.state)?;
    let membership = Membership { merchant: visitor.at.shop.id, role: visitor.at.role };
    let reader = Reader::of_member(&visitor.state, &visitor.who.session, membership, &uri)?;
    let merchant = shop(&visitor)?;
    let outside = Outside::new(visitor.state.reads.clone());
    let coming = outside.mark(membership.merchant).await.map_err(ReadError::from)?;
    let mut last = visitor.state.read_models.sales_mark(&merchant).await?;
    // Who comes back is told at once that something was missed.
    if let Some(position) = last_seen(&headers) {
        last.position = position;
    }
    let Ok(permit) = Arc::clone(&visitor.state.own_tails).try_acquire_owned() else {
        let detail = "This process serves as many live streams as it can.";
        return Err(Problem::new(codes::OVERLOADED, detail).retry_after(5));
    };
    let (head, stopping) = (visitor.state.head.clone(), visitor.state.stopping.clone());
    let last = (last, coming);
    let shop = membership.merchant;
    let counter = Counter { reader, merchant, shop, head, stopping, outside, last, began: false };
    Ok(Sse::new(messages(counter, permit))
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response())
}

fn last_seen(headers: &HeaderMap) -> Option<Position> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

/// How far what happened to the shop's payments is, and what comes from other banks.
type Mark = (SalesMark, Vec<Option<Timestamp>>);

struct Counter {
    reader: Reader,
    merchant: MerchantCode,
    shop: MerchantId,
    head: watch::Receiver<Position>,
    stopping: watch::Receiver<bool>,
    outside: Outside,
    last: Mark,
    /// Whether it has looked once: a log that stands still is looked at too.
    began: bool,
}

fn messages(
    counter: Counter,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((counter, permit), async |(mut counter, permit)| {
        let event = counter.next().await?;
        Some((Ok(event), (counter, permit)))
    })
}

impl Counter {
    /// The next message; nothing when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            if self.began {
                self.wait().await?;
            }
            self.began = true;
            if !self.reader.is_still_allowed().await {
                return None;
            }
            let mark = self.reader.state.read_models.sales_mark(&self.merchant).await;
            let coming = self.outside.mark(self.shop).await;
            let (Ok(mark), Ok(coming)) = (mark, coming) else {
                tracing::warn!("a live counter ended");
                return None;
            };
            if (mark, &coming) != (self.last.0, &self.last.1) {
                self.last = (mark, coming);
                let id = mark.position.to_string();
                return Some(Event::default().event("payment").data(&id).id(id));
            }
        }
    }

    /// Waits for news, the stop, or the time to look at the session again.
    async fn wait(&mut self) -> Option<()> {
        tokio::select! {
            changed = self.head.changed() => {
                changed.ok()?;
                tokio::time::sleep(GATHERING).await;
                let head = *self.head.borrow_and_update();
                // What is in the log and not in the read models yet is looked for with the next
                // news, or when the session is looked at.
                self.reader.state.read_models.wait_for(head, CATCH_UP).await.ok();
                Some(())
            }
            changed = self.stopping.changed() => changed.ok(),
            () = tokio::time::sleep(SESSION_CHECK) => Some(()),
        }
    }
}

//! Sends what is due, by any number of processes at once.
//!
//! Each endpoint has lanes of its own: a few calls at once, of different objects. A receiver that
//! takes its fifteen seconds for each answer fills its own lanes and nobody else's. A lane holds
//! one message at a time.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use ledger_core::clock::{Clock, Ids, System};
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinSet};

use super::{Client, Deliveries, EndpointId, Endpoints, deliveries::Taken};

/// How often it looks for what is due.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How many calls of one process to one endpoint, and to all, are under way at once.
const LANES_EACH: usize = 4;
const LANES_MAX: usize = 512;
/// How often what has arrived long ago is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Sends deliveries.
#[derive(Clone)]
pub struct Sender {
    endpoints: Endpoints,
    deliveries: Deliveries,
    client: Client,
    /// What the schedule goes by.
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Sender {
    /// One that works on a database, in the schedule of this clock.
    pub fn new(
        pool: PgPool,
        secret: &[u8; 32],
        client: Client,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        let endpoints = Endpoints::new(pool.clone(), secret);
        Self { endpoints, deliveries: Deliveries::new(pool), client, clock, ids }
    }

    /// Works until `stopping` turns true. Calls under way are dropped then: what they would have
    /// heard is not known, so they are made again.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut lanes: JoinSet<EndpointId> = JoinSet::new();
        let mut busy: BTreeMap<EndpointId, usize> = BTreeMap::new();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut swept = Instant::now();
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                Some(ended) = lanes.join_next() => {
                    // Of a lane that panicked it is not known whose it was: all begin anew.
                    let Ok(endpoint) = ended else {
                        lanes.abort_all();
                        busy.clear();
                        continue;
                    };
                    if let Some(count) = busy.get_mut(&endpoint) {
                        *count = count.saturating_sub(1);
                    }
                    continue;
                }
                _ = stopping.wait_for(|stop| *stop) => return,
            }
            busy.retain(|_, count| *count > 0);
            if let Err(error) = self.open(&mut lanes, &mut busy).await {
                let error = projections::describe(&error);
                tracing::warn!(error, "webhooks are not sent; trying again");
            }
            if swept.elapsed() > SWEEP_EVERY {
                swept = Instant::now();
                if let Err(error) = self.deliveries.sweep(self.clock.now()).await {
                    tracing::debug!(%error, "old webhooks were not swept");
                }
            }
        }
    }

    /// Opens lanes for the endpoints that something is due for.
    async fn open(
        &self,
        lanes: &mut JoinSet<EndpointId>,
        busy: &mut BTreeMap<EndpointId, usize>,
    ) -> sqlx::Result<()> {
        for endpoint in self.deliveries.due(self.clock.now()).await? {
            let count = busy.entry(endpoint).or_default();
            while *count < LANES_EACH && lanes.len() < LANES_MAX {
                *count = count.saturating_add(1);
                let sender = self.clone();
                lanes.spawn(async move {
                    if let Err(error) = sender.work(endpoint).await {
                        let error = projections::describe(&error);
                        tracing::warn!(%endpoint, error, "a webhook was not sent; trying again");
                    }
                    endpoint
                });
            }
        }
        Ok(())
    }

    /// Sends what is due for an endpoint, one after another.
    async fn work(&self, endpoint: EndpointId) -> sqlx::Result<()> {
        let lease = self.ids.fresh();
        while let Some(taken) = self.deliveries.take(endpoint, lease, self.clock.now()).await? {
            self.send(taken).await?;
        }
        Ok(())
    }

    async fn send(&self, taken: Taken) -> sqlx::Result<()> {
        let delivery = &taken.delivery;
        let began = self.clock.now();
        // The receiver's clock is the world's, whatever clock the ledger goes by.
        let sent_at_s = System.now().timestamp();
        let secrets = self.endpoints.secrets(delivery.endpoint, began).await?;
        let signatures = secrets
            .iter()
            .map(|secret| secret.keys.sign(&delivery.message_id, sent_at_s, &delivery.body));
        let signature = signatures.collect::<Vec<_>>().join(" ");
        let said = (delivery.message_id.as_str(), sent_at_s, signature.as_str());
        let body = delivery.body.clone().into();
        let attempt = self.client.send(&taken.url, said, body).await;
        let outcome = match attempt.status {
            Ok(200..=299) => "delivered",
            Ok(_) => "refused",
            Err(error) => error.code(),
        };
        metrics::counter!("bahi_hooks_out_attempts_total", "outcome" => outcome).increment(1);
        let disabled = self.deliveries.note(&taken, &attempt, (began, self.clock.now())).await?;
        if let Some(why) = disabled {
            metrics::counter!("bahi_hooks_out_disabled_total").increment(1);
            let (endpoint, why) = (delivery.endpoint, why.as_str());
            tracing::warn!(%endpoint, why, "a webhook endpoint was disabled");
        }
        Ok(())
    }
}

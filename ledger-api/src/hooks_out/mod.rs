//! Webhooks out: what happens is told to the servers of those it happens to.
//!
//! The log is the outbox. The [`Maker`] follows it, makes each event that somebody wants to know of
//! into a message, and writes the deliveries in the database transaction that moves the endpoint's
//! position: no event is missed and none is made twice, whoever is killed when. The [`Sender`]
//! sends what is due until it is answered with a 2xx, so each message arrives at least once; its
//! `webhook-id` follows from the endpoint and the event, so that a receiver can tell it has it.
//!
//! The messages of one object are sent in the order of their `seq`: the next one waits until the
//! one before has arrived. Different objects do not wait for each other, and no endpoint waits for
//! another. Nothing here decides about money, and no answer of a receiver is believed for anything
//! but whether it has the message.
//!
//! Whom it is sent to is the choice of somebody outside. So [`guard`] decides which addresses may
//! be called at all, and [`client`] calls exactly what was looked at.

pub mod client;
mod deliveries;
mod delivery;
mod endpoint;
mod endpoints;
pub mod guard;
mod ids;
mod kinds;
mod maker;
mod messages;
mod schedule;
mod secrets;
mod sender;

pub use client::{Attempt, Client, SendError};
pub use deliveries::Deliveries;
pub use delivery::{Attempted, Delivery, DeliveryState};
pub use endpoint::{
    Change, CreateError, Created, Endpoint, EndpointStatus, NewEndpoint, RotateError, Why,
};
pub use endpoints::Endpoints;
pub use ids::{DeliveryId, EndpointId};
pub use kinds::{EventTypes, TEST, UnknownEventType};
pub use maker::Maker;
pub(crate) use messages::test_body;
pub use secrets::{Opened, Revealed, SECRETS_MAX};
pub use sender::Sender;

//! The engine and the client library together, on the host.

mod epochs;
mod mapping;
mod messages;
mod pair;
mod shares;
mod waiting;

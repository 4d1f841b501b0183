//! The engine and the client library together, on the host.

mod epochs;
#[cfg(all(feature = "observe", feature = "express"))]
mod lane;
mod mapping;
mod messages;
mod pair;
mod shares;
mod waiting;
#[cfg(all(feature = "observe", feature = "express"))]
#[path = "../shared/whole.rs"]
mod whole;

//! What the client library adds to the port: how a client starts and is called, and calls with their replies.

mod asking;
mod calls;
#[cfg(feature = "observe")]
mod ends;
mod inspecting;
mod start;

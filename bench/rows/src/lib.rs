//! What is measured, and the form in which measurements are written down. `ferry-bench` uses it, which
//! measures on the host and makes the table. So does `ferry bench`, which boots seL4.
//!
//! A *carrier* is one thing that carries messages. A *case* is a size, a batch, a policy, a number of
//! clients, the size of frames, and what the flow demands. A *row* is what one carrier costs in one case.
//! An *order* tells the measured protection domains which cases to run.

pub mod carrier;
pub mod case;
pub mod order;

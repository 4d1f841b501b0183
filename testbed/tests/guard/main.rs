//! Flows with guards: nothing reaches its target that a guard has not passed, whatever the guards, the sender
//! and the target do (guarantee 10).

mod course;
mod hostile;
#[cfg(feature = "observe")]
mod lane;
mod life;
mod rounds;
mod stage;
#[cfg(all(feature = "observe", feature = "express"))]
#[path = "../shared/whole.rs"]
mod whole;

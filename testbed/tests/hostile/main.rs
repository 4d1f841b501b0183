//! Hostile clients against the engine: each class of attack in the threat model, by name.
//! `docs/threat-model.md` says which guarantee each test shows. `harness/` runs the same classes against a
//! booted kernel.

mod arena;
mod descriptors;
mod indices;
mod lifecycle;
mod load;
mod requests;
mod rewriting;

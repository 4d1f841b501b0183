//! Hostile clients against the engine: each class of attack of the threat model, by name.
//! `docs/threat-model.md` says which guarantee each test shows. The same classes run against a booted kernel
//! in `harness/`.

mod arena;
mod descriptors;
mod indices;
mod lifecycle;
mod load;
mod requests;
mod rewriting;

//! What a plan decides, told step by step what has happened.

mod failing;
mod looking;
mod pacing;
mod rolled_back;
mod scarce;
mod stage;

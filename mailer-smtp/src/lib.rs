#![doc = include_str!("../README.md")]

mod classify;
mod render;
mod reply;

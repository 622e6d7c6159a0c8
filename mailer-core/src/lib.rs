#![doc = include_str!("../README.md")]

pub mod calendar;
pub mod domain;
pub mod limits;

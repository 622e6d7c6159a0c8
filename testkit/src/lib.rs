#![doc = include_str!("../README.md")]

mod catcher;
mod certificate;
mod fault_proxy;
mod postfix;
mod process;
mod real_time;
mod redis;
mod sink;
mod smtp;

pub use catcher::Catcher;
pub use certificate::Certificate;
pub use fault_proxy::{Cut, FaultProxy, Traffic};
pub use postfix::{Postfix, PostfixBuilder};
pub use process::LaunchError;
pub use redis::{Fsync, RedisCluster, RedisSentinel, RedisServer, RedisServerBuilder, SlotMove};
pub use sink::{DumpError, ReceivedMail, Sink, SinkBuilder, parse_dump};
pub use smtp::{
    Command, Connection, Outcome, Reply, Rule, SmtpServer, SmtpServerBuilder, Stage, Transaction,
};

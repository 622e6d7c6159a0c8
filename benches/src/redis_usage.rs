//! What a Redis server has used, and how long its scripts took.

use std::time::Duration;

use testkit::RedisServer;

use crate::Failure;

/// What a server has used since it was started, or since `CONFIG RESETSTAT` where that counts.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "benchmarks read it")]
pub struct RedisUsage {
    /// Octets of memory, as Redis counts it.
    pub memory: u64,
    /// Octets that are resident.
    pub resident: u64,
    /// The time of its main thread.
    pub processor: Duration,
    /// Scripts called, since the statistics were reset.
    pub scripts: u64,
    /// The time that these scripts took.
    pub script_time: Duration,
    /// Commands, those within scripts among them, since the statistics were reset.
    pub commands: u64,
    /// Changes of keys.
    pub changes: u64,
    /// How many keys there are.
    pub keys: u64,
}

impl RedisUsage {
    /// Asks the server.
    ///
    /// # Errors
    /// If it does not answer, or not as Redis 7 does.
    pub async fn of(server: &RedisServer) -> Result<Self, Failure> {
        let info = server.command(&["INFO", "everything"]).await?;
        let field = |name: &str| {
            info.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .unwrap_or_default()
        };
        let seconds = |name: &str| field(name).parse().map(Duration::from_secs_f64);
        let part = |name: &str, place| {
            let number = field(name).split([',', '=']).nth(place);
            number.map_or(Ok(0), str::parse::<u64>)
        };
        Ok(Self {
            memory: field("used_memory").parse()?,
            resident: field("used_memory_rss").parse()?,
            processor: seconds("used_cpu_user_main_thread")? + seconds("used_cpu_sys_main_thread")?,
            scripts: part("cmdstat_evalsha", 1)?,
            script_time: Duration::from_micros(part("cmdstat_evalsha", 3)?),
            commands: field("total_commands_processed").parse()?,
            changes: field("rdb_changes_since_last_save").parse()?,
            keys: part("db0", 1)?,
        })
    }

    /// The time of the main thread since `before`.
    #[must_use]
    pub fn processor_since(&self, before: &Self) -> Duration {
        self.processor.saturating_sub(before.processor)
    }
}

/// How long each script took that the server's slow log has, and empties it: in microseconds.
///
/// # Errors
/// If the server does not answer.
pub async fn script_times(server: &RedisServer) -> Result<Vec<u64>, Failure> {
    let log = server.command(&["SLOWLOG", "GET", "-1"]).await?;
    server.command(&["SLOWLOG", "RESET"]).await?;
    let lines: Vec<&str> = log.split("\r\n").collect();
    // An entry: how many parts it has, its number, when it was, microseconds, and the words, of which the first is text.
    let entries = lines.windows(7).filter(|entry| entry[6] == "EVALSHA");
    entries
        .map(|entry| Ok(entry[3].trim_start_matches(':').parse()?))
        .collect()
}

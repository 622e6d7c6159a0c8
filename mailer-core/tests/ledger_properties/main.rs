//! Any sequence of commands keeps the books: the memory store against what must hold after every step.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod books;
mod commands;
mod world;

use proptest::prelude::*;

use commands::commands;
use world::World;

/// 64 sequences by default, since each step is checked against the whole ledger; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let cases = match std::env::var("PROPTEST_CASES") {
        Ok(_) => ProptestConfig::default().cases,
        Err(_) => 64,
    };
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_books_balance_after_every_step(commands in commands()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for command in commands {
                world.run(command).await;
            }
        });
    }
}

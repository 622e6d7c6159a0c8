//! Zones on a machine without a complete zone database, such as a thinned-out container image.
//!
//! jiff reads its database from the directory `TZDIR`, else from the usual places, and only when it finds no zone
//! file at all from its own copy. An empty `TZDIR` thus proves nothing where `/usr/share/zoneinfo` exists; a
//! directory with a single foreign zone does: jiff settles for it and then knows no other zone.

use std::process::Command;

use mailer_core::calendar::Zone;

const CHILD: &str = "MAILER_TEST_ZONE_CHILD";

#[test]
fn zones_do_not_need_the_machines_database() {
    if std::env::var_os(CHILD).is_some() {
        assert!(
            jiff::tz::TimeZone::get("Europe/Moscow").is_err(),
            "the machine's database was read after all: this test proves nothing"
        );
        for name in ["Europe/Moscow", "Asia/Calcutta", "America/St_Johns", "UTC"] {
            assert_eq!(name.parse::<Zone>().unwrap().name(), name);
        }
        assert!("Europe/Atlantis".parse::<Zone>().is_err());
        return;
    }
    let thin = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("thin-zoneinfo");
    std::fs::create_dir_all(&thin).unwrap();
    let mut zone = b"TZif2".to_vec();
    zone.resize(64, 0);
    std::fs::write(thin.join("Elsewhere"), zone).unwrap();

    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "zones_do_not_need_the_machines_database",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .env("TZDIR", &thin)
        .output()
        .unwrap();
    assert!(
        child.status.success(),
        "{}{}",
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    );
}

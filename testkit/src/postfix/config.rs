//! The directories of a Postfix, and what it reads there.

use std::{
    fmt::Write as _,
    fs, io,
    net::SocketAddr,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    time::SystemTime,
};

use super::{PostfixBuilder, SaslServer};

/// Where Debian keeps what nobody calls by hand.
const DAEMONS: &str = "/usr/lib/postfix/sbin";
pub(super) const LOG: &str = "mail.log";
/// The parts that a mail passes on its way to being thrown away, and those that they ask.
const SERVICES: &str = "\
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
";
const QUEUE: [&str; 14] = [
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop",
    "pid", "private", "public", "saved", "trace",
];

impl PostfixBuilder {
    /// Makes them in this empty folder, for daemons that run as this user.
    pub(super) fn lay_out(
        &self,
        folder: &Path,
        owner: u32,
        addr: SocketAddr,
        sasl: Option<&SaslServer>,
    ) -> io::Result<()> {
        // Its daemons are another user's.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        for name in ["config", "data", "queue"] {
            fs::create_dir(folder.join(name))?;
        }
        chown(folder.join("data"), Some(owner), None)?;
        for name in QUEUE {
            let path = folder.join("queue").join(name);
            fs::create_dir(&path)?;
            if name != "pid" {
                chown(&path, Some(owner), None)?;
            }
        }
        let services = format!("{addr} inet n - n - - smtpd\n{SERVICES}");
        fs::write(folder.join("config/master.cf"), services)?;
        if let Some(own) = &self.certificate {
            let chain = format!("{}{}", own.key_pem(), own.cert_pem());
            fs::write(folder.join("config/chain.pem"), chain)?;
        }
        let main = folder.join("config/main.cf");
        fs::write(&main, self.main(folder, sasl))?;
        // It waits until this file has not changed for a while.
        fs::File::open(main)?.set_modified(SystemTime::UNIX_EPOCH)
    }

    fn main(&self, folder: &Path, sasl: Option<&SaslServer>) -> String {
        let folder = folder.display();
        let mut recipients = "permit".to_owned();
        for (recipient, reply) in self.refused.iter().rev() {
            let refuse = "check_recipient_access inline:{ {";
            recipients = format!("{refuse} {recipient} = {reply} }} }}, {recipients}");
        }
        let networks = if sasl.is_some() { "" } else { "127.0.0.0/8" };
        let mut main = format!(
            "compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {DAEMONS}
maillog_file = {folder}/{LOG}
maillog_file_prefixes = {folder}
myhostname = relay.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
local_recipient_maps =
alias_maps =
default_transport = discard:
in_flow_delay = 0
smtpd_client_event_limit_exceptions =
smtpd_recipient_restrictions = {recipients}
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
mynetworks = {networks}
"
        );
        let mut set = |name: &str, value: &str| {
            let _infallible = writeln!(main, "{name} = {value}");
        };
        if self.certificate.is_some() {
            set(
                "smtpd_tls_chain_files",
                &format!("{folder}/config/chain.pem"),
            );
            set("smtpd_tls_security_level", "encrypt");
        }
        if self.implicit_tls {
            set("smtpd_tls_wrappermode", "yes");
        }
        if let Some(sasl) = sasl {
            set("smtpd_sasl_auth_enable", "yes");
            set("smtpd_sasl_type", "dovecot");
            set("smtpd_sasl_path", &format!("inet:{}", sasl.addr()));
        }
        for (name, value) in &self.settings {
            set(name, value);
        }
        main
    }
}

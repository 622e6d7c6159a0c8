//! `mailer-smtp` without an engine.

use std::sync::Arc;

use benches::Failure;
use benches::contest::Job;
use mailer_core::conformance::transport::Rig;
use mailer_smtp::SmtpTransport;

pub(crate) async fn send(job: Job, overlap: bool) -> Result<(), Failure> {
    let transport = SmtpTransport::builder(&format!("smtp://{}", job.relay))
        .connections(job.connections)
        .messages_per_connection(u32::MAX)
        .overlap(overlap)
        .build()?;
    let names = (0..job.mails).map(|i| format!("user{i}"));
    let rig = Rig::new(Arc::new(transport)).bytes(job.bytes);
    let delivered = rig.deliver(names).await;
    let sent = delivered.count("sent") as u64;
    if sent == job.mails {
        return Ok(());
    }
    Err(format!("{sent} of {} sent: {:?}", job.mails, delivered.refused).into())
}

use super::{Ended, OpenTransaction, Path, Reply, Session, Stage};

impl Session {
    pub(super) async fn mail(&mut self, path: Option<Path<'_>>) -> Result<(), Ended> {
        if !self.greeted || self.transaction.is_some() {
            return self.send(Reply::new(503, "5.5.1 bad sequence")).await;
        }
        let Some(path) = path else {
            return self
                .send(Reply::new(501, "5.5.4 MAIL FROM:<address>"))
                .await;
        };
        let good = self
            .objection_to_sender(&path)
            .unwrap_or_else(|| Reply::new(250, "2.1.0 ok"));
        if self.answer(Stage::Mail, good).await?.is_positive() {
            self.transaction = Some(OpenTransaction::new(&path));
        }
        Ok(())
    }

    pub(super) async fn rcpt(&mut self, path: Option<Path<'_>>) -> Result<(), Ended> {
        let Some(open) = &self.transaction else {
            return self.send(Reply::new(503, "5.5.1 bad sequence")).await;
        };
        let Some(path) = path else {
            return self.send(Reply::new(501, "5.5.4 RCPT TO:<address>")).await;
        };
        let utf8 = open.parameters.to_ascii_uppercase().contains("SMTPUTF8");
        let good = if !path.address.is_ascii() && !utf8 {
            Reply::new(553, "5.6.7 address needs SMTPUTF8")
        } else if path.parameters.is_empty() || self.setup.announces("DSN") {
            Reply::new(250, "2.1.5 ok")
        } else {
            Reply::new(555, "5.5.4 parameter not supported")
        };
        let reply = self
            .answer_about(Stage::Rcpt, Some(path.address), good)
            .await?;
        if let Some(open) = &mut self.transaction {
            let list = if reply.is_positive() {
                &mut open.to
            } else {
                &mut open.refused
            };
            list.push(path.address.to_owned());
        }
        Ok(())
    }

    fn objection_to_sender(&self, path: &Path<'_>) -> Option<Reply> {
        if self.setup.is_guarded() && !self.authenticated {
            return Some(Reply::new(530, "5.7.0 authentication required"));
        }
        let mut utf8 = false;
        for (keyword, value) in path.pairs() {
            let extension = match keyword.as_str() {
                "BODY" => "8BITMIME",
                "RET" | "ENVID" => "DSN",
                other => other,
            };
            let is_auth = extension == "AUTH" && self.setup.is_guarded();
            if !is_auth && !self.setup.announces(extension) {
                return Some(Reply::new(555, "5.5.4 parameter not supported"));
            }
            utf8 |= keyword == "SMTPUTF8";
            let size = value.parse().unwrap_or(0_usize);
            if keyword == "SIZE" && size > self.setup.max_size {
                return Some(Reply::new(552, "5.3.4 message too big"));
            }
        }
        let needs_utf8 = !path.address.is_ascii() && !utf8;
        needs_utf8.then(|| Reply::new(553, "5.6.7 address needs SMTPUTF8"))
    }
}

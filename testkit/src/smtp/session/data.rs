use super::{Ended, Outcome, Progress, Reply, Session, Stage, Verdict, within};

impl Session {
    pub(super) async fn data(&mut self) -> Result<(), Ended> {
        let Some(open) = &self.transaction else {
            return self.send(Reply::new(503, "5.5.1 bad sequence")).await;
        };
        let good = if open.to.is_empty() {
            Reply::new(554, "5.5.1 no valid recipients")
        } else {
            Reply::new(354, "end with a lone dot")
        };
        if self.answer(Stage::Data, good).await?.code() == Some(354) {
            let fits = self.read_body().await?;
            self.dot(fits).await?;
        }
        Ok(())
    }

    /// Reads up to the final dot, stopping at the sizes the script names; whether it stayed within the size limit.
    async fn read_body(&mut self) -> Result<bool, Ended> {
        let marks = self.setup.script.body_marks();
        let mut marks = marks.into_iter().peekable();
        let (mut read, mut fits) = (0, true);
        loop {
            while let Some(mark) = marks.next_if(|&mark| mark <= read) {
                self.interrupt(mark).await?;
            }
            if self.wire.pending().is_empty() {
                let filled = within(self.setup.idle_timeout, "body", self.wire.fill()).await??;
                if filled == 0 {
                    return Err(Ended);
                }
            }
            let Some(open) = &mut self.transaction else {
                return Err(Ended);
            };
            let pending = self.wire.pending();
            let until_mark = marks.peek().map_or(usize::MAX, |mark| mark - read);
            let piece = &pending[..pending.len().min(until_mark)];
            let (used, finished) = match open.body.read(piece) {
                Progress::More => (piece.len(), false),
                Progress::Finished(used) => (used, true),
            };
            if open.body.body().len() > self.setup.max_size {
                fits = false;
                open.body.forget();
            }
            self.wire.consume(used);
            read += used;
            if finished {
                return Ok(fits);
            }
        }
    }

    async fn interrupt(&mut self, mark: usize) -> Result<(), Ended> {
        self.wire.flush().await?;
        match self.consult(Stage::Body(mark), None).await? {
            Verdict::BehaveWell => Ok(()),
            Verdict::Reply(reply) => {
                self.send(reply).await?;
                Ok(self.wire.flush().await?)
            }
            Verdict::End(ending) => Err(self.end(ending).await),
        }
    }

    /// Settles the mail and records it before the client can know.
    async fn dot(&mut self, fits: bool) -> Result<(), Ended> {
        let reply = match self.consult(Stage::Dot, None).await? {
            Verdict::BehaveWell if !fits => Reply::new(552, "5.3.4 message too big"),
            Verdict::BehaveWell => Reply::new(250, "2.0.0 ok, queued"),
            Verdict::Reply(reply) => reply,
            Verdict::End(ending) => {
                self.finish(Outcome::Unanswered);
                return Err(self.end(ending).await);
            }
        };
        let reply = self.keep(reply).await;
        let is_whole = self.cut_after.is_none_or(|n| n >= reply.as_bytes().len());
        self.finish(if is_whole || !reply.is_positive() {
            Outcome::Answered(reply.clone())
        } else {
            Outcome::Unanswered
        });
        self.send(reply).await
    }

    async fn keep(&self, reply: Reply) -> Reply {
        let (Some(keep), Some(open), true) =
            (&self.setup.keep, &self.transaction, reply.is_positive())
        else {
            return reply;
        };
        let kept = keep.keep(open.to.clone(), open.body.body().to_vec()).await;
        match kept {
            Ok(()) => reply,
            Err(error) => Reply::new(451, &format!("4.3.0 cannot keep the mail: {error}")),
        }
    }
}
